/*
 * Convolutions in eight bits for inference, which take floats and give floats: an image's values
 * become whole numbers between its least and its largest, the weights of an output whole numbers
 * up to its largest, and the sums of their products are exact. Four times the products a second of
 * floats where the processor has instructions for them.
 *
 * The scheme is that of Jacob et al., "Quantization and training of neural networks for efficient
 * integer-arithmetic-only inference" (CVPR 2018), with a scale for each output's weights, and
 * ranges of the values taken from each image rather than from calibration.
 */
#ifndef MIEN_KERNEL_CONV_INT8_H
#define MIEN_KERNEL_CONV_INT8_H

#include <stdbool.h>

#include "int8.h"
#include "util/aligned.h"

struct conv_int8 {
    const struct int8_simd *variant;
    struct layer l;
    struct shape in;
    enum act act;
    size_t words;  /* 32-bit words of a pixel's values */
    size_t padded; /* units, rounded up to panels */
    void *w;       /* panel after panel */
    int32_t *sum;  /* of each unit's weights */
    float *scale, *bias, *slope;
};

/* Whether a layer that reads `in` is one for this: an undivided convolution of at least 64
   channels. With fewer there is little to gain, and errors so early cost most. */
bool conv_int8_fits(const struct layer *l, struct shape in);

/* As conv_make, conv_zeros and conv_run; the scratch depends on the images of a run. */
MIEN_CHECKED int conv_int8_make(struct conv_int8 *c, struct arena *arena,
                                const struct int8_simd *variant, const struct layer *l,
                                struct shape in, const float *w, const struct tail *t);
size_t conv_int8_scratch(const struct conv_int8 *c, size_t n);
size_t conv_int8_zeros(const struct conv_int8 *c);
void conv_int8_run(const struct conv_int8 *c, const float *x, const float *add, float *y, size_t n,
                   const float *zeros, void *scratch);

#endif
