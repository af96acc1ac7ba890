#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "mien/buf.h"
#include "record/named.h"
#include "rows.h"
#include "util/num.h"
#include "util/utf8.h"
#include "words.h"

#define MAX_CELL 256 /* bytes of a cell that holds numbers */

struct table {
    struct rows rows;
    struct rule rule;
    const struct names *names;
    struct labels base;
    struct columns c;
    bool first_is_row; /* and has not been used yet */
    struct mien_buf first, first_text;
    struct mien_buf path, fields;
    struct mien_buf last; /* the path before, where repeats are skipped */
    uint64_t repeats, foreign;
};

/* --- The header ----------------------------------------------------------------------------- */

/* Keeps the first row, which turned out to be none of a header. */
static int keep_first(struct table *t, const struct csv_cell *cell, size_t n, struct mien_err *e)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += cell[i].len;
    if (mien_buf_reserve(&t->first_text, total + 1) < 0 ||
        mien_buf_reserve(&t->first, n * sizeof *cell) < 0)
        return mien_err_mem(e, total, "a row");
    struct csv_cell *out = (struct csv_cell *)(void *)t->first.data;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct csv_cell){(char *)t->first_text.data + t->first_text.len, cell[i].len};
        memcpy(t->first_text.data + t->first_text.len, cell[i].s, cell[i].len);
        t->first_text.len += cell[i].len;
    }
    t->first_is_row = true;
    return 0;
}

static int read_header(struct table *t, struct mien_err *e)
{
    const struct csv_cell *cell;
    size_t n;
    int rc = rows_read(&t->rows, &cell, &n, e);
    if (rc == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the input is empty");
    if (rc < 0)
        return rc;
    bool has_header = !t->rule.no_header || t->rows.csv == NULL;
    /* A header names no image. */
    for (size_t i = 0; i < n && t->rows.csv != NULL; i++)
        has_header = has_header && !columns_is_image(cell[i]);
    /* Where decimals have commas, the columns don't. */
    t->rule.ages.decimal_comma = t->rows.csv != NULL && csv_separator(t->rows.csv) == ';';
    rc = columns_find(&t->c, &t->rule, cell, n, has_header, t->names != NULL, e);
    return rc < 0 || has_header ? rc : keep_first(t, cell, n, e);
}

/* A table of rows, which it takes over, also on failure. */
static struct table *table_of(struct rows *rows, const struct rule *rule, const struct names *names,
                              const struct labels *base, struct mien_err *e)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t) {
        mien_err_mem(e, sizeof *t, "a table");
        rows_close(rows);
        return NULL;
    }
    t->rows = *rows;
    t->rule = *rule;
    t->names = names;
    labels_init(&t->base);
    if (base != NULL)
        t->base = *base;
    if (read_header(t, e) < 0) {
        table_free(t);
        return NULL;
    }
    return t;
}

struct table *table_new(int fd, const void *head, size_t n, const struct rule *rule,
                        const struct names *names, const struct labels *base, struct mien_err *e)
{
    struct rows rows;
    if (rows_open(&rows, fd, head, n, rule->separator, e) < 0)
        return NULL;
    return table_of(&rows, rule, names, base, e);
}

struct table *table_of_mat(struct mat_rows *mat, const struct rule *rule, const struct names *names,
                           const struct labels *base, struct mien_err *e)
{
    return table_of(&(struct rows){.mat = mat}, rule, names, base, e);
}

void table_free(struct table *t)
{
    if (!t)
        return;
    rows_close(&t->rows);
    columns_free(&t->c);
    mien_buf_free(&t->first);
    mien_buf_free(&t->first_text);
    mien_buf_free(&t->path);
    mien_buf_free(&t->fields);
    mien_buf_free(&t->last);
    free(t);
}

const char *table_ignored(const struct table *t)
{
    return (const char *)t->c.ignored.data;
}

uint64_t table_repeats(const struct table *t)
{
    return t->repeats;
}

uint64_t table_foreign(const struct table *t)
{
    return t->foreign;
}

/* --- Values --------------------------------------------------------------------------------- */

/* Reads up to max numbers from a cell, separated by spaces, commas or semicolons, in brackets or
   not. Missing text gives none. Returns how many, or MIEN_ERR_FORMAT. */
static int numbers(const struct table *t, struct csv_cell c, float *out, int max,
                   struct mien_err *e)
{
    char buf[MAX_CELL], *p = buf, *save = NULL;
    int n = 0;
    if (labels_missing(c.s, c.len))
        return 0;
    if (c.len >= sizeof buf)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%zu characters where numbers are expected", c.len);
    memcpy(buf, c.s, c.len);
    buf[c.len] = '\0';
    for (char *s = buf; t->rule.ages.decimal_comma && max == 1 && *s; s++)
        *s = *s == ',' ? '.' : *s;
    for (; (p = strtok_r(p, " \t,;()[]", &save)); p = NULL) {
        double v;
        int rc = num_real(p, -1e9, 1e9, &v, e);
        if (rc < 0)
            return MIEN_ERR_FORMAT;
        if (n == max)
            return mien_err_set(e, MIEN_ERR_FORMAT, "more than %d numbers in '%.*s'", max,
                                (int)c.len, c.s);
        out[n++] = (float)v;
    }
    return n;
}

/* Reads a score; that of no face is minus infinity, as mien-view writes it. */
static int read_score(const struct table *t, struct csv_cell c, float *out, struct mien_err *e)
{
    c = columns_trim(c);
    if (c.len == 4 && memcmp(c.s, "-inf", 4) == 0) {
        *out = -INFINITY;
        return 1;
    }
    return numbers(t, c, out, 1, e);
}

/* Puts the box around four corners, x and y each, in their place. */
static void around(float v[8])
{
    float box[4] = {v[0], v[1], v[0], v[1]};
    for (int i = 2; i < 8; i += 2) {
        box[0] = fminf(box[0], v[i]);
        box[1] = fminf(box[1], v[i + 1]);
        box[2] = fmaxf(box[2], v[i]);
        box[3] = fmaxf(box[3], v[i + 1]);
    }
    memcpy(v, box, sizeof box);
}

/* Reads the numbers of a box, from its column or from four, to v. Returns how many. */
static int box_numbers(const struct table *t, const struct csv_cell *cell, float v[8],
                       struct mien_err *e)
{
    const size_t *at = t->c.at;
    int n = 0;
    if (at[ROLE_BOX] != NO_COLUMN)
        return numbers(t, cell[at[ROLE_BOX]], v, 8, e);
    for (int i = 0; i < 4; i++) {
        size_t edge = at[ROLE_X1 + i] != NO_COLUMN ? at[ROLE_X1 + i] : at[ROLE_X + i];
        if (edge == NO_COLUMN)
            continue;
        int rc = numbers(t, cell[edge], &v[n], 1, e);
        if (rc < 0)
            return rc;
        n += rc;
    }
    return n;
}

/* Reads the box. One of missing values or of -1 alone is unknown. */
static int read_box(const struct table *t, const struct csv_cell *cell, struct labels *l,
                    struct mien_err *e)
{
    float v[8] = {0};
    int n = box_numbers(t, cell, v, e), none = 0;
    if (n <= 0)
        return n;
    for (int i = 0; i < n; i++)
        none += v[i] == -1;
    if (none == n)
        return 0;
    if (n == 8)
        around(v);
    else if (t->c.at[ROLE_WIDTH] != NO_COLUMN && t->c.at[ROLE_HEIGHT] != NO_COLUMN && n == 4) {
        v[2] += v[0];
        v[3] += v[1];
    }
    if ((n != 4 && n != 8) || v[2] <= v[0] || v[3] <= v[1])
        return mien_err_set(e, MIEN_ERR_FORMAT, "a box must be four numbers, x1 < x2 and y1 < y2");
    memcpy(l->box, v, sizeof l->box);
    l->has_box = true;
    return 0;
}

static struct label_text text_of(const struct table *t, const struct csv_cell *cell, int role)
{
    struct label_text text = {NULL, 0};
    if (t->c.at[role] != NO_COLUMN) {
        struct csv_cell c = columns_trim(cell[t->c.at[role]]);
        if (role == ROLE_PATH ? !labels_missing(c.s, c.len) : !labels_unknown(c.s, c.len))
            text = (struct label_text){c.s, c.len};
    }
    return rule_meaning(&t->rule, role, text);
}

/* Reads the column of bands. A year in it counts where the column of ages tells none. */
static int read_band(const struct table *t, struct csv_cell c, struct labels *l, struct mien_err *e)
{
    struct labels found;
    labels_init(&found);
    int rc = labels_age(&found, c.s, c.len, &t->rule.ages, e);
    if (rc < 0)
        return rc;
    if (found.band[0] != LABEL_UNKNOWN)
        memcpy(l->band, found.band, sizeof l->band);
    else if (l->age == LABEL_UNKNOWN)
        l->age = found.age;
    return 0;
}

static int read_role(const struct table *t, int role, struct csv_cell c, struct labels *l,
                     struct mien_err *e)
{
    const struct rule *r = &t->rule;
    switch (role) {
    case ROLE_AGE:
        return labels_age(l, c.s, c.len, &r->ages, e);
    case ROLE_BAND:
        return read_band(t, c, l, e);
    case ROLE_MONTHS:
        return l->age == LABEL_UNKNOWN ? labels_months(l, c.s, c.len, &r->ages, e) : 0;
    case ROLE_GENDER:
        return labels_gender(l, c.s, c.len, &r->codes, e);
    case ROLE_BIRTH:
        return labels_date(&l->birth, c.s, c.len, r->date, e);
    case ROLE_YEAR:
        return labels_taken(l, c.s, c.len, r->date, e);
    case ROLE_SCORE:
        return read_score(t, c, &l->score, e);
    case ROLE_SCORE2:
        return read_score(t, c, &l->score2, e);
    default:
        return 0;
    }
}

/* What is wrong with a row, one after another. */
struct faults {
    int n;
    struct mien_err text;
};

static void add_fault(struct faults *f, const struct mien_err *why)
{
    struct mien_err before = f->text;
    if (f->n++ == 0)
        f->text = *why;
    else
        mien_err_set(&f->text, 0, "%s; %s", before.msg, why->msg);
}

/* Puts into l what the name tells and no column does. */
static void read_name(const struct table *t, struct labels *l, struct faults *f)
{
    struct mien_err why;
    struct labels n;
    labels_init(&n);
    if (names_match(t->names, l->id.s, l->id.len, &n, &why) < 0) {
        if (l->age == LABEL_UNKNOWN && l->band[0] == LABEL_UNKNOWN && l->gender == LABEL_UNKNOWN)
            add_fault(f, &why);
        return;
    }
    if (l->age == LABEL_UNKNOWN && l->band[0] == LABEL_UNKNOWN) {
        l->age = n.age;
        memcpy(l->band, n.band, sizeof l->band);
    }
    if (l->gender == LABEL_UNKNOWN)
        l->gender = n.gender;
    if (l->subject.s == NULL)
        l->subject = n.subject;
    if (l->group.s == NULL)
        l->group = n.group;
    if (l->split.s == NULL)
        l->split = n.split;
    if (l->birth.year == LABEL_UNKNOWN)
        l->birth = n.birth;
    if (l->year == LABEL_UNKNOWN)
        l->year = n.year;
}

/* Reads all but the path. What is bad is left out, and told in f. */
static void read_labels(const struct table *t, const struct csv_cell *cell, struct labels *l,
                        struct faults *f)
{
    struct mien_err why;
    for (int i = 0; i < ROLES; i++)
        if (t->c.at[i] != NO_COLUMN && read_role(t, i, cell[t->c.at[i]], l, &why) < 0)
            add_fault(f, &why);
    if (!t->rule.no_box && read_box(t, cell, l, &why) < 0)
        add_fault(f, &why);
    if (t->c.at[ROLE_SUBJECT] != NO_COLUMN)
        l->subject = text_of(t, cell, ROLE_SUBJECT);
    if (t->c.at[ROLE_GROUP] != NO_COLUMN)
        l->group = text_of(t, cell, ROLE_GROUP);
    if (t->c.at[ROLE_SPLIT] != NO_COLUMN)
        l->split = text_of(t, cell, ROLE_SPLIT);
    if (t->names != NULL)
        read_name(t, l, f);
    labels_derive_age(l);
    if (labels_age_outside(l) && !t->rule.any_age) {
        mien_err_set(&why, 0, "age %d is not within 0-%d", l->age, MIEN_AGE_MAX);
        add_fault(f, &why);
    }
}

/* --- Rows ----------------------------------------------------------------------------------- */

/* The path, from its column or made of several; without a '/', a backslash separates its parts. */
static int read_path(struct table *t, const struct csv_cell *cell, struct label_text *out)
{
    struct label_text text = text_of(t, cell, ROLE_PATH);
    mien_buf_clear(&t->path);
    if (t->c.nparts > 0) {
        int rc = 0;
        bool any = false;
        for (int i = 0; i < t->c.nparts; i++) {
            const struct path_part *p = &t->c.part[i];
            struct csv_cell c = {"", 0};
            if (p->column != NO_COLUMN)
                c = columns_trim(cell[p->column]);
            any |= c.len > 0;
            rc |=
                mien_buf_append(&t->path, p->text, p->len) | mien_buf_append(&t->path, c.s, c.len);
        }
        if (rc < 0)
            return MIEN_ERR_MEM;
        text = any ? (struct label_text){(char *)t->path.data, t->path.len}
                   : (struct label_text){NULL, 0};
    }
    if (text.s != NULL && memchr(text.s, '\\', text.len) && !memchr(text.s, '/', text.len)) {
        if (t->c.nparts == 0 && mien_buf_append(&t->path, text.s, text.len) < 0)
            return MIEN_ERR_MEM;
        for (size_t i = 0; i < t->path.len; i++)
            if (t->path.data[i] == '\\')
                t->path.data[i] = '/';
        text.s = (char *)t->path.data;
    }
    *out = text;
    return 0;
}

static int set_fields(struct table *t, const struct csv_cell *cell, struct mien_rec *r)
{
    mien_buf_clear(&t->fields);
    int rc = 0;
    for (int i = 0; i < t->rule.nfield; i++) {
        struct csv_cell c = columns_trim(cell[t->c.field[i]]);
        const struct rule_field *f = &t->rule.field[i];
        rc |= named_add(&t->fields, f->name, f->name_len, c.s, c.len);
    }
    return rc < 0 || t->fields.len == 0
               ? rc
               : mien_rec_set_text(r, MIEN_TAG_FIELDS, (char *)t->fields.data, t->fields.len);
}

/* The next row's cells, the first one's, too, where that is a row. */
static int next_row(struct table *t, const struct csv_cell **cell, size_t *n, struct mien_err *e)
{
    if (!t->first_is_row)
        return rows_read(&t->rows, cell, n, e);
    t->first_is_row = false;
    *cell = (const struct csv_cell *)(void *)t->first.data;
    *n = t->c.count;
    return 1;
}

/* Whether the path is that of the row before, which is kept. */
static int is_repeated(struct table *t, struct label_text path, struct mien_err *e)
{
    if (t->last.len == path.len && memcmp(t->last.data, path.s, path.len) == 0)
        return 1;
    mien_buf_clear(&t->last);
    return mien_buf_append(&t->last, path.s, path.len) < 0 ? mien_err_mem(e, path.len, "a path")
                                                           : 0;
}

/* Whether a row of n cells goes with the header: it may lack cells of columns without a name at its
   end, and have empty ones more, as spreadsheets write them. */
static bool fits(const struct table *t, const struct csv_cell *cell, size_t n)
{
    if (n < t->c.least)
        return false;
    for (size_t i = t->c.count; i < n; i++) {
        if (cell[i].len > 0)
            return false;
    }
    return true;
}

/* Makes a record of a row. Returns 1, 0 where it is skipped, or as table_next. */
static int to_record(struct table *t, const struct csv_cell *cell, size_t n, struct mien_rec *r,
                     struct mien_err *e)
{
    struct labels l = t->base;
    struct faults f; /* its text is long, and mostly unused */
    f.n = 0;
    unsigned long long line = rows_line(&t->rows);
    const char *unit = rows_unit(&t->rows);
    if (!fits(t, cell, n))
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s %llu: %zu fields, where the header has %zu",
                            unit, line, n, t->c.count);
    if (read_path(t, cell, &l.id) < 0)
        return mien_err_mem(e, t->path.len, "a path");
    if (!l.id.s)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s %llu: no path", unit, line);
    int repeated = t->rule.no_repeats ? is_repeated(t, l.id, e) : 0;
    if (repeated != 0)
        return repeated < 0 ? repeated : 0;
    t->foreign += !utf8_valid(l.id.s, l.id.len);
    read_labels(t, cell, &l, &f);
    if (labels_to_rec(&l, r) < 0 || set_fields(t, cell, r) < 0)
        return mien_err_mem(e, l.id.len, "a record");
    if (f.n > 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s %llu (%.*s): %s", unit, line,
                            l.id.len < 200 ? (int)l.id.len : 200, l.id.s, f.text.msg);
    return 1;
}

int table_next(struct table *t, struct mien_rec *r, struct mien_err *e)
{
    const struct csv_cell *cell;
    size_t n;
    mien_rec_clear(r);
    for (;; t->repeats++) {
        int rc = next_row(t, &cell, &n, e);
        if (rc <= 0 || (rc = to_record(t, cell, n, r, e)) != 0)
            return rc;
    }
}
