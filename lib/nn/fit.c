/*
 * The training loop. The network falls into three parts: frozen layers, whose output at the
 * boundary is computed once for every record and kept; the layers from there on, which a trainer
 * runs; and layers that nothing needs.
 */
#include "mien/fit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kernels.h"
#include "loss.h"
#include "mien/file.h"
#include "mien/hash.h"
#include "mien/plan.h"
#include "mien/pred.h"
#include "optim.h"
#include "train.h"

/* What the trained layers read of one pack, a row a record. */
struct rows {
    const struct pack *pack;
    float *data; /* n x width, or NULL: rows are made of the pack each time */
    size_t n, width;
    bool mapped; /* data is a mapping of a temporary file, not malloc's */
};

struct fitter {
    struct model *m;
    const struct fit_config *c;
    struct model_input input;
    struct par *par;
    struct trainer *t;
    bool *train;    /* a layer's parameters are trained */
    int *boundary;  /* the layers whose output is given to the trainer */
    int nboundary;
    size_t width;   /* elements of all of them for one record */
    int gender, age, gender_logits, age_logits; /* layers */
    struct label *label; /* of a batch */
    struct rows train_rows, val_rows;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- Which layers are trained, and what is frozen ---------------------------------------------- */

/* The last `last` layers that hold weights; a bn goes with the layer that it normalises. */
static void choose_trained(struct fitter *f)
{
    const struct net *net = &f->m->net;
    int left = f->c->last > 0 ? f->c->last : net->n;
    for (int i = net->n - 1; i >= 0 && left > 0; i--) {
        f->train[i] = net->layer[i].nparam > 0;
        left -= f->train[i] && net->layer[i].type != L_BN;
    }
}

static int find_boundary(struct fitter *f, struct err *e)
{
    const struct net *net = &f->m->net;
    bool *moves = calloc((size_t)net->n, sizeof *moves); /* depends on trained parameters */
    bool *read = calloc((size_t)net->n, sizeof *read);   /* by a layer that does */
    int rc = moves == NULL || read == NULL ? err_mem(e, (size_t)net->n, "layers") : 0;
    for (int i = 0; rc == 0 && i < net->n; i++) {
        moves[i] = f->train[i];
        for (int k = 0; k < net->layer[i].nin; k++)
            moves[i] = moves[i] || moves[net->layer[i].in[k]];
        for (int k = 0; moves[i] && k < net->layer[i].nin; k++)
            read[net->layer[i].in[k]] = true;
    }
    for (int i = 0; rc == 0 && i < net->n; i++) {
        if (!read[i] || moves[i])
            continue;
        f->boundary[f->nboundary++] = i;
        f->width += shape_count(net->layer[i].shape);
    }
    if (rc == 0 && (!moves[f->gender] || !moves[f->age]))
        rc = err_set(e, ERR_ARG, "with so few layers trained a head would be frozen");
    free(moves);
    free(read);
    return rc;
}

/* --- Rows --------------------------------------------------------------------------------------- */

static const void *pack_row(const struct pack *p, size_t i)
{
    return p->kind == PACK_PIXELS ? (const void *)pack_pixels(p, i) : (const void *)pack_features(p, i);
}

enum { FROZEN_BATCH = 32 };

struct freezing {
    const struct plan *plan;
    struct plan_work **work; /* one a worker */
    const struct fitter *f;
    struct rows *rows;
    size_t *offset; /* of each boundary layer within a row */
    float **out;    /* nboundary arrays for a batch, for each worker */
    size_t from;    /* first batch of this call */
};

static void freeze_batch(void *ctx, int worker, size_t k)
{
    struct freezing *z = ctx;
    size_t first = (z->from + k) * FROZEN_BATCH, n = z->rows->n - first;
    const void *in[FROZEN_BATCH];
    int nb = z->f->nboundary;
    float **out = z->out + worker * nb;
    if (n > FROZEN_BATCH)
        n = FROZEN_BATCH;
    for (size_t i = 0; i < n; i++)
        in[i] = pack_row(z->rows->pack, first + i);
    plan_run(z->plan, z->work[worker], in, (int)n, out);
    for (int b = 0; b < nb; b++) {
        size_t count = plan_out_count(z->plan, b);
        for (size_t i = 0; i < n; i++)
            memcpy(z->rows->data + (first + i) * z->rows->width + z->offset[b], out[b] + i * count,
                   count * sizeof(float));
    }
}

static int rows_memory(struct rows *r, size_t cache_mem, struct err *e)
{
    if (r->n > SIZE_MAX / sizeof(float) / r->width)
        return err_set(e, ERR_LIMIT, "the frozen layers' output is too large");
    size_t bytes = r->n * r->width * sizeof(float);
    if (bytes <= cache_mem) {
        r->data = malloc(bytes);
        return r->data == NULL ? err_mem(e, bytes, "the frozen layers' output") : 0;
    }
    int fd = file_temp(e);
    if (fd < 0)
        return fd;
    void *p = MAP_FAILED;
    /* Blocks are claimed now: a disk that fills up later would end the program with a signal. */
    int full = posix_fallocate(fd, 0, (off_t)bytes);
    if (full == 0)
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return err_set(e, ERR_SYS, "no room for %zu bytes of the frozen layers' output: %s", bytes,
                       strerror(full != 0 ? full : ENOMEM));
    r->data = p;
    r->mapped = true;
    return 0;
}

static void rows_free(struct rows *r)
{
    if (r->mapped)
        munmap(r->data, r->n * r->width * sizeof(float));
    else
        free(r->data);
    r->data = NULL;
}

/* Computes the boundary's output for every record of a pack. */
static int freeze(struct fitter *f, struct rows *r, struct err *e)
{
    int jobs = par_size(f->par), nb = f->nboundary, rc = rows_memory(r, f->c->cache_mem, e);
    struct freezing z = {.f = f, .rows = r};
    struct plan *plan = rc == 0 ? plan_new(f->m, f->boundary, nb, FROZEN_BATCH, e) : NULL;
    z.plan = plan;
    z.work = calloc((size_t)jobs, sizeof *z.work);
    z.out = calloc((size_t)(jobs * nb), sizeof *z.out);
    z.offset = calloc((size_t)nb, sizeof *z.offset);
    if (rc == 0 && plan == NULL)
        rc = ERR_ARG;
    else if (rc == 0 && (z.work == NULL || z.out == NULL || z.offset == NULL))
        rc = err_mem(e, (size_t)(jobs * nb) * sizeof *z.out, "the frozen layers");
    for (int b = 1; rc == 0 && b < nb; b++)
        z.offset[b] = z.offset[b - 1] + plan_out_count(plan, b - 1);
    for (int j = 0; rc == 0 && j < jobs; j++) {
        z.work[j] = plan_work_new(plan, e);
        rc = z.work[j] == NULL ? ERR_MEM : 0;
        for (int b = 0; rc == 0 && b < nb; b++) {
            size_t bytes = FROZEN_BATCH * plan_out_count(plan, b) * sizeof(float);
            z.out[j * nb + b] = malloc(bytes);
            rc = z.out[j * nb + b] == NULL ? err_mem(e, bytes, "the frozen layers") : 0;
        }
    }
    /* In rounds, so that progress is told from this thread. */
    size_t batches = (r->n + FROZEN_BATCH - 1) / FROZEN_BATCH, round = (size_t)jobs * 4;
    for (; rc == 0 && z.from < batches; z.from += round) {
        par_for(f->par, batches - z.from < round ? batches - z.from : round, freeze_batch, &z);
        if (f->c->on_frozen != NULL)
            f->c->on_frozen(f->c->ctx, (z.from + round) * FROZEN_BATCH, r->n);
    }
    for (int j = 0; z.work != NULL && j < jobs; j++)
        plan_work_free(z.work[j]);
    for (int k = 0; z.out != NULL && k < jobs * nb; k++)
        free(z.out[k]);
    free(z.work);
    free(z.out);
    free(z.offset);
    plan_free(plan);
    return rc;
}

static int rows_make(struct fitter *f, struct rows *r, const struct pack *p, struct err *e)
{
    *r = (struct rows){.pack = p, .n = p->n, .width = f->width};
    /* With nothing frozen, or features of what is, the rows are the records themselves. */
    bool given = f->nboundary == 1 && (f->boundary[0] == 0 || p->kind == PACK_FEATURES);
    return given ? 0 : freeze(f, r, e);
}

/* Gives the trainer records index[0..n) of a part, and their labels. */
static void load_batch(struct fitter *f, const struct rows *r, const uint32_t *index, size_t n)
{
    const struct pack *p = r->pack;
    for (size_t i = 0; i < n; i++) {
        size_t k = index[i];
        struct label *y = &f->label[i];
        *y = (struct label){p->age[k], p->gender[k], {PACK_UNKNOWN, PACK_UNKNOWN}};
        if (p->band != NULL)
            memcpy(y->band, p->band + 2 * k, 2);
        size_t at = 0;
        for (int b = 0; b < f->nboundary; b++) {
            size_t count = shape_count(f->m->net.layer[f->boundary[b]].shape);
            float *x = trainer_act(f->t, f->boundary[b]) + i * count;
            if (r->data != NULL)
                memcpy(x, r->data + k * r->width + at, count * sizeof *x);
            else if (p->kind == PACK_PIXELS)
                k_pixels(pack_pixels(p, k), x, count / 3, f->input.bgr, f->input.mean, f->input.scale);
            else
                memcpy(x, pack_features(p, k), count * sizeof *x);
            at += count;
        }
    }
}

/* --- Epochs ------------------------------------------------------------------------------------- */

static struct fit_metrics validate(struct fitter *f, const struct rows *r)
{
    struct tally tally = {0};
    uint32_t index[1024];
    for (size_t first = 0; first < r->n; first += (size_t)f->c->batch) {
        size_t n = r->n - first < (size_t)f->c->batch ? r->n - first : (size_t)f->c->batch;
        for (size_t i = 0; i < n; i++)
            index[i] = (uint32_t)(first + i);
        load_batch(f, r, index, n);
        trainer_forward(f->t, (int)n, false, 0);
        loss_batch(f->label, n, trainer_act(f->t, f->gender), trainer_act(f->t, f->age), NULL, NULL,
                   &tally);
    }
    return tally_metrics(&tally);
}

static void step(struct fitter *f, struct adam *adam)
{
    const struct net *net = &f->m->net;
    adam_begin(adam);
    for (int i = 0; i < net->n; i++) {
        for (int k = 0; trainer_trains(f->t, i) && k < net->layer[i].nparam; k++) {
            const struct param *p = &net->layer[i].param[k];
            double l2 = strcmp(p->name, "weight") == 0 ? f->c->l2 : 0;
            if (p->trained)
                adam_update(adam, f->m->weights, trainer_grad(f->t), p->at, p->count, f->c->lr, l2);
        }
    }
}

/* One pass over the training part, in an order of its own. Returns 0 or ERR_ARG. */
static int train_epoch(struct fitter *f, struct adam *adam, int epoch, uint32_t *order, double *loss,
                       struct err *e)
{
    const struct rows *r = &f->train_rows;
    struct rng rng = {hash_mix(f->c->seed ^ hash_mix((uint64_t)epoch))};
    struct tally all = {0};
    int heads[2] = {f->gender_logits, f->age_logits};
    for (uint32_t i = 0; i < r->n; i++)
        order[i] = i;
    rng_shuffle(&rng, order, r->n);
    for (size_t first = 0; first < r->n; first += (size_t)f->c->batch) {
        size_t n = r->n - first < (size_t)f->c->batch ? r->n - first : (size_t)f->c->batch;
        struct tally one = {0};
        load_batch(f, r, order + first, n);
        trainer_forward(f->t, (int)n, true, rng_next(&rng));
        loss_batch(f->label, n, trainer_act(f->t, f->gender), trainer_act(f->t, f->age),
                   trainer_dact(f->t, f->gender_logits), trainer_dact(f->t, f->age_logits), &one);
        double now = tally_metrics(&one).loss;
        if (!isfinite(now))
            return err_set(e, ERR_ARG, "the loss is no longer a number in epoch %d, at record %zu: "
                           "try a smaller learning rate than %g", epoch, first, f->c->lr);
        trainer_backward(f->t, (int)n, heads, 2);
        step(f, adam);
        all.loss_gender += one.loss_gender;
        all.loss_age += one.loss_age;
        all.n_gender += one.n_gender;
        all.n_age += one.n_age;
        all.n_band += one.n_band;
        if (f->c->on_batch != NULL)
            f->c->on_batch(f->c->ctx, epoch, first + n, r->n, now);
    }
    *loss = tally_metrics(&all).loss;
    return 0;
}

/* Whether an epoch is the best so far; what can't be compared leaves it to the loss. */
static bool better(enum fit_best how, const struct fit_epoch *now, const struct fit_epoch *old)
{
    if (old->epoch == 0 || how == FIT_LAST || now->val.n_gender + now->val.n_age == 0)
        return true;
    if (how == FIT_MAE && now->val.n_age > 0)
        return now->val.age_mae < old->val.age_mae;
    if (how == FIT_GENDER && now->val.n_gender > 0)
        return now->val.gender_accuracy > old->val.gender_accuracy;
    return now->val.loss < old->val.loss;
}

static int run_epochs(struct fitter *f, struct fit_epoch *kept, struct err *e)
{
    size_t n = f->train_rows.n, bytes = f->m->net.nweights * sizeof(float);
    uint32_t *order = malloc(n * sizeof *order);
    float *best = malloc(bytes);
    struct adam adam = {0};
    int rc = order == NULL || best == NULL ? err_mem(e, bytes, "training") : 0;
    if (rc == 0)
        rc = adam_init(&adam, f->m->net.nweights, f->c->beta1, f->c->beta2, f->c->epsilon, e);
    *kept = (struct fit_epoch){0};
    for (int epoch = 1; rc == 0 && epoch <= f->c->epochs; epoch++) {
        struct fit_epoch now = {.epoch = epoch};
        double start = seconds();
        rc = train_epoch(f, &adam, epoch, order, &now.train_loss, e);
        if (rc < 0)
            break;
        /* Guessing costs ln 2 + ln 101, about 5.3; a network worse than that for long is lost. */
        if (now.train_loss > 20 && epoch >= 3) {
            rc = err_set(e, ERR_ARG, "the loss is %g in epoch %d, far worse than guessing: try a "
                         "smaller learning rate than %g", now.train_loss, epoch, f->c->lr);
            break;
        }
        now.seconds = seconds() - start;
        now.images_per_second = now.seconds > 0 ? (double)n / now.seconds : 0;
        if (f->val_rows.n > 0)
            now.val = validate(f, &f->val_rows);
        now.best = better(f->c->best, &now, kept);
        if (now.best) {
            *kept = now;
            memcpy(best, f->m->weights, bytes);
        }
        if (f->c->on_epoch != NULL)
            f->c->on_epoch(f->c->ctx, &now);
    }
    if (rc == 0)
        memcpy(f->m->weights, best, bytes);
    adam_free(&adam);
    free(order);
    free(best);
    return rc;
}

/* --- Setting up ---------------------------------------------------------------------------------- */

/* Features may stand for the frozen layers that would make them of pixels. */
static int check_features(const struct fitter *f, const struct pack *p, const char *which,
                          struct err *e)
{
    const struct net *net = &f->m->net;
    char want[NET_NAME + 16], have[PREP_MAX] = "of no name";
    int at = f->boundary[0];
    model_features_name(f->m, at, want, sizeof want);
    prep_get(&p->prep, "features", have, sizeof have);
    if (f->nboundary > 1)
        return err_set(e, ERR_FORMAT, "the %s pack holds features, but the trained layers read "
                       "several layers: give pixels", which);
    if ((size_t)p->dim != shape_count(net->layer[at].shape) || strcmp(want, have) != 0)
        return err_set(e, ERR_FORMAT, "the %s pack holds %d features %s, the trained layers read %s",
                       which, p->dim, have, want);
    return 0;
}

static int check_pack(const struct fitter *f, const struct pack *p, const char *which, struct err *e)
{
    struct shape in = f->m->net.layer[0].shape;
    struct err why;
    size_t labels = 0;
    if (p->kind == PACK_IMAGE)
        return err_set(e, ERR_FORMAT, "the %s pack holds encoded images; pack pixels or features", which);
    if (prep_check(&p->prep, &f->m->prep, &why) < 0)
        return err_set(e, ERR_FORMAT, "the %s pack doesn't fit the model: %s", which, why.msg);
    if (f->input.h > 0 && p->kind == PACK_FEATURES) {
        if (check_features(f, p, which, e) < 0)
            return ERR_FORMAT;
    } else if (f->input.h == 0 && (p->kind != PACK_FEATURES || (size_t)p->dim != shape_count(in))) {
        return err_set(e, ERR_FORMAT, "the %s pack doesn't hold %zu features, as the model reads",
                       which, shape_count(in));
    } else if (f->input.h > 0 && (p->height != in.h || p->width != in.w)) {
        return err_set(e, ERR_FORMAT, "the %s pack holds pixels of %dx%d, the model reads %dx%d", which,
                       p->height, p->width, in.h, in.w);
    }
    if (p->n > UINT32_MAX)
        return err_set(e, ERR_LIMIT, "the %s pack holds too many records", which);
    for (size_t i = 0; i < p->n; i++)
        labels += p->age[i] != PACK_UNKNOWN || p->gender[i] != PACK_UNKNOWN ||
                  (p->band != NULL && p->band[2 * i] != PACK_UNKNOWN);
    return labels > 0 ? 0 : err_set(e, ERR_FORMAT, "the %s pack has no labels", which);
}

static int find_heads(struct fitter *f, struct err *e)
{
    const struct net *net = &f->m->net;
    if (!fit_has_heads(f->m))
        return err_set(e, ERR_ARG, "the model lacks softmax heads named gender (2) and age (101)");
    f->gender = net_find(net, "gender");
    f->age = net_find(net, "age");
    f->gender_logits = net->layer[f->gender].in[0];
    f->age_logits = net->layer[f->age].in[0];
    return 0;
}

static int set_up(struct fitter *f, const struct pack *train, const struct pack *val, struct err *e)
{
    const struct net *net = &f->m->net;
    int rc = model_input(f->m, &f->input, e);
    rc = rc < 0 ? rc : find_heads(f, e);
    if (rc < 0)
        return rc;
    f->train = calloc((size_t)net->n, sizeof *f->train);
    f->boundary = calloc((size_t)net->n, sizeof *f->boundary);
    f->label = calloc((size_t)f->c->batch, sizeof *f->label);
    if (f->train == NULL || f->boundary == NULL || f->label == NULL)
        return err_mem(e, (size_t)net->n, "training");
    f->par = par_new(f->c->jobs, e);
    if (f->par == NULL)
        return ERR_SYS;
    choose_trained(f);
    rc = find_boundary(f, e);
    rc = rc < 0 ? rc : check_pack(f, train, "training", e);
    if (rc == 0 && val != NULL)
        rc = check_pack(f, val, "validation", e);
    rc = rc < 0 ? rc : rows_make(f, &f->train_rows, train, e);
    if (rc == 0 && val != NULL)
        rc = rows_make(f, &f->val_rows, val, e);
    if (rc < 0)
        return rc;
    f->t = trainer_new(net, f->m->weights, f->train, f->boundary, f->nboundary, f->c->batch, f->par, e);
    return f->t == NULL ? ERR_MEM : 0;
}

int fit(struct model *m, const struct pack *train, const struct pack *val,
        const struct fit_config *c, struct fit_epoch *kept, struct err *e)
{
    struct fitter f = {.m = m, .c = c};
    int rc = set_up(&f, train, val, e);
    if (rc == 0)
        rc = run_epochs(&f, kept, e);
    trainer_free(f.t);
    rows_free(&f.train_rows);
    rows_free(&f.val_rows);
    par_free(f.par);
    free(f.train);
    free(f.boundary);
    free(f.label);
    return rc;
}
