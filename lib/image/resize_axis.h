/* Inside resampling: the weights of an axis, and the two passes in their portable form. */
#ifndef MIEN_IMAGE_RESIZE_AXIS_H
#define MIEN_IMAGE_RESIZE_AXIS_H

#include <stddef.h>
#include <stdint.h>

#include "mien/image.h"

#define WEIGHT_BITS 22 /* fraction bits of a weight, as many as leave room for a sum in 32 bits */
#define LOW_BITS    11

/* How one axis is resampled: output pixel i is the sum over k < taps of weight[i * taps + k] times
   source pixel first[i] + k. The number of taps is even; the last ones are zero where fewer count.
   All lie within the source, but for the last one of a source of taps - 1 pixels. */
struct axis {
    int in, out, taps;
    double start, len; /* the part of the source that is resampled */
    enum mien_resampling filter;
    int *first;
    double *real; /* the weights before rounding */
    int32_t *weight;
    int16_t *split; /* for each pair of weights w and v: their high parts w >> LOW_BITS and
                       v >> LOW_BITS, then the remainders, for arithmetic on 16 bits */
    size_t cap_out, cap_weight;
};

/* Sets the weights of a zeroed or earlier used axis, from the source's pixels start to start + len.
   Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int resize_axis_set(struct axis *a, int in, double start, double len, int out,
                                 enum mien_resampling f);
void resize_axis_free(struct axis *a);

/* The taps that lie within the source. */
static inline int axis_taps(const struct axis *a)
{
    return a->taps < a->in ? a->taps : a->in;
}

/* A pass along rows: h rows of src, x->in pixels each, to rows of x->out pixels. */
void resize_rows(const struct axis *x, const unsigned char *src, int h, unsigned char *dst);

/* A pass along columns: y->in rows of src, n bytes each, to y->out rows. */
void resize_columns(const struct axis *y, const unsigned char *src, size_t n, unsigned char *dst);

/* A part of it: output row i, from byte `from` on, to dst. */
void resize_column_part(const struct axis *y, int i, const unsigned char *src, size_t n,
                        size_t from, unsigned char *dst);

#endif
