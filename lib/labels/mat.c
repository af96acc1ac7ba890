#include "mat.h"

#include <stdlib.h>
#include <string.h>

#include "mat_stream.h"
#include "util/utf8.h"

#define CLASS_MAX 15 /* above are function handles and objects, with headers of their own */
#define MAX_DIMS  32

struct mat {
    struct mat_stream s;
};

/* An element's tag: the type and the size of the data behind it. */
struct tag {
    uint32_t type, size;
    uint32_t pad; /* bytes between the data and the next element */
};

int mat_sniff(const void *head, size_t n, struct mien_err *e)
{
    static const char hdf5[] = "a MATLAB 7.3 file, which is HDF5; save it with -v7 from MATLAB";
    const unsigned char *h = head;
    if (n >= 4 && !memcmp(h, "\x89HDF", 4))
        return mien_err_set(e, MIEN_ERR_FORMAT, "an HDF5 file; save it with -v7 from MATLAB");
    if (n == MAT_HEAD && !memcmp(h, "MATLAB 7.3", 10))
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s", hdf5);
    if (n == MAT_HEAD && (!memcmp(h + 126, "IM", 2) || !memcmp(h + 126, "MI", 2))) {
        unsigned version = h[126] == 'I' ? get_le16(h + 124) : (unsigned)(h[124] << 8 | h[125]);
        if (version == 0x0100)
            return 1;
        if (version == 0x0200)
            return mien_err_set(e, MIEN_ERR_FORMAT, "%s", hdf5);
        return mien_err_set(e, MIEN_ERR_FORMAT, "a MATLAB file of version 0x%04x, not 5", version);
    }
    /* Version 4 has no magic, but begins with five numbers: 1000 for big-endian and 0 for little
       plus the type of the data, the rows, the columns, whether there is an imaginary part, and
       the size of the name. As text, they would have zero bytes. */
    for (int big = 0; n >= 20 && big < 2; big++) {
        uint32_t v[5];
        for (int i = 0; i < 5; i++) {
            v[i] = get_le32(h + 4 * i);
            v[i] = big ? __builtin_bswap32(v[i]) : v[i];
        }
        if (v[0] / 1000 == (uint32_t)big && v[0] % 1000 <= 52 && v[3] <= 1 && v[4] >= 1 &&
            v[4] <= MAT_MAX_NAME)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "a MATLAB 4 file; save it with -v7 from MATLAB");
    }
    return 0;
}

struct mat *mat_new(int fd, const void *head, struct mien_err *e)
{
    struct mat *m = calloc(1, sizeof *m);
    if (!m) {
        mien_err_mem(e, sizeof *m, "a MATLAB reader");
        return NULL;
    }
    m->s.fd = fd;
    m->s.big = ((const char *)head)[126] == 'M';
    m->s.file_pos = MAT_HEAD;
    return m;
}

void mat_free(struct mat *m)
{
    if (!m)
        return;
    mat_stream_end(&m->s);
    free(m);
}

/* --- Elements ------------------------------------------------------------------------------- */

/* Reads a tag; the element must end within end. */
static int read_tag(struct mat *m, uint64_t end, struct tag *t, struct mien_err *e)
{
    const unsigned char *p = NULL;
    uint32_t word;
    int rc;
    if (end - m->s.pos < 8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array has no room for its next element");
    if ((rc = mat_stream_need(&m->s, 8, &p, e)) < 0)
        return rc;
    word = mat_get32(&m->s, p);
    if (word >> 16) {
        /* The small format: size and type share a word, up to four bytes of data follow. */
        t->type = word & 0xffff;
        t->size = word >> 16;
        if (t->size > 4)
            return mien_err_set(e, MIEN_ERR_FORMAT, "a small element of %u bytes", t->size);
        t->pad = 4 - t->size;
        mat_stream_take(&m->s, 4);
        return 0;
    }
    t->type = word;
    t->size = mat_get32(&m->s, p + 4);
    t->pad = -t->size & 7;
    mat_stream_take(&m->s, 8);
    if (t->size > end - m->s.pos)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an element of %u bytes in an array that has %llu left", t->size,
                            (unsigned long long)(end - m->s.pos));
    /* The last element of an array may lack its padding. */
    if (t->pad > end - m->s.pos - t->size)
        t->pad = (uint32_t)(end - m->s.pos - t->size);
    return 0;
}

/* Reads a whole element of at most max bytes: *p points to its data, which last until the next
   call. */
static int read_small(struct mat *m, uint64_t end, size_t max, struct tag *t,
                      const unsigned char **p, struct mien_err *e)
{
    int rc = read_tag(m, end, t, e);
    if (rc < 0)
        return rc;
    if (t->size > max)
        return mien_err_set(e, MIEN_ERR_LIMIT, "an element of %u bytes, where at most %zu are read",
                            t->size, max);
    if ((rc = mat_stream_need(&m->s, t->size + t->pad, p, e)) < 0)
        return rc;
    mat_stream_take(&m->s, t->size + t->pad);
    return 0;
}

/* Reads an array's header. A matrix element of no bytes is an empty array. */
static int read_array(struct mat *m, uint64_t end, struct mat_array *a, struct mien_err *e)
{
    const unsigned char *p = NULL;
    struct tag t;
    int rc;
    a->class = MAT_DOUBLE;
    a->rows = 0;
    a->count = 0;
    a->name[0] = '\0';
    a->type = 0;
    a->left = 0;
    if ((rc = read_tag(m, end, &t, e)) < 0)
        return rc;
    if (t.type != MI_MATRIX)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an element of type %u where an array should be",
                            t.type);
    a->end = m->s.pos + t.size;
    if (t.size == 0)
        return 0;

    if ((rc = read_small(m, a->end, 8, &t, &p, e)) < 0)
        return rc;
    if (t.type != MI_UINT32 || t.size != 8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array without its flags");
    a->class = (int)(mat_get32(&m->s, p) & 0xff);
    if (a->class < MAT_CELL || a->class > CLASS_MAX)
        return 0;

    if ((rc = read_small(m, a->end, 4 * MAX_DIMS, &t, &p, e)) < 0)
        return rc;
    if ((t.type != MI_INT32 && t.type != MI_UINT32) || t.size % 4 != 0 || t.size < 8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array without its dimensions");
    a->count = 1;
    for (uint32_t i = 0; i < t.size; i += 4) {
        uint32_t d = mat_get32(&m->s, p + i);
        if (d > INT32_MAX || (d > 0 && a->count > UINT64_MAX / 16 / d))
            return mien_err_set(e, MIEN_ERR_FORMAT, "an array of impossible dimensions");
        a->count *= d;
    }
    a->rows = mat_get32(&m->s, p);

    if ((rc = read_small(m, a->end, MAT_MAX_NAME - 1, &t, &p, e)) < 0)
        return rc;
    if (t.type != MI_INT8 && t.type != MI_UINT8 && t.type != MI_UTF8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array without its name");
    memcpy(a->name, p, t.size);
    a->name[t.size] = '\0';
    return 0;
}

int mat_skip(struct mat *m, const struct mat_array *a, struct mien_err *e)
{
    return mat_stream_skip(&m->s, a->end, e);
}

int mat_next(struct mat *m, struct mat_array *a, struct mien_err *e)
{
    int rc = mat_stream_next(&m->s, e);
    if (rc <= 0)
        return rc;
    rc = read_array(m, UINT64_MAX, a, e);
    return rc < 0 ? rc : 1;
}

int mat_child(struct mat *m, const struct mat_array *parent, struct mat_array *a,
              struct mien_err *e)
{
    return read_array(m, parent->end, a, e);
}

int mat_fields(struct mat *m, const struct mat_array *a, struct mat_fields *f, struct mien_err *e)
{
    const unsigned char *p = NULL;
    uint32_t width;
    struct tag t;
    int rc;
    if (a->class != MAT_STRUCT)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is not a struct", a->name);
    if ((rc = read_small(m, a->end, 4, &t, &p, e)) < 0)
        return rc;
    width = t.size == 4 ? mat_get32(&m->s, p) : 0;
    if (t.type != MI_INT32 || width < 1 || width > MAT_MAX_NAME)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a struct without the size of its field names");
    if ((rc = read_small(m, a->end, (size_t)width * MAT_MAX_FIELDS, &t, &p, e)) < 0)
        return rc;
    f->n = (int)(t.size / width);
    for (int i = 0; i < f->n; i++) {
        memcpy(f->name[i], p + (size_t)i * width, width);
        f->name[i][width - 1] = '\0';
    }
    return 0;
}

/* --- Values --------------------------------------------------------------------------------- */

/* Bytes of one value of a type, 0 for what isn't a number. */
static unsigned type_size(uint32_t type)
{
    switch (type) {
    case MI_INT8:
    case MI_UINT8:
        return 1;
    case MI_INT16:
    case MI_UINT16:
        return 2;
    case MI_INT32:
    case MI_UINT32:
    case MI_SINGLE:
        return 4;
    case MI_DOUBLE:
    case MI_INT64:
    case MI_UINT64:
        return 8;
    default:
        return 0;
    }
}

static double value(const struct mat *m, int type, const unsigned char *p)
{
    uint64_t bits;
    uint32_t word;
    double d;
    float f;
    switch (type) {
    case MI_INT8:
        return (int8_t)*p;
    case MI_UINT8:
        return *p;
    case MI_INT16:
        return (int16_t)mat_get16(&m->s, p);
    case MI_UINT16:
        return mat_get16(&m->s, p);
    case MI_INT32:
        return (int32_t)mat_get32(&m->s, p);
    case MI_UINT32:
        return mat_get32(&m->s, p);
    case MI_SINGLE:
        word = mat_get32(&m->s, p);
        memcpy(&f, &word, sizeof f);
        return f;
    case MI_INT64:
        return (double)(int64_t)mat_get64(&m->s, p);
    case MI_UINT64:
        return (double)mat_get64(&m->s, p);
    default:
        bits = mat_get64(&m->s, p);
        memcpy(&d, &bits, sizeof d);
        return d;
    }
}

int mat_reals(struct mat *m, struct mat_array *a, double *out, size_t n, struct mien_err *e)
{
    const unsigned char *p = NULL;
    unsigned size;
    int rc;
    if (n == 0)
        return 0;
    if (a->class < MAT_DOUBLE || a->class > MAT_UINT64)
        return mien_err_set(e, MIEN_ERR_FORMAT, "not an array of numbers");
    if (!a->type) {
        struct tag t;
        if ((rc = read_tag(m, a->end, &t, e)) < 0)
            return rc;
        size = type_size(t.type);
        if (size == 0 || t.size / size != a->count || t.size % size != 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "%llu numbers in %u bytes of type %u",
                                (unsigned long long)a->count, t.size, t.type);
        a->type = (int)t.type;
        a->left = a->count;
    }
    if (n > a->left)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array has %llu numbers, fewer than expected",
                            (unsigned long long)a->count);
    a->left -= n;
    size = type_size((uint32_t)a->type);
    while (n > 0) {
        size_t now = n < MAT_CHUNK / 8 ? n : MAT_CHUNK / 8;
        if ((rc = mat_stream_need(&m->s, now * size, &p, e)) < 0)
            return rc;
        for (size_t i = 0; i < now; i++)
            *out++ = value(m, a->type, p + i * size);
        mat_stream_take(&m->s, now * size);
        n -= now;
    }
    return 0;
}

/* Bytes of a code unit of text that is stored as this type; 0 when it is none. */
static size_t unit_of(uint32_t type)
{
    switch (type) {
    case MI_UTF8:
    case MI_UINT8:
    case MI_INT8:
        return 1;
    case MI_UTF16:
    case MI_UINT16:
    case MI_INT16:
        return 2;
    case MI_UTF32:
    case MI_UINT32:
    case MI_INT32:
        return 4;
    default:
        return 0;
    }
}

/* Appends n bytes of text as UTF-8. */
static int append_text(const struct mat *m, size_t unit, const unsigned char *p, size_t n,
                       struct mien_buf *b)
{
    if (n == 0)
        return 0;
    if (unit == 1 && utf8_valid(p, n))
        return mien_buf_append(b, p, n);
    if (mien_buf_reserve(b, n / unit * 4) < 0)
        return MIEN_ERR_MEM;
    unsigned char *o = b->data + b->len;
    for (size_t i = 0; i + unit <= n; i += unit) {
        uint32_t c = unit == 1   ? p[i]
                     : unit == 2 ? mat_get16(&m->s, p + i)
                                 : mat_get32(&m->s, p + i);
        if (unit == 2 && c >= 0xd800 && c < 0xdc00 && i + 4 <= n) {
            uint32_t low = mat_get16(&m->s, p + i + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        o += utf8_put(o, c);
    }
    b->len = (size_t)(o - b->data);
    return 0;
}

int mat_text(struct mat *m, struct mat_array *a, struct mien_buf *b, struct mien_err *e)
{
    if (a->count == 0)
        return mat_skip(m, a, e); /* [] is as good as '' */
    if (a->class != MAT_CHAR)
        return mien_err_set(e, MIEN_ERR_FORMAT, "not a string");
    if (a->rows != 1)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a char array of %u rows, not a string", a->rows);
    const unsigned char *p = NULL;
    struct tag t;
    int rc = read_small(m, a->end, MAT_MAX_TEXT, &t, &p, e);
    if (rc < 0)
        return rc;
    size_t unit = unit_of(t.type);
    if (unit == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a string stored as type %u", t.type);
    if (append_text(m, unit, p, t.size, b) < 0)
        return mien_err_mem(e, 4 * (size_t)t.size, "text");
    return mat_skip(m, a, e);
}

/* Decodes n bytes of text to code units, those of UTF-8 to characters. */
static int decode(const struct mat *m, size_t unit, const unsigned char *p, size_t n, bool utf8,
                  struct mien_buf *b)
{
    for (size_t i = 0, len = unit; i < n; i += len) {
        len = utf8 ? utf8_len(p + i, n - i) : unit;
        uint32_t c = utf8        ? utf8_get(p + i, len)
                     : unit == 1 ? p[i]
                     : unit == 2 ? mat_get16(&m->s, p + i)
                                 : mat_get32(&m->s, p + i);
        if (mien_buf_append(b, &c, sizeof c) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}

/* The characters in n bytes of UTF-8; n + 1 where it is none. */
static size_t utf8_count(const unsigned char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0, len; i < n; i += len, count++) {
        if ((len = utf8_len(p + i, n - i)) == 0)
            return n + 1;
    }
    return count;
}

int mat_chars(struct mat *m, struct mat_array *a, struct mien_buf *b, struct mien_err *e)
{
    struct mien_buf raw = {0};
    const unsigned char *p = NULL;
    struct tag t;
    if (a->count == 0)
        return mat_skip(m, a, e);
    if (a->class != MAT_CHAR)
        return mien_err_set(e, MIEN_ERR_FORMAT, "not text");
    int rc = read_tag(m, a->end, &t, e);
    if (rc < 0)
        return rc;
    if (t.size > MAT_MAX_CHARS)
        return mien_err_set(e, MIEN_ERR_LIMIT, "text of %u bytes, where at most %u are read",
                            t.size, MAT_MAX_CHARS);
    for (size_t left = t.size, n; rc == 0 && left > 0; left -= n) {
        n = left < MAT_CHUNK ? left : MAT_CHUNK;
        if ((rc = mat_stream_need(&m->s, n, &p, e)) < 0)
            break;
        if (mien_buf_append(&raw, p, n) < 0)
            rc = mien_err_mem(e, t.size, "text");
        mat_stream_take(&m->s, n);
    }
    size_t unit = unit_of(t.type);
    bool utf8 = rc == 0 && unit == 1 && utf8_count(raw.data, raw.len) == a->count;
    if (rc == 0 && (unit == 0 || (!utf8 && (t.size % unit != 0 || t.size / unit != a->count))))
        rc = mien_err_set(e, MIEN_ERR_FORMAT, "%llu characters in %u bytes of type %u",
                          (unsigned long long)a->count, t.size, t.type);
    if (rc == 0 && decode(m, unit, raw.data, raw.len, utf8, b) < 0)
        rc = mien_err_mem(e, 4 * (size_t)t.size, "text");
    mien_buf_free(&raw);
    return rc < 0 ? rc : mat_skip(m, a, e);
}
