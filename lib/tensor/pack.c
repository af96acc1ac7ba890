/* Packs: records to and from tensors. */
#include "mien/pack.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/file.h"
#include "mien/safetensors.h"
#include "record/encoding.h"
#include "pack_writer.h"
#include "st_writer.h"

/* Where a writer's data begin: the header, whose numbers are known only at the end, is at most a
   dozen tensors of 100 bytes and the preprocessing, MIEN_PREP_MAX bytes that JSON may write as
   six. */
#define RESERVE 8192
#define HELD    ((size_t)128 << 10) /* bytes of a column held back before a write */
#define FORMAT  "mien-pack"
#define VERSION "1"

/* The large tensor of each kind. */
static const struct {
    const char *name;
    int tag;
} kinds[] = {
    [MIEN_PACK_PIXELS] = {"pixels", MIEN_TAG_PIXELS},
    [MIEN_PACK_IMAGE] = {"image", MIEN_TAG_IMAGE},
    [MIEN_PACK_FEATURES] = {"features", MIEN_TAG_FEATURES},
};

const char *mien_pack_kind_name(enum mien_pack_kind kind)
{
    return kinds[kind].name;
}

/* The tensors, in the order of the file: wider elements first, so that nothing but the first of
   them needs padding. Bodies of records are multiples of 8 bytes long and stand behind offsets, so
   that they too are aligned to 8. */
enum column {
    DATA,
    IMAGE_OFFSETS,
    ID_OFFSETS,
    SUBJECT_OFFSETS,
    RECORD_OFFSETS,
    RECORD,
    RECORD_FIELDS,
    ID,
    SUBJECT,
    AGE,
    GENDER,
    AGE_BAND,
    NCOLUMN
};

static const struct {
    const char *name;
    enum mien_dtype dtype;
} columns[NCOLUMN] = {
    [DATA] = {"", MIEN_ST_U8}, /* named and shaped by the pack's kind */
    [IMAGE_OFFSETS] = {"image_offsets", MIEN_ST_U64},
    [ID_OFFSETS] = {"id_offsets", MIEN_ST_U64},
    [SUBJECT_OFFSETS] = {"subject_offsets", MIEN_ST_U64},
    [RECORD_OFFSETS] = {"record_offsets", MIEN_ST_U64},
    [RECORD] = {"record", MIEN_ST_U8},
    [RECORD_FIELDS] = {"record_fields", MIEN_ST_I32},
    [ID] = {"id", MIEN_ST_U8},
    [SUBJECT] = {"subject", MIEN_ST_U8},
    [AGE] = {"age", MIEN_ST_U8},
    [GENDER] = {"gender", MIEN_ST_U8},
    [AGE_BAND] = {"age_band", MIEN_ST_U8},
};

static bool valid_age(int age)
{
    return age >= 0 && age <= MIEN_AGE_MAX;
}

static bool valid_band(const uint8_t *band)
{
    return valid_age(band[1]) && band[0] <= band[1];
}

/* --- Writing ------------------------------------------------------------------------------ */

/* A tensor that grows: its latest bytes in memory, those before in a file. */
struct spool {
    int fd; /* -1 until it is needed */
    struct mien_buf held;
    uint64_t len; /* of all */
};

struct pack_writer {
    struct file_out out;
    enum mien_pack_kind kind;
    uint64_t n;
    uint32_t dim[3]; /* of the first record's data */
    struct mien_prep prep;
    bool bands; /* a record has an age band */
    struct spool col[NCOLUMN];
    struct mien_buf body;
};

struct pack_writer *pack_writer_new(const char *path, enum mien_pack_kind kind, struct mien_err *e)
{
    struct pack_writer *w = calloc(1, sizeof *w);
    if (!w) {
        mien_err_mem(e, sizeof *w, "a pack");
        return NULL;
    }
    w->kind = kind;
    for (int c = 0; c < NCOLUMN; c++)
        w->col[c].fd = -1;
    int rc = file_create(&w->out, path, e);
    if (rc == 0 && lseek(w->out.fd, RESERVE, SEEK_SET) < 0)
        rc = mien_err_sys(e, "cannot write a pack to '%s', which is no file", path);
    if (rc < 0) {
        pack_writer_free(w);
        return NULL;
    }
    w->col[DATA].fd = w->out.fd;
    return w;
}

void pack_writer_free(struct pack_writer *w)
{
    if (!w)
        return;
    for (int c = 0; c < NCOLUMN; c++) {
        mien_buf_free(&w->col[c].held);
        if (c != DATA && w->col[c].fd >= 0)
            close(w->col[c].fd);
    }
    mien_buf_free(&w->body);
    file_abort(&w->out);
    free(w);
}

/* Writes to the pack itself, or to a column's temporary file. */
static int write_to(const struct pack_writer *w, int fd, const void *p, size_t n,
                    struct mien_err *e)
{
    if (file_write(fd, p, n) == 0)
        return 0;
    return fd == w->out.fd ? mien_err_sys(e, "cannot write '%s'", w->out.path)
                           : mien_err_sys(e, "cannot write a temporary file");
}

/* Appends n bytes to a column. */
static int put(struct pack_writer *w, enum column c, const void *p, size_t n, struct mien_err *e)
{
    struct spool *s = &w->col[c];
    s->len += n;
    if (s->held.len + n >= HELD) {
        if (s->fd < 0 && (s->fd = file_temp(e)) < 0)
            return MIEN_ERR_SYS;
        int rc = write_to(w, s->fd, s->held.data, s->held.len, e);
        if (rc < 0)
            return rc;
        mien_buf_clear(&s->held);
        if (n >= HELD)
            return write_to(w, s->fd, p, n, e);
    }
    return mien_buf_append(&s->held, p, n) < 0 ? mien_err_mem(e, n, "a tensor") : 0;
}

static int put_offset(struct pack_writer *w, enum column c, uint64_t offset, struct mien_err *e)
{
    return put(w, c, &offset, sizeof offset, e);
}

/* What a pack of unknown kind makes of its first record; MIEN_PACK_AUTO when there is nothing in
   it. */
static enum mien_pack_kind choose_kind(const struct mien_rec *r)
{
    return mien_rec_has(r, MIEN_TAG_FEATURES) ? MIEN_PACK_FEATURES
           : mien_rec_has(r, MIEN_TAG_PIXELS) ? MIEN_PACK_PIXELS
           : mien_rec_has(r, MIEN_TAG_IMAGE)  ? MIEN_PACK_IMAGE
                                              : MIEN_PACK_AUTO;
}

/* The field that the record gives to the large tensor. NULL when there is none, when it is empty,
   or when its shape isn't that of the records before. */
static const struct mien_field *find_data(const struct pack_writer *w, enum mien_pack_kind kind,
                                          const struct mien_rec *r, struct mien_err *e)
{
    const char *name = mien_pack_kind_name(kind);
    const struct mien_field *f = mien_rec_find(r, kinds[kind].tag);
    bool sized = kind != MIEN_PACK_IMAGE && w->n > 0;
    int same = 0;
    for (size_t i = 0; i < r->nfield; i++)
        same += r->field[i].tag == kinds[kind].tag;
    if (!f || f->len == 0)
        mien_err_set(e, MIEN_ERR_FORMAT, "has no %s", name);
    else if (same > 1) /* one tensor can't restore them all */
        mien_err_set(e, MIEN_ERR_FORMAT, "has %s %d times", name, same);
    else if (kind == MIEN_PACK_PIXELS && (f->dim[0] > UINT16_MAX || f->dim[1] > UINT16_MAX))
        mien_err_set(e, MIEN_ERR_FORMAT, "has pixels of %ux%u", f->dim[0], f->dim[1]);
    else if (kind == MIEN_PACK_PIXELS && sized &&
             (f->dim[0] != w->dim[0] || f->dim[1] != w->dim[1]))
        mien_err_set(e, MIEN_ERR_FORMAT, "has pixels of %ux%u, those before have %ux%u", f->dim[0],
                     f->dim[1], w->dim[0], w->dim[1]);
    else if (kind == MIEN_PACK_FEATURES && sized && f->dim[0] != w->dim[0])
        mien_err_set(e, MIEN_ERR_FORMAT, "has %u features, those before have %u", f->dim[0],
                     w->dim[0]);
    else if (kind == MIEN_PACK_FEATURES && !mien_rec_finite(f))
        mien_err_set(e, MIEN_ERR_FORMAT, "has a feature that is no number");
    else
        return f;
    return NULL;
}

static int check_prep(const struct pack_writer *w, const struct mien_rec *r, struct mien_prep *prep,
                      struct mien_err *e)
{
    size_t len = 0;
    const char *text = mien_rec_text(r, MIEN_TAG_PREP, &len);
    int rc = mien_prep_parse(prep, text ? text : "", len, e);
    if (rc == 0 && w->n > 0 && strcmp(prep->text, w->prep.text) != 0)
        rc = mien_err_set(e, MIEN_ERR_FORMAT, "was made with '%s', those before with '%s'",
                          prep->text, w->prep.text);
    return rc;
}

struct label_bytes {
    uint8_t age, gender, band[2];
};

static int check_labels(const struct mien_rec *r, struct label_bytes *l, struct mien_err *e)
{
    *l = (struct label_bytes){
        MIEN_PACK_UNKNOWN, MIEN_PACK_UNKNOWN, {MIEN_PACK_UNKNOWN, MIEN_PACK_UNKNOWN}};
    int age, gender;
    if (mien_rec_int(r, MIEN_TAG_AGE, &age)) {
        if (!valid_age(age))
            return mien_err_set(e, MIEN_ERR_FORMAT, "has the age %d", age);
        l->age = (uint8_t)age;
    }
    if (mien_rec_int(r, MIEN_TAG_GENDER, &gender)) {
        if (gender > 1)
            return mien_err_set(e, MIEN_ERR_FORMAT, "has the gender %d", gender);
        l->gender = (uint8_t)gender;
    }
    const struct mien_field *f = mien_rec_find(r, MIEN_TAG_AGE_BAND);
    if (f) {
        memcpy(l->band, f->data, 2);
        if (!valid_band(l->band))
            return mien_err_set(e, MIEN_ERR_FORMAT, "has the age band %d-%d", l->band[0],
                                l->band[1]);
    }
    return 0;
}

/* Appends bytes of any length to a column and their end to its offsets, which begin with 0. */
static int put_bytes(struct pack_writer *w, enum column c, enum column offsets, const void *p,
                     size_t n, struct mien_err *e)
{
    int rc = w->n == 0 ? put_offset(w, offsets, 0, e) : 0;
    if (rc == 0 && n > 0)
        rc = put(w, c, p, n, e);
    return rc < 0 ? rc : put_offset(w, offsets, w->col[c].len, e);
}

int pack_add(struct pack_writer *w, const struct mien_rec *r, struct mien_err *e)
{
    enum mien_pack_kind kind = w->kind == MIEN_PACK_AUTO ? choose_kind(r) : w->kind;
    if (kind == MIEN_PACK_AUTO)
        return mien_err_set(e, MIEN_ERR_FORMAT, "has no features, pixels or image");
    const struct mien_field *f = find_data(w, kind, r, e);
    struct mien_prep prep;
    struct label_bytes l;
    int rc = f ? 0 : MIEN_ERR_FORMAT;
    if (rc < 0 || (rc = check_prep(w, r, &prep, e)) < 0 || (rc = check_labels(r, &l, e)) < 0)
        return rc;
    mien_buf_clear(&w->body);
    if (rec_encode(r, kinds[kind].tag, &w->body) < 0)
        return mien_err_mem(e, w->body.len, "a record");

    if (w->n == 0) {
        w->kind = kind;
        w->prep = prep;
        memcpy(w->dim, f->dim, sizeof w->dim);
    }
    w->bands |= l.band[0] != MIEN_PACK_UNKNOWN;
    size_t idlen = 0, sublen = 0;
    const char *id = mien_rec_text(r, MIEN_TAG_ID, &idlen);
    const char *subject = mien_rec_text(r, MIEN_TAG_SUBJECT, &sublen);
    int32_t nfield = (int32_t)r->nfield;
    if (kind == MIEN_PACK_IMAGE)
        rc = put_bytes(w, DATA, IMAGE_OFFSETS, f->data, f->len, e);
    else
        rc = put(w, DATA, f->data, f->len, e);
    if (rc < 0 || (rc = put_bytes(w, ID, ID_OFFSETS, id, idlen, e)) < 0 ||
        (rc = put_bytes(w, SUBJECT, SUBJECT_OFFSETS, subject, sublen, e)) < 0 ||
        (rc = put_bytes(w, RECORD, RECORD_OFFSETS, w->body.data, w->body.len, e)) < 0 ||
        (rc = put(w, RECORD_FIELDS, &nfield, sizeof nfield, e)) < 0 ||
        (rc = put(w, AGE, &l.age, 1, e)) < 0 || (rc = put(w, GENDER, &l.gender, 1, e)) < 0 ||
        (rc = put(w, AGE_BAND, l.band, 2, e)) < 0)
        return rc;
    w->n++;
    return 0;
}

/* Describes a column to the header. */
static int describe(const struct pack_writer *w, enum column c, struct st_writer *st,
                    struct mien_err *e)
{
    const char *name = c == DATA ? kinds[w->kind].name : columns[c].name;
    enum mien_dtype dtype = columns[c].dtype;
    size_t n = (size_t)w->n;
    if (c == DATA && w->kind == MIEN_PACK_PIXELS)
        return st_add(st, name, MIEN_ST_U8, 4, (size_t[]){n, w->dim[0], w->dim[1], 3}, NULL, e);
    if (c == DATA && w->kind == MIEN_PACK_FEATURES)
        return st_add(st, name, MIEN_ST_F32, 2, (size_t[]){n, w->dim[0]}, NULL, e);
    if (c == AGE_BAND)
        return st_add(st, name, dtype, 2, (size_t[]){n, 2}, NULL, e);
    return st_add(st, name, dtype, 1, (size_t[]){(size_t)w->col[c].len / mien_st_size(dtype)}, NULL,
                  e);
}

static int seek_to(const struct pack_writer *w, uint64_t place, struct mien_err *e)
{
    if (lseek(w->out.fd, (off_t)place, SEEK_SET) >= 0)
        return 0;
    return mien_err_sys(e, "cannot seek in '%s'", w->out.path);
}

/* Writes a column to its place in the file; of the large tensor only what is held back. */
static int copy_column(struct pack_writer *w, enum column c, uint64_t place, struct mien_err *e)
{
    struct spool *s = &w->col[c];
    int rc = c == DATA ? 0 : seek_to(w, place, e);
    if (rc == 0 && c != DATA && s->fd >= 0) {
        unsigned char chunk[16384];
        ssize_t k = lseek(s->fd, 0, SEEK_SET) < 0 ? MIEN_ERR_SYS : 0;
        while (k >= 0 && rc == 0 && (k = file_read(s->fd, chunk, sizeof chunk)) > 0)
            rc = write_to(w, w->out.fd, chunk, (size_t)k, e);
        if (k < 0)
            rc = mien_err_sys(e, "cannot read a temporary file");
    }
    return rc < 0 ? rc : write_to(w, w->out.fd, s->held.data, s->held.len, e);
}

int pack_writer_end(struct pack_writer *w, const char *made, struct mien_err *e)
{
    if (w->n == 0)
        return mien_err_set(e, MIEN_ERR_ARG, "no records to pack");
    struct st_writer *st = st_writer_new(e);
    if (!st)
        return MIEN_ERR_MEM;
    char n[24];
    snprintf(n, sizeof n, "%llu", (unsigned long long)w->n);
    struct mien_buf header = {0};
    int rc;
    if ((rc = st_add_meta(st, "format", FORMAT, e)) == 0 &&
        (rc = st_add_meta(st, "version", VERSION, e)) == 0 &&
        (rc = st_add_meta(st, "records", n, e)) == 0 &&
        (rc = st_add_meta(st, "prep", w->prep.text, e)) == 0)
        rc = st_add_meta(st, "made", made, e);
    for (enum column c = 0; c < NCOLUMN && rc == 0; c++) {
        if ((c == IMAGE_OFFSETS && w->kind != MIEN_PACK_IMAGE) || (c == AGE_BAND && !w->bands))
            continue;
        rc = describe(w, c, st, e);
        if (rc == 0)
            rc = copy_column(w, c, RESERVE + st_offset(st), e);
    }
    if (rc == 0 && (rc = st_header(st, RESERVE, &header, e)) == 0 && (rc = seek_to(w, 0, e)) == 0 &&
        (rc = write_to(w, w->out.fd, header.data, header.len, e)) == 0)
        rc = file_commit(&w->out, e);
    mien_buf_free(&header);
    st_writer_free(st);
    return rc;
}

/* --- Reading ------------------------------------------------------------------------------ */

/* A tensor of this type whose shape is [n] or, with width, [n, width]; NULL when it isn't so. */
static const void *get(const struct mien_pack *p, enum column c, size_t n, size_t width)
{
    const struct mien_tensor *t = mien_st_find(p->st, columns[c].name);
    bool right = t && t->dtype == columns[c].dtype && t->ndim == (width ? 2 : 1) &&
                 t->shape[0] == n && (!width || t->shape[1] == width);
    return right ? t->data : NULL;
}

/* Bytes and their offsets, which must rise from 0 to the number of bytes in multiples of align. */
static bool get_bytes(const struct mien_pack *p, const char *name, enum column offsets,
                      size_t align, struct mien_pack_bytes *out)
{
    const struct mien_tensor *t = mien_st_find(p->st, name);
    const uint64_t *offset = get(p, offsets, p->n + 1, 0);
    if (!t || t->dtype != MIEN_ST_U8 || t->ndim != 1 || !offset || offset[0] != 0 ||
        offset[p->n] != t->bytes || (uintptr_t)t->data % align != 0)
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (offset[i] > offset[i + 1] || offset[i] % align != 0)
            return false;
    *out = (struct mien_pack_bytes){t->data, offset};
    return true;
}

/* The same where both tensors may be absent. */
static bool get_optional(const struct mien_pack *p, const char *name, enum column offsets,
                         size_t align, struct mien_pack_bytes *out)
{
    return (!mien_st_find(p->st, name) && !mien_st_find(p->st, columns[offsets].name)) ||
           get_bytes(p, name, offsets, align, out);
}

/* Finds the large tensor: kind, number of records and shape. */
static bool open_data(struct mien_pack *p)
{
    const struct mien_tensor *t;
    p->kind = MIEN_PACK_PIXELS;
    while (p->kind <= MIEN_PACK_FEATURES && !(t = mien_st_find(p->st, kinds[p->kind].name)))
        p->kind++;
    if (p->kind > MIEN_PACK_FEATURES)
        return false;
    p->data = t->data;
    p->n = t->ndim > 0 ? t->shape[0] : 0;
    switch (p->kind) {
    case MIEN_PACK_PIXELS:
        if (t->dtype != MIEN_ST_U8 || t->ndim != 4 || t->shape[1] - 1 >= UINT16_MAX ||
            t->shape[2] - 1 >= UINT16_MAX || t->shape[3] != 3)
            return false;
        p->height = (int)t->shape[1];
        p->width = (int)t->shape[2];
        break;
    case MIEN_PACK_FEATURES:
        if (t->dtype != MIEN_ST_F32 || t->ndim != 2 || t->shape[1] - 1 >= INT_MAX / sizeof(float))
            return false;
        p->dim = (int)t->shape[1];
        break;
    default:
        t = mien_st_find(p->st, columns[IMAGE_OFFSETS].name);
        p->n = t && t->count > 0 ? t->count - 1 : 0;
        return p->n > 0 && get_bytes(p, kinds[p->kind].name, IMAGE_OFFSETS, 1, &p->image);
    }
    return p->n > 0;
}

static bool open_labels(struct mien_pack *p)
{
    p->age = get(p, AGE, p->n, 0);
    p->gender = get(p, GENDER, p->n, 0);
    p->band = get(p, AGE_BAND, p->n, 2);
    if (!p->age || !p->gender || (!p->band && mien_st_find(p->st, columns[AGE_BAND].name)))
        return false;
    for (size_t i = 0; i < p->n; i++) {
        const uint8_t *band = p->band ? p->band + 2 * i : NULL;
        if ((!valid_age(p->age[i]) && p->age[i] != MIEN_PACK_UNKNOWN) ||
            (p->gender[i] > 1 && p->gender[i] != MIEN_PACK_UNKNOWN) ||
            (band && !valid_band(band) &&
             (band[0] != MIEN_PACK_UNKNOWN || band[1] != MIEN_PACK_UNKNOWN)))
            return false;
    }
    return true;
}

static int check_pack(struct mien_pack *p, const char *path, struct mien_err *e)
{
    const char *format = mien_st_meta(p->st, "format"), *version = mien_st_meta(p->st, "version");
    const char *prep = mien_st_meta(p->st, "prep"), *wrong = NULL;
    if (!format || strcmp(format, FORMAT) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is a safetensors file, but not a pack", path);
    if (!version || strcmp(version, VERSION) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "'%s' is a pack of version %s, this program reads %s", path,
                            version ? version : "?", VERSION);
    struct mien_err cause;
    if (mien_prep_parse(&p->prep, prep ? prep : "", prep ? strlen(prep) : 0, &cause) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': %s", path, cause.msg);
    if (!open_data(p))
        wrong = "pixels, images or features";
    else if (!open_labels(p))
        wrong = "ages and genders";
    else if (!get_optional(p, columns[ID].name, ID_OFFSETS, 1, &p->id))
        wrong = "ids";
    else if (!get_optional(p, columns[SUBJECT].name, SUBJECT_OFFSETS, 1, &p->subject))
        wrong = "subjects";
    else if (!get_optional(p, columns[RECORD].name, RECORD_OFFSETS, 8, &p->record))
        wrong = "records";
    else if (p->record.offset && !(p->fields = get(p, RECORD_FIELDS, p->n, 0)))
        wrong = "numbers of fields";
    if (wrong)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': the pack's %s are absent or damaged", path,
                            wrong);
    return 0;
}

int mien_pack_open(struct mien_pack *p, const char *path, struct mien_err *e)
{
    *p = (struct mien_pack){.st = mien_st_open(path, e)};
    int rc = p->st ? check_pack(p, path, e) : MIEN_ERR_FORMAT;
    if (rc < 0)
        mien_pack_close(p);
    return rc;
}

void mien_pack_close(struct mien_pack *p)
{
    mien_st_close(p->st);
    *p = (struct mien_pack){0};
}

const unsigned char *mien_pack_pixels(const struct mien_pack *p, size_t i)
{
    return (const unsigned char *)p->data + i * (size_t)p->height * (size_t)p->width * 3;
}

const float *mien_pack_features(const struct mien_pack *p, size_t i)
{
    return (const float *)p->data + i * (size_t)p->dim;
}

static const unsigned char *bytes_at(const struct mien_pack_bytes *b, size_t i, size_t *len)
{
    *len = b->offset ? (size_t)(b->offset[i + 1] - b->offset[i]) : 0;
    return b->offset ? b->bytes + b->offset[i] : (const unsigned char *)"";
}

const unsigned char *mien_pack_image(const struct mien_pack *p, size_t i, size_t *len)
{
    return bytes_at(&p->image, i, len);
}

const char *mien_pack_id(const struct mien_pack *p, size_t i, size_t *len)
{
    return (const char *)bytes_at(&p->id, i, len);
}

const char *mien_pack_subject(const struct mien_pack *p, size_t i, size_t *len)
{
    return (const char *)bytes_at(&p->subject, i, len);
}

/* Record i's part of the large tensor. */
static const void *data_at(const struct mien_pack *p, size_t i, size_t *len)
{
    if (p->kind == MIEN_PACK_IMAGE)
        return mien_pack_image(p, i, len);
    *len = p->kind == MIEN_PACK_PIXELS ? (size_t)p->height * (size_t)p->width * 3
                                       : (size_t)p->dim * sizeof(float);
    return (const unsigned char *)p->data + i * *len;
}

void mien_pack_will_need(const struct mien_pack *p, const uint32_t *index, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t k = 0; k < n; k++) {
        size_t len;
        uintptr_t at = (uintptr_t)data_at(p, index[k], &len), start = at - at % page;
        posix_madvise((void *)start, at + len - start, POSIX_MADV_WILLNEED);
    }
}

int mien_pack_record(const struct mien_pack *p, size_t i, struct mien_rec *r, struct mien_err *e)
{
    size_t len, blen;
    const void *data = data_at(p, i, &len);
    if (!p->record.offset)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the pack keeps no records, only tensors");
    const unsigned char *body = bytes_at(&p->record, i, &blen);
    mien_rec_clear(r);
    if (p->fields[i] < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a record of %d fields", p->fields[i]);
    return rec_decode_skipped(r, body, blen, (unsigned)p->fields[i], kinds[p->kind].tag, data, len,
                              e);
}
