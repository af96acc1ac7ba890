/* Activations. */
#include <math.h>
#include <string.h>

#include "axes.h"
#include "fast_math.h"
#include "tail.h"

enum act k_act(enum layer_type t)
{
    return t == L_RELU ? ACT_RELU : t == L_RELU6 ? ACT_RELU6 : t == L_PRELU ? ACT_PRELU : ACT_NONE;
}

SIMD void k_tail(real *restrict y, size_t rows, int c, const struct tail *t)
{
    const real *restrict bias = t->bias;
    if (bias == NULL && t->act == ACT_NONE)
        return;
    for (size_t r = 0; r < rows; r++, y += c) {
        /* The common cases are spelled out so that they vectorise. */
        if (t->act == ACT_RELU6) {
            for (int i = 0; i < c; i++)
                y[i] = clip6(bias != NULL ? y[i] + bias[i] : y[i]);
        } else if (t->act == ACT_RELU) {
            for (int i = 0; i < c; i++) {
                real v = bias != NULL ? y[i] + bias[i] : y[i];
                y[i] = v < 0 ? 0 : v;
            }
        } else {
            for (int i = 0; i < c; i++)
                y[i] = tail_one(t, i, y[i]);
        }
    }
}

void k_softmax(const real *x, real *y, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        real top = x[0];
        for (size_t k = 1; k < count; k++)
            top = x[k] > top ? x[k] : top; /* so that exp can't overflow */
        double sum = 0;
        for (size_t k = 0; k < count; k++) {
            y[k] = (real)exp((double)(x[k] - top));
            sum += y[k];
        }
        for (size_t k = 0; k < count; k++)
            y[k] = (real)(y[k] / sum);
    }
}

/* The sum of exp(x - top) of an output's elements; top is the greatest, so that none overflows. */
static double exponentials(const struct walk *k, const real *x, size_t from, real *top)
{
    double sum = 0;
    *top = x[from];
    WALK (k, from, at)
        *top = x[at] > *top ? x[at] : *top;
    WALK (k, from, at)
        sum += exp((double)(x[at] - *top));
    return sum;
}

void k_softmax_over(const struct layer *l, const real *x, real *y, size_t n, bool logarithm)
{
    struct walk k = walk_along(l->shape, l->axes, 1);
    size_t count = shape_count(l->shape);
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        for (size_t o = 0; o < k.outputs; o++) {
            size_t from = walk_from(&k, o);
            real top;
            double sum = exponentials(&k, x, from, &top), shift = (double)top + log(sum);
            WALK (&k, from, at)
                y[at] = logarithm ? (real)((double)x[at] - shift)
                                  : (real)(exp((double)(x[at] - top)) / sum);
        }
    }
}

/* --- Functions of one number ---------------------------------------------------------------- */

/* y of v: a and b are the layer's. */
#define FUNCTIONS(F)                                                                               \
    F(SIGMOID, 1 / (1 + (real)exp(-(double)v)))                                                    \
    F(TANH, real_tanh(v))                                                                          \
    F(HSWISH, v <= -3 ? 0 : v >= 3 ? v : v * (v + 3) / 6)                                          \
    F(SWISH, v *real_logistic(v))                                                                  \
    F(GELU, v *(1 + real_erf(v * REAL_SQRT1_2)) / 2)                                               \
    F(SOFTPLUS, (v > 0 ? v : 0) + R(log1p)(R(exp)(v > 0 ? -v : v)))                                \
    F(SOFTSIGN, v / (1 + (v < 0 ? -v : v)))                                                        \
    F(MISH, v *real_tanh_softplus(v))                                                              \
    F(EXP, real_exp(v))                                                                            \
    F(LOG, R(log)(v))                                                                              \
    F(SQRT, R(sqrt)(v))                                                                            \
    F(ABS, v < 0 ? -v : v)                                                                         \
    F(NEG, -v)                                                                                     \
    F(ERF, R(erf)(v))                                                                              \
    F(RECIPROCAL, 1 / v)                                                                           \
    F(SIGN, v > 0 ? 1 : v < 0 ? -1 : v)                                                            \
    F(FLOOR, R(floor)(v))                                                                          \
    F(CEIL, R(ceil)(v))                                                                            \
    F(ROUND, R(rint)(v))                                                                           \
    F(SIN, R(sin)(v))                                                                              \
    F(COS, R(cos)(v))                                                                              \
    F(TAN, R(tan)(v))                                                                              \
    F(ASIN, R(asin)(v))                                                                            \
    F(ACOS, R(acos)(v))                                                                            \
    F(ATAN, R(atan)(v))                                                                            \
    F(SINH, R(sinh)(v))                                                                            \
    F(COSH, R(cosh)(v))                                                                            \
    F(ASINH, R(asinh)(v))                                                                          \
    F(ACOSH, R(acosh)(v))                                                                          \
    F(ATANH, R(atanh)(v))                                                                          \
    F(LEAKY, v < 0 ? a * v : v)                                                                    \
    F(ELU, v < 0 ? a * (real_exp(v) - 1) : v)                                                      \
    F(SELU, b *(v < 0 ? a * (real_exp(v) - 1) : v))                                                \
    F(CELU, v < 0 ? a * (real_exp(v / a) - 1) : v)                                                 \
    F(CLIP, v<a ? a : v> b ? b : v)                                                                \
    F(HSIGMOID, a *v + b < 0 ? 0 : a * v + b > 1 ? 1 : a * v + b)                                  \
    F(THRESHOLD, v > a ? v : 0)                                                                    \
    F(SHRINK, v<-a ? v + b : v> a ? v - b : 0)

/* Blocks go through arrays of their own, which the compiler knows to differ: y may be x. */
enum { BLOCK = 64 };
#define FUNCTION(type, value)                                                                      \
    SIMD static void y_##type(const real *x, real *y, size_t n, real a, real b)                    \
    {                                                                                              \
        real from[BLOCK], to[BLOCK];                                                               \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        for (; n >= BLOCK; n -= BLOCK, x += BLOCK, y += BLOCK) {                                   \
            memcpy(from, x, sizeof from);                                                          \
            for (int i = 0; i < BLOCK; i++) {                                                      \
                real v = from[i];                                                                  \
                to[i] = value;                                                                     \
            }                                                                                      \
            memcpy(y, to, sizeof to);                                                              \
        }                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            real v = x[i];                                                                         \
            y[i] = value;                                                                          \
        }                                                                                          \
    }
FUNCTIONS(FUNCTION)

void k_unary(const struct layer *l, const real *x, real *y, size_t n)
{
#define ENTRY(type, value) [L_##type] = y_##type,
    static void (*const functions[LAYER_TYPES])(const real *, real *, size_t, real,
                                                real) = {FUNCTIONS(ENTRY)};
    functions[l->type](x, y, n, l->a, l->b);
}
