#include <math.h>

#include "kernel/axes.h"
#include "op.h"

static void reduce_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_reduce(v->l, v->in, v->x, v->y, v->n);
}

/* The derivative of y, made of `count` elements, by the element x. */
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
