/* Gradients of products of matrices, on n images; op.h says what dx, dw and db are. */
#ifndef MIEN_TRAIN_GRAD_H
#define MIEN_TRAIN_GRAD_H

#include "memory.h"
#include "products.h"

/* col is scratch of 2 x k_conv_scratch elements. */
void g_conv(const struct products *p, const struct layer *l, struct shape in, const real *w,
            const real *x, const real *dy, real *dx, real *dw, real *db, size_t n, real *col);
void g_dwconv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
              real *dx, real *dw, real *db, size_t n);

/* db += column sums of dy. */
void g_add_rows(const real *dy, size_t rows, int c, real *db);

/* Block k of the gradient of a layer's weights (inputs, units) by all images, overwritten: of a
   dense layer, or of a convolution without groups, with col as above; or, where each row of x is a
   pixel's patch, of x and dy packed. */
void g_weight_block_packed(const struct gemm *own, const struct packed *x, const struct packed *dy,
                           const struct weight_blocks *b, size_t k, float *dw);
void g_weight_block(const struct products *p, const struct layer *l, struct shape in, const real *x,
                    const real *dy, size_t n, const struct weight_blocks *b, size_t k, real *dw,
                    real *col);

/* Those of the biases in the blocks' k-th columns, overwritten. */
void g_bias_block(const real *dy, size_t rows, int units, const struct weight_blocks *b, size_t k,
                  real *db);

#endif
