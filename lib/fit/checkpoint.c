#include "checkpoint.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agree.h"
#include "util/bytes.h"
#include "mien/safetensors.h"
#include "tensor/st_writer.h"

enum { COUNTS = 14, NUMBERS = 18 };

/* Progress as two arrays; both directions in one place, so that they can't differ. */
static void exchange(struct progress *p, uint64_t *c, double *x, bool load)
{
    struct tally *t = &p->tally;
    struct fit_epoch *k = &p->kept;
    uint64_t epoch = (uint64_t)p->epoch, step = (uint64_t)p->step, stale = (uint64_t)p->stale;
    uint64_t done = p->done, kept = (uint64_t)k->epoch;
    uint64_t sizes[] = {t->n_gender, t->n_age,        t->right_gender, t->exact,
                        t->cs5,      k->val.n_gender, k->val.n_age};
    uint64_t *counts[COUNTS] = {&epoch,    &done,     &p->rng,   &step,     &stale,
                                &kept,     &sizes[0], &sizes[1], &sizes[2], &sizes[3],
                                &sizes[4], &sizes[5], &sizes[6], NULL};
    double *numbers[NUMBERS] = {
        &p->lr_scale,      &t->loss_gender,       &t->loss_age,    &t->weight_gender,
        &t->weight_age,    &t->abs_error,         &k->train_loss,  &k->lr,
        &k->seconds,       &k->images_per_second, &k->val.loss,    &k->val.gender_accuracy,
        &k->val.age_exact, &k->val.age_mae,       &k->val.age_cs5, NULL};
    for (int i = 0; counts[i] != NULL; i++) {
        if (load)
            *counts[i] = c[i];
        else
            c[i] = *counts[i];
    }
    for (int i = 0; numbers[i] != NULL; i++) {
        if (load)
            *numbers[i] = x[i];
        else
            x[i] = *numbers[i];
    }
    p->epoch = (int)epoch;
    p->done = (size_t)done;
    p->step = (long)step;
    p->stale = (int)stale;
    k->epoch = (int)kept;
    k->best = kept > 0;
    t->n_gender = (size_t)sizes[0];
    t->n_age = (size_t)sizes[1];
    t->right_gender = (size_t)sizes[2];
    t->exact = (size_t)sizes[3];
    t->cs5 = (size_t)sizes[4];
    k->val.n_gender = (size_t)sizes[5];
    k->val.n_age = (size_t)sizes[6];
}

/* The arrays by name; those that aren't there are left out. */
static int list(const struct arrays *a, const char *name[5], float *data[5])
{
    const char *const names[5] = {"weights", "best", "m", "v", "ema"};
    float *const all[5] = {a->weights, a->best, a->m, a->v, a->ema};
    int n = 0;
    for (int i = 0; i < 5; i++) {
        if (all[i] != NULL) {
            name[n] = names[i];
            data[n++] = all[i];
        }
    }
    return n;
}

/* Fills a new file and writes it. */
static int write_all(struct st_writer *w, const char *path, const char *about,
                     const struct progress *p, const struct arrays *a, struct mien_err *e)
{
    uint64_t counts[COUNTS] = {0};
    double numbers[NUMBERS] = {0};
    struct progress copy = *p;
    const char *name[5];
    float *data[5];
    int n = list(a, name, data), rc;
    exchange(&copy, counts, numbers, false);
    if ((rc = st_add_meta(w, "format", "mien-checkpoint", e)) < 0 ||
        (rc = st_add_meta(w, "about", about, e)) < 0 ||
        (rc = st_add(w, "counts", MIEN_ST_U64, 1, (size_t[]){COUNTS}, counts, e)) < 0 ||
        (rc = st_add(w, "numbers", MIEN_ST_F64, 1, (size_t[]){NUMBERS}, numbers, e)) < 0)
        return rc;
    for (int i = 0; i < n; i++) {
        if ((rc = st_add(w, name[i], MIEN_ST_F32, 1, &a->n, data[i], e)) < 0)
            return rc;
    }
    return st_save(w, path, e);
}

int checkpoint_save(const char *path, const char *about, const struct progress *p,
                    const struct arrays *a, struct mien_err *e)
{
    struct st_writer *w = st_writer_new(e);
    if (w == NULL)
        return MIEN_ERR_MEM;
    int rc = write_all(w, path, about, p, a, e);
    st_writer_free(w);
    return rc;
}

static const void *tensor(const struct mien_safetensors *s, const char *name, enum mien_dtype type,
                          size_t n)
{
    const struct mien_tensor *t = mien_st_find(s, name);
    return t != NULL && t->dtype == type && t->ndim == 1 && t->count == n ? t->data : NULL;
}

/* Says where two descriptions begin to differ. */
static int differ(const char *path, const char *was, const char *is, struct mien_err *e)
{
    size_t at = differ_at(was, is);
    return mien_err_set(e, MIEN_ERR_FORMAT,
                        "'%s' is from another training: it has '%.*s', this one '%.*s'", path,
                        differ_word(was + at), was + at, differ_word(is + at), is + at);
}

static int read_all(const struct mien_safetensors *s, const char *path, const char *about,
                    struct progress *p, const struct arrays *a, struct mien_err *e)
{
    const char *name[5], *was = mien_st_meta(s, "about"), *format = mien_st_meta(s, "format");
    const void *c = tensor(s, "counts", MIEN_ST_U64, COUNTS);
    const void *x = tensor(s, "numbers", MIEN_ST_F64, NUMBERS);
    float *data[5];
    uint64_t counts[COUNTS];
    double numbers[NUMBERS];
    int n = list(a, name, data);
    if (format == NULL || strcmp(format, "mien-checkpoint") != 0 || was == NULL || c == NULL ||
        x == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is not a checkpoint", path);
    if (strcmp(was, about) != 0)
        return differ(path, was, about, e);
    for (int i = 0; i < n; i++) {
        const float *from = tensor(s, name[i], MIEN_ST_F32, a->n);
        if (from == NULL)
            return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' doesn't hold the %s of this network",
                                path, name[i]);
        memcpy(data[i], from, a->n * sizeof *from);
    }
    memcpy(counts, c, sizeof counts);
    memcpy(numbers, x, sizeof numbers);
    exchange(p, counts, numbers, true);
    return 0;
}

int checkpoint_load(const char *path, const char *about, struct progress *p, const struct arrays *a,
                    struct mien_err *e)
{
    if (access(path, F_OK) < 0)
        return mien_err_sys(e, "cannot open '%s'", path);
    struct mien_safetensors *s = mien_st_open(path, e);
    if (s == NULL)
        return MIEN_ERR_FORMAT;
    int rc = read_all(s, path, about, p, a, e);
    mien_st_close(s);
    return rc;
}
