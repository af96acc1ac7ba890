/*
 * A growable run of bytes.
 *
 *     struct mien_buf b = {0};
 *     if (mien_buf_printf(&b, "%d records", n) < 0)
 *         ... out of memory ...
 *     fwrite(b.data, 1, b.len, stdout);
 *     mien_buf_free(&b);
 *
 * Zero-initialized it is empty; its owner frees it. One thread at a time uses it.
 */
#ifndef MIEN_BUF_H
#define MIEN_BUF_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mien_buf {
    unsigned char *data; /* cap bytes, of which len are used; 16-byte aligned, as malloc gives it */
    size_t len, cap;
};

/* Makes room for n more bytes behind len; then data isn't NULL, not even for n 0. Returns 0, or
   MIEN_ERR_MEM; on failure the contents stay. */
int mien_buf_reserve(struct mien_buf *b, size_t n);

/* Appends n bytes. Returns 0 or MIEN_ERR_MEM; on failure the contents stay. */
int mien_buf_append(struct mien_buf *b, const void *p, size_t n);

/* Appends formatted text, without its terminating zero byte. Returns 0 or MIEN_ERR_MEM; on failure
   the contents stay. */
int mien_buf_printf(struct mien_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Empties the buffer and keeps its memory for reuse. */
void mien_buf_clear(struct mien_buf *b);

/* Frees the memory; the buffer is empty and usable again. */
void mien_buf_free(struct mien_buf *b);

#ifdef __cplusplus
}
#endif

#endif
