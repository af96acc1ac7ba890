/*
 * The arithmetic of single layers, forward, on n images of contiguous channels-last tensors.
 * Inference and training share it. Nothing here allocates; x and y don't overlap unless said.
 */
#ifndef MIEN_LAYERS_LAYERS_H
#define MIEN_LAYERS_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "net/net.h"
#include "real.h"

enum act { ACT_NONE, ACT_RELU, ACT_RELU6, ACT_PRELU };

/* What is applied to a layer's sums before they are stored. bias and slope have one element a
   channel; bias may be NULL, slope is for ACT_PRELU alone. */
struct tail {
    const real *bias;
    enum act act;
    const real *slope;
};

/* The activation that a layer of this type is; ACT_NONE for others. */
enum act k_act(enum layer_type t);

/* y = tail(y), in place: rows x c elements. */
void k_tail(real *y, size_t rows, int c, const struct tail *t);

/* Whether a convolution is a plain product of matrices. */
int k_is_pointwise(const struct layer *l);

/* The part [from, to) of a window of k at `at` that lies inside of an extent. */
void k_inside(int at, int k, int extent, int *from, int *to);

/* Depthwise convolution. zeros is a row of in.w x in.c zeros. */
void k_dwconv(const struct layer *l, struct shape in, const real *w, const struct tail *t,
              const real *x, real *y, size_t n, const real *zeros);

/* Transposed convolution. */
void k_tconv(const struct layer *l, struct shape in, const real *w, const struct tail *t,
             const real *x, real *y, size_t n);

/* The output pixel that a tap of the kernel adds to from an input pixel, or -1; all are counted row
   by row. */
int k_tconv_place(const struct layer *l, struct shape in, int pixel, int tap);

/* One image's output from the products x (in.h, in.w, kh, kw, units). */
void k_tconv_add(const struct layer *l, struct shape in, const real *x, const struct tail *t,
                 real *y);

/* y[n, units] = b + x[n, inputs] w, one weight an input. */
void k_coral(size_t inputs, int units, const real *w, const real *b, const real *x, real *y,
             size_t n);

/* y = x * scale + shift for each channel; may be in place. */
void k_scale(real *y, const real *x, size_t rows, int c, const real *scale, const real *shift);

/* Pooling. which, when not NULL, receives the index within the image of each maximum. */
void k_maxpool(const struct layer *l, struct shape in, const real *x, real *y, uint32_t *which,
               size_t n);
void k_avgpool(const struct layer *l, struct shape in, const real *x, real *y, size_t n);
/* What each element under an average's window is multiplied by. */
real k_avgpool_share(const struct layer *l, struct shape in, int oy, int ox);
void k_gap(struct shape in, const real *x, real *y, size_t n);

/* A function of one number, l->type, of each of n elements. May be in place. */
void k_unary(const struct layer *l, const real *x, real *y, size_t n);

/* Over count elements an image; may be in place. */
void k_softmax(const real *x, real *y, size_t count, size_t n);

/* Over l->axes. */
void k_softmax_over(const struct layer *l, const real *x, real *y, size_t n, bool logarithm);
void k_l2norm(const struct layer *l, const real *x, real *y, size_t n);

/* Normalization by mean and deviation over l->axes; gamma and beta may both be NULL. */
void k_norm(const struct layer *l, const real *gamma, const real *beta, const real *x, real *y,
            size_t n);

/* The mean, and 1 / the deviation, of the output of a walk that begins at `from`. */
struct moments {
    real mean, inverse;
};
struct walk;
struct moments k_moments(const struct layer *l, const struct walk *k, const real *x, size_t from);

/* Local response normalization (Krizhevsky et al. 2012) of pixels; and for one pixel x the channels
   [from, to) that channel c is divided by, and k + alpha / size times the sum of their squares. */
void k_lrn(const struct layer *l, const real *x, real *y, size_t rows);
void k_lrn_window(const struct layer *l, int c, int *from, int *to);
real k_lrn_sum(const struct layer *l, const real *x, int c);

/* What l->kind makes of the elements along l->axes. */
void k_reduce(const struct layer *l, struct shape in, const real *x, real *y, size_t n);

/* Interpolation; back: from a gradient x of the output that of the input, y. */
void k_resize(const struct layer *l, struct shape in, const real *x, real *y, size_t n, bool back);

/* A product of matrices x0 (a.h; a.w, a.c) and x1, and from its gradient that by side 0 or 1. */
void k_matmul(const struct layer *l, struct shape a, struct shape b, const real *x0, const real *x1,
              real *y, size_t n);
void k_matmul_back(const struct layer *l, struct shape a, struct shape b, const real *x0,
                   const real *x1, int by, const real *dy, real *d, size_t n);

/* A side of arithmetic: (n, s.h, s.w, s.c), of which an extent of 1 is repeated; a constant is the
   same for all images. */
struct operand {
    const real *x;
    struct shape s;
    bool constant;
};

/* The elements by which an operand moves on from one row, column, channel of an output of shape
   `out`, and image, to the next: 0 where it is repeated. */
struct strides {
    size_t h, w, c, image;
};
struct strides k_strides(const struct operand *a, struct shape out);

/* y (n, out) of a and b. */
void k_arith(enum layer_type type, struct shape out, const struct operand *a,
             const struct operand *b, real *y, size_t n);

/* y += x */
void k_add(real *y, const real *x, size_t n);

/* Copies x's channels behind the channels [0, at) of y, whose rows have `width` channels. */
void k_place(const real *x, int c, real *y, int at, int width, size_t rows);

/* What a concat layer's input of n images is to k_place: blocks and how many of them. */
void k_concat_rows(const struct layer *l, struct shape in, size_t n, int *block, size_t *rows);

/* Turns the axes of an input seen as l->view to l->order; back: an output to the input. */
void k_permute(const struct layer *l, const real *x, real *y, size_t n, bool back);

/* A part of an input; back: puts a part x where in y (n, in) it comes from. */
void k_slice(const struct layer *l, struct shape in, const real *x, real *y, size_t n, bool back);

/* An output pixel y of a pad layer that repeats an image's input x; back: adds it to x. */
void k_pad_pixel(const struct layer *l, struct shape in, int pixel, real *y, real *x, bool back);

/* Pads rows, columns and channels. */
void k_pad(const struct layer *l, struct shape in, const real *x, real *y, size_t n);

/* An image as an input: y = (pixel - mean[c]) * scale in the input's channel order. */
void k_pixels(const unsigned char *rgb, real *y, size_t npixel, int bgr, const float mean[3],
              float scale);

#endif
