/* Setting up a training: which layers move, what they read, and the memory for it. */
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "fit_pack.h"
#include "fitter.h"
#include "mien/version.h"
#include "net/op.h"
#include "net/table.h"
#include "train/exchange.h"
#include "train/memory.h"
#include "util/hash.h"

/* --- Which layers are trained, and what is frozen ------------------------------------------- */

static bool counts(const struct layer *l)
{
    return l->nparam > 0 && !(op_of(l->type)->is & OP_SIDE);
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

/* moves: whether a layer's output depends on trained parameters; read: whether a layer that does
   reads it. Both are zeroed by the caller. */
static void find_moving(const struct fitter *f, bool *moves, bool *read)
{
    const struct net *net = &f->m->net;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        moves[i] = f->train[i];
        for (int k = 0; k < l->nin; k++)
            moves[i] = moves[i] || moves[l->in[k]];
        for (int k = 0; moves[i] && k < l->nin; k++)
            read[l->in[k]] = true;
    }
    for (int i = net->n - 1; i > 0; i--) {
        const struct layer *l = &net->layer[i];
        if (read[i] && !moves[i] && l->type == L_DROPOUT)
            moves[i] = read[l->in[0]] = true; /* what it drops differs from step to step */
    }
}

/* The layers that stay as they are and are read by others that don't. */
static int find_boundary(struct fitter *f, struct mien_err *e)
{
    const struct net *net = &f->m->net;
    int gender = f->heads.gender, age = f->heads.age;
    bool *moves = calloc((size_t)net->n, sizeof *moves);
    bool *read = calloc((size_t)net->n, sizeof *read);
    int rc = 0;
    if (moves == NULL || read == NULL) {
        rc = mien_err_mem(e, (size_t)net->n, "layers");
        goto out;
    }
    find_moving(f, moves, read);
    for (int i = 0; i < net->n; i++) {
        if (!read[i] || moves[i])
            continue;
        f->at.layer[f->at.n++] = i;
        f->at.width += shape_count(net->layer[i].shape);
    }
    if ((gender >= 0 && !moves[gender]) || (age >= 0 && !moves[age]))
        rc = mien_err_set(e, MIEN_ERR_ARG, "too few layers are trained: a head would be frozen");
out:
    free(moves);
    free(read);
    return rc;
}

/* --- Inputs and memory ------------------------------------------------------------------------ */

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

static int describe(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
                    struct mien_err *e)
{
    struct mien_buf b = {0};
    int rc = fit_describe(f->c, &b);
    rc |= mien_buf_printf(&b, "\ndata=%016llx",
                          (unsigned long long)(train != NULL ? fit_pack_hash(train) : 0));
    if (val != NULL)
        rc |= mien_buf_printf(&b, " validation=%016llx", (unsigned long long)fit_pack_hash(val));
    rc |= mien_buf_printf(
        &b, " frozen=%016llx\n%s\n",
        (unsigned long long)hash_bytes(0, f->m->weights, f->m->net.nweights * sizeof(float)),
        f->m->prep.text);
    rc |= net_print(&f->m->net, &b);
    rc |= mien_buf_append(&b, "", 1);
    f->about = (char *)b.data;
    return rc < 0 ? mien_err_mem(e, b.cap, "a description") : 0;
}

static int make_samplers(struct fitter *f, struct mien_err *e)
{
    const struct pack_set *set = f->c->set;
    int rc = sampler_make(&f->balance, &f->train_inputs, set, f->c->balance, e);
    if (rc == 0 && f->c->class_weights > 0)
        rc = sampler_make(&f->weights, &f->train_inputs, NULL, f->c->class_weights, e);
    if (rc < 0)
        return rc;
    int copies = f->train_inputs.copies;
    f->order = malloc(f->balance.room * sizeof *f->order);
    f->copy = copies > 1 ? malloc(f->balance.draws) : NULL;
    if (f->order == NULL || (copies > 1 && f->copy == NULL))
        return mien_err_mem(e, f->balance.room * sizeof *f->order, "an epoch's order");
    return 0;
}

static int make_state(struct fitter *f, struct mien_err *e)
{
    struct arrays *a = &f->arrays;
    size_t n = f->m->net.nweights, batch = (size_t)f->c->batch;
    *a = (struct arrays){.n = n, .weights = f->m->weights};
    f->now = (struct progress){.epoch = 1, .lr_scale = 1};
    a->best = calloc(n, sizeof *a->best);
    a->ema = f->c->ema > 0 ? malloc(n * sizeof *a->ema) : NULL;
    int rc = f->train_inputs.pack != NULL ? make_samplers(f, e) : 0;
    if (rc < 0)
        return rc;
    f->label = calloc(batch, sizeof *f->label);
    f->other = calloc(batch, sizeof *f->other);
    f->share = calloc(batch, sizeof *f->share);
    f->zeroth = malloc(f->at.width * sizeof *f->zeroth);
    f->square = calloc(fitter_chunks(f), sizeof *f->square);
    if (a->best == NULL || (f->c->ema > 0 && a->ema == NULL) || f->label == NULL ||
        f->other == NULL || f->share == NULL || f->zeroth == NULL || f->square == NULL)
        return mien_err_mem(e, n * sizeof(float), "training");
    if (a->ema != NULL)
        memcpy(a->ema, a->weights, n * sizeof(float));
    rc = optim_init(&f->optim, &f->c->optim, n, e);
    a->m = f->optim.m;
    a->v = f->optim.v;
    return rc;
}

/* Tells on_progress, before the first epoch. */
static void tell_stage(const struct fitter *f, const char *stage, size_t done, size_t total)
{
    if (f->c->on_progress != NULL)
        f->c->on_progress(f->c->ctx, &(struct fit_progress){.stage = stage,
                                                            .what = "records",
                                                            .done = done < total ? done : total,
                                                            .total = total});
}

static void on_frozen(void *ctx, size_t done, size_t total)
{
    tell_stage(ctx, "frozen layers", done, total);
}

static void on_teacher(void *ctx, size_t done, size_t total)
{
    tell_stage(ctx, "teacher", done, total);
}

static int make_inputs(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
                       struct mien_err *e)
{
    const struct fit_config *c = f->c;
    struct inputs_how how = {.views = 1,
                             .copies = 1,
                             .cache_mem = c->cache_mem,
                             .max_memory = c->max_memory,
                             .on_frozen = on_frozen,
                             .ctx = f,
                             .ranks = c->ranks,
                             .stop = c->stop};
    int rc = val != NULL ? inputs_make(&f->val_inputs, f->m, val, &f->at, &how, f->par, e) : 0;
    if (rc != 0)
        return rc;
    if (train != NULL && augment_any(&c->augment)) {
        if (train->kind == MIEN_PACK_FEATURES)
            return mien_err_set(e, MIEN_ERR_ARG,
                                "features can't be augmented: give pixels or images");
        how.augment = &c->augment;
        how.seed = hash_mix(c->seed);
        how.views = c->views < c->epochs ? c->views : c->epochs;
    }
    how.copies = pack_set_copies(c->set);
    if (train != NULL)
        rc = inputs_make(&f->train_inputs, f->m, train, &f->at, &how, f->par, e);
    if (rc != 0)
        return rc;
    for (size_t k = 0; rc == 0 && train != NULL && k < train->n; k++)
        rc = fitter_tell_bad(f, &f->train_inputs, k, e);
    for (size_t k = 0; rc == 0 && val != NULL && k < val->n; k++)
        rc = fitter_tell_bad(f, &f->val_inputs, k, e);
    return rc;
}

/* Adds the teachers' answers to the description. */
static int describe_teacher(struct fitter *f, struct mien_err *e)
{
    struct mien_buf b = {0};
    int rc = mien_buf_printf(&b, "%steacher=%016llx\n", f->about,
                             (unsigned long long)teacher_hash(&f->teacher));
    if (rc < 0 || mien_buf_append(&b, "", 1) < 0)
        return mien_err_mem(e, b.cap, "a description");
    free(f->about);
    f->about = (char *)b.data;
    return 0;
}

/* Whether each head learns from the teachers or from labels. */
static int check_taught(const struct fitter *f, const struct mien_pack *train, struct mien_err *e)
{
    const struct teacher *t = &f->teacher;
    bool gender, age;
    fit_pack_labels(train, &gender, &age);
    gender = gender || t->gender != NULL || f->heads.gender < 0;
    age = age || t->age != NULL || f->heads.age < 0;
    if (gender && age)
        return 0;
    return mien_err_set(e, MIEN_ERR_FORMAT,
                        "no record of the training set has %s, and no teacher tells it",
                        gender ? "an age" : "a gender");
}

/* Asks the teachers. Returns 0, 1 when stopped, or a negative code. */
static int ask_teacher(struct fitter *f, const struct mien_pack *train, struct mien_err *e)
{
    const struct fit_config *c = f->c;
    const struct teacher_watch watch = {on_teacher, c->stop, f};
    if (c->teacher == NULL || train == NULL)
        return 0;
    int rc = teacher_ask(&f->teacher, c->teacher, &f->heads, train, &watch, c->ranks, f->par, e);
    if (rc == 0)
        rc = check_taught(f, train, e);
    return rc != 0 ? rc : describe_teacher(f, e);
}

/* Whether all processes train the same, by the same options, and sum in the same order: the bytes
   must not depend on who has which images. */
static int agree(const struct fitter *f, struct mien_err *e)
{
    const struct fit_config *c = f->c;
    struct mien_buf b = {0};
    int rc = mien_buf_printf(&b, "mien=%s resume=%d checkpoint=%d every=%d sums=%s ", MIEN_VERSION,
                             c->resume, c->checkpoint != NULL, c->every, train_order(c->precision));
    rc |= mien_buf_append(&b, f->about, strlen(f->about) + 1);
    rc = rc < 0 ? mien_err_mem(e, b.cap, "a description")
                : agree_text(c->ranks, (const char *)b.data, e);
    mien_buf_free(&b);
    return rc;
}

/* The heads, which layers are trained and how fast, and where the frozen ones end. */
static int choose_layers(struct fitter *f, const struct mien_pack *train, struct mien_err *e)
{
    const struct net *net = &f->m->net;
    int rc = heads_find(&f->heads, f->m, e);
    if (rc < 0 || (rc = loss_check(&f->c->loss, &f->heads, e)) < 0 ||
        (train != NULL && (rc = count_ages(f, train, e)) < 0))
        return rc;
    f->train = calloc((size_t)net->n, sizeof *f->train);
    f->rate = calloc((size_t)net->n, sizeof *f->rate);
    f->at.layer = calloc((size_t)net->n, sizeof *f->at.layer);
    if (f->train == NULL || f->rate == NULL || f->at.layer == NULL)
        return mien_err_mem(e, (size_t)net->n, "training");
    choose_trained(f);
    rc = choose_rates(f, e);
    return rc < 0 ? rc : find_boundary(f, e);
}

/* Whether there is room for the layers' outputs and gradients, the weights, and their gradients,
   moments, average and best copy, and for what processes exchange: better now than when hours went
   into frozen layers. */
static int check_memory(const struct fitter *f, struct mien_err *e)
{
    struct train_memory p = {0};
    char need[NET_BYTES_TEXT], most[NET_BYTES_TEXT];
    int rc = train_memory_make(&p, &f->m->net, f->train, f->at.layer, f->at.n, f->ends, f->nends,
                               f->c->batch, par_size(f->par), f->c->precision == TRAIN_BF16);
    size_t bytes = 0;
    if (rc == 0)
        bytes = p.bytes + (f->c->ema > 0 ? 5 : 4) * p.weights * sizeof(float) +
                exchange_bytes(&p, f->c->ranks);
    train_memory_free(&p);
    if (rc < 0)
        return mien_err_mem(e, (size_t)f->m->net.n * sizeof *p.use, "layers");
    if (bytes <= f->c->max_memory)
        return 0;
    return mien_err_set(e, MIEN_ERR_LIMIT,
                        "training in batches of %d takes %s of memory, more than the limit of %s",
                        f->c->batch, net_bytes((double)bytes, need),
                        net_bytes((double)f->c->max_memory, most));
}

int fitter_set_up(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
                  struct mien_err *e)
{
    int rc = choose_layers(f, train, e);
    if (rc < 0)
        return rc;
    if (train != NULL)
        rc = fit_pack_check(train, "training", f->m, &f->at, e);
    if (rc == 0 && train != NULL && f->c->teacher == NULL)
        rc = fit_pack_check_labels(train, "training", &f->heads, e);
    if (rc == 0 && val != NULL)
        rc = fit_pack_check(val, "validation", f->m, &f->at, e);
    if (rc == 0 && val != NULL)
        rc = fit_pack_check_labels(val, "validation", &f->heads, e);
    if (rc < 0)
        return rc;
    f->par = par_new(f->c->jobs, e);
    if (f->par == NULL)
        return MIEN_ERR_SYS;
    if (f->heads.gender >= 0)
        f->ends[f->nends++] = f->heads.gender_logits;
    if (f->heads.age >= 0)
        f->ends[f->nends++] = f->heads.age_logits;
    if ((rc = check_memory(f, e)) < 0 || (rc = describe(f, train, val, e)) < 0 ||
        (rc = agree(f, e)) < 0 || (rc = make_inputs(f, train, val, e)) != 0 ||
        (rc = ask_teacher(f, train, e)) != 0 || (rc = make_state(f, e)) < 0)
        return rc;
    f->t = trainer_new(&f->m->net, f->m->weights, f->train, f->at.layer, f->at.n, f->ends, f->nends,
                       f->c->batch, f->c->precision, f->par, f->c->ranks, e);
    return f->t == NULL ? MIEN_ERR_MEM : 0;
}

void fitter_free(struct fitter *f)
{
    trainer_free(f->t);
    inputs_free(&f->train_inputs);
    inputs_free(&f->val_inputs);
    optim_free(&f->optim);
    teacher_free(&f->teacher);
    sampler_free(&f->balance);
    sampler_free(&f->weights);
    par_free(f->par);
    free(f->train);
    free(f->rate);
    free(f->at.layer);
    free(f->order);
    free(f->copy);
    free(f->label);
    free(f->other);
    free(f->share);
    free(f->zeroth);
    free(f->square);
    free(f->arrays.best);
    free(f->arrays.ema);
    free(f->about);
}
