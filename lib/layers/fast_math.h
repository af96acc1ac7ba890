/*
 * Functions of real numbers that loops can compute for many at once: in floats, polynomials without
 * a branch, right to a few units in the last place (erf to 6e-7 of 1); in double, those of the
 * library.
 */
#ifndef MIEN_LAYERS_FAST_MATH_H
#define MIEN_LAYERS_FAST_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "real.h"

#define REAL_SQRT1_2 ((real)0.70710678118654752440)

#ifdef MIEN_DOUBLE

#define R(name) name
static inline real real_exp(real x)
{
    return exp(x);
}

static inline real real_erf(real x)
{
    return erf(x);
}

static inline real real_tanh(real x)
{
    return tanh(x);
}

#else

#define R(name) name##f

/* 2^n times a polynomial of the rest, n the whole number next to x / ln 2 (after Cephes' expf). What
   overflows is the largest power. */
static inline real real_exp(real x)
{
    const float magic = 12582912; /* 1.5 * 2^23: sums with it are rounded to whole numbers */
    x = x < -87.3f ? -87.3f : x > 88.7f ? 88.7f : x;
    float t = x * 1.44269504f + magic, n = t - magic;
    float r = x - n * 0.693359375f - n * -2.12194440e-4f, p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    uint32_t bits, one;
    memcpy(&bits, &t, sizeof bits);
    memcpy(&one, &p, sizeof one);
    one += bits << 23; /* to p's exponent */
    memcpy(&p, &one, sizeof p);
    return x == x ? p : x;
}

/* Abramowitz and Stegun 7.1.26 */
static inline real real_erf(real x)
{
    float size = x < 0 ? -x : x, t = 1 / (1 + 0.3275911f * size);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float y = 1 - p * t * real_exp(-size * size);
    return x < 0 ? -y : y;
}

/* Next to 0 a polynomial (Cephes' tanhf), since the difference from 1 would leave nothing of a small
   number. */
static inline real real_tanh(real x)
{
    float s = x * x, p = -5.70498872745e-3f;
    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    p = p * s * x + x;
    float far = 1 - 2 / (real_exp(2 * x) + 1);
    return s < 0.39f ? p : far;
}

#endif

static inline real real_logistic(real x)
{
    return 1 / (1 + real_exp(-x));
}

/* tanh(log(1 + exp(x))) */
static inline real real_tanh_softplus(real x)
{
    real w = real_exp(x > 20 ? 20 : x), n = w * (w + 2);
    return n / (n + 2);
}

#endif
