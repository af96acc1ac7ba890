/*
 * bfloat16: a float's upper half, rounded to the nearest, ties to even. What is no normal number
 * becomes zero, as the processors' instructions have it; NaNs stay such.
 */
#ifndef MIEN_KERNEL_BF16_H
#define MIEN_KERNEL_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mien/err.h"
#include "layers/real.h"

typedef uint16_t bfloat;

static inline float bf16_float(bfloat x)
{
    uint32_t bits = (uint32_t)x << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline bfloat bf16_round(float x)
{
    uint32_t u, size, r;
    memcpy(&u, &x, sizeof u);
    size = u & 0x7fffffff;
    r = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    r = size < 0x800000 ? u >> 31 << 15 : r;
    r = size > 0x7f800000 ? u >> 16 | 0x40 : r;
    return (bfloat)r;
}

/* An array in one of two forms; the other is NULL. */
struct reals {
    real *f;
    bfloat *h;
};

static inline struct reals reals_from(struct reals a, size_t at)
{
    return (struct reals){a.f != NULL ? a.f + at : NULL, a.h != NULL ? a.h + at : NULL};
}

/* Floats that aren't written to. */
static inline struct reals reals_floats(const real *x)
{
    return (struct reals){(real *)x, NULL};
}

/* room for elements of a's form. */
static inline struct reals reals_like(struct reals a, real *room)
{
    return a.f != NULL ? (struct reals){room, NULL} : (struct reals){NULL, (bfloat *)(void *)room};
}

static inline struct reals reals_of(void *at, bool bf16)
{
    return bf16 ? (struct reals){NULL, at} : (struct reals){at, NULL};
}

static inline void *reals_at(struct reals a)
{
    return a.f != NULL ? (void *)a.f : a.h;
}

static inline size_t reals_size(struct reals a)
{
    return a.f != NULL ? sizeof *a.f : sizeof *a.h;
}

static inline bool reals_there(struct reals a)
{
    return a.f != NULL || a.h != NULL;
}

/* n elements, which don't overlap. */
void bf16_widen(const bfloat *x, real *y, size_t n);
void bf16_narrow(const real *x, bfloat *y, size_t n);

/* Rounds weights w[terms, units], each to one of the bfloat16s beside it, into y: to the nearest, but
   for those few that it takes for the errors of a unit's weights to add up to about nothing, each
   times mean[t % channels], what term t is multiplied by on average (NULL: the same for all).
   Otherwise a network's output is off by the same amount for all images. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int bf16_balance(const float *w, size_t terms, size_t units, const float *mean,
                              size_t channels, float *y);

/* y += x */
void bf16_add(bfloat *y, const bfloat *x, size_t n);

/* n of a's elements from `at` on, where they lie if they are floats, or else in `room`. */
static inline const real *reals_read(struct reals a, size_t at, size_t n, real *room)
{
    if (a.f != NULL)
        return a.f + at;
    bf16_widen(a.h + at, room, n);
    return room;
}

#endif
