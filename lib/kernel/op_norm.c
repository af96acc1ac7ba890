/* Normalisation. */
#include <math.h>

#include "kernels.h"

SIMD void k_scale(real *restrict y, const real *restrict x, size_t rows, int c,
                  const real *restrict scale, const real *restrict shift)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        for (int i = 0; i < c; i++)
            y[i] = x[i] * scale[i] + shift[i];
    }
}

void k_l2norm(const real *x, real *y, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        double square = 0;
        for (size_t k = 0; k < count; k++)
            square += (double)x[k] * x[k];
        real f = (real)(1 / sqrt(square > 1e-12 ? square : 1e-12));
        for (size_t k = 0; k < count; k++)
            y[k] = x[k] * f;
    }
}
