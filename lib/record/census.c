#include "census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "col.h"
#include "util/array.h"

/* The entry of a tag, made when it is new; NULL when out of memory. */
static struct census_field *entry(struct census *c, const struct mien_field *f)
{
    if (c->index == NULL && (c->index = calloc(UINT16_MAX + 1, sizeof *c->index)) == NULL)
        return NULL;
    if (c->index[f->tag] == 0) {
        struct census_field *p = array_grow(c->field, c->nfield, &c->cap, sizeof *p);
        if (p == NULL)
            return NULL;
        c->field = p;
        c->field[c->nfield] = (struct census_field){.first = *f};
        c->index[f->tag] = (uint32_t)++c->nfield;
    }
    return &c->field[c->index[f->tag] - 1];
}

int census_add(struct census *c, const struct mien_rec *r, struct mien_err *e)
{
    char name[16];
    int rc = 0;
    c->records++;
    for (size_t i = 0; i < r->nfield; i++) {
        const struct mien_field *f = &r->field[i];
        struct census_field *known = entry(c, f);
        if (known == NULL)
            return mien_err_mem(e, c->cap * sizeof *known, "a census");
        known->count++;
        known->mixed |= f->type != known->first.type || f->ndim != known->first.ndim;
        for (int d = 0; d < f->ndim; d++)
            known->varies[d] |= f->dim[d] != known->first.dim[d];
        c->errors += f->tag == MIEN_TAG_ERROR;
        if (mien_tag_name(f->tag) != NULL && mien_rec_find(r, f->tag) == NULL)
            rc = mien_err_set(e, MIEN_ERR_FORMAT, "field %s has the wrong type or shape",
                              col_name(f->tag, name));
    }
    return rc;
}

/* "f32 101", "u8 *x*x3", "text", "mixed" */
static void describe(const struct census_field *f, char *s, size_t n)
{
    static const char *const types[] = {
        [MIEN_U8] = "u8",   [MIEN_I32] = "i32", [MIEN_U64] = "u64",
        [MIEN_F32] = "f32", [MIEN_F64] = "f64", [MIEN_TEXT] = "text"};
    int type = f->first.type;
    if (f->mixed)
        snprintf(s, n, "mixed");
    else if (type >= MIEN_U8 && type <= MIEN_TEXT)
        snprintf(s, n, "%s", types[type]);
    else
        snprintf(s, n, "type %d", type);
    for (int d = 0; d < f->first.ndim && !f->mixed; d++) {
        size_t k = strlen(s);
        const char *before = d == 0 ? " " : "x";
        if (f->varies[d])
            snprintf(s + k, n - k, "%s*", before);
        else
            snprintf(s + k, n - k, "%s%u", before, f->first.dim[d]);
    }
}

void census_add_stream(struct census *c, const struct mien_reader *rd)
{
    c->segments += mien_reader_segments(rd);
    c->bytes += mien_reader_bytes(rd);
}

int census_table(const struct census *c, struct mien_buf *out)
{
    char name[16], type[80];
    int rc = mien_buf_printf(out, "%llu segments, %llu records, %llu with an error, %llu bytes\n",
                             (unsigned long long)c->segments, (unsigned long long)c->records,
                             (unsigned long long)c->errors, (unsigned long long)c->bytes);
    rc |= mien_buf_printf(out, "%-16s %10s  %s\n", "field", "records", "type");
    for (size_t i = 0; i < c->nfield; i++) {
        describe(&c->field[i], type, sizeof type);
        rc |= mien_buf_printf(out, "%-16s %10llu  %s\n", col_name(c->field[i].first.tag, name),
                              (unsigned long long)c->field[i].count, type);
    }
    return rc;
}

void census_free(struct census *c)
{
    free(c->field);
    free(c->index);
    *c = (struct census){0};
}
