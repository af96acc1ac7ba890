/* Normalization. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "layers/axes.h"
#include "op.h"

/* --- bn ------------------------------------------------------------------------------------- */

/* What is kept, (7, c): mean, 1 / deviation; scale and shift; and for the backward pass the three that
   bn_grad takes. */
static real *bn_stat(const struct trainer *t, int i)
{
    return t->state[i].kept;
}

/* Of bfloat16s simd.h has the loops, which take this; there the relu behind the layer has nothing left
   to do backward. */
static struct bn bn_of(const struct trainer *t, int i)
{
    const struct layer *l = &t->net->layer[i];
    const size_t c = (size_t)l->shape.c;
    const real *stat = bn_stat(t, i);
    const enum act act = train_tail(&t->memory, i);
    return (struct bn){.nc = c,
                       .mean = stat,
                       .inv = stat + c,
                       .scale = stat + 2 * c,
                       .shift = stat + 3 * c,
                       .least = act == ACT_NONE ? -(real)INFINITY : 0,
                       .most = act == ACT_RELU6 ? 6 : (real)INFINITY,
                       .by = stat + 4 * c};
}

/* Loops over `rows` values a channel. Sums are over parts of a batch, which are summed in between:
   bn_sums adds those of x - shift and of (x - shift)^2 to sum[0..c) and sum[c..2c); bn_grad_sums
   those of dy and of dy * xhat, where xhat = (x - mean) * inv. bn_grad: dx = dy * by[0..c) -
   by[c..2c) - (x - mean) * by[2c..3c). */
SIMD static void bn_sums(const real *restrict x, size_t rows, int c, const real *restrict shift,
                         real *restrict sum)
{
    real *restrict square = sum + c;
    for (size_t r = 0; r < rows; r++, x += c) {
        for (int i = 0; i < c; i++) {
            real d = x[i] - shift[i];
            sum[i] += d;
            square[i] += d * d;
        }
    }
}

SIMD static void bn_grad_sums(const real *restrict x, const real *restrict dy, size_t rows, int c,
                              const real *restrict mean, const real *restrict inv,
                              real *restrict sum)
{
    real *restrict dot = sum + c;
    for (size_t r = 0; r < rows; r++, x += c, dy += c) {
        for (int i = 0; i < c; i++) {
            real d = dy[i];
            sum[i] += d;
            dot[i] += d * (x[i] - mean[i]) * inv[i];
        }
    }
}

SIMD static void bn_grad(const real *restrict x, const real *restrict dy, real *restrict dx,
                         size_t rows, int c, const real *restrict mean, const real *restrict by)
{
    const real *restrict sum = by + c, *restrict dot = sum + c;
    for (size_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        for (int i = 0; i < c; i++)
            dx[i] = dy[i] * by[i] - sum[i] - (x[i] - mean[i]) * dot[i];
    }
}

static void bn_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    struct images v = pass_images(t, t->cur, first, n, worker);
    real *sum = t->part + k * t->part_len;
    const struct bn bn = bn_of(t, t->cur);
    if (v.xs.h != NULL)
        t->kernels.simd->rows.bn_sums(&bn, v.xs.h, v.rows, sum);
    else
        bn_sums(v.x, v.rows, v.l->shape.c, bn_stat(t, t->cur), sum);
}

/* Makes the running statistics those of this pass. */
static void running_statistics(const struct layer *l, const real *mean, const real *var, real *stat)
{
    int c = l->shape.c;
    memcpy(stat, mean, (size_t)c * sizeof *stat);
    for (int i = 0; i < c; i++)
        stat[c + i] = 1 / (real)sqrt((double)var[i] + (double)l->rate);
}

/* Makes those of the batch these, and moves the running ones towards them. stat has the running
   ones. */
static void batch_statistics(struct trainer *t, const struct layer *l, real *mean, real *var,
                             real *stat)
{
    int c = l->shape.c;
    /* Sums of differences from the running mean lose less to rounding than plain ones. */
    const real *sum = pass_sum_batch(t, bn_sums_part, 2 * (size_t)c);
    double rows = (double)l->shape.h * l->shape.w * t->n;
    for (int i = 0; i < c; i++) {
        double d = sum[i] / rows, v = sum[c + i] / rows - d * d;
        if (v < 0)
            v = 0;
        stat[i] = (real)(mean[i] + d);
        stat[c + i] = (real)(1 / sqrt(v + (double)l->rate));
        double unbiased = rows > 1 ? v * rows / (rows - 1) : v;
        mean[i] = (real)(0.9 * mean[i] + 0.1 * stat[i]);
        var[i] = (real)(0.9 * var[i] + 0.1 * unbiased);
    }
}

/* The statistics for this pass, and the scale and shift that follow. */
static void bn_before(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    int c = l->shape.c;
    const real *gamma = pass_param(t, l, 0), *beta = pass_param(t, l, 1);
    real *mean = pass_param(t, l, 2), *var = pass_param(t, l, 3), *stat = bn_stat(t, t->cur);
    assert(gamma != NULL && beta != NULL && mean != NULL && var != NULL);
    running_statistics(l, mean, var, stat);
    if (t->training && t->memory.use[t->cur].train)
        batch_statistics(t, l, mean, var, stat);
    for (int i = 0; i < c; i++) {
        stat[2 * c + i] = gamma[i] * stat[c + i];
        stat[3 * c + i] = beta[i] - stat[i] * stat[2 * c + i];
    }
}

/* Some rows at once, which the activation finds in the cache. */
static void bn_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {NULL, train_tail(&t->memory, v->i), NULL};
    const real *stat = bn_stat(t, v->i);
    size_t c = (size_t)v->l->shape.c, most = c < 4096 ? 4096 / c : 1, n;
    const real *x = v->x;
    real *y = v->y;
    if (v->xs.h != NULL) {
        const struct bn bn = bn_of(t, v->i);
        t->kernels.simd->rows.bn_scale(&bn, v->xs.h, v->ys.h, v->rows);
        return;
    }
    for (size_t rows = v->rows; rows > 0; rows -= n, x += n * c, y += n * c) {
        n = rows < most ? rows : most;
        k_scale(y, x, n, (int)c, stat + 2 * c, stat + 3 * c);
        k_tail(y, n, (int)c, &tail);
    }
}

static void bn_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    int c = v->l->shape.c;
    const real *stat = bn_stat(t, v->i);
    const struct bn bn = bn_of(t, v->i);
    if (v->xs.h != NULL)
        t->kernels.simd->rows.bn_grad(&bn, v->xs.h, g->dys.h, g->dxs.h, v->rows);
    else
        bn_grad(v->x, g->dy, g->dx, v->rows, c, stat, bn.by);
}

static void bn_grad_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    const struct images v = pass_images(t, t->cur, first, n, worker);
    const struct reals dy = reals_from(t->state[t->cur].dact, first * v.count);
    const real *stat = bn_stat(t, t->cur);
    real *sum = t->part + k * t->part_len;
    int c = v.l->shape.c;
    assert(v.xs.h != NULL ? dy.h != NULL : dy.f != NULL);
    const struct bn bn = bn_of(t, t->cur);
    if (v.xs.h != NULL)
        t->kernels.simd->rows.bn_grad_sums(&bn, v.xs.h, dy.h, v.rows, sum);
    else
        bn_grad_sums(v.x, dy.f, v.rows, c, stat, stat + c, sum);
}

/* The sums (2, c) over the whole batch come first: each image's gradient needs them. With inv for
   1 / deviation, dx = gamma inv (dy - (sum of dy + xhat sum of dy xhat) / rows); for fixed statistics
   gamma inv dy. */
static void bn_backward_batch(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    size_t c = (size_t)l->shape.c;
    bool train = t->memory.use[t->cur].train;
    const real *gamma = pass_param(t, l, 0);
    assert(gamma != NULL);
    t->dx = pass_destination(t, l->in[0]);
    const real *sum = pass_sum_batch(t, bn_grad_sums_part, 2 * c);
    real share = t->training && train ? 1 / ((real)l->shape.h * l->shape.w * t->n) : 0;
    const real *invs = bn_stat(t, t->cur) + c;
    real *by = bn_stat(t, t->cur) + 4 * c;
    for (size_t i = 0; i < c; i++) {
        real inv = invs[i];
        by[i] = gamma[i] * inv;
        by[c + i] = by[i] * share * sum[i];
        by[2 * c + i] = by[i] * share * sum[c + i] * inv;
        if (train) {
            t->grad[l->param[0].at + i] = sum[c + i];
            t->grad[l->param[1].at + i] = sum[i];
        }
    }
    pass_input_gradient(t);
    if (reals_there(t->dx))
        pass_deliver(t, l->in[0], t->dx);
}

const struct train_op train_bn = {
    .before = bn_before,
    .forward = bn_forward,
    .backward = bn_backward,
    .backward_batch = bn_backward_batch,
};

/* --- l2norm --------------------------------------------------------------------------------- */

static void l2norm_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_l2norm(v->l, v->x, v->y, v->n);
}

static void g_l2norm(const struct layer *l, const real *x, const real *y, const real *dy, real *dx,
                     size_t n)
{
    struct walk k = walk_along(l->shape, l->axes, 1);
    size_t count = shape_count(l->shape);
    for (size_t i = 0; i < n; i++, x += count, y += count, dy += count, dx += count) {
        for (size_t o = 0; o < k.outputs; o++) {
            size_t from = walk_from(&k, o);
            double square = 0, dot = 0;
            WALK (&k, from, at) {
                square += (double)x[at] * x[at];
                dot += (double)y[at] * dy[at];
            }
            double f = 1 / sqrt(square > 1e-12 ? square : 1e-12);
            if (square <= 1e-12) /* below the floor the norm is constant */
                dot = 0;
            WALK (&k, from, at)
                dx[at] = (real)((dy[at] - y[at] * dot) * f);
        }
    }
}

static void l2norm_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    g_l2norm(v->l, v->x, v->y, g->dy, g->dx, v->n);
}

const struct train_op train_l2norm = {.forward = l2norm_forward, .backward = l2norm_backward};

/* --- norm ----------------------------------------------------------------------------------- */

static void norm_forward(struct trainer *t, const struct images *v)
{
    k_norm(v->l, pass_param(t, v->l, 0), pass_param(t, v->l, 1), v->x, v->y, v->n);
}

/* One output of a walk, which begins at `from`: dx = inverse (d - mean of d - xhat mean of d xhat),
   d being dy gamma. */
static void norm_gradient(const struct layer *l, const struct walk *k, const real *gamma,
                          const real *x, size_t from, const struct gradients *g, size_t image)
{
    const real *dy = g->dy + image;
    struct moments m = k_moments(l, k, x, from);
    size_t channel = from % (size_t)l->shape.c;
    double sum = 0, dot = 0;
    WALK (k, from, at) {
        size_t c = channel + nth;
        real xhat = (x[at] - m.mean) * m.inverse, d = gamma != NULL ? dy[at] * gamma[c] : dy[at];
        sum += d;
        dot += (double)d * xhat;
        if (g->dw != NULL) {
            g->dw[c] += dy[at] * xhat;
            g->db[c] += dy[at];
        }
    }
    sum /= (double)k->count;
    dot /= (double)k->count;
    if (g->dx == NULL)
        return;
    WALK (k, from, at) {
        real xhat = (x[at] - m.mean) * m.inverse;
        real d = gamma != NULL ? dy[at] * gamma[channel + nth] : dy[at];
        g->dx[image + at] = (real)(m.inverse * (d - sum - xhat * dot));
    }
}

static void norm_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    struct walk k = walk_along(v->l->shape, v->l->axes, v->l->groups);
    for (size_t i = 0; i < v->n; i++) {
        for (size_t o = 0; o < k.outputs; o++)
            norm_gradient(v->l, &k, pass_param(t, v->l, 0), v->x + i * v->count, walk_from(&k, o),
                          g, i * v->count);
    }
}

const struct train_op train_norm = {.forward = norm_forward, .backward = norm_backward};

/* --- lrn ------------------------------------------------------------------------------------ */

static void lrn_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_lrn(v->l, v->x, v->y, v->rows);
}

/* One pixel: y = x s^-beta for each channel, whose s has squares of other channels. */
static void lrn_gradient(const struct layer *l, const real *x, const real *dy, real *dx)
{
    double beta = (double)l->b, share = 2 * (double)l->a / l->units;
    for (int c = 0; c < l->shape.c; c++)
        dx[c] = 0;
    for (int c = 0; c < l->shape.c; c++) {
        double s = (double)k_lrn_sum(l, x, c), power = pow(s, -beta);
        int from, to;
        dx[c] += (real)(dy[c] * power);
        k_lrn_window(l, c, &from, &to);
        for (int k = from; k < to; k++)
            dx[k] -= (real)(dy[c] * x[c] * beta * power / s * share * x[k]);
    }
}

static void lrn_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    size_t c = (size_t)v->l->shape.c;
    (void)t;
    for (size_t r = 0; r < v->rows; r++)
        lrn_gradient(v->l, v->x + r * c, g->dy + r * c, g->dx + r * c);
}

const struct train_op train_lrn = {.forward = lrn_forward, .backward = lrn_backward};
