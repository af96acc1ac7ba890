#include "op.h"

static void resize_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_resize(v->l, v->in, v->x, v->y, v->n, false);
}

static void resize_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    k_resize(v->l, v->in, g->dy, g->dx, v->n, true);
}

const struct train_op train_resize = {.forward = resize_forward, .backward = resize_backward};
