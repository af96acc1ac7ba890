#define _DEFAULT_SOURCE /* madvise */
#include "aligned.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE = 2 << 20 };

/* The bytes of whole lines, or 0 where they are too many. */
static size_t whole_lines(size_t count, size_t size)
{
    if (count > (SIZE_MAX - HUGE) / size)
        return 0;
    size_t bytes = (count * size + LINE - 1) / LINE * LINE;
    return bytes > 0 ? bytes : LINE;
}

/* Whole huge pages, where the system grants them: one fault instead of 512. */
static void *large(size_t bytes)
{
    bytes = (bytes + HUGE - 1) / HUGE * HUGE;
    void *p = aligned_alloc(HUGE, bytes);
#ifdef MADV_HUGEPAGE
    if (p != NULL)
        (void)madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

void *aligned_new(size_t count, size_t size)
{
    size_t bytes = whole_lines(count, size);
    if (bytes == 0)
        return NULL;
    return bytes >= HUGE ? large(bytes) : aligned_alloc(LINE, bytes);
}

void *aligned_zeros(size_t count, size_t size)
{
    void *p = aligned_new(count, size);
    if (p != NULL)
        memset(p, 0, whole_lines(count, size));
    return p;
}
