/* A growable run of bytes. Zero-initialised it is empty; its owner frees it. */
#ifndef MIEN_BUF_H
#define MIEN_BUF_H

#include <stddef.h>

struct buf {
    unsigned char *data; /* 16-byte aligned, as malloc gives it */
    size_t len, cap;
};

/* Makes room for n more bytes behind len. Returns 0, or ERR_MEM; on failure the contents stay. */
int buf_reserve(struct buf *b, size_t n);

/* Appends n bytes. Returns 0 or ERR_MEM. */
int buf_append(struct buf *b, const void *p, size_t n);

/* Appends formatted text, without its terminating zero byte. Returns 0 or ERR_MEM. */
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for one more than n elements of size bytes in an array from malloc (or NULL) that holds
   *cap. Returns the array, which may have moved, and sets *cap; or NULL, and the array stays. */
void *buf_grow(void *array, size_t n, size_t *cap, size_t size);

/* Empties the buffer and keeps its memory for reuse. */
void buf_clear(struct buf *b);

/* Frees the memory; the buffer is empty and usable again. */
void buf_free(struct buf *b);

#endif
