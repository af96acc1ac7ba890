/* Arithmetic of several values. */
#include "op.h"

static int add_compile(const struct compiler *c, struct step *s, int i)
{
    compile_fuse_act(c, s, i);
    return 0;
}

static void add_run(const struct run *r)
{
    const struct tail tail = {NULL, r->s->act, r->s->slope};
    size_t n = r->n * r->count;
    k_sum(r->y, r->x[0], r->x[1], n);
    for (int k = 2; k < r->s->nin; k++)
        k_add(r->y, r->x[k], n);
    k_tail(r->y, r->rows, r->l->shape.c, &tail);
}

const struct infer_op infer_add = {add_compile, add_run};
