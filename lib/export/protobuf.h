/*
 * Writing protocol buffers, the wire format of ONNX: fields of varints, 32-bit floats, and what has
 * a length (strings, bytes, messages).
 *
 *     struct pb b = {0};
 *     size_t at = pb_open(&b, 7);          a message in field 7
 *     pb_int(&b, 1, 13);
 *     pb_close(&b, at);
 *     if (pb_write(&b, fd, &e) < 0) ...
 *     pb_free(&b);
 *
 * Calls need no check each: when memory runs out the writer remembers it, does nothing from there
 * on, and pb_write returns it. One thread at a time uses a writer. Source: "Encoding" in the
 * documentation of protocol buffers.
 */
#ifndef MIEN_EXPORT_PROTOBUF_H
#define MIEN_EXPORT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"

/* Bytes that stay where they are until they are written: weights aren't copied. */
struct pb_span {
    size_t at; /* how many bytes of text come before it */
    const void *data;
    size_t n;
};

/* Zero-initialized it is empty. */
struct pb {
    struct mien_buf text; /* all but the spans */
    struct pb_span *span; /* ordered by at */
    size_t nspan, cap;
    size_t spanned; /* bytes in spans */
    bool failed;    /* out of memory */
};

void pb_int(struct pb *b, int field, int64_t v); /* int64, int32 and enum fields */
void pb_float(struct pb *b, int field, float v);
void pb_string(struct pb *b, int field, const char *s);
void pb_bytes(struct pb *b, int field, const void *p, size_t n);

/* The same without a copy: p stays the caller's, unchanged until after pb_write. */
void pb_span(struct pb *b, int field, const void *p, size_t n);

/* Begins a message in a field. pb_close, to which its result goes, ends it; messages nest. */
size_t pb_open(struct pb *b, int field);
void pb_close(struct pb *b, size_t at);

/* Writes all that was added. Returns 0, MIEN_ERR_MEM, MIEN_ERR_SYS with errno set, or
   MIEN_ERR_LIMIT for more than the 2 GiB that readers of the format take. */
MIEN_CHECKED int pb_write(const struct pb *b, int fd, struct mien_err *e);

void pb_free(struct pb *b);

#endif
