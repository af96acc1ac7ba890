/* Which inner loops a training runs on. */
#ifndef MIEN_TRAIN_PRECISION_H
#define MIEN_TRAIN_PRECISION_H

#include <stdbool.h>

#include "kernel/gemm.h"

/* What convolutions multiply: floats, or floats rounded to bfloat16 (kernel/gemm.h), which then are
   the outputs and gradients between some layers, too (needs.h); sums, weights, statistics, all other
   layers, the loss and the optimizer are floats in both. AUTO: bfloat16 where the processor
   multiplies it. */
enum train_precision { TRAIN_FLOAT, TRAIN_BF16, TRAIN_AUTO };

/* FLOAT or BF16. */
enum train_precision train_precision_of(enum train_precision wanted);

struct train_kernels {
    const struct simd *simd;
    /* Products of convolutions, and of other layers; NULL: OpenBLAS's. */
    const struct gemm *conv, *other;
};

/* precision is FLOAT or BF16. Returns 0, or MIEN_ERR_ARG where the processor has none. */
MIEN_CHECKED int train_kernels_choose(struct train_kernels *k, enum train_precision precision,
                                      struct mien_err *e);

/* Whose order of sums the products of a precision have: "terms", or on AMX "tiles". */
const char *train_order(enum train_precision precision);

/* "precision float, products by avx512": whoever compares times or bytes wants to know what ran.
   Returns train_kernels_choose's codes. */
enum { TRAIN_KERNELS_TEXT = 120 };
MIEN_CHECKED int train_kernels_describe(enum train_precision precision,
                                        char text[TRAIN_KERNELS_TEXT], struct mien_err *e);

#endif
