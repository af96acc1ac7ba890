#include "bf16.h"

SIMD void bf16_widen(const bfloat *restrict x, real *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bf16_float(x[i]);
}

SIMD void bf16_narrow(const real *restrict x, bfloat *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bf16_round((float)x[i]);
}

SIMD void bf16_add(bfloat *restrict y, const bfloat *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bf16_round(bf16_float(y[i]) + bf16_float(x[i]));
}
