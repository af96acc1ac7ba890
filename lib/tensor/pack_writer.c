/* Writing packs: records to tensors. */
#include "pack_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack_format.h"
#include "pack_origin.h"
#include "record/encoding.h"
#include "st_writer.h"
#include "util/file.h"

/* Where the data begin: the header, whose numbers are known only at the end, is at most a dozen
   tensors of 100 bytes, the preprocessing, MIEN_PREP_MAX bytes that JSON may write as six, and the
   history, HISTORY_MAX that it may write as two. */
#define RESERVE 12288
#define HELD    ((size_t)128 << 10) /* bytes of a column held back before a write */

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
    uint64_t digest;
    bool bands; /* a record has an age band */
    struct spool col[PACK_COLUMNS];
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
    for (int c = 0; c < PACK_COLUMNS; c++)
        w->col[c].fd = -1;
    int rc = file_create(&w->out, path, e);
    if (rc == 0 && lseek(w->out.fd, RESERVE, SEEK_SET) < 0)
        rc = mien_err_sys(e, "cannot write a pack to '%s', which isn't a file", path);
    if (rc < 0) {
        pack_writer_free(w);
        return NULL;
    }
    w->col[PACK_DATA].fd = w->out.fd;
    return w;
}

void pack_writer_free(struct pack_writer *w)
{
    if (!w)
        return;
    for (int c = 0; c < PACK_COLUMNS; c++) {
        mien_buf_free(&w->col[c].held);
        if (c != PACK_DATA && w->col[c].fd >= 0)
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
static int put(struct pack_writer *w, enum pack_column c, const void *p, size_t n,
               struct mien_err *e)
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

static int put_offset(struct pack_writer *w, enum pack_column c, uint64_t offset,
                      struct mien_err *e)
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
    const struct mien_field *f = mien_rec_find(r, pack_kinds[kind].tag);
    bool sized = kind != MIEN_PACK_IMAGE && w->n > 0;
    int same = 0;
    for (size_t i = 0; i < r->nfield; i++)
        same += r->field[i].tag == pack_kinds[kind].tag;
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
        mien_err_set(e, MIEN_ERR_FORMAT, "has a feature that isn't a number");
    else
        return f;
    return NULL;
}

static int check_prep(const struct pack_writer *w, const struct mien_rec *r, struct mien_prep *prep,
                      struct mien_err *e)
{
    int rc = mien_rec_get_prep(r, prep, e);
    if (rc < 0)
        return rc;
    if (w->n > 0 && strcmp(prep->text, w->prep.text) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "was made with '%s', those before with '%s'",
                            prep->text, w->prep.text);
    return 0;
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
        if (!pack_valid_age(age))
            return mien_err_set(e, MIEN_ERR_FORMAT, "has the impossible age %d", age);
        l->age = (uint8_t)age;
    }
    if (mien_rec_int(r, MIEN_TAG_GENDER, &gender)) {
        if (gender > 1)
            return mien_err_set(e, MIEN_ERR_FORMAT, "has the impossible gender %d", gender);
        l->gender = (uint8_t)gender;
    }
    const struct mien_field *f = mien_rec_find(r, MIEN_TAG_AGE_BAND);
    if (f) {
        memcpy(l->band, f->data, 2);
        if (!pack_valid_band(l->band))
            return mien_err_set(e, MIEN_ERR_FORMAT, "has the impossible age band %d-%d", l->band[0],
                                l->band[1]);
    }
    return 0;
}

/* Appends bytes of any length to a column and their end to its offsets, which begin with 0. */
static int put_bytes(struct pack_writer *w, enum pack_column c, enum pack_column offsets,
                     const void *p, size_t n, struct mien_err *e)
{
    int rc = w->n == 0 ? put_offset(w, offsets, 0, e) : 0;
    if (rc < 0)
        return rc;
    if (n > 0 && (rc = put(w, c, p, n, e)) < 0)
        return rc;
    return put_offset(w, offsets, w->col[c].len, e);
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
    if (rec_encode(r, pack_kinds[kind].tag, &w->body) < 0)
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
        rc = put_bytes(w, PACK_DATA, PACK_IMAGE_OFFSETS, f->data, f->len, e);
    else
        rc = put(w, PACK_DATA, f->data, f->len, e);
    if (rc < 0 || (rc = put_bytes(w, PACK_ID, PACK_ID_OFFSETS, id, idlen, e)) < 0 ||
        (rc = put_bytes(w, PACK_SUBJECT, PACK_SUBJECT_OFFSETS, subject, sublen, e)) < 0 ||
        (rc = put_bytes(w, PACK_RECORD, PACK_RECORD_OFFSETS, w->body.data, w->body.len, e)) < 0 ||
        (rc = put(w, PACK_RECORD_FIELDS, &nfield, sizeof nfield, e)) < 0 ||
        (rc = put(w, PACK_AGE, &l.age, 1, e)) < 0 ||
        (rc = put(w, PACK_GENDER, &l.gender, 1, e)) < 0 ||
        (rc = put(w, PACK_AGE_BAND, l.band, 2, e)) < 0)
        return rc;
    w->digest = pack_digest_add(w->digest, f->data, f->len, l.age, l.gender, l.band);
    w->n++;
    return 0;
}

/* Describes a column to the header. */
static int describe(const struct pack_writer *w, enum pack_column c, struct st_writer *st,
                    struct mien_err *e)
{
    const char *name = c == PACK_DATA ? pack_kinds[w->kind].name : pack_columns[c].name;
    enum mien_dtype dtype = pack_columns[c].dtype;
    size_t n = (size_t)w->n;
    if (c == PACK_DATA && w->kind == MIEN_PACK_PIXELS)
        return st_add(st, name, MIEN_ST_U8, 4, (size_t[]){n, w->dim[0], w->dim[1], 3}, NULL, e);
    if (c == PACK_DATA && w->kind == MIEN_PACK_FEATURES)
        return st_add(st, name, MIEN_ST_F32, 2, (size_t[]){n, w->dim[0]}, NULL, e);
    if (c == PACK_AGE_BAND)
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

/* Copies what a column has in its temporary file to where the pack's file is. */
static int copy_file(const struct pack_writer *w, int fd, struct mien_err *e)
{
    unsigned char chunk[16384];
    ssize_t k = lseek(fd, 0, SEEK_SET) < 0 ? MIEN_ERR_SYS : 1;
    while (k > 0) {
        k = file_read(fd, chunk, sizeof chunk);
        if (k > 0 && write_to(w, w->out.fd, chunk, (size_t)k, e) < 0)
            return MIEN_ERR_SYS;
    }
    return k < 0 ? mien_err_sys(e, "cannot read a temporary file") : 0;
}

/* Writes a column to its place in the file; of the large tensor only what is held back. */
static int copy_column(struct pack_writer *w, enum pack_column c, uint64_t place,
                       struct mien_err *e)
{
    const struct spool *s = &w->col[c];
    if (c != PACK_DATA && (seek_to(w, place, e) < 0 || (s->fd >= 0 && copy_file(w, s->fd, e) < 0)))
        return MIEN_ERR_SYS;
    return write_to(w, w->out.fd, s->held.data, s->held.len, e);
}

static int add_metadata(const struct pack_writer *w, const char *made, const char *history,
                        struct st_writer *st, struct mien_err *e)
{
    char n[24], digest[17];
    snprintf(n, sizeof n, "%llu", (unsigned long long)w->n);
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)w->digest);
    const char *const text[][2] = {{"format", PACK_FORMAT}, {"version", PACK_VERSION},
                                   {"records", n},          {"prep", w->prep.text},
                                   {"made", made},          {"digest", digest},
                                   {"history", history}};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        if (st_add_meta(st, text[i][0], text[i][1], e) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}

/* Puts each column that the pack has in its place and describes it. */
static int add_columns(struct pack_writer *w, struct st_writer *st, struct mien_err *e)
{
    for (enum pack_column c = 0; c < PACK_COLUMNS; c++) {
        if ((c == PACK_IMAGE_OFFSETS && w->kind != MIEN_PACK_IMAGE) ||
            (c == PACK_AGE_BAND && !w->bands))
            continue;
        int rc = describe(w, c, st, e);
        if (rc < 0)
            return rc;
        rc = copy_column(w, c, RESERVE + st_offset(st), e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Writes the header that st has gathered. */
static int put_header(const struct pack_writer *w, const struct st_writer *st, struct mien_err *e)
{
    struct mien_buf header = {0};
    int rc = st_header(st, RESERVE, &header, e);
    if (rc == 0 && (seek_to(w, 0, e) < 0 || write_to(w, w->out.fd, header.data, header.len, e) < 0))
        rc = MIEN_ERR_SYS;
    mien_buf_free(&header);
    return rc;
}

int pack_writer_end(struct pack_writer *w, const char *made, const char *history,
                    struct mien_err *e)
{
    if (w->n == 0)
        return mien_err_set(e, MIEN_ERR_ARG, "no records to pack");
    struct st_writer *st = st_writer_new(e);
    if (!st)
        return MIEN_ERR_MEM;
    int rc;
    if ((rc = add_metadata(w, made, history, st, e)) < 0 || (rc = add_columns(w, st, e)) < 0 ||
        (rc = put_header(w, st, e)) < 0)
        goto out;
    rc = file_commit(&w->out, e);
out:
    st_writer_free(st);
    return rc;
}
