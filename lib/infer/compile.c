/* Compiling a network into steps. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/fold.h"
#include "net/op.h"
#include "op.h"

/* Activations (floats) of a group that one step reads and writes: about the second-level cache. */
#define GROUP_FLOATS ((size_t)384 << 10)

#define DECLARE(type, word) extern const struct infer_op infer_##word;
OPS(DECLARE)

const struct infer_op *infer_op_of(enum layer_type type)
{
#define ENTRY(type, word) [L_##type] = &infer_##word,
    static const struct infer_op *const ops[] = {OPS(ENTRY)};
    return ops[type];
}

/* --- For operators -------------------------------------------------------------------------- */

const float *compile_param(const struct compiler *c, int i, const char *name)
{
    const struct layer *l = &c->from->layer[c->origin[i]];
    for (int k = 0; k < l->nparam; k++) {
        if (strcmp(l->param[k].name, name) == 0)
            return c->weights + l->param[k].at;
    }
    return NULL;
}

float *compile_copy(const struct compiler *c, const float *src, size_t n)
{
    float *p = arena_zeros(&c->p->arena, n, sizeof *p);
    if (p != NULL && src != NULL)
        memcpy(p, src, n * sizeof *p);
    return p;
}

int compile_take_over(const struct compiler *c, struct step *s, int k)
{
    assert(c->value_of[k] < 0 && k > s->layer);
    c->value_of[k] = s->out;
    s->last = k;
    return k;
}

int compile_weights(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    s->w = compile_copy(c, compile_param(c, i, "weight"), l->param[0].count);
    s->bias = compile_copy(c, compile_param(c, i, "bias"), (size_t)l->units);
    return s->w == NULL || s->bias == NULL ? MIEN_ERR_MEM : 0;
}

void compile_fuse_act(const struct compiler *c, struct step *s, int i)
{
    int k = fold_reader(&c->p->net, c->uses, i);
    if (k < 0)
        return;
    const struct layer *l = &c->p->net.layer[k];
    if (l->type == L_RELU)
        s->act = ACT_RELU;
    else if (l->type == L_RELU6)
        s->act = ACT_RELU6;
    else if (l->type == L_LEAKY && (s->slope = compile_copy(c, NULL, (size_t)l->shape.c)) != NULL) {
        for (int k2 = 0; k2 < l->shape.c; k2++)
            s->slope[k2] = l->a;
        s->act = ACT_PRELU;
    } else if (l->type == L_PRELU &&
               (s->slope = compile_copy(c, compile_param(c, k, "slope"), (size_t)l->shape.c)))
        s->act = ACT_PRELU;
    else
        return;
    compile_take_over(c, s, k);
}

void compile_room(size_t *room, size_t need)
{
    need = (need + 63) & ~(size_t)63;
    *room = need > *room ? need : *room;
}

/* --- Layers and steps ----------------------------------------------------------------------- */

static int new_value(struct compiler *c, int layer)
{
    struct plan *p = c->p;
    p->value[p->nvalue] = (struct plan_value){.count = shape_count(p->net.layer[layer].shape)};
    c->value_of[layer] = p->nvalue;
    return p->nvalue++;
}

int plan_group(const struct plan *p, const struct step *s)
{
    size_t floats = plan_floats(&p->value[s->out], 1);
    for (int k = 0; k < s->nin; k++)
        floats += plan_floats(&p->value[s->in[k]], 1);
    int g = 1;
    while (g < p->batch && floats * 4 * (size_t)g <= GROUP_FLOATS)
        g *= 4;
    return g < p->batch ? g : p->batch;
}

/* Takes over the functions of one number that read what the step makes, one after the other, where
   each is the only reader. */
static void take_functions(const struct compiler *c, struct step *s)
{
    for (int k; s->nafter < STEP_AFTER; s->after[s->nafter++] = k) {
        k = fold_reader(&c->p->net, c->uses, s->last);
        if (k < 0 || !(op_of(c->p->net.layer[k].type)->is & OP_UNARY))
            return;
        compile_take_over(c, s, k);
    }
}

/* Makes the step for layer i, and for those it can take over: returns 0 or MIEN_ERR_MEM. Layers
   that were taken over have their value set, which is how they are recognized. */
static int compile_layer(struct compiler *c, int i)
{
    struct plan *p = c->p;
    const struct layer *l = &p->net.layer[i];
    if (c->value_of[i] >= 0)
        return 0;
    const struct infer_op *op = infer_op_of(l->type);
    if (op->run == NULL && l->nin > 0) {
        c->value_of[i] = c->value_of[l->in[0]];
        return 0;
    }
    struct step *s = &p->step[p->nstep++];
    *s = (struct step){.layer = i, .last = i, .nin = l->nin};
    for (int k = 0; k < l->nin; k++) {
        s->in[k] = c->value_of[l->in[k]];
        assert(s->in[k] >= 0); /* layers come after those that they read, and so do values */
    }
    s->out = new_value(c, i);
    if (op->compile != NULL && op->compile(c, s, i) < 0)
        return MIEN_ERR_MEM;
    if (l->type != L_INPUT)
        take_functions(c, s);
    return 0;
}

/* Marks the layers that the outputs need. */
static void mark_needed(const struct net *net, const int *out, int nout, bool *need)
{
    for (int k = 0; k < nout; k++)
        need[out[k]] = true;
    for (int i = net->n - 1; i >= 0; i--) {
        for (int k = 0; need[i] && k < net->layer[i].nin; k++)
            need[net->layer[i].in[k]] = true;
    }
}

/* Copies the layers marked; origin[i] is layer i's index in the model, to[i] the index of the
   model's layer i among the copies. */
static int copy_needed(struct compiler *c, const bool *need, int *to, struct mien_err *e)
{
    for (int i = 0; i < c->from->n; i++) {
        if (!need[i])
            continue;
        struct layer l = c->from->layer[i];
        for (int k = 0; k < l.nin; k++) {
            l.in[k] = to[l.in[k]];
            c->uses[l.in[k]]++;
        }
        to[i] = net_add(&c->p->net, &l, e);
        if (to[i] < 0)
            return to[i];
        c->origin[to[i]] = i;
    }
    return 0;
}

/* Copies the layers that the outputs need, and finds the outputs among the copies. */
static int needed_layers(struct compiler *c, const int *out, int nout, struct mien_err *e)
{
    size_t n = (size_t)c->from->n;
    bool *need = calloc(n, sizeof *need);
    int *to = calloc(n, sizeof *to), rc;
    if (need == NULL || to == NULL) {
        rc = mien_err_mem(e, n * sizeof *to, "a plan");
        goto out;
    }
    mark_needed(c->from, out, nout, need);
    rc = copy_needed(c, need, to, e);
    for (int k = 0; rc == 0 && k < nout; k++) {
        c->p->out[k] = to[out[k]];
        c->uses[to[out[k]]]++;
    }
out:
    free(need);
    free(to);
    return rc;
}

/* With the compiler's and the plan's arrays there. */
static int compile(struct compiler *c, const struct model *m, const int *out, int nout,
                   struct mien_err *e)
{
    struct plan *p = c->p;
    int rc = needed_layers(c, out, nout, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < p->net.n; i++)
        c->value_of[i] = -1;
    if (p->bf16 != NULL && (rc = compile_expected(c, m, e)) < 0)
        return rc;
    for (int i = 0; i < p->net.n; i++) {
        if (compile_layer(c, i) < 0)
            return mien_err_mem(e, p->net.layer[i].param[0].count * sizeof(float), "weights");
    }
    for (int k = 0; k < nout; k++)
        p->out[k] = c->value_of[p->out[k]];
    if (p->bf16 != NULL)
        compile_bfloats(p);
    return 0;
}

int plan_compile(struct plan *p, const struct model *m, const int *out, int nout,
                 struct mien_err *e)
{
    size_t n = (size_t)m->net.n;
    struct compiler c = {.p = p, .weights = m->weights, .from = &m->net};
    c.uses = calloc(n, sizeof *c.uses);
    c.value_of = calloc(n, sizeof *c.value_of);
    c.origin = calloc(n, sizeof *c.origin);
    p->step = calloc(n, sizeof *p->step);
    p->value = calloc(n, sizeof *p->value);
    p->seg = calloc(n, sizeof *p->seg);
    p->out = calloc((size_t)nout, sizeof *p->out);
    p->nout = nout;
    int rc;
    if (c.uses == NULL || c.value_of == NULL || c.origin == NULL || p->step == NULL ||
        p->value == NULL || p->seg == NULL || p->out == NULL)
        rc = mien_err_mem(e, n * sizeof *p->step, "a plan");
    else
        rc = compile(&c, m, out, nout, e);
    free(c.uses);
    free(c.value_of);
    free(c.origin);
    arena_free(&c.means);
    return rc;
}
