/*
 * Which of a plan's values are bfloat16: what convolutions alone read, which would round it when they
 * pack it. So it is half as large, needs no packing, and results are the same.
 */
#include <assert.h>

#include "op.h"

/* A depthwise filter whose loops make bfloat16s. */
static bool is_filter(const struct plan *p, const struct step *s)
{
    enum { LEAST = 16 }; /* channels: a vector of any variant */
    const struct layer *l = &p->net.layer[s->layer];
    return l->type == L_DWCONV && l->shape.c >= LEAST;
}

/* Slopes, and what a step adds or applies afterwards, are for floats. */
static bool can_make(const struct plan *p, const struct step *s)
{
    bool conv = s->conv_bf16 != NULL && s->nin == 1 && s->act != ACT_PRELU;
    return (conv || is_filter(p, s)) && s->nafter == 0;
}

void compile_bfloats(struct plan *p)
{
    assert(p->bf16 != NULL);
    for (int i = 0; i < p->nstep; i++)
        p->value[p->step[i].out].bf16 = can_make(p, &p->step[i]);
    for (int i = 0; i < p->nstep; i++) {
        const struct step *s = &p->step[i];
        for (int k = 0; k < s->nin; k++) {
            bool multiplied = s->conv_bf16 != NULL && k == 0; /* a second input is added */
            p->value[s->in[k]].bf16 = p->value[s->in[k]].bf16 && multiplied;
        }
    }
    for (int k = 0; k < p->nout; k++)
        p->value[p->out[k]].bf16 = false;
    for (int i = 0; i < p->nstep; i++)
        p->step[i].depthwise.to_bf16 = p->value[p->step[i].out].bf16;
}
