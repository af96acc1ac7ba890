/*
 * The inner loops of products in eight bits, in several variants of one source (int8_body.h), as
 * simd.h has them for floats. Values are unsigned, weights signed; sums are whole numbers, so that
 * every variant has the same.
 */
#ifndef MIEN_KERNEL_INT8_H
#define MIEN_KERNEL_INT8_H

#include <stddef.h>
#include <stdint.h>

#include "layers/layers.h"
#include "simd.h"

enum { INT8_MOST_VALUE = 255, INT8_MOST_WEIGHT = 127 }; /* the largest value and weight */

/* A value v stands for scale x (v - zero). zero is one itself: the number 0 has no error. scale is
   NaN where there were numbers without an end, and so is all that comes of them. */
struct int8_range {
    float scale;
    int32_t zero;
};

/* A tile of a product of matrices, as struct tile: c = act(a b + bias + add). */
struct int8_tile {
    const void *const *rows;           /* mr pointers a tap, to its values */
    size_t taps, steps;                /* 32-bit words of a tap's values */
    const void *b;                     /* a panel of nr columns: taps x steps rows of nr words */
    const struct int8_range *range;    /* mr of them, of the rows */
    const int32_t *sum;                /* nr of each: a column's sum, the scale of its weights, */
    const float *scale, *bias, *slope; /* and what is applied to the sums */
    enum act act;
    const float *add; /* elements as c's, or NULL */
    float *c;
    size_t ldc;
    int m, n;
};

struct int8_simd {
    const char *name; /* avx512vnni, avx512bw, avx2, portable */
    int lanes, mr, nr;
    int size; /* bytes of a value and of a weight: 1, or 2 where eight bits have no instruction */
    void (*tile)(const struct int8_tile *t);
    /* Widens lo to hi, which hold 0, to the least and largest of x[n]; hi becomes NaN when one of
       these is, or is infinite. */
    void (*extent)(const float *x, size_t n, float *lo, float *hi);
    /* The values, `size` bytes each, of pixels of nc numbers; `words` 32-bit words a pixel. */
    void (*quantize)(const float *x, size_t pixels, size_t nc, const struct int8_range *r, void *to,
                     size_t words);
};

/* The variant with that many better ones among those that this processor runs; NULL behind the
   last. */
const struct int8_simd *int8_variant(size_t better);

/* The best variant of this processor that is of the kind of `simd`, or of a lesser one. */
const struct int8_simd *int8_choose(const struct simd *simd);

/* The range of values between lo and hi, which hold 0. */
struct int8_range int8_range(float lo, float hi);

#endif
