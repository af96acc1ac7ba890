/* Gradients of products of matrices, on n images; op.h says what dx, dw and db are. */
#ifndef MIEN_TRAIN_GRAD_H
#define MIEN_TRAIN_GRAD_H

#include "products.h"

/* col is scratch of 2 x k_conv_scratch elements. */
void g_conv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
            real *dx, real *dw, real *db, size_t n, real *col);
void g_dwconv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
              real *dx, real *dw, real *db, size_t n);

/* db += column sums of dy. */
void g_add_rows(const real *dy, size_t rows, int c, real *db);

/* Where the weights of a dense layer or a pointwise convolution are many, their gradient is better
   cut by input than by image: dw's rows [from, from + count) = those of x^T dy, overwritten. */
void g_weight_rows(const real *x, int inputs, const real *dy, int units, size_t rows, int from,
                   int count, real *dw);

#endif
