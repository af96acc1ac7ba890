/* Layers of units that read all of their input, and products of two inputs (matmul). */
#include "op.h"

const struct infer_op infer_dense = {sums_compile, sums_run};

static void coral_run(const struct run *r)
{
    k_coral(shape_count(r->in), r->l->units, r->s->w, r->s->bias, r->x[0], r->y, r->n);
}

const struct infer_op infer_coral = {compile_weights, coral_run};

static void matmul_run(const struct run *r)
{
    struct shape b = r->p->net.layer[r->l->in[1]].shape;
    k_matmul(r->l, r->in, b, r->x[0], r->x[1], r->y, r->n);
}

const struct infer_op infer_matmul = {NULL, matmul_run};
