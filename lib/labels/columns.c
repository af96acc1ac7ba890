#include "columns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "util/printable.h"
#include "words.h"

/* A header of the table, and what is known of it. */
struct header {
    struct csv_cell text;
    bool used, ignored;
};

struct finder {
    struct columns *c;
    const struct rule *rule;
    struct header *header;
    bool has_header;
};

struct csv_cell columns_trim(struct csv_cell c)
{
    while (c.len > 0 && isspace((unsigned char)*c.s)) {
        c.s++;
        c.len--;
    }
    while (c.len > 0 && isspace((unsigned char)c.s[c.len - 1]))
        c.len--;
    return c;
}

bool columns_is_image(struct csv_cell c)
{
    c = columns_trim(c);
    const char *dot = c.s + c.len;
    while (dot > c.s && dot[-1] != '.')
        dot--;
    return dot > c.s && word_is_one_of(dot, (size_t)(c.s + c.len - dot),
                                       "jpg|jpeg|png|webp|bmp|gif|tif|tiff|avif|heic|pgm|ppm");
}

/* --- Headers -------------------------------------------------------------------------------- */

/* Whether a header, loosely spelled, is a word of n bytes. */
static bool is_spelled(struct csv_cell h, const char *word, size_t n)
{
    if (h.len != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char ch = h.s[i] == ' ' || h.s[i] == '-' ? '_' : (char)tolower((unsigned char)h.s[i]);
        if (ch != word[i])
            return false;
    }
    return true;
}

/* The column of this very header; or of this number, where no header is so. NO_COLUMN for none. */
static size_t find_exact(const struct finder *f, const char *name, size_t len)
{
    char digits[8];
    long long number;
    for (size_t i = 0; f->has_header && i < f->c->count; i++) {
        struct csv_cell h = f->header[i].text;
        if (h.len == len && memcmp(h.s, name, len) == 0)
            return i;
    }
    if (len == 0 || len >= sizeof digits)
        return NO_COLUMN;
    memcpy(digits, name, len);
    digits[len] = '\0';
    if (num_int(digits, 1, (long long)f->c->count, &number, NULL) < 0)
        return NO_COLUMN;
    return (size_t)number - 1;
}

/* The first of the headers, separated by '|', that the table has. */
static size_t find_named(const struct finder *f, const char *headers)
{
    for (const char *s = headers;; s++) {
        size_t len = strcspn(s, "|"), k = find_exact(f, s, len);
        if (k != NO_COLUMN)
            return k;
        s += len;
        if (*s == '\0')
            return NO_COLUMN;
    }
}

static size_t find_word(const struct finder *f, const char *word, size_t n)
{
    for (size_t i = 0; f->has_header && i < f->c->count; i++)
        if (!f->header[i].used && !f->header[i].ignored && is_spelled(f->header[i].text, word, n))
            return i;
    return NO_COLUMN;
}

/* Joins the headers as they stand there, to be shown. */
static const char *show(const struct finder *f, char *buf, size_t size)
{
    struct mien_buf all = {0};
    int rc = 0;
    for (size_t i = 0; i < f->c->count && all.len < size; i++)
        rc |= mien_buf_printf(&all, "%s%.*s", i > 0 ? ", " : "", (int)f->header[i].text.len,
                              f->header[i].text.s);
    printable(buf, size, rc == 0 ? (const char *)all.data : "", rc == 0 ? all.len : 0);
    mien_buf_free(&all);
    return buf;
}

enum { SHOWN = 160 };

static int missing(const struct finder *f, struct mien_err *e, const char *what)
{
    char seen[SHOWN];
    if (f->has_header && f->c->count == 1 && !f->header[0].used)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "no columns in the first line: %s; give --separator, or remove what is "
                            "above the header",
                            show(f, seen, sizeof seen));
    return mien_err_set(e, MIEN_ERR_FORMAT, "%s; the %s is: %s", what,
                        f->has_header ? "header" : "first row", show(f, seen, sizeof seen));
}

static int take_named(struct finder *f, struct mien_err *e)
{
    char what[SHOWN];
    for (int i = 0; i < ROLES; i++) {
        if (f->rule->header[i] == NULL)
            continue;
        size_t k = f->c->at[i] = find_named(f, f->rule->header[i]);
        if (k != NO_COLUMN) {
            f->header[k].used = true;
        } else if (!f->rule->maybe[i]) {
            struct mien_err why;
            mien_err_set(&why, 0,
                         f->has_header ? "no column has the header '%s'" : "there is no column %s",
                         f->rule->header[i]);
            printable(what, sizeof what, why.msg, strlen(why.msg));
            return missing(f, e, what);
        }
    }
    for (int i = 0; i < f->rule->nfield; i++) {
        const struct rule_field *field = &f->rule->field[i];
        size_t k = find_exact(f, field->header, field->header_len);
        f->c->field[i] = k != NO_COLUMN ? k : find_word(f, field->header, field->header_len);
        if (f->c->field[i] == NO_COLUMN) {
            struct mien_err why;
            mien_err_set(&why, 0, "no column has the header '%.*s', to be kept",
                         (int)field->header_len, field->header);
            return missing(f, e, why.msg);
        }
        f->header[f->c->field[i]].used = true;
    }
    return 0;
}

/* --- Boxes ---------------------------------------------------------------------------------- */

/* The names of a box's four columns, behind one of the prefixes; where a table has several boxes,
   the first counts. */
static const char *const prefixes[] = {"face_", "",          "bbox_",     "box_",
                                       "bb_",   "face_box_", "face_bbox_"};
static const struct {
    const char *name[4];
    int role; /* of the first; the others follow */
} boxes[] = {
    {{"x0", "y0", "x1", "y1"}, ROLE_X1},
    {{"x1", "y1", "x2", "y2"}, ROLE_X1},
    {{"x_0", "y_0", "x_1", "y_1"}, ROLE_X1},
    {{"x_min", "y_min", "x_max", "y_max"}, ROLE_X1},
    {{"xmin", "ymin", "xmax", "ymax"}, ROLE_X1},
    {{"min_x", "min_y", "max_x", "max_y"}, ROLE_X1},
    {{"left", "top", "right", "bottom"}, ROLE_X1},
    {{"x", "y", "width", "height"}, ROLE_X},
    {{"x", "y", "w", "h"}, ROLE_X},
    {{"x", "y", "dx", "dy"}, ROLE_X},
    {{"x1", "y1", "w", "h"}, ROLE_X},
    {{"x1", "y1", "width", "height"}, ROLE_X},
    {{"x_1", "y_1", "width", "height"}, ROLE_X},
    {{"left", "top", "width", "height"}, ROLE_X},
};

static bool has_box_role(const struct columns *c)
{
    for (int i = ROLE_BOX; i <= ROLE_HEIGHT; i++)
        if (c->at[i] != NO_COLUMN)
            return true;
    return false;
}

static bool take_box(struct finder *f, const char *prefix, const char *const name[4], int role)
{
    size_t at[4];
    for (int i = 0; i < 4; i++) {
        char word[32];
        size_t a = strlen(prefix), b = strlen(name[i]);
        memcpy(word, prefix, a);
        memcpy(word + a, name[i], b);
        at[i] = find_word(f, word, a + b);
        if (at[i] == NO_COLUMN)
            return false;
    }
    for (int i = 0; i < 4; i++) {
        f->c->at[role + i] = at[i];
        f->header[at[i]].used = true;
    }
    return true;
}

static void find_box(struct finder *f)
{
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++)
        for (size_t b = 0; b < sizeof boxes / sizeof *boxes; b++)
            if (take_box(f, prefixes[p], boxes[b].name, boxes[b].role))
                return;
}

/* --- The path ------------------------------------------------------------------------------- */

/* The first of the headers, separated by '|' in n bytes of text, that the table has. */
static size_t find_either(const struct finder *f, const char *s, size_t n)
{
    for (const char *end = s + n; s <= end; s++) {
        size_t len = strcspn(s, "|}"), k = find_exact(f, s, len);
        if (k == NO_COLUMN)
            k = find_word(f, s, len);
        if (k != NO_COLUMN)
            return k;
        s += len;
    }
    return NO_COLUMN;
}

static int compile_path(struct finder *f, struct mien_err *e)
{
    struct columns *c = f->c;
    for (const char *s = f->rule->path; *s != '\0';) {
        size_t text = strcspn(s, "{"), name = s[text] == '{' ? strcspn(s + text + 1, "}") : 0;
        if (c->nparts == PATH_PARTS || (s[text] == '{' && s[text + 1 + name] != '}'))
            return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is not a path made from {HEADER}",
                                f->rule->path);
        struct path_part *part = &c->part[c->nparts++];
        *part = (struct path_part){s, text, NO_COLUMN};
        s += text;
        if (*s == '\0')
            break;
        part->column = find_either(f, s + 1, name);
        if (part->column == NO_COLUMN) {
            struct mien_err why;
            mien_err_set(&why, 0, "no column has the header '%.*s' of the path", (int)name, s + 1);
            return missing(f, e, why.msg);
        }
        f->header[part->column].used = true;
        s += name + 2;
    }
    return 0;
}

/* Without a header: the only column that holds a path. */
static size_t find_image(const struct finder *f, const struct csv_cell *first)
{
    size_t found = NO_COLUMN;
    for (size_t i = 0; i < f->c->count; i++) {
        if (!columns_is_image(first[i]))
            continue;
        if (found != NO_COLUMN)
            return NO_COLUMN;
        found = i;
    }
    return found == NO_COLUMN && f->c->count == 1 ? 0 : found;
}

/* --- All ------------------------------------------------------------------------------------ */

/* Finds a role by its usual headers. The first in the list that is there counts; the same twice is
   not for us to choose. */
static int guess(struct finder *f, int role, struct mien_err *e)
{
    for (const char *s = rule_headers(role);; s++) {
        size_t len = strcspn(s, "|"), k = find_word(f, s, len);
        if (k != NO_COLUMN) {
            f->header[k].used = true;
            f->c->at[role] = k;
            size_t again = find_word(f, s, len);
            if (again != NO_COLUMN)
                return mien_err_set(
                    e, MIEN_ERR_FORMAT,
                    "columns %zu and %zu could both be the %s: choose with --column %s=...", k + 1,
                    again + 1, rule_role(role), rule_role(role));
            return 0;
        }
        s += len;
        if (*s == '\0')
            return 0;
    }
}

static int note_ignored(struct finder *f, struct mien_err *e)
{
    int rc = 0;
    for (size_t i = 0; f->has_header && i < f->c->count; i++) {
        struct csv_cell h = f->header[i].text;
        if (!f->header[i].used && !f->header[i].ignored)
            rc |= mien_buf_printf(&f->c->ignored, "%s%.*s", f->c->ignored.len > 0 ? ", " : "",
                                  (int)h.len, h.s);
    }
    rc |= mien_buf_append(&f->c->ignored, "", 1);
    return rc < 0 ? mien_err_mem(e, 1, "a header") : 0;
}

/* Whether the rule names a column of the group of four that the role is in: then the others may
   have their usual headers. */
static bool named_edges(const struct rule *rule, int role)
{
    int first = role < ROLE_X ? ROLE_X1 : ROLE_X;
    for (int i = first; i < first + 4; i++)
        if (rule->header[i] != NULL)
            return true;
    return false;
}

/* Says how to name a label's column, such as the first that isn't the path. */
static int no_label(const struct finder *f, struct mien_err *e)
{
    struct mien_err why;
    size_t k = 0;
    while (k < f->c->count && (f->header[k].used || k == f->c->at[ROLE_PATH]))
        k++;
    if (k == f->c->count)
        return missing(f, e, "no column holds a label; --names reads those in the names of images");
    if (f->has_header)
        return missing(f, e, "no column holds a label; name one with --column");
    mien_err_set(&why, 0, "no column holds a label; name one, as --column age=%zu", k + 1);
    return missing(f, e, why.msg);
}

static int find_all(struct finder *f, const struct csv_cell *first, bool names, struct mien_err *e)
{
    struct columns *c = f->c;
    int rc = take_named(f, e);
    if (rc < 0 || (f->rule->path != NULL && (rc = compile_path(f, e)) < 0))
        return rc;
    if (!has_box_role(c) && !f->rule->no_box)
        find_box(f);
    for (int i = 0; i < ROLES; i++) {
        bool box = i >= ROLE_BOX && i <= ROLE_HEIGHT;
        if (c->at[i] != NO_COLUMN || f->rule->header[i] != NULL ||
            (i == ROLE_PATH && f->rule->path != NULL) || (box && f->rule->no_box) ||
            (i >= ROLE_X1 && i <= ROLE_HEIGHT && !named_edges(f->rule, i)))
            continue;
        if ((rc = guess(f, i, e)) < 0)
            return rc;
    }
    if (!f->has_header && c->at[ROLE_PATH] == NO_COLUMN && c->nparts == 0)
        c->at[ROLE_PATH] = find_image(f, first);
    if (c->at[ROLE_PATH] == NO_COLUMN && c->nparts == 0)
        return missing(f, e,
                       f->has_header ? "no column holds the path; name it with --column path=HEADER"
                                     : "no column holds the path; name it with --column path=1");
    size_t labels = c->at[ROLE_PATH] != NO_COLUMN ? 0 : 1;
    for (int i = 0; i < ROLES; i++)
        labels += c->at[i] != NO_COLUMN;
    if (labels + (size_t)f->rule->nfield < 2 && !names)
        return no_label(f, e);
    return note_ignored(f, e);
}

int columns_find(struct columns *c, const struct rule *rule, const struct csv_cell *first, size_t n,
                 bool has_header, bool names, struct mien_err *e)
{
    struct finder f = {c, rule, calloc(n + 1, sizeof *f.header), has_header};
    *c = (struct columns){.count = n};
    for (int i = 0; i < ROLES; i++)
        c->at[i] = NO_COLUMN;
    if (f.header == NULL)
        return mien_err_mem(e, n * sizeof *f.header, "headers");
    for (size_t i = 0; i < n; i++) {
        f.header[i].text = columns_trim(first[i]);
        for (int k = 0; has_header && k < rule->nignored; k++)
            f.header[i].ignored |=
                is_spelled(f.header[i].text, rule->ignored[k], strlen(rule->ignored[k]));
    }
    int rc = find_all(&f, first, names, e);
    c->least = n;
    while (has_header && c->least > 0 && f.header[c->least - 1].text.len == 0 &&
           !f.header[c->least - 1].used)
        c->least--;
    free(f.header);
    return rc;
}

void columns_free(struct columns *c)
{
    mien_buf_free(&c->ignored);
}
