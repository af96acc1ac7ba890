#include "sidecar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "record/label.h"
#include "rule.h"
#include "util/json.h"
#include "util/utf8.h"
#include "words.h"

size_t sidecar_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const char *dot = *base != '\0' ? strchr(base + 1, '.') : NULL;
    return dot != NULL ? (size_t)(dot - path) : strlen(path);
}

enum sidecar sidecar_kind(const char *path)
{
    static const char *const extensions[] = {NULL, ".json", ".cls", ".txt"};
    const char *extension = path + sidecar_name(path);
    for (int i = SIDECAR_JSON; i < SIDECARS; i++) {
        if (strcasecmp(extension, extensions[i]) == 0)
            return (enum sidecar)i;
    }
    return SIDECAR_NONE;
}

/* Whether the field is a label, which a text can tell. */
static bool is_label(int tag)
{
    switch (tag) {
    case MIEN_TAG_ID:
    case MIEN_TAG_SUBJECT:
    case MIEN_TAG_AGE:
    case MIEN_TAG_GENDER:
    case MIEN_TAG_GROUP:
    case MIEN_TAG_BIRTH:
    case MIEN_TAG_YEAR:
    case MIEN_TAG_SPLIT:
        return true;
    default:
        return false;
    }
}

int sidecar_field(void *dst, const char *name, struct mien_err *e)
{
    int tag = mien_tag_of(name);
    if (!is_label(tag))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "'%s' is not id, subject, age, gender, group, birth, year or split",
                            name);
    *(int *)dst = tag;
    return 0;
}

/* Sets one label by its text; what it says isn't a record's until then. */
static int set_label(struct mien_rec *r, int tag, const char *s, size_t n,
                     const struct label_codes *codes, struct mien_err *e)
{
    static const struct label_ages years;
    struct labels l;
    struct label_text text = {s, n};
    int rc = 0;
    if (labels_missing(s, n))
        return 0;
    labels_init(&l);
    switch (tag) {
    case MIEN_TAG_ID:
        l.id = text;
        break;
    case MIEN_TAG_SUBJECT:
        l.subject = text;
        break;
    case MIEN_TAG_GROUP:
        l.group = text;
        break;
    case MIEN_TAG_SPLIT:
        l.split = text;
        break;
    case MIEN_TAG_AGE:
    case MIEN_TAG_AGE_BAND:
        rc = labels_age(&l, s, n, &years, e);
        if (rc == 0 && labels_age_outside(&l))
            rc = mien_err_set(e, MIEN_ERR_FORMAT, "age %d is not within 0-%d", l.age, MIEN_AGE_MAX);
        break;
    case MIEN_TAG_GENDER:
        rc = labels_gender(&l, s, n, codes, e);
        break;
    case MIEN_TAG_BIRTH:
        rc = labels_date(&l.birth, s, n, DATE_UNSAID, e);
        break;
    case MIEN_TAG_YEAR:
        rc = labels_taken(&l, s, n, DATE_UNSAID, e);
        break;
    default:
        break;
    }
    if (rc < 0)
        return rc;
    return labels_to_rec(&l, r) < 0 ? mien_err_mem(e, n, "labels") : 0;
}

/* Drops the byte order mark that some programs begin UTF-8 with. */
static void drop_mark(const char **text, size_t *n)
{
    const size_t mark = utf8_mark(*text, *n);
    *text += mark;
    *n -= mark;
}

int sidecar_text(struct mien_rec *r, int tag, const char *text, size_t n,
                 const struct label_codes *codes, struct mien_err *e)
{
    drop_mark(&text, &n);
    while (n > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        n--;
    }
    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
        n--;
    return set_label(r, tag, text, n, codes, e);
}

/* The fields that members may be called as tables head their columns. */
static const struct {
    int role, tag;
} roles[] = {
    {ROLE_AGE, MIEN_TAG_AGE},       {ROLE_BAND, MIEN_TAG_AGE_BAND},
    {ROLE_GENDER, MIEN_TAG_GENDER}, {ROLE_SUBJECT, MIEN_TAG_SUBJECT},
    {ROLE_GROUP, MIEN_TAG_GROUP},   {ROLE_BIRTH, MIEN_TAG_BIRTH},
    {ROLE_YEAR, MIEN_TAG_YEAR},     {ROLE_BOX, MIEN_TAG_BOX},
    {ROLE_SCORE, MIEN_TAG_SCORE},   {ROLE_SCORE2, MIEN_TAG_SCORE2},
    {ROLE_SPLIT, MIEN_TAG_SPLIT},
};
enum { FIELDS = sizeof roles / sizeof roles[0] };

/* Which header of each a member had, the likeliest so far; counted from 1, 0: none yet. */
struct members {
    int header[FIELDS];
};

/* What a member is; 0 for what no field is, or for which there was a likelier member. */
static int tag_of(struct members *m, const char *key)
{
    for (size_t i = 0; i < FIELDS; i++) {
        int header = word_which(key, strlen(key), rule_headers(roles[i].role));
        if (header == 0)
            continue;
        if (m->header[i] != 0 && m->header[i] < header)
            return 0;
        m->header[i] = header;
        return roles[i].tag;
    }
    return mien_tag_of(key);
}

/* Counts the numbers in nested arrays, as far as they are all numbers, and puts them into v. */
static bool flatten(const json_t *value, float *v, size_t most, size_t *n)
{
    if (json_is_number(value)) {
        if (*n == most)
            return false;
        v[(*n)++] = (float)json_number_value(value);
        return true;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!flatten(json_array_get(value, i), v, most, n))
            return false;
    }
    return json_is_array(value);
}

/* Numbers by which faces and predictions are told, as mien-view prints them. */
static int set_numbers(struct mien_rec *r, int tag, const char *key, const json_t *value,
                       struct mien_err *e)
{
    enum { MOST = 4096 };
    float v[MOST];
    size_t n = 0;
    uint32_t dim[2] = {0, 2};
    int ndim = tag == MIEN_TAG_LANDMARKS ? 2 : json_is_array(value) ? 1 : 0;
    if (!flatten(value, v, MOST, &n) || (tag == MIEN_TAG_BOX && n != 4) ||
        (tag == MIEN_TAG_LANDMARKS && n % 2 != 0))
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s: not the numbers that it needs", key);
    if (tag == MIEN_TAG_BOX && v[0] == -1 && v[1] == -1 && v[2] == -1 && v[3] == -1)
        return 0; /* unknown, as in many sets */
    dim[0] = (uint32_t)(ndim == 2 ? n / 2 : n);
    float *p = mien_rec_alloc(r, tag, MIEN_F32, ndim, dim);
    if (p == NULL)
        return mien_err_mem(e, n * sizeof *p, "labels");
    memcpy(p, v, n * sizeof *p);
    return 0;
}

/* A scalar as text: {"age": 34}, {"age": "25-32"}, {"age": 34.0}. */
static int set_scalar(struct mien_rec *r, int tag, const char *key, const json_t *value,
                      const struct label_codes *codes, struct mien_err *e)
{
    char number[40];
    const char *s = json_string_value(value);
    size_t n = s != NULL ? json_string_length(value) : 0;
    struct mien_err why;
    if (json_is_number(value)) {
        double v = json_number_value(value);
        snprintf(number, sizeof number, "%.10g", v);
        s = number;
        n = strlen(s);
        if (v == -1) /* unknown, as in many sets */
            return 0;
    }
    if (s == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s: neither text nor a number", key);
    int rc = set_label(r, tag, s, n, codes, &why);
    return rc < 0 ? mien_err_set(e, rc, "%s: %s", key, why.msg) : 0;
}

static int set_band(struct mien_rec *r, const json_t *value, struct mien_err *e)
{
    const json_t *from = json_array_get(value, 0), *to = json_array_get(value, 1);
    json_int_t a = json_integer_value(from), b = json_integer_value(to);
    if (json_array_size(value) != 2 || !json_is_integer(from) || !json_is_integer(to) || a < 0 ||
        b < a || a > MIEN_AGE_MAX)
        return mien_err_set(e, MIEN_ERR_FORMAT, "not a band of two ages");
    return rec_set_age_band(r, (int)a, b > MIEN_AGE_MAX ? MIEN_AGE_MAX : (int)b) < 0
               ? mien_err_mem(e, 2, "labels")
               : 0;
}

static int set_member(struct mien_rec *r, struct members *m, const char *key, const json_t *value,
                      const struct label_codes *codes, struct mien_err *e)
{
    int tag = json_is_null(value) ? 0 : tag_of(m, key);
    if (is_label(tag) && tag != MIEN_TAG_ID)
        return set_scalar(r, tag, key, value, codes, e);
    switch (tag) {
    case MIEN_TAG_AGE_BAND:
        if (json_is_array(value))
            return set_band(r, value, e);
        return set_scalar(r, tag, key, value, codes, e);
    case MIEN_TAG_ID: /* a number is a data set's own, not a path */
        return json_is_string(value) ? set_scalar(r, tag, key, value, codes, e) : 0;
    case MIEN_TAG_BOX:
    case MIEN_TAG_SCORE:
    case MIEN_TAG_SCORE2:
    case MIEN_TAG_LANDMARKS:
    case MIEN_TAG_FEATURES:
    case MIEN_TAG_P_GENDER:
    case MIEN_TAG_P_AGE:
    case MIEN_TAG_CONF_GENDER:
    case MIEN_TAG_CONF_AGE:
        return set_numbers(r, tag, key, value, e);
    case MIEN_TAG_FACES:
        return json_is_integer(value) &&
                       mien_rec_set_i32(r, tag, (int32_t)json_integer_value(value)) < 0
                   ? mien_err_mem(e, 4, "labels")
                   : 0;
    case MIEN_TAG_PREP:
        return json_is_string(value) && mien_rec_set_str(r, tag, json_string_value(value)) < 0
                   ? mien_err_mem(e, 1, "labels")
                   : 0;
    default:
        return 0;
    }
}

int sidecar_json(struct mien_rec *r, const char *text, size_t n, const struct label_codes *codes,
                 struct mien_err *e)
{
    int rc = 0;
    struct members m = {{0}};
    const char *key;
    drop_mark(&text, &n);
    json_t *value, *all = json_read(text, n, 0, &rc, e);
    if (all == NULL)
        return rc;
    rc = json_is_object(all) ? 0 : mien_err_set(e, MIEN_ERR_FORMAT, "not a JSON object");
    json_object_foreach(all, key, value)
    {
        struct mien_err why;
        int bad = set_member(r, &m, key, value, codes, &why);
        if (bad == MIEN_ERR_MEM || (bad < 0 && rc == 0)) {
            *e = why;
            rc = bad;
        }
        if (rc == MIEN_ERR_MEM)
            break;
    }
    json_decref(all);
    return rc;
}
