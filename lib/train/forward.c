/* A trainer's forward pass. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "grad.h"
#include "pass.h"
#include "util/hash.h"

/* --- Batch normalisation -------------------------------------------------------------------- */

static void bn_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    (void)worker;
    pass_part(t, k, &first, &n);
    struct images v = pass_images(t, t->cur, first, n);
    bn_sums(v.x, v.rows, v.l->shape.c, t->state[t->cur].stat, t->part + k * t->part_len);
}

/* Makes the running statistics those of this pass. */
static void running_statistics(const struct layer *l, const real *mean, const real *var, real *stat)
{
    int c = l->shape.c;
    memcpy(stat, mean, (size_t)c * sizeof *stat);
    for (int i = 0; i < c; i++)
        stat[c + i] = 1 / (real)sqrt((double)var[i] + (double)l->rate);
}

/* Makes those of the batch these, and moves the running ones towards them. stat has the running
   ones. */
static void batch_statistics(struct trainer *t, const struct layer *l, real *mean, real *var,
                             real *stat)
{
    int c = l->shape.c;
    /* Sums of differences from the running mean lose less to rounding than plain ones. */
    const real *sum = pass_sum_parts(t, bn_sums_part, 2 * (size_t)c);
    double rows = (double)l->shape.h * l->shape.w * t->n;
    for (int i = 0; i < c; i++) {
        double d = sum[i] / rows, v = sum[c + i] / rows - d * d;
        if (v < 0)
            v = 0;
        stat[i] = (real)(mean[i] + d);
        stat[c + i] = (real)(1 / sqrt(v + (double)l->rate));
        double unbiased = rows > 1 ? v * rows / (rows - 1) : v;
        mean[i] = (real)(0.9 * mean[i] + 0.1 * stat[i]);
        var[i] = (real)(0.9 * var[i] + 0.1 * unbiased);
    }
}

/* The statistics for this pass, and the scale and shift that follow. */
static void bn_statistics(struct trainer *t, bool of_batch)
{
    const struct layer *l = &t->net->layer[t->cur];
    int c = l->shape.c;
    const real *gamma = pass_param(t, l, 0), *beta = pass_param(t, l, 1);
    real *mean = pass_param(t, l, 2), *var = pass_param(t, l, 3), *stat = t->state[t->cur].stat;
    running_statistics(l, mean, var, stat);
    if (of_batch)
        batch_statistics(t, l, mean, var, stat);
    for (int i = 0; i < c; i++) {
        stat[2 * c + i] = gamma[i] * stat[c + i];
        stat[3 * c + i] = beta[i] - stat[i] * stat[2 * c + i];
    }
}

/* Some rows at once, which the activation finds in the cache. */
static void forward_bn(const struct images *v, const real *stat, enum act act)
{
    const struct tail tail = {NULL, act, NULL};
    size_t c = (size_t)v->l->shape.c, most = c < 4096 ? 4096 / c : 1, n;
    const real *x = v->x;
    real *y = v->y;
    for (size_t rows = v->rows; rows > 0; rows -= n, x += n * c, y += n * c) {
        n = rows < most ? rows : most;
        k_scale(y, x, n, (int)c, stat + 2 * c, stat + 3 * c);
        k_tail(y, n, (int)c, &tail);
    }
}

/* --- Layers --------------------------------------------------------------------------------- */

/* Packs the weights of layer i for its fast convolution. In double, where pointers are of another
   type, no layer has one: hence void here and below. */
static void pack_fast_conv(void *ctx, int worker, size_t i)
{
    const struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[i];
    struct fast_conv *f = &t->state[i].fast;
    const void *w = pass_param(t, l, 0), *bias = pass_param(t, l, 1);
    (void)worker;
    if (f->simd != NULL && (t->memory.use[i].train || !t->fresh))
        fast_conv_weights(f, w, bias);
}

/* Whether a fast convolution made the images. */
static bool forward_fast(const struct trainer *t, int i, const struct images *v, int worker)
{
    const struct fast_conv *f = &t->state[i].fast;
    const void *w = pass_param(t, v->l, 0), *bias = pass_param(t, v->l, 1), *x = v->x;
    void *y = v->y;
    if (f->simd == NULL)
        return false;
    fast_conv_forward(f, w, bias, x, y, v->n, t->scratch[worker]);
    return true;
}

static void forward_act(const struct trainer *t, const struct images *v)
{
    const struct tail tail = {NULL, k_act(v->l->type), pass_param(t, v->l, 0)};
    if (v->y != v->x)
        memcpy(v->y, v->x, v->n * v->count * sizeof *v->y);
    k_tail(v->y, v->rows, v->l->shape.c, &tail);
}

/* What it drops depends on the seed, the layer and the image alone. */
static void forward_dropout(const struct trainer *t, int i, const struct images *v)
{
    const real *x = v->x;
    real *y = v->y, scale = (real)1 / (1 - (real)v->l->rate);
    if (!t->training) {
        memcpy(y, x, v->n * v->count * sizeof *y);
        return;
    }
    for (size_t image = v->first; image < v->first + v->n; image++, x += v->count, y += v->count) {
        struct rng r = {hash_mix(t->seed ^ hash_mix((uint64_t)i << 32 | image))};
        unsigned char *keep = t->state[i].keep + image * v->count;
        for (size_t k = 0; k < v->count; k++) {
            keep[k] = rng_uniform(&r) >= (double)v->l->rate;
            y[k] = keep[k] ? x[k] * scale : 0;
        }
    }
}

static void forward_add(const struct trainer *t, const struct images *v)
{
    memcpy(v->y, v->x, v->n * v->count * sizeof *v->y);
    for (int k = 1; k < v->l->nin; k++)
        k_add(v->y, t->state[v->l->in[k]].act + v->first * v->count, v->n * v->count);
}

static void forward_concat(const struct trainer *t, const struct images *v)
{
    const struct layer *l = v->l;
    for (int k = 0, at = 0; k < l->nin; k++) {
        struct shape s = t->net->layer[l->in[k]].shape;
        const real *x = t->state[l->in[k]].act + v->first * shape_count(s);
        k_place(x, s.c, v->y, at, l->shape.c, v->rows);
        at += s.c;
    }
}

/* Layer i's outputs y (n, h, w, c) of images [first, first + n), from x (n, in.h, in.w, in.c). */
static void forward_images(struct trainer *t, int i, size_t first, size_t n, int worker)
{
    const struct images v = pass_images(t, i, first, n);
    const struct layer *l = v.l;
    const struct layer_state *d = &t->state[i];
    const real *x = v.x, *w = pass_param(t, l, 0), *bias = pass_param(t, l, 1);
    const struct tail tail = {bias, train_tail(&t->memory, i), NULL};
    real *y = v.y;
    if (forward_fast(t, i, &v, worker))
        return;
    switch (l->type) {
    case L_CONV:
        assert(k_conv_scratch(l, v.in) <= t->memory.patch);
        k_conv(l, v.in, w, &tail, x, y, n, t->scratch[worker]);
        break;
    case L_DWCONV:
        k_dwconv(l, v.in, w, &tail, x, y, n, t->zeros);
        break;
    case L_DENSE:
        k_dense(l, v.icount, w, &tail, x, y, n);
        break;
    case L_CORAL:
        k_coral(v.icount, l->units, w, bias, x, y, n);
        break;
    case L_BN:
        forward_bn(&v, d->stat, tail.act);
        break;
    case L_RELU:
    case L_RELU6:
    case L_PRELU:
        forward_act(t, &v);
        break;
    case L_SIGMOID:
        k_sigmoid(x, y, n * v.count);
        break;
    case L_SOFTMAX:
        k_softmax(x, y, v.count, n);
        break;
    case L_L2NORM:
        k_l2norm(x, y, v.count, n);
        break;
    case L_MAXPOOL:
        k_maxpool(l, v.in, x, y, d->which + first * v.count, n);
        break;
    case L_AVGPOOL:
        k_avgpool(l, v.in, x, y, n);
        break;
    case L_GAP:
        k_gap(v.in, x, y, n);
        break;
    case L_DROPOUT:
        forward_dropout(t, i, &v);
        break;
    case L_ADD:
        forward_add(t, &v);
        break;
    case L_CONCAT:
        forward_concat(t, &v);
        break;
    case L_PAD:
        k_pad(l, v.in, x, y, n);
        break;
    case L_FLATTEN:
        memcpy(y, x, n * v.count * sizeof *y);
        break;
    case L_INPUT:
        break;
    }
}

/* --- The pass ------------------------------------------------------------------------------- */

static void forward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    forward_images(t, t->cur, first, n, worker);
}

/* Whether the layer before has already stored what layer i makes of it. */
static bool is_done(const struct trainer *t, int i)
{
    int below = t->memory.use[i].below;
    return below >= 0 && train_tail(&t->memory, below) != ACT_NONE;
}

/* A part of the current fused run, image by image. */
static void forward_fused_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    size_t first, n;
    pass_part(t, k, &first, &n);
    for (size_t image = first; image < first + n; image++) {
        for (int i = run->first; i <= run->last; i++) {
            if (!is_done(t, i))
                forward_images(t, i, image, 1, worker);
        }
    }
}

void trainer_forward(struct trainer *t, int n, bool training, uint64_t seed)
{
    assert(n >= 1 && n <= t->memory.batch);
    t->n = n;
    t->training = training;
    t->seed = seed;
    par_for(t->par, (size_t)t->net->n, pack_fast_conv, t);
    t->fresh = true;
    for (t->cur = 0; t->cur < t->net->n; t->cur++) {
        const struct layer_use *d = &t->memory.use[t->cur];
        if (d->run >= 0) {
            pass_over_parts(t, forward_fused_part);
            t->cur = t->memory.run[d->run].last;
            continue;
        }
        if (d->role != COMPUTED || is_done(t, t->cur))
            continue;
        if (t->net->layer[t->cur].type == L_BN)
            bn_statistics(t, training && d->train);
        pass_over_parts(t, forward_part);
    }
}
