#include "grad.h"

#include <assert.h>
#include <string.h>

SIMD static void add_rows(const real *restrict dy, size_t ld, size_t rows, size_t c,
                          real *restrict db)
{
    for (size_t r = 0; r < rows; r++, dy += ld) {
        for (size_t i = 0; i < c; i++)
            db[i] += dy[i];
    }
}

void g_add_rows(const struct row_loops *loops, struct reals dy, size_t ld, size_t rows, int c,
                real *db)
{
    enum { LEAST = 16 }; /* channels: a vector of any variant */
    real room[LEAST];
    if (dy.f != NULL) {
        add_rows(dy.f, ld, rows, (size_t)c, db);
    } else if (c >= LEAST) {
        loops->add_rows(dy.h, ld, rows, (size_t)c, db);
    } else {
        for (size_t r = 0; r < rows; r++)
            add_rows(reals_read(dy, r * ld, (size_t)c, room), ld, 1, (size_t)c, db);
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
    size_t each = (size_t)gemm_step(own, x), many = (size_t)x->many;
    size_t panels = (many + each - 1) / each, r = k / b->across;
    size_t from = panels * r / b->down * each, to = panels * (r + 1) / b->down * each;
    size_t column = k % b->across * b->columns;
    return (struct block){from, column, (int)(smaller(to, many) - from),
                          (int)smaller(b->columns, (size_t)dy->many - column)};
}

void g_weight_block(const struct products *p, const struct layer *l, struct shape in,
                    struct reals x, struct reals dy, size_t n, const struct block *b, real *dw,
                    size_t ldw, real *col)
{
    size_t units = (size_t)l->units, inputs = l->param[0].count / units;
    size_t pixels = n * shape_count(l->shape) / units;
    const struct reals patches = reals_like(x, col);
    dy = reals_from(dy, b->column);
    if (train_is_plain(l)) {
        gemm(p, 1, 0, b->rows, b->columns, (int)pixels, reals_from(x, b->row), (int)inputs, dy,
             l->units, false, dw, (int)ldw);
        return;
    }
    size_t rows = (size_t)b->rows, step = 2 * k_conv_scratch(l, in) / rows;
    for (size_t from = 0; from < pixels; from += step) {
        size_t m = smaller(step, pixels - from);
        k_im2col_terms(l, in, reals_at(x), reals_size(x), b->row, rows, from, m, col);
        gemm(p, 1, 0, b->rows, b->columns, (int)m, patches, b->rows, reals_from(dy, from * units),
             l->units, from > 0, dw, (int)ldw);
    }
}

void g_weight_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                           const struct block *b, float *dw, size_t ldw)
{
    gemm_run_block(own, x, dy, (int)b->row, (int)b->column, b->rows, b->columns, dw, ldw);
}

void g_bias_block(const struct row_loops *loops, struct reals dy, size_t rows, int units,
                  const struct block *b, real *db)
{
    memset(db, 0, (size_t)b->columns * sizeof *db);
    g_add_rows(loops, reals_from(dy, b->column), (size_t)units, rows, b->columns, db);
}
