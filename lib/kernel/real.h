/* The number type of the kernels: float, or double where the tests check gradients. */
#ifndef MIEN_NN_REAL_H
#define MIEN_NN_REAL_H

#include <cblas.h>
#include <math.h>

#ifdef MIEN_DOUBLE
typedef double real;
#define REAL_GEMM cblas_dgemm
#define REAL_SQRT sqrt
#else
typedef float real;
#define REAL_GEMM cblas_sgemm
#define REAL_SQRT sqrtf
#endif

/* c = a b + beta c, row-major: a is m x k (or k x m when ta), b is k x n (or n x k when tb). */
static inline void gemm(int ta, int tb, int m, int n, int k, const real *a, int lda, const real *b,
                        int ldb, real beta, real *c, int ldc)
{
    REAL_GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k,
              1, a, lda, b, ldb, beta, c, ldc);
}

/* A function compiled for several processors, the best of which is chosen when the program
   starts. Sanitizers can't instrument that choice. */
#if defined __x86_64__ && !defined __clang__ && !defined __SANITIZE_ADDRESS__
#define SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), \
                            optimize("O3")))
#else
#define SIMD
#endif

#endif
