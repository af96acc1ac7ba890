/* A growable run of bytes. Zero-initialised it is empty; its owner frees it. */
#ifndef MIEN_BUF_H
#define MIEN_BUF_H

#include <stddef.h>

struct mien_buf {
    unsigned char *data; /* 16-byte aligned, as malloc gives it */
    size_t len, cap;
};

/* Makes room for n more bytes behind len; then data isn't NULL, not even for n 0. Returns 0, or
   MIEN_ERR_MEM; on failure the contents stay. */
int mien_buf_reserve(struct mien_buf *b, size_t n);

/* Appends n bytes. Returns 0 or MIEN_ERR_MEM. */
int mien_buf_append(struct mien_buf *b, const void *p, size_t n);

/* Appends formatted text, without its terminating zero byte. Returns 0 or MIEN_ERR_MEM. */
int mien_buf_printf(struct mien_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Empties the buffer and keeps its memory for reuse. */
void mien_buf_clear(struct mien_buf *b);

/* Frees the memory; the buffer is empty and usable again. */
void mien_buf_free(struct mien_buf *b);

#endif
