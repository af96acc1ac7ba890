/*
 * Products of matrices for training, in the number type of the kernels: kernel/gemm.h's where they
 * run, OpenBLAS's elsewhere and in double. Inference has products of its own (kernel/conv.h) and
 * needs no BLAS. x and y don't overlap.
 */
#ifndef MIEN_TRAIN_PRODUCTS_H
#define MIEN_TRAIN_PRODUCTS_H

#include <cblas.h>

#include "kernel/bf16.h"
#include "kernel/gemm.h"
#include "layers/patches.h"

/* What computes a layer's products: own, or OpenBLAS where that is NULL. */
struct products {
    const struct gemm *own;
    float *scratch; /* gemm_scratch(own) */
    /* Its weights (inputs, units) packed for the outputs, and turned for the input's gradient;
       NULL: they are packed, if at all, when they are needed. */
    const struct packed *forth, *back;
};

/* c = a b, added to c with `add`, row-major: a is m x k (or k x m when ta), b is k x n (or n x k
   when tb). Here and below, operands may be bfloat16 where own's products are. */
void gemm(const struct products *p, int ta, int tb, int m, int n, int k, struct reals a, int lda,
          struct reals b, int ldb, bool add, real *c, int ldc);

/* The product for the gradient of what a layer reads: dx = dy w^T. Rows of w are ldw apart. */
void product_back(const struct products *p, int m, int inputs, int units, struct reals dy, int ldy,
                  const real *w, int ldw, real *dx, int ldx);

/* y[m, w->many] = tail(x w) of packed weights, p's, rounded to bfloat16. room: TRAIN_ROWS x w->many. */
void product_bf16(const struct products *p, const struct packed *w, size_t m, struct reals x,
                  const struct tail *t, bfloat *y, real *room);

/* A layer's weights packed for products. They change from step to step, and are packed once in
   each, for all threads. */
struct packed_weights {
    const struct gemm *own;    /* NULL: none are */
    struct packed forth, back; /* what they are at is owned, or NULL */
};

/* Takes memory for a convolution: without groups, since products of those are
   small. forth, back: what is wanted. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int packed_weights_make(struct packed_weights *p, const struct gemm *own,
                                     const struct layer *l, bool forth, bool back);
void packed_weights_set(struct packed_weights *p, const struct layer *l, const float *w);
void packed_weights_free(struct packed_weights *p);

/* y[n, l.shape] = tail(conv(x[n, in])). col is scratch of k_conv_scratch(l, in) elements, and for y
   in bfloat16 of TRAIN_ROWS x units more. */
void k_conv(const struct products *p, const struct layer *l, struct shape in, const real *w,
            const struct tail *t, struct reals x, struct reals y, size_t n, real *col);

/* y[n, units] = x[n, inputs] w. */
void k_dense(const struct products *p, const struct layer *l, size_t inputs, const real *w,
             const struct tail *t, const real *x, real *y, size_t n);

#endif
