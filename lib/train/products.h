/*
 * Products of matrices for training, forward: OpenBLAS's, in the number type of the kernels.
 * Inference has products of its own (kernel/conv.h) and needs no BLAS. Nothing here allocates; x
 * and y don't overlap.
 */
#ifndef MIEN_TRAIN_PRODUCTS_H
#define MIEN_TRAIN_PRODUCTS_H

#include <cblas.h>

#include "patches.h"

#ifdef MIEN_DOUBLE
#define REAL_GEMM cblas_dgemm
#else
#define REAL_GEMM cblas_sgemm
#endif

/* c = a b + beta c, row-major: a is m x k (or k x m when ta), b is k x n (or n x k when tb). */
static inline void gemm(int ta, int tb, int m, int n, int k, const real *a, int lda, const real *b,
                        int ldb, real beta, real *c, int ldc)
{
    REAL_GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n,
              k, 1, a, lda, b, ldb, beta, c, ldc);
}

/* y[n, l.shape] = tail(conv(x[n, in])). col is scratch of k_conv_scratch(l, in) elements. */
void k_conv(const struct layer *l, struct shape in, const real *w, const struct tail *t,
            const real *x, real *y, size_t n, real *col);

/* y[n, units] = x[n, inputs] w. */
void k_dense(const struct layer *l, size_t inputs, const real *w, const struct tail *t,
             const real *x, real *y, size_t n);

#endif
