#include "products.h"

#include <assert.h>

void k_conv(const struct layer *l, struct shape in, const real *w, const struct tail *t,
            const real *x, real *y, size_t n, real *col)
{
    size_t pixels = shape_count((struct shape){l->shape.h, l->shape.w, 1});
    int cin = in.c / l->groups, cout = l->units / l->groups;
    if (k_is_pointwise(l)) {
        /* All images are one matrix, taken in blocks whose result the tail finds in the cache. */
        size_t rows = pixels * n, step = k_tile_rows((size_t)(in.c + l->units) / 2);
        if (step < 256)
            step = 256;
        for (size_t r = 0; r < rows; r += step) {
            size_t m = rows - r < step ? rows - r : step;
            gemm(0, 0, (int)m, l->units, in.c, x + r * (size_t)in.c, in.c, w, l->units, 0,
                 y + r * (size_t)l->units, l->units);
            k_tail(y + r * (size_t)l->units, m, l->units, t);
        }
        return;
    }
    int k = l->kh * l->kw * cin;
    size_t step = k_tile_rows((size_t)k);
    assert(step * (size_t)k <= k_conv_scratch(l, in));
    for (size_t i = 0; i < n; i++, x += shape_count(in), y += shape_count(l->shape)) {
        for (size_t r = 0; r < pixels; r += step) {
            size_t m = pixels - r < step ? pixels - r : step;
            real *out = y + r * (size_t)l->units;
            for (int g = 0; g < l->groups; g++) {
                k_im2col(l, in, x, g * cin, cin, r, m, col);
                gemm(0, 0, (int)m, cout, k, col, k, w + g * cout, l->units, 0, out + g * cout,
                     l->units);
            }
            k_tail(out, m, l->units, t);
        }
    }
}

void k_dense(const struct layer *l, size_t inputs, const real *w, const struct tail *t,
             const real *x, real *y, size_t n)
{
    gemm(0, 0, (int)n, l->units, (int)inputs, x, (int)inputs, w, l->units, 0, y, l->units);
    k_tail(y, n, l->units, t);
}
