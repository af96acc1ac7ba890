/* Unicode's canonical decomposition (UAX 15), without its ordering of marks: e with an acute accent,
   in one character or in two, becomes the two. */
#ifndef MIEN_UTIL_DECOMPOSE_H
#define MIEN_UTIL_DECOMPOSE_H

#include <stddef.h>

/* The most bytes that a byte of text can become. */
enum { DECOMPOSE_GROWTH = 4 };

/* Writes the n bytes at s to out, which has room for DECOMPOSE_GROWTH * n bytes, each character
   below U+3100 and each Hangul syllable decomposed; what isn't UTF-8 stays as it is. Returns the
   length. */
size_t decompose(const char *s, size_t n, char *out);

#endif
