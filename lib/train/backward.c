/* A trainer's backward pass. */
#include <assert.h>
#include <string.h>

#include "grad.h"
#include "pass.h"

/* Rows of a dense layer's weights whose gradients are computed together. */
enum { ROW_BLOCK = 64 };

/* --- Layers --------------------------------------------------------------------------------- */

/* Whether a fast convolution made dx; and whether it added to dw. void: see forward.c. */
static bool fast_dx(const struct trainer *t, int i, const void *dy, void *dx, size_t n, int worker)
{
    const struct fast_conv *f = &t->state[i].fast;
    if (f->simd == NULL || !f->has_back)
        return false;
    fast_conv_back(f, dy, dx, n, t->scratch[worker]);
    return true;
}

static bool fast_dw(const struct trainer *t, int i, const void *x, const void *dy, void *dw,
                    size_t n)
{
    const struct fast_conv *f = &t->state[i].fast;
    if (f->simd == NULL || f->l.kh != 3 || f->l.kw != 3)
        return false;
    fast_conv_dw3_weights(f, x, dy, dw, n);
    return true;
}

static void backward_relu(const struct images *v, const real *dy, real *dx)
{
    size_t count = v->n * v->count;
    if (dx != dy)
        memcpy(dx, dy, count * sizeof *dx);
    if (v->l->type == L_RELU)
        g_relu(v->y, dx, count);
    else
        g_relu6(v->y, dx, count);
}

static void backward_bn(const struct trainer *t, int i, const struct images *v, const real *dy,
                        real *dx)
{
    int c = v->l->shape.c;
    const real *stat = t->state[i].stat;
    bool of_batch = t->training && t->memory.use[i].train;
    bn_grad(v->x, dy, dx, v->rows, c, pass_param(t, v->l, 0), stat, stat + c, stat + 2 * c,
            of_batch ? v->rows / v->n * (size_t)t->n : 0);
}

static void backward_dropout(const struct trainer *t, int i, const struct images *v, const real *dy,
                             real *dx)
{
    const unsigned char *keep = t->state[i].keep + v->first * v->count;
    real scale = (real)1 / (1 - (real)v->l->rate);
    if (!t->training) {
        memcpy(dx, dy, v->n * v->count * sizeof *dx);
        return;
    }
    for (size_t k = 0; k < v->n * v->count; k++)
        dx[k] = keep[k] ? dy[k] * scale : 0;
}

/* Images [first, first + n) of layer i: from the gradient dy (n, h, w, c) of its output that of its
   input, dx (n, in.h, in.w, in.c), unless that is NULL; and what they add to its parameters', dw
   (span), unless that is. */
static void backward_images(struct trainer *t, int i, size_t first, size_t n, int worker,
                            const real *dy, real *dx, real *dw)
{
    const struct images v = pass_images(t, i, first, n);
    const struct layer *l = v.l;
    const real *x = v.x, *y = v.y, *w = pass_param(t, l, 0);
    real *db = dw != NULL && l->nparam > 1 ? dw + (l->param[1].at - l->param[0].at) : NULL;
    if (dx != NULL && fast_dx(t, i, dy, dx, n, worker))
        dx = NULL;
    switch (l->type) {
    case L_CONV:
        assert(2 * k_conv_scratch(l, v.in) <= t->memory.patch);
        g_conv(l, v.in, w, x, dy, dx, dw, db, n, t->scratch[worker]);
        break;
    case L_DWCONV:
        if (dw != NULL && fast_dw(t, i, x, dy, dw, n))
            dw = NULL;
        g_dwconv(l, v.in, w, x, dy, dx, dw, db, n);
        break;
    case L_DENSE:
        g_dense(l, v.icount, w, x, dy, dx, dw, db, n);
        break;
    case L_CORAL:
        g_coral(v.icount, l->units, w, x, dy, dx, dw, db, n);
        break;
    case L_PRELU:
        g_prelu(w, x, dy, dx, dw, v.rows, l->shape.c);
        break;
    case L_BN:
        backward_bn(t, i, &v, dy, dx);
        break;
    case L_RELU:
    case L_RELU6:
        backward_relu(&v, dy, dx);
        break;
    case L_SIGMOID:
        g_sigmoid(y, dy, dx, n * v.count);
        break;
    case L_SOFTMAX:
        g_softmax(y, dy, dx, v.count, n);
        break;
    case L_L2NORM:
        g_l2norm(x, y, dy, dx, v.count, n);
        break;
    case L_MAXPOOL:
        g_maxpool(l, v.in, t->state[i].which + first * v.count, dy, dx, n);
        break;
    case L_AVGPOOL:
        g_avgpool(l, v.in, dy, dx, n);
        break;
    case L_GAP:
        g_gap(v.in, dy, dx, n);
        break;
    case L_DROPOUT:
        backward_dropout(t, i, &v, dy, dx);
        break;
    case L_PAD:
        g_pad(l, v.in, dy, dx, n);
        break;
    case L_FLATTEN:
        memcpy(dx, dy, n * v.count * sizeof *dx);
        break;
    case L_INPUT:
    case L_ADD:
    case L_CONCAT:
        break;
    }
}

/* --- Gradients of outputs ------------------------------------------------------------------- */

/* That of layer i's output, (.., h, w, c) from image `first` on; within a fused run, this worker's
   (1, h, w, c). */
static real *gradient_of(const struct trainer *t, int i, size_t first, int worker)
{
    const struct train_memory *p = &t->memory;
    if (p->use[i].inner)
        return t->state[i].dact + (size_t)worker * p->slot[p->use[p->use[i].holder].slot].count;
    return t->state[i].dact + first * shape_count(t->net->layer[i].shape);
}

/* Where the gradient (n, h, w, c) of input layer `in` is to be computed; NULL: it isn't wanted. */
static real *destination(struct trainer *t, int in)
{
    const struct layer_state *d = &t->state[in];
    if (!t->memory.use[in].flow)
        return NULL;
    assert(!d->ready || shape_count(t->net->layer[in].shape) <= t->memory.extra);
    return d->ready ? t->extra : d->dact;
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

/* --- One layer ------------------------------------------------------------------------------ */

/* One part of the current layer, whose first input's gradient goes to t->dx, and those of its
   parameters, with t->part_len > 0, to t->part. */
static void backward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    size_t icount = shape_count(t->net->layer[t->net->layer[t->cur].in[0]].shape);
    backward_images(t, t->cur, first, n, worker, gradient_of(t, t->cur, first, worker),
                    t->dx != NULL ? t->dx + first * icount : NULL,
                    t->part_len > 0 ? t->part + k * t->part_len : NULL);
}

/* The input's gradient alone. */
static void backward_input(struct trainer *t)
{
    t->part_len = 0;
    if (t->dx != NULL)
        pass_over_parts(t, backward_part);
}

static void weight_rows(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct images v = pass_images(t, t->cur, 0, (size_t)t->n);
    const struct param *weight = &v.l->param[0];
    int inputs = (int)(weight->count / (size_t)v.l->units), from = (int)k * ROW_BLOCK;
    (void)worker;
    g_weight_rows(v.x, inputs, t->state[t->cur].dact, v.l->units, v.rows, from,
                  inputs - from < ROW_BLOCK ? inputs - from : ROW_BLOCK, t->grad + weight->at);
}

/* A layer of so many weights that these are cut, not the batch: a task is ROW_BLOCK rows of dw
   (inputs, units) = x^T (inputs, pixels) dy (pixels, units), over all images. */
static void backward_rows(struct trainer *t)
{
    const struct images v = pass_images(t, t->cur, 0, (size_t)t->n);
    size_t inputs = v.l->param[0].count / (size_t)v.l->units;
    par_for(t->par, (inputs + ROW_BLOCK - 1) / ROW_BLOCK, weight_rows, t);
    if (v.l->nparam > 1)
        g_bias(t->state[t->cur].dact, v.rows, v.l->units, t->grad + v.l->param[1].at);
    backward_input(t);
}

static void bn_grad_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    (void)worker;
    pass_part(t, k, &first, &n);
    const struct images v = pass_images(t, t->cur, first, n);
    const struct layer_state *d = &t->state[t->cur];
    int c = v.l->shape.c;
    bn_grad_sums(v.x, d->dact + first * v.count, v.rows, c, d->stat, d->stat + c,
                 t->part + k * t->part_len);
}

/* The sums (2, c) over the whole batch come first: each image's gradient needs them. */
static void backward_bn_layer(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    size_t c = (size_t)l->shape.c;
    const real *sum = pass_sum_parts(t, bn_grad_sums_part, 2 * c);
    memcpy(t->state[t->cur].stat + 2 * c, sum, 2 * c * sizeof *sum);
    for (size_t i = 0; t->memory.use[t->cur].train && i < c; i++) {
        t->grad[l->param[0].at + i] = sum[c + i];
        t->grad[l->param[1].at + i] = sum[i];
    }
    backward_input(t);
}

/* An add or concat layer: each input gets the gradient, or its channels of it. */
static void backward_join(struct trainer *t)
{
    const struct images v = pass_images(t, t->cur, 0, (size_t)t->n);
    const real *dy = t->state[t->cur].dact;
    for (int k = 0, at = 0; k < v.l->nin; k++) {
        int in = v.l->in[k], c = t->net->layer[in].shape.c;
        real *dx = destination(t, in);
        if (dx != NULL && v.l->type == L_CONCAT)
            g_place(dy, v.l->shape.c, at, dx, c, v.rows);
        if (dx != NULL)
            deliver(t, in, v.l->type == L_ADD ? dy : dx);
        at += c;
    }
}

static void backward_layer(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    if (l->type == L_ADD || l->type == L_CONCAT) {
        backward_join(t);
        return;
    }
    t->dx = destination(t, l->in[0]);
    if (l->type == L_BN) {
        backward_bn_layer(t);
    } else if (!t->memory.use[t->cur].train) {
        backward_input(t);
    } else if (train_by_rows(l)) {
        backward_rows(t);
    } else {
        size_t len = train_params_span(l);
        const real *sum = pass_sum_parts(t, backward_part, len);
        memcpy(t->grad + l->param[0].at, sum, len * sizeof *sum);
    }
    if (t->dx != NULL)
        deliver(t, l->in[0], t->dx);
}

/* --- A fused run ---------------------------------------------------------------------------- */

/* Layer i of the current fused run, for one image; sums (span): this part's gradients. */
static void backward_fused_image(struct trainer *t, const struct fused_run *run, int i,
                                 size_t image, int worker, real *sums)
{
    const struct layer *l = &t->net->layer[i];
    bool train = t->memory.use[i].train;
    real *dx = NULL;
    if (i > run->first && t->memory.use[i - 1].flow)
        dx = gradient_of(t, i - 1, image, worker);
    else if (i == run->first && t->dx != NULL)
        dx = t->dx + image * shape_count(t->net->layer[l->in[0]].shape);
    if (train || dx != NULL)
        backward_images(t, i, image, 1, worker, gradient_of(t, i, image, worker), dx,
                        train ? sums + (l->param[0].at - run->at) : NULL);
}

static void backward_fused_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    real *sums = t->part + k * t->part_len;
    size_t first, n;
    pass_part(t, k, &first, &n);
    for (size_t image = first; image < first + n; image++) {
        for (int i = run->last; i >= run->first && t->memory.use[i].flow; i--)
            backward_fused_image(t, run, i, image, worker, sums);
    }
}

static void backward_fused_run(struct trainer *t)
{
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    int in = t->net->layer[run->first].in[0];
    assert(t->cur == run->last);
    t->dx = destination(t, in);
    const real *sum = pass_sum_parts(t, backward_fused_part, run->span);
    memcpy(t->grad + run->at, sum, run->span * sizeof *sum);
    if (t->dx != NULL)
        deliver(t, in, t->dx);
    t->cur = run->first;
}

/* --- The pass ------------------------------------------------------------------------------- */

void trainer_backward(struct trainer *t, int n)
{
    assert(n == t->n); /* what trainer_forward kept is of these images */
    for (int i = 0; i < t->net->n; i++)
        t->state[i].ready = false;
    for (int k = 0; k < t->nends; k++)
        t->state[t->ends[k]].ready = true;
    for (t->cur = t->net->n - 1; t->cur >= 0; t->cur--) {
        const struct layer_use *d = &t->memory.use[t->cur];
        if (!d->flow)
            continue;
        assert(t->state[t->cur].ready); /* every layer that reads it has delivered */
        if (d->run >= 0)
            backward_fused_run(t);
        else
            backward_layer(t);
    }
}
