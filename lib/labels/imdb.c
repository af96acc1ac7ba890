#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "imdb.h"
#include "mat.h"

#define MAX_ENTRIES ((size_t)1 << 22) /* the real files have 460,723 and 62,328 */
#define MAX_TEXT    ((size_t)1 << 27) /* bytes of one column; the largest real one has 21 million */
#define NREAL       4096              /* numbers read at a time */

/* The columns, as they are named in the file. */
enum column {
    DOB,
    PHOTO_TAKEN,
    GENDER,
    FACE_SCORE,
    SECOND_FACE_SCORE,
    CELEB_ID,
    FACE_LOCATION,
    FULL_PATH,
    NAME,
    CELEB_NAMES,
    COLUMNS
};

static const char *const column_name[COLUMNS] = {
    "dob",      "photo_taken",   "gender",    "face_score", "second_face_score",
    "celeb_id", "face_location", "full_path", "name",       "celeb_names"};

/* A column's values, one after another: float32 for numbers (dates, years and indices are whole and
   small enough to be exact), four of them for a location; or strings, with where each ends. */
struct values {
    bool seen;
    size_t n;
    struct mien_buf data, ends;
};

struct imdb {
    struct values col[COLUMNS];
};

static bool is_optional(int c)
{
    return c == CELEB_ID || c == CELEB_NAMES;
}

static int read_numbers(struct mat *m, struct mat_array *a, int c, struct values *v,
                        struct mien_err *e)
{
    double d[NREAL];
    for (size_t left = (size_t)a->count; left > 0;) {
        size_t n = left < NREAL ? left : NREAL;
        float *f;
        int rc = mat_reals(m, a, d, n, e);
        if (rc < 0)
            return rc;
        if (mien_buf_reserve(&v->data, n * sizeof *f))
            return mien_err_mem(e, n * sizeof *f, column_name[c]);
        f = (float *)(void *)(v->data.data + v->data.len);
        /* A date's time of day would round up to the next day. */
        for (size_t i = 0; i < n; i++)
            f[i] = (float)(c == DOB ? floor(d[i]) : d[i]);
        v->data.len += n * sizeof *f;
        left -= n;
    }
    return 0;
}

static int read_strings(struct mat *m, struct mat_array *a, int c, struct values *v,
                        struct mien_err *e)
{
    for (size_t i = 0; i < a->count; i++) {
        struct mat_array cell;
        uint32_t end;
        int rc = mat_child(m, a, &cell, e);
        if (rc < 0)
            return rc;
        /* What isn't a string is an empty one: that entry is lost, not the file. */
        bool text = cell.class == MAT_CHAR && cell.rows == 1;
        rc = text ? mat_text(m, &cell, &v->data, e) : mat_skip(m, &cell, e);
        if (rc < 0)
            return rc;
        if (v->data.len > MAX_TEXT)
            return mien_err_set(e, MIEN_ERR_LIMIT, "more than %zu bytes of text", MAX_TEXT);
        end = (uint32_t)v->data.len;
        if (mien_buf_append(&v->ends, &end, sizeof end))
            return mien_err_mem(e, sizeof end, column_name[c]);
    }
    return 0;
}

static int read_locations(struct mat *m, struct mat_array *a, int c, struct values *v,
                          struct mien_err *e)
{
    for (size_t i = 0; i < a->count; i++) {
        float f[4] = {NAN, NAN, NAN, NAN};
        struct mat_array cell;
        int rc = mat_child(m, a, &cell, e);
        if (rc < 0)
            return rc;
        if (cell.class >= MAT_DOUBLE && cell.count == 4) {
            double d[4];
            if ((rc = mat_reals(m, &cell, d, 4, e)) < 0)
                return rc;
            for (int k = 0; k < 4; k++)
                f[k] = (float)d[k];
        }
        if ((rc = mat_skip(m, &cell, e)) < 0)
            return rc;
        if (mien_buf_append(&v->data, f, sizeof f))
            return mien_err_mem(e, sizeof f, column_name[c]);
    }
    return 0;
}

static int read_column(struct mat *m, struct mat_array *a, int c, struct values *v,
                       struct mien_err *e)
{
    bool cells = c >= FACE_LOCATION;
    struct mien_err why;
    int rc;
    if (v->seen)
        return mien_err_set(e, MIEN_ERR_FORMAT, "field '%s' occurs twice", column_name[c]);
    v->seen = true;
    if (cells != (a->class == MAT_CELL))
        return mien_err_set(e, MIEN_ERR_FORMAT, "field '%s' is %s cell array", column_name[c],
                            cells ? "no" : "a");
    if (a->count > MAX_ENTRIES)
        return mien_err_set(e, MIEN_ERR_LIMIT, "field '%s' has %llu entries, more than %zu",
                            column_name[c], (unsigned long long)a->count, MAX_ENTRIES);
    v->n = (size_t)a->count;
    if (!cells)
        rc = read_numbers(m, a, c, v, &why);
    else if (c == FACE_LOCATION)
        rc = read_locations(m, a, c, v, &why);
    else
        rc = read_strings(m, a, c, v, &why);
    if (rc < 0) {
        size_t done = c >= FULL_PATH       ? v->ends.len / sizeof(uint32_t)
                      : c == FACE_LOCATION ? v->data.len / (4 * sizeof(float))
                                           : v->data.len / sizeof(float);
        return mien_err_set(e, rc, "field '%s', entry %zu: %s", column_name[c], done + 1, why.msg);
    }
    return 0;
}

static bool is_imdb(const struct mat_array *var, const struct mat_fields *fields)
{
    bool paths = false;
    for (int i = 0; i < fields->n; i++)
        paths |= strcmp(fields->name[i], column_name[FULL_PATH]) == 0;
    return paths && var->count == 1;
}

/* Reads IMDB-WIKI's struct. */
static int read_struct(struct mat *m, const struct mat_array *var, const struct mat_fields *fields,
                       struct imdb *im, struct mien_err *e)
{
    struct mat_array a;
    int rc;
    for (int i = 0; i < fields->n; i++) {
        int c = 0;
        if ((rc = mat_child(m, var, &a, e)) < 0)
            return rc;
        while (c < COLUMNS && strcmp(fields->name[i], column_name[c]) != 0)
            c++;
        if (c < COLUMNS && (rc = read_column(m, &a, c, &im->col[c], e)) < 0)
            return rc;
        if ((rc = mat_skip(m, &a, e)) < 0)
            return rc;
    }
    for (int c = 0; c < COLUMNS; c++) {
        if (!im->col[c].seen && !is_optional(c))
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "struct '%s' has no field '%s', as IMDB-WIKI has", var->name,
                                column_name[c]);
        if (im->col[c].seen && c != CELEB_NAMES && im->col[c].n != im->col[FULL_PATH].n)
            return mien_err_set(e, MIEN_ERR_FORMAT, "field '%s' has %zu entries, 'full_path' %zu",
                                column_name[c], im->col[c].n, im->col[FULL_PATH].n);
    }
    return 0;
}

/* Keeps the rows if they are more than those before. */
static void keep_most(struct mat_rows *rows, struct mat_rows **most)
{
    bool more = *most == NULL || mat_rows_count(rows) > mat_rows_count(*most);
    mat_rows_free(more ? *most : rows);
    *most = more ? rows : *most;
}

/* Reads another struct. */
static int read_other(struct mat *m, const struct mat_array *var, const struct mat_fields *fields,
                      struct mat_rows **most, struct mien_err *e)
{
    struct mat_rows *rows;
    int rc = mat_rows_read(m, var, fields, &rows, e);
    if (rc == 0 && rows != NULL)
        keep_most(rows, most);
    return rc;
}

/* Reads the first variable that is IMDB-WIKI's struct, and goes on to the end of the file. Without
   one, *other is the struct, or `loose`, the variables that are no structs, with the most rows. */
static int read_file(struct mat *m, struct imdb *im, bool *found, struct mat_rows **other,
                     struct mat_rows **loose, struct mien_err *e)
{
    struct mat_array a;
    struct mat_array first = {.name = ""};
    int rc;
    while ((rc = mat_next(m, &a, e)) > 0) { /* which checks the checksum of the one before */
        struct mat_fields fields;
        if (first.name[0] == '\0')
            first = a;
        if (*found)
            continue;
        if (a.class != MAT_STRUCT) {
            if ((rc = mat_rows_add(*loose, m, &a, e)) < 0)
                return rc;
            continue;
        }
        if ((rc = mat_fields(m, &a, &fields, e)) < 0)
            return rc;
        *found = is_imdb(&a, &fields);
        rc = *found ? read_struct(m, &a, &fields, im, e) : read_other(m, &a, &fields, other, e);
        if (rc < 0)
            return rc;
    }
    if (rc == 0 && first.name[0] == '\0')
        return mien_err_set(e, MIEN_ERR_FORMAT, "the file holds no variable");
    if (rc == 0 && !*found && mat_rows_end(*loose) > 0) {
        keep_most(*loose, other);
        *loose = NULL;
    }
    if (rc == 0 && !*found && *other == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "no variable is a column of text or has one; the first is '%s'",
                            first.name);
    return rc;
}

int imdb_read(int fd, const void *head, struct imdb **out, struct mat_rows **other,
              struct mien_err *e)
{
    *out = NULL;
    *other = NULL;
    struct mat *m = mat_new(fd, head, e);
    if (!m)
        return MIEN_ERR_MEM;
    struct imdb *im = calloc(1, sizeof *im);
    struct mat_rows *loose = mat_rows_new(e);
    bool found = false;
    int rc = im && loose ? read_file(m, im, &found, other, &loose, e)
                         : mien_err_mem(e, sizeof *im, "columns");
    mat_rows_free(loose);
    mat_free(m);
    if (rc < 0 || found) {
        mat_rows_free(*other);
        *other = NULL;
    }
    if (rc < 0 || !found)
        imdb_free(im);
    else
        *out = im;
    return rc;
}

void imdb_free(struct imdb *im)
{
    if (!im)
        return;
    for (int c = 0; c < COLUMNS; c++) {
        mien_buf_free(&im->col[c].data);
        mien_buf_free(&im->col[c].ends);
    }
    free(im);
}

size_t imdb_count(const struct imdb *im)
{
    return im->col[FULL_PATH].n;
}

static float number(const struct imdb *im, int c, size_t i)
{
    return ((const float *)(const void *)im->col[c].data.data)[i];
}

static struct label_text text(const struct imdb *im, int c, size_t i)
{
    const uint32_t *end = (const uint32_t *)(const void *)im->col[c].ends.data;
    const char *all = (const char *)im->col[c].data.data;
    uint32_t start = i ? end[i - 1] : 0;
    if (all == NULL) /* no entry has any */
        return (struct label_text){"", 0};
    return (struct label_text){all + start, end[i] - start};
}

static struct label_text subject(const struct imdb *im, size_t i, struct label_text path)
{
    struct label_text name;
    size_t start = 0, end;
    if (im->col[CELEB_ID].seen) {
        float id = number(im, CELEB_ID, i);
        if (id >= 1 && id <= (float)im->col[CELEB_NAMES].n) {
            name = text(im, CELEB_NAMES, (size_t)id - 1);
            if (name.len > 0)
                return name;
        }
    }
    name = text(im, NAME, i);
    if (name.len > 0)
        return name;
    for (size_t k = 0; k < path.len; k++)
        if (path.s[k] == '/')
            start = k + 1;
    for (end = start; end < path.len && path.s[end] != '_'; end++)
        ;
    return (struct label_text){path.s + start, end - start};
}

void imdb_labels(const struct imdb *im, size_t i, struct labels *l)
{
    const float *box = (const float *)(const void *)im->col[FACE_LOCATION].data.data + 4 * i;
    float gender = number(im, GENDER, i), year = number(im, PHOTO_TAKEN, i);
    labels_init(l);
    l->id = text(im, FULL_PATH, i);
    l->subject = subject(im, i, l->id);
    l->birth = labels_datenum(number(im, DOB, i));
    if (year >= 1 && year <= 9999)
        l->year = (int)year;
    labels_derive_age(l);
    if (gender == FEMALE || gender == MALE)
        l->gender = (int)gender;
    l->score = number(im, FACE_SCORE, i);
    l->score2 = number(im, SECOND_FACE_SCORE, i);
    /* Pixels 3 to 5, counted from 1 and inclusive, are [2, 5) counted from 0. */
    l->box[0] = box[0] - 1;
    l->box[1] = box[1] - 1;
    l->box[2] = box[2];
    l->box[3] = box[3];
    l->has_box = l->box[2] > l->box[0] && l->box[3] > l->box[1];
    for (int k = 0; k < 4; k++)
        l->has_box = l->has_box && isfinite(l->box[k]);
}

enum imdb_drop imdb_judge(const struct imdb_rule *rule, const struct labels *l)
{
    /* Scores are float32, so the bound must be too: 0.9 itself is to pass a bound of 0.9. */
    if (!rule->any_score && !(l->score >= (float)rule->min_score))
        return IMDB_SCORE;
    if (!rule->second_face && l->score2 > 0)
        return IMDB_SECOND;
    if (!rule->any_age && !labels_age_known(l))
        return IMDB_AGE;
    if (!rule->any_gender && l->gender == LABEL_UNKNOWN)
        return IMDB_GENDER;
    return IMDB_KEEP;
}
