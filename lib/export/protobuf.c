#include "protobuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/bytes.h"
#include "util/file.h"

/* How a field's value is written, in the lowest three bits of its key. */
enum { WIRE_VARINT = 0, WIRE_LENGTH = 2, WIRE_32 = 5 };

enum { MAX_VARINT = 10 };

static void append(struct pb *b, const void *p, size_t n)
{
    if (!b->failed && mien_buf_append(&b->text, p, n) < 0)
        b->failed = true;
}

/* Seven bits a byte, the lowest first; all but the last have their highest bit set. */
static size_t varint(unsigned char out[MAX_VARINT], uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (unsigned char)(v | 0x80);
    out[n++] = (unsigned char)v;
    return n;
}

static void put_varint(struct pb *b, uint64_t v)
{
    unsigned char s[MAX_VARINT];
    append(b, s, varint(s, v));
}

static void put_key(struct pb *b, int field, unsigned wire)
{
    put_varint(b, (uint64_t)field << 3 | wire);
}

void pb_int(struct pb *b, int field, int64_t v)
{
    put_key(b, field, WIRE_VARINT);
    put_varint(b, (uint64_t)v);
}

void pb_float(struct pb *b, int field, float v)
{
    unsigned char s[4];
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_le32(s, bits);
    put_key(b, field, WIRE_32);
    append(b, s, sizeof s);
}

void pb_bytes(struct pb *b, int field, const void *p, size_t n)
{
    put_key(b, field, WIRE_LENGTH);
    put_varint(b, n);
    append(b, p, n);
}

void pb_string(struct pb *b, int field, const char *s)
{
    pb_bytes(b, field, s, strlen(s));
}

void pb_span(struct pb *b, int field, const void *p, size_t n)
{
    put_key(b, field, WIRE_LENGTH);
    put_varint(b, n);
    struct pb_span *s = array_grow(b->span, b->nspan, &b->cap, sizeof *s);
    if (s == NULL) {
        b->failed = true;
        return;
    }
    b->span = s;
    b->span[b->nspan++] = (struct pb_span){b->text.len, p, n};
    b->spanned += n;
}

/* A message's length is known only at its end and takes one byte or several: what pb_open returns
   is where it belongs, and pb_close moves the message to make room for it. */
size_t pb_open(struct pb *b, int field)
{
    put_key(b, field, WIRE_LENGTH);
    return b->text.len;
}

void pb_close(struct pb *b, size_t at)
{
    unsigned char s[MAX_VARINT];
    size_t len = b->text.len - at, first = b->nspan;
    for (; first > 0 && b->span[first - 1].at >= at; first--)
        len += b->span[first - 1].n;
    size_t n = varint(s, len), tail = b->text.len - at;
    append(b, s, n);
    if (b->failed)
        return;
    assert(b->text.data != NULL);
    memmove(b->text.data + at + n, b->text.data + at, tail);
    memcpy(b->text.data + at, s, n);
    for (; first < b->nspan; first++)
        b->span[first].at += n;
}

int pb_write(const struct pb *b, int fd, struct mien_err *e)
{
    size_t done = 0, all = b->text.len + b->spanned;
    if (b->failed)
        return mien_err_mem(e, b->text.len, "a file's text");
    if (all > INT32_MAX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the file would have %zu bytes, the format takes %d",
                            all, INT32_MAX);
    for (size_t i = 0; i <= b->nspan; i++) {
        const struct pb_span end = {b->text.len, NULL, 0}, *s = i < b->nspan ? &b->span[i] : &end;
        if (file_write(fd, b->text.data + done, s->at - done) < 0 ||
            file_write(fd, s->data, s->n) < 0)
            return mien_err_sys(e, "cannot write");
        done = s->at;
    }
    return 0;
}

void pb_free(struct pb *b)
{
    mien_buf_free(&b->text);
    free(b->span);
    *b = (struct pb){0};
}
