/* Arithmetic of several values. */
#include "kernels.h"

SIMD void k_sum(real *restrict y, const real *a, const real *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

SIMD void k_add(real *restrict y, const real *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}
