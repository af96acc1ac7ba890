/* Plans against a naive evaluation in double precision, layer by layer as net.h defines them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/hash.h"
#include "infer/plan.h"
#include "layers/fast_math.h"

static const float *weight(const struct model *m, const struct layer *l, int k)
{
    return k < l->nparam ? m->weights + l->param[k].at : NULL;
}

/* The value of x at a place, 0 outside of the image. */
static double at(const double *x, struct shape s, int y, int xx, int c)
{
    if (y < 0 || y >= s.h || xx < 0 || xx >= s.w)
        return 0;
    return x[((size_t)y * (size_t)s.w + (size_t)xx) * (size_t)s.c + (size_t)c];
}

static double window(const struct model *m, const struct layer *l, struct shape in, const double *x,
                     int oy, int ox, int c)
{
    const float *w = weight(m, l, 0), *b = weight(m, l, 1);
    double sum = 0, best = -1e300;
    int count = 0, per = in.c / l->groups, g = l->type == L_CONV ? c / (l->units / l->groups) : 0;
    for (int ky = 0; ky < l->kh; ky++) {
        for (int kx = 0; kx < l->kw; kx++) {
            int y = oy * l->sh - l->pt + ky * l->dh, xx = ox * l->sw - l->pl + kx * l->dw;
            if (l->type == L_CONV) {
                for (int i = 0; i < per; i++)
                    sum +=
                        at(x, in, y, xx, g * per + i) *
                        w[((size_t)(ky * l->kw + kx) * (size_t)per + (size_t)i) * (size_t)l->units +
                          (size_t)c];
            } else if (l->type == L_DWCONV) {
                sum += at(x, in, y, xx, c) * w[(ky * l->kw + kx) * in.c + c];
            } else if (y >= 0 && y < in.h && xx >= 0 && xx < in.w) {
                sum += at(x, in, y, xx, c);
                best = fmax(best, at(x, in, y, xx, c));
                count++;
            } else if (l->count && y >= -l->pt && y < in.h + l->pb && xx >= -l->pl &&
                       xx < in.w + l->pr) {
                count++;
            }
        }
    }
    return l->type == L_MAXPOOL   ? best
           : l->type == L_AVGPOOL ? sum / count
                                  : sum + (b != NULL ? b[c] : 0);
}

/* An output of a transposed convolution: of the input pixels that reach it. */
static double transposed(const struct model *m, const struct layer *l, struct shape in,
                         const double *x, int oy, int ox, int u)
{
    int per = in.c / l->groups, g = u / (l->units / l->groups);
    const float *w = weight(m, l, 0), *b = weight(m, l, 1);
    double sum = b != NULL ? (double)b[u] : 0;
    for (int ky = 0; ky < l->kh; ky++) {
        for (int kx = 0; kx < l->kw; kx++) {
            int y = oy + l->pt - ky * l->dh, xx = ox + l->pl - kx * l->dw;
            for (int c = 0; c < per && y % l->sh == 0 && xx % l->sw == 0; c++)
                sum += at(x, in, y / l->sh, xx / l->sw, g * per + c) *
                       (double)w[((c * l->kh + ky) * l->kw + kx) * l->units + u];
        }
    }
    return sum;
}

/* Functions of one number, of which layers are. */
static double function(const struct layer *l, double v)
{
    double a = (double)l->a, b = (double)l->b;
    switch (l->type) {
    case L_SIGMOID:
        return 1 / (1 + exp(-v));
    case L_TANH:
        return tanh(v);
    case L_HSWISH:
        return v * fmin(fmax(v + 3, 0), 6) / 6;
    case L_SWISH:
        return v / (1 + exp(-v));
    case L_GELU:
        return v * 0.5 * (1 + erf(v / sqrt(2)));
    case L_SOFTPLUS:
        return log(1 + exp(v));
    case L_SOFTSIGN:
        return v / (1 + fabs(v));
    case L_MISH:
        return v * tanh(log(1 + exp(v)));
    case L_EXP:
        return exp(v);
    case L_LOG:
        return log(v);
    case L_SQRT:
        return sqrt(v);
    case L_ABS:
        return fabs(v);
    case L_NEG:
        return -v;
    case L_ERF:
        return erf(v);
    case L_RECIPROCAL:
        return 1 / v;
    case L_SIGN:
        return (v > 0) - (v < 0);
    case L_FLOOR:
        return floor(v);
    case L_CEIL:
        return ceil(v);
    case L_ROUND:
        return nearbyint(v);
    case L_SIN:
        return sin(v);
    case L_COS:
        return cos(v);
    case L_TAN:
        return tan(v);
    case L_ASIN:
        return asin(v);
    case L_ACOS:
        return acos(v);
    case L_ATAN:
        return atan(v);
    case L_SINH:
        return sinh(v);
    case L_COSH:
        return cosh(v);
    case L_ASINH:
        return asinh(v);
    case L_ACOSH:
        return acosh(v);
    case L_ATANH:
        return atanh(v);
    case L_LEAKY:
        return v < 0 ? a * v : v;
    case L_ELU:
        return v < 0 ? a * (exp(v) - 1) : v;
    case L_SELU:
        return b * (v < 0 ? a * (exp(v) - 1) : v);
    case L_CELU:
        return fmax(0, v) + fmin(0, a * (exp(v / a) - 1));
    case L_CLIP:
        return fmin(fmax(v, a), b);
    case L_HSIGMOID:
        return fmin(fmax(a * v + b, 0), 1);
    case L_THRESHOLD:
        return v > a ? v : 0;
    case L_SHRINK:
        return v < -a ? v + b : v > a ? v - b : 0;
    default:
        return v;
    }
}

static double scalar(const struct model *m, const struct layer *l, double v, int c)
{
    switch (l->type) {
    case L_BN:
        return weight(m, l, 0)[c] * (v - weight(m, l, 2)[c]) /
                   sqrt((double)weight(m, l, 3)[c] + (double)l->rate) +
               weight(m, l, 1)[c];
    case L_RELU:
        return fmax(v, 0);
    case L_RELU6:
        return fmin(fmax(v, 0), 6);
    case L_PRELU:
        return v < 0 ? v * weight(m, l, 0)[c] : v;
    default:
        return function(l, v);
    }
}

/* A place's index in a tensor of shape s, whose extents of 1 are repeated. */
static size_t repeated(struct shape s, size_t k, struct shape out)
{
    size_t c = k % (size_t)out.c, x = k / (size_t)out.c % (size_t)out.w;
    size_t y = k / (size_t)out.c / (size_t)out.w;
    return ((s.h == 1 ? 0 : y) * (size_t)s.w + (s.w == 1 ? 0 : x)) * (size_t)s.c +
           (s.c == 1 ? 0 : c);
}

static double two(enum layer_type type, double a, double b)
{
    switch (type) {
    case L_ADD:
        return a + b;
    case L_SUB:
        return a - b;
    case L_MUL:
        return a * b;
    case L_DIV:
        return a / b;
    case L_MIN:
        return fmin(a, b);
    case L_MAX:
        return fmax(a, b);
    default:
        return pow(a, b);
    }
}

/* Arithmetic: element k of two values, or a value and the constant, or more values. */
static double arithmetic(const struct model *m, const struct layer *l, double **v, size_t k)
{
    struct shape value = {l->size[0], l->size[1], l->size[2]};
    double sum = v[l->in[0]][repeated(m->net.layer[l->in[0]].shape, k, l->shape)];
    if (l->nparam > 0) {
        double c = weight(m, l, 0)[repeated(value, k, l->shape)];
        return l->swap ? two(l->type, c, sum) : two(l->type, sum, c);
    }
    for (int j = 1; j < l->nin; j++) {
        double b = v[l->in[j]][repeated(m->net.layer[l->in[j]].shape, k, l->shape)];
        sum = l->swap ? two(l->type, b, sum) : two(l->type, sum, b);
    }
    return sum;
}

/* Element k of values one after another. */
static double concatenated(const struct model *m, const struct layer *l, double **v, size_t k)
{
    struct shape s = l->shape;
    int place[] = {(int)(k / (size_t)(s.w * s.c)), (int)(k / (size_t)s.c) % s.w,
                   (int)(k % (size_t)s.c)};
    for (int j = 0;; j++) {
        struct shape in = m->net.layer[l->in[j]].shape;
        const int extent[] = {in.h, in.w, in.c};
        if (place[l->axis] < extent[l->axis])
            return at(v[l->in[j]], in, place[0], place[1], place[2]);
        place[l->axis] -= extent[l->axis];
    }
}

/* Where place i of an axis comes from, or -1. */
static int border(int kind, int i, int extent)
{
    if (i >= 0 && i < extent)
        return i;
    if (kind == PAD_EDGE)
        return i < 0 ? 0 : extent - 1;
    if (kind == PAD_REFLECT)
        return i < 0 ? -i : 2 * extent - 2 - i;
    return kind == PAD_WRAP ? (i + extent) % extent : -1;
}

/* The input's element that becomes element k of an output whose axes are in another order. */
static size_t permuted(const struct layer *l, size_t k)
{
    size_t place[NET_MAX_VIEW] = {0}, from = 0;
    int dims = 0;
    while (dims < NET_MAX_VIEW && l->view[dims] > 0)
        dims++;
    for (int i = dims - 1; i >= 0; i--) {
        place[l->order[i]] = k % (size_t)l->view[l->order[i]];
        k /= (size_t)l->view[l->order[i]];
    }
    for (int i = 0; i < dims; i++)
        from = from * (size_t)l->view[i] + place[i];
    return from;
}

/* What a normalization makes of element k, by all elements that differ from it along l->axes, and in
   its group of channels. */
static double normalized(const struct model *m, const struct layer *l, const double *x, size_t k)
{
    struct shape s = l->shape;
    int y0 = (int)(k / (size_t)(s.w * s.c)), x0 = (int)(k / (size_t)s.c) % s.w;
    int c0 = (int)(k % (size_t)s.c), per = s.c / l->groups, count = 0;
    double exps = 0, square = 0, sum = 0, variance = 0;
    for (int again = 0; again < 2; again++) {
        for (size_t j = 0; j < shape_count(s); j++) {
            int y = (int)(j / (size_t)(s.w * s.c)), xx = (int)(j / (size_t)s.c) % s.w;
            int c = (int)(j % (size_t)s.c);
            if ((y != y0 && !(l->axes & AXIS_H)) || (xx != x0 && !(l->axes & AXIS_W)) ||
                (c != c0 && !(l->axes & AXIS_C)) || c / per != c0 / per)
                continue;
            if (again) {
                variance += (x[j] - sum / count) * (x[j] - sum / count) / count;
                continue;
            }
            exps += exp(x[j]);
            square += x[j] * x[j];
            sum += x[j];
            count++;
        }
    }
    double v = (x[k] - sum / count) / sqrt(variance + (double)l->rate);
    return l->type == L_SOFTMAX      ? exp(x[k]) / exps
           : l->type == L_LOGSOFTMAX ? log(exp(x[k]) / exps)
           : l->type == L_L2NORM     ? x[k] / sqrt(square)
           : l->nparam > 0           ? v * (double)weight(m, l, 0)[c0] + (double)weight(m, l, 1)[c0]
                                     : v;
}

static double reduced(const struct layer *l, struct shape in, const double *x, int y, int xx, int c)
{
    double sum = 0, l1 = 0, square = 0, product = 1, exps = 0, most = -1e300, least = 1e300;
    int count = 0;
    for (int h = 0; h < (l->axes & AXIS_H ? in.h : 1); h++) {
        for (int w = 0; w < (l->axes & AXIS_W ? in.w : 1); w++) {
            for (int k = 0; k < (l->axes & AXIS_C ? in.c : 1); k++, count++) {
                double v = at(x, in, y + h, xx + w, c + k);
                sum += v;
                l1 += fabs(v);
                square += v * v;
                product *= v;
                exps += exp(v);
                most = fmax(most, v);
                least = fmin(least, v);
            }
        }
    }
    const double all[] = {sum / count, sum,          most,   least,    product,
                          l1,          sqrt(square), square, log(sum), log(exps)};
    return all[l->kind];
}

static double divided(const struct layer *l, const double *x, size_t k)
{
    int c = (int)(k % (size_t)l->shape.c), first = c - (l->units - 1) / 2;
    double sum = 0;
    for (int i = first; i < first + l->units; i++) {
        if (i >= 0 && i < l->shape.c)
            sum += x[k + (size_t)i - (size_t)c] * x[k + (size_t)i - (size_t)c];
    }
    return x[k] / pow((double)l->k + (double)l->a / l->units * sum, (double)l->b);
}

/* Where an output's place lies in the input. */
static double place_of(const struct layer *l, int o, int in, int out, double scale)
{
    double size = scale == 0 ? out : scale * in;
    scale = scale == 0 ? (double)out / in : scale;
    return l->coords == COORDS_HALF         ? (o + 0.5) / scale - 0.5
           : l->coords == COORDS_ASYMMETRIC ? o / scale
           : out == 1                       ? 0
           : l->coords == COORDS_CORNERS    ? o * (in - 1.0) / (size - 1.0)
                                            : (o + 0.5) / scale - 0.5;
}

/* The weight of input place i for a place p between them. */
static double share(const struct layer *l, int i, double p)
{
    double d = fabs(i - p);
    if (l->kind == INTERPOLATE_LINEAR)
        return fmax(0, 1 - d);
    if (l->kind == INTERPOLATE_CUBIC)
        return d <= 1  ? 1.25 * d * d * d - 2.25 * d * d + 1
               : d < 2 ? -0.75 * d * d * d + 3.75 * d * d - 6 * d + 3
                       : 0;
    double at = l->rounding == ROUND_FLOOR         ? floor(p)
                : l->rounding == ROUND_CEIL        ? ceil(p)
                : l->rounding == ROUND_PREFER_CEIL ? floor(p + 0.5)
                                                   : ceil(p - 0.5);
    return i == (int)at;
}

/* Places beyond the edge are those at it. */
static double resized(const struct layer *l, struct shape in, const double *x, int oy, int ox,
                      int c)
{
    double py = place_of(l, oy, in.h, l->shape.h, (double)l->a), sum = 0;
    double px = place_of(l, ox, in.w, l->shape.w, (double)l->b);
    for (int y = -3; y < in.h + 3; y++) {
        for (int xx = -3; xx < in.w + 3; xx++) {
            int r = y < 0       ? 0
                    : y >= in.h ? in.h - 1
                                : y,
                w = xx < 0       ? 0
                    : xx >= in.w ? in.w - 1
                                 : xx;
            sum += share(l, y, py) * share(l, xx, px) * at(x, in, r, w, c);
        }
    }
    return sum;
}

static double product(const struct model *m, const struct layer *l, double **v, size_t k)
{
    struct shape a = m->net.layer[l->in[0]].shape, b = m->net.layer[l->in[1]].shape, s = l->shape;
    int h = (int)(k / (size_t)(s.w * s.c)), r = (int)(k / (size_t)s.c) % s.w;
    int c = (int)(k % (size_t)s.c), inner = l->ta ? a.w : a.c, ha = a.h > 1 ? h : 0;
    int hb = b.h > 1 ? h : 0;
    double sum = 0;
    for (int i = 0; i < inner; i++)
        sum += at(v[l->in[0]], a, ha, l->ta ? i : r, l->ta ? r : i) *
               at(v[l->in[1]], b, hb, l->tb ? c : i, l->tb ? i : c);
    return sum;
}

static void evaluate(const struct model *m, int i, double **v)
{
    const struct layer *l = &m->net.layer[i];
    struct shape in = m->net.layer[l->in[0]].shape, s = l->shape;
    size_t n = shape_count(s), ni = shape_count(in);
    const double *x = v[l->in[0]];
    double *y = v[i];
    switch (l->type) {
    case L_CONV:
    case L_DWCONV:
    case L_MAXPOOL:
    case L_AVGPOOL:
        for (size_t k = 0; k < n; k++)
            y[k] = window(m, l, in, x, (int)(k / (size_t)(s.w * s.c)), (int)(k / (size_t)s.c) % s.w,
                          (int)(k % (size_t)s.c));
        break;
    case L_TCONV:
        for (size_t k = 0; k < n; k++)
            y[k] = transposed(m, l, in, x, (int)(k / (size_t)(s.w * s.c)),
                              (int)(k / (size_t)s.c) % s.w, (int)(k % (size_t)s.c));
        break;
    case L_DENSE:
        for (size_t k = 0; k < n; k++) {
            y[k] = l->nparam > 1 ? weight(m, l, 1)[k] : 0;
            for (size_t j = 0; j < ni; j++)
                y[k] += x[j] * weight(m, l, 0)[j * n + k];
        }
        break;
    case L_CORAL:
        for (size_t k = 0; k < n; k++) {
            y[k] = weight(m, l, 1)[k];
            for (size_t j = 0; j < ni; j++)
                y[k] += x[j] * weight(m, l, 0)[j];
        }
        break;
    case L_GAP:
        for (size_t k = 0; k < n; k++)
            y[k] = 0;
        for (size_t k = 0; k < ni; k++)
            y[k % n] += x[k] * (double)n / (double)ni;
        break;
    case L_SOFTMAX:
    case L_LOGSOFTMAX:
    case L_L2NORM:
    case L_NORM:
        for (size_t k = 0; k < n; k++)
            y[k] = normalized(m, l, x, k);
        break;
    case L_REDUCE:
        for (size_t k = 0; k < n; k++)
            y[k] = reduced(l, in, x, (int)(k / (size_t)(s.w * s.c)), (int)(k / (size_t)s.c) % s.w,
                           (int)(k % (size_t)s.c));
        break;
    case L_LRN:
        for (size_t k = 0; k < n; k++)
            y[k] = divided(l, x, k);
        break;
    case L_RESIZE:
        for (size_t k = 0; k < n; k++)
            y[k] = resized(l, in, x, (int)(k / (size_t)(s.w * s.c)), (int)(k / (size_t)s.c) % s.w,
                           (int)(k % (size_t)s.c));
        break;
    case L_MATMUL:
        for (size_t k = 0; k < n; k++)
            y[k] = product(m, l, v, k);
        break;
    case L_ADD:
    case L_SUB:
    case L_MUL:
    case L_DIV:
    case L_MIN:
    case L_MAX:
    case L_POW:
        for (size_t k = 0; k < n; k++)
            y[k] = arithmetic(m, l, v, k);
        break;
    case L_CONCAT:
        for (size_t k = 0; k < n; k++)
            y[k] = concatenated(m, l, v, k);
        break;
    case L_PAD:
        for (size_t k = 0; k < n; k++) {
            int r = border(l->kind, (int)(k / (size_t)(s.w * s.c)) - l->pt, in.h);
            int w = border(l->kind, (int)(k / (size_t)s.c) % s.w - l->pl, in.w);
            int c = border(l->kind, (int)(k % (size_t)s.c) - l->cb, in.c);
            y[k] = r < 0 || w < 0 || c < 0 ? (double)l->a : at(x, in, r, w, c);
        }
        break;
    case L_SLICE:
        for (size_t k = 0; k < n; k++)
            y[k] = at(x, in, l->at[0] + (int)(k / (size_t)(s.w * s.c)) * l->step[0],
                      l->at[1] + (int)(k / (size_t)s.c) % s.w * l->step[1],
                      l->at[2] + (int)(k % (size_t)s.c) * l->step[2]);
        break;
    case L_PERMUTE:
        for (size_t k = 0; k < n; k++)
            y[k] = x[permuted(l, k)];
        break;
    default:
        for (size_t k = 0; k < n; k++)
            y[k] = scalar(m, l, x[k], (int)(k % (size_t)s.c));
    }
}

/* Runs a network both ways on n images of a plan made for `batch`, and compares the last layer and
   every layer named in `also`. */
static void check(const char *text, const char *prep, int n, int batch, const char *also)
{
    struct model m = {0};
    struct mien_err e = {{0}};
    struct rng r = {3};
    if (net_parse(&m.net, text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(mien_prep_parse(&m.prep, prep, strlen(prep), &e), 0);
    m.weights = net_weights_new(&m.net, &e);
    for (size_t i = 0; i < m.net.nweights; i++)
        m.weights[i] = (float)(0.4 * rng_normal(&r));
    for (int i = 0; i < m.net.n; i++) {
        const struct layer *l = &m.net.layer[i];
        for (size_t k = 0; l->type == L_BN && k < l->param[3].count; k++)
            m.weights[l->param[3].at + k] = (float)(0.5 + rng_uniform(&r));
    }
    struct model_input mi;
    assert_int_equal(model_input(&m, &mi, &e), 0);
    int out[2] = {m.net.n - 1, 0}, nout = 1;
    if (also != NULL)
        out[nout++] = net_find(&m.net, also);
    struct plan *p = plan_new(&m, out, nout, batch, PRECISION_FLOAT, &e);
    if (p == NULL)
        fail_msg("%s", e.msg);
    struct plan_work *w = plan_work_new(p, &e);
    size_t in = shape_count(m.net.layer[0].shape);
    unsigned char *pixels = malloc((size_t)n * in);
    float *floats = malloc((size_t)n * in * sizeof *floats), *res[2];
    const void *ptr[64];
    for (size_t i = 0; i < (size_t)n * in; i++) {
        pixels[i] = (unsigned char)rng_below(&r, 256);
        floats[i] = (float)rng_normal(&r);
    }
    for (int i = 0; i < n; i++)
        ptr[i] = mi.h > 0 ? (const void *)(pixels + (size_t)i * in)
                          : (const void *)(floats + (size_t)i * in);
    for (int k = 0; k < nout; k++)
        res[k] = malloc((size_t)batch * plan_out_count(p, k) * sizeof(float));
    plan_run(p, w, ptr, n, res);

    double **v = calloc((size_t)m.net.n, sizeof *v);
    for (int i = 0; i < m.net.n; i++)
        v[i] = malloc(shape_count(m.net.layer[i].shape) * sizeof **v);
    for (int img = 0; img < n; img++) {
        for (size_t k = 0; k < in; k++) {
            int c = (int)(k % 3), from = mi.bgr ? 2 - c : c;
            v[0][k] = mi.h > 0 ? (pixels[(size_t)img * in + k - (size_t)c + (size_t)from] -
                                  (double)mi.mean[c]) *
                                     (double)mi.scale
                               : (double)floats[(size_t)img * in + k];
        }
        for (int i = 1; i < m.net.n; i++)
            evaluate(&m, i, v);
        for (int k = 0; k < nout; k++) {
            size_t count = plan_out_count(p, k);
            double top = 1e-6;
            for (size_t j = 0; j < count; j++)
                top = fmax(top, fabs(v[out[k]][j]));
            for (size_t j = 0; j < count; j++) {
                double got = res[k][(size_t)img * count + j], want = v[out[k]][j];
                if (!(fabs(got - want) <= 1e-4 * top))
                    fail_msg("image %d, output %d, element %zu: %g, not %g, in\n%s", img, k, j, got,
                             want, text);
            }
        }
    }
    for (int i = 0; i < m.net.n; i++)
        free(v[i]);
    for (int k = 0; k < nout; k++)
        free(res[k]);
    free(v);
    free(pixels);
    free(floats);
    plan_work_free(w);
    plan_free(p);
    model_free(&m);
}

static void convolutions(void **state)
{
    (void)state;
    check("input 9x7x3\npre conv 4 1x1\na conv 5 3x3 pad=same\nb relu\n", "", 3, 8, NULL);
    check(
        "input 9x7x3\npre conv 4 1x1\na conv 6 3x2 stride=2x3 pad=same groups=2 bias=no\nb relu6\n",
        "", 3, 3, NULL);
    check("input 9x7x3\npre conv 4 1x1\na conv 33 1x1\nb bn\nc relu6\n", "", 9, 16, NULL);
    check("input 9x7x3\npre conv 4 1x1\na conv 5 1x1 stride=2\nb prelu\n", "", 1, 1, NULL);
    check("input 8x8x3\npre conv 4 1x1\na conv 8 4x4 stride=4 pad=1,0,2,1\n", "", 2, 2, NULL);
    check("input 1x1x3\npre conv 5 1x1\na conv 3 3x3 pad=same\n", "", 2, 2, NULL);
    /* Sums in several parts, of several taps and of less than one. */
    check("input 3x5x3\npre conv 70 1x1\na conv 35 3x3 pad=same\nb relu\n", "", 2, 2, NULL);
    check("input 3x5x3\npre conv 530 1x1\na conv 17 2x2 pad=same\nb prelu\n", "", 2, 2, NULL);
    check("input 4x4x3\npre conv 140 1x1\na dense 40\nb relu6\n", "", 13, 13, NULL);
    /* Winograd's filtering, with outputs and inputs beyond the borders. */
    check("input 8x7x3\npre conv 40 1x1\na conv 33 3x3\nb prelu\n", "", 13, 13, NULL);
    check("input 6x4x3\npre conv 33 1x1\na conv 40 3x3 pad=2,0,1,2\nb relu6\n", "", 2, 2, NULL);
    /* Many outputs, few inputs side by side, images narrower than the filter. */
    check("input 15x13x3\na conv 40 7x7 stride=2 pad=3\nb relu\n", "", 3, 3, NULL);
    check("input 21x2x3\na conv 33 5x5 pad=same\nb prelu\n", "", 3, 3, NULL);
    check("input 40x20x3\npre conv 1 1x1\na conv 2 40x20 pad=same\n", "", 1, 1, NULL);
}

static void depthwise(void **state)
{
    (void)state;
    const char *act[] = {"relu", "relu6", "prelu", "sigmoid"};
    for (int c = 1; c < 50; c += 7) {
        for (int k = 0; k < 4; k++) {
            char text[200];
            snprintf(text, sizeof text,
                     "input 6x5x3\npre conv %d 1x1\na dwconv 3x3 stride=%d pad=same\nb bn\nc %s\n",
                     c, 1 + k % 2, act[k]);
            check(text, "", 2, 2, NULL);
        }
    }
    /* Wider than a strip, lower than one, of many channels; padded unevenly. */
    check("input 9x70x3\npre conv 20 1x1\na dwconv 3x3 pad=2,0,1,2\nb relu\n", "", 1, 1, NULL);
    check("input 5x66x3\npre conv 24 1x1\na dwconv 3x3 pad=same\nb relu6\n", "", 2, 2, NULL);
    check("input 6x40x3\npre conv 130 1x1\na dwconv 3x3 pad=same\nb relu\n", "", 1, 1, NULL);
    check("input 3x40x3\npre conv 24 1x1\na dwconv 3x3 pad=same\nb prelu\n", "", 1, 1, NULL);
    check("input 1x1x3\npre conv 20 1x1\na dwconv 3x3 pad=same\n", "", 1, 1, NULL);
    check("input 2x3x3\npre conv 20 1x1\na dwconv 3x3 stride=2 pad=same\nb relu\n", "", 1, 1, NULL);
    check("input 7x6x3\npre conv 18 1x1\na dwconv 5x4 stride=2 pad=valid\nb relu\n", "", 1, 1,
          NULL);
}

static void others(void **state)
{
    (void)state;
    check("input 7x6x3\npre conv 5 1x1\na maxpool 3x3 stride=2 pad=same\nb avgpool 2x2 pad=same\nc "
          "gap\n",
          "", 2, 2, "a");
    check("input 5x4x3\na pad 1,2,3,0 channels=2,1\nb conv 4 3x3\nc l2norm\n", "size=5x4", 2, 2,
          NULL);
    check("input 4x4x3\npre conv 6 1x1\na relu\nb coral 9\nc sigmoid\n", "", 5, 8, "b");
    check("input 4x4x3\npre conv 6 1x1\na bn\nb relu\nc dropout 0.5\nd flatten\ne dense 7\nf "
          "softmax\n",
          "", 5, 8, "b");
    check("input 4x4x3\npre conv 6 1x1\na conv 6 3x3 pad=same\nb add from=a,pre\nc relu\nd concat "
          "from=c,a,pre\n"
          "e conv 3 1x1\nf add from=e,e\n",
          "", 2, 4, "a");
    /* An output that a later layer reads must not be changed by it, or fused into it. */
    check("input 4x4x3\npre conv 6 1x1\na conv 6 1x1\nb relu\nc dense 3\nd sigmoid\n", "", 2, 4,
          "a");
}

static void pixels(void **state)
{
    (void)state;
    check("input 8x6x3\na conv 5 3x3\n", "size=8x6 color=bgr mean=103.939,116.779,123.68 scale=0.5",
          3, 4, "input");
    check("input 8x6x3\na conv 5 3x3\n", "size=8x6", 3, 4, "input");
}

/* Activations shrink, so groups change along the way and values cross from one to the other. */
static void groups(void **state)
{
    (void)state;
    check("input 64x64x3\nc1 conv 16 3x3 stride=2 pad=same\nr1 relu6\nd1 dwconv 3x3 pad=same\nr2 "
          "relu6\n"
          "p1 conv 24 1x1\nb1 bn\nr3 relu6\nd2 dwconv 3x3 stride=2 pad=same\nr4 relu6\np2 conv 32 "
          "1x1\n"
          "k conv 32 1x1 stride=2 from=r3\nj add from=p2,k\nr5 relu\np3 maxpool 4x4 stride=4\n"
          "c4 conv 40 1x1\nr6 relu\ng gap\nh dense 9\ns softmax\n",
          "size=64x64", 11, 32, "r5");
}

/* Runs a model's layer `name` on n images. */
static void run(const struct model *m, const char *name, const unsigned char *pixels, int n,
                float *y)
{
    struct mien_err e;
    int out = net_find(&m->net, name);
    assert_true(out >= 0);
    struct plan *p = plan_new(m, &out, 1, n, PRECISION_FLOAT, &e);
    struct plan_work *w = plan_work_new(p, &e);
    const void *ptr[64];
    for (int i = 0; i < n; i++)
        ptr[i] = pixels + (size_t)i * shape_count(m->net.layer[0].shape);
    plan_run(p, w, ptr, n, &y);
    plan_work_free(w);
    plan_free(p);
}

/* In little memory a batch is run in parts, with the same results to the bit; a limit that one image
   needs more than is refused. */
static void bounded(void **state)
{
    (void)state;
    static const char text[] = "input 9x9x3\na conv 70 3x3 pad=same\nb relu\nc conv 20 1x1\n"
                               "d add from=c,c\ne gap\nf dense 5\n";
    enum { N = 37 };
    struct model m = {0};
    struct mien_err e;
    struct rng r = {5};
    assert_int_equal(net_parse(&m.net, text, sizeof text - 1, &e), 0);
    assert_int_equal(mien_prep_parse(&m.prep, "size=9x9", 8, &e), 0);
    m.weights = net_weights_new(&m.net, &e);
    net_init(&m.net, m.weights, 1);
    unsigned char pixels[N][9 * 9 * 3];
    const void *in[N];
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < sizeof pixels[i]; k++)
            pixels[i][k] = (unsigned char)rng_below(&r, 256);
        in[i] = pixels[i];
    }
    float y[2][N][5], d[2][N][9 * 9 * 20];
    const int out[] = {net_find(&m.net, "f"), net_find(&m.net, "d")};
    size_t all = 0, one = 0;
    for (int little = 0; little < 2; little++) {
        struct plan *p = plan_new(&m, out, 2, N, PRECISION_FLOAT, &e);
        if (little == 0)
            all = plan_work_bytes(p);
        assert_int_equal(plan_bound(p, little ? sizeof y[0] + sizeof d[0] + all / 4 : all * 2, &e),
                         0);
        one = plan_work_bytes(p);
        struct plan_work *w = plan_work_new(p, &e);
        plan_run(p, w, in, N, (float *[]){y[little][0], d[little][0]});
        plan_work_free(w);
        plan_free(p);
    }
    assert_true(one <= all / 4);
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    assert_memory_equal(d[0], d[1], sizeof d[0]);
    struct plan *p = plan_new(&m, out, 2, 1, PRECISION_FLOAT, &e);
    assert_int_equal(plan_bound(p, plan_work_bytes(p), &e), MIEN_ERR_LIMIT);
    assert_non_null(strstr(e.msg, "KiB of memory, more than the limit of"));
    plan_free(p);
    model_free(&m);
}

/* A folded model against the same one, folded bn by bn while it is compiled, which the checks above
   hold against the definition. */
/* A sum is a part of the step that makes its last term, unless something else reads that. */
static void sums(void **state)
{
    (void)state;
    static const int units[] = {1, 5, 8, 16, 17, 24, 40, 48, 300};
    char text[400];
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        snprintf(text, sizeof text,
                 "input 5x7x3\npre conv %1$d 1x1\na conv %1$d 1x1\nan bn\n"
                 "b add from=pre,an\nc relu\nd conv %1$d 5x5 pad=same bias=no\ne add from=d,pre\nf "
                 "prelu\n"
                 "g conv 2 1x1\n",
                 units[i]);
        check(text, "scale=0.01", 3, 4, NULL);
        check(text, "scale=0.01", 3, 4, "b");
        check(text, "scale=0.01", 3, 4, "an");
        check(text, "scale=0.01", 3, 4, "d");
    }
    /* Both terms convolutions, in either order; the same twice; three terms; one that comes
       later. */
    check("input 4x4x3\na conv 6 1x1\nb conv 6 1x1 from=input\nc add from=b,a\n", "", 2, 4, NULL);
    check("input 4x4x3\na conv 6 1x1\nb conv 6 1x1\nc add from=b,b\nd relu\n", "", 2, 4, NULL);
    check("input 4x4x3\na conv 6 1x1\nb conv 6 1x1\nc add from=a,b,a\nd relu\n", "", 2, 4, NULL);
    check("input 4x4x3\na conv 6 1x1\nb conv 6 1x1\nc relu from=a\nd add from=b,c\n", "", 2, 4,
          NULL);
    check("input 1x1x30\na dense 9\nb dense 9\nc add from=a,b\nd relu6\n", "", 5, 8, NULL);
}

/* Functions of one number, of numbers for which they are there: alone, and applied to what the
   layers before have made, one after another. */
static void functions(void **state)
{
    (void)state;
    static const char *const any[] = {
        "sigmoid",
        "tanh",
        "hswish",
        "swish",
        "gelu",
        "softplus",
        "softsign",
        "mish",
        "exp",
        "abs",
        "neg",
        "erf",
        "floor",
        "ceil",
        "round",
        "sin",
        "cos",
        "atan",
        "sinh",
        "cosh",
        "asinh",
        "sign",
        "leaky",
        "leaky alpha=0.3",
        "elu",
        "elu alpha=2",
        "selu",
        "celu",
        "celu alpha=0.6",
        "clip -1.5,2.5",
        "hsigmoid",
        "hsigmoid alpha=0.3 beta=0.4",
        "threshold alpha=0.5",
        "shrink alpha=0.5 beta=0.1",
    };
    static const char *const part[][2] = {
        {"0.1,4", "log"},     {"0.1,4", "sqrt"},    {"0.2,4", "reciprocal"}, {"-1.2,1.2", "tan"},
        {"-0.9,0.9", "asin"}, {"-0.9,0.9", "acos"}, {"1.1,4", "acosh"},      {"-0.9,0.9", "atanh"},
    };
    char text[300];
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        snprintf(text, sizeof text, "input 7x5x3\na conv 3 1x1\nb %s\n", any[i]);
        check(text, "scale=0.02", 3, 4, NULL);
        check(text, "scale=0.02", 3, 4, "a");
        snprintf(text, sizeof text,
                 "input 7x5x3\na conv 24 3x3\nan bn\nb %s\nc maxpool 2x2\nd %s\n"
                 "e leaky\nf hswish\n",
                 any[i], any[i]);
        if (strcmp(any[i], "exp") != 0 && strstr(any[i], "nh") == NULL &&
            strcmp(any[i], "cosh") != 0)
            check(text, "scale=0.01", 3, 4, NULL);
    }
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        snprintf(text, sizeof text, "input 7x5x3\na clip %s\nb %s\n", part[i][0], part[i][1]);
        check(text, "scale=0.02 mean=0,0,0", 3, 4, NULL);
    }
}

/* Of values of one shape, gates, numbers, constants of every shape on either side; what scales and
   shifts channels behind a convolution is folded. */
static void arithmetic_of_two(void **state)
{
    (void)state;
    static const char *const op[] = {"add", "sub", "mul", "div", "min", "max", "pow"};
    static const char *const value[] = {"1x1x1", "1x1x6", "1x4x1", "5x1x1", "5x4x6", "5x1x6"};
    char text[400];
    for (size_t i = 0; i < sizeof op / sizeof op[0]; i++) {
        bool swaps = i > 0; /* what add has no word for */
        snprintf(
            text, sizeof text,
            "input 5x4x3\na conv 6 1x1\nap clip 0.3,2\nb conv 6 3x3 pad=same\nbp clip 0.3,2\n"
            "g gap\nr conv 1 1x1 from=a\nrp clip 0.3,2\nw avgpool 5x1 from=ap\n"
            "u %1$s from=ap,bp\nv %1$s from=g,u%2$s\nx %1$s from=v,rp\ny %1$s from=x,w\nz relu\n",
            op[i], swaps ? " swap=yes" : "");
        check(text, "scale=0.02", 3, 4, NULL);
        for (size_t k = 0; k < sizeof value / sizeof value[0]; k++) {
            for (int swap = 0; swap <= swaps; swap++) {
                snprintf(
                    text, sizeof text,
                    "input 5x4x3\na conv 6 1x1\nap clip 0.3,2\nb %1$s value=%2$s%3$s\nc relu\n",
                    op[i], value[k], swap ? " swap=yes" : "");
                if (strcmp(op[i], "pow") != 0 || swap == 0)
                    check(text, "scale=0.02", 3, 4, NULL);
                snprintf(text, sizeof text,
                         "input 5x4x3\na conv 6 1x1\nb %1$s value=%2$s%3$s\nbn bn\nc relu\n", op[i],
                         value[k], swap ? " swap=yes" : "");
                if (strcmp(op[i], "pow") != 0 && !(strcmp(op[i], "div") == 0 && swap))
                    check(text, "scale=0.02", 3, 4, NULL);
            }
        }
    }
    check("input 1x1x6\na dense 5\nb mul from=a,a\nc add value=1x1x5\nd add from=b,c,a\n", "", 2, 4,
          NULL);
    check("input 1x1x1\nb add value=4x3x2\n", "", 2, 4, NULL);
    /* A sum that is wider than the convolution. */
    check("input 3x4x3\ng gap\na conv 5 1x1 from=g\nb conv 5 1x1 from=input\nc add from=a,b\n"
          "d conv 5 1x1 from=g\ne add from=c,d\n",
          "", 2, 4, NULL);
}

/* Kernels whose taps lie apart, on every way that one is computed. */
static void dilations(void **state)
{
    (void)state;
    check("input 13x11x3\na conv 20 3x3 dilation=2 pad=same\n", "scale=0.02", 3, 4, NULL);
    check("input 13x11x3\na conv 5 3x2 dilation=3x2 stride=2 pad=2,1,0,2\nb relu\n", "scale=0.02",
          3, 4, NULL);
    check("input 13x11x3\na conv 40 1x1\nb conv 48 3x3 dilation=2 pad=2 groups=4\n", "scale=0.02",
          3, 4, NULL);
    check("input 13x11x3\na conv 64 1x1\nb conv 64 3x3 dilation=2 pad=2\n", "scale=0.02", 3, 4,
          NULL);
    check("input 13x11x3\na conv 40 1x1\nb dwconv 3x3 dilation=2 pad=same\n", "scale=0.02", 3, 4,
          NULL);
    check("input 13x11x3\na conv 7 1x1\nb dwconv 3x2 dilation=2x3 stride=2 pad=1\n", "scale=0.02",
          3, 4, NULL);
}

static void transposed_convolutions(void **state)
{
    (void)state;
    check("input 5x4x3\na tconv 6 3x3\nb relu6\n", "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na tconv 6 2x2 stride=2 bias=no\nb bn\n", "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na tconv 5 4x3 stride=2x3 pad=1,0,2,1 outpad=1,2\nb prelu\n", "scale=0.02",
          3, 4, NULL);
    check("input 5x4x3\na conv 4 1x1\nb tconv 6 3x3 stride=2 pad=same groups=2 dilation=2\n",
          "scale=0.02", 3, 4, NULL);
    check("input 1x1x3\na tconv 300 4x4\nb swish\n", "scale=0.02", 3, 4, NULL);
}

static void movements(void **state)
{
    (void)state;
    check("input 5x4x3\na conv 6 1x1\nb reshape 2x12x5\nc relu\nd conv 3 1x1\n", "scale=0.02", 3, 4,
          NULL);
    check("input 5x4x3\na conv 6 1x1\nb permute 1x1x120 view=5x4x6 order=2,0,1\n", "scale=0.02", 3,
          4, NULL);
    check("input 5x4x3\na conv 6 1x1\nb permute 5x4x6 view=20x2x3 order=0,2,1\nc relu\n",
          "scale=0.02", 3, 4, NULL); /* a channel shuffle */
    check("input 4x4x3\na conv 8 1x1\nb permute 8x8x2 view=4x4x2x2x2 order=0,2,1,3,4\n",
          "scale=0.02", 3, 4, NULL); /* depth to space */
    check("input 5x4x3\nb permute 3x1x20 view=60 order=0\n", "scale=0.02", 3, 4, NULL);
    check("input 2x2x3\nb permute 3x2x2 view=2x1x2x1x1x3 order=5,4,3,2,1,0\n", "scale=0.02", 3, 4,
          NULL);
    check("input 7x6x3\na conv 5 1x1\nb slice 3x2x5 at=1,2,0 step=2,3,1\n", "scale=0.02", 3, 4,
          NULL);
    check("input 7x6x3\na slice 7x3x3 at=6,5,2 step=-1,-2,-1\n", "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na conv 6 1x1\nb slice 2x4x6 at=3,0,0\nc concat from=b,a,b axis=h\nd relu\n",
          "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na conv 6 1x1\nb slice 5x1x6\nc concat from=b,a axis=w\n", "scale=0.02", 3,
          4, NULL);
    static const char *const mode[] = {"value", "edge", "reflect", "wrap"};
    char text[200];
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text,
                 "input 5x4x3\na conv 6 1x1\nb pad 3,1,0,2 channels=2,4 mode=%s\n", mode[i]);
        check(text, "scale=0.02", 3, 4, NULL);
    }
    check("input 5x4x3\nb pad 3,1,0,2 value=-2.5\n", "scale=0.02", 3, 4, NULL);
}

static void windows(void **state)
{
    (void)state;
    check("input 8x7x3\na maxpool 3x2 stride=3x2 ceil=yes\n", "scale=0.02", 3, 4, NULL);
    check("input 8x7x3\na avgpool 3x3 stride=3 pad=1 ceil=yes\n", "scale=0.02", 3, 4, NULL);
    check("input 8x7x3\na avgpool 3x3 stride=2 pad=1,2,0,1 ceil=yes count=yes\n", "scale=0.02", 3,
          4, NULL);
    check("input 8x7x3\na avgpool 2x3 pad=same count=yes\n", "scale=0.02", 3, 4, NULL);
    check("input 8x7x3\na maxpool 3x2 dilation=2x3 stride=2 pad=3,1,1,2\n", "scale=0.02", 3, 4,
          NULL);
}

static void normalizations(void **state)
{
    (void)state;
    static const char *const axes[] = {"h", "w", "c", "hw", "hc", "wc", "hwc"};
    static const char *const kind[] = {"mean", "sum", "max",   "min",    "prod",
                                       "l1",   "l2",  "sumsq", "logsum", "logsumexp"};
    char text[300];
    for (size_t i = 0; i < sizeof axes / sizeof axes[0]; i++) {
        snprintf(text, sizeof text,
                 "input 5x4x3\na conv 6 1x1\nb norm %1$s\nc softmax axes=%1$s\n"
                 "d logsoftmax axes=%1$s\ne norm %1$s eps=0.1 affine=no\nf l2norm axes=%1$s\n",
                 axes[i]);
        check(text, "scale=0.02", 3, 4, NULL);
        for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++) {
            snprintf(text, sizeof text,
                     "input 5x4x3\na conv 6 1x1\nap softplus\nb reduce %s %s\nc relu\n", kind[k],
                     axes[i]);
            check(text, "scale=0.02", 3, 4, NULL);
        }
    }
    check("input 5x4x3\na conv 6 1x1\nb norm hwc groups=3\nc norm wc groups=2\n", "scale=0.02", 3,
          4, NULL);
    check("input 5x4x3\na conv 9 1x1\nb lrn 3\n", "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na conv 9 1x1\nb lrn 4 alpha=0.5 beta=0.6 k=2\n", "scale=0.02", 3, 4, NULL);
}

/* To a few units in the last place, of small numbers too. */
static void tanh_of_all_sizes(void **state)
{
    (void)state;
    for (double x = 1e-30; x < 20; x *= 1.01) {
        for (int sign = -1; sign <= 1; sign += 2) {
            double want = tanh((double)(float)(sign * x));
            double got = (double)real_tanh((float)(sign * x));
            if (!(fabs(got - want) <= 3e-7 * fabs(want)))
                fail_msg("tanh %g is %.9g, not %.9g", sign * x, got, want);
        }
    }
}

static void resizes(void **state)
{
    (void)state;
    static const char *const mode[] = {"nearest", "linear", "cubic"};
    static const char *const coords[] = {"half", "asymmetric", "corners", "pytorch"};
    static const char *const rounding[] = {"prefer-floor", "prefer-ceil", "floor", "ceil"};
    char text[200];
    for (int i = 0; i < 3 * 4 * 4; i++) {
        snprintf(text, sizeof text, "input 5x4x3\na resize 9x7 mode=%s coords=%s round=%s\n",
                 mode[i % 3], coords[i / 3 % 4], rounding[i / 12]);
        check(text, "scale=0.02", 3, 4, NULL);
        snprintf(text, sizeof text,
                 "input 5x4x3\na resize 3x1 mode=%s coords=%s round=%s scale=0.7,0.4\n",
                 mode[i % 3], coords[i / 3 % 4], rounding[i / 12]);
        check(text, "scale=0.02", 3, 4, NULL);
    }
}

static void matrix_products(void **state)
{
    (void)state;
    check("input 5x4x3\na conv 6 1x1\nb conv 6 1x1 from=input\nc matmul from=a,b tb=yes\n",
          "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na conv 6 1x1\nb conv 2 1x1 from=input\nc matmul from=a,b ta=yes\n",
          "scale=0.02", 3, 4, NULL);
    check("input 5x4x3\na conv 4 1x1\nb slice 1x4x3 from=input\nc matmul from=a,b\n", "scale=0.02",
          3, 4, NULL);
    check("input 5x4x3\na conv 4 1x1\nb slice 1x4x3 from=input\nc matmul from=b,a ta=yes tb=yes\n",
          "scale=0.02", 3, 4, NULL);
}

static void folding(void **state)
{
    (void)state;
    static const char text[] =
        "input 6x5x3\na conv 8 3x3 pad=same bias=no\nan bn\nar relu\n"
        "b dwconv 3x3 pad=same\nbn bn eps=0.1\nbs prelu\n"
        "c conv 8 1x1\ncn bn\nd add from=cn,ar\ndn bn\n"
        "e conv 5 1x1\nen bn\nf concat from=e,en\ng dense 4\ngn bn\ngs softmax\n";
    static const char want[] = "input 6x5x3\na conv 8 3x3 pad=same\nar relu\n"
                               "b dwconv 3x3 pad=same\nbs prelu\n"
                               "c conv 8 1x1\nd add from=c,ar\ndn bn\n"
                               "e conv 5 1x1\nen bn\nf concat from=e,en\ng dense 4\ngs softmax\n";
    enum { N = 7 };
    struct model m = {0}, f = {0};
    struct mien_err e;
    struct rng r = {9};
    struct mien_buf got = {0};
    char embed[NET_NAME];
    unsigned char pixels[N * 6 * 5 * 3];
    float y[2][N * 4];
    assert_int_equal(net_parse(&m.net, text, strlen(text), &e), 0);
    assert_int_equal(mien_prep_parse(&m.prep, "scale=0.01 embed=an", 19, &e), 0);
    m.weights = net_weights_new(&m.net, &e);
    for (size_t i = 0; i < m.net.nweights; i++)
        m.weights[i] = (float)(0.4 * rng_normal(&r));
    for (int i = 0; i < m.net.n; i++) {
        const struct layer *l = &m.net.layer[i];
        for (size_t k = 0; l->type == L_BN && k < l->param[3].count; k++)
            m.weights[l->param[3].at + k] = (float)(0.5 + rng_uniform(&r));
    }
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)rng_below(&r, 256);
    assert_int_equal(model_fold(&f, &m, &e), 0);
    assert_int_equal(net_print(&f.net, &got), 0);
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.data, want, got.len);
    assert_string_equal(mien_prep_get(&f.prep, "embed", embed, sizeof embed), "a");
    run(&m, "gs", pixels, N, y[0]);
    run(&f, "gs", pixels, N, y[1]);
    for (int i = 0; i < N * 4; i++)
        assert_true(fabsf(y[0][i] - y[1][i]) < 1e-6f);
    model_free(&f);
    /* Where features come from before the bn, that stays. */
    assert_int_equal(mien_prep_set(&m.prep, "embed", "%s", "a"), 0);
    assert_int_equal(model_fold(&f, &m, &e), 0);
    assert_true(net_find(&f.net, "an") == 2 && !f.net.layer[1].bias);
    model_free(&f);
    model_free(&m);
    mien_buf_free(&got);
}

/* What an image gives must not depend on those beside it, nor on the batch's size: to the bit. */
static void company(void **state)
{
    (void)state;
    const char *text = "input 13x11x3\nc1 conv 20 3x3 stride=2 pad=same\nr1 relu6\n"
                       "d1 dwconv 3x3 pad=same\nr2 relu\np1 conv 70 1x1\nr3 prelu\n"
                       "c2 conv 45 3x3 pad=same\nh dense 33\ns softmax\n";
    enum { N = 9, IN = 13 * 11 * 3, OUT = 33 };
    struct model m = {0};
    struct mien_err e;
    struct rng r = {5};
    static float in[N][IN], alone[N][OUT], together[N][OUT], floats[N][OUT];
    const void *ptr[N];
    if (net_parse(&m.net, text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    m.weights = net_weights_new(&m.net, &e);
    net_init(&m.net, m.weights, 1);
    for (int i = 0; i < N; i++) {
        ptr[i] = in[i];
        for (int k = 0; k < IN; k++)
            in[i][k] = (float)rng_normal(&r);
    }
    int out = m.net.n - 1;
    for (enum precision precision = PRECISION_FLOAT; precision <= PRECISION_BF16; precision++) {
        for (int batch = 1; batch <= N; batch += N - 1) {
            struct plan *p = plan_new(&m, &out, 1, batch, precision, &e);
            if (p == NULL) { /* a processor without bfloat16 */
                assert_int_equal(precision, PRECISION_BF16);
                continue;
            }
            struct plan_work *w = plan_work_new(p, &e);
            for (int i = 0; i < N; i += batch) {
                float *to = batch == 1 ? alone[i] : together[i];
                plan_run(p, w, ptr + i, batch, &to);
            }
            plan_work_free(w);
            plan_free(p);
        }
        assert_memory_equal(alone, together, sizeof alone);
        if (precision == PRECISION_FLOAT)
            memcpy(floats, alone, sizeof floats);
        double differ = 0; /* of probabilities */
        for (size_t i = 0; i < N * OUT; i++)
            differ = fmax(differ,
                          fabs((double)alone[i / OUT][i % OUT] - (double)floats[i / OUT][i % OUT]));
        assert_true(precision == PRECISION_FLOAT || (differ > 0 && differ < 0.02));
    }
    model_free(&m);
}

/* The same network again with each kind of instructions. */
static void variants(void **state)
{
    const char *name[] = {"amx", "avx512", "avx2", "portable"};
    for (int i = 0; i < 4; i++) {
        setenv("MIEN_SIMD", name[i], 1);
        struct mien_err e;
        struct model m = {0};
        int out = 0;
        const char *text = "input 4x4x3\npool gap\n";
        if (net_parse(&m.net, text, strlen(text), &e) < 0)
            fail_msg("%s", e.msg);
        struct plan *p = plan_new(&m, &out, 1, 1, PRECISION_FLOAT, &e);
        if (p != NULL) {
            assert_string_equal(plan_simd(p), name[i]);
            convolutions(state);
            depthwise(state);
        } else {
            print_message("%s\n", e.msg);
            assert_true(i < 3); /* the portable variant runs everywhere */
        }
        plan_free(p);
        model_free(&m);
    }
    unsetenv("MIEN_SIMD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(depthwise),
        cmocka_unit_test(others),
        cmocka_unit_test(bounded),
        cmocka_unit_test(sums),
        cmocka_unit_test(pixels),
        cmocka_unit_test(groups),
        cmocka_unit_test(company),
        cmocka_unit_test(folding),
        cmocka_unit_test(normalizations),
        cmocka_unit_test(tanh_of_all_sizes),
        cmocka_unit_test(resizes),
        cmocka_unit_test(matrix_products),
        cmocka_unit_test(movements),
        cmocka_unit_test(windows),
        cmocka_unit_test(dilations),
        cmocka_unit_test(transposed_convolutions),
        cmocka_unit_test(functions),
        cmocka_unit_test(arithmetic_of_two),
        cmocka_unit_test(variants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
