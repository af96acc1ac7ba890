/* Text of unknown origin, made fit to be shown on a terminal. */
#ifndef MIEN_UTIL_PRINTABLE_H
#define MIEN_UTIL_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a character, the well-formed n bytes at s, acts on a terminal instead of being shown: a
   control (U+0000 to 1F, 7F to 9F), or what makes the text behind it run the other way (embeddings,
   overrides and isolates of Unicode's bidirectional algorithm, UAX 9). */
bool drives_terminal(const void *s, size_t n);

/* Copies n bytes of text to out, which has room for size >= 1 bytes, a terminating zero included:
   each control and each byte that isn't UTF-8 becomes '?', and what doesn't fit is cut off between
   two characters. out may be s. Returns the length. */
size_t printable(char *out, size_t size, const char *s, size_t n);

#endif
