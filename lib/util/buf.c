#include "mien/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mien/err.h"

int buf_reserve(struct buf *b, size_t n)
{
    if (n <= b->cap - b->len)
        return 0;
    if (n > SIZE_MAX / 2 - b->len)
        return ERR_MEM;
    size_t cap = b->cap + b->cap / 2;
    if (cap < b->len + n)
        cap = b->len + n;
    if (cap < 64)
        cap = 64;
    unsigned char *p = realloc(b->data, cap);
    if (p == NULL)
        return ERR_MEM;
    b->data = p;
    b->cap = cap;
    return 0;
}

void *buf_grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    if (n > SIZE_MAX / 2 / size - 16)
        return NULL;
    size_t more = 2 * n < 16 ? 16 : 2 * n;
    void *p = realloc(array, more * size);
    if (p != NULL)
        *cap = more;
    return p;
}

int buf_append(struct buf *b, const void *p, size_t n)
{
    if (buf_reserve(b, n) < 0)
        return ERR_MEM;
    if (n > 0)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int rc = n < 0 ? ERR_MEM : buf_reserve(b, (size_t)n + 1);
    if (rc == 0) {
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return rc;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}
