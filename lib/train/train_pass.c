/* A trainer's passes, forward and backward. */
#include <math.h>
#include <string.h>

#include "grad.h"
#include "util/hash.h"
#include "trainer_state.h"

/* --- Parts ---------------------------------------------------------------------------------- */

/* The images of part k. */
static void part_range(const struct trainer *t, size_t k, size_t *first, size_t *n)
{
    *first = (size_t)t->n * k / t->npart;
    *n = (size_t)t->n * (k + 1) / t->npart - *first;
}

static real *param_of(const struct trainer *t, const struct layer *l, int k)
{
    return k < l->nparam ? t->w + l->param[k].at : NULL;
}

/* Divides the batch for the current layer, or for its fused run. */
static void divide(struct trainer *t)
{
    bool fused = t->memory.use[t->cur].run >= 0;
    t->npart = fused ? fused_run_parts(t->n) : train_parts(&t->net->layer[t->cur], t->n);
}

/* Runs fn over the parts of the current layer, or of its fused run. */
static void over_parts(struct trainer *t, void (*fn)(void *, int, size_t))
{
    divide(t);
    par_for(t->par, t->npart, fn, t);
}

/* The same, where each part adds to its own t->part_len elements of t->part; then sums them, in
   order, into the first part's. */
static real *sum_parts(struct trainer *t, void (*fn)(void *, int, size_t), size_t len)
{
    divide(t);
    t->part_len = len;
    memset(t->part, 0, t->npart * len * sizeof *t->part);
    par_for(t->par, t->npart, fn, t);
    for (size_t k = 1; k < t->npart; k++)
        k_add(t->part, t->part + k * len, len);
    return t->part;
}

/* --- Forward -------------------------------------------------------------------------------- */

static void forward_dropout(const struct trainer *t, int i, const real *x, real *y, size_t first,
                            size_t n)
{
    const struct layer *l = &t->net->layer[i];
    size_t count = shape_count(l->shape);
    if (!t->training) {
        memcpy(y, x, n * count * sizeof *y);
        return;
    }
    real scale = (real)1 / (1 - (real)l->rate);
    for (size_t image = first; image < first + n; image++, x += count, y += count) {
        struct rng r = {hash_mix(t->seed ^ hash_mix((uint64_t)i << 32 | image))};
        unsigned char *keep = t->state[i].keep + image * count;
        for (size_t k = 0; k < count; k++) {
            keep[k] = rng_uniform(&r) >= (double)l->rate;
            y[k] = keep[k] ? x[k] * scale : 0;
        }
    }
}

/* Some rows at once, which the activation finds in the cache. */
static void forward_bn(const struct layer *l, const struct layer_state *d, const struct tail *act,
                       const real *x, real *y, size_t rows)
{
    size_t c = (size_t)l->shape.c, most = c < 4096 ? 4096 / c : 1, n;
    for (; rows > 0; rows -= n, x += n * c, y += n * c) {
        n = rows < most ? rows : most;
        k_scale(y, x, n, l->shape.c, d->stat + 2 * c, d->stat + 3 * c);
        k_tail(y, n, l->shape.c, act);
    }
}

/* Fast convolutions exist in float alone; these say whether they did layer i's images. */
#ifdef MIEN_DOUBLE
static void fast_conv_layer(void *ctx, int worker, size_t i)
{
    (void)ctx, (void)worker, (void)i;
}

static bool fast_conv_y(const struct trainer *t, int i, const real *x, real *y, size_t n,
                        int worker)
{
    (void)t, (void)i, (void)x, (void)y, (void)n, (void)worker;
    return false;
}

static bool fast_conv_dx(const struct trainer *t, int i, const real *dy, real *dx, size_t n,
                         int worker)
{
    (void)t, (void)i, (void)dy, (void)dx, (void)n, (void)worker;
    return false;
}

static bool fast_conv_dw(const struct trainer *t, int i, const real *x, const real *dy, real *dw,
                         size_t n)
{
    (void)t, (void)i, (void)x, (void)dy, (void)dw, (void)n;
    return false;
}
#else
/* Packs the weights of layer i. */
static void fast_conv_layer(void *ctx, int worker, size_t i)
{
    const struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[i];
    struct fast_conv *f = &t->state[i].fast;
    (void)worker;
    if (f->simd != NULL && (t->memory.use[i].train || !t->fresh))
        fast_conv_weights(f, param_of(t, l, 0), param_of(t, l, 1));
}

static bool fast_conv_y(const struct trainer *t, int i, const real *x, real *y, size_t n,
                        int worker)
{
    const struct layer *l = &t->net->layer[i];
    const struct fast_conv *f = &t->state[i].fast;
    if (f->simd == NULL)
        return false;
    fast_conv_forward(f, param_of(t, l, 0), param_of(t, l, 1), x, y, n, t->scratch[worker]);
    return true;
}

static bool fast_conv_dx(const struct trainer *t, int i, const real *dy, real *dx, size_t n,
                         int worker)
{
    const struct fast_conv *f = &t->state[i].fast;
    if (f->simd == NULL || !f->has_back)
        return false;
    fast_conv_back(f, dy, dx, n, t->scratch[worker]);
    return true;
}

static bool fast_conv_dw(const struct trainer *t, int i, const real *x, const real *dy, real *dw,
                         size_t n)
{
    const struct fast_conv *f = &t->state[i].fast;
    if (f->simd == NULL || f->l.kh != 3 || f->l.kw != 3)
        return false;
    fast_conv_dw3_weights(f, x, dy, dw, n);
    return true;
}
#endif

/* Layer i's outputs of images [first, first + n). */
static void forward_images(struct trainer *t, int i, size_t first, size_t n, int worker)
{
    const struct layer *l = &t->net->layer[i];
    struct layer_state *d = &t->state[i];
    size_t count = shape_count(l->shape);
    struct shape in = t->net->layer[l->in[0]].shape;
    const real *x = t->state[l->in[0]].act + first * shape_count(in);
    real *y = d->act + first * count;
    size_t rows = count / (size_t)l->shape.c * n;
    struct tail bias = {param_of(t, l, 1), train_tail(&t->memory, i), NULL},
                act = {NULL, ACT_NONE, NULL};
    int at = 0;
    if (fast_conv_y(t, i, x, y, n, worker))
        return;
    switch (l->type) {
    case L_CONV:
        k_conv(l, in, param_of(t, l, 0), &bias, x, y, n, t->scratch[worker]);
        break;
    case L_DWCONV:
        k_dwconv(l, in, param_of(t, l, 0), &bias, x, y, n, t->zeros);
        break;
    case L_DENSE:
        k_dense(l, shape_count(in), param_of(t, l, 0), &bias, x, y, n);
        break;
    case L_CORAL:
        k_coral(shape_count(in), l->units, param_of(t, l, 0), param_of(t, l, 1), x, y, n);
        break;
    case L_BN:
        act.act = train_tail(&t->memory, i);
        forward_bn(l, d, &act, x, y, rows);
        break;
    case L_RELU:
    case L_RELU6:
    case L_PRELU:
        act.act = k_act(l->type);
        act.slope = param_of(t, l, 0);
        if (y != x)
            memcpy(y, x, n * count * sizeof *y);
        k_tail(y, rows, l->shape.c, &act);
        break;
    case L_SIGMOID:
        k_sigmoid(x, y, n * count);
        break;
    case L_SOFTMAX:
        k_softmax(x, y, count, n);
        break;
    case L_L2NORM:
        k_l2norm(x, y, count, n);
        break;
    case L_MAXPOOL:
        k_maxpool(l, in, x, y, d->which + first * count, n);
        break;
    case L_AVGPOOL:
        k_avgpool(l, in, x, y, n);
        break;
    case L_GAP:
        k_gap(in, x, y, n);
        break;
    case L_DROPOUT:
        forward_dropout(t, i, x, y, first, n);
        break;
    case L_ADD:
        memcpy(y, x, n * count * sizeof *y);
        for (int k = 1; k < l->nin; k++)
            k_add(y, t->state[l->in[k]].act + first * count, n * count);
        break;
    case L_CONCAT:
        for (int k = 0; k < l->nin; k++) {
            struct shape s = t->net->layer[l->in[k]].shape;
            k_place(t->state[l->in[k]].act + first * shape_count(s), s.c, y, at, l->shape.c, rows);
            at += s.c;
        }
        break;
    case L_PAD:
        k_pad(l, in, x, y, n);
        break;
    case L_FLATTEN:
        memcpy(y, x, n * count * sizeof *y);
        break;
    case L_INPUT:
        break;
    }
}

static void forward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    part_range(t, k, &first, &n);
    forward_images(t, t->cur, first, n, worker);
}

/* Whether the layer before has already stored what layer i makes of it. */
static bool is_done(const struct trainer *t, int i)
{
    return t->memory.use[i].below >= 0 &&
           train_tail(&t->memory, t->memory.use[i].below) != ACT_NONE;
}

/* The outputs of the current fused run's layers, image by image. */
static void forward_fused_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    size_t first, n;
    part_range(t, k, &first, &n);
    for (size_t image = first; image < first + n; image++) {
        for (int i = run->first; i <= run->last; i++) {
            if (!is_done(t, i))
                forward_images(t, i, image, 1, worker);
        }
    }
}

static void bn_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    size_t first, n, count = shape_count(l->shape);
    (void)worker;
    part_range(t, k, &first, &n);
    bn_sums(t->state[l->in[0]].act + first * count, count / (size_t)l->shape.c * n, l->shape.c,
            t->state[t->cur].stat, t->part + k * t->part_len);
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
    const real *sum = sum_parts(t, bn_sums_part, 2 * (size_t)c);
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
    const real *gamma = param_of(t, l, 0), *beta = param_of(t, l, 1);
    real *mean = param_of(t, l, 2), *var = param_of(t, l, 3), *stat = t->state[t->cur].stat;
    running_statistics(l, mean, var, stat);
    if (of_batch)
        batch_statistics(t, l, mean, var, stat);
    for (int i = 0; i < c; i++) {
        stat[2 * c + i] = gamma[i] * stat[c + i];
        stat[3 * c + i] = beta[i] - stat[i] * stat[2 * c + i];
    }
}

void trainer_forward(struct trainer *t, int n, bool training, uint64_t seed)
{
    t->n = n;
    t->training = training;
    t->seed = seed;
    par_for(t->par, (size_t)t->net->n, fast_conv_layer, t);
    t->fresh = true;
    for (t->cur = 0; t->cur < t->net->n; t->cur++) {
        const struct layer_use *d = &t->memory.use[t->cur];
        if (d->run >= 0) {
            over_parts(t, forward_fused_part);
            t->cur = t->memory.run[d->run].last;
            continue;
        }
        if (d->role != COMPUTED || is_done(t, t->cur))
            continue;
        if (t->net->layer[t->cur].type == L_BN)
            bn_statistics(t, training && d->train);
        over_parts(t, forward_part);
    }
}

/* --- Backward ------------------------------------------------------------------------------- */

static void backward_dropout(const struct layer *l, const unsigned char *keep, const real *dy,
                             real *dx, size_t n)
{
    real scale = (real)1 / (1 - (real)l->rate);
    for (size_t i = 0; i < n; i++)
        dx[i] = keep[i] ? dy[i] * scale : 0;
}

/* From the gradients dy of layer i's outputs of images [first, first + n), dx, unless that is NULL,
   and what they add to its parameters' gradients dw, unless that is. */
static void backward_images(struct trainer *t, int i, size_t first, size_t n, int worker,
                            const real *dy, real *dx, real *dw)
{
    const struct layer *l = &t->net->layer[i];
    struct layer_state *d = &t->state[i];
    size_t count = shape_count(l->shape);
    struct shape in = t->net->layer[l->in[0]].shape;
    size_t icount = shape_count(in), rows = count / (size_t)l->shape.c * n;
    const real *x = t->state[l->in[0]].act + first * icount;
    const real *y = d->act + first * count, *w = param_of(t, l, 0);
    real *db = dw != NULL && l->nparam > 1 ? dw + (l->param[1].at - l->param[0].at) : NULL;
    if (dx != NULL && fast_conv_dx(t, i, dy, dx, n, worker))
        dx = NULL;
    switch (l->type) {
    case L_CONV:
        g_conv(l, in, w, x, dy, dx, dw, db, n, t->scratch[worker]);
        break;
    case L_DWCONV:
        if (dw != NULL && fast_conv_dw(t, i, x, dy, dw, n))
            dw = NULL;
        g_dwconv(l, in, w, x, dy, dx, dw, db, n);
        break;
    case L_DENSE:
        g_dense(l, icount, w, x, dy, dx, dw, db, n);
        break;
    case L_CORAL:
        g_coral(icount, l->units, w, x, dy, dx, dw, db, n);
        break;
    case L_PRELU:
        g_prelu(w, x, dy, dx, dw, rows, l->shape.c);
        break;
    case L_BN:
        bn_grad(x, dy, dx, rows, l->shape.c, w, d->stat, d->stat + l->shape.c,
                d->stat + 2 * l->shape.c,
                t->training && t->memory.use[i].train ? rows / n * (size_t)t->n : 0);
        break;
    case L_RELU:
    case L_RELU6:
        if (dx != dy)
            memcpy(dx, dy, n * count * sizeof *dx);
        if (l->type == L_RELU)
            g_relu(y, dx, n * count);
        else
            g_relu6(y, dx, n * count);
        break;
    case L_SIGMOID:
        g_sigmoid(y, dy, dx, n * count);
        break;
    case L_SOFTMAX:
        g_softmax(y, dy, dx, count, n);
        break;
    case L_L2NORM:
        g_l2norm(x, y, dy, dx, count, n);
        break;
    case L_MAXPOOL:
        g_maxpool(l, in, d->which + first * count, dy, dx, n);
        break;
    case L_AVGPOOL:
        g_avgpool(l, in, dy, dx, n);
        break;
    case L_GAP:
        g_gap(in, dy, dx, n);
        break;
    case L_DROPOUT:
        if (t->training)
            backward_dropout(l, d->keep + first * count, dy, dx, n * count);
        else
            memcpy(dx, dy, n * count * sizeof *dx);
        break;
    case L_PAD:
        g_pad(l, in, dy, dx, n);
        break;
    case L_FLATTEN:
        memcpy(dx, dy, n * count * sizeof *dx);
        break;
    case L_INPUT:
    case L_ADD:
    case L_CONCAT:
        break;
    }
}

/* The gradient of layer i's output, from image `first`. */
static real *gradient_of(const struct trainer *t, int i, size_t first, int worker)
{
    const struct train_memory *p = &t->memory;
    if (p->use[i].inner)
        return t->state[i].dact + (size_t)worker * p->slot[p->use[p->use[i].holder].slot].count;
    return t->state[i].dact + first * shape_count(t->net->layer[i].shape);
}

/* One part of the current layer, whose first input's gradient goes to t->dx. */
static void backward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    part_range(t, k, &first, &n);
    size_t icount = shape_count(t->net->layer[t->net->layer[t->cur].in[0]].shape);
    backward_images(t, t->cur, first, n, worker, gradient_of(t, t->cur, first, worker),
                    t->dx != NULL ? t->dx + first * icount : NULL,
                    t->part_len > 0 ? t->part + k * t->part_len : NULL);
}

/* One part of the current fused run, image by image. */
static void backward_fused_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    real *sums = t->part + k * t->part_len;
    size_t first, n;
    part_range(t, k, &first, &n);
    for (size_t image = first; image < first + n; image++) {
        for (int i = run->last; i >= run->first && t->memory.use[i].flow; i--) {
            const struct layer *l = &t->net->layer[i];
            size_t icount = shape_count(t->net->layer[l->in[0]].shape);
            real *dx = i == run->first             ? (t->dx != NULL ? t->dx + image * icount : NULL)
                       : t->memory.use[i - 1].flow ? gradient_of(t, i - 1, image, worker)
                                                   : NULL;
            bool train = t->memory.use[i].train;
            if (train || dx != NULL)
                backward_images(t, i, image, 1, worker, gradient_of(t, i, image, worker), dx,
                                train ? sums + (l->param[0].at - run->at) : NULL);
        }
    }
}

static void bn_grad_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    const struct layer_state *d = &t->state[t->cur];
    size_t first, n, count = shape_count(l->shape);
    (void)worker;
    part_range(t, k, &first, &n);
    bn_grad_sums(t->state[l->in[0]].act + first * count, d->dact + first * count,
                 count / (size_t)l->shape.c * n, l->shape.c, d->stat, d->stat + l->shape.c,
                 t->part + k * t->part_len);
}

/* Hands a finished gradient of input layer `in` over: the first one is already in place, further
   ones are added. */
static void deliver(struct trainer *t, int in, const real *dx)
{
    struct layer_state *d = &t->state[in];
    size_t n = (size_t)t->n * shape_count(t->net->layer[in].shape);
    if (dx != d->dact && d->ready)
        k_add(d->dact, dx, n);
    else if (dx != d->dact)
        memcpy(d->dact, dx, n * sizeof *dx);
    d->ready = true;
}

/* Where the gradient of input layer `in` should be computed. */
static real *destination(struct trainer *t, int in)
{
    const struct layer_state *d = &t->state[in];
    return !t->memory.use[in].flow ? NULL : d->ready ? t->extra : d->dact;
}

enum { ROW_BLOCK = 64 };

static void weight_rows(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    size_t rows = shape_count(l->shape) / (size_t)l->shape.c * (size_t)t->n;
    int inputs = (int)(l->param[0].count / (size_t)l->units), from = (int)k * ROW_BLOCK;
    (void)worker;
    g_weight_rows(t->state[l->in[0]].act, inputs, t->state[t->cur].dact, l->units, rows, from,
                  inputs - from < ROW_BLOCK ? inputs - from : ROW_BLOCK, t->grad + l->param[0].at);
}

/* The gradients of the current layer's parameters, and its input's on the way. */
static void backward_params(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    const struct layer_state *d = &t->state[t->cur];
    bool train = t->memory.use[t->cur].train;
    t->part_len = 0;
    if (train && train_by_rows(l)) {
        size_t rows = shape_count(l->shape) / (size_t)l->shape.c * (size_t)t->n;
        size_t inputs = l->param[0].count / (size_t)l->units;
        par_for(t->par, (inputs + ROW_BLOCK - 1) / ROW_BLOCK, weight_rows, t);
        if (l->nparam > 1)
            g_bias(d->dact, rows, l->units, t->grad + l->param[1].at);
    } else if (train) {
        size_t len = train_params_span(l);
        const real *sum = sum_parts(t, backward_part, len);
        memcpy(t->grad + l->param[0].at, sum, len * sizeof *sum);
        return;
    }
    if (t->dx != NULL)
        over_parts(t, backward_part);
}

static void backward_fused_run(struct trainer *t)
{
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    int in = t->net->layer[run->first].in[0];
    t->dx = destination(t, in);
    const real *sum = sum_parts(t, backward_fused_part, run->span);
    memcpy(t->grad + run->at, sum, run->span * sizeof *sum);
    if (t->dx != NULL)
        deliver(t, in, t->dx);
    t->cur = run->first;
}

static void backward_layer(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    struct layer_state *d = &t->state[t->cur];
    size_t rows = shape_count(l->shape) / (size_t)l->shape.c * (size_t)t->n;
    if (l->type == L_ADD || l->type == L_CONCAT) {
        for (int i = 0, at = 0; i < l->nin; i++) {
            struct shape s = t->net->layer[l->in[i]].shape;
            real *dx = destination(t, l->in[i]);
            if (dx != NULL && l->type == L_CONCAT)
                g_place(d->dact, l->shape.c, at, dx, s.c, rows);
            if (dx != NULL)
                deliver(t, l->in[i], l->type == L_ADD ? d->dact : dx);
            at += s.c;
        }
        return;
    }
    t->dx = destination(t, l->in[0]);
    if (l->type == L_BN) {
        size_t c = (size_t)l->shape.c;
        const real *sum = sum_parts(t, bn_grad_sums_part, 2 * c);
        memcpy(d->stat + 2 * c, sum, 2 * c * sizeof *sum);
        for (size_t i = 0; t->memory.use[t->cur].train && i < c; i++) {
            t->grad[l->param[0].at + i] = sum[c + i];
            t->grad[l->param[1].at + i] = sum[i];
        }
        if (t->dx != NULL)
            over_parts(t, backward_part);
    } else if (l->nparam > 0) {
        backward_params(t);
    } else if (t->dx != NULL) {
        over_parts(t, backward_part);
    }
    if (t->dx != NULL)
        deliver(t, l->in[0], t->dx);
}

void trainer_backward(struct trainer *t, int n)
{
    t->n = n;
    for (int i = 0; i < t->net->n; i++)
        t->state[i].ready = false;
    for (int k = 0; k < t->nends; k++)
        t->state[t->ends[k]].ready = true;
    for (t->cur = t->net->n - 1; t->cur >= 0; t->cur--) {
        if (!t->memory.use[t->cur].flow)
            continue;
        if (t->memory.use[t->cur].run >= 0)
            backward_fused_run(t);
        else
            backward_layer(t);
    }
}
