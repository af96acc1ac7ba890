#include "mat_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "util/utf8.h"

#define MAX_ROWS  ((uint64_t)1 << 22)
#define MAX_TEXT  ((size_t)1 << 28) /* bytes of all columns */
#define MAX_CHARS 4096              /* of a cell's text */
#define NREAL     1024              /* numbers read at a time */

/* A column's cells, one after another, each with a zero behind it; and where each ends. */
struct column {
    char name[MAT_MAX_NAME];
    struct mien_buf text, ends;
    size_t n;
    bool words; /* and not only numbers */
};

struct mat_rows {
    int ncolumn;
    struct column column[MAT_MAX_FIELDS];
    struct csv_cell cell[MAT_MAX_FIELDS];
    size_t rows, next; /* the next one, 0 for the names */
    size_t bytes;
};

static void free_column(struct column *c)
{
    mien_buf_free(&c->text);
    mien_buf_free(&c->ends);
}

void mat_rows_free(struct mat_rows *r)
{
    if (r == NULL)
        return;
    for (int i = 0; i < r->ncolumn; i++)
        free_column(&r->column[i]);
    free(r);
}

/* --- Reading -------------------------------------------------------------------------------- */

/* Ends the cell that was appended to a column since its text had `before` bytes. */
static int end_cell(struct mat_rows *r, struct column *c, size_t before, struct mien_err *e)
{
    uint32_t end = (uint32_t)c->text.len;
    if (mien_buf_append(&c->text, "", 1) < 0 || mien_buf_append(&c->ends, &end, sizeof end) < 0)
        return mien_err_mem(e, c->text.len, "a column");
    c->n++;
    r->bytes += c->text.len - before + sizeof end;
    if (r->bytes > MAX_TEXT)
        return mien_err_set(e, MIEN_ERR_LIMIT, "columns of more than %zu bytes", MAX_TEXT);
    return 0;
}

static int put_number(struct column *c, double v)
{
    char text[NUM_TEXT] = "";
    if (isfinite(v))
        num_print(text, v);
    else if (isinf(v))
        memcpy(text, v < 0 ? "-inf" : "inf", 5);
    return mien_buf_append(&c->text, text, strlen(text));
}

static bool is_numeric(const struct mat_array *a)
{
    return a->class >= MAT_DOUBLE && a->class <= MAT_UINT64;
}

/* Appends an array as one cell, and reads it to its end. */
static int read_cell(struct mat_rows *r, struct mat *m, struct mat_array *a, struct column *c,
                     struct mien_err *e)
{
    size_t before = c->text.len;
    int rc = 0;
    if (a->class == MAT_CHAR && a->rows <= 1 && a->count <= MAX_CHARS) {
        rc = mat_text(m, a, &c->text, e);
        c->words |= c->text.len > before;
    } else if (is_numeric(a) && a->count <= MAT_ROWS_NUMBERS) {
        double v[MAT_ROWS_NUMBERS];
        rc = mat_reals(m, a, v, (size_t)a->count, e);
        for (size_t i = 0; rc == 0 && i < a->count; i++) {
            if ((i > 0 && mien_buf_append(&c->text, " ", 1) < 0) || put_number(c, v[i]) < 0)
                rc = mien_err_mem(e, c->text.len, "a column");
        }
    }
    if (rc < 0 || (rc = mat_skip(m, a, e)) < 0)
        return rc;
    return end_cell(r, c, before, e);
}

/* Appends row i of a char matrix of `rows` rows and n characters, without the blanks that fill it. */
static int put_line(struct column *c, const uint32_t *s, size_t i, size_t rows, size_t n)
{
    while (n > 0 && (s[i + rows * (n - 1)] == ' ' || s[i + rows * (n - 1)] == 0))
        n--;
    for (size_t k = 0; k < n; k++) {
        uint32_t ch = s[i + rows * k], low = k + 1 < n ? s[i + rows * (k + 1)] : 0;
        unsigned char text[4];
        if (ch >= 0xd800 && ch < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            ch = 0x10000 + ((ch - 0xd800) << 10) + (low - 0xdc00);
            k++;
        }
        if (mien_buf_append(&c->text, text, utf8_put(text, ch)) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}

/* Reads a char matrix, each row of which is a cell. */
static int read_lines(struct mat_rows *r, struct mat *m, struct mat_array *a, struct column *c,
                      struct mien_err *e)
{
    struct mien_buf b = {0};
    int rc = mat_chars(m, a, &b, e);
    const uint32_t *s = (const uint32_t *)(const void *)b.data;
    for (size_t i = 0; rc == 0 && b.len > 0 && i < a->rows; i++) {
        size_t before = c->text.len;
        rc = put_line(c, s, i, a->rows, (size_t)a->count / a->rows) < 0
                 ? mien_err_mem(e, b.len, "a column")
                 : end_cell(r, c, before, e);
        c->words |= c->text.len > before + 1;
    }
    mien_buf_free(&b);
    return rc;
}

/* Reads a field that holds a whole column. */
static int read_column(struct mat_rows *r, struct mat *m, struct mat_array *a, struct column *c,
                       struct mien_err *e)
{
    bool is_row = a->rows == 1 || a->rows == a->count;
    int rc = 0;
    if (a->class == MAT_CHAR && a->rows > 1 && a->rows <= MAX_ROWS) {
        return read_lines(r, m, a, c, e);
    } else if (a->count > MAX_ROWS || (!is_row && a->class != MAT_CELL)) {
        /* no column: its length is none of a column's */
    } else if (a->class == MAT_CELL) {
        for (uint64_t i = 0; rc == 0 && i < a->count; i++) {
            struct mat_array cell;
            if ((rc = mat_child(m, a, &cell, e)) == 0)
                rc = read_cell(r, m, &cell, c, e);
        }
    } else if (is_numeric(a)) {
        double v[NREAL];
        for (uint64_t left = a->count; rc == 0 && left > 0;) {
            size_t n = left < NREAL ? (size_t)left : NREAL;
            rc = mat_reals(m, a, v, n, e);
            for (size_t i = 0; rc == 0 && i < n; i++) {
                size_t before = c->text.len;
                rc = put_number(c, v[i]) < 0 ? mien_err_mem(e, c->text.len, "a column")
                                             : end_cell(r, c, before, e);
            }
            left -= n;
        }
    } else if (a->class == MAT_CHAR) {
        return read_cell(r, m, a, c, e);
    }
    return rc < 0 ? rc : mat_skip(m, a, e);
}

static int read_all(struct mat_rows *r, struct mat *m, const struct mat_array *var,
                    struct mien_err *e)
{
    for (uint64_t i = 0; i < var->count; i++) {
        for (int k = 0; k < r->ncolumn; k++) {
            struct mat_array a;
            int rc = mat_child(m, var, &a, e);
            if (rc == 0)
                rc = var->count == 1 ? read_column(r, m, &a, &r->column[k], e)
                                     : read_cell(r, m, &a, &r->column[k], e);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

/* Leaves out the columns of another length than the longest of words. */
static void choose(struct mat_rows *r)
{
    int kept = 0;
    for (int i = 0; i < r->ncolumn; i++) {
        if (r->column[i].words && r->column[i].n > r->rows)
            r->rows = r->column[i].n;
    }
    for (int i = 0; i < r->ncolumn; i++) {
        if (r->column[i].n == r->rows) {
            r->column[kept++] = r->column[i];
        } else {
            free_column(&r->column[i]);
        }
    }
    r->ncolumn = kept;
}

struct mat_rows *mat_rows_new(struct mien_err *e)
{
    struct mat_rows *r = calloc(1, sizeof *r);
    if (r == NULL)
        mien_err_mem(e, sizeof *r, "columns");
    return r;
}

int mat_rows_add(struct mat_rows *r, struct mat *m, struct mat_array *var, struct mien_err *e)
{
    if (r->ncolumn == MAT_MAX_FIELDS || var->name[0] == '\0')
        return 0;
    struct column *c = &r->column[r->ncolumn];
    size_t bytes = r->bytes;
    memcpy(c->name, var->name, MAT_MAX_NAME);
    int rc = read_column(r, m, var, c, e);
    if (rc == 0 && c->n > 0) {
        r->ncolumn++;
        return 0;
    }
    free_column(c);
    *c = (struct column){.n = 0};
    r->bytes = bytes;
    /* What can't be a column is no reason not to read the others; what is damaged is found behind
       it. */
    return rc == MIEN_ERR_FORMAT || rc == MIEN_ERR_LIMIT ? 0 : rc;
}

size_t mat_rows_end(struct mat_rows *r)
{
    choose(r);
    return r->rows;
}

int mat_rows_read(struct mat *m, const struct mat_array *var, const struct mat_fields *fields,
                  struct mat_rows **out, struct mien_err *e)
{
    *out = NULL;
    if (var->count > MAX_ROWS)
        return mien_err_set(e, MIEN_ERR_LIMIT, "struct '%s' has more than %llu entries", var->name,
                            (unsigned long long)MAX_ROWS);
    struct mat_rows *r = mat_rows_new(e);
    if (r == NULL)
        return MIEN_ERR_MEM;
    r->ncolumn = fields->n;
    for (int i = 0; i < fields->n; i++)
        memcpy(r->column[i].name, fields->name[i], MAT_MAX_NAME);
    int rc = read_all(r, m, var, e);
    if (rc == 0)
        choose(r);
    if (rc < 0 || r->rows == 0) {
        mat_rows_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

/* --- Rows ----------------------------------------------------------------------------------- */

size_t mat_rows_count(const struct mat_rows *r)
{
    return r->rows;
}

size_t mat_rows_row(const struct mat_rows *r)
{
    return r->next - 1;
}

int mat_rows_next(struct mat_rows *r, const struct csv_cell **cell, size_t *n)
{
    if (r->next > r->rows)
        return 0;
    for (int i = 0; i < r->ncolumn; i++) {
        const struct column *c = &r->column[i];
        if (r->next == 0) {
            r->cell[i] = (struct csv_cell){c->name, strlen(c->name)};
            continue;
        }
        const uint32_t *end = (const uint32_t *)(const void *)c->ends.data + (r->next - 1);
        size_t start = r->next > 1 ? (size_t)end[-1] + 1 : 0;
        r->cell[i] = (struct csv_cell){(const char *)c->text.data + start, *end - start};
    }
    r->next++;
    *cell = r->cell;
    *n = (size_t)r->ncolumn;
    return 1;
}
