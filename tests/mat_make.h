/* Writes MATLAB 5 files for the tests: elements appended to a buffer, in either byte order. Out of
   memory ends the program. Sizes aren't checked: hostile files are made by patching honest ones. */
#ifndef MAT_MAKE_H
#define MAT_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mien/buf.h"
#include "util/bytes.h"

enum mk_type {
    MK_INT8 = 1,
    MK_UINT8 = 2,
    MK_UINT16 = 4,
    MK_INT32 = 5,
    MK_UINT32 = 6,
    MK_SINGLE = 7,
    MK_DOUBLE = 9,
    MK_MATRIX = 14,
    MK_COMPRESSED = 15,
    MK_UTF8 = 16,
    MK_UTF16 = 17
};

enum mk_class { MK_CELL_CLASS = 1, MK_STRUCT_CLASS = 2, MK_CHAR_CLASS = 4, MK_DOUBLE_CLASS = 6 };

struct mk {
    struct mien_buf b;
    bool big;
    bool tall; /* arrays other than text are columns */
};

static inline void mk_put(struct mk *m, uint64_t v, int bytes)
{
    unsigned char p[8];

    for (int i = 0; i < bytes; i++)
        p[m->big ? bytes - 1 - i : i] = (unsigned char)(v >> 8 * i);
    if (mien_buf_append(&m->b, p, (size_t)bytes))
        abort();
}

static inline void mk_pad(struct mk *m)
{
    while (m->b.len % 8)
        mk_put(m, 0, 1);
}

/* A tag for size bytes of data, in the small format where they fit in four. */
static inline void mk_tag(struct mk *m, int type, size_t size)
{
    if (size > 0 && size <= 4 && type != MK_MATRIX) {
        mk_put(m, size << 16 | (unsigned)type, 4);
    } else {
        mk_put(m, (unsigned)type, 4);
        mk_put(m, size, 4);
    }
}

static inline void mk_bytes(struct mk *m, int type, const void *p, size_t n)
{
    mk_tag(m, type, n);
    if (mien_buf_append(&m->b, p, n))
        abort();
    mk_pad(m);
}

/* Begins an array of 1 x count, or count x 1 (0 x 0 for none); returns where, for mk_end. */
static inline size_t mk_begin(struct mk *m, int class, const char *name, uint32_t count)
{
    size_t at = m->b.len;

    mk_tag(m, MK_MATRIX, 0);
    mk_tag(m, MK_UINT32, 8);
    mk_put(m, (unsigned)class, 4);
    mk_put(m, 0, 4);
    mk_tag(m, MK_INT32, 8);
    bool tall = m->tall && class != MK_CHAR_CLASS;
    mk_put(m, tall ? count : count > 0, 4);
    mk_put(m, tall ? count > 0 : count, 4);
    mk_bytes(m, MK_INT8, name, strlen(name));
    return at;
}

/* Ends what mk_begin began: sets its size. */
static inline void mk_end(struct mk *m, size_t at)
{
    struct mk size = {.big = m->big};

    mk_put(&size, m->b.len - at - 8, 4);
    memcpy(m->b.data + at + 4, size.b.data, 4);
    mien_buf_free(&size.b);
}

/* n doubles, stored as the given type. */
static inline void mk_reals(struct mk *m, const char *name, int type, const double *v, uint32_t n)
{
    size_t at = mk_begin(m, MK_DOUBLE_CLASS, name, n);
    int size = type == MK_DOUBLE                     ? 8
               : type == MK_INT8 || type == MK_UINT8 ? 1
               : type == MK_UINT16                   ? 2
                                                     : 4;

    mk_tag(m, type, (size_t)size * n);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bits = (uint64_t)(int64_t)v[i];
        float f = (float)v[i];
        uint32_t word;

        if (type == MK_DOUBLE) {
            memcpy(&bits, &v[i], sizeof bits);
        } else if (type == MK_SINGLE) {
            memcpy(&word, &f, sizeof word);
            bits = word;
        }
        mk_put(m, bits, size);
    }
    mk_pad(m);
    mk_end(m, at);
}

/* UTF-8 text as a char array, stored as the given type; the 16-bit types make UTF-16 of it. */
static inline void mk_text(struct mk *m, int type, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    struct mk data = {.big = m->big};
    uint32_t units = 0;
    size_t at;

    for (; *p; units++) {
        uint32_t c = *p++;

        if (type == MK_UINT16 || type == MK_UTF16) {
            int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

            c &= more ? 0x3fu >> more : 0x7fu;
            while (more-- > 0)
                c = c << 6 | (*p++ & 63);
            if (c >= 0x10000) {
                mk_put(&data, 0xd800 + ((c - 0x10000) >> 10), 2);
                c = 0xdc00 + (c & 0x3ff);
                units++;
            }
            mk_put(&data, c, 2);
        } else {
            mk_put(&data, c, 1);
        }
    }
    at = mk_begin(m, MK_CHAR_CLASS, "", units);
    mk_bytes(m, type, data.b.data, data.b.len);
    mk_end(m, at);
    mien_buf_free(&data.b);
}

/* The names of a struct's fields, behind its mk_begin (a 1 x 1 array). */
static inline void mk_fields(struct mk *m, const char *const *name, int n)
{
    mk_tag(m, MK_INT32, 4);
    mk_put(m, 32, 4);
    mk_tag(m, MK_INT8, (size_t)n * 32);
    for (int i = 0; i < n; i++) {
        char field[32] = {0};

        memcpy(field, name[i], strlen(name[i]));
        if (mien_buf_append(&m->b, field, sizeof field))
            abort();
    }
}

/* A file of one variable, compressed or not: the header and m's element, appended to out. */
static inline void mk_file(const struct mk *m, bool compressed, struct mien_buf *out)
{
    struct mk f = {.b = *out, .big = m->big};
    char head[124];

    memset(head, ' ', sizeof head);
    memcpy(head, "MATLAB 5.0 MAT-file, made by mien's tests", 41);
    memset(head + 116, 0, 8);
    if (mien_buf_append(&f.b, head, sizeof head))
        abort();
    mk_put(&f, 0x0100, 2);
    mk_put(&f, 'M' << 8 | 'I', 2);
    if (compressed) {
        uLongf n = compressBound(m->b.len);

        if (mien_buf_reserve(&f.b, n + 8) ||
            compress(f.b.data + f.b.len + 8, &n, m->b.data, m->b.len))
            abort();
        mk_put(&f, MK_COMPRESSED, 4);
        mk_put(&f, n, 4);
        f.b.len += n;
    } else if (mien_buf_append(&f.b, m->b.data, m->b.len)) {
        abort();
    }
    *out = f.b;
}

#endif
