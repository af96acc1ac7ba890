#define _DEFAULT_SOURCE /* madvise */
#include "aligned.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE = 2 << 20 };

/* The bytes of whole lines, or 0 where they are too many. */
static size_t whole_lines(size_t count, size_t size)
{
    if (count > (SIZE_MAX - 2 * HUGE) / size)
        return 0;
    size_t bytes = (count * size + LINE - 1) / LINE * LINE;
    return bytes > 0 ? bytes : LINE;
}

/* Asks for whole huge pages, which the system may grant: one fault instead of 512. */
static void ask_for_huge(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    if (p != NULL)
        (void)madvise(p, bytes, MADV_HUGEPAGE);
#else
    (void)p;
    (void)bytes;
#endif
}

static void *large(size_t bytes)
{
    bytes = (bytes + HUGE - 1) / HUGE * HUGE;
    void *p = aligned_alloc(HUGE, bytes);
    ask_for_huge(p, bytes);
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

/* --- Arenas --------------------------------------------------------------------------------- */

/* With sanitizers an array is a chunk of its own, whose bounds they see. */
#ifdef __SANITIZE_ADDRESS__
enum { CHUNK = 0 };
#else
enum { CHUNK = 4 * HUGE };
#endif

struct arena_chunk {
    struct arena_chunk *next;
};

/* Returns whether there is memory. calloc knows what the system has cleared. */
static bool add_chunk(struct arena *a, size_t bytes)
{
    size_t align = CHUNK > 0 ? HUGE : LINE, room = bytes > CHUNK ? bytes : CHUNK;
    struct arena_chunk *chunk = calloc(1, sizeof *chunk + align + room);
    if (chunk == NULL)
        return false;
    chunk->next = a->chunk;
    a->chunk = chunk;
    a->at = (unsigned char *)(chunk + 1);
    a->at += (align - (uintptr_t)a->at % align) % align;
    a->left = room;
    if (CHUNK > 0)
        ask_for_huge(a->at, room / HUGE * HUGE);
    return true;
}

void *arena_zeros(struct arena *a, size_t count, size_t size)
{
    size_t bytes = whole_lines(count, size);
    if (bytes == 0 || (bytes > a->left && !add_chunk(a, bytes)))
        return NULL;
    void *p = a->at;
    a->at += bytes;
    a->left -= bytes;
    return p;
}

void arena_free(struct arena *a)
{
    for (struct arena_chunk *next; a->chunk != NULL; a->chunk = next) {
        next = a->chunk->next;
        free(a->chunk);
    }
    *a = (struct arena){0};
}
