/* Activations. */
#include <assert.h>
#include <string.h>

#include "layers/axes.h"
#include "layers/fast_math.h"
#include "op.h"

/* --- The relus ------------------------------------------------------------------------------ */

/* On bfloat16s, of which those that are positive are ordered as whole numbers are. */
enum { BF16_SIX = 0x40c0, BF16_INFINITY = 0x7f80, BF16_LAST = 0xffff };

SIMD static void relu_bf16(bfloat *y, size_t n, bfloat most)
{
    for (size_t i = 0; i < n; i++) {
        bfloat v = y[i] >> 15 ? 0 : y[i];
        y[i] = v > most ? most : v;
    }
}

static void relu_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {NULL, k_act(v->l->type), pass_param(t, v->l, 0)};
    if (reals_at(v->ys) != reals_at(v->xs))
        memcpy(reals_at(v->ys), reals_at(v->xs), v->n * v->count * reals_size(v->ys));
    if (v->ys.h != NULL)
        relu_bf16(v->ys.h, v->n * v->count, v->l->type == L_RELU6 ? BF16_SIX : BF16_LAST);
    else
        k_tail(v->y, v->rows, v->l->shape.c, &tail);
}

SIMD static void g_relu(const real *restrict y, real *restrict d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 ? d[i] : 0;
}

SIMD static void g_relu6(const real *restrict y, real *restrict d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 && y[i] < 6 ? d[i] : 0;
}

/* Where 0 < y < end; -0 isn't. */
SIMD static void g_relu_bf16(const bfloat *restrict y, bfloat *restrict d, size_t n, bfloat end)
{
    for (size_t i = 0; i < n; i++)
        d[i] = (bfloat)(y[i] - 1) < (bfloat)(end - 1) ? d[i] : 0;
}

static void relu_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    const size_t count = v->n * v->count;
    const int below = t->memory.use[v->i].below;
    if (v->ys.h != NULL && below >= 0 && t->net->layer[below].type == L_BN)
        return; /* bn_of says why */
    if (reals_at(g->dxs) != reals_at(g->dys))
        memcpy(reals_at(g->dxs), reals_at(g->dys), count * reals_size(g->dxs));
    if (v->ys.h != NULL)
        g_relu_bf16(v->ys.h, g->dxs.h, count, v->l->type == L_RELU6 ? BF16_SIX : BF16_INFINITY + 1);
    else if (v->l->type == L_RELU)
        g_relu(v->y, g->dx, count);
    else
        g_relu6(v->y, g->dx, count);
}

const struct train_op train_relu = {
    .forward = relu_forward,
    .backward = relu_backward,
};
const struct train_op train_relu6 = {
    .forward = relu_forward,
    .backward = relu_backward,
};

static void g_prelu(const real *slope, const real *x, const real *dy, real *dx, real *dslope,
                    size_t rows, int c)
{
    assert(slope != NULL);
    for (size_t r = 0; r < rows; r++, x += c, dy += c) {
        for (int i = 0; i < c; i++) {
            if (dslope != NULL)
                dslope[i] += x[i] < 0 ? dy[i] * x[i] : 0;
            if (dx != NULL)
                dx[i] = x[i] < 0 ? dy[i] * slope[i] : dy[i];
        }
        if (dx != NULL)
            dx += c;
    }
}

static void prelu_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    g_prelu(pass_param(t, v->l, 0), v->x, g->dy, g->dx, g->dw, v->rows, v->l->shape.c);
}

const struct train_op train_prelu = {
    .forward = relu_forward,
    .backward = prelu_backward,
};

/* --- Others --------------------------------------------------------------------------------- */

static void softmax_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    if (v->l->axes == (AXIS_H | AXIS_W | AXIS_C))
        k_softmax(v->x, v->y, v->count, v->n);
    else
        k_softmax_over(v->l, v->x, v->y, v->n, false);
}

static void g_softmax(const real *y, const real *dy, real *dx, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, y += count, dy += count, dx += count) {
        real dot = 0;
        for (size_t k = 0; k < count; k++)
            dot += y[k] * dy[k];
        for (size_t k = 0; k < count; k++)
            dx[k] = y[k] * (dy[k] - dot);
    }
}

/* The same over l->axes, and for logarithms of what softmax makes. */
static void g_softmax_over(const struct layer *l, const real *y, const real *dy, real *dx, size_t n,
                           bool logarithm)
{
    struct walk k = walk_along(l->shape, l->axes, 1);
    size_t count = shape_count(l->shape);
    for (size_t i = 0; i < n; i++, y += count, dy += count, dx += count) {
        for (size_t o = 0; o < k.outputs; o++) {
            size_t from = walk_from(&k, o);
            double sum = 0;
            WALK (&k, from, at)
                sum += logarithm ? (double)dy[at] : (double)y[at] * dy[at];
            WALK (&k, from, at)
                dx[at] = logarithm ? (real)(dy[at] - exp((double)y[at]) * sum)
                                   : (real)(y[at] * (dy[at] - sum));
        }
    }
}

static void softmax_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    if (v->l->axes == (AXIS_H | AXIS_W | AXIS_C))
        g_softmax(v->y, g->dy, g->dx, v->count, v->n);
    else
        g_softmax_over(v->l, v->y, g->dy, g->dx, v->n, false);
}

const struct train_op train_softmax = {.forward = softmax_forward, .backward = softmax_backward};

static void logsoftmax_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_softmax_over(v->l, v->x, v->y, v->n, true);
}

static void logsoftmax_backward(struct trainer *t, const struct images *v,
                                const struct gradients *g)
{
    (void)t;
    g_softmax_over(v->l, v->y, g->dy, g->dx, v->n, true);
}

const struct train_op train_logsoftmax = {
    .forward = logsoftmax_forward,
    .backward = logsoftmax_backward,
};

/* --- Functions of one number ---------------------------------------------------------------- */

/* The derivative, of v and the function's value y: layers/op_act.c has the functions. Where they
   jump it is 0. */
#define DERIVATIVES(F)                                                                             \
    F(SIGMOID, y *(1 - y))                                                                         \
    F(TANH, 1 - y * y)                                                                             \
    F(HSWISH, v <= -3 ? 0 : v >= 3 ? 1 : v / 3 + (real)0.5)                                        \
    F(SWISH, y + real_logistic(v) * (1 - y))                                                       \
    F(GELU, (1 + real_erf(v * REAL_SQRT1_2)) / 2 +                                                 \
                v * real_exp(-v * v / 2) * (real)0.39894228040143267794)                           \
    F(SOFTPLUS, real_logistic(v))                                                                  \
    F(SOFTSIGN, 1 / ((1 + (v < 0 ? -v : v)) * (1 + (v < 0 ? -v : v))))                             \
    F(MISH, mish_derivative(v))                                                                    \
    F(EXP, y)                                                                                      \
    F(LOG, 1 / v)                                                                                  \
    F(SQRT, (real)0.5 / y)                                                                         \
    F(ABS, v<0 ? -1 : v> 0 ? 1 : 0)                                                                \
    F(NEG, -1)                                                                                     \
    F(ERF, real_exp(-v *v) * (real)1.12837916709551257390)                                         \
    F(RECIPROCAL, -y *y)                                                                           \
    F(SIGN, 0)                                                                                     \
    F(FLOOR, 0)                                                                                    \
    F(CEIL, 0)                                                                                     \
    F(ROUND, 0)                                                                                    \
    F(SIN, R(cos)(v))                                                                              \
    F(COS, -R(sin)(v))                                                                             \
    F(TAN, 1 + y * y)                                                                              \
    F(ASIN, 1 / R(sqrt)(1 - v * v))                                                                \
    F(ACOS, -1 / R(sqrt)(1 - v * v))                                                               \
    F(ATAN, 1 / (1 + v * v))                                                                       \
    F(SINH, R(cosh)(v))                                                                            \
    F(COSH, R(sinh)(v))                                                                            \
    F(ASINH, 1 / R(sqrt)(v * v + 1))                                                               \
    F(ACOSH, 1 / R(sqrt)(v * v - 1))                                                               \
    F(ATANH, 1 / (1 - v * v))                                                                      \
    F(LEAKY, v < 0 ? a : 1)                                                                        \
    F(ELU, v < 0 ? y + a : 1)                                                                      \
    F(SELU, v < 0 ? y + a * b : b)                                                                 \
    F(CELU, v < 0 ? y / a + 1 : 1)                                                                 \
    F(CLIP, v > a && v < b ? 1 : 0)                                                                \
    F(HSIGMOID, y > 0 && y < 1 ? a : 0)                                                            \
    F(THRESHOLD, v > a ? 1 : 0)                                                                    \
    F(SHRINK, v<-a || v> a ? 1 : 0)

static inline real mish_derivative(real v)
{
    real t = real_tanh_softplus(v);
    return t + v * real_logistic(v) * (1 - t * t);
}

#define DERIVATIVE(type, derivative)                                                               \
    SIMD static void dx_##type(const real *restrict x, const real *restrict of,                    \
                               const real *restrict dy, real *restrict dx, size_t n, real a,       \
                               real b)                                                             \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const real v = x[i], y = of[i];                                                        \
            (void)v;                                                                               \
            (void)y;                                                                               \
            dx[i] = dy[i] * (derivative);                                                          \
        }                                                                                          \
    }
DERIVATIVES(DERIVATIVE)

static void unary_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_unary(v->l, v->x, v->y, v->n * v->count);
}

static void unary_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
#define ENTRY(type, derivative) [L_##type] = dx_##type,
    static void (*const derivatives[LAYER_TYPES])(const real *, const real *, const real *, real *,
                                                  size_t, real, real) = {DERIVATIVES(ENTRY)};
    (void)t;
    derivatives[v->l->type](v->x, v->y, g->dy, g->dx, v->n * v->count, v->l->a, v->l->b);
}

#define UNARY(type, word)                                                                          \
    const struct train_op train_##word = {.forward = unary_forward, .backward = unary_backward};
UNARY_OPS(UNARY)
