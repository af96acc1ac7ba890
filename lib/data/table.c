#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mien/buf.h"
#include "csv.h"
#include "util/num.h"
#include "table.h"

#define NO_COLUMN ((size_t)-1)
#define MAX_CELL  256 /* bytes of a cell that holds numbers */

/* A role's name, which is what --column calls it, and the headers that are known for it. */
static const struct {
    const char *name, *headers;
} role[ROLES] = {
    [ROLE_PATH] = {"path", "path|file|filename|file_name|image|image_path|img|id"},
    [ROLE_AGE] = {"age", "age"},
    [ROLE_BAND] = {"band", "age_band|band|age_group"},
    [ROLE_GENDER] = {"gender", "gender|sex"},
    [ROLE_SUBJECT] = {"subject", "subject|person|identity|user_id|name"},
    [ROLE_GROUP] = {"group", "group|race|ethnicity"},
    [ROLE_BIRTH] = {"birth", "birth|dob|date_of_birth"},
    [ROLE_YEAR] = {"year", "year|photo_taken"},
    [ROLE_BOX] = {"box", "box|face_box"},
    [ROLE_X1] = {"x1", "x1"},
    [ROLE_Y1] = {"y1", "y1"},
    [ROLE_X2] = {"x2", "x2"},
    [ROLE_Y2] = {"y2", "y2"},
    [ROLE_SCORE] = {"score", "score|face_score"},
    [ROLE_SCORE2] = {"score2", "score2|second_face_score"},
    [ROLE_SPLIT] = {"split", "split|part"},
};

struct table {
    struct csv *csv;
    const struct table_rule *rule;
    size_t columns;
    size_t column[ROLES]; /* NO_COLUMN where there is none */
    struct mien_buf ignored;
};

int table_column(struct table_rule *rule, const char *text, struct mien_err *e)
{
    size_t len = strcspn(text, "=");
    for (int i = 0; i < ROLES; i++)
        if (strlen(role[i].name) == len && !memcmp(role[i].name, text, len) && text[len]) {
            rule->header[i] = text + len + 1;
            return 0;
        }
    return mien_err_set(
        e, MIEN_ERR_ARG,
        "'%s' is not ROLE=HEADER, a role being path, age, band, gender, subject, group, "
        "birth, year, box, x1, y1, x2, y2, score, score2 or split",
        text);
}

static struct csv_cell trimmed(struct csv_cell c)
{
    while (c.len > 0 && isspace((unsigned char)*c.s)) {
        c.s++;
        c.len--;
    }
    while (c.len > 0 && isspace((unsigned char)c.s[c.len - 1]))
        c.len--;
    return c;
}

/* Whether a header is one of the words separated by '|'. */
static bool is_known(struct csv_cell h, const char *words)
{
    while (*words) {
        size_t n = strcspn(words, "|"), i = 0;
        while (i < n && n == h.len &&
               (h.s[i] == ' ' ? '_' : tolower((unsigned char)h.s[i])) == words[i])
            i++;
        if (i == n)
            return true;
        words += n + (words[n] == '|');
    }
    return false;
}

static bool is_role(const struct table_rule *rule, int i, struct csv_cell h)
{
    const char *named = rule->header[i];
    if (named)
        return strlen(named) == h.len && !memcmp(named, h.s, h.len);
    return is_known(h, role[i].headers);
}

/* Whether another role claims this header by name; then it is not to be guessed at. */
static bool is_claimed(const struct table_rule *rule, struct csv_cell h)
{
    for (int i = 0; i < ROLES; i++)
        if (rule->header[i] && is_role(rule, i, h))
            return true;
    return false;
}

static int read_header(struct table *t, struct mien_err *e)
{
    const struct csv_cell *cell;
    int rc = csv_read(t->csv, &cell, &t->columns, e);
    size_t used = 0;
    if (rc == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the input is empty");
    if (rc < 0)
        return rc;
    for (int i = 0; i < ROLES; i++)
        t->column[i] = NO_COLUMN;
    for (size_t k = 0; k < t->columns; k++) {
        struct csv_cell h = trimmed(cell[k]);
        bool known = false;
        for (int i = 0; i < ROLES; i++) {
            if (!is_role(t->rule, i, h) || (!t->rule->header[i] && is_claimed(t->rule, h)))
                continue;
            if (t->column[i] != NO_COLUMN)
                return mien_err_set(
                    e, MIEN_ERR_FORMAT, "columns %zu and %zu could both be the %s: %s%s=...",
                    t->column[i] + 1, k + 1, role[i].name, "choose with --column ", role[i].name);
            t->column[i] = k;
            known = true;
        }
        used += known;
        if (!known &&
            mien_buf_printf(&t->ignored, "%s%.*s", t->ignored.len ? ", " : "", (int)h.len, h.s))
            return mien_err_mem(e, h.len, "a header");
    }
    if (mien_buf_append(&t->ignored, "", 1))
        return mien_err_mem(e, 1, "a header");
    for (int i = 0; i < ROLES; i++)
        if (t->rule->header[i] && t->column[i] == NO_COLUMN)
            return mien_err_set(e, MIEN_ERR_FORMAT, "no column has the header '%s'",
                                t->rule->header[i]);
    if (t->column[ROLE_PATH] == NO_COLUMN)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "no column holds the path; name it with --column path=HEADER");
    if (used < 2)
        return mien_err_set(e, MIEN_ERR_FORMAT, "no column holds a label; name one with --column");
    return 0;
}

struct table *table_new(int fd, const void *head, size_t n, const struct table_rule *rule,
                        struct mien_err *e)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t) {
        mien_err_mem(e, sizeof *t, "a table");
        return NULL;
    }
    t->rule = rule;
    t->csv = csv_new(fd, head, n, e);
    if (!t->csv || read_header(t, e) < 0) {
        table_free(t);
        return NULL;
    }
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    csv_free(t->csv);
    mien_buf_free(&t->ignored);
    free(t);
}

const char *table_ignored(const struct table *t)
{
    return (const char *)t->ignored.data;
}

/* Reads up to four numbers from a cell, separated by spaces, commas or semicolons, in brackets or
   not. Missing text gives none. Returns how many, or MIEN_ERR_FORMAT. */
static int numbers(struct csv_cell c, float *out, int max, struct mien_err *e)
{
    char buf[MAX_CELL], *p = buf, *save = NULL;
    int n = 0;
    if (labels_missing(c.s, c.len))
        return 0;
    if (c.len >= sizeof buf)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%zu characters where numbers are expected", c.len);
    memcpy(buf, c.s, c.len);
    buf[c.len] = '\0';
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
static int read_score(struct csv_cell c, float *out, struct mien_err *e)
{
    if (c.len == 4 && memcmp(c.s, "-inf", 4) == 0) {
        *out = -INFINITY;
        return 1;
    }
    return numbers(c, out, 1, e);
}

/* Reads the box, from its column or from four. */
static int read_box(const struct table *t, const struct csv_cell *cell, struct labels *l,
                    struct mien_err *e)
{
    int n = 0;
    if (t->column[ROLE_BOX] != NO_COLUMN) {
        n = numbers(cell[t->column[ROLE_BOX]], l->box, 4, e);
    } else {
        for (int i = 0; i < 4 && t->column[ROLE_X1 + i] != NO_COLUMN; i++) {
            int rc = numbers(cell[t->column[ROLE_X1 + i]], &l->box[i], 1, e);
            if (rc < 0)
                return rc;
            n += rc;
        }
    }
    if (n <= 0)
        return n;
    if (n != 4 || l->box[2] <= l->box[0] || l->box[3] <= l->box[1])
        return mien_err_set(e, MIEN_ERR_FORMAT, "a box must be four numbers, x1 < x2 and y1 < y2");
    l->has_box = true;
    return 0;
}

static struct label_text text_of(const struct table *t, const struct csv_cell *cell, int i)
{
    struct label_text text = {NULL, 0};
    if (t->column[i] != NO_COLUMN) {
        struct csv_cell c = trimmed(cell[t->column[i]]);
        if (!labels_missing(c.s, c.len))
            text = (struct label_text){c.s, c.len};
    }
    return text;
}

/* Reads the column of bands. A year in it counts where the column of ages tells none. */
static int read_band(struct csv_cell c, struct labels *l, struct mien_err *e)
{
    struct labels found;
    labels_init(&found);
    int rc = labels_age(&found, c.s, c.len, e);
    if (rc < 0)
        return rc;
    if (found.band[0] != LABEL_UNKNOWN)
        memcpy(l->band, found.band, sizeof l->band);
    else if (l->age == LABEL_UNKNOWN)
        l->age = found.age;
    return 0;
}

/* Reads all but the path. */
static int read_labels(const struct table *t, const struct csv_cell *cell, struct labels *l,
                       struct mien_err *e)
{
    int rc = 0;
    for (int i = 0; i < ROLES && rc >= 0; i++) {
        struct csv_cell c;
        if (t->column[i] == NO_COLUMN)
            continue;
        c = cell[t->column[i]];
        if (i == ROLE_AGE)
            rc = labels_age(l, c.s, c.len, e);
        else if (i == ROLE_BAND)
            rc = read_band(c, l, e);
        else if (i == ROLE_GENDER)
            rc = labels_gender(l, c.s, c.len, &t->rule->codes, e);
        else if (i == ROLE_BIRTH)
            rc = labels_birth(l, c.s, c.len, e);
        else if (i == ROLE_YEAR)
            rc = labels_year(l, c.s, c.len, e);
        else if (i == ROLE_SCORE)
            rc = read_score(c, &l->score, e);
        else if (i == ROLE_SCORE2)
            rc = read_score(c, &l->score2, e);
    }
    if (rc >= 0)
        rc = read_box(t, cell, l, e);
    if (rc < 0)
        return rc;
    l->subject = text_of(t, cell, ROLE_SUBJECT);
    l->group = text_of(t, cell, ROLE_GROUP);
    l->split = text_of(t, cell, ROLE_SPLIT);
    labels_derive_age(l);
    if (labels_age_outside(l) && !t->rule->any_age)
        return mien_err_set(e, MIEN_ERR_FORMAT, "age %d is not within 0-%d", l->age, MIEN_AGE_MAX);
    return 0;
}

int table_next(struct table *t, struct mien_rec *r, struct mien_err *e)
{
    const struct csv_cell *cell;
    struct labels l, only_path;
    struct mien_err why;
    size_t n;
    int rc;
    mien_rec_clear(r);
    rc = csv_read(t->csv, &cell, &n, e);
    if (rc <= 0)
        return rc;
    if (n != t->columns)
        return mien_err_set(e, MIEN_ERR_FORMAT, "line %llu: %zu fields, where the header has %zu",
                            (unsigned long long)csv_line(t->csv), n, t->columns);
    labels_init(&l);
    l.id = text_of(t, cell, ROLE_PATH);
    if (!l.id.s)
        return mien_err_set(e, MIEN_ERR_FORMAT, "line %llu: no path",
                            (unsigned long long)csv_line(t->csv));
    only_path = l;
    rc = read_labels(t, cell, &l, &why);
    if (labels_to_rec(rc < 0 ? &only_path : &l, r) < 0)
        return mien_err_mem(e, l.id.len, "a record");
    if (rc < 0)
        return mien_err_set(e, rc, "line %llu (%.*s): %s", (unsigned long long)csv_line(t->csv),
                            l.id.len < 200 ? (int)l.id.len : 200, l.id.s, why.msg);
    return 1;
}
