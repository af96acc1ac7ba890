#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *array_grow(void *array, size_t n, size_t *cap, size_t size)
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

void *array_grow_zeroed(void *array, size_t n, size_t *cap, size_t size)
{
    size_t had = *cap;
    if (n < had)
        return array;
    char *p = array_grow(array, n, cap, size);
    if (p != NULL)
        memset(p + had * size, 0, (*cap - had) * size);
    return p;
}
