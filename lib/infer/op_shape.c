/* Layers that move values or hand them on: input, too, and dropout, which computes in training. */
#include "op.h"

/* plan.c has what runs: it alone sees the images. */
const struct infer_op infer_input = {0};

const struct infer_op infer_flatten = {0};

const struct infer_op infer_reshape = {0};

static void permute_run(const struct run *r)
{
    k_permute(r->l, r->x[0], r->y, r->n, false);
}

const struct infer_op infer_permute = {NULL, permute_run};

static void slice_run(const struct run *r)
{
    k_slice(r->l, r->in, r->x[0], r->y, r->n, false);
}

const struct infer_op infer_slice = {NULL, slice_run};

static void concat_run(const struct run *r)
{
    int block, width;
    size_t rows;
    k_concat_rows(r->l, r->l->shape, r->n, &width, &rows);
    for (int k = 0, at = 0; k < r->l->nin; k++, at += block) {
        k_concat_rows(r->l, r->p->net.layer[r->l->in[k]].shape, r->n, &block, &rows);
        k_place(r->x[k], block, r->y, at, width, rows);
    }
}

const struct infer_op infer_concat = {NULL, concat_run};

static void pad_run(const struct run *r)
{
    k_pad(r->l, r->in, r->x[0], r->y, r->n);
}

const struct infer_op infer_pad = {NULL, pad_run};

const struct infer_op infer_dropout = {0};
