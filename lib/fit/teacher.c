#include "teacher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "decoded.h"
#include "mien/session.h"
#include "util/hash.h"

enum { BATCH = 8 };

/* One model at work. */
struct asking {
    struct teacher *t;
    struct decoded images; /* as it reads them */
    struct mien_session *session;
    unsigned char **buf; /* a batch of images for each thread */
    size_t from;         /* the first batch of this round */
    atomic_bool failed;
};

static void add(float *sum, const float *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += p[i];
}

static void ask_batch(void *ctx, int worker, size_t batch)
{
    struct asking *a = ctx;
    const struct decoded *images = &a->images;
    size_t first = (a->from + batch) * BATCH, left = images->pack->n - first;
    const void *in[BATCH];
    size_t row[BATCH];
    struct mien_prediction out[BATCH];
    struct mien_err e;
    int n = 0;
    for (size_t i = 0; i < BATCH && i < left; i++) {
        unsigned char *buf = a->buf[worker] + (size_t)n * decoded_bytes(images);
        in[n] = decoded_get(images, worker, first + i, 0, buf);
        row[n] = first + i;
        n += in[n] != NULL;
    }
    if (n > 0 && mien_session_predict(a->session, worker, in, n, out, &e) < 0)
        atomic_store(&a->failed, true);
    for (int i = 0; i < n && !atomic_load(&a->failed); i++) {
        if (out[i].valid && out[i].has_gender)
            add(a->t->gender + row[i] * MIEN_GENDERS, out[i].p_gender, MIEN_GENDERS);
        if (out[i].valid && out[i].has_age)
            add(a->t->age + row[i] * MIEN_AGES, out[i].p_age, MIEN_AGES);
    }
}

/* Whether a model reads what the pack holds, and tells what one of the heads predicts. */
static int check(const char *name, const struct model *m, const struct heads *heads,
                 const struct mien_pack *pack, struct mien_err *e)
{
    const bool gender = net_find(&m->net, "gender") >= 0, age = net_find(&m->net, "age") >= 0;
    struct shape in = m->net.layer[0].shape;
    struct mien_err why;
    if (pack->kind == MIEN_PACK_FEATURES)
        return mien_err_set(e, MIEN_ERR_ARG, "a teacher reads faces: give pixels or images");
    if (mien_prep_check(&pack->prep, &m->prep, &why) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the training pack doesn't fit the teacher '%s': %s", name, why.msg);
    if (pack->kind == MIEN_PACK_PIXELS && (pack->height != in.h || pack->width != in.w))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the training pack holds pixels of %dx%d, the teacher '%s' reads %dx%d",
                            pack->height, pack->width, name, in.h, in.w);
    if ((gender && heads->gender < 0 && !age) || (age && heads->age < 0 && !gender))
        return mien_err_set(e, MIEN_ERR_ARG, "the teacher '%s' tells %s, which the model doesn't",
                            name, gender ? "genders" : "ages");
    return 0;
}

static int start(struct asking *a, const char *name, const struct model *m,
                 const struct heads *heads, const struct mien_pack *pack, int jobs,
                 struct mien_err *e)
{
    const struct mien_session_options o = {.jobs = jobs, .batch = BATCH, .mirror = true};
    struct mien_err why;
    int rc = check(name, m, heads, pack, e);
    if (rc < 0 || (rc = decoded_make(&a->images, m, pack, NULL, 0, jobs, e)) < 0)
        return rc;
    a->buf = calloc((size_t)jobs, sizeof *a->buf);
    for (int j = 0; a->buf != NULL && j < jobs; j++) {
        if ((a->buf[j] = malloc(BATCH * decoded_bytes(&a->images))) == NULL)
            return mien_err_mem(e, BATCH * decoded_bytes(&a->images), "a teacher's images");
    }
    if (a->buf == NULL)
        return mien_err_mem(e, (size_t)jobs * sizeof *a->buf, "a teacher's images");
    if ((a->session = mien_session_open(name, e)) == NULL)
        return MIEN_ERR_FORMAT;
    if ((rc = mien_session_start(a->session, NULL, &o, &why)) < 0)
        return mien_err_set(e, rc, "the teacher '%s': %s", name, why.msg);
    return 0;
}

static void stop(struct asking *a, int jobs)
{
    for (int j = 0; a->buf != NULL && j < jobs; j++)
        free(a->buf[j]);
    free(a->buf);
    mien_session_close(a->session);
    decoded_free(&a->images);
}

/* The batch of n records that a rank's part begins with. */
static size_t first_batch(size_t n, const struct ranks *ranks, int rank)
{
    return (n + BATCH - 1) / BATCH * (size_t)rank / (size_t)ranks_size(ranks);
}

/* Hands all ranks what each has of n rows. */
static void share(struct ranks *ranks, float *rows, size_t n, size_t width)
{
    size_t at[RANKS_MOST + 1];
    for (int q = 0; q <= ranks_size(ranks); q++) {
        size_t row = first_batch(n, ranks, q) * BATCH;
        at[q] = (row < n ? row : n) * width * sizeof *rows;
    }
    ranks_gather(ranks, rows, at);
}

const char *teacher_name(const char *models, size_t n, char *buf, size_t size)
{
    for (; n > 0 && models != NULL; n--)
        models = (models = strchr(models, ',')) != NULL ? models + 1 : NULL;
    if (models != NULL)
        snprintf(buf, size, "%.*s", (int)strcspn(models, ","), models);
    return models != NULL ? buf : NULL;
}

/* Asks one of several models, before which `done` records of `total` have been. */
static int ask(struct teacher *t, const char *name, const struct heads *heads, size_t done,
               size_t total, const struct mien_pack *pack, const struct teacher_watch *watch,
               struct ranks *ranks, struct par *par, struct mien_err *e)
{
    struct asking a = {.t = t};
    struct model m = {0};
    int jobs = par_size(par), rc = model_load(&m, name, e);
    if (rc == 0)
        rc = start(&a, name, &m, heads, pack, jobs, e);
    /* In rounds, so that progress is told from this thread. */
    size_t end = first_batch(pack->n, ranks, ranks_rank(ranks) + 1), round = (size_t)jobs * 16;
    a.from = first_batch(pack->n, ranks, ranks_rank(ranks));
    if (watch->on_record != NULL)
        watch->on_record(watch->ctx, done, total);
    for (; rc == 0 && a.from < end; a.from += round) {
        size_t left = end - a.from, now = done + (a.from + round) * BATCH;
        par_for(par, left < round ? left : round, ask_batch, &a);
        if (watch->on_record != NULL)
            watch->on_record(watch->ctx, now < total ? now : total, total);
        if (watch->stop != NULL && *watch->stop != 0)
            rc = 1;
        if (atomic_load(&a.failed))
            rc = mien_err_set(e, MIEN_ERR_ARG, "the teacher '%s' gave no answer", name);
    }
    stop(&a, jobs);
    model_free(&m);
    return rc;
}

/* Makes means of n rows of sums. A row of which nothing was said begins with NO_ANSWER. Returns
   whether all are so. */
#define NO_ANSWER (-1.0f)

static bool average(float *p, size_t n, size_t width)
{
    bool none = true;
    for (; n > 0; n--, p += width) {
        float sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += p[i];
        for (size_t i = 0; sum > 0 && i < width; i++)
            p[i] /= sum;
        if (sum > 0)
            none = false;
        else
            p[0] = NO_ANSWER;
    }
    return none;
}

int teacher_ask(struct teacher *t, const char *models, const struct heads *heads,
                const struct mien_pack *pack, const struct teacher_watch *watch,
                struct ranks *ranks, struct par *par, struct mien_err *e)
{
    char name[4096];
    size_t n = pack->n, count = 0;
    int rc = 0;
    while (teacher_name(models, count, name, sizeof name) != NULL)
        count++;
    *t = (struct teacher){.n = n};
    t->gender = calloc(n * MIEN_GENDERS, sizeof *t->gender);
    t->age = calloc(n * MIEN_AGES, sizeof *t->age);
    if (t->gender == NULL || t->age == NULL)
        return mien_err_mem(e, n * MIEN_AGES * sizeof *t->age, "the teachers' answers");
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = ask(t, teacher_name(models, i, name, sizeof name), heads, i * n, count * n, pack,
                 watch, ranks, par, e);
    if (rc < 0 || agree_any(ranks, rc > 0))
        return rc < 0 ? rc : 1;
    share(ranks, t->gender, n, MIEN_GENDERS);
    share(ranks, t->age, n, MIEN_AGES);
    if (average(t->gender, n, MIEN_GENDERS)) {
        free(t->gender);
        t->gender = NULL;
    }
    if (average(t->age, n, MIEN_AGES)) {
        free(t->age);
        t->age = NULL;
    }
    return 0;
}

void teacher_free(struct teacher *t)
{
    free(t->gender);
    free(t->age);
}

void teacher_answer(const struct teacher *t, size_t k, struct label *y)
{
    const float *gender = t->gender != NULL ? t->gender + k * MIEN_GENDERS : NULL;
    const float *age = t->age != NULL ? t->age + k * MIEN_AGES : NULL;
    y->taught_gender = gender != NULL && *gender != NO_ANSWER ? gender : NULL;
    y->taught_age = age != NULL && *age != NO_ANSWER ? age : NULL;
}

uint64_t teacher_hash(const struct teacher *t)
{
    uint64_t h = 0;
    if (t->gender != NULL)
        h = hash_bytes(h, t->gender, t->n * MIEN_GENDERS * sizeof *t->gender);
    if (t->age != NULL)
        h = hash_bytes(h, t->age, t->n * MIEN_AGES * sizeof *t->age);
    return h;
}
