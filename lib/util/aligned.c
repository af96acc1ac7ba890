#include "aligned.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64 };

/* The bytes of whole lines, or 0 where they are too many. */
static size_t whole_lines(size_t count, size_t size)
{
    if (count > (SIZE_MAX - LINE) / size)
        return 0;
    size_t bytes = (count * size + LINE - 1) / LINE * LINE;
    return bytes > 0 ? bytes : LINE;
}

void *aligned_new(size_t count, size_t size)
{
    size_t bytes = whole_lines(count, size);
    return bytes > 0 ? aligned_alloc(LINE, bytes) : NULL;
}

void *aligned_zeros(size_t count, size_t size)
{
    void *p = aligned_new(count, size);
    if (p != NULL)
        memset(p, 0, whole_lines(count, size));
    return p;
}
