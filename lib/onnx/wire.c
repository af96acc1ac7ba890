#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

bool span_is(struct span s, const char *text)
{
    /* memcmp mustn't be given the NULL of one that is absent. */
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

char *span_copy(struct span s)
{
    char *p = malloc(s.n + 1);
    if (p != NULL) {
        if (s.n > 0)
            memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return p;
}

struct wire wire_of(struct span s)
{
    return (struct wire){.left = s};
}

/* A number in groups of seven bits, the lowest first. */
static bool varint(struct span *s, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64 && s->n > 0; shift += 7) {
        unsigned char b = *s->p++;
        s->n--;
        *v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return true;
    }
    return false;
}

static bool fixed(struct span *s, size_t bytes, uint64_t *v)
{
    if (s->n < bytes)
        return false;
    *v = bytes == 4 ? get_le32(s->p) : get_le64(s->p);
    s->p += bytes;
    s->n -= bytes;
    return true;
}

static bool number(struct span *s, enum wire_type type, uint64_t *v)
{
    return type == WIRE_VARINT ? varint(s, v) : fixed(s, type == WIRE_32 ? 4 : 8, v);
}

bool wire_next(struct wire *w)
{
    uint64_t tag, n;
    if (w->left.n == 0 || w->broken)
        return false;
    w->broken = true;
    if (!varint(&w->left, &tag) || tag >> 3 == 0 || tag >> 32 != 0)
        return false;
    w->field = (unsigned)(tag >> 3);
    w->type = (enum wire_type)(tag & 7);
    switch (w->type) {
    case WIRE_VARINT:
    case WIRE_64:
    case WIRE_32:
        w->broken = !number(&w->left, w->type, &w->number);
        break;
    case WIRE_BYTES:
        if (!varint(&w->left, &n) || n > w->left.n)
            break;
        w->sub = (struct span){w->left.p, (size_t)n};
        w->left.p += n;
        w->left.n -= (size_t)n;
        w->broken = false;
        break;
    default: /* groups, which nobody writes any more */
        break;
    }
    return !w->broken;
}

bool wire_packed(struct span *s, enum wire_type type, uint64_t *v, bool *broken)
{
    if (s->n == 0)
        return false;
    if (number(s, type, v))
        return true;
    *broken = true;
    return false;
}

float wire_float(uint64_t bits)
{
    uint32_t u = (uint32_t)bits;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}
