/* Layers that move values or hand them on: input, too, and dropout, which computes in training. */
#include <string.h>

#include "op.h"
#include "util/hash.h"

/* Nothing reads its gradient, and its output is given. */
const struct train_op train_input = {0};

static void flatten_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    memcpy(v->y, v->x, v->n * v->count * sizeof *v->y);
}

static void flatten_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    memcpy(g->dx, g->dy, v->n * v->count * sizeof *g->dx);
}

const struct train_op train_flatten = {.forward = flatten_forward, .backward = flatten_backward};

const struct train_op train_reshape = {.forward = flatten_forward, .backward = flatten_backward};

static void permute_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_permute(v->l, v->x, v->y, v->n, false);
}

static void permute_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    k_permute(v->l, g->dy, g->dx, v->n, true);
}

const struct train_op train_permute = {.forward = permute_forward, .backward = permute_backward};

static void slice_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_slice(v->l, v->in, v->x, v->y, v->n, false);
}

static void slice_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    memset(g->dx, 0, v->n * v->icount * sizeof *g->dx);
    k_slice(v->l, v->in, g->dy, g->dx, v->n, true);
}

const struct train_op train_slice = {.forward = slice_forward, .backward = slice_backward};

static void concat_forward(struct trainer *t, const struct images *v)
{
    const struct layer *l = v->l;
    int block, width;
    size_t rows;
    k_concat_rows(l, l->shape, v->n, &width, &rows);
    for (int k = 0, at = 0; k < l->nin; k++, at += block) {
        struct shape s = t->net->layer[l->in[k]].shape;
        k_concat_rows(l, s, v->n, &block, &rows);
        k_place(t->state[l->in[k]].act.f + v->first * shape_count(s), block, v->y, at, width, rows);
    }
}

/* The inverse of k_place: dx = dy's channels [at, at + c) of rows of `width`. */
static void g_place(const real *dy, int width, int at, real *dx, int c, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(dx + r * (size_t)c, dy + r * (size_t)width + at, (size_t)c * sizeof *dx);
}

/* Each input gets its part of the gradient. */
static void concat_input(struct trainer *t, const struct images *v, int k, const real *dy, real *dx)
{
    const struct layer *l = v->l;
    int at = 0, block, width;
    size_t rows;
    k_concat_rows(l, l->shape, v->n, &width, &rows);
    for (int i = 0; i < k; i++, at += block)
        k_concat_rows(l, t->net->layer[l->in[i]].shape, v->n, &block, &rows);
    k_concat_rows(l, t->net->layer[l->in[k]].shape, v->n, &block, &rows);
    g_place(dy, width, at, dx, block, rows);
}

const struct train_op train_concat = {.forward = concat_forward, .backward_input = concat_input};

static void pad_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_pad(v->l, v->in, v->x, v->y, v->n);
}

static void g_pad(const struct layer *l, struct shape in, const real *dy, real *dx, size_t n)
{
    struct shape out = l->shape;
    for (size_t i = 0; i < n; i++, dy += shape_count(out)) {
        for (int r = 0; r < in.h; r++, dx += (size_t)in.w * (size_t)in.c) {
            const real *line =
                dy + ((size_t)(r + l->pt) * (size_t)out.w + (size_t)l->pl) * (size_t)out.c;
            g_place(line, out.c, l->cb, dx, in.c, (size_t)in.w);
        }
    }
}

/* Where the border repeats the image. */
static void g_pad_repeated(const struct layer *l, struct shape in, const real *dy, real *dx,
                           size_t n)
{
    memset(dx, 0, n * shape_count(in) * sizeof *dx);
    for (size_t i = 0; i < n; i++, dx += shape_count(in)) {
        for (int p = 0; p < l->shape.h * l->shape.w; p++, dy += l->shape.c)
            k_pad_pixel(l, in, p, (real *)dy, dx, true);
    }
}

static void pad_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    if (v->l->kind == PAD_VALUE)
        g_pad(v->l, v->in, g->dy, g->dx, v->n);
    else
        g_pad_repeated(v->l, v->in, g->dy, g->dx, v->n);
}

const struct train_op train_pad = {
    .forward = pad_forward,
    .backward = pad_backward,
};

/* What it drops depends on the seed, the layer and the image alone. What is kept for backward,
   (batch, h, w, c), is 1 where an element goes on. */
static void dropout_forward(struct trainer *t, const struct images *v)
{
    const real *x = v->x;
    real *y = v->y, scale = (real)1 / (1 - (real)v->l->rate);
    if (!t->training) {
        memcpy(y, x, v->n * v->count * sizeof *y);
        return;
    }
    for (size_t image = v->first; image < v->first + v->n; image++, x += v->count, y += v->count) {
        struct rng r = {hash_mix(t->seed ^ hash_mix((uint64_t)v->i << 32 | image))};
        unsigned char *keep = (unsigned char *)t->state[v->i].kept + image * v->count;
        for (size_t k = 0; k < v->count; k++) {
            keep[k] = rng_uniform(&r) >= (double)v->l->rate;
            y[k] = keep[k] ? x[k] * scale : 0;
        }
    }
}

static void dropout_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    const unsigned char *keep = (const unsigned char *)t->state[v->i].kept + v->first * v->count;
    real scale = (real)1 / (1 - (real)v->l->rate);
    if (!t->training) {
        memcpy(g->dx, g->dy, v->n * v->count * sizeof *g->dx);
        return;
    }
    for (size_t k = 0; k < v->n * v->count; k++)
        g->dx[k] = keep[k] ? g->dy[k] * scale : 0;
}

const struct train_op train_dropout = {
    .forward = dropout_forward,
    .backward = dropout_backward,
};
