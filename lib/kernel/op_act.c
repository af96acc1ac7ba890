/* Activations. */
#include <math.h>

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

void k_sigmoid(const real *x, real *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1 / (1 + (real)exp(-(double)x[i]));
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
