#include "split.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/label.h"
#include "util/hash.h"
#include "util/num.h"

/* Takes the words between separators. Returns their number, or -1 when there are too many, or one
   is empty or too long. */
static int words(const char *s, char separator, char word[SPLIT_MAX][SPLIT_NAME])
{
    const char stop[2] = {separator, '\0'};
    for (int n = 0; n < SPLIT_MAX; n++) {
        size_t k = strcspn(s, stop);
        if (k == 0 || k >= SPLIT_NAME)
            return -1;
        memcpy(word[n], s, k);
        word[n][k] = '\0';
        if (s[k] == '\0')
            return n + 1;
        s += k + 1;
    }
    return -1;
}

static int parse_weights(struct split *s, const char *weights, struct mien_err *e)
{
    char word[SPLIT_MAX][SPLIT_NAME];
    double weight[SPLIT_MAX], total = 0, sum = 0;
    s->n = words(weights, '/', word);
    if (s->n < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not 1 to %d shares such as 80/10/10", weights,
                            SPLIT_MAX);
    for (int i = 0; i < s->n; i++) {
        if (num_real(word[i], 0, 1e9, &weight[i], e) < 0)
            return MIEN_ERR_ARG;
        total += weight[i];
    }
    for (int i = 0; i < s->n; i++) {
        sum += weight[i];
        s->upto[i] = i == s->n - 1 ? SPLIT_ONE : llround(sum / total * (double)SPLIT_ONE);
        if (weight[i] <= 0 || s->upto[i] <= (i > 0 ? s->upto[i - 1] : 0))
            return mien_err_set(e, MIEN_ERR_ARG, "share '%s' of '%s' is too small", word[i],
                                weights);
    }
    return 0;
}

static int parse_names(struct split *s, const char *names, struct mien_err *e)
{
    static const char *const usual[] = {"part1", "train,test", "train,val,test"};
    if (names == NULL && s->n <= 3)
        names = usual[s->n - 1];
    for (int i = 0; names == NULL && i < s->n; i++)
        snprintf(s->name[i], SPLIT_NAME, "part%d", i + 1);
    if (names == NULL)
        return 0;
    if (words(names, ',', s->name) != s->n)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not %d names such as train,test", names,
                            s->n);
    for (int i = 0; i < s->n; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(s->name[i], s->name[k]) == 0)
                return mien_err_set(e, MIEN_ERR_ARG, "two parts are named '%s'", s->name[i]);
        }
    }
    return 0;
}

int split_parse(struct split *s, const char *weights, const char *names, struct mien_err *e)
{
    int rc = parse_weights(s, weights, e);
    return rc < 0 ? rc : parse_names(s, names, e);
}

/* The record's first field among n tags that isn't empty. */
static const struct mien_field *first_field(const struct mien_rec *r, const int *tag, int n)
{
    for (int i = 0; i < n; i++) {
        const struct mien_field *f = mien_rec_find(r, tag[i]);
        if (f != NULL && f->len > 0)
            return f;
    }
    return NULL;
}

int split_key(const struct mien_rec *r, enum split_by by, uint64_t seed, uint64_t *key,
              struct mien_err *e)
{
    static const int tags[] = {MIEN_TAG_ID, MIEN_TAG_SUBJECT, MIEN_TAG_IMAGE, MIEN_TAG_PIXELS,
                               MIEN_TAG_FEATURES};
    static const struct {
        int from, n; /* among the tags */
        const char *lack;
    } rules[] = {
        [SPLIT_BY_SUBJECT] = {1, 1, "no subject to split by"},
        [SPLIT_BY_CONTENT] = {2, 3, "no image, pixels or features to split by"},
        [SPLIT_BY_ID] = {0, 1, "no id to split by"},
        [SPLIT_BY_DEFAULT] = {1, 4, "no subject, image, pixels or features to split by"},
    };
    if (mien_rec_has(r, MIEN_TAG_ERROR))
        return mien_err_set(e, MIEN_ERR_ARG, "it has an error field");
    const struct mien_field *f = first_field(r, tags + rules[by].from, rules[by].n);
    if (f == NULL)
        return mien_err_set(e, MIEN_ERR_ARG, "%s", rules[by].lack);
    *key = hash_bytes(seed, f->data, f->len);
    return f->tag == MIEN_TAG_ID        ? SPLIT_BY_ID
           : f->tag == MIEN_TAG_SUBJECT ? SPLIT_BY_SUBJECT
                                        : SPLIT_BY_CONTENT;
}

int split_part(const struct split *s, uint64_t key)
{
    int64_t u = (int64_t)(key >> 34); /* 30 bits, as SPLIT_ONE has */
    int i = 0;
    while (u >= s->upto[i])
        i++;
    return i;
}

bool split_age(const struct mien_rec *r, double *age)
{
    int from, to;
    if (!rec_label_ages(r, &from, &to))
        return false;
    *age = (from + to) / 2.0;
    return true;
}

void split_tally_add(struct split_tally *t, const struct mien_rec *r)
{
    double age;
    int gender;
    t->n++;
    if (split_age(r, &age)) {
        t->nage++;
        t->age_sum += age;
    }
    if (mien_rec_int(r, MIEN_TAG_GENDER, &gender)) {
        t->ngender++;
        t->nmale += gender == 1;
    }
}

int split_tally_text(const struct split_tally *t, uint64_t total, struct mien_buf *out)
{
    int rc = mien_buf_printf(out, "%llu records (%.2f%%)", (unsigned long long)t->n,
                             total > 0 ? 100.0 * (double)t->n / (double)total : 0.0);
    if (rc == 0 && t->nage > 0)
        rc = mien_buf_printf(out, ", mean age %.2f", t->age_sum / (double)t->nage);
    if (rc == 0 && t->ngender > 0)
        rc = mien_buf_printf(out, ", %.2f%% male", 100.0 * (double)t->nmale / (double)t->ngender);
    return rc;
}

int split_summary(const struct split *s, const struct split_counts *c, enum split_by by,
                  struct mien_buf *out, struct mien_err *e)
{
    uint64_t total = 0;
    int rc = 0;
    for (int i = 0; i < s->n; i++)
        total += c->part[i].n;
    for (int i = 0; i < s->n; i++) {
        rc |= mien_buf_printf(out, "%s: ", s->name[i]);
        rc |= split_tally_text(&c->part[i], total, out);
        rc |= mien_buf_append(out, "\n", 1);
    }
    if (by == SPLIT_BY_DEFAULT)
        rc |= mien_buf_printf(out, "by subject: %llu, by content: %llu\n",
                              (unsigned long long)c->keyed[SPLIT_BY_SUBJECT],
                              (unsigned long long)c->keyed[SPLIT_BY_CONTENT]);
    if (c->left > 0)
        rc |=
            mien_buf_printf(out, "left out because of errors: %llu\n", (unsigned long long)c->left);
    return rc < 0 ? mien_err_mem(e, out->len, "a summary") : 0;
}
