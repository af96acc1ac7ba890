/* Gradients of products of matrices, on n images; op.h says what dx, dw and db are. */
#ifndef MIEN_TRAIN_GRAD_H
#define MIEN_TRAIN_GRAD_H

#include "memory.h"
#include "products.h"

/* col is scratch of 2 x k_conv_scratch elements, and in bfloat16 of train_rows_scratch more. */
void g_conv(const struct products *p, const struct row_loops *loops, const struct layer *l,
            struct shape in, const real *w, struct reals x, struct reals dy, struct reals dx,
            real *dw, real *db, size_t n, real *col);
void g_dwconv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
              real *dx, real *dw, size_t n);

/* db += column sums of dy (rows, c), whose rows are ld apart. loops: for bfloat16. */
void g_add_rows(const struct row_loops *loops, struct reals dy, size_t ld, size_t rows, int c,
                real *db);

/* A block of the gradient (inputs, units) of a layer's weights. */
struct block {
    size_t row, column;
    int rows, columns;
};

/* The blocks' k-th one; and where operands are packed, whose panels it doesn't cut. */
struct block g_block(const struct layer *l, const struct weight_blocks *b, size_t k);
struct block g_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                            const struct weight_blocks *b, size_t k);

/* The gradient of a block by n images, overwritten, at dw, whose rows are ldw apart: of a dense layer,
   or of a convolution without groups, with col as above; or, where each row of x is a pixel's
   patch, of x and dy packed. */
void g_weight_block(const struct products *p, const struct layer *l, struct shape in,
                    struct reals x, struct reals dy, size_t n, const struct block *b, real *dw,
                    size_t ldw, real *col);
void g_weight_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                           const struct block *b, float *dw, size_t ldw);

/* Those of the biases of a block's columns, overwritten, at db. */
void g_bias_block(const struct row_loops *loops, struct reals dy, size_t rows, int units,
                  const struct block *b, real *db);

#endif
