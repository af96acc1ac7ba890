#include "op.h"

/* Input k of images v. */
static const real *side(const struct trainer *t, const struct images *v, int k, struct shape *s)
{
    *s = t->net->layer[v->l->in[k]].shape;
    return t->state[v->l->in[k]].act + v->first * shape_count(*s);
}

static void matmul_forward(struct trainer *t, const struct images *v)
{
    struct shape a, b;
    const real *x0 = side(t, v, 0, &a), *x1 = side(t, v, 1, &b);
    k_matmul(v->l, a, b, x0, x1, v->y, v->n);
}

static void matmul_input(struct trainer *t, const struct images *v, int k, const real *dy, real *dx)
{
    struct shape a, b;
    const real *x0 = side(t, v, 0, &a), *x1 = side(t, v, 1, &b);
    k_matmul_back(v->l, a, b, x0, x1, k, dy, dx, v->n);
}

const struct train_op train_matmul = {.forward = matmul_forward, .backward_input = matmul_input};
