/*
 * The training loop. The network falls into three parts: frozen layers, whose output at the
 * boundary is computed once for every record and kept; the layers from there on, which a trainer
 * runs; and layers that nothing needs.
 */
#include "fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "checkpoint.h"
#include "fit_pack.h"
#include "net/calibrate.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/num.h"
#include "record/pred.h"
#include "train/optim.h"
#include "inputs.h"
#include "sampler.h"
#include "train/trainer.h"

struct fitter {
    struct model *m;
    const struct fit_config *c;
    struct par *par;
    struct trainer *t;
    bool *train;  /* a layer's parameters are trained */
    double *rate; /* a layer's learning rate, relative to the heads' */
    struct boundary at;
    struct heads heads;
    int ends[2], nends; /* the logits: where gradients begin */
    struct inputs train_inputs, val_inputs;
    struct sampler balance, weights; /* for sampling and for losses, where they are asked for */
    uint32_t *order;                 /* of the epoch */
    struct optim optim;
    struct arrays arrays;
    struct progress now;
    char *about; /* what a checkpoint must have in common */

    /* The batch under way. */
    struct inputs *inputs;
    const uint32_t *index;
    struct label *label;
    struct mix mix;
    uint32_t *other;
    float *share, *first;
};

/* --- Which layers are trained, and what is frozen ------------------------------------------- */

static bool counts(const struct layer *l)
{
    return l->nparam > 0 && l->type != L_BN; /* a bn goes with the layer that it normalises */
}

/* The last `last` layers that hold weights. */
static void choose_trained(struct fitter *f)
{
    const struct net *net = &f->m->net;
    int left = f->c->last > 0 ? f->c->last : net->n;
    for (int i = net->n - 1; i >= 0 && left > 0; i--) {
        f->train[i] = net->layer[i].nparam > 0;
        left -= counts(&net->layer[i]);
    }
}

/* Learning rates fall off from the end: by layer_decay for each layer with weights behind, and to
   lr_backbone up to the layer where features are taken. Returns 0 or MIEN_ERR_ARG. */
static int choose_rates(struct fitter *f, struct mien_err *e)
{
    const struct net *net = &f->m->net;
    int backbone = f->c->lr_backbone > 0 ? model_features_layer(f->m, NULL, e) : 0;
    double rate = 1;
    if (backbone < 0)
        return backbone;
    for (int i = net->n - 1; i >= 0; i--) {
        f->rate[i] = rate;
        if (i <= backbone && f->c->lr_backbone > 0)
            f->rate[i] *= f->c->lr_backbone / f->c->lr;
        if (counts(&net->layer[i]) && i != f->heads.gender_logits && i != f->heads.age_logits)
            rate *= f->c->layer_decay;
    }
    return 0;
}

static int find_boundary(struct fitter *f, struct mien_err *e)
{
    const struct net *net = &f->m->net;
    bool *moves = calloc((size_t)net->n, sizeof *moves); /* depends on trained parameters */
    bool *read = calloc((size_t)net->n, sizeof *read);   /* by a layer that does */
    int rc = moves == NULL || read == NULL ? mien_err_mem(e, (size_t)net->n, "layers") : 0;
    for (int i = 0; rc == 0 && i < net->n; i++) {
        moves[i] = f->train[i];
        for (int k = 0; k < net->layer[i].nin; k++)
            moves[i] = moves[i] || moves[net->layer[i].in[k]];
        for (int k = 0; moves[i] && k < net->layer[i].nin; k++)
            read[net->layer[i].in[k]] = true;
    }
    for (int i = net->n - 1; rc == 0 && i > 0; i--) {
        const struct layer *l = &net->layer[i];
        if (read[i] && !moves[i] && l->type == L_DROPOUT)
            moves[i] = read[l->in[0]] = true; /* what it drops differs from step to step */
    }
    for (int i = 0; rc == 0 && i < net->n; i++) {
        if (!read[i] || moves[i])
            continue;
        f->at.layer[f->at.n++] = i;
        f->at.width += shape_count(net->layer[i].shape);
    }
    int gender = f->heads.gender, age = f->heads.age;
    if (rc == 0 && ((gender >= 0 && !moves[gender]) || (age >= 0 && !moves[age])))
        rc = mien_err_set(e, MIEN_ERR_ARG, "too few layers are trained: a head would be frozen");
    free(moves);
    free(read);
    return rc;
}

/* --- Batches ---------------------------------------------------------------------------------- */

static void load_record(void *ctx, int worker, size_t i)
{
    struct fitter *f = ctx;
    float *x[NET_MAX_LAYERS];
    for (int b = 0; b < f->at.n; b++) {
        size_t count = shape_count(f->m->net.layer[f->at.layer[b]].shape);
        x[b] = trainer_act(f->t, f->at.layer[b]) + i * count;
    }
    size_t k = f->index[i];
    inputs_load(f->inputs, worker, k, f->now.epoch, x);
    f->label[i] = inputs_label(f->inputs, k);
    if (f->weights.weight != NULL && f->inputs == &f->train_inputs)
        f->label[i].w_gender = f->label[i].w_age = (float)f->weights.weight[k];
}

/* Says, once for each, which records turned out to be of no use. */
static void tell_bad(const struct fitter *f, struct inputs *inputs, size_t k)
{
    struct mien_err why;
    if (decoded_tell_bad(&inputs->images, k, &why) && f->c->on_bad != NULL)
        f->c->on_bad(f->c->ctx, inputs->pack, k, &why);
}

/* Gives the trainer records index[0..n) of a part, and their labels. */
static void load_batch(struct fitter *f, struct inputs *inputs, const uint32_t *index, size_t n)
{
    f->inputs = inputs;
    f->index = index;
    par_for(f->par, n, load_record, f);
    for (size_t i = 0; i < n; i++)
        tell_bad(f, inputs, index[i]);
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
    for (int b = 0; b < f->at.n; b++) {
        size_t count = shape_count(f->m->net.layer[f->at.layer[b]].shape);
        float *x = trainer_act(f->t, f->at.layer[b]);
        memcpy(f->first, x, count * sizeof *x); /* the last record's next one, before it is mixed */
        for (size_t i = 0; i < n; i++, x += count) {
            const float *next = i + 1 < n ? x + count : f->first;
            for (size_t k = 0; k < count; k++)
                x[k] += f->share[i] * (next[k] - x[k]);
        }
    }
    f->mix = (struct mix){f->other, f->share};
    return &f->mix;
}

/* --- Steps ------------------------------------------------------------------------------------ */

/* What the gradient of all trained parameters is to be multiplied with for its norm to be at most
   c->clip (Pascanu and others 2013). */
static double clip_factor(const struct fitter *f)
{
    const struct net *net = &f->m->net;
    const float *grad = trainer_grad(f->t);
    double square = 0;
    for (int i = 0; i < net->n; i++) {
        for (int k = 0; trainer_trains(f->t, i) && k < net->layer[i].nparam; k++) {
            const struct param *p = &net->layer[i].param[k];
            for (size_t j = 0; p->trained && j < p->count; j++)
                square += (double)grad[p->at + j] * (double)grad[p->at + j];
        }
    }
    return sqrt(square) > f->c->clip ? f->c->clip / sqrt(square) : 1;
}

/* Moves the weights by the gradient, at the learning rate lr. */
static void step(struct fitter *f, double lr)
{
    const struct net *net = &f->m->net;
    float *grad = trainer_grad(f->t);
    double factor = f->c->clip > 0 ? clip_factor(f) : 1;
    for (size_t i = 0; factor < 1 && i < net->nweights; i++)
        grad[i] *= (float)factor;
    f->optim.step = ++f->now.step;
    for (int i = 0; i < net->n; i++) {
        for (int k = 0; trainer_trains(f->t, i) && k < net->layer[i].nparam; k++) {
            const struct param *p = &net->layer[i].param[k];
            double decay = strcmp(p->name, "weight") == 0 ? f->c->decay : 0;
            if (p->trained)
                optim_update(&f->optim, f->m->weights, grad, p->at, p->count, lr * f->rate[i],
                             decay);
        }
    }
    float *ema = f->arrays.ema, d = (float)f->c->ema;
    for (size_t i = 0; ema != NULL && i < f->arrays.n; i++)
        ema[i] = d * ema[i] + (1 - d) * f->m->weights[i];
}

/* That of the step that begins when `done` records of the epoch have been seen. */
static double learning_rate(const struct fitter *f, size_t done)
{
    double epochs = f->now.epoch - 1 + (double)done / (double)f->train_inputs.pack->n;
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

/* Measures the validation part. c, which may be NULL, receives its confidences. */
static struct metrics validate(struct fitter *f, struct calibration *c)
{
    struct tally tally = {0};
    size_t n = f->val_inputs.pack->n, batch = (size_t)f->c->batch;
    uint32_t index[FIT_MAX_BATCH];
    for (size_t first = 0; first < n; first += batch) {
        size_t count = n - first < batch ? n - first : batch;
        for (size_t i = 0; i < count; i++)
            index[i] = (uint32_t)(first + i);
        load_batch(f, &f->val_inputs, index, count);
        trainer_forward(f->t, (int)count, false, 0);
        loss_batch(NULL, &f->heads, f->label, count, NULL, trainer_act(f->t, f->heads.gender),
                   trainer_act(f->t, f->heads.age), NULL, NULL, &tally);
        if (c != NULL && add_confidences(f, count, c) < 0)
            c->failed = true;
    }
    return tally_metrics(&tally);
}

/* Trains on the records of one batch. Returns 0 or MIEN_ERR_ARG. */
static int train_batch(struct fitter *f, struct rng *rng, size_t n, struct mien_err *e)
{
    struct progress *p = &f->now;
    struct tally one = {0};
    load_batch(f, &f->train_inputs, f->order + p->done, n);
    size_t next = p->done + n, left = f->train_inputs.pack->n - next;
    if (f->train_inputs.data == NULL) /* the disk reads while this batch is computed */
        mien_pack_will_need(f->train_inputs.pack, f->order + next,
                            left < (size_t)f->c->batch ? left : (size_t)f->c->batch);
    const struct mix *mix = mix_batch(f, rng, n);
    trainer_forward(f->t, (int)n, true, rng_next(rng));
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
    step(f, learning_rate(f, p->done));
    tally_add(&p->tally, &one);
    p->done += n;
    if (f->c->on_batch != NULL) {
        struct metrics so_far = tally_metrics(&p->tally);
        f->c->on_batch(f->c->ctx, p->epoch, p->done, f->train_inputs.pack->n, &so_far);
    }
    return 0;
}

/* --- Epochs ----------------------------------------------------------------------------------- */

static int save(struct fitter *f, struct mien_err *e)
{
    if (f->c->checkpoint == NULL)
        return 0;
    return checkpoint_save(f->c->checkpoint, f->about, &f->now, &f->arrays, e);
}

/* The rest of the epoch under way. Returns 0, 1 when stopped, or MIEN_ERR_ARG. */
static int train_epoch(struct fitter *f, struct mien_err *e)
{
    struct progress *p = &f->now;
    size_t n = f->train_inputs.pack->n, batch = (size_t)f->c->batch;
    struct rng rng = {hash_mix(f->c->seed ^ hash_mix((uint64_t)p->epoch))};
    sampler_order(&f->balance, f->c->balance, &rng, f->order);
    for (size_t i = 0; f->c->in_order && i < n; i++)
        f->order[i] = (uint32_t)i;
    if (p->done > 0)
        rng.state = p->rng;
    while (p->done < n) {
        if (f->c->stop != NULL && *f->c->stop != 0)
            return 1;
        int rc = train_batch(f, &rng, n - p->done < batch ? n - p->done : batch, e);
        if (rc < 0)
            return rc;
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

/* Measures the weights, or their moving average, and keeps them if they are the best. */
static void judge_epoch(struct fitter *f, struct fit_epoch *now)
{
    struct arrays *a = &f->arrays;
    size_t bytes = a->n * sizeof(float);
    const float *use = a->ema != NULL ? a->ema : a->weights;
    float *aside = trainer_grad(f->t); /* free between batches */
    if (a->ema != NULL) {
        memcpy(aside, a->weights, bytes);
        memcpy(a->weights, a->ema, bytes);
    }
    if (f->val_inputs.pack != NULL)
        now->val = validate(f, NULL);
    now->best = better(f->c->best, now, &f->now.kept);
    if (a->ema != NULL)
        memcpy(a->weights, aside, bytes);
    f->now.stale = now->best ? 0 : f->now.stale + 1;
    if (now->best) {
        f->now.kept = *now;
        memcpy(a->best, use, bytes);
    }
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

/* Runs epochs from where f->now stands. Returns 0, 1 when stopped, or a negative code. */
static int run_epochs(struct fitter *f, struct mien_err *e)
{
    struct progress *p = &f->now;
    for (; p->epoch <= f->c->epochs; p->epoch++) {
        size_t before = p->done, last = (f->train_inputs.pack->n - 1) / (size_t)f->c->batch;
        struct fit_epoch now = {.epoch = p->epoch};
        double start = clock_seconds();
        int rc = train_epoch(f, e);
        if (rc != 0) {
            int saved = rc > 0 ? save(f, e) : 0;
            return saved < 0 ? saved : rc;
        }
        if (p->tally.weight_gender + p->tally.weight_age == 0)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "none of the training pack's images can be used");
        if (!finite_weights(f))
            return mien_err_set(e, MIEN_ERR_ARG,
                                "weights are no longer numbers in epoch %d: try a smaller "
                                "learning rate than %g, or --clip",
                                p->epoch, f->c->lr);
        now.train_loss = tally_metrics(&p->tally).loss;
        /* A network much worse than guessing for long is lost. */
        if (now.train_loss > 4 * loss_of_guessing(&f->c->loss, &f->heads) && p->epoch >= 3)
            return mien_err_set(e, MIEN_ERR_ARG,
                                "the loss is %g in epoch %d, far worse than guessing: try a "
                                "smaller learning rate than %g",
                                now.train_loss, p->epoch, f->c->lr);
        now.lr = learning_rate(f, last * (size_t)f->c->batch);
        now.seconds = clock_seconds() - start;
        now.images_per_second = (double)(p->done - before) / fmax(now.seconds, 1e-9);
        judge_epoch(f, &now);
        if (f->c->on_epoch != NULL)
            f->c->on_epoch(f->c->ctx, &now);
        if (f->c->schedule.kind == SCHEDULE_PLATEAU && p->stale > 0 &&
            p->stale % f->c->schedule.step_epochs == 0)
            p->lr_scale *= f->c->schedule.drop;
        bool enough = f->c->patience > 0 && p->stale >= f->c->patience;
        int at = p->epoch;
        p->done = 0;
        p->tally = (struct tally){0};
        if (f->c->checkpoint != NULL && (at % f->c->every == 0 || at == f->c->epochs || enough)) {
            p->epoch = enough ? f->c->epochs + 1 : at + 1; /* where to go on */
            if (save(f, e) < 0)
                return MIEN_ERR_SYS;
            p->epoch = at;
        }
        if (enough)
            break;
    }
    memcpy(f->m->weights, f->arrays.best, f->arrays.n * sizeof(float));
    return 0;
}

/* Finds the temperatures of the weights that were kept; without a validation part, there are
   none. */
static int find_temperatures(struct fitter *f, struct mien_err *e)
{
    struct calibration c = {0};
    if (f->val_inputs.pack != NULL)
        validate(f, &c);
    int rc = calibration_end(&c, &f->m->prep);
    return rc < 0 ? mien_err_set(e, rc, "no room for the temperatures of confidence") : 0;
}

/* --- Setting up ------------------------------------------------------------------------------- */

/* Bins spread their probability as the ages of the training part are spread; without ages, as
   before. */
static int count_ages(struct fitter *f, const struct mien_pack *train, struct mien_err *e)
{
    float count[MIEN_AGES] = {0}, sum = 0;
    for (size_t i = 0; age_head_binned(&f->heads.years) && i < train->n; i++) {
        if (train->age[i] >= MIEN_AGES)
            continue;
        count[train->age[i]]++;
        sum++;
    }
    if (sum == 0)
        return 0;
    memcpy(f->m->age_count, count, sizeof count);
    return age_head_of(&f->heads.years, f->m, e);
}

static int describe(struct fitter *f, const struct mien_pack *val, struct mien_err *e)
{
    struct mien_buf b = {0};
    int rc = fit_describe(f->c, &b);
    rc |= mien_buf_printf(&b, "\ndata=%016llx",
                          (unsigned long long)fit_pack_hash(f->train_inputs.pack));
    if (val != NULL)
        rc |= mien_buf_printf(&b, " validation=%016llx", (unsigned long long)fit_pack_hash(val));
    rc |= mien_buf_printf(
        &b, " frozen=%016llx\n%s\n",
        (unsigned long long)hash_bytes(0, f->m->weights, f->arrays.n * sizeof(float)),
        f->m->prep.text);
    rc |= net_print(&f->m->net, &b);
    rc |= mien_buf_append(&b, "", 1);
    f->about = (char *)b.data;
    return rc < 0 ? mien_err_mem(e, b.cap, "a description") : 0;
}

static float *zeroed(size_t n)
{
    return calloc(n + 1, sizeof(float));
}

static int make_state(struct fitter *f, struct mien_err *e)
{
    struct arrays *a = &f->arrays;
    size_t n = f->m->net.nweights, batch = (size_t)f->c->batch, records = f->train_inputs.pack->n;
    *a = (struct arrays){.n = n, .weights = f->m->weights};
    f->now = (struct progress){.epoch = 1, .lr_scale = 1};
    a->best = zeroed(n);
    a->ema = f->c->ema > 0 ? zeroed(n) : NULL;
    f->order = malloc(records * sizeof *f->order);
    f->label = calloc(batch, sizeof *f->label);
    f->other = calloc(batch, sizeof *f->other);
    f->share = zeroed(batch);
    f->first = zeroed(f->c->mixup > 0 ? f->at.width : 0);
    if (a->best == NULL || (f->c->ema > 0 && a->ema == NULL) || f->order == NULL ||
        f->label == NULL || f->other == NULL || f->share == NULL || f->first == NULL)
        return mien_err_mem(e, n * sizeof(float), "training");
    if (a->ema != NULL)
        memcpy(a->ema, a->weights, n * sizeof(float));
    int rc = optim_init(&f->optim, &f->c->optim, n, e);
    a->m = f->optim.m;
    a->v = f->optim.v;
    if (rc == 0)
        rc = sampler_make(&f->balance, &f->train_inputs, f->c->balance, e);
    if (rc == 0 && f->c->class_weights > 0)
        rc = sampler_make(&f->weights, &f->train_inputs, f->c->class_weights, e);
    return rc;
}

static int make_inputs(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
                       struct mien_err *e)
{
    const struct fit_config *c = f->c;
    struct inputs_how how = {.views = 1,
                             .cache_mem = c->cache_mem,
                             .on_frozen = c->on_frozen,
                             .ctx = c->ctx,
                             .stop = c->stop};
    int rc = val != NULL ? inputs_make(&f->val_inputs, f->m, val, &f->at, &how, f->par, e) : 0;
    if (augment_any(&c->augment)) {
        if (train->kind == MIEN_PACK_FEATURES)
            return mien_err_set(e, MIEN_ERR_ARG,
                                "features can't be augmented: give pixels or images");
        how.augment = &c->augment;
        how.seed = hash_mix(c->seed);
        how.views = c->views < c->epochs ? c->views : c->epochs;
    }
    rc = rc != 0 ? rc : inputs_make(&f->train_inputs, f->m, train, &f->at, &how, f->par, e);
    for (size_t k = 0; rc == 0 && k < train->n; k++)
        tell_bad(f, &f->train_inputs, k);
    for (size_t k = 0; rc == 0 && val != NULL && k < val->n; k++)
        tell_bad(f, &f->val_inputs, k);
    return rc;
}

/* Returns 0, 1 when stopped, or a negative code. */
static int set_up(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
                  struct mien_err *e)
{
    const struct net *net = &f->m->net;
    const struct fit_config *c = f->c;
    int rc = heads_find(&f->heads, f->m, e);
    rc = rc < 0 ? rc : loss_check(&c->loss, &f->heads, e);
    rc = rc < 0 ? rc : count_ages(f, train, e);
    if (rc < 0)
        return rc;
    f->train = calloc((size_t)net->n, sizeof *f->train);
    f->rate = calloc((size_t)net->n, sizeof *f->rate);
    f->at.layer = calloc((size_t)net->n, sizeof *f->at.layer);
    if (f->train == NULL || f->rate == NULL || f->at.layer == NULL)
        return mien_err_mem(e, (size_t)net->n, "training");
    f->par = par_new(c->jobs, e);
    if (f->par == NULL)
        return MIEN_ERR_SYS;
    choose_trained(f);
    rc = choose_rates(f, e);
    rc = rc < 0 ? rc : find_boundary(f, e);
    rc = rc < 0 ? rc : fit_pack_check(train, "training", f->m, &f->at, &f->heads, e);
    if (rc == 0 && val != NULL)
        rc = fit_pack_check(val, "validation", f->m, &f->at, &f->heads, e);
    rc = rc < 0 ? rc : make_inputs(f, train, val, e);
    rc = rc != 0 ? rc : make_state(f, e);
    rc = rc != 0 ? rc : describe(f, val, e);
    if (rc != 0)
        return rc;
    if (f->heads.gender >= 0)
        f->ends[f->nends++] = f->heads.gender_logits;
    if (f->heads.age >= 0)
        f->ends[f->nends++] = f->heads.age_logits;
    f->t = trainer_new(net, f->m->weights, f->train, f->at.layer, f->at.n, f->ends, f->nends,
                       c->batch, f->par, e);
    return f->t == NULL ? MIEN_ERR_MEM : 0;
}

int fit(struct model *m, const struct mien_pack *train, const struct mien_pack *val,
        const struct fit_config *c, struct fit_epoch *kept, struct mien_err *e)
{
    struct fitter f = {.m = m, .c = c};
    int rc = set_up(&f, train, val, e);
    if (rc == 0 && c->resume) {
        rc = checkpoint_load(c->checkpoint, f.about, &f.now, &f.arrays, e);
        if (rc == MIEN_ERR_SYS && errno == ENOENT)
            rc = 0; /* nothing to go on from: begin */
    }
    if (rc == 0)
        rc = run_epochs(&f, e);
    if (rc == 0)
        rc = find_temperatures(&f, e);
    *kept = f.now.kept;
    trainer_free(f.t);
    inputs_free(&f.train_inputs);
    inputs_free(&f.val_inputs);
    optim_free(&f.optim);
    sampler_free(&f.balance);
    sampler_free(&f.weights);
    par_free(f.par);
    free(f.train);
    free(f.rate);
    free(f.at.layer);
    free(f.order);
    free(f.label);
    free(f.other);
    free(f.share);
    free(f.first);
    free(f.arrays.best);
    free(f.arrays.ema);
    free(f.about);
    return rc;
}
