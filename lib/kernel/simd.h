/*
 * The inner loops of inference, in several variants of one source (simd_body.h): for AVX-512, for
 * AVX2, and a portable one. A function adds up a result's terms in the same fixed order in every
 * variant, whatever the rows and images around it.
 */
#ifndef MIEN_KERNEL_SIMD_H
#define MIEN_KERNEL_SIMD_H

#include <stdbool.h>
#include <stddef.h>

#include "bf16.h"
#include "layers/layers.h"
#include "mien/err.h"

/* A tile of a product of matrices: c[m, n] = a b, for at most mr x nr elements of c. a is given by
   pointers, so that patches of an image need not be copied: term (t, k) of row i is
   rows[t * mr + i][at + k], 0 <= t < taps, 0 <= k < len; mr pointers must be there whatever m is.
   b is a panel of nr columns: taps x len rows of nr elements. */
struct tile {
    const float *const *rows;
    size_t at, taps, len;
    const float *b;
    float *c;
    size_t ldc;
    int m, n;
    const float *bias; /* nr of them, or NULL: added to the products */
    const float *add;  /* elements as c's, ldc apart, or NULL: added too; c goes on with itself */
    const struct tail *tail; /* applied before the store: its activation, slope; or NULL */
    const float *slope;      /* nr of them */
};

/* A depthwise filter over nc channels, at least `lanes` of the variant. */
struct dw {
    size_t nc, taps;
    const float *w, *bias, *slope; /* [taps, nc], [nc], [nc] */
    enum act act;
};

enum { DW3_PIXELS = 4 };

/* A row of output pixels of a 3x3 depthwise filter and the three rows of input under it. */
struct dw3_row {
    const void *row[3];
    size_t nc;
    int width, columns; /* of the input, of the output */
    int x0, stride;     /* the input column under the first tap of the first output pixel */
};

/* A strip of outputs of a 3x3 depthwise filter of stride 1: as many rows as the variant makes at
   once, `columns` wide. */
struct dw3_strip {
    const void *const *row; /* of the input: two more, NULL where the strip reaches beyond it */
    int width;              /* of the input */
    int x0;                 /* its column under the first tap of the first output */
    int columns;
    void *y; /* the first row's first output; the next row's is `line` elements further */
    size_t line;
};

/* Inner loops of depthwise filters, over floats or bfloat16s (bf16.h), or from floats to bfloat16s,
   which have no gradients; sums, weights and their gradients are floats. */
struct depthwise_loops {
    /* One pixel y[nc] of a filter, from the pixels under its taps. */
    void (*dw)(const struct dw *d, const void *const *tap, void *y);
    /* DW3_PIXELS pixels in a row of a 3x3 filter, of stride 1 and 2, from the pixels of three rows
       under it. */
    void (*dw3[2])(const struct dw *d, const void *const *pixel, void *y);
    void (*dw3_strip)(const struct dw *d, const struct dw3_strip *s);
    /* Four pixels dx, two by two, of the input's gradient of a 3x3 filter of stride 2, from those of
       the outputs around: dy, two by two, row by row. The first of dx has taps 8, 6, 2 and 0 on dy's
       first to last, the second 7 and 1 on its right ones, the third 5 and 3 on its lower ones, and
       the last one 4 on the last. w[9, nc] has the taps in this order. dx may be NULL in part. */
    void (*dw3_back)(size_t nc, const float *w, const void *const dy[4], void *const dx[4]);
    /* Adds to dw[9, nc] what the gradients dy of a row of outputs contribute to the filter's; nc is
       at least `lanes`. */
    void (*dw3_weights)(const struct dw3_row *r, const void *dy, float *dw);
};

/* A normalization of nc channels in training, op_norm.c's: the mean, the inverse of the deviation,
   and y = x * scale + shift, cut at least and most by the relu behind it. */
struct bn {
    size_t nc;
    const real *mean, *inv, *scale, *shift; /* (nc) */
    real least, most;
    const real *by; /* (3, nc), for bn_grad */
};

/* Inner loops over rows of channels in bfloat16, at least 16 of them. */
struct row_loops {
    /* sum[nc] += the rows, which are ld apart. */
    void (*add_rows)(const bfloat *x, size_t ld, size_t rows, size_t nc, real *sum);
    /* sum[2, nc] += those of x - mean and of their squares. */
    void (*bn_sums)(const struct bn *b, const bfloat *x, size_t rows, real *sum);
    void (*bn_scale)(const struct bn *b, const bfloat *x, bfloat *y, size_t rows);
    /* With d for dy where y wasn't cut, elsewhere 0: sum[2, nc] += those of d and of d * (x - mean) *
       inv; and dx = d * by[0] - by[1] - (x - mean) * by[2]. */
    void (*bn_grad_sums)(const struct bn *b, const bfloat *x, const bfloat *dy, size_t rows,
                         real *sum);
    void (*bn_grad)(const struct bn *b, const bfloat *x, const bfloat *dy, bfloat *dx, size_t rows);
};

struct simd {
    const char *name; /* amx, avx512, avx2, portable */
    bool amx;         /* products of bfloat16s are made in tiles, gemm_amx.h's */
    int lanes, mr, nr, strip;
    const struct simd
        *other; /* one with another nr, whose panels some units fill better, or NULL */
    void (*tile)(const struct tile *t);
    struct depthwise_loops of_float, of_bf16, to_bf16;
    struct row_loops rows;
    /* Winograd's transforms of a patch of 4x4 pixels to 16 values `stride` apart, and of 16 such
       sums to 2x2 outputs with bias and activation, out[0] the last one and stored first. */
    void (*winograd_in)(const float *const pixel[16], float *v, size_t stride, size_t nc);
    void (*winograd_out)(const float *m, size_t stride, size_t nc, const float *bias,
                         const float *slope, enum act act, float *const out[4]);
};

/* The best variant that this processor runs, or the one that the environment's MIEN_SIMD names;
   NULL with a message where it doesn't run that one. */
const struct simd *simd_choose(struct mien_err *e);

/* Whether the processor has AMX for bfloat16 and the system lets this process use it: Linux saves
   tiles only of processes that have asked for them, which this does. */
bool amx_allowed(void);

#endif
