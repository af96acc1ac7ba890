/* Numbers and sizes from text: the whole text or nothing, with a range. */
#ifndef MIEN_UTIL_NUM_H
#define MIEN_UTIL_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

/* A decimal integer in [lo, hi]. Returns 0, or MIEN_ERR_ARG with "'x' is not a whole number" or
   "'x' is not within LO..HI"; *out is set only on success. */
MIEN_CHECKED int num_int(const char *s, long long lo, long long hi, long long *out,
                         struct mien_err *e);

/* Any whole number of 64 bits, from 0 to 2^64 - 1; from -2^63 to -1 as its two's complement. Errors
   as num_int. */
MIEN_CHECKED int num_u64(const char *s, uint64_t *out, struct mien_err *e);

/* A finite decimal number in [lo, hi], in the C locale's notation. Errors as num_int. */
MIEN_CHECKED int num_real(const char *s, double lo, double hi, double *out, struct mien_err *e);

/* Whether n floats are all finite numbers. */
bool num_finite(const float *v, size_t n);

/* A count of bytes, with an optional suffix K, M or G (powers of 1024). Errors as num_int. */
MIEN_CHECKED int num_size(const char *s, uint64_t hi, uint64_t *out, struct mien_err *e);

/* Writes a finite number with the fewest significant digits that read back as the same double, or
   the same float. */
enum { NUM_TEXT = 32 };
void num_print(char text[NUM_TEXT], double v);
void num_print_float(char text[NUM_TEXT], float v);

#endif
