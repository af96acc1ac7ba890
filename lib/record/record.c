/* Records in memory, and the encoding of their fields. */
#include "mien/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "mien/buf.h"
#include "util/bytes.h"
#include "util/num.h"
#include "util/array.h"
#include "util/printable.h"
#include "util/utf8.h"

/* Fields are used in place, in the byte order of the stream. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records need a little-endian host");

/* What each tag prescribes; a dimension of 0 may have any extent. */
static const struct {
    const char *name;
    uint8_t type, ndim;
    uint32_t dim[MIEN_MAX_DIMS];
} tags[] = {
    [MIEN_TAG_ID] = {"id", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_SUBJECT] = {"subject", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_AGE] = {"age", MIEN_U8, 0, {0}},
    [MIEN_TAG_AGE_BAND] = {"age_band", MIEN_U8, 1, {2}},
    [MIEN_TAG_GENDER] = {"gender", MIEN_U8, 0, {0}},
    [MIEN_TAG_GROUP] = {"group", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_BIRTH] = {"birth", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_YEAR] = {"year", MIEN_I32, 0, {0}},
    [MIEN_TAG_BOX] = {"box", MIEN_F32, 1, {4}},
    [MIEN_TAG_SCORE] = {"score", MIEN_F32, 0, {0}},
    [MIEN_TAG_SCORE2] = {"score2", MIEN_F32, 0, {0}},
    [MIEN_TAG_SPLIT] = {"split", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_IMAGE] = {"image", MIEN_U8, 1, {0}},
    [MIEN_TAG_IMAGE_KIND] = {"image_kind", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_PIXELS] = {"pixels", MIEN_U8, 3, {0, 0, 3}},
    [MIEN_TAG_FEATURES] = {"features", MIEN_F32, 1, {0}},
    [MIEN_TAG_P_GENDER] = {"p_gender", MIEN_F32, 1, {2}},
    [MIEN_TAG_P_AGE] = {"p_age", MIEN_F32, 1, {MIEN_AGES}},
    [MIEN_TAG_ERROR] = {"error", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_PREP] = {"prep", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_LANDMARKS] = {"landmarks", MIEN_F32, 2, {0, 2}},
    [MIEN_TAG_COUNT] = {"count", MIEN_U64, 0, {0}},
    [MIEN_TAG_FACES] = {"faces", MIEN_I32, 0, {0}},
    [MIEN_TAG_CONF_GENDER] = {"conf_gender", MIEN_F32, 0, {0}},
    [MIEN_TAG_CONF_AGE] = {"conf_age", MIEN_F32, 0, {0}},
    [MIEN_TAG_FIELDS] = {"fields", MIEN_TEXT, 0, {0}},
    [MIEN_TAG_HISTORY] = {"history", MIEN_TEXT, 0, {0}},
};
#define NTAGS ((int)(sizeof tags / sizeof tags[0]))

/* Bytes of one element; 0 for a type that this version doesn't know. */
static size_t type_size(int type)
{
    switch (type) {
    case MIEN_U8:
    case MIEN_TEXT:
        return 1;
    case MIEN_I32:
    case MIEN_F32:
        return 4;
    case MIEN_U64:
    case MIEN_F64:
        return 8;
    default:
        return 0;
    }
}

static size_t pad8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* --- Memory --------------------------------------------------------------------------------- */

struct mien_rec_memory {
    size_t cap;           /* fields that there is room for */
    struct mien_buf body; /* the bytes it was read from */
    struct mien_buf *own; /* storage of fields that were set: cown of them, of which nown in use */
    size_t nown, cown;
};

/* The record's memory, made when it is first needed. NULL when there is none. */
static struct mien_rec_memory *memory(struct mien_rec *r)
{
    if (r->memory == NULL)
        r->memory = calloc(1, sizeof *r->memory);
    return r->memory;
}

void mien_rec_clear(struct mien_rec *r)
{
    r->nfield = 0;
    r->failed = false;
    if (r->memory != NULL)
        r->memory->nown = 0;
}

void mien_rec_free(struct mien_rec *r)
{
    struct mien_rec_memory *m = r->memory;
    for (size_t i = 0; m != NULL && i < m->cown; i++)
        mien_buf_free(&m->own[i]);
    if (m != NULL) {
        mien_buf_free(&m->body);
        free(m->own);
    }
    free(m);
    free(r->field);
    *r = (struct mien_rec){0};
}

unsigned char *rec_body(struct mien_rec *r, size_t n)
{
    struct mien_rec_memory *m = memory(r);
    return m == NULL || mien_buf_reserve(&m->body, n) < 0 ? NULL : m->body.data;
}

/* Makes room for one more field and returns it, not yet counted. */
static struct mien_field *room(struct mien_rec *r)
{
    struct mien_rec_memory *m = memory(r);
    if (m == NULL)
        return NULL;
    if (r->nfield == m->cap) {
        struct mien_field *p = array_grow(r->field, r->nfield, &m->cap, sizeof *p);
        if (p == NULL)
            return NULL;
        r->field = p;
    }
    return &r->field[r->nfield];
}

/* Storage for n bytes that lives until the record is cleared. */
static void *storage(struct mien_rec *r, size_t n)
{
    struct mien_rec_memory *m = memory(r);
    if (m == NULL)
        return NULL;
    if (m->nown == m->cown) {
        struct mien_buf *own = array_grow_zeroed(m->own, m->nown, &m->cown, sizeof *own);
        if (own == NULL)
            return NULL;
        m->own = own;
    }
    struct mien_buf *b = &m->own[m->nown];
    mien_buf_clear(b);
    if (mien_buf_reserve(b, n) < 0)
        return NULL;
    m->nown++;
    return b->data;
}

/* --- Tags and fields ------------------------------------------------------------------------ */

const char *mien_tag_name(int tag)
{
    return tag > 0 && tag < NTAGS ? tags[tag].name : NULL;
}

int mien_tag_of(const char *name)
{
    for (int t = 1; t < NTAGS; t++) {
        if (strcmp(tags[t].name, name) == 0)
            return t;
    }
    return 0;
}

static struct mien_field *find_any(const struct mien_rec *r, int tag)
{
    for (size_t i = 0; i < r->nfield; i++) {
        if (r->field[i].tag == tag)
            return &r->field[i];
    }
    return NULL;
}

const struct mien_field *mien_rec_find(const struct mien_rec *r, int tag)
{
    const struct mien_field *f = find_any(r, tag);
    if (f == NULL || tag <= 0 || tag >= NTAGS || f->type != tags[tag].type ||
        f->ndim != tags[tag].ndim)
        return NULL;
    for (int d = 0; d < f->ndim; d++) {
        if (tags[tag].dim[d] != 0 && f->dim[d] != tags[tag].dim[d])
            return NULL;
    }
    return f;
}

bool mien_rec_has(const struct mien_rec *r, int tag)
{
    return mien_rec_find(r, tag) != NULL;
}

const char *mien_rec_text(const struct mien_rec *r, int tag, size_t *len)
{
    const struct mien_field *f = mien_rec_find(r, tag);
    if (f == NULL || f->type != MIEN_TEXT)
        return NULL;
    *len = f->len;
    return f->data;
}

bool mien_rec_int(const struct mien_rec *r, int tag, int *out)
{
    const struct mien_field *f = mien_rec_find(r, tag);
    if (f == NULL || f->ndim != 0)
        return false;
    if (f->type == MIEN_U8)
        *out = *(const uint8_t *)f->data;
    else if (f->type == MIEN_I32)
        *out = *(const int32_t *)f->data;
    else
        return false;
    return true;
}

bool mien_rec_real(const struct mien_rec *r, int tag, double *out)
{
    const struct mien_field *f = mien_rec_find(r, tag);
    int i;
    if (f != NULL && f->ndim == 0 && f->type == MIEN_F32)
        *out = *(const float *)f->data;
    else if (mien_rec_int(r, tag, &i))
        *out = i;
    else
        return false;
    return true;
}

bool mien_rec_faceless(const struct mien_rec *r)
{
    int faces;
    return mien_rec_int(r, MIEN_TAG_FACES, &faces) && faces == 0 &&
           !mien_rec_has(r, MIEN_TAG_BOX) && !mien_rec_has(r, MIEN_TAG_PIXELS) &&
           !mien_rec_has(r, MIEN_TAG_FEATURES);
}

const unsigned char *mien_rec_pixels(const struct mien_rec *r, int *height, int *width)
{
    const struct mien_field *f = mien_rec_find(r, MIEN_TAG_PIXELS);
    if (f == NULL || f->dim[0] == 0 || f->dim[1] == 0 || f->dim[0] > 65535 || f->dim[1] > 65535)
        return NULL;
    *height = (int)f->dim[0];
    *width = (int)f->dim[1];
    return f->data;
}

bool mien_rec_finite(const struct mien_field *f)
{
    return num_finite(f->data, f->len / sizeof(float));
}

const char *mien_rec_id(const struct mien_rec *r, char *buf, size_t n)
{
    size_t len = 0;
    const char *s = mien_rec_text(r, MIEN_TAG_ID, &len);
    printable(buf, n, s, len);
    return buf;
}

static void *alloc_bytes(struct mien_rec *r, int tag, int type, int ndim, const uint32_t *dim,
                         size_t len)
{
    struct mien_field *f = find_any(r, tag);
    bool added = f == NULL;
    if (len > UINT32_MAX || (added && (r->nfield == UINT16_MAX || (f = room(r)) == NULL)))
        return NULL;
    void *data = storage(r, len);
    if (data == NULL)
        return NULL;
    *f = (struct mien_field){.tag = (uint16_t)tag,
                             .type = (uint8_t)type,
                             .ndim = (uint8_t)ndim,
                             .len = (uint32_t)len,
                             .data = data};
    for (int d = 0; d < ndim; d++)
        f->dim[d] = dim[d];
    r->nfield += added;
    return data;
}

/* The product of the dimensions and the element size, or SIZE_MAX when it is absurd. */
static size_t shape_bytes(int type, int ndim, const uint32_t *dim)
{
    uint64_t n = type_size(type);
    for (int d = 0; d < ndim; d++) {
        if (dim[d] != 0 && n > UINT32_MAX / dim[d])
            return SIZE_MAX;
        n *= dim[d];
    }
    return (size_t)n;
}

void *mien_rec_alloc(struct mien_rec *r, int tag, int type, int ndim, const uint32_t *dim)
{
    return alloc_bytes(r, tag, type, ndim, dim, shape_bytes(type, ndim, dim));
}

static int set(struct mien_rec *r, int tag, int type, int ndim, const uint32_t *dim, const void *p,
               size_t len)
{
    void *data = alloc_bytes(r, tag, type, ndim, dim, len);
    if (data == NULL)
        return MIEN_ERR_MEM;
    if (len > 0)
        memcpy(data, p, len);
    return 0;
}

int mien_rec_set_text(struct mien_rec *r, int tag, const char *s, size_t len)
{
    return set(r, tag, MIEN_TEXT, 0, NULL, s, len);
}

int mien_rec_set_str(struct mien_rec *r, int tag, const char *s)
{
    return mien_rec_set_text(r, tag, s, strlen(s));
}

int mien_rec_set_u8(struct mien_rec *r, int tag, int v)
{
    uint8_t b = (uint8_t)v;
    return set(r, tag, MIEN_U8, 0, NULL, &b, 1);
}

int mien_rec_set_i32(struct mien_rec *r, int tag, int32_t v)
{
    return set(r, tag, MIEN_I32, 0, NULL, &v, sizeof v);
}

int mien_rec_set_f32(struct mien_rec *r, int tag, float v)
{
    return set(r, tag, MIEN_F32, 0, NULL, &v, sizeof v);
}

int mien_rec_set_f32v(struct mien_rec *r, int tag, const float *v, uint32_t n)
{
    return set(r, tag, MIEN_F32, 1, &n, v, n * sizeof *v);
}

void mien_rec_del(struct mien_rec *r, int tag)
{
    size_t keep = 0;
    for (size_t i = 0; i < r->nfield; i++) {
        if (r->field[i].tag != tag)
            r->field[keep++] = r->field[i];
    }
    r->nfield = keep;
}

void mien_rec_fail(struct mien_rec *r, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    size_t len = utf8_vprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    mien_rec_del(r, MIEN_TAG_PIXELS);
    if (r->nfield == UINT16_MAX)
        r->nfield--; /* what went wrong matters more than the last field */
    r->failed = true;
    /* mien_write refuses a record without it */
    (void)mien_rec_set_text(r, MIEN_TAG_ERROR, text, len);
}

int mien_rec_copy(struct mien_rec *dst, const struct mien_rec *src)
{
    mien_rec_clear(dst);
    for (size_t i = 0; i < src->nfield; i++) {
        const struct mien_field *s = &src->field[i];
        struct mien_field *f = room(dst);
        void *data = f == NULL ? NULL : storage(dst, s->len);
        if (data == NULL)
            return MIEN_ERR_MEM;
        if (s->len > 0)
            memcpy(data, s->data, s->len);
        *f = *s;
        f->data = data;
        dst->nfield++;
    }
    dst->failed = src->failed;
    return 0;
}

int mien_rec_share(struct mien_rec *dst, const struct mien_rec *src)
{
    mien_rec_clear(dst);
    for (size_t i = 0; i < src->nfield; i++) {
        struct mien_field *f = room(dst);
        if (f == NULL)
            return MIEN_ERR_MEM;
        *f = src->field[i];
        dst->nfield++;
    }
    return 0;
}

int rec_decode(struct mien_rec *r, const void *body, size_t len, unsigned nfield,
               struct mien_err *e)
{
    return rec_decode_skipped(r, body, len, nfield, 0, NULL, 0, e);
}

int rec_decode_skipped(struct mien_rec *r, const void *body, size_t len, unsigned nfield,
                       int skip_data, const void *data, size_t dlen, struct mien_err *e)
{
    const unsigned char *p = body;
    size_t at = 0;
    r->nfield = 0;
    for (unsigned i = 0; i < nfield; i++) {
        struct mien_field *f = room(r);
        if (f == NULL)
            return mien_err_mem(e, nfield * sizeof *f, "fields");
        if (len - at < 8)
            return mien_err_set(e, MIEN_ERR_FORMAT, "field %u lies outside its record", i + 1);
        *f = (struct mien_field){.tag = get_le16(p + at),
                                 .type = p[at + 2],
                                 .ndim = p[at + 3],
                                 .len = get_le32(p + at + 4)};
        if (f->ndim > MIEN_MAX_DIMS)
            return mien_err_set(e, MIEN_ERR_FORMAT, "field %u has %u dimensions", i + 1, f->ndim);
        size_t head = pad8(8 + 4 * (size_t)f->ndim);
        bool skipped = skip_data != 0 && f->tag == skip_data;
        size_t inside = skipped ? 0 : pad8(f->len);
        if (skipped && f->len != dlen)
            return mien_err_set(e, MIEN_ERR_FORMAT, "field %u is not as long as its data", i + 1);
        if (len - at < head || len - at - head < inside)
            return mien_err_set(e, MIEN_ERR_FORMAT, "field %u lies outside its record", i + 1);
        for (int d = 0; d < f->ndim; d++)
            f->dim[d] = get_le32(p + at + 8 + 4 * d);
        bool sized = type_size(f->type) != 0 && f->type != MIEN_TEXT;
        if ((sized && shape_bytes(f->type, f->ndim, f->dim) != f->len) ||
            (f->type == MIEN_TEXT && f->ndim != 0))
            return mien_err_set(e, MIEN_ERR_FORMAT, "field %u is not as long as its shape says",
                                i + 1);
        f->data = skipped ? data : p + at + head;
        at += head + inside;
        r->nfield++;
    }
    if (at != len)
        return mien_err_set(e, MIEN_ERR_FORMAT, "bytes are left over behind the last field");
    return 0;
}

static size_t head_bytes(const struct mien_field *f)
{
    return pad8(8 + 4 * (size_t)f->ndim);
}

size_t mien_rec_bytes(const struct mien_rec *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->nfield; i++)
        n += head_bytes(&r->field[i]) + pad8(r->field[i].len);
    return n;
}

int rec_field_head(const struct mien_field *f, struct mien_buf *out)
{
    size_t n = head_bytes(f);
    if (mien_buf_reserve(out, n) < 0)
        return MIEN_ERR_MEM;
    unsigned char *p = out->data + out->len;
    memset(p, 0, n);
    put_le16(p, f->tag);
    p[2] = f->type;
    p[3] = f->ndim;
    put_le32(p + 4, f->len);
    for (int d = 0; d < f->ndim; d++)
        put_le32(p + 8 + 4 * d, f->dim[d]);
    out->len += n;
    return 0;
}

int rec_encode(const struct mien_rec *r, int skip_data, struct mien_buf *out)
{
    static const unsigned char zero[8];
    for (size_t i = 0; i < r->nfield; i++) {
        const struct mien_field *f = &r->field[i];
        if (rec_field_head(f, out) < 0)
            return MIEN_ERR_MEM;
        if (skip_data != 0 && f->tag == skip_data)
            continue;
        if (mien_buf_append(out, f->data, f->len) < 0 ||
            mien_buf_append(out, zero, pad8(f->len) - f->len) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}
