/* Training: batches, steps and epochs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "fit_log.h"
#include "fitter.h"
#include "net/calibrate.h"
#include "record/pred.h"
#include "util/clock.h"
#include "util/num.h"

/* --- Batches ---------------------------------------------------------------------------------- */

/* Record i of the batch. */
static void load_record(struct fitter *f, int worker, size_t i)
{
    float *x[NET_MAX_LAYERS];
    for (int b = 0; b < f->at.n; b++) {
        size_t count = boundary_count(f->m, &f->at, b);
        x[b] = trainer_act(f->t, f->at.layer[b]) + i * count;
    }
    int copy = f->index_copy != NULL ? f->index_copy[i] : 0;
    inputs_load(f->inputs, worker, f->index[i], f->now.epoch, copy, x);
}

static void load_own(void *ctx, int worker, size_t k)
{
    struct fitter *f = ctx;
    load_record(f, worker, f->first + k);
}

static void set_label(struct fitter *f, size_t i)
{
    size_t k = f->index[i];
    f->label[i] = inputs_label(f->inputs, k);
    if (f->inputs == &f->train_inputs)
        teacher_answer(&f->teacher, k, &f->label[i]);
    if (f->weights.weight != NULL && f->inputs == &f->train_inputs)
        f->label[i].w_gender = f->label[i].w_age = (float)f->weights.weight[k];
}

int fitter_tell_bad(const struct fitter *f, struct inputs *inputs, size_t k, struct mien_err *e)
{
    int rc = decoded_tell_bad(&inputs->images, k, e);
    if (rc > 0 && f->c->on_bad != NULL)
        f->c->on_bad(f->c->ctx, inputs->pack, k, e);
    return rc < 0 ? rc : 0;
}

/* Gives the trainer this process's of records index[0..n) of a part, and all their labels. Returns
   0 or MIEN_ERR_MEM. */
static int load_batch(struct fitter *f, struct inputs *inputs, const uint32_t *index, size_t n,
                      struct mien_err *e)
{
    f->inputs = inputs;
    f->index = index;
    f->index_copy = inputs == &f->train_inputs && f->copy != NULL ? f->copy + f->now.done : NULL;
    trainer_images(f->t, (int)n, &f->first, &f->own);
    par_for(f->par, f->own, load_own, f);
    int rc = decoded_share_bad(&inputs->images, f->c->ranks, index, n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = fitter_tell_bad(f, inputs, index[i], e);
        set_label(f, i);
    }
    return rc;
}

/* Mixup (Zhang and others 2018): each record gets a share of the next one of its batch. */
static const struct mix *mix_batch(struct fitter *f, struct rng *rng, size_t n)
{
    if (f->c->mixup == 0 || n < 2)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        double share = rng_beta(rng, f->c->mixup);
        f->share[i] = (float)(share > 0.5 ? 1 - share : share);
        f->other[i] = (uint32_t)((i + 1) % n);
    }
    size_t end = f->first + f->own;
    if (f->own > 0 && f->own < n) /* the last one's next is another process's */
        load_record(f, 0, end % n);
    for (int b = 0; f->own > 0 && b < f->at.n; b++) {
        size_t count = boundary_count(f->m, &f->at, b);
        float *x = trainer_act(f->t, f->at.layer[b]);
        if (end == n) /* the last record's next one, before it is mixed */
            memcpy(f->zeroth, x, count * sizeof *x);
        x += f->first * count;
        for (size_t i = f->first; i < end; i++, x += count) {
            const float *next = i + 1 < n ? x + count : f->zeroth;
            for (size_t k = 0; k < count; k++)
                x[k] += f->share[i] * (next[k] - x[k]);
        }
    }
    f->mix = (struct mix){f->other, f->share};
    return &f->mix;
}

/* --- Steps ------------------------------------------------------------------------------------ */

/* Weights that a thread works on at once. */
enum { STEP_CHUNK = 32768 };

size_t fitter_chunks(const struct fitter *f)
{
    return (f->m->net.nweights + STEP_CHUNK - 1) / STEP_CHUNK;
}

/* The weights [*from, *to) of a chunk. */
static void chunk_weights(const struct fitter *f, size_t chunk, size_t *from, size_t *to)
{
    const size_t n = f->m->net.nweights;
    *from = chunk * STEP_CHUNK;
    *to = n - *from < STEP_CHUNK ? n : *from + STEP_CHUNK;
}

static void square_chunk(void *ctx, int worker, size_t chunk)
{
    struct fitter *f = ctx;
    size_t from, to;
    (void)worker;
    chunk_weights(f, chunk, &from, &to);
    f->square[chunk] = optim_square(trainer_grad(f->t) + from, to - from);
}

/* What the gradient is to be multiplied with for its norm to be at most c->clip (Pascanu and others
   2013). Chunks' sums make it the same for any number of threads. */
static double clip_factor(struct fitter *f)
{
    double square = 0;
    par_for(f->par, fitter_chunks(f), square_chunk, f);
    for (size_t i = 0; i < fitter_chunks(f); i++)
        square += f->square[i];
    return sqrt(square) > f->c->clip ? f->c->clip / sqrt(square) : 1;
}

/* Moves the trained weights [from, to). */
static void move_weights(struct fitter *f, size_t from, size_t to)
{
    const struct net *net = &f->m->net;
    for (int i = 0; i < net->n; i++) {
        for (int k = 0; trainer_trains(f->t, i) && k < net->layer[i].nparam; k++) {
            const struct param *p = &net->layer[i].param[k];
            size_t begin = p->at > from ? p->at : from;
            size_t end = p->at + p->count < to ? p->at + p->count : to;
            if (p->trained && begin < end)
                optim_update(&f->optim, f->m->weights, trainer_grad(f->t), begin, end - begin,
                             f->lr * f->rate[i], strcmp(p->name, "weight") == 0 ? f->c->decay : 0);
        }
    }
}

static void step_chunk(void *ctx, int worker, size_t chunk)
{
    struct fitter *f = ctx;
    size_t from, to;
    float *grad = trainer_grad(f->t), *ema = f->arrays.ema, take = (float)(1 - f->keep);
    (void)worker;
    chunk_weights(f, chunk, &from, &to);
    for (size_t i = from; f->clip < 1 && i < to; i++)
        grad[i] *= (float)f->clip;
    move_weights(f, from, to);
    for (size_t i = from; ema != NULL && i < to; i++)
        ema[i] += take * (f->m->weights[i] - ema[i]); /* exactly the weight where it never moves */
}

/* The share of the weights' moving average that step n leaves: d, but less in the first steps, when
   the average would be mostly of untrained weights. (n - 1) / (n + 4) makes it one of the last fifth
   of the steps, about (Shamir and Zhang 2013, eta = 4). */
static double kept_share(double d, long n)
{
    return fmin(d, (double)(n - 1) / (double)(n + 4));
}

/* Moves the weights by the gradient, at the learning rate lr. */
static void step(struct fitter *f, double lr)
{
    f->lr = lr;
    f->clip = f->c->clip > 0 ? clip_factor(f) : 1;
    f->optim.step = ++f->now.step;
    f->keep = kept_share(f->c->ema, f->now.step);
    par_for(f->par, fitter_chunks(f), step_chunk, f);
}

/* That of a step on n records after `done` others of the epoch: the schedule's in the middle of the
   step, where no warm-up is 0. */
static double learning_rate(const struct fitter *f, size_t done, size_t n)
{
    double middle = (double)done + (double)n / 2;
    double epochs = f->now.epoch - 1 + middle / (double)f->balance.draws;
    return f->c->lr * f->now.lr_scale * schedule_factor(&f->c->schedule, f->c->epochs, epochs);
}

/* Adds the confidences of the batch that was run last. Returns 0 or MIEN_ERR_MEM. */
static int add_confidences(const struct fitter *f, size_t n, struct calibration *c)
{
    const struct heads *h = &f->heads;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        float gender[MIEN_GENDERS], age[MIEN_AGES];
        if (h->gender >= 0) {
            model_gender(trainer_act(f->t, h->gender) + i * (size_t)h->genders, h->genders, gender);
            rc |= calibration_add_gender(c, gender, f->label[i].gender);
        }
        if (h->age >= 0) {
            size_t outputs = shape_count(f->m->net.layer[h->age].shape);
            age_head_distribution(&h->years, trainer_act(f->t, h->age) + i * outputs, age);
            rc |= calibration_add_age(c, age, f->label[i].age);
        }
    }
    return rc;
}

/* Every process knows the outputs of all images, and so the same losses. */
static void gather_heads(struct fitter *f)
{
    trainer_gather(f->t, f->heads.gender);
    trainer_gather(f->t, f->heads.age);
}

/* Measures the validation part. c, which may be NULL, receives its confidences. Returns 0 or
   MIEN_ERR_MEM. */
static int validate(struct fitter *f, struct calibration *c, struct metrics *m, struct mien_err *e)
{
    struct tally tally = {0};
    size_t n = f->val_inputs.pack->n, batch = (size_t)f->c->batch;
    uint32_t index[FIT_MAX_BATCH];
    for (size_t first = 0; first < n; first += batch) {
        size_t count = n - first < batch ? n - first : batch;
        for (size_t i = 0; i < count; i++)
            index[i] = (uint32_t)(first + i);
        int rc = load_batch(f, &f->val_inputs, index, count, e);
        if (rc < 0)
            return rc;
        trainer_forward(f->t, (int)count, false, 0);
        gather_heads(f);
        loss_batch(NULL, &f->heads, f->label, count, NULL, trainer_act(f->t, f->heads.gender),
                   trainer_act(f->t, f->heads.age), NULL, NULL, &tally);
        if (c != NULL && add_confidences(f, count, c) < 0)
            c->failed = true;
    }
    *m = tally_metrics(&tally);
    return 0;
}

static void tell_progress(const struct fitter *f)
{
    const struct progress *p = &f->now;
    char stage[40], what[100] = "records, ";
    size_t n = strlen(what);
    if (f->c->on_progress == NULL)
        return;
    const struct metrics so_far = tally_metrics(&p->tally);
    snprintf(stage, sizeof stage, "epoch %d/%d", p->epoch, f->c->epochs);
    fit_metrics_line(&so_far, what + n, sizeof what - n);
    f->c->on_progress(f->c->ctx, &(struct fit_progress){.stage = stage,
                                                        .what = what,
                                                        .done = p->done,
                                                        .total = f->balance.draws,
                                                        .epoch = p->epoch,
                                                        .so_far = &so_far});
}

/* Trains on the records of one batch. Returns 0, MIEN_ERR_MEM or MIEN_ERR_ARG. */
static int train_batch(struct fitter *f, struct rng *rng, size_t n, struct mien_err *e)
{
    struct progress *p = &f->now;
    struct tally one = {0};
    int rc = load_batch(f, &f->train_inputs, f->order + p->done, n, e);
    if (rc < 0)
        return rc;
    size_t next = p->done + n, left = f->balance.draws - next;
    if (f->train_inputs.data == NULL &&
        left > 0) { /* the disk reads while this batch is computed */
        size_t first, own, some = left < (size_t)f->c->batch ? left : (size_t)f->c->batch;
        trainer_images(f->t, (int)some, &first, &own);
        mien_pack_will_need(f->train_inputs.pack, f->order + next + first, own);
    }
    const struct mix *mix = mix_batch(f, rng, n);
    trainer_forward(f->t, (int)n, true, rng_next(rng));
    gather_heads(f);
    loss_batch(&f->c->loss, &f->heads, f->label, n, mix, trainer_act(f->t, f->heads.gender),
               trainer_act(f->t, f->heads.age), trainer_dact(f->t, f->heads.gender_logits),
               trainer_dact(f->t, f->heads.age_logits), &one);
    double loss = tally_metrics(&one).loss;
    if (!isfinite(loss))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the loss is no longer a number in epoch %d, at record %zu: "
                            "try a smaller learning rate than %g",
                            p->epoch, p->done, f->c->lr);
    trainer_backward(f->t, (int)n);
    step(f, learning_rate(f, p->done, n));
    tally_add(&p->tally, &one);
    p->done += n;
    tell_progress(f);
    return 0;
}

/* --- Epochs ----------------------------------------------------------------------------------- */

static int save(struct fitter *f, struct mien_err *e)
{
    if (f->c->checkpoint == NULL || ranks_rank(f->c->ranks) > 0)
        return 0;
    return checkpoint_save(f->c->checkpoint, f->about, &f->now, &f->arrays, e);
}

/* The order of the epoch under way. Returns 0 or MIEN_ERR_MEM. */
static int order_epoch(struct fitter *f, struct rng *rng, struct mien_err *e)
{
    sampler_order(&f->balance, f->c->balance, rng, f->order);
    if (f->c->in_order) /* after the draws of an order that isn't used, so that the rest is as ever */
        sampler_in_order(&f->balance, rng, f->order);
    if (f->copy == NULL)
        return 0;
    uint8_t *seen = calloc(f->balance.n, 1);
    if (seen == NULL)
        return mien_err_mem(e, f->balance.n, "an epoch's order");
    for (size_t i = 0; i < f->balance.draws; i++)
        f->copy[i] = (uint8_t)(seen[f->order[i]]++ % f->train_inputs.copies);
    free(seen);
    return 0;
}

/* The rest of the epoch under way. Returns 0, 1 when stopped, or train_batch's errors. */
static int train_epoch(struct fitter *f, struct mien_err *e)
{
    struct progress *p = &f->now;
    size_t n = f->balance.draws, batch = (size_t)f->c->batch;
    struct rng rng = {hash_mix(f->c->seed ^ hash_mix((uint64_t)p->epoch))};
    int rc = order_epoch(f, &rng, e);
    if (rc < 0)
        return rc;
    if (p->done > 0)
        rng.state = p->rng;
    while (p->done < n) {
        uint64_t sent = ranks_sent(f->c->ranks);
        if (agree_any(f->c->ranks, f->c->stop != NULL && *f->c->stop != 0))
            return 1;
        size_t some = n - p->done < batch ? n - p->done : batch;
        if ((rc = train_batch(f, &rng, some, e)) < 0)
            return rc;
        if (some == batch)
            f->traffic = ranks_sent(f->c->ranks) - sent;
        p->rng = rng.state;
    }
    return 0;
}

/* Whether an epoch is the best so far; what can't be compared leaves it to the loss. */
static bool better(int how, const struct fit_epoch *now, const struct fit_epoch *old)
{
    bool measured =
        now->val.n_gender + now->val.n_age > 0 || now->val.loss > 0; /* bands have a loss alone */
    if (old->epoch == 0 || how == FIT_LAST || !measured)
        return true;
    if (how == FIT_MAE && now->val.n_age > 0)
        return now->val.age_mae < old->val.age_mae;
    if (how == FIT_GENDER && now->val.n_gender > 0)
        return now->val.gender_accuracy > old->val.gender_accuracy;
    return now->val.loss < old->val.loss;
}

static void swap(float *a, float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x = a[i];
        a[i] = b[i];
        b[i] = x;
    }
}

/* Measures the weights, or their moving average, and keeps them if they are the best. Returns 0 or
   MIEN_ERR_MEM. */
static int judge_epoch(struct fitter *f, struct fit_epoch *now, struct mien_err *e)
{
    struct arrays *a = &f->arrays;
    size_t bytes = a->n * sizeof(float);
    const float *use = a->ema != NULL ? a->ema : a->weights;
    if (a->ema != NULL)
        swap(a->weights, a->ema, a->n);
    int rc = f->val_inputs.pack != NULL ? validate(f, NULL, &now->val, e) : 0;
    if (a->ema != NULL)
        swap(a->weights, a->ema, a->n);
    if (rc < 0)
        return rc;
    now->best = better(f->c->best, now, &f->now.kept);
    f->now.stale = now->best ? 0 : f->now.stale + 1;
    if (now->best) {
        f->now.kept = *now;
        f->now.kept.seconds = f->now.kept.images_per_second = 0; /* the same in every run */
        f->now.kept.traffic = 0;
        memcpy(a->best, use, bytes);
    }
    return 0;
}

/* Whether every trained weight is a number: the last step of an epoch shows in no loss of it. */
static bool finite_weights(const struct fitter *f)
{
    bool finite = true;
    for (int i = 0; i < f->m->net.n; i++) {
        const struct layer *l = &f->m->net.layer[i];
        for (int k = 0; f->train[i] && k < l->nparam; k++)
            finite = finite && num_finite(f->arrays.weights + l->param[k].at, l->param[k].count);
    }
    return finite;
}

/* Whether an epoch's training went well. Returns 0, or a negative code with what didn't. */
static int check_epoch(const struct fitter *f, double loss, struct mien_err *e)
{
    const struct progress *p = &f->now;
    if (p->tally.weight_gender + p->tally.weight_age == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "none of the training pack's images can be used");
    if (!finite_weights(f))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "weights are no longer numbers in epoch %d: try a smaller "
                            "learning rate than %g, or --clip",
                            p->epoch, f->c->lr);
    /* A network much worse than guessing for long is lost. */
    if (loss > 4 * loss_of_guessing(&f->c->loss, &f->heads) && p->epoch >= 3)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the loss is %g in epoch %d, far worse than guessing: try a "
                            "smaller learning rate than %g",
                            loss, p->epoch, f->c->lr);
    return 0;
}

/* After an epoch: what a plateau does to the learning rate, a clean slate for the next one, and a
   checkpoint when it is due, from which that goes on. `last`: there is no next one. */
static int end_epoch(struct fitter *f, bool last, struct mien_err *e)
{
    struct progress *p = &f->now;
    const struct schedule *s = &f->c->schedule;
    if (s->kind == SCHEDULE_PLATEAU && p->stale > 0 && p->stale % s->step_epochs == 0)
        p->lr_scale *= s->drop;
    p->done = 0;
    p->tally = (struct tally){0};
    bool due = last || p->epoch % f->c->every == 0;
    p->epoch = last ? f->c->epochs + 1 : p->epoch + 1;
    return due ? save(f, e) : 0;
}

/* The rest of the epoch under way, and its measures. Returns 0, 1 when stopped, or a negative
   code. */
static int run_epoch(struct fitter *f, struct fit_epoch *now, struct mien_err *e)
{
    struct progress *p = &f->now;
    size_t before = p->done, batch = (size_t)f->c->batch, n = f->balance.draws;
    size_t last = (n - 1) / batch * batch; /* where the last step begins */
    double start = clock_seconds();
    int rc = train_epoch(f, e);
    if (rc != 0)
        return rc;
    *now = (struct fit_epoch){.epoch = p->epoch, .train_loss = tally_metrics(&p->tally).loss};
    rc = check_epoch(f, now->train_loss, e);
    if (rc < 0)
        return rc;
    now->lr = learning_rate(f, last, n - last);
    now->seconds = clock_seconds() - start;
    now->traffic = agree_sum(f->c->ranks, f->traffic);
    now->images_per_second = (double)(p->done - before) / fmax(now->seconds, 1e-9);
    return judge_epoch(f, now, e);
}

int fitter_run_epochs(struct fitter *f, struct mien_err *e)
{
    struct progress *p = &f->now;
    while (p->epoch <= f->c->epochs) {
        struct fit_epoch now;
        int rc = run_epoch(f, &now, e);
        if (rc > 0) {
            int saved = save(f, e);
            return saved < 0 ? saved : rc;
        }
        if (rc < 0)
            return rc;
        /* The log before the checkpoint: a training that ends between them goes on from the one
           before and cuts its log there; the other way round a line would be missing for ever. */
        if (f->c->on_epoch != NULL)
            f->c->on_epoch(f->c->ctx, &now);
        bool enough = f->c->patience > 0 && p->stale >= f->c->patience;
        rc = end_epoch(f, enough || p->epoch == f->c->epochs, e);
        if (rc < 0)
            return rc;
    }
    memcpy(f->m->weights, f->arrays.best, f->arrays.n * sizeof(float));
    return 0;
}

int fitter_measure(struct fitter *f, struct mien_err *e)
{
    f->now.kept = (struct fit_epoch){0};
    return validate(f, NULL, &f->now.kept.val, e);
}

int fitter_find_temperatures(struct fitter *f, struct mien_err *e)
{
    struct calibration c = {0};
    struct metrics m;
    if (f->val_inputs.pack != NULL && validate(f, &c, &m, e) < 0)
        c.failed = true;
    int rc = calibration_end(&c, &f->m->prep);
    return rc < 0 ? mien_err_set(e, rc, "no room for the temperatures of confidence") : 0;
}
