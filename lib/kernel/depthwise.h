/* Depthwise convolutions for inference: every channel has a filter of its own. */
#ifndef MIEN_KERNEL_DEPTHWISE_H
#define MIEN_KERNEL_DEPTHWISE_H

#include "simd.h"

struct depthwise {
    const struct simd *simd;
    struct layer l;
    struct shape in;
    struct dw dw;
    int columns; /* of a strip; 0: it is filtered row by row */
};

/* Takes a layer of type L_DWCONV that reads `in`. The arrays stay the caller's and are kept:
   weights as net.h lays them out, bias, and slope (any array of in.c floats unless ACT_PRELU). */
struct depthwise depthwise_make(const struct simd *simd, const struct layer *l, struct shape in,
                                const float *w, const struct tail *t);

/* Bytes of scratch that depthwise_run needs. */
size_t depthwise_scratch(const struct depthwise *d);

/* y[n, shape] = x[n, in] filtered. zeros: in.c of them. */
void depthwise_run(const struct depthwise *d, const float *x, float *y, size_t n,
                   const float *zeros, void *scratch);

#endif
