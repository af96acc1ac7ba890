/* Pooling, and reductions along axes. */
#include <math.h>
#include <string.h>

#include "layers/axes.h"
#include "op.h"

/* What is kept, (batch, h, w, c): the elements of the input image that the greatest were. */
static uint32_t *which_of(const struct trainer *t, const struct images *v)
{
    return (uint32_t *)t->state[v->i].kept + v->first * v->count;
}

static void maxpool_forward(struct trainer *t, const struct images *v)
{
    k_maxpool(v->l, v->in, v->x, v->y, which_of(t, v), v->n);
}

static void g_maxpool(const struct layer *l, struct shape in, const uint32_t *which, const real *dy,
                      real *dx, size_t n)
{
    size_t out = shape_count(l->shape), count = shape_count(in);
    memset(dx, 0, n * count * sizeof *dx);
    for (size_t i = 0; i < n; i++, which += out, dy += out, dx += count) {
        for (size_t k = 0; k < out; k++)
            dx[which[k]] += dy[k];
    }
}

static void maxpool_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    g_maxpool(v->l, v->in, which_of(t, v), g->dy, g->dx, v->n);
}

const struct train_op train_maxpool = {
    .forward = maxpool_forward,
    .backward = maxpool_backward,
};

static void avgpool_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_avgpool(v->l, v->in, v->x, v->y, v->n);
}

static void g_avgpool(const struct layer *l, struct shape in, const real *dy, real *dx, size_t n)
{
    size_t nc = (size_t)in.c;
    memset(dx, 0, n * shape_count(in) * sizeof *dx);
    for (size_t i = 0; i < n; i++, dx += shape_count(in)) {
        for (int oy = 0; oy < l->shape.h; oy++) {
            for (int ox = 0; ox < l->shape.w; ox++, dy += nc) {
                int y0, y1, x0, x1;
                k_inside(oy * l->sh - l->pt, l->kh, in.h, &y0, &y1);
                k_inside(ox * l->sw - l->pl, l->kw, in.w, &x0, &x1);
                real share = k_avgpool_share(l, in, oy, ox);
                for (int yy = y0; yy < y1; yy++) {
                    for (int xx = x0; xx < x1; xx++) {
                        real *p = dx + ((size_t)yy * (size_t)in.w + (size_t)xx) * nc;
                        for (size_t c = 0; c < nc; c++)
                            p[c] += dy[c] * share;
                    }
                }
            }
        }
    }
}

static void avgpool_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    g_avgpool(v->l, v->in, g->dy, g->dx, v->n);
}

const struct train_op train_avgpool = {
    .forward = avgpool_forward,
    .backward = avgpool_backward,
};

static void gap_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_gap(v->in, v->x, v->y, v->n);
}

SIMD static void g_gap(struct shape in, const real *dy, real *dx, size_t n)
{
    size_t pixels = (size_t)in.h * (size_t)in.w, nc = (size_t)in.c;
    for (size_t i = 0; i < n; i++, dy += nc) {
        for (size_t p = 0; p < pixels; p++, dx += nc) {
            for (size_t c = 0; c < nc; c++)
                dx[c] = dy[c] / (real)pixels;
        }
    }
}

static void gap_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    g_gap(v->in, g->dy, g->dx, v->n);
}

const struct train_op train_gap = {.forward = gap_forward, .backward = gap_backward};

static void reduce_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_reduce(v->l, v->in, v->x, v->y, v->n);
}

/* The product of a walk's elements but the one at `left`. */
static double product_without(const struct walk *k, const real *x, size_t from, size_t left)
{
    double product = 1;
    WALK (k, from, at)
        product *= at != left ? (double)x[at] : 1;
    return product;
}

/* The derivative of y, made of `count` elements, by the element x; that of a product is another
   where x is 0. */
static double derivative(enum reduction kind, double x, double y, size_t count)
{
    switch (kind) {
    case REDUCE_MEAN:
        return 1 / (double)count;
    case REDUCE_PROD:
        return y / x;
    case REDUCE_L1:
        return (x > 0) - (x < 0);
    case REDUCE_L2:
        return y > 0 ? x / y : 0;
    case REDUCE_SUMSQ:
        return 2 * x;
    case REDUCE_LOGSUM:
        return exp(-y);
    case REDUCE_LOGSUMEXP:
        return exp(x - y);
    default:
        return 1;
    }
}

/* One output of a walk. */
static void reduce_gradient(const struct walk *k, enum reduction kind, const real *x, size_t from,
                            real y, real dy, real *dx)
{
    bool one = kind == REDUCE_MAX || kind == REDUCE_MIN, found = false;
    WALK (k, from, at) {
        if (one) { /* the first of those that are as great */
            dx[at] = !found && x[at] == y ? dy : 0;
            found = found || x[at] == y;
        } else if (kind == REDUCE_PROD && x[at] == 0) {
            dx[at] = (real)(dy * product_without(k, x, from, at));
        } else {
            dx[at] = (real)(dy * derivative(kind, (double)x[at], (double)y, k->count));
        }
    }
}

static void reduce_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    struct walk k = walk_along(v->in, v->l->axes, 1);
    (void)t;
    for (size_t i = 0; i < v->n; i++) {
        for (size_t o = 0; o < k.outputs; o++)
            reduce_gradient(&k, (enum reduction)v->l->kind, v->x + i * v->icount, walk_from(&k, o),
                            v->y[i * v->count + o], g->dy[i * v->count + o], g->dx + i * v->icount);
    }
}

const struct train_op train_reduce = {.forward = reduce_forward, .backward = reduce_backward};
