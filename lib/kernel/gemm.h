/*
 * Products of matrices, in float or with operands rounded to bfloat16: on AVX2 with FMA, on AVX-512
 * and on AMX; for other processors there is a BLAS. Both operands are packed, so that each
 * may be transposed and no shape falls off.
 *
 * An element of a product is summed in blocks of terms, each from zero on and term after term,
 * whose length depends on the precision alone; the blocks' sums are added up in order. So its bytes
 * are the same for every variant of a precision, wherever the product is cut into rows and columns.
 *
 * bfloat16 is a float's upper half, rounded to the nearest, ties to even. Two terms are summed by
 * one instruction (vdpbf16ps), the second before the first; its sums are floats. Where it is
 * missing the float kernels multiply the same rounded numbers in the same order, at half the speed,
 * and give the same bytes; but the instruction takes numbers below 2^-126 for zero, and they don't.
 *
 * AMX adds up the first terms of 16 words, and the second ones, then both, and that to the element,
 * over the blocks, too: an order that vdpbf16ps can't follow. So its bytes are its own.
 */
#ifndef MIEN_KERNEL_GEMM_H
#define MIEN_KERNEL_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "bf16.h"
#include "simd.h"

/* `count` rows or columns of an operand, `each` of them in a panel, term after term: (words, w),
   with zeros behind them; or, of rows with `by_row`, row after row, w words apart. Panels begin
   `step` floats apart. */
struct panels {
    float *at;
    size_t step;
    int count, each, w;
};

/* Pack terms [0, k) at x. along: a term's elements lie side by side, terms are ld apart; across: the
   other way round. The second ones of each take bfloat16, NULL in float. */
struct packing {
    void (*along)(const float *x, size_t ld, int k, const struct panels *p);
    void (*across)(const float *x, size_t ld, int k, const struct panels *p);
    void (*along_bf16)(const bfloat *x, size_t ld, int k, const struct panels *p);
    void (*across_bf16)(const bfloat *x, size_t ld, int k, const struct panels *p);
};

/* What whole sums become: min(most, max(least, sum + bias)), and where they go; with y NULL they
   stay floats, in c. bias may be NULL. */
struct finish {
    const float *bias;
    float least, most;
    bfloat *y;
    size_t ldy;
};

/* The inner loops. A word is a term, or with `pairs` two. */
struct gemm {
    const char *name; /* as mien-train's log has it */
    bool bf16, pairs;
    bool by_row; /* the left side's panels are rows of words, in twos, as they are in memory */
    int mr, nr;  /* the most rows and the columns of a tile */
    int lanes;
    int block; /* terms that are summed at once */
    int words; /* a block has a multiple of so many, those behind the terms are zeros */
    struct packing left, right;
    /* Called by a thread before and after it multiplies; may be NULL. */
    void (*begin)(void);
    void (*end)(void);
    /* c[m, n] = the product of m rows and a panel of nr columns; added to c with `add`. a: a panel,
       `lanes` wide, where step is 0; else, of pairs, bfloat16s, the rows `step` bytes apart. to,
       unless it is NULL: how the sums are finished. */
    void (*tile)(size_t words, const void *a, size_t step, int m, const float *b, float *c,
                 size_t ldc, int n, bool add, const struct finish *to);
};

/* What belongs to the variant that simd_choose chose; NULL: there is none, a BLAS must do. */
const struct gemm *gemm_choose(const struct simd *simd, bool bf16);

/* The variants, for tests: the i-th that this processor runs, or NULL. */
const struct gemm *gemm_variant(size_t i);

/* A matrix: element (i, j) is x[i * ld + j], or x[j * ld + i] where it is transposed; or half's,
   where x is NULL and the products are bfloat16's. */
struct matrix {
    const float *x;
    size_t ld;
    bool transposed;
    const bfloat *half;
};

/* Rows that are multiplied at once: callers that cut a product's rows themselves do well to take as
   many. Whole tiles of each variant. */
enum { GEMM_ROWS = 224 };

/* Floats of scratch that gemm_run needs. */
size_t gemm_scratch(const struct gemm *g);

/* c[m, n] = a[m, k] b[k, n], added to c with `add`; c's rows are ldc apart and it overlaps neither.
   With k == 0 the product is zero. */
void gemm_run(const struct gemm *g, int m, int n, int k, struct matrix a, struct matrix b, bool add,
              float *c, size_t ldc, float *scratch);

/* An operand packed once for many products: the rows of a left one (rows, terms), or the columns of
   a right one (terms, columns); `many` of them. */
struct packed {
    float *at; /* packed_floats of them, the caller's */
    int many, terms;
    bool left;
};
size_t packed_floats(const struct gemm *g, const struct packed *p);

/* Packs terms [from, from + count) of x, which begins with the first; both are even, the last count
   apart. Threads may pack different terms. */
void gemm_pack(const struct gemm *g, const struct packed *p, struct matrix x, int from, int count);

/* gemm_run with b packed; c = tail(a b), where the tail has no slope and may be NULL. */
void gemm_run_packed(const struct gemm *g, int m, struct matrix a, const struct packed *b,
                     const struct tail *t, float *c, size_t ldc, float *scratch);

/* y[m, n] = tail(a b), where y is bfloat16 and the tail has no slope. room: m x n floats for sums of
   more than a block of terms. */
void gemm_run_bf16(const struct gemm *g, int m, struct matrix a, const struct packed *b,
                   const struct tail *t, bfloat *y, float *room, float *scratch);

/* c[m, n] = a b, all of them packed: rows [i, i + m) and columns [j, j + n), where i and j are
   multiples of gemm_step. c is their place. */
void gemm_run_block(const struct gemm *g, const struct packed *a, const struct packed *b, int i,
                    int j, int m, int n, float *c, size_t ldc);
int gemm_step(const struct gemm *g, const struct packed *p);

#endif
