/* Normalization. */
#include <math.h>

#include "axes.h"
#include "layers.h"

SIMD void k_scale(real *restrict y, const real *restrict x, size_t rows, int c,
                  const real *restrict scale, const real *restrict shift)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        for (int i = 0; i < c; i++)
            y[i] = x[i] * scale[i] + shift[i];
    }
}

void k_l2norm(const struct layer *l, const real *x, real *y, size_t n)
{
    struct walk k = walk_along(l->shape, l->axes, 1);
    size_t count = shape_count(l->shape);
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        for (size_t o = 0; o < k.outputs; o++) {
            size_t from = walk_from(&k, o);
            double square = 0;
            WALK (&k, from, at)
                square += (double)x[at] * x[at];
            real f = (real)(1 / sqrt(square > 1e-12 ? square : 1e-12));
            WALK (&k, from, at)
                y[at] = x[at] * f;
        }
    }
}

struct moments k_moments(const struct layer *l, const struct walk *k, const real *x, size_t from)
{
    double sum = 0, square = 0;
    WALK (k, from, at)
        sum += x[at];
    double mean = sum / (double)k->count;
    WALK (k, from, at)
        square += (x[at] - mean) * (x[at] - mean);
    return (struct moments){(real)mean,
                            (real)(1 / sqrt(square / (double)k->count + (double)l->rate))};
}

void k_norm(const struct layer *l, const real *gamma, const real *beta, const real *x, real *y,
            size_t n)
{
    struct walk k = walk_along(l->shape, l->axes, l->groups);
    size_t count = shape_count(l->shape), c = (size_t)l->shape.c;
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        for (size_t o = 0; o < k.outputs; o++) {
            size_t from = walk_from(&k, o), channel = from % c;
            struct moments m = k_moments(l, &k, x, from);
            WALK (&k, from, at) {
                real v = (x[at] - m.mean) * m.inverse;
                y[at] = gamma != NULL ? v * gamma[channel + nth] + beta[channel + nth] : v;
            }
        }
    }
}

void k_lrn_window(const struct layer *l, int c, int *from, int *to)
{
    k_inside(c - (l->units - 1) / 2, l->units, l->shape.c, from, to);
}

real k_lrn_sum(const struct layer *l, const real *x, int c)
{
    int from, to;
    real sum = 0;
    k_lrn_window(l, c, &from, &to);
    for (int k = from; k < to; k++)
        sum += x[k] * x[k];
    return (real)l->k + (real)l->a / (real)l->units * sum;
}

void k_lrn(const struct layer *l, const real *x, real *y, size_t rows)
{
    for (size_t r = 0; r < rows; r++, x += l->shape.c, y += l->shape.c) {
        for (int c = 0; c < l->shape.c; c++)
            y[c] = x[c] * (real)pow((double)k_lrn_sum(l, x, c), -(double)l->b);
    }
}
