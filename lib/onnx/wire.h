/*
 * Protocol Buffers' wire format, for reading: a message is a run of fields, each a tag and a varint,
 * four or eight bytes, or a length and so many bytes. ONNX uses few messages of it (file.c),
 * for which this is smaller and safer than generated code: it takes no memory, never looks beyond
 * the bytes that it was given, and what it hands out are views of them.
 *
 *     struct wire m = wire_of((struct span){bytes, len});
 *     while (wire_next(&m)) {
 *         if (m.field == 2 && m.type == WIRE_BYTES)
 *             ... m.sub ...
 *     }
 *     if (m.broken)
 *         ...
 */
#ifndef MIEN_ONNX_WIRE_H
#define MIEN_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* Bytes of the file. */
struct span {
    const unsigned char *p;
    size_t n;
};

bool span_is(struct span s, const char *text);
/* A copy that ends with a zero byte; NULL without memory. */
char *span_copy(struct span s);

struct wire {
    struct span left;
    bool broken; /* the message ends within a field, or has one that isn't known */
    /* The field that wire_next has read: */
    unsigned field;
    enum wire_type type;
    uint64_t number; /* WIRE_VARINT, WIRE_64, WIRE_32 */
    struct span sub; /* WIRE_BYTES */
};

struct wire wire_of(struct span s);

/* Reads a field. False at the end of the message, or where it is broken. */
bool wire_next(struct wire *w);

/* The next number of a packed field of this type, whose bytes are *s. False at its end; *broken is
   set where that is within a number. */
bool wire_packed(struct span *s, enum wire_type type, uint64_t *v, bool *broken);

/* The float of a WIRE_32. */
float wire_float(uint64_t bits);

#endif
