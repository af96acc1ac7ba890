#include "half.h"

#include <string.h>

/* binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits; binary32: 1, 8 (bias 127), 23. */

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, expo = h >> 10 & 0x1fu, frac = h & 0x3ffu, u;
    float f;
    if (expo == 0) { /* zero or subnormal: frac * 2^-24, which a float holds as a normal number */
        f = (float)frac * 0x1p-24f;
        memcpy(&u, &f, sizeof u);
        u |= sign;
    } else if (expo == 31) {
        u = sign | 0x7f800000u | frac << 13;
    } else {
        u = sign | (expo + 127 - 15) << 23 | frac << 13;
    }
    memcpy(&f, &u, sizeof f);
    return f;
}

static uint16_t float_to_half(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint32_t sign = u >> 16 & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u) /* NaN: stays one whatever bits it loses */
        return (uint16_t)(sign | 0x7e00u | (a >> 13 & 0x1ffu));
    if (a >= 0x477ff000u) /* 65520 and more: infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (a <
        0x38800000u) { /* below 2^-14: adding 0.5 leaves the count of 2^-24 in the end, rounded */
        float x;
        memcpy(&x, &a, sizeof x);
        x += 0.5f;
        memcpy(&a, &x, sizeof a);
        return (uint16_t)(sign | (a - 0x3f000000u));
    }
    /* Half of the last place, less one when the last bit kept is even; a carry goes to the
     * exponent. */
    a += 0xfffu + (a >> 13 & 1u);
    return (uint16_t)(sign | ((a >> 13) - ((127u - 15u) << 10)));
}

void half_to_floats(const uint16_t *src, float *dst, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = half_to_float(src[i]);
}

void floats_to_half(const float *src, uint16_t *dst, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = float_to_half(src[i]);
}
