/* Memory for numbers that are worked on in vectors: aligned to 64 bytes, a cache line. */
#ifndef MIEN_UTIL_ALIGNED_H
#define MIEN_UTIL_ALIGNED_H

#include <stddef.h>

/* count elements of size bytes, and at least a line; the caller frees them with free. NULL where
   there is no memory, or the product overflows. aligned_zeros sets them to zero, which touches
   every page. */
void *aligned_new(size_t count, size_t size);
void *aligned_zeros(size_t count, size_t size);

#endif
