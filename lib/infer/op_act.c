/* Activations, where the layer before has not taken them over. */
#include <string.h>

#include "op.h"

static int act_compile(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    s->act = k_act(l->type);
    if (s->act == ACT_PRELU)
        s->slope = compile_copy(c, compile_param(c, i, "slope"), (size_t)l->shape.c);
    return s->act == ACT_PRELU && s->slope == NULL ? MIEN_ERR_MEM : 0;
}

static void act_run(const struct run *r)
{
    const struct tail tail = {NULL, r->s->act, r->s->slope};
    memcpy(r->y, r->x[0], r->n * r->count * sizeof *r->y);
    k_tail(r->y, r->rows, r->l->shape.c, &tail);
}

const struct infer_op infer_relu = {act_compile, act_run};
const struct infer_op infer_relu6 = {act_compile, act_run};
const struct infer_op infer_prelu = {act_compile, act_run};

static void softmax_run(const struct run *r)
{
    if (r->l->axes == (AXIS_H | AXIS_W | AXIS_C))
        k_softmax(r->x[0], r->y, r->count, r->n);
    else
        k_softmax_over(r->l, r->x[0], r->y, r->n, false);
}

const struct infer_op infer_softmax = {NULL, softmax_run};

static void logsoftmax_run(const struct run *r)
{
    k_softmax_over(r->l, r->x[0], r->y, r->n, true);
}

const struct infer_op infer_logsoftmax = {NULL, logsoftmax_run};

/* --- Functions of one number ---------------------------------------------------------------- */

static void unary_run(const struct run *r)
{
    k_unary(r->l, r->x[0], r->y, r->n * r->count);
}

#define UNARY(type, word) const struct infer_op infer_##word = {NULL, unary_run};
UNARY_OPS(UNARY)
