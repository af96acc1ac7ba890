/* Layers that move values and compute none. */
#include "op.h"

const struct infer_op infer_flatten = {0};

static void concat_run(const struct run *r)
{
    for (int k = 0, at = 0; k < r->l->nin; k++) {
        int c = r->p->net.layer[r->l->in[k]].shape.c;
        k_place(r->x[k], c, r->y, at, r->l->shape.c, r->rows);
        at += c;
    }
}

const struct infer_op infer_concat = {NULL, concat_run};

static void pad_run(const struct run *r)
{
    k_pad(r->l, r->in, r->x[0], r->y, r->n);
}

const struct infer_op infer_pad = {NULL, pad_run};
