/* Growing arrays. */
#ifndef MIEN_UTIL_ARRAY_H
#define MIEN_UTIL_ARRAY_H

#include <stddef.h>

/* Makes room for one more than n elements of size bytes in an array from malloc (or NULL) that
   holds *cap. Returns the array, which may have moved, and sets *cap; or NULL, and the array
   stays. */
void *array_grow(void *array, size_t n, size_t *cap, size_t size);

/* The same, and the bytes of the new elements are zero. */
void *array_grow_zeroed(void *array, size_t n, size_t *cap, size_t size);

#endif
