/*
 * Convolutions and dense layers for inference: products of matrices whose left side is read where
 * it lies, patch by patch, and whose right side, the weights, is packed once.
 */
#ifndef MIEN_KERNEL_CONV_H
#define MIEN_KERNEL_CONV_H

#include "simd.h"
#include "util/aligned.h"

struct conv {
    const struct simd *simd;
    struct layer l;
    struct shape in;
    enum act act;
    /* A tap is `span` pixels of a patch's row, which lie side by side, so that a tap's terms are
       not too few. */
    int span, taps, len, units; /* of one group: taps a patch, terms a tap, outputs */
    int block_taps, block_len;  /* terms summed up at once: whole taps, or a part of one */
    int block_rows;             /* output pixels worked off at once */
    size_t padded;              /* units, rounded up to panels */
    float *w;                   /* conv.c draws it */
    float *bias, *slope;        /* (groups, padded) */
};

/* Takes a layer of type L_CONV or L_DENSE that reads `in`, its weights as net.h lays them out, and
   what is applied to its sums; it keeps copies in the arena. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int conv_make(struct conv *c, struct arena *arena, const struct simd *simd,
                           const struct layer *l, struct shape in, const float *w,
                           const struct tail *t);

/* Takes other weights and another bias. */
void conv_weights(struct conv *c, const float *w, const float *bias);

/* Bytes of scratch that conv_run needs, and floats of zeros. */
size_t conv_scratch(const struct conv *c);
size_t conv_zeros(const struct conv *c);

/* y[n, shape] = act(conv(x[n, in]) + add[n, shape]); add may be NULL. zeros: conv_zeros of them. */
void conv_run(const struct conv *c, const float *x, const float *add, float *y, size_t n,
              const float *zeros, void *scratch);

#endif
