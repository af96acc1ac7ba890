/* Arithmetic of two values, or a value and a constant. */
#include "op.h"

static int arith_compile(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    if (l->nparam > 0) {
        s->w = compile_copy(c, compile_param(c, i, "value"), l->param[0].count);
        if (s->w == NULL)
            return MIEN_ERR_MEM;
    }
    compile_fuse_act(c, s, i);
    return 0;
}

/* Side k of the layer. */
static struct operand side(const struct run *r, int k)
{
    const struct layer *l = r->l;
    if (k < l->nin)
        return (struct operand){r->x[k], r->p->net.layer[l->in[k]].shape, false};
    return (struct operand){r->s->w, {l->size[0], l->size[1], l->size[2]}, true};
}

static void arith_run(const struct run *r)
{
    const struct layer *l = r->l;
    const struct tail tail = {NULL, r->s->act, r->s->slope};
    struct operand a = side(r, l->swap), b = side(r, !l->swap), sum = {r->y, l->shape, false};
    k_arith(l->type, l->shape, &a, &b, r->y, r->n);
    for (int k = 2; k < l->nin; k++) {
        b = side(r, k);
        k_arith(l->type, l->shape, &sum, &b, r->y, r->n);
    }
    k_tail(r->y, r->rows, l->shape.c, &tail);
}

#define BINARY(type, word) const struct infer_op infer_##word = {arith_compile, arith_run};
BINARY_OPS(BINARY)
