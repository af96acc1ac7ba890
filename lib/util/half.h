/* Half floats, IEEE 754 binary16. */
#ifndef MIEN_UTIL_HALF_H
#define MIEN_UTIL_HALF_H

#include <stddef.h>
#include <stdint.h>

/* To and from float, n elements; src and dst don't overlap. To float is exact, subnormals,
   infinities and NaNs included; from float rounds to the nearest, ties to even, and goes to
   infinity beyond 65519.99. */
void half_to_floats(const uint16_t *src, float *dst, size_t n);
void floats_to_half(const float *src, uint16_t *dst, size_t n);

#endif
