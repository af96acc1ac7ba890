#include "grad.h"

#include <assert.h>
#include <string.h>

SIMD void g_add_rows(const real *restrict dy, size_t rows, int c, real *restrict db)
{
    for (size_t r = 0; r < rows; r++, dy += c) {
        for (int i = 0; i < c; i++)
            db[i] += dy[i];
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void g_weight_block(const struct products *p, const struct layer *l, struct shape in, const real *x,
                    const real *dy, size_t n, const struct weight_blocks *b, size_t k, real *dw,
                    real *col)
{
    size_t units = (size_t)l->units, inputs = l->param[0].count / units;
    size_t row = k / b->across * b->rows, column = k % b->across * b->columns;
    int rows = (int)smaller(b->rows, inputs - row);
    int columns = (int)smaller(b->columns, units - column);
    size_t pixels = n * shape_count(l->shape) / units;
    dy += column;
    dw += row * units + column;
    assert(k < b->down * b->across);
    if (train_is_plain(l)) {
        gemm(p, 1, 0, rows, columns, (int)pixels, x + row, (int)inputs, dy, l->units, false, dw,
             l->units);
        return;
    }
    size_t step = 2 * k_conv_scratch(l, in) / (size_t)rows;
    for (size_t from = 0; from < pixels; from += step) {
        size_t m = smaller(step, pixels - from);
        k_im2col_terms(l, in, x, row, (size_t)rows, from, m, col);
        gemm(p, 1, 0, rows, columns, (int)m, col, rows, dy + from * units, l->units, from > 0, dw,
             l->units);
    }
}

void g_weight_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                           const struct weight_blocks *b, size_t k, float *dw)
{
    int each = gemm_step(own, x), panels = (x->many + each - 1) / each, units = dy->many;
    int down = (int)b->down, r = (int)(k / b->across), column = (int)(k % b->across * b->columns);
    int from = panels * r / down * each, to = panels * (r + 1) / down * each;
    gemm_run_block(own, x, dy, from, column, (to < x->many ? to : x->many) - from,
                   (int)smaller(b->columns, (size_t)(units - column)),
                   dw + (size_t)from * (size_t)units + column, (size_t)units);
}

void g_bias_block(const real *dy, size_t rows, int units, const struct weight_blocks *b, size_t k,
                  real *db)
{
    size_t from = k * b->columns, count = smaller(b->columns, (size_t)units - from);
    memset(db + from, 0, count * sizeof *db);
    for (; rows > 0; rows--, dy += units)
        k_add(db + from, dy + from, count);
}
