#include <string.h>

#include "op.h"
#include "util/hash.h"

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
