/*
 * The arithmetic of single layers, backward, on n images: the counterparts of kernels.h.
 *
 * dy is the loss's gradient with respect to a layer's output y. dx, the one with respect to its
 * input x, is overwritten; where it may be NULL it isn't wanted. Gradients of parameters are added
 * to dw and db, so that parts of a batch can be summed.
 */
#ifndef MIEN_TRAIN_GRAD_H
#define MIEN_TRAIN_GRAD_H

#include "products.h"

/* dx, and db may be NULL. col is scratch of 2 x k_conv_scratch elements. */
void g_conv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
            real *dx, real *dw, real *db, size_t n, real *col);
void g_dwconv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
              real *dx, real *dw, real *db, size_t n);
void g_dense(const struct layer *l, size_t inputs, const real *w, const real *x, const real *dy,
             real *dx, real *dw, real *db, size_t n);
void g_coral(size_t inputs, int units, const real *w, const real *x, const real *dy, real *dx,
             real *dw, real *db, size_t n);

/* Where the weights of a dense layer or a pointwise convolution are many, their gradient is better
   cut by input than by image: dw's rows [from, from + count) = those of x^T dy, overwritten. */
void g_weight_rows(const real *x, int inputs, const real *dy, int units, size_t rows, int from,
                   int count, real *dw);
/* db = column sums of dy, overwritten. */
void g_bias(const real *dy, size_t rows, int units, real *db);

/* Activations, from their outputs y (and, for prelu, inputs x). */
/* In place: d is the output's gradient before, the input's afterwards. */
void g_relu(const real *y, real *d, size_t n);
void g_relu6(const real *y, real *d, size_t n);
void g_prelu(const real *slope, const real *x, const real *dy, real *dx, real *dslope, size_t rows,
             int c);
void g_sigmoid(const real *y, const real *dy, real *dx, size_t n);
void g_softmax(const real *y, const real *dy, real *dx, size_t count, size_t n);
void g_l2norm(const real *x, const real *y, const real *dy, real *dx, size_t count, size_t n);

void g_maxpool(const struct layer *l, struct shape in, const uint32_t *which, const real *dy,
               real *dx, size_t n);
void g_avgpool(const struct layer *l, struct shape in, const real *dy, real *dx, size_t n);
void g_gap(struct shape in, const real *dy, real *dx, size_t n);

/* The inverse of k_place: dx = dy's channels [at, at + c) of rows of `width`. */
void g_place(const real *dy, int width, int at, real *dx, int c, size_t rows);
void g_pad(const struct layer *l, struct shape in, const real *dy, real *dx, size_t n);

/* Batch normalisation over `rows` values a channel, in steps that are summed over parts of a batch
   in between. bn_sums adds the sums of x - shift and of (x - shift)^2 to sum[0..c) and
   sum[c..2c); bn_grad_sums adds those of dy and of dy * xhat, where xhat = (x - mean) * inv. */
void bn_sums(const real *x, size_t rows, int c, const real *shift, real *sum);
void bn_grad_sums(const real *x, const real *dy, size_t rows, int c, const real *mean,
                  const real *inv, real *sum);
/* dx for statistics of a batch of `total` rows whose sums are `sum`; for fixed statistics, total 0:
   dx = dy * gamma * inv. */
void bn_grad(const real *x, const real *dy, real *dx, size_t rows, int c, const real *gamma,
             const real *mean, const real *inv, const real *sum, size_t total);

#endif
