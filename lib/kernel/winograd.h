/*
 * 3x3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray, 2015): patches of
 * 4x4 pixels and filters are transformed so that 16 products of matrices give 2x2 outputs, where
 * plain sums need 36. Its rounding errors are of the size of plain sums'.
 */
#ifndef MIEN_KERNEL_WINOGRAD_H
#define MIEN_KERNEL_WINOGRAD_H

#include "conv.h"

struct winograd {
    struct conv
        product[16]; /* one for each place in a patch: [patches, in.c] to [patches, units] */
    struct layer l;
    struct shape in;
    enum act act;
    const float *bias, *slope;
};

/* Whether it can compute layer l and pays. */
bool winograd_fits(const struct simd *simd, const struct layer *l, struct shape in);

/* As conv_make, but the tail's arrays stay the caller's and are kept. */
MIEN_CHECKED int winograd_make(struct winograd *wg, struct arena *arena, const struct simd *simd,
                               const struct layer *l, struct shape in, const float *w,
                               const struct tail *t);

/* As conv_scratch, conv_zeros and conv_run. */
size_t winograd_scratch(const struct winograd *wg);
size_t winograd_zeros(const struct winograd *wg);
void winograd_run(const struct winograd *wg, const float *x, float *y, size_t n, const float *zeros,
                  void *scratch);

#endif
