#include "col.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "named.h"
#include "pred.h"
#include "util/num.h"

static const char *const derived[] = {
    "pred_age",  "pred_age_mode", "pred_age_median", "pred_age_sd", "pred_age_low", "pred_age_high",
    "age_error", "pred_gender",   "p_female",        "p_male",      "doubt"};
_Static_assert(sizeof derived / sizeof derived[0] == COL_DERIVED_END - COL_PRED_AGE,
               "one a column");

int col_of(const char *name, size_t len)
{
    char s[32];
    if (len >= sizeof s)
        return 0;
    memcpy(s, name, len);
    s[len] = '\0';
    for (int c = COL_PRED_AGE; c < COL_DERIVED_END; c++) {
        if (strcmp(s, derived[c - COL_PRED_AGE]) == 0)
            return c;
    }
    long long tag;
    if (strncmp(s, "tag", 3) == 0 && num_int(s + 3, 1, UINT16_MAX, &tag, NULL) == 0)
        return (int)tag;
    return mien_tag_of(s);
}

const char *col_name(int col, char buf[16])
{
    if (col >= COL_PRED_AGE)
        return derived[col - COL_PRED_AGE];
    const char *name = mien_tag_name(col);
    if (name != NULL)
        return name;
    snprintf(buf, 16, "tag%d", col);
    return buf;
}

struct column column_of(const char *name, size_t len)
{
    struct column c = {.id = col_of(name, len)};
    if (c.id == 0 && named_is_name(name, len))
        c = (struct column){COL_NAMED, name, len};
    return c;
}

int col_parse(const char *list, struct column **cols, size_t *n, struct mien_err *e)
{
    *cols = malloc((strlen(list) / 2 + 1) * sizeof **cols); /* a name and a comma each */
    *n = 0;
    if (*cols == NULL)
        return mien_err_mem(e, strlen(list), "columns");
    for (const char *s = list;; s++) {
        size_t len = strcspn(s, ",");
        struct column col = column_of(s, len);
        if (col.id == 0) {
            free(*cols);
            *cols = NULL;
            return mien_err_set(e, MIEN_ERR_ARG, "'%.*s' is not a field", (int)len, s);
        }
        (*cols)[(*n)++] = col;
        s += len;
        if (*s == '\0')
            return 0;
    }
}

/* The columns of the names in the field, as far as there is room. */
static size_t add_named(const struct mien_field *f, struct column *cols, size_t max)
{
    const char *at = f->data, *end = at + f->len;
    struct named named;
    size_t n = 0;
    while (n < max && named_next(&at, end, &named))
        cols[n++] = (struct column){COL_NAMED, named.name, named.name_len};
    return n;
}

size_t col_defaults(const struct mien_rec *r, struct column *cols, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < r->nfield && n + 2 <= max; i++) {
        const struct mien_field *f = &r->field[i];
        switch (f->tag) {
        case MIEN_TAG_LANDMARKS:
        case MIEN_TAG_PREP:
            break;
        case MIEN_TAG_P_AGE:
            cols[n++].id = COL_PRED_AGE;
            break;
        case MIEN_TAG_P_GENDER:
            cols[n++].id = COL_PRED_GENDER;
            cols[n++].id = COL_P_MALE;
            break;
        case MIEN_TAG_FIELDS:
            if (f->type == MIEN_TEXT) {
                n += add_named(f, cols + n, max - n);
                break;
            }
            /* fallthrough */
        default:
            cols[n++].id = f->tag;
        }
    }
    return n;
}

const struct mien_field *col_field(const struct mien_rec *r, int col)
{
    for (size_t i = 0; i < r->nfield; i++) {
        if (r->field[i].tag == col)
            return &r->field[i];
    }
    return NULL;
}

const char *col_gender_name(int gender)
{
    static const char *const names[] = {"female", "male"};
    return gender == 0 || gender == 1 ? names[gender] : NULL;
}

static void set_number(struct col_value *v, double x, int decimals)
{
    v->forms = COL_NUMBER;
    v->number = x;
    v->decimals = decimals;
}

static void set_gender(struct col_value *v, int gender)
{
    set_number(v, gender, 0);
    v->text = col_gender_name(gender);
    if (v->text != NULL) {
        v->forms |= COL_TEXT;
        v->len = strlen(v->text);
    }
}

/* The probabilities of a tag, or NULL when they can't be relied on. */
static const float *distribution(const struct mien_rec *r, int tag, size_t n)
{
    const struct mien_field *f = mien_rec_find(r, tag);
    return f != NULL && pred_valid(f->data, n) ? f->data : NULL;
}

static bool get_doubt(const struct mien_rec *r, struct col_value *v)
{
    const float *age = distribution(r, MIEN_TAG_P_AGE, MIEN_AGES);
    const float *gender = distribution(r, MIEN_TAG_P_GENDER, MIEN_GENDERS);
    const struct mien_field *band = mien_rec_find(r, MIEN_TAG_AGE_BAND);
    int low = -1, high = -1, label = -1;
    if (mien_rec_int(r, MIEN_TAG_AGE, &low)) {
        high = low;
    } else if (band != NULL) {
        low = ((const uint8_t *)band->data)[0];
        high = ((const uint8_t *)band->data)[1];
    }
    mien_rec_int(r, MIEN_TAG_GENDER, &label);
    bool of_age = age != NULL && low >= 0 && low <= high && high < MIEN_AGES;
    bool of_gender = gender != NULL && label >= 0 && label < MIEN_GENDERS;
    set_number(v,
               fmax(of_age ? pred_doubt_age(age, low, high) : 0,
                    of_gender ? pred_doubt_gender(gender, label) : 0),
               2);
    return of_age || of_gender;
}

static bool get_derived(const struct mien_rec *r, int col, struct col_value *v)
{
    if (col == COL_DOUBT)
        return get_doubt(r, v);
    bool of_gender = col == COL_PRED_GENDER || col == COL_P_FEMALE || col == COL_P_MALE;
    const float *p = of_gender ? distribution(r, MIEN_TAG_P_GENDER, MIEN_GENDERS)
                               : distribution(r, MIEN_TAG_P_AGE, MIEN_AGES);
    struct pred_age estimate;
    int age, low, high;
    if (p == NULL)
        return false;
    switch (col) {
    case COL_PRED_AGE:
        set_number(v, pred_age(p).mean, 2);
        return true;
    case COL_PRED_AGE_MODE:
        set_number(v, pred_age(p).mode, 0);
        return true;
    case COL_PRED_AGE_MEDIAN:
        set_number(v, pred_age(p).median, 0);
        return true;
    case COL_PRED_AGE_SD:
        set_number(v, pred_age_sd(p), 2);
        return true;
    case COL_PRED_AGE_LOW:
    case COL_PRED_AGE_HIGH:
        estimate = pred_age(p);
        pred_age_interval(p, &estimate, PRED_INTERVAL, &low, &high);
        set_number(v, col == COL_PRED_AGE_LOW ? low : high, 0);
        return true;
    case COL_AGE_ERROR:
        if (!mien_rec_int(r, MIEN_TAG_AGE, &age))
            return false;
        set_number(v, fabs(pred_age(p).mean - age), 2);
        return true;
    case COL_PRED_GENDER:
        set_gender(v, pred_mode(p, MIEN_GENDERS));
        return true;
    default:
        set_number(v, p[col == COL_P_MALE], 4);
        return true;
    }
}

bool col_get(const struct mien_rec *r, int col, struct col_value *v)
{
    v->forms = 0;
    if (col >= COL_PRED_AGE)
        return get_derived(r, col, v);
    const struct mien_field *f = col_field(r, col);
    if (f == NULL)
        return false;
    if (f->type == MIEN_TEXT) {
        v->forms = COL_TEXT;
        v->text = f->data;
        v->len = f->len;
    } else if (col == MIEN_TAG_AGE_BAND && mien_rec_find(r, col) == f) {
        const uint8_t *band = f->data;
        v->forms = COL_TEXT;
        v->len = (size_t)snprintf(v->buf, sizeof v->buf, "%u-%u", band[0], band[1]);
        v->text = v->buf;
    } else if (f->ndim == 0) {
        switch (f->type) {
        case MIEN_U8:
            if (col == MIEN_TAG_GENDER)
                set_gender(v, *(const uint8_t *)f->data);
            else
                set_number(v, *(const uint8_t *)f->data, 0);
            break;
        case MIEN_I32:
            set_number(v, *(const int32_t *)f->data, 0);
            break;
        case MIEN_U64:
            set_number(v, (double)*(const uint64_t *)f->data, 0);
            break;
        case MIEN_F32:
            set_number(v, *(const float *)f->data, 0);
            break;
        case MIEN_F64:
            set_number(v, *(const double *)f->data, 0);
            break;
        }
    }
    return true;
}

bool column_get(const struct mien_rec *r, const struct column *c, struct col_value *v)
{
    struct named named;
    char digits[32];
    if (c->id != COL_NAMED)
        return col_get(r, c->id, v);
    v->forms = 0;
    if (!named_find(r, c->name, c->len, &named))
        return false;
    v->forms = COL_TEXT;
    v->text = named.value;
    v->len = named.len;
    if (named.len < sizeof digits) {
        memcpy(digits, named.value, named.len);
        digits[named.len] = '\0';
        if (num_real(digits, -1e300, 1e300, &v->number, NULL) == 0)
            v->forms |= COL_NUMBER;
    }
    return true;
}

void columns_expect(struct columns_unseen *u, const struct column *cols, size_t n)
{
    for (size_t i = 0; i < n && u->n < COLUMNS_UNSEEN; i++)
        if (cols[i].id == COL_NAMED)
            u->column[u->n++] = cols[i];
}

void columns_see(struct columns_unseen *u, const struct mien_rec *r)
{
    size_t len = 0, keep = 0;
    const char *text = u->n > 0 ? mien_rec_text(r, MIEN_TAG_FIELDS, &len) : NULL;
    if (text == NULL)
        return;
    for (size_t i = 0; i < u->n; i++) {
        struct named named;
        bool seen = false;
        for (const char *at = text; !seen && named_next(&at, text + len, &named);)
            seen = named.name_len == u->column[i].len &&
                   memcmp(named.name, u->column[i].name, named.name_len) == 0;
        if (!seen)
            u->column[keep++] = u->column[i];
    }
    u->n = keep;
}

int columns_seen(const struct columns_unseen *u, struct mien_err *e)
{
    return u->n == 0 ? 0
                     : mien_err_set(e, MIEN_ERR_ARG, "'%.*s' is not a field", (int)u->column[0].len,
                                    u->column[0].name);
}

int columns_are_fields(const struct column *cols, size_t n, struct mien_err *e)
{
    char name[16];
    for (size_t i = 0; i < n; i++) {
        if (cols[i].id >= COL_PRED_AGE && cols[i].id != COL_NAMED)
            return mien_err_set(e, MIEN_ERR_ARG, "%s is derived, not a field of records",
                                col_name(cols[i].id, name));
    }
    return 0;
}

int col_forms(int col)
{
    if (col == COL_NAMED)
        return COL_NUMBER | COL_TEXT;
    switch (col) {
    case MIEN_TAG_ID:
    case MIEN_TAG_SUBJECT:
    case MIEN_TAG_GROUP:
    case MIEN_TAG_BIRTH:
    case MIEN_TAG_SPLIT:
    case MIEN_TAG_IMAGE_KIND:
    case MIEN_TAG_ERROR:
    case MIEN_TAG_PREP:
    case MIEN_TAG_AGE_BAND:
    case MIEN_TAG_FIELDS:
        return COL_TEXT;
    case MIEN_TAG_GENDER:
    case COL_PRED_GENDER:
        return COL_NUMBER | COL_TEXT;
    case MIEN_TAG_BOX:
    case MIEN_TAG_IMAGE:
    case MIEN_TAG_PIXELS:
    case MIEN_TAG_FEATURES:
    case MIEN_TAG_P_GENDER:
    case MIEN_TAG_P_AGE:
    case MIEN_TAG_LANDMARKS:
        return 0;
    default:
        return col < COL_PRED_AGE && mien_tag_name(col) == NULL ? COL_NUMBER | COL_TEXT
                                                                : COL_NUMBER;
    }
}
