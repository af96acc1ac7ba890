/*
 * Training's convolutions on the inner loops of inference, where these win: in float, depthwise ones
 * of bfloat16 too; the trainer falls back on layers.h and grad.h. Weights change from step to step,
 * so what is packed of them is packed anew. Dense layers aren't among them: a batch has too few
 * rows for packing to pay.
 */
#ifndef MIEN_TRAIN_FAST_CONV_H
#define MIEN_TRAIN_FAST_CONV_H

#include <stdbool.h>

#include "kernel/conv.h"
#include "kernel/depthwise.h"

struct fast_conv {
    const struct simd *simd; /* NULL: it is computed otherwise */
    struct layer l;
    struct shape in;
    struct conv conv; /* forward */
    struct conv back; /* from the output's gradient to the input's, where has_back */
    bool has_back;
    float *flipped; /* back's weights before packing, or a depthwise filter's, last tap first */
    float *zeros;   /* no bias, and pixels beyond the border */
    enum act act;
    bool bf16; /* x, y and their gradients are bfloat16; else floats */
};

/* Prepares for layer l, which reads `in` and stores act of its sums; back: the input's gradient is
   wanted too; bf16: for a layer that train_dwconv_in_bf16 says can. f->simd stays NULL where it
   doesn't win. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int fast_conv_make(struct fast_conv *f, struct arena *arena, const struct simd *simd,
                                const struct layer *l, struct shape in, enum act act, bool back,
                                bool bf16);
void fast_conv_free(struct fast_conv *f);

/* Takes the layer's weights; bias may be NULL. They must stay as they are until the next call. */
void fast_conv_weights(struct fast_conv *f, const float *w, const float *bias);

/* Bytes of scratch that the next ones need. */
size_t fast_conv_scratch(const struct fast_conv *f);

/* y[n, l.shape] = act(layer(x[n, in])), and dx[n, in] from dy[n, l.shape]. */
void fast_conv_forward(const struct fast_conv *f, const float *w, const float *bias, const void *x,
                       void *y, size_t n, void *scratch);
void fast_conv_back(const struct fast_conv *f, const void *dy, void *dx, size_t n, void *scratch);

/* Adds to dw what n images of a depthwise 3x3 layer contribute to its weights' gradient. */
void fast_conv_dw3_weights(const struct fast_conv *f, const void *x, const void *dy, float *dw,
                           size_t n);

#endif
