/* Arithmetic of several values. */
#include <string.h>

#include "op.h"

static void add_forward(struct trainer *t, const struct images *v)
{
    memcpy(v->y, v->x, v->n * v->count * sizeof *v->y);
    for (int k = 1; k < v->l->nin; k++)
        k_add(v->y, t->state[v->l->in[k]].act + v->first * v->count, v->n * v->count);
}

/* Each input gets the gradient. */
static void add_backward(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    for (int k = 0; k < l->nin; k++) {
        if (pass_destination(t, l->in[k]) != NULL)
            pass_deliver(t, l->in[k], t->state[t->cur].dact);
    }
}

const struct train_op train_add = {.forward = add_forward, .backward_batch = add_backward};
