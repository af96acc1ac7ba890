#include "mien/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mien/err.h"

int mien_buf_reserve(struct mien_buf *b, size_t n)
{
    if (b->data != NULL && n <= b->cap - b->len)
        return 0;
    if (n > SIZE_MAX / 2 - b->len)
        return MIEN_ERR_MEM;
    size_t cap = b->cap + b->cap / 2;
    if (cap < b->len + n)
        cap = b->len + n;
    if (cap < 64)
        cap = 64;
    unsigned char *p = realloc(b->data, cap);
    if (p == NULL)
        return MIEN_ERR_MEM;
    b->data = p;
    b->cap = cap;
    return 0;
}

int mien_buf_append(struct mien_buf *b, const void *p, size_t n)
{
    if (mien_buf_reserve(b, n) < 0)
        return MIEN_ERR_MEM;
    if (n > 0)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    return 0;
}

int mien_buf_printf(struct mien_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int rc = n < 0 ? MIEN_ERR_MEM : mien_buf_reserve(b, (size_t)n + 1);
    if (rc == 0) {
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return rc;
}

void mien_buf_clear(struct mien_buf *b)
{
    b->len = 0;
}

void mien_buf_free(struct mien_buf *b)
{
    free(b->data);
    *b = (struct mien_buf){0};
}
