/* UTF-8 (Unicode 15, section 3.9): what is well formed, and how to read and write a character. */
#ifndef MIEN_UTIL_UTF8_H
#define MIEN_UTIL_UTF8_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes, 1 to 4, of the well-formed sequence that the n bytes at s begin with, or 0. */
size_t utf8_len(const void *s, size_t n);

/* Whether all n bytes are well formed. */
bool utf8_valid(const void *s, size_t n);

/* The bytes, 3 or 0, of a byte order mark that the n bytes at s begin with. */
size_t utf8_mark(const void *s, size_t n);

/* How many of the n bytes at s fit into max without cutting a character in two. */
size_t utf8_fit(const void *s, size_t n, size_t max);

/* vsnprintf into size >= 1 bytes, but what doesn't fit is cut off between two characters. Returns
   the length of what is there. */
size_t utf8_vprintf(char *out, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* The character of a well-formed sequence of len bytes. */
uint32_t utf8_get(const void *s, size_t len);

/* Writes a character, U+FFFD in the place of a surrogate or of what is beyond U+10FFFF. Returns its
   bytes, 1 to 4. */
size_t utf8_put(unsigned char *out, uint32_t c);

#endif
