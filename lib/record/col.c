#include "col.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "pred.h"

static const char *const derived[] = {"pred_age",    "pred_age_mode", "pred_age_median",
                                      "pred_age_sd", "age_error",     "pred_gender",
                                      "p_female",    "p_male"};
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

int col_parse(const char *list, int **cols, size_t *n, struct mien_err *e)
{
    *cols = malloc((strlen(list) / 2 + 1) * sizeof **cols); /* a name and a comma each */
    *n = 0;
    if (*cols == NULL)
        return mien_err_mem(e, strlen(list), "columns");
    for (const char *s = list;; s++) {
        size_t len = strcspn(s, ",");
        int col = col_of(s, len);
        if (col == 0) {
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

size_t col_defaults(const struct mien_rec *r, int *cols, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < r->nfield && n + 2 <= max; i++) {
        switch (r->field[i].tag) {
        case MIEN_TAG_LANDMARKS:
        case MIEN_TAG_PREP:
            break;
        case MIEN_TAG_P_AGE:
            cols[n++] = COL_PRED_AGE;
            break;
        case MIEN_TAG_P_GENDER:
            cols[n++] = COL_PRED_GENDER;
            cols[n++] = COL_P_MALE;
            break;
        default:
            cols[n++] = r->field[i].tag;
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

static bool get_derived(const struct mien_rec *r, int col, struct col_value *v)
{
    bool of_gender = col == COL_PRED_GENDER || col == COL_P_FEMALE || col == COL_P_MALE;
    const float *p = of_gender ? distribution(r, MIEN_TAG_P_GENDER, MIEN_GENDERS)
                               : distribution(r, MIEN_TAG_P_AGE, MIEN_AGES);
    int age;
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

int col_forms(int col)
{
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
