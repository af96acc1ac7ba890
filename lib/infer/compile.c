/* Compiling a network into steps. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/fold.h"
#include "kernel/kernels.h"
#include "plan_state.h"
#include "util/aligned.h"

/* Activations (floats) of a group that one step reads and writes: about the second-level cache. */
#define GROUP_FLOATS ((size_t)384 << 10)

struct compiler {
    struct plan *p;
    const float *weights; /* of the model */
    const struct net *from;
    int *uses;     /* how many layers read a layer's output; outputs count once more */
    int *value_of; /* the value that holds a layer's output */
    int *origin;   /* the layer's index in `from`, whose parameters lie in weights */
};

static const float *param_of(const struct compiler *c, int i, const char *name)
{
    const struct layer *l = &c->from->layer[c->origin[i]];
    for (int k = 0; k < l->nparam; k++) {
        if (strcmp(l->param[k].name, name) == 0)
            return c->weights + l->param[k].at;
    }
    return NULL;
}

/* A copy of n floats, or of NULL zeros. */
static float *copy_of(const float *src, size_t n)
{
    if (src == NULL)
        return aligned_zeros(n, sizeof(float));
    float *p = aligned_new(n, sizeof *p);
    if (p != NULL)
        memcpy(p, src, n * sizeof *p);
    return p;
}

/* The step makes layer k's output too, of which the layer before it had no other reader. */
static int take_over(const struct compiler *c, const struct step *s, int k)
{
    assert(c->value_of[k] < 0 && k > s->layer);
    c->value_of[k] = s->out;
    return k;
}

/* Takes over the sum of layer i and a value that is there already, if it is the only reader of i.
   Returns the last layer that the step now stands for. */
static int fuse_add(const struct compiler *c, struct step *s, int i)
{
    const struct net *net = &c->p->net;
    for (int k = i + 1; c->uses[i] == 1 && k < net->n; k++) {
        const struct layer *l = &net->layer[k];
        if (l->type != L_ADD || l->nin != 2 || (l->in[0] != i && l->in[1] != i))
            continue;
        int other = c->value_of[l->in[0] == i ? l->in[1] : l->in[0]];
        if (other < 0)
            break;
        s->in[s->nin++] = other;
        return take_over(c, s, k);
    }
    return i;
}

/* Takes over the activation that reads layer i, if it is the only reader. */
static void fuse_act(const struct compiler *c, struct step *s, int i)
{
    int k = fold_reader(&c->p->net, c->uses, i);
    if (k < 0)
        return;
    const struct layer *l = &c->p->net.layer[k];
    if (l->type == L_RELU)
        s->act = ACT_RELU;
    else if (l->type == L_RELU6)
        s->act = ACT_RELU6;
    else if (l->type == L_PRELU &&
             (s->slope = copy_of(param_of(c, k, "slope"), (size_t)l->shape.c)))
        s->act = ACT_PRELU;
    else
        return;
    take_over(c, s, k);
}

static int new_value(struct compiler *c, int layer)
{
    struct plan *p = c->p;
    p->value[p->nvalue] = (struct plan_value){.count = shape_count(p->net.layer[layer].shape)};
    c->value_of[layer] = p->nvalue;
    return p->nvalue++;
}

static void at_least(size_t *room, size_t need)
{
    need = (need + 63) & ~(size_t)63;
    *room = need > *room ? need : *room;
}

int plan_group(const struct plan *p, const struct step *s)
{
    size_t floats = p->value[s->out].count;
    for (int k = 0; k < s->nin; k++)
        floats += p->value[s->in[k]].count;
    int g = 1;
    while (g < p->batch && floats * 4 * (size_t)g <= GROUP_FLOATS)
        g *= 4;
    return g < p->batch ? g : p->batch;
}

/* The kernels of a convolution or dense layer; that of conv.h does all of them. */
enum kernel { KERNEL_CONV, KERNEL_WINOGRAD, KERNEL_INT8 };

static enum kernel kernel_of(const struct plan *p, const struct layer *l)
{
    const struct layer *before = &p->net.layer[l->in[0]];
    if (p->int8 != NULL && before->type != L_INPUT && conv_int8_fits(l, before->shape))
        return KERNEL_INT8;
    return winograd_fits(p->simd, l, before->shape) ? KERNEL_WINOGRAD : KERNEL_CONV;
}

/* Sets the kernel of a convolution or dense layer up, and the room it needs: returns 0 or
   MIEN_ERR_MEM.
 */
static int prepare_conv(struct plan *p, struct step *s, const struct tail *tail)
{
    const struct layer *l = &p->net.layer[s->layer];
    struct shape in = p->net.layer[l->in[0]].shape;
    switch (kernel_of(p, l)) {
    case KERNEL_INT8:
        s->conv_int8 = calloc(1, sizeof *s->conv_int8);
        if (s->conv_int8 == NULL || conv_int8_make(s->conv_int8, p->int8, l, in, s->w, tail) < 0)
            return MIEN_ERR_MEM;
        at_least(&p->scratch, conv_int8_scratch(s->conv_int8, (size_t)plan_group(p, s)));
        at_least(&p->zeros, conv_int8_zeros(s->conv_int8));
        break;
    case KERNEL_WINOGRAD:
        s->winograd = calloc(1, sizeof *s->winograd);
        if (s->winograd == NULL || winograd_make(s->winograd, p->simd, l, in, s->w, tail) < 0)
            return MIEN_ERR_MEM;
        at_least(&p->scratch, winograd_scratch(s->winograd));
        at_least(&p->zeros, winograd_zeros(s->winograd));
        break;
    default:
        if (conv_make(&s->conv, p->simd, l, in, s->w, tail) < 0)
            return MIEN_ERR_MEM;
        at_least(&p->scratch, conv_scratch(&s->conv));
        at_least(&p->zeros, conv_zeros(&s->conv));
    }
    free(s->w);
    s->w = NULL;
    return 0;
}

/* Sets a step's kernel up, and the room it needs: returns 0 or MIEN_ERR_MEM. */
static int prepare(struct plan *p, struct step *s)
{
    const struct layer *l = &p->net.layer[s->layer];
    const struct tail tail = {s->bias, s->act, s->slope};
    struct shape in = p->net.layer[l->in[0]].shape;
    if (l->type == L_CONV || l->type == L_DENSE)
        return prepare_conv(p, s, &tail);
    if (l->type == L_DWCONV) {
        s->depthwise = depthwise_make(p->simd, l, in, s->w, &tail);
        at_least(&p->scratch, depthwise_scratch(&s->depthwise));
        at_least(&p->zeros, (size_t)in.c);
    }
    return 0;
}

/* Copies of layer i's weights and bias, zeros where it has no bias. */
static int copy_params(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    s->w = copy_of(param_of(c, i, "weight"), l->param[0].count);
    s->bias = copy_of(param_of(c, i, "bias"), (size_t)l->units);
    return s->w == NULL || s->bias == NULL ? MIEN_ERR_MEM : 0;
}

/* A convolution or dense layer, with what can be applied to its sums. */
static int compile_sums(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    int last = i, bn = fold_bn_behind(&c->p->net, c->uses, i);
    if (copy_params(c, s, i) < 0)
        return MIEN_ERR_MEM;
    if (bn >= 0) {
        fold_bn(&c->from->layer[c->origin[bn]], c->weights, s->w, l->param[0].count, s->bias);
        last = take_over(c, s, bn);
    }
    if (l->type != L_DWCONV && kernel_of(c->p, l) != KERNEL_WINOGRAD)
        last = fuse_add(c, s, last);
    fuse_act(c, s, last);
    return 0;
}

/* A bn layer of its own: a scale and a shift for each channel. */
static int compile_bn(const struct compiler *c, struct step *s, int i)
{
    int channels = c->p->net.layer[i].shape.c;
    s->w = copy_of(NULL, (size_t)channels);
    s->bias = copy_of(NULL, (size_t)channels);
    if (s->w == NULL || s->bias == NULL)
        return MIEN_ERR_MEM;
    for (int ch = 0; ch < channels; ch++) {
        double scale, shift;
        fold_bn_scale(&c->from->layer[c->origin[i]], c->weights, ch, &scale, &shift);
        s->w[ch] = (real)scale;
        s->bias[ch] = (real)shift;
    }
    return 0;
}

/* What step s, which is layer i alone so far, computes. */
static int compile_step(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    switch (l->type) {
    case L_CONV:
    case L_DWCONV:
    case L_DENSE:
        return compile_sums(c, s, i);
    case L_CORAL:
        return copy_params(c, s, i);
    case L_BN:
        return compile_bn(c, s, i);
    case L_ADD:
        fuse_act(c, s, i);
        return 0;
    case L_PRELU:
        s->slope = copy_of(param_of(c, i, "slope"), (size_t)l->shape.c);
        s->act = ACT_PRELU;
        return s->slope == NULL ? MIEN_ERR_MEM : 0;
    case L_RELU:
    case L_RELU6:
        s->act = k_act(l->type);
        return 0;
    default:
        return 0;
    }
}

/* Makes the step for layer i, and for those it can take over: returns 0 or MIEN_ERR_MEM. Layers
   that were taken over have their value set, which is how they are recognised. */
static int compile_layer(struct compiler *c, int i)
{
    struct plan *p = c->p;
    const struct layer *l = &p->net.layer[i];
    if (c->value_of[i] >= 0)
        return 0;
    if (l->type == L_FLATTEN || l->type == L_DROPOUT) {
        c->value_of[i] = c->value_of[l->in[0]];
        return 0;
    }
    struct step *s = &p->step[p->nstep++];
    *s = (struct step){.layer = i, .nin = l->nin};
    for (int k = 0; k < l->nin; k++) {
        s->in[k] = c->value_of[l->in[k]];
        assert(s->in[k] >= 0); /* layers come after those that they read, and so do values */
    }
    s->out = new_value(c, i);
    if (compile_step(c, s, i) < 0)
        return MIEN_ERR_MEM;
    return prepare(p, s);
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
static int compile(struct compiler *c, const int *out, int nout, struct mien_err *e)
{
    struct plan *p = c->p;
    int rc = needed_layers(c, out, nout, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < p->net.n; i++)
        c->value_of[i] = -1;
    for (int i = 0; i < p->net.n; i++) {
        if (compile_layer(c, i) < 0)
            return mien_err_mem(e, p->net.layer[i].param[0].count * sizeof(float), "weights");
    }
    for (int k = 0; k < nout; k++)
        p->out[k] = c->value_of[p->out[k]];
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
        rc = compile(&c, out, nout, e);
    free(c.uses);
    free(c.value_of);
    free(c.origin);
    return rc;
}
