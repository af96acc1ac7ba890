/*
 * Convolutions for inference that multiply bfloat16s, or floats rounded to such (gemm.h), and give
 * either: twice the products a second of floats where the processor has the instruction.
 */
#ifndef MIEN_KERNEL_CONV_BF16_H
#define MIEN_KERNEL_CONV_BF16_H

#include <stdbool.h>

#include "gemm.h"
#include "util/aligned.h"

struct conv_bf16 {
    const struct gemm *gemm;
    struct layer l;
    struct shape in;
    struct tail tail;
    struct packed w;
};

/* Whether a layer is one for this: an undivided convolution. */
bool conv_bf16_fits(const struct layer *l);

/* Takes a layer that reads `in`, its weights as net.h lays them out, what the input's channels are
   on average (in.c means, or NULL; see bf16_balance), and what is applied to its sums, whose arrays
   stay the caller's and are kept; it packs the weights in the arena. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int conv_bf16_make(struct conv_bf16 *c, struct arena *arena, const struct gemm *gemm,
                                const struct layer *l, struct shape in, const float *w,
                                const float *mean, const struct tail *t);

/* Bytes of scratch that conv_bf16_run needs. */
size_t conv_bf16_scratch(const struct conv_bf16 *c);

/* y[n, shape] = act(conv(x[n, in]) + add[n, shape]). add may be NULL; it must be, and act has no
   slopes, where y is bfloat16. */
void conv_bf16_run(const struct conv_bf16 *c, struct reals x, const float *add, struct reals y,
                   size_t n, void *scratch);

#endif
