/* Memory for numbers that are worked on in vectors: aligned to 64 bytes, a cache line. */
#ifndef MIEN_UTIL_ALIGNED_H
#define MIEN_UTIL_ALIGNED_H

#include <stddef.h>

/* count elements of size bytes, and at least a line; the caller frees them with free. NULL where
   there is no memory, or the product overflows. aligned_zeros sets them to zero, which touches
   every page. */
void *aligned_new(size_t count, size_t size);
void *aligned_zeros(size_t count, size_t size);

/* Arrays that are freed together, side by side: where they are many and small, each page of their own
   would be a fault. Begins as {0}. */
struct arena {
    struct arena_chunk *chunk;
    unsigned char *at; /* of the last chunk, what isn't taken yet */
    size_t left;
};

/* As aligned_zeros, but fresh memory isn't touched; the array is the arena's. */
void *arena_zeros(struct arena *a, size_t count, size_t size);
void arena_free(struct arena *a);

#endif
