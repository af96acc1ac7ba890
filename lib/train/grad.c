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

struct block g_block(const struct layer *l, const struct weight_blocks *b, size_t k)
{
    size_t units = (size_t)l->units, inputs = l->param[0].count / units;
    size_t row = k / b->across * b->rows, column = k % b->across * b->columns;
    assert(k < b->down * b->across);
    return (struct block){row, column, (int)smaller(b->rows, inputs - row),
                          (int)smaller(b->columns, units - column)};
}

struct block g_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                            const struct weight_blocks *b, size_t k)
{
    int each = gemm_step(own, x), panels = (x->many + each - 1) / each;
    int down = (int)b->down, r = (int)(k / b->across);
    int from = panels * r / down * each, to = panels * (r + 1) / down * each;
    size_t column = k % b->across * b->columns;
    return (struct block){(size_t)from, column, (to < x->many ? to : x->many) - from,
                          (int)smaller(b->columns, (size_t)dy->many - column)};
}

void g_weight_block(const struct products *p, const struct layer *l, struct shape in, const real *x,
                    const real *dy, size_t n, const struct block *b, real *dw, size_t ldw,
                    real *col)
{
    size_t units = (size_t)l->units, inputs = l->param[0].count / units;
    size_t pixels = n * shape_count(l->shape) / units;
    dy += b->column;
    if (train_is_plain(l)) {
        gemm(p, 1, 0, b->rows, b->columns, (int)pixels, x + b->row, (int)inputs, dy, l->units,
             false, dw, (int)ldw);
        return;
    }
    size_t rows = (size_t)b->rows, step = 2 * k_conv_scratch(l, in) / rows;
    for (size_t from = 0; from < pixels; from += step) {
        size_t m = smaller(step, pixels - from);
        k_im2col_terms(l, in, x, b->row, rows, from, m, col);
        gemm(p, 1, 0, b->rows, b->columns, (int)m, col, b->rows, dy + from * units, l->units,
             from > 0, dw, (int)ldw);
    }
}

void g_weight_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                           const struct block *b, float *dw, size_t ldw)
{
    gemm_run_block(own, x, dy, (int)b->row, (int)b->column, b->rows, b->columns, dw, ldw);
}

void g_bias_block(const real *dy, size_t rows, int units, const struct block *b, real *db)
{
    memset(db, 0, (size_t)b->columns * sizeof *db);
    for (dy += b->column; rows > 0; rows--, dy += units)
        k_add(db, dy, (size_t)b->columns);
}
