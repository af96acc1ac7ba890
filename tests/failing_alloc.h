/*
 * Makes one allocation of a unit test fail, its libraries' included: allocations are counted from
 * failing_alloc(n) on, and the n-th returns NULL; 0 ends that. Included by one file of a test.
 *
 * Sanitizers have an allocator of their own: there, and with another C library than glibc,
 * FAILING_ALLOC is 0 and nothing fails.
 */
#ifndef FAILING_ALLOC_H
#define FAILING_ALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define FAILING_ALLOC 1

static long failing_alloc_left;
static bool failing_alloc_done; /* it has failed */

static bool failing_alloc_now(void)
{
    if (failing_alloc_left == 0 || --failing_alloc_left > 0)
        return false;
    failing_alloc_done = true;
    errno = ENOMEM;
    return true;
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
    return failing_alloc_now() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return failing_alloc_now() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return failing_alloc_now() ? NULL : __libc_realloc(p, n);
}

/* Begins to count. failing_alloc(0) tells whether the allocation was reached since. */
static bool failing_alloc(long n)
{
    bool done = failing_alloc_done;
    failing_alloc_left = n;
    failing_alloc_done = false;
    return done;
}

#else
#define FAILING_ALLOC 0

static bool failing_alloc(long n)
{
    (void)n;
    return false;
}
#endif

#endif
