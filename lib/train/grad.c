#include "grad.h"

#include <assert.h>

SIMD void g_add_rows(const real *restrict dy, size_t rows, int c, real *restrict db)
{
    for (size_t r = 0; r < rows; r++, dy += c) {
        for (int i = 0; i < c; i++)
            db[i] += dy[i];
    }
}

void g_weight_rows(const real *x, int inputs, const real *dy, int units, size_t rows, int from,
                   int count, real *dw)
{
    assert(from >= 0 && count > 0 && from + count <= inputs);
    gemm(1, 0, count, units, (int)rows, x + from, inputs, dy, units, 0,
         dw + (size_t)from * (size_t)units, units);
}
