#include "op.h"

static void matmul_run(const struct run *r)
{
    struct shape b = r->p->net.layer[r->l->in[1]].shape;
    k_matmul(r->l, r->in, b, r->x[0], r->x[1], r->y, r->n);
}

const struct infer_op infer_matmul = {NULL, matmul_run};
