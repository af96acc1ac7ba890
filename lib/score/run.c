#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/col.h"
#include "record/label.h"
#include "util/hash.h"
#include "internal.h"
#include "util/array.h"
#include "util/utf8.h"

/* Slots of the table of slices, a power of two that stays half empty. */
enum { SLOTS = 2 * SCORE_MAX_SLICES };

/* A key's value is cut to this many bytes. */
enum { MAX_VALUE = 200 };

int score_keys(const char *text, struct column *keys, size_t *n, struct mien_err *e)
{
    *n = 0;
    for (const char *s = text;; s++) {
        size_t len = strcspn(s, ",");
        struct column key = {.id = SCORE_KEY_BIN};
        if (len != 3 || memcmp(s, "bin", 3) != 0)
            key = column_of(s, len);
        if (key.id == 0 || (key.id != (int)SCORE_KEY_BIN && col_forms(key.id) == 0))
            return mien_err_set(e, MIEN_ERR_ARG, "'%.*s' is not a field to group by", (int)len, s);
        if (*n == SCORE_MAX_KEYS)
            return mien_err_set(e, MIEN_ERR_ARG, "more than %d fields to group by", SCORE_MAX_KEYS);
        keys[(*n)++] = key;
        s += len;
        if (*s == '\0')
            return 0;
    }
}

/* --- Slices -------------------------------------------------------------------------------- */

static int put_key(const struct score_run *run, const struct column *key, const struct mien_rec *r,
                   const struct score_label *l, struct mien_buf *out)
{
    char name[16];
    struct col_value v;
    if (key->id == (int)SCORE_KEY_BIN) {
        int bin = score_label_bin(run->rule, l);
        return mien_buf_printf(out, "%s",
                               bin < 0 ? "(none)" : score_bin_name(run->rule, bin, name));
    }
    if (!column_get(r, key, &v) || v.forms == 0)
        return mien_buf_printf(out, "(none)");
    if (v.forms & COL_TEXT)
        return mien_buf_append(out, v.text, utf8_fit(v.text, v.len, MAX_VALUE));
    return mien_buf_printf(out, "%.9g", v.number);
}

enum { NO_ROOM = -1000 }; /* none of mien's codes */

/* The slice of that name, made when it is new and there are fewer than `most`. Returns its number,
   MIEN_ERR_MEM or NO_ROOM. */
static long long find_slice(struct score_run *run, const char *name, size_t len, size_t most)
{
    if (run->index == NULL && (run->index = calloc(SLOTS, sizeof *run->index)) == NULL)
        return MIEN_ERR_MEM;
    size_t at = hash_bytes(0, name, len) % SLOTS;
    for (; run->index[at] != 0; at = (at + 1) % SLOTS) {
        size_t i = run->index[at] - 1;
        if (run->slice[i].len == len && memcmp(run->slice[i].name, name, len) == 0)
            return (long long)i;
    }
    if (run->nslice >= most)
        return NO_ROOM;
    struct score_slice *p = array_grow(run->slice, run->nslice, &run->cap, sizeof *p);
    if (p == NULL)
        return MIEN_ERR_MEM;
    run->slice = p;
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return MIEN_ERR_MEM;
    memcpy(copy, name, len);
    copy[len] = '\0';
    run->slice[run->nslice] = (struct score_slice){.name = copy, .len = len};
    run->index[at] = (uint32_t)++run->nslice;
    return (long long)run->nslice - 1;
}

long long score_run_slice(struct score_run *run, const char *name, size_t len)
{
    static const char others[] = "(others)";
    long long i = find_slice(run, name, len, SCORE_MAX_SLICES - 1);
    return i == NO_ROOM ? find_slice(run, others, sizeof others - 1, SCORE_MAX_SLICES) : i;
}

static int add_to_slice(struct score_run *run, const struct mien_rec *r,
                        const struct score_label *l, const struct score_item *item)
{
    int rc = 0;
    mien_buf_clear(&run->name);
    for (size_t i = 0; i < run->nkeys; i++)
        rc |= (i > 0 ? mien_buf_append(&run->name, ", ", 2) : 0) |
              put_key(run, &run->keys[i], r, l, &run->name);
    if (rc < 0)
        return MIEN_ERR_MEM;
    long long i = score_run_slice(run, (const char *)run->name.data, run->name.len);
    return i < 0 ? MIEN_ERR_MEM : score_add(&run->slice[i].score, item);
}

/* Names in order, runs of digits as numbers: 3-9 comes before 10-19. */
static int by_name(const void *a, const void *b)
{
    const struct score_slice *sa = a, *sb = b;
    const char *x = sa->name, *y = sb->name, *xend = x + sa->len, *yend = y + sb->len;
    while (x < xend && y < yend) {
        size_t nx = strspn(x, "0123456789"), ny = strspn(y, "0123456789");
        if (nx > 0 && ny > 0) {
            unsigned long long vx = strtoull(x, NULL, 10), vy = strtoull(y, NULL, 10);
            if (vx != vy)
                return vx < vy ? -1 : 1;
            if (nx != ny) /* 7 and 007 differ after all */
                return nx < ny ? -1 : 1;
            int order = memcmp(x, y, nx); /* of numbers too large for 64 bits */
            if (order != 0)
                return order;
            x += nx;
            y += ny;
        } else if (*x != *y) {
            return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
        } else {
            x++;
            y++;
        }
    }
    return (x < xend) - (y < yend);
}

void score_run_sort(struct score_run *run)
{
    if (run->nslice > 0)
        qsort(run->slice, run->nslice, sizeof *run->slice, by_name);
    free(run->index); /* it is out of date */
    run->index = NULL;
}

/* --- Records ------------------------------------------------------------------------------- */

static int read_label(const struct mien_rec *r, struct score_label *l, struct mien_err *e)
{
    int from, to;
    *l = (struct score_label){-1, -1, -1};
    if (mien_rec_int(r, MIEN_TAG_GENDER, &l->gender) && col_gender_name(l->gender) == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "gender %d is neither 0 nor 1", l->gender);
    if (!rec_label_ages(r, &from, &to))
        return 0;
    if (from == to && from >= MIEN_AGES)
        return mien_err_set(e, MIEN_ERR_FORMAT, "age %d is not within 0..100", from);
    if (from > to || from >= MIEN_AGES)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%d-%d is not an age band", from, to);
    l->age_lo = from;
    l->age_hi = to < MIEN_AGES ? to : MIEN_AGES - 1;
    return 0;
}

/* The probabilities of a tag, NULL when absent. Returns 0 or MIEN_ERR_FORMAT. */
static int read_prediction(const struct mien_rec *r, int tag, size_t n, const float **p,
                           struct mien_err *e)
{
    const struct mien_field *f = mien_rec_find(r, tag);
    *p = f == NULL ? NULL : f->data;
    if (f != NULL && !pred_valid(*p, n))
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s is not a probability distribution",
                            mien_tag_name(tag));
    return 0;
}

/* The confidence that a record carries, in place of the distribution's own: it may be calibrated.
   Returns 0 or MIEN_ERR_FORMAT. */
static int read_confidence(const struct mien_rec *r, int tag, double *out, struct mien_err *e)
{
    const struct mien_field *f = mien_rec_find(r, tag);
    if (f == NULL)
        return 0;
    *out = (double)*(const float *)f->data;
    if (!(*out >= 0 && *out <= 1.01)) /* as exact as pred_valid wants distributions to be */
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s is not a probability", mien_tag_name(tag));
    *out = fmin(*out, 1);
    return 0;
}

int score_read(const struct mien_rec *r, struct score_label *l, struct score_prediction *p,
               struct mien_err *e)
{
    const float *p_gender, *p_age;
    if (read_label(r, l, e) < 0 ||
        read_prediction(r, MIEN_TAG_P_GENDER, MIEN_GENDERS, &p_gender, e) < 0 ||
        read_prediction(r, MIEN_TAG_P_AGE, MIEN_AGES, &p_age, e) < 0)
        return MIEN_ERR_FORMAT;
    *p = score_predict(p_gender, p_age);
    if (read_confidence(r, MIEN_TAG_CONF_GENDER, &p->conf_gender, e) < 0 ||
        read_confidence(r, MIEN_TAG_CONF_AGE, &p->conf_age, e) < 0)
        return MIEN_ERR_FORMAT;
    return 0;
}

/* Counts what keeps a record from being scored in full. */
static void count_missing(struct score_run *run, const struct score_label *l,
                          const struct score_prediction *p)
{
    run->no_gender += l->gender < 0;
    run->no_p_gender += p->p_gender == NULL;
    run->no_age += l->age_lo < 0;
    run->no_p_age += p->p_age == NULL;
    run->several_bins += l->age_lo >= 0 && score_label_bin(run->rule, l) < 0;
}

/* Adds to the tables that all records share. */
static void add_to_tables(struct score_run *run, const struct score_label *l,
                          const struct score_prediction *p, const struct score_item *item)
{
    int wrong = item->count[COUNT_GENDER];
    if (item->count[COUNT_BIN] >= 0)
        run->bins[item->bin * run->rule->nbins + item->pred_bin]++;
    baseline_add(&run->baseline, l, item);
    assurance_add(&run->assurance, l, item);
    if (wrong >= 0)
        confidence_add(&run->conf_gender, p->conf_gender, !wrong, wrong);
    if (item->count[COUNT_MEAN] >= 0)
        confidence_add(&run->conf_age, p->conf_age, item->close, fabs(item->error));
}

int score_run_add(struct score_run *run, const struct mien_rec *r, struct mien_err *e)
{
    struct score_label l;
    struct score_item item;
    struct score_prediction p;
    size_t nbins = (size_t)run->rule->nbins;

    if (run->bins == NULL && (run->bins = calloc(nbins * nbins, sizeof *run->bins)) == NULL)
        return mien_err_mem(e, nbins * nbins * sizeof *run->bins, "a confusion matrix");
    if (run->records++ == 0)
        columns_expect(&run->unseen, run->keys, run->nkeys);
    columns_see(&run->unseen, r);
    if (mien_rec_has(r, MIEN_TAG_ERROR)) {
        run->errors++;
        return 0;
    }
    if (score_read(r, &l, &p, e) < 0) {
        run->bad++;
        return MIEN_ERR_FORMAT;
    }
    count_missing(run, &l, &p);
    score_judge(run->rule, &l, &p, &item);
    add_to_tables(run, &l, &p, &item);
    if (score_add(&run->total, &item) < 0 ||
        (run->nkeys > 0 && add_to_slice(run, r, &l, &item) < 0))
        return mien_err_mem(e, sizeof run->total, "a score");
    return 0;
}

bool score_run_any(const struct score_run *run)
{
    const struct score_histogram *count = run->total.count;
    return count[COUNT_GENDER].total + count[COUNT_POINT].total + count[COUNT_BAND].total > 0;
}

int score_run_check_keys(const struct score_run *run, struct mien_err *e)
{
    return columns_seen(&run->unseen, e);
}

void score_run_free(struct score_run *run)
{
    score_free(&run->total);
    for (size_t i = 0; i < run->nslice; i++) {
        score_free(&run->slice[i].score);
        free(run->slice[i].name);
    }
    free(run->slice);
    free(run->index);
    free(run->bins);
    mien_buf_free(&run->name);
}
