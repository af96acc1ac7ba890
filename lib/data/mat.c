#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "util/bytes.h"
#include "util/file.h"
#include "mat.h"
#include "util/utf8.h"

/* The format's codes for how data are stored. */
enum {
    MI_INT8 = 1,
    MI_UINT8 = 2,
    MI_INT16 = 3,
    MI_UINT16 = 4,
    MI_INT32 = 5,
    MI_UINT32 = 6,
    MI_SINGLE = 7,
    MI_DOUBLE = 9,
    MI_INT64 = 12,
    MI_UINT64 = 13,
    MI_MATRIX = 14,
    MI_COMPRESSED = 15,
    MI_UTF8 = 16,
    MI_UTF16 = 17,
    MI_UTF32 = 18
};

#define CHUNK     65536 /* what is read and inflated at a time */
#define CLASS_MAX 15    /* above are function handles and objects, with headers of their own */
#define MAX_DIMS  32

struct mat {
    int fd;
    bool big; /* big-endian */
    bool inflating;
    bool inflated; /* the variable's deflate stream has come to its end */
    z_stream z;
    uint64_t file_pos; /* bytes taken from the file */
    uint64_t raw_left; /* bytes of the file left to the variable */
    size_t in_pos, in_len;
    uint64_t pos; /* bytes of the inflated stream consumed: positions count in these */
    uint64_t var_end;
    size_t out_pos, out_len;
    unsigned char in[CHUNK];
    unsigned char out[2 * CHUNK]; /* CHUNK bytes can always lie in one piece */
};

/* An element's tag: the type and the size of the data behind it. */
struct tag {
    uint32_t type, size;
    uint32_t pad; /* bytes between the data and the next element */
};

static uint16_t get16(const struct mat *m, const unsigned char *p)
{
    return m->big ? __builtin_bswap16(get_le16(p)) : get_le16(p);
}

static uint32_t get32(const struct mat *m, const unsigned char *p)
{
    return m->big ? __builtin_bswap32(get_le32(p)) : get_le32(p);
}

static uint64_t get64(const struct mat *m, const unsigned char *p)
{
    return m->big ? __builtin_bswap64(get_le64(p)) : get_le64(p);
}

int mat_sniff(const void *head, size_t n, struct mien_err *e)
{
    const unsigned char *h = head;

    if (n >= 4 && !memcmp(h, "\x89HDF", 4))
        return mien_err_set(e, MIEN_ERR_FORMAT, "an HDF5 file; save it with -v7 from MATLAB");
    if (n == MAT_HEAD && !memcmp(h, "MATLAB 7.3", 10))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "a MATLAB 7.3 file, which is HDF5; save it with -v7 from MATLAB");
    if (n == MAT_HEAD && (!memcmp(h + 126, "IM", 2) || !memcmp(h + 126, "MI", 2))) {
        unsigned version = h[126] == 'I' ? get_le16(h + 124) : (unsigned)(h[124] << 8 | h[125]);

        if (version == 0x0100)
            return 1;
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
    m->fd = fd;
    m->big = ((const char *)head)[126] == 'M';
    m->file_pos = MAT_HEAD;
    return m;
}

void mat_free(struct mat *m)
{
    if (!m)
        return;
    if (m->inflating)
        inflateEnd(&m->z);
    free(m);
}

/* --- Bytes ---------------------------------------------------------------------------------- */

/* Makes in[] hold at least one byte. Returns 1, or 0 at the end of the file. */
static int fill_in(struct mat *m, struct mien_err *e)
{
    ssize_t n;

    if (m->in_pos < m->in_len)
        return 1;
    n = file_read(m->fd, m->in, sizeof m->in);
    if (n < 0)
        return mien_err_sys(e, "cannot read");
    m->in_pos = 0;
    m->in_len = (size_t)n;
    return n > 0;
}

/* The file's bytes of this variable that are at hand, at least one; none when it has no more. */
static int raw(struct mat *m, const unsigned char **p, size_t *n, struct mien_err *e)
{
    int rc;

    *n = 0;
    if (m->raw_left == 0)
        return 0;
    rc = fill_in(m, e);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the file is cut short: it ends at byte %llu, in a variable",
                            (unsigned long long)m->file_pos);
    *p = m->in + m->in_pos;
    *n = m->in_len - m->in_pos;
    if (*n > m->raw_left)
        *n = (size_t)m->raw_left;
    return 0;
}

static void raw_take(struct mat *m, size_t n)
{
    m->in_pos += n;
    m->file_pos += n;
    m->raw_left -= n;
}

/* Appends more of the variable to out[], at least one byte. Returns 1, or 0 at its end. */
static int fill_out(struct mat *m, struct mien_err *e)
{
    const unsigned char *p = NULL;
    size_t n;
    int rc;

    if (m->out_pos > 0) {
        memmove(m->out, m->out + m->out_pos, m->out_len - m->out_pos);
        m->out_len -= m->out_pos;
        m->out_pos = 0;
    }
    for (;;) {
        size_t room = sizeof m->out - m->out_len;

        if (m->inflating && m->inflated)
            return 0;
        rc = raw(m, &p, &n, e);
        if (rc < 0)
            return rc;
        if (!m->inflating) {
            if (n == 0)
                return 0;
            if (n > room)
                n = room;
            memcpy(m->out + m->out_len, p, n);
            raw_take(m, n);
            m->out_len += n;
            return 1;
        }
        m->z.next_in = (unsigned char *)p;
        m->z.avail_in = (uInt)n;
        m->z.next_out = m->out + m->out_len;
        m->z.avail_out = (uInt)room;
        rc = inflate(&m->z, Z_NO_FLUSH);
        raw_take(m, n - m->z.avail_in);
        if (rc == Z_STREAM_END)
            m->inflated = true;
        else if (rc != Z_OK)
            return mien_err_set(e, rc == Z_MEM_ERROR ? MIEN_ERR_MEM : MIEN_ERR_FORMAT,
                                "cannot inflate near byte %llu: %s",
                                (unsigned long long)m->file_pos,
                                rc == Z_BUF_ERROR ? "the compressed data are cut short"
                                : m->z.msg        ? m->z.msg
                                                  : "the compressed data are damaged");
        if (m->z.avail_out < room) {
            m->out_len += room - m->z.avail_out;
            return 1;
        }
    }
}

/* Makes the next n bytes of the variable, at most CHUNK, contiguous: returns them in *p
   without consuming them. */
static int need(struct mat *m, size_t n, const unsigned char **p, struct mien_err *e)
{
    while (m->out_len - m->out_pos < n) {
        int rc = fill_out(m, e);

        if (rc < 0)
            return rc;
        if (rc == 0)
            return mien_err_set(
                e, MIEN_ERR_FORMAT,
                "a variable's data end at byte %llu of the file, before its arrays do",
                (unsigned long long)m->file_pos);
    }
    *p = m->out + m->out_pos;
    return 0;
}

static void take(struct mat *m, size_t n)
{
    m->out_pos += n;
    m->pos += n;
}

static int skip_to(struct mat *m, uint64_t end, struct mien_err *e)
{
    while (m->pos < end) {
        size_t have = m->out_len - m->out_pos;
        const unsigned char *p;
        int rc;

        if (have > end - m->pos)
            have = (size_t)(end - m->pos);
        take(m, have);
        if (m->pos < end && (rc = need(m, 1, &p, e)) < 0)
            return rc;
    }
    return 0;
}

/* --- Elements ------------------------------------------------------------------------------- */

/* Reads a tag; the element must end within end. */
static int read_tag(struct mat *m, uint64_t end, struct tag *t, struct mien_err *e)
{
    const unsigned char *p = NULL;
    uint32_t word;
    int rc;

    if (end - m->pos < 8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array has no room for its next element");
    if ((rc = need(m, 8, &p, e)) < 0)
        return rc;
    word = get32(m, p);
    if (word >> 16) {
        /* The small format: size and type share a word, up to four bytes of data follow. */
        t->type = word & 0xffff;
        t->size = word >> 16;
        if (t->size > 4)
            return mien_err_set(e, MIEN_ERR_FORMAT, "a small element of %u bytes", t->size);
        t->pad = 4 - t->size;
        take(m, 4);
        return 0;
    }
    t->type = word;
    t->size = get32(m, p + 4);
    t->pad = -t->size & 7;
    take(m, 8);
    if (t->size > end - m->pos)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an element of %u bytes in an array that has %llu left", t->size,
                            (unsigned long long)(end - m->pos));
    /* The last element of an array may lack its padding. */
    if (t->pad > end - m->pos - t->size)
        t->pad = (uint32_t)(end - m->pos - t->size);
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
    if ((rc = need(m, t->size + t->pad, p, e)) < 0)
        return rc;
    take(m, t->size + t->pad);
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
    a->end = m->pos + t.size;
    if (t.size == 0)
        return 0;

    if ((rc = read_small(m, a->end, 8, &t, &p, e)) < 0)
        return rc;
    if (t.type != MI_UINT32 || t.size != 8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array without its flags");
    a->class = (int)(get32(m, p) & 0xff);
    if (a->class < MAT_CELL || a->class > CLASS_MAX)
        return 0;

    if ((rc = read_small(m, a->end, 4 * MAX_DIMS, &t, &p, e)) < 0)
        return rc;
    if (t.type != MI_INT32 || t.size % 4 != 0 || t.size < 8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array without its dimensions");
    a->count = 1;
    for (uint32_t i = 0; i < t.size; i += 4) {
        uint32_t d = get32(m, p + i);

        if (d > INT32_MAX || (d > 0 && a->count > UINT64_MAX / 16 / d))
            return mien_err_set(e, MIEN_ERR_FORMAT, "an array of impossible dimensions");
        a->count *= d;
    }
    a->rows = get32(m, p);

    if ((rc = read_small(m, a->end, MAT_MAX_NAME - 1, &t, &p, e)) < 0)
        return rc;
    if (t.type != MI_INT8)
        return mien_err_set(e, MIEN_ERR_FORMAT, "an array without its name");
    memcpy(a->name, p, t.size);
    a->name[t.size] = '\0';
    return 0;
}

int mat_skip(struct mat *m, const struct mat_array *a, struct mien_err *e)
{
    return skip_to(m, a->end, e);
}

/* Leaves the current variable: what is left of its inflated bytes, then of the file's. Running to
   the end of a deflate stream also checks its checksum. */
static int leave_variable(struct mat *m, struct mien_err *e)
{
    const unsigned char *p = NULL;
    size_t n;
    int rc;

    do {
        m->pos += m->out_len - m->out_pos;
        m->out_pos = m->out_len = 0;
    } while ((rc = fill_out(m, e)) > 0);
    if (rc < 0)
        return rc;
    if (m->inflating)
        inflateEnd(&m->z);
    m->inflating = m->inflated = false;
    while (m->raw_left > 0) {
        if ((rc = raw(m, &p, &n, e)) < 0)
            return rc;
        raw_take(m, n);
    }
    return 0;
}

int mat_next(struct mat *m, struct mat_array *a, struct mien_err *e)
{
    unsigned char t[8];
    uint32_t type;
    int rc = leave_variable(m, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof t; i++) {
        if ((rc = fill_in(m, e)) < 0)
            return rc;
        if (rc == 0 && i == 0)
            return 0;
        if (rc == 0)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "the file is cut short: it ends at byte %llu, in a tag",
                                (unsigned long long)m->file_pos);
        t[i] = m->in[m->in_pos++];
        m->file_pos++;
    }
    type = get32(m, t);
    m->raw_left = get32(m, t + 4);
    if (type == MI_COMPRESSED) {
        memset(&m->z, 0, sizeof m->z);
        if (inflateInit(&m->z) != Z_OK)
            return mien_err_mem(e, CHUNK, "zlib");
        m->inflating = true;
    } else if (type == MI_MATRIX) {
        /* Put the tag before its data, as it would come out of a deflate stream. */
        memcpy(m->out, t, sizeof t);
        m->out_len = sizeof t;
    } else {
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an element of type %u at byte %llu, not a variable", type,
                            (unsigned long long)(m->file_pos - 8));
    }
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
    width = t.size == 4 ? get32(m, p) : 0;
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

/* Bytes of one value of a type, 0 for what is no number. */
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
        return (int16_t)get16(m, p);
    case MI_UINT16:
        return get16(m, p);
    case MI_INT32:
        return (int32_t)get32(m, p);
    case MI_UINT32:
        return get32(m, p);
    case MI_SINGLE:
        word = get32(m, p);
        memcpy(&f, &word, sizeof f);
        return f;
    case MI_INT64:
        return (double)(int64_t)get64(m, p);
    case MI_UINT64:
        return (double)get64(m, p);
    default:
        bits = get64(m, p);
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
        size_t now = n < CHUNK / 8 ? n : CHUNK / 8;

        if ((rc = need(m, now * size, &p, e)) < 0)
            return rc;
        for (size_t i = 0; i < now; i++)
            *out++ = value(m, a->type, p + i * size);
        take(m, now * size);
        n -= now;
    }
    return 0;
}

int mat_text(struct mat *m, struct mat_array *a, struct mien_buf *b, struct mien_err *e)
{
    const unsigned char *p = NULL;
    unsigned char *o;
    size_t unit, n; /* bytes of a code unit and of all */
    struct tag t;
    int rc;

    if (a->count == 0)
        return mat_skip(m, a, e); /* [] is as good as '' */
    if (a->class != MAT_CHAR)
        return mien_err_set(e, MIEN_ERR_FORMAT, "not a string");
    if (a->rows != 1)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a char array of %u rows, not a string", a->rows);
    if ((rc = read_small(m, a->end, MAT_MAX_TEXT, &t, &p, e)) < 0)
        return rc;
    n = t.size;
    switch (t.type) {
    case MI_UTF16:
    case MI_UINT16:
    case MI_INT16:
        unit = 2;
        break;
    case MI_UTF32:
    case MI_UINT32:
    case MI_INT32:
        unit = 4;
        break;
    case MI_UTF8:
    case MI_UINT8:
    case MI_INT8:
        unit = 1;
        break;
    default:
        return mien_err_set(e, MIEN_ERR_FORMAT, "a string stored as type %u", t.type);
    }
    if (unit == 1 && utf8_valid(p, n)) {
        if (mien_buf_append(b, p, n))
            return mien_err_mem(e, n, "text");
        return mat_skip(m, a, e);
    }
    if (mien_buf_reserve(b, n / unit * 4))
        return mien_err_mem(e, n / unit * 4, "text");
    o = b->data + b->len;
    for (size_t i = 0; i + unit <= n; i += unit) {
        uint32_t c = unit == 1 ? p[i] : unit == 2 ? get16(m, p + i) : get32(m, p + i);

        if (unit == 2 && c >= 0xd800 && c < 0xdc00 && i + 4 <= n) {
            uint32_t low = get16(m, p + i + 2);

            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        o += utf8_put(o, c);
    }
    b->len = (size_t)(o - b->data);
    return mat_skip(m, a, e);
}
