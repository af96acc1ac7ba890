/* Pooling, and reductions along axes. */
#include "op.h"

static void maxpool_run(const struct run *r)
{
    k_maxpool(r->l, r->in, r->x[0], r->y, NULL, r->n);
}

const struct infer_op infer_maxpool = {NULL, maxpool_run};

static void avgpool_run(const struct run *r)
{
    k_avgpool(r->l, r->in, r->x[0], r->y, r->n);
}

const struct infer_op infer_avgpool = {NULL, avgpool_run};

static void gap_run(const struct run *r)
{
    k_gap(r->in, r->x[0], r->y, r->n);
}

const struct infer_op infer_gap = {NULL, gap_run};

static void reduce_run(const struct run *r)
{
    k_reduce(r->l, r->in, r->x[0], r->y, r->n);
}

const struct infer_op infer_reduce = {NULL, reduce_run};
