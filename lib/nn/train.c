#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grad.h"
#include "mien/hash.h"

enum role { ABSENT, GIVEN, COMPUTED };

/* What one layer holds for a batch. */
struct node {
    enum role role;
    bool train;      /* its parameters are trained */
    bool flow;       /* its output's gradient is of use */
    bool ready;      /* in a backward pass: dact holds a gradient */
    real *act, *dact;
    uint32_t *which; /* max pooling */
    unsigned char *keep; /* dropout: 1 where an element is kept */
    real *stat;      /* bn: mean, 1 / deviation, and the backward pass's two sums */
};

struct trainer {
    const struct net *net;
    real *w, *grad;
    struct node *node;
    int batch;
    struct par *par;
    real **scratch;      /* one a worker, of `patch` elements */
    size_t patch;
    real *zeros;
    real *part;          /* parts' gradients of one layer */
    real *extra;         /* a second gradient of an output that several layers read */
    size_t bytes;

    /* The pass under way. */
    int cur, n;
    bool training;
    uint64_t seed;
    real *dx;            /* where the current layer's input gradient goes, or NULL */
    size_t npart, part_len;
};

/* --- Making --------------------------------------------------------------------------------- */

static void *claim(struct trainer *t, size_t count, size_t size)
{
    size_t bytes = (count * size + 63) & ~(size_t)63;
    void *p = aligned_alloc(64, bytes > 0 ? bytes : 64);
    if (p != NULL)
        memset(p, 0, bytes);
    t->bytes += bytes;
    return p;
}

static bool has_params(const struct layer *l)
{
    return l->nparam > 0;
}

/* Images of a batch are cut into this many parts; each part needs its own gradient of the layer's
   parameters. Four million elements of gradients at most, two to sixteen parts. */
static size_t parts_of(const struct layer *l, int n)
{
    size_t params = layer_params(l), parts = 16;
    if (l->type == L_DENSE)
        parts = 4; /* a product of few rows is slow */
    while (parts > 2 && parts * params > (size_t)4 << 20)
        parts /= 2;
    return parts < (size_t)n ? parts : (size_t)n;
}

/* Whether the layer's weights are so many that a gradient for each part of a batch would cost more
   than the product itself. */
static bool by_rows(const struct layer *l)
{
    bool plain = l->type == L_DENSE || (l->type == L_CONV && k_is_pointwise(l));
    return plain && l->param[0].count >= 65536;
}

static size_t params_span(const struct layer *l)
{
    if (l->nparam == 0)
        return 0;
    const struct param *last = &l->param[l->nparam - 1];
    return last->at + last->count - l->param[0].at;
}

/* Which layers take part, and memory for them. */
static int make_nodes(struct trainer *t, const bool *train, const int *given, int ngiven)
{
    const struct net *net = t->net;
    size_t batch = (size_t)t->batch, part = 0, extra = 0, zeros = 0;
    for (int k = 0; k < ngiven; k++)
        t->node[given[k]].role = GIVEN;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        struct node *d = &t->node[i];
        size_t count = shape_count(l->shape);
        if (d->role == ABSENT) {
            int known = 0;
            for (int k = 0; k < l->nin; k++) {
                known += t->node[l->in[k]].role != ABSENT;
                d->flow = d->flow || t->node[l->in[k]].flow;
            }
            if (l->nin == 0 || known < l->nin)
                continue;
            d->role = COMPUTED;
            d->train = train[i] && has_params(l);
            d->flow = d->flow || d->train;
        }
        if ((d->act = claim(t, batch * count, sizeof *d->act)) == NULL)
            return ERR_MEM;
        if (d->role == GIVEN)
            continue;
        if (d->flow && (d->dact = claim(t, batch * count, sizeof *d->dact)) == NULL)
            return ERR_MEM;
        if (l->type == L_MAXPOOL && (d->which = claim(t, batch * count, sizeof *d->which)) == NULL)
            return ERR_MEM;
        if (l->type == L_DROPOUT && (d->keep = claim(t, batch * count, 1)) == NULL)
            return ERR_MEM;
        if (l->type == L_BN && (d->stat = claim(t, 4 * (size_t)l->shape.c, sizeof *d->stat)) == NULL)
            return ERR_MEM;
        struct shape in = net->layer[l->in[0]].shape;
        size_t patch = l->type == L_CONV ? 2 * k_conv_scratch(l, in) : 0;
        size_t need = by_rows(l) ? 0 : parts_of(l, t->batch) * params_span(l), line = (size_t)in.w * (size_t)in.c;
        t->patch = patch > t->patch ? patch : t->patch;
        part = need > part ? need : part;
        zeros = line > zeros ? line : zeros;
        for (int k = 0; k < l->nin; k++) {
            size_t c = batch * shape_count(net->layer[l->in[k]].shape);
            extra = c > extra ? c : extra;
        }
    }
    t->part = claim(t, part, sizeof *t->part);
    t->extra = claim(t, extra, sizeof *t->extra);
    t->zeros = claim(t, zeros, sizeof *t->zeros);
    t->grad = claim(t, net->nweights, sizeof *t->grad);
    return t->part == NULL || t->extra == NULL || t->zeros == NULL || t->grad == NULL ? ERR_MEM : 0;
}

struct trainer *trainer_new(const struct net *net, real *w, const bool *train, const int *given,
                            int ngiven, int batch, struct par *par, struct err *e)
{
    struct trainer *t = calloc(1, sizeof *t);
    int rc = ERR_MEM;
    if (t != NULL) {
        *t = (struct trainer){.net = net, .w = w, .batch = batch, .par = par};
        t->node = calloc((size_t)net->n, sizeof *t->node);
        t->scratch = calloc((size_t)par_size(par), sizeof *t->scratch);
        if (t->node != NULL && t->scratch != NULL)
            rc = make_nodes(t, train, given, ngiven);
        for (int j = 0; rc == 0 && j < par_size(par); j++) {
            t->scratch[j] = claim(t, t->patch, sizeof **t->scratch);
            rc = t->scratch[j] == NULL ? ERR_MEM : 0;
        }
    }
    if (rc < 0) {
        err_mem(e, t == NULL ? sizeof *t : t->bytes, "training: try a smaller batch");
        trainer_free(t);
        return NULL;
    }
    openblas_set_num_threads(1);
    return t;
}

void trainer_free(struct trainer *t)
{
    if (t == NULL)
        return;
    for (int i = 0; t->node != NULL && i < t->net->n; i++) {
        free(t->node[i].act);
        free(t->node[i].dact);
        free(t->node[i].which);
        free(t->node[i].keep);
        free(t->node[i].stat);
    }
    for (int j = 0; t->scratch != NULL && j < par_size(t->par); j++)
        free(t->scratch[j]);
    free(t->scratch);
    free(t->node);
    free(t->part);
    free(t->extra);
    free(t->zeros);
    free(t->grad);
    free(t);
}

real *trainer_act(struct trainer *t, int layer)
{
    return layer < 0 ? NULL : t->node[layer].act;
}

real *trainer_dact(struct trainer *t, int layer)
{
    return layer < 0 ? NULL : t->node[layer].dact;
}

real *trainer_grad(struct trainer *t)
{
    return t->grad;
}

bool trainer_trains(const struct trainer *t, int layer)
{
    return t->node[layer].train;
}

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

/* Runs fn over the parts of the current layer. */
static void over_parts(struct trainer *t, void (*fn)(void *, int, size_t))
{
    t->npart = parts_of(&t->net->layer[t->cur], t->n);
    par_for(t->par, t->npart, fn, t);
}

/* The same, where each part adds to its own t->part_len elements of t->part; then sums them, in
   order, into the first part's. */
static real *sum_parts(struct trainer *t, void (*fn)(void *, int, size_t), size_t len)
{
    t->part_len = len;
    t->npart = parts_of(&t->net->layer[t->cur], t->n);
    memset(t->part, 0, t->npart * len * sizeof *t->part);
    par_for(t->par, t->npart, fn, t);
    for (size_t k = 1; k < t->npart; k++)
        k_add(t->part, t->part + k * len, len);
    return t->part;
}

/* --- Forward -------------------------------------------------------------------------------- */

static void forward_dropout(const struct trainer *t, const struct layer *l, struct node *d,
                            const real *x, real *y, size_t first, size_t n)
{
    size_t count = shape_count(l->shape);
    if (!t->training) {
        memcpy(y, x, n * count * sizeof *y);
        return;
    }
    real scale = (real)1 / (1 - (real)l->rate);
    for (size_t i = 0; i < n; i++) {
        struct rng r = {hash_mix(t->seed ^ hash_mix((uint64_t)t->cur << 32 | (first + i)))};
        unsigned char *keep = d->keep + (first + i) * count;
        for (size_t k = 0; k < count; k++) {
            keep[k] = rng_uniform(&r) >= (double)l->rate;
            y[i * count + k] = keep[k] ? x[i * count + k] * scale : 0;
        }
    }
}

static void forward_bn(const struct trainer *t, const struct layer *l, const struct node *d,
                       const real *x, real *y, size_t rows)
{
    const real *gamma = param_of(t, l, 0), *beta = param_of(t, l, 1);
    const real *mean = d->stat, *inv = d->stat + l->shape.c;
    for (size_t r = 0; r < rows; r++, x += l->shape.c, y += l->shape.c) {
        for (int c = 0; c < l->shape.c; c++)
            y[c] = gamma[c] * (x[c] - mean[c]) * inv[c] + beta[c];
    }
}

static void forward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    struct node *d = &t->node[t->cur];
    size_t first, n, count = shape_count(l->shape);
    part_range(t, k, &first, &n);
    struct shape in = t->net->layer[l->in[0]].shape;
    const real *x = t->node[l->in[0]].act + first * shape_count(in);
    real *y = d->act + first * count;
    size_t rows = count / (size_t)l->shape.c * n;
    struct tail bias = {param_of(t, l, 1), ACT_NONE, NULL}, act = {NULL, ACT_NONE, NULL};
    int at = 0;
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
        forward_bn(t, l, d, x, y, rows);
        break;
    case L_RELU:
    case L_RELU6:
    case L_PRELU:
        act.act = l->type == L_RELU ? ACT_RELU : l->type == L_RELU6 ? ACT_RELU6 : ACT_PRELU;
        act.slope = param_of(t, l, 0);
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
        forward_dropout(t, l, d, x, y, first, n);
        break;
    case L_ADD:
        memcpy(y, x, n * count * sizeof *y);
        for (int i = 1; i < l->nin; i++)
            k_add(y, t->node[l->in[i]].act + first * count, n * count);
        break;
    case L_CONCAT:
        for (int i = 0; i < l->nin; i++) {
            struct shape s = t->net->layer[l->in[i]].shape;
            k_place(t->node[l->in[i]].act + first * shape_count(s), s.c, y, at, l->shape.c, rows);
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

static void bn_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    size_t first, n, count = shape_count(l->shape);
    (void)worker;
    part_range(t, k, &first, &n);
    bn_sums(t->node[l->in[0]].act + first * count, count / (size_t)l->shape.c * n, l->shape.c,
            t->node[t->cur].stat, t->part + k * t->part_len);
}

/* Mean and 1 / deviation for this pass: of the batch in training, else the running ones. */
static void bn_statistics(struct trainer *t, bool of_batch)
{
    const struct layer *l = &t->net->layer[t->cur];
    int c = l->shape.c;
    real *mean = param_of(t, l, 2), *var = param_of(t, l, 3);
    real *stat = t->node[t->cur].stat;
    memcpy(stat, mean, (size_t)c * sizeof *stat);
    for (int i = 0; i < c; i++)
        stat[c + i] = 1 / (real)sqrt((double)var[i] + (double)l->rate);
    if (!of_batch)
        return;
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

void trainer_forward(struct trainer *t, int n, bool training, uint64_t seed)
{
    t->n = n;
    t->training = training;
    t->seed = seed;
    for (t->cur = 0; t->cur < t->net->n; t->cur++) {
        if (t->node[t->cur].role != COMPUTED)
            continue;
        if (t->net->layer[t->cur].type == L_BN)
            bn_statistics(t, training && t->node[t->cur].train);
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

/* One part of the current layer, whose first input's gradient goes to t->dx. */
static void backward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    struct node *d = &t->node[t->cur];
    size_t first, n, count = shape_count(l->shape);
    part_range(t, k, &first, &n);
    struct shape in = t->net->layer[l->in[0]].shape;
    size_t icount = shape_count(in), rows = count / (size_t)l->shape.c * n;
    const real *x = t->node[l->in[0]].act + first * icount;
    const real *y = d->act + first * count, *dy = d->dact + first * count;
    real *dx = t->dx == NULL ? NULL : t->dx + first * icount;
    const real *w = param_of(t, l, 0);
    real *dw = t->part_len > 0 ? t->part + k * t->part_len : NULL, *db = NULL;
    if (dw != NULL && l->nparam > 1)
        db = dw + (l->param[1].at - l->param[0].at);
    switch (l->type) {
    case L_CONV:
        g_conv(l, in, w, x, dy, dx, dw, db, n, t->scratch[worker]);
        break;
    case L_DWCONV:
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
                t->training && d->train ? rows / n * (size_t)t->n : 0);
        break;
    case L_RELU:
        g_relu(y, dy, dx, n * count);
        break;
    case L_RELU6:
        g_relu6(y, dy, dx, n * count);
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

static void bn_grad_sums_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    const struct node *d = &t->node[t->cur];
    size_t first, n, count = shape_count(l->shape);
    (void)worker;
    part_range(t, k, &first, &n);
    bn_grad_sums(t->node[l->in[0]].act + first * count, d->dact + first * count,
                 count / (size_t)l->shape.c * n, l->shape.c, d->stat, d->stat + l->shape.c,
                 t->part + k * t->part_len);
}

/* Hands a finished gradient of input layer `in` over: the first one is already in place, further
   ones are added. */
static void deliver(struct trainer *t, int in, const real *dx)
{
    struct node *d = &t->node[in];
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
    struct node *d = &t->node[in];
    return !d->flow ? NULL : d->ready ? t->extra : d->dact;
}

enum { ROW_BLOCK = 64 };

static void weight_rows(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[t->cur];
    size_t rows = shape_count(l->shape) / (size_t)l->shape.c * (size_t)t->n;
    int inputs = (int)(l->param[0].count / (size_t)l->units), from = (int)k * ROW_BLOCK;
    (void)worker;
    g_weight_rows(t->node[l->in[0]].act, inputs, t->node[t->cur].dact, l->units, rows, from,
                  inputs - from < ROW_BLOCK ? inputs - from : ROW_BLOCK, t->grad + l->param[0].at);
}

/* The gradients of the current layer's parameters, and its input's on the way. */
static void backward_params(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    const struct node *d = &t->node[t->cur];
    t->part_len = 0;
    if (d->train && by_rows(l)) {
        size_t rows = shape_count(l->shape) / (size_t)l->shape.c * (size_t)t->n;
        size_t inputs = l->param[0].count / (size_t)l->units;
        par_for(t->par, (inputs + ROW_BLOCK - 1) / ROW_BLOCK, weight_rows, t);
        if (l->nparam > 1)
            g_bias(d->dact, rows, l->units, t->grad + l->param[1].at);
    } else if (d->train) {
        size_t len = params_span(l);
        const real *sum = sum_parts(t, backward_part, len);
        memcpy(t->grad + l->param[0].at, sum, len * sizeof *sum);
        return;
    }
    if (t->dx != NULL)
        over_parts(t, backward_part);
}

static void backward_layer(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    struct node *d = &t->node[t->cur];
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
        for (size_t i = 0; d->train && i < c; i++) {
            t->grad[l->param[0].at + i] = sum[c + i];
            t->grad[l->param[1].at + i] = sum[i];
        }
        if (t->dx != NULL)
            over_parts(t, backward_part);
    } else if (has_params(l)) {
        backward_params(t);
    } else if (t->dx != NULL) {
        over_parts(t, backward_part);
    }
    if (t->dx != NULL)
        deliver(t, l->in[0], t->dx);
}

void trainer_backward(struct trainer *t, int n, const int *from, int nfrom)
{
    t->n = n;
    for (int i = 0; i < t->net->n; i++)
        t->node[i].ready = false;
    for (int k = 0; k < nfrom; k++) {
        if (from[k] >= 0)
            t->node[from[k]].ready = true;
    }
    for (t->cur = t->net->n - 1; t->cur >= 0; t->cur--) {
        const struct node *d = &t->node[t->cur];
        if (d->role == COMPUTED && d->flow && d->ready)
            backward_layer(t);
    }
}
