/* Depthwise convolutions: every channel has a filter of its own. */
#ifndef MIEN_KERNEL_DEPTHWISE_H
#define MIEN_KERNEL_DEPTHWISE_H

#include <stdbool.h>

#include "simd.h"

struct depthwise {
    const struct simd *simd;
    struct layer l;
    struct shape in;
    struct dw dw;
    /* Inputs and outputs are bfloat16; outputs may be so alone, which depthwise_make leaves to the
       caller. */
    bool from_bf16, to_bf16;
    int columns; /* of a strip; 0: it is filtered row by row */
};

/* Takes a layer of type L_DWCONV that reads `in`. The arrays stay the caller's and are kept:
   weights as net.h lays them out, bias, and slope (any array of in.c floats unless ACT_PRELU).
   bf16: of at least 16 channels. */
struct depthwise depthwise_make(const struct simd *simd, const struct layer *l, struct shape in,
                                const float *w, const struct tail *t, bool bf16);

/* Bytes of scratch that depthwise_run needs. */
size_t depthwise_scratch(const struct depthwise *d);

/* y[n, shape] = x[n, in] filtered. zeros: in.c of them. */
void depthwise_run(const struct depthwise *d, const void *x, void *y, size_t n, const void *zeros,
                   void *scratch);

#endif
