#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "named.h"
#include "util/num.h"
#include "util/printable.h"
#include "util/utf8.h"

enum { MAX_CELL = 16 }; /* elements of an array that a tab-separated value shows */

/* Every append fails with the same code alone, so results can be gathered with |=. */
static int put(struct mien_buf *out, const char *s)
{
    return mien_buf_append(out, s, strlen(s));
}

/* --- Strings ------------------------------------------------------------------------------- */

/* The escape of the character of n bytes at s; n is 0 for a byte that isn't UTF-8. */
static int put_escape(struct mien_buf *out, const unsigned char *s, size_t n, bool json)
{
    static const char named[] = "\\\\\tt\nn\rr\"\"";
    for (const char *p = named; n == 1 && *p != '\0'; p += 2) {
        if (*p == (char)s[0])
            return mien_buf_append(out, (char[]){'\\', p[1]}, 2);
    }
    if (json)
        return n == 0 ? put(out, "\\ufffd") : mien_buf_printf(out, "\\u%04x", utf8_get(s, n));
    int rc = mien_buf_printf(out, "\\x%02x", s[0]);
    for (size_t i = 1; i < n; i++)
        rc |= mien_buf_printf(out, "\\x%02x", s[i]);
    return rc;
}

static int put_escaped(struct mien_buf *out, const char *text, size_t len, bool json)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t from = 0, i = 0; /* [from, i) needs no escape */
    int rc = 0;
    while (i < len) {
        if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\' && s[i] != '"') { /* most are: quickly */
            i++;
            continue;
        }
        size_t n = utf8_len(s + i, len - i);
        if (n > 0 && !drives_terminal(s + i, n) && s[i] != '\\' && (s[i] != '"' || !json)) {
            i += n;
            continue;
        }
        rc |= mien_buf_append(out, s + from, i - from) | put_escape(out, s + i, n, json);
        i += n > 0 ? n : 1;
        from = i;
    }
    return rc | mien_buf_append(out, s + from, len - from);
}

int text_tsv_string(struct mien_buf *out, const char *s, size_t len)
{
    return put_escaped(out, s, len, false);
}

int text_json_string(struct mien_buf *out, const char *s, size_t len)
{
    return put(out, "\"") | put_escaped(out, s, len, true) | put(out, "\"");
}

static int put_string(struct mien_buf *out, const char *s, size_t len, bool json)
{
    return json ? text_json_string(out, s, len) : text_tsv_string(out, s, len);
}

/* --- Numbers: without printf, which would take most of the time ------------------------------ */

/* The digits of v, at least width of them, written backwards from end. Returns their start. */
static char *digits(char *end, uint64_t v, int width)
{
    for (; v > 0 || width > 0; v /= 10, width--)
        *--end = (char)('0' + v % 10);
    return end;
}

static int put_uint(struct mien_buf *out, uint64_t v)
{
    char s[24], *end = s + sizeof s, *p = digits(end, v, 1);
    return mien_buf_append(out, p, (size_t)(end - p));
}

static int put_int(struct mien_buf *out, int64_t v)
{
    int rc = v < 0 ? put(out, "-") : 0;
    return rc | put_uint(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* A number between -1e9 and 1e9, rounded to this many decimals. */
static int put_fixed(struct mien_buf *out, double v, int decimals)
{
    static const double scale[] = {1, 1e1, 1e2, 1e3, 1e4};
    uint64_t n = (uint64_t)llround(fabs(v) * scale[decimals]), unit = (uint64_t)scale[decimals];
    char s[16], *end = s + sizeof s, *p = digits(end, n % unit, decimals);
    int rc = v < 0 && n > 0 ? put(out, "-") : 0;
    rc |= put_uint(out, n / unit);
    return decimals == 0 ? rc : rc | put(out, ".") | mien_buf_append(out, p, (size_t)(end - p));
}

/* 10^k for k in 0..53, as far as a float's digits reach; rounded correctly, so exact enough. */
static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                              1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
                              1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32,
                              1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42, 1e43,
                              1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53};

/* Finds the decimal number n / 10^shift of the fewest digits that reads back as v, which is
   finite and positive: digits are added until the number lies well within half the distance to
   v's lower neighbor. A float needs 9 at most, and a double is exact enough to tell. */
static uint64_t shortest(float v, int *shift)
{
    double x = v, near = 0.4999999 * (x - (double)nextafterf(v, 0));
    int first = (int)floor(log10(x)); /* the power of ten of the first digit */
    uint64_t n;
    for (int count = 6;; count++) {
        *shift = count - 1 - first;
        double unit = tens[*shift >= 0 ? *shift : -*shift];
        n = (uint64_t)((*shift >= 0 ? x * unit : x / unit) + 0.5);
        double back = *shift >= 0 ? (double)n / unit : (double)n * unit;
        if (count == 9 || fabs(back - x) <= near)
            break;
    }
    for (; n % 10 == 0; n /= 10)
        --*shift;
    return n;
}

static int put_f32(struct mien_buf *out, float v)
{
    if (v == 0)
        return put(out, "0");
    int shift;
    uint64_t n = shortest(fabsf(v), &shift);
    char s[64], *end = s + sizeof s, *p = digits(end, n, 1);
    int count = (int)(end - p), first = count - 1 - shift;
    int rc = v < 0 ? put(out, "-") : 0;
    if (first < -5 || first > 15) { /* 1.5e-8 */
        rc |= mien_buf_append(out, p, 1);
        if (count > 1)
            rc |= put(out, ".") | mien_buf_append(out, p + 1, (size_t)count - 1);
        return rc | put(out, "e") | put_int(out, first);
    }
    if (shift <= 0) { /* 1500 */
        rc |= mien_buf_append(out, p, (size_t)count);
        return rc | mien_buf_append(out, "000000000000000", (size_t)-shift);
    }
    /* 0.0015: the digits before the point move one place to make room for it */
    p = digits(end, n, shift + 1) - 1;
    count = (int)(end - p);
    memmove(p, p + 1, (size_t)(count - 1 - shift));
    end[-shift - 1] = '.';
    return rc | mien_buf_append(out, p, (size_t)count);
}

static int put_f64(struct mien_buf *out, double v)
{
    char s[NUM_TEXT];
    num_print(s, v);
    return put(out, s);
}

static int put_infinite(struct mien_buf *out, double v, bool json)
{
    return put(out, json ? "null" : isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
}

/* Element i of a field of numbers. */
static int put_element(struct mien_buf *out, const struct mien_field *f, size_t i, bool json)
{
    switch (f->type) {
    case MIEN_U8:
        return put_uint(out, ((const uint8_t *)f->data)[i]);
    case MIEN_I32:
        return put_int(out, ((const int32_t *)f->data)[i]);
    case MIEN_U64:
        return put_uint(out, ((const uint64_t *)f->data)[i]);
    case MIEN_F32: {
        float v = ((const float *)f->data)[i];
        return isfinite(v) ? put_f32(out, v) : put_infinite(out, v, json);
    }
    default: {
        double v = ((const double *)f->data)[i];
        return isfinite(v) ? put_f64(out, v) : put_infinite(out, v, json);
    }
    }
}

/* --- Fields -------------------------------------------------------------------------------- */

static int put_shape(struct mien_buf *out, const struct mien_field *f, char between)
{
    int rc = 0;
    for (int d = 0; d < f->ndim; d++) {
        if (d > 0)
            rc |= mien_buf_append(out, &between, 1);
        rc |= put_uint(out, f->dim[d]);
    }
    return rc;
}

static size_t elements(const struct mien_field *f)
{
    size_t n = 1;
    for (int d = 0; d < f->ndim; d++)
        n *= f->dim[d];
    return n;
}

/* Whether the field is bytes that mean nothing as numbers: images, and types yet to come. */
static bool opaque(const struct mien_field *f)
{
    return f->tag == MIEN_TAG_IMAGE || f->tag == MIEN_TAG_PIXELS || f->type < MIEN_U8 ||
           f->type > MIEN_TEXT;
}

static int put_list(struct mien_buf *out, const struct mien_field *f)
{
    size_t n = elements(f);
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= (i > 0 ? put(out, ",") : 0) | put_element(out, f, i, false);
    return rc;
}

/* A JSON array, nested as deep as the field has dimensions. */
static int put_nested(struct mien_buf *out, const struct mien_field *f)
{
    size_t n = elements(f), stride[MIEN_MAX_DIMS + 1];
    stride[f->ndim] = 1;
    for (int d = f->ndim; d > 0; d--)
        stride[d - 1] = stride[d] * f->dim[d - 1];
    int rc = n == 0 ? put(out, "[]") : 0;
    for (size_t i = 0; i < n; i++) {
        for (int d = 0; d < f->ndim; d++)
            rc |= i % stride[d] == 0 ? put(out, "[") : 0;
        rc |= put_element(out, f, i, true);
        for (int d = 0; d < f->ndim; d++)
            rc |= (i + 1) % stride[d] == 0 ? put(out, "]") : 0;
        rc |= i + 1 < n ? put(out, ",") : 0;
    }
    return rc;
}

static int put_base64(struct mien_buf *out, const unsigned char *p, size_t n)
{
    static const char code[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int rc = 0;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0u);
        char s[4] = {code[v >> 18], code[v >> 12 & 63], left > 1 ? code[v >> 6 & 63] : '=',
                     left > 2 ? code[v & 63] : '='};
        rc |= mien_buf_append(out, s, sizeof s);
    }
    return rc;
}

static int put_opaque(struct mien_buf *out, const struct mien_field *f, bool json, bool full)
{
    if (!json)
        return put_shape(out, f, 'x');
    int rc = put(out, "{\"shape\":[") | put_shape(out, f, ',') | put(out, "]");
    if (full)
        rc |= put(out, ",\"base64\":\"") | put_base64(out, f->data, f->len) | put(out, "\"");
    return rc | put(out, "}");
}

/* Scores and confidences, of which four decimals are worth reading, as of probabilities. */
static bool is_score(const struct mien_field *f)
{
    return f->type == MIEN_F32 && f->ndim == 0 &&
           (f->tag == MIEN_TAG_SCORE || f->tag == MIEN_TAG_SCORE2 ||
            f->tag == MIEN_TAG_CONF_GENDER || f->tag == MIEN_TAG_CONF_AGE);
}

static int put_field(struct mien_buf *out, const struct mien_field *f, bool json, bool full)
{
    const uint8_t *u8 = f->data;
    bool is_u8 = f->type == MIEN_U8;
    if (f->tag == MIEN_TAG_GENDER && is_u8 && f->ndim == 0 && col_gender_name(u8[0]) != NULL)
        return put_string(out, col_gender_name(u8[0]), strlen(col_gender_name(u8[0])), json);
    if (f->tag == MIEN_TAG_AGE_BAND && is_u8 && f->ndim == 1 && f->dim[0] == 2 && !json)
        return put_uint(out, u8[0]) | put(out, "-") | put_uint(out, u8[1]);
    if (opaque(f))
        return put_opaque(out, f, json, full);
    if (f->type == MIEN_TEXT)
        return put_string(out, f->data, f->len, json);
    if (!json && is_score(f) && fabsf(*(const float *)f->data) < 1e9f)
        return put_fixed(out, *(const float *)f->data, 4);
    if (f->ndim == 0)
        return put_element(out, f, 0, json);
    if (json)
        return put_nested(out, f);
    return elements(f) <= MAX_CELL ? put_list(out, f) : put_shape(out, f, 'x');
}

/* The value of a column and of its field f, NULL for a derived one; nothing when it is absent. */
static int put_column(struct mien_buf *out, const struct mien_rec *r, const struct column *col,
                      const struct mien_field *f, bool json, bool full)
{
    struct col_value v;
    if (f != NULL)
        return put_field(out, f, json, full);
    if (col->id < COL_PRED_AGE || !column_get(r, col, &v))
        return 0;
    if (v.forms & COL_TEXT)
        return put_string(out, v.text, v.len, json);
    return put_fixed(out, v.number, v.decimals);
}

/* --- Lines --------------------------------------------------------------------------------- */

static int put_name(struct mien_buf *out, const struct column *col)
{
    char name[16];
    if (col->id == COL_NAMED)
        return mien_buf_append(out, col->name, col->len);
    return put(out, col_name(col->id, name));
}

int text_header(struct mien_buf *out, const struct column *cols, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= (i > 0 ? put(out, "\t") : 0) | put_name(out, &cols[i]);
    return rc | put(out, "\n");
}

int text_tsv(struct mien_buf *out, const struct mien_rec *r, const struct column *cols, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= (i > 0 ? put(out, "\t") : 0) |
              put_column(out, r, &cols[i], col_field(r, cols[i].id), false, false);
    return rc | put(out, "\n");
}

/* A member of an object, unless its value is absent. */
static int put_member(struct mien_buf *out, const struct mien_rec *r, const struct column *col,
                      const struct mien_field *f, bool full)
{
    size_t before = out->len;
    int rc = out->data[before - 1] == '{' ? 0 : put(out, ",");
    rc |= put(out, "\"") | put_name(out, col) | put(out, "\":");
    size_t empty = out->len;
    rc |= put_column(out, r, col, f, true, full);
    if (out->len == empty)
        out->len = before;
    return rc;
}

/* A field as a member, or as one a line where it holds fields of their own names. */
static int put_members(struct mien_buf *out, const struct mien_rec *r, const struct mien_field *f,
                       bool full)
{
    struct named named;
    int rc = 0;
    if (f->tag != MIEN_TAG_FIELDS || f->type != MIEN_TEXT)
        return put_member(out, r, &(struct column){.id = f->tag}, f, full);
    for (const char *at = f->data, *end = at + f->len; named_next(&at, end, &named);)
        rc |=
            put_member(out, r, &(struct column){COL_NAMED, named.name, named.name_len}, NULL, full);
    return rc;
}

int text_json(struct mien_buf *out, const struct mien_rec *r, const struct column *cols, size_t n,
              bool full)
{
    if (put(out, "{") < 0)
        return MIEN_ERR_MEM;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= put_member(out, r, &cols[i], col_field(r, cols[i].id), full);
    for (size_t i = 0; n == 0 && i < r->nfield; i++)
        rc |= put_members(out, r, &r->field[i], full);
    return rc | put(out, "}\n");
}

/* --- Tables -------------------------------------------------------------------------------- */

/* The table's column of a field, seen first in place i of a record, or nseen. */
static size_t find_column(const struct text_table *t, const struct column *c, size_t i)
{
    for (size_t n = 0; n < t->nseen; n++, i++) {
        if (i >= t->nseen)
            i = 0;
        const struct column *own = &t->col[i];
        if (own->id == c->id && own->len == c->len &&
            (c->len == 0 || memcmp(own->name, c->name, c->len) == 0))
            return i;
    }
    return t->nseen;
}

/* Whether the record has a field that none before had; of fields of their own names it isn't known. */
static bool has_news(struct text_table *t, const struct mien_rec *r)
{
    uint64_t tags = 0;
    bool news = false;
    for (size_t i = 0; i < r->nfield; i++) {
        if (r->field[i].tag < 64 && r->field[i].tag != MIEN_TAG_FIELDS)
            tags |= UINT64_C(1) << r->field[i].tag;
        else
            news = true;
    }
    news = news || (tags & ~t->tags) != 0;
    t->tags |= tags;
    return news;
}

/* Adds the columns of a record's fields that the table hasn't seen yet, with copies of their names,
   which lie in the record. */
static int see_columns(struct text_table *t, const struct mien_rec *r)
{
    struct column col[TEXT_COLUMNS] = {{0}};
    size_t n = col_defaults(r, col, TEXT_COLUMNS);
    for (size_t i = 0; i < n; i++) {
        if (t->nseen == TEXT_COLUMNS || find_column(t, &col[i], i) < t->nseen)
            continue;
        if (col[i].id == COL_NAMED) {
            char *name = malloc(col[i].len + 1);
            if (name == NULL)
                return MIEN_ERR_MEM;
            memcpy(name, col[i].name, col[i].len);
            col[i].name = t->name[t->nseen] = name;
        }
        t->col[t->nseen++] = col[i];
    }
    return 0;
}

/* A record whose columns aren't chosen. */
static int add_found(struct text_table *t, const struct mien_rec *r, struct mien_buf *out)
{
    if (t->col == NULL && (t->col = calloc(TEXT_COLUMNS, sizeof *t->col)) == NULL)
        return MIEN_ERR_MEM;
    t->finding = true;
    if (has_news(t, r) && see_columns(t, r) < 0)
        return MIEN_ERR_MEM;
    if (t->settled)
        return text_tsv(out, r, t->col, t->ncol);
    t->ncol = t->nseen;
    t->cells[t->nheld++] = (uint8_t)t->ncol;
    int rc = text_tsv(&t->held, r, t->col, t->ncol);
    if (t->nheld == TEXT_FIRST || t->held.len >= TEXT_FIRST_BYTES)
        rc |= text_table_settle(t, out);
    return rc;
}

int text_table_settle(struct text_table *t, struct mien_buf *out)
{
    const char *row = (const char *)t->held.data, *end = row + t->held.len;
    if (t->settled || !t->finding)
        return 0;
    t->settled = true;
    int rc = t->no_header ? 0 : text_header(out, t->col, t->ncol);
    for (size_t i = 0; i < t->nheld; i++) {
        const char *line = memchr(row, '\n', (size_t)(end - row));
        rc |= mien_buf_append(out, row, (size_t)(line - row));
        for (size_t k = t->cells[i] > 0 ? t->cells[i] : 1; k < t->ncol; k++)
            rc |= put(out, "\t");
        rc |= put(out, "\n");
        row = line + 1;
    }
    mien_buf_free(&t->held);
    return rc;
}

int text_table_unseen(const struct text_table *t, struct mien_buf *out)
{
    int rc = 0;
    for (size_t i = t->ncol, n = 0; t->settled && i < t->nseen; i++) {
        if (t->col[i].id != MIEN_TAG_ERROR)
            rc |= put(out, n++ > 0 ? "," : "") | put_name(out, &t->col[i]);
    }
    return rc;
}

int text_table_add(struct text_table *t, const struct mien_rec *r, struct mien_buf *out)
{
    bool first = !t->begun;
    t->begun = true;
    if (t->json)
        return text_json(out, r, t->col, t->ncol, t->full);
    if (t->col == NULL || t->finding)
        return add_found(t, r, out);
    int rc = first && !t->no_header ? text_header(out, t->col, t->ncol) : 0;
    return rc | text_tsv(out, r, t->col, t->ncol);
}

bool text_table_has(const struct text_table *t, int col)
{
    for (size_t i = 0; t->col != NULL && i < t->ncol; i++) {
        bool named = col == MIEN_TAG_FIELDS && t->col[i].id == COL_NAMED; /* lies in it */
        if (t->col[i].id == col || named)
            return true;
    }
    return t->col == NULL;
}

void text_table_keep(const struct text_table *t, struct mien_rec *r)
{
    for (size_t i = r->nfield; i-- > 0;) {
        if (!text_table_has(t, r->field[i].tag))
            mien_rec_del(r, r->field[i].tag);
    }
}

void text_table_free(struct text_table *t)
{
    for (size_t i = 0; i < TEXT_COLUMNS; i++)
        free(t->name[i]);
    free(t->col);
    mien_buf_free(&t->held);
    *t = (struct text_table){0};
}
