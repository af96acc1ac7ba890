/*
 * Writing safetensors files. The header is put together here rather than by a JSON library: what a
 * failed allocation leaves out of it would make the file unreadable, and such libraries let some
 * pass.
 */
#include "st_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/text.h"
#include "st_format.h"
#include "util/array.h"
#include "util/bytes.h"
#include "util/file.h"
#include "util/utf8.h"

#define PAD   "_pad"
#define ALIGN 64 /* of the data in the file */

struct st_entry {
    char *name;
    struct mien_tensor t; /* whose name stays NULL */
    uint64_t begin;       /* of its data, behind the header */
};

struct st_text {
    char *key, *value;
};

struct st_writer {
    struct st_entry *entry;
    size_t nentry, centry;
    struct st_text *text;
    size_t ntext, ctext;
    uint64_t end; /* of the data so far */
};

struct st_writer *st_writer_new(struct mien_err *e)
{
    struct st_writer *w = calloc(1, sizeof *w);
    if (!w)
        mien_err_mem(e, sizeof *w, "a file's description");
    return w;
}

void st_writer_free(struct st_writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->nentry; i++)
        free(w->entry[i].name);
    for (size_t i = 0; i < w->ntext; i++) {
        free(w->text[i].key);
        free(w->text[i].value);
    }
    free(w->entry);
    free(w->text);
    free(w);
}

/* Appends a tensor whose place is right. */
static int append(struct st_writer *w, const char *name, const struct mien_tensor *t,
                  struct mien_err *e)
{
    struct st_entry *p = array_grow(w->entry, w->nentry, &w->centry, sizeof *p);
    if (!p)
        return mien_err_mem(e, (w->nentry + 1) * sizeof *p, "a list of tensors");
    w->entry = p;
    p[w->nentry] = (struct st_entry){strdup(name), *t, w->end};
    if (!p[w->nentry].name)
        return mien_err_mem(e, strlen(name), "a tensor's name");
    w->nentry++;
    w->end += t->bytes;
    return 0;
}

static bool is_taken(const struct st_writer *w, const char *name)
{
    if (strncmp(name, PAD, strlen(PAD)) == 0 || strcmp(name, ST_METADATA) == 0)
        return true;
    for (size_t i = 0; i < w->nentry; i++) {
        if (strcmp(w->entry[i].name, name) == 0)
            return true;
    }
    return false;
}

int st_add(struct st_writer *w, const char *name, enum mien_dtype dtype, int ndim,
           const size_t *shape, const void *data, struct mien_err *e)
{
    static const unsigned char zeros[8];
    struct mien_tensor t = {.dtype = dtype, .ndim = ndim, .data = data};
    if (ndim < 0 || ndim > MIEN_ST_MAX_DIMS)
        return mien_err_set(e, MIEN_ERR_ARG, "tensor '%s' has %d dimensions", name, ndim);
    for (int i = 0; i < ndim; i++)
        t.shape[i] = shape[i];
    if (!st_measure(&t) || t.bytes > INT64_MAX / 2 - w->end)
        return mien_err_set(e, MIEN_ERR_ARG, "tensor '%s' is too large", name);
    if (!utf8_valid(name, strlen(name)))
        return mien_err_set(e, MIEN_ERR_ARG, "the name of tensor '%s' is not UTF-8", name);
    if (is_taken(w, name))
        return mien_err_set(e, MIEN_ERR_ARG, "the name '%s' is taken", name);

    size_t over = (size_t)(w->end % mien_st_size(dtype));
    if (over) {
        struct mien_tensor pad = {.dtype = MIEN_ST_U8, .ndim = 1, .data = zeros};
        pad.bytes = pad.shape[0] = mien_st_size(dtype) - over;
        char pname[32];
        snprintf(pname, sizeof pname, PAD "%zu", w->nentry);
        int rc = append(w, pname, &pad, e);
        if (rc < 0)
            return rc;
    }
    return append(w, name, &t, e);
}

/* The place of a key's text, a new one when it has none; NULL when out of memory. */
static struct st_text *find_text(struct st_writer *w, const char *key)
{
    for (size_t i = 0; i < w->ntext; i++) {
        if (strcmp(w->text[i].key, key) == 0)
            return &w->text[i];
    }
    struct st_text *p = array_grow(w->text, w->ntext, &w->ctext, sizeof *p);
    if (!p)
        return NULL;
    w->text = p;
    p += w->ntext;
    *p = (struct st_text){.key = strdup(key)};
    if (!p->key)
        return NULL;
    w->ntext++;
    return p;
}

int st_add_meta(struct st_writer *w, const char *key, const char *value, struct mien_err *e)
{
    struct st_text *t = find_text(w, key);
    char *copy = t ? strdup(value) : NULL;
    if (!copy)
        return mien_err_mem(e, strlen(value), "metadata");
    if (!utf8_valid(copy, strlen(copy))) {
        for (char *p = copy; *p; p++) {
            if ((unsigned char)*p >= 0x80)
                *p = '?';
        }
    }
    free(t->value);
    t->value = copy;
    return 0;
}

/* The results of these are gathered with |=: there is but one way to fail. */

static int put_string(struct mien_buf *out, const char *s)
{
    return text_json_string(out, s, strlen(s));
}

static int put_entry(struct mien_buf *out, const struct st_entry *x)
{
    const struct mien_tensor *t = &x->t;
    int rc = put_string(out, x->name);
    rc |= mien_buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", mien_st_dtype_name(t->dtype));
    for (int i = 0; i < t->ndim; i++)
        rc |= mien_buf_printf(out, "%s%zu", i > 0 ? "," : "", t->shape[i]);
    return rc |
           mien_buf_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)x->begin,
                           (unsigned long long)(x->begin + t->bytes));
}

static int put_header(struct mien_buf *out, const struct st_writer *w)
{
    int rc = mien_buf_printf(out, "{\"%s\":{", ST_METADATA);
    for (size_t i = 0; i < w->ntext; i++) {
        rc |= i > 0 ? mien_buf_printf(out, ",") : 0;
        rc |= put_string(out, w->text[i].key) | mien_buf_printf(out, ":");
        rc |= put_string(out, w->text[i].value);
    }
    rc |= mien_buf_printf(out, "}");
    for (size_t i = 0; i < w->nentry; i++)
        rc |= mien_buf_printf(out, ",") | put_entry(out, &w->entry[i]);
    return rc | mien_buf_printf(out, "}");
}

int st_header(const struct st_writer *w, size_t reserve, struct mien_buf *out, struct mien_err *e)
{
    size_t start = out->len;
    unsigned char length[8] = {0};
    if (mien_buf_append(out, length, sizeof length) < 0 || put_header(out, w) < 0)
        return mien_err_mem(e, out->len, "a header");
    size_t len = out->len - start, total = reserve ? reserve : (len + ALIGN - 1) / ALIGN * ALIGN;
    if (len > total || total > MIEN_ST_MAX_HEADER)
        return mien_err_set(e, MIEN_ERR_LIMIT, "a header of %zu bytes doesn't fit in %zu", len,
                            reserve ? reserve : MIEN_ST_MAX_HEADER);
    if (mien_buf_reserve(out, total - len) < 0)
        return mien_err_mem(e, total, "a header");
    memset(out->data + out->len, ' ', total - len);
    out->len = start + total;
    put_le64(out->data + start, total - sizeof length);
    return 0;
}

uint64_t st_offset(const struct st_writer *w)
{
    return w->nentry > 0 ? w->entry[w->nentry - 1].begin : 0;
}

int st_write(const struct st_writer *w, int fd, struct mien_err *e)
{
    struct mien_buf header = {0};
    int rc = st_header(w, 0, &header, e);
    if (rc == 0 && file_write(fd, header.data, header.len) < 0)
        rc = mien_err_sys(e, "cannot write");
    mien_buf_free(&header);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < w->nentry; i++) {
        if (file_write(fd, w->entry[i].t.data, w->entry[i].t.bytes) < 0)
            return mien_err_sys(e, "cannot write");
    }
    return 0;
}

int st_save(const struct st_writer *w, const char *path, struct mien_err *e)
{
    struct file_out o;
    int rc = file_create(&o, path, e);
    if (rc < 0)
        return rc;
    struct mien_err cause;
    rc = st_write(w, o.fd, &cause);
    if (rc < 0)
        mien_err_set(e, rc, "'%s': %s", path, cause.msg);
    else
        rc = file_commit(&o, e);
    file_abort(&o);
    return rc;
}
