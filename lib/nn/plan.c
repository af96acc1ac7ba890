/* Compiling a network into steps over reused memory, and running them. */
#include "mien/plan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conv.h"
#include "conv8.h"
#include "depthwise.h"
#include "fold.h"
#include "kernels.h"
#include "winograd.h"

/* Activations (floats) of a group that one step reads and writes: about the second-level cache. */
#define GROUP_FLOATS ((size_t)384 << 10)

/* A value is what a step makes. A local value lives within one segment and has room for a group of
   images; one that a later segment reads has room for the whole batch. */
struct value {
    size_t count; /* elements an image */
    bool batch;
    size_t at; /* where it lies in the work space, in floats */
};

struct step {
    int layer;                    /* in plan->net */
    int nin, in[NET_MAX_IN], out; /* values */
    real *w, *bias, *slope;       /* owned by the plan; for L_BN scale and shift */
    enum act act;
    struct conv conv;           /* L_CONV, L_DENSE */
    struct winograd *winograd;  /* or this */
    struct conv8 *conv8;        /* or this */
    struct depthwise depthwise; /* L_DWCONV */
};

/* Steps [first, end) that run over groups of `group` images. */
struct segment {
    int first, end, group;
};

struct plan {
    const struct simd *simd;
    const struct eight *eight; /* NULL: all in floats */
    struct net net;
    struct model_input input;
    struct step *step;
    int nstep;
    struct value *value;
    int nvalue;
    struct segment *seg;
    int nseg;
    int *out; /* values */
    int nout, batch;
    size_t floats;  /* for values in a work space */
    size_t scratch; /* bytes for a step's own use */
    size_t zeros;   /* floats that stay zero */
};

struct plan_work {
    float *mem;
    size_t bytes; /* of mem */
    void *scratch;
    float *zeros;
    double *seconds; /* the caller's, a step each, or NULL */
};

/* --- Compiling ------------------------------------------------------------------------------ */

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

static real *copy_of(const float *src, size_t n)
{
    real *p = aligned_alloc(64, (n * sizeof *p + 63) & ~(size_t)63);
    if (p != NULL && src != NULL)
        memcpy(p, src, n * sizeof *p);
    else if (p != NULL)
        memset(p, 0, n * sizeof *p);
    return p;
}

/* The step makes layer k's output too, of which the layer before it had no other reader. */
static int take_over(const struct compiler *c, const struct step *s, int k)
{
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
    p->value[p->nvalue] = (struct value){.count = shape_count(p->net.layer[layer].shape)};
    c->value_of[layer] = p->nvalue;
    return p->nvalue++;
}

static void at_least(size_t *room, size_t need)
{
    need = (need + 63) & ~(size_t)63;
    *room = need > *room ? need : *room;
}

/* A power of four of images, at most the batch, whose values of one step fit the cache. */
static int group_of(const struct plan *p, const struct step *s)
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
enum kernel { KERNEL_CONV, KERNEL_WINOGRAD, KERNEL_EIGHT };

static enum kernel kernel_of(const struct plan *p, const struct layer *l)
{
    const struct layer *before = &p->net.layer[l->in[0]];
    if (p->eight != NULL && before->type != L_INPUT && conv8_fits(l, before->shape))
        return KERNEL_EIGHT;
    return winograd_fits(p->simd, l, before->shape) ? KERNEL_WINOGRAD : KERNEL_CONV;
}

/* Sets the kernel of a convolution or dense layer up, and the room it needs: returns 0 or ERR_MEM.
 */
static int prepare_conv(struct plan *p, struct step *s, const struct tail *tail)
{
    const struct layer *l = &p->net.layer[s->layer];
    struct shape in = p->net.layer[l->in[0]].shape;
    switch (kernel_of(p, l)) {
    case KERNEL_EIGHT:
        s->conv8 = calloc(1, sizeof *s->conv8);
        if (s->conv8 == NULL || conv8_make(s->conv8, p->eight, l, in, s->w, tail) < 0)
            return ERR_MEM;
        at_least(&p->scratch, conv8_scratch(s->conv8, (size_t)group_of(p, s)));
        at_least(&p->zeros, conv8_zeros(s->conv8));
        break;
    case KERNEL_WINOGRAD:
        s->winograd = calloc(1, sizeof *s->winograd);
        if (s->winograd == NULL || winograd_make(s->winograd, p->simd, l, in, s->w, tail) < 0)
            return ERR_MEM;
        at_least(&p->scratch, winograd_scratch(s->winograd));
        at_least(&p->zeros, winograd_zeros(s->winograd));
        break;
    default:
        if (conv_make(&s->conv, p->simd, l, in, s->w, tail) < 0)
            return ERR_MEM;
        at_least(&p->scratch, conv_scratch(&s->conv));
        at_least(&p->zeros, conv_zeros(&s->conv));
    }
    free(s->w);
    s->w = NULL;
    return 0;
}

/* Sets a step's kernel up, and the room it needs: returns 0 or ERR_MEM. */
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

/* Makes the step for layer i, and for those it can take over: returns 0 or ERR_MEM. Layers that
   were taken over have their value set, which is how they are recognised. */
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
    for (int k = 0; k < l->nin; k++)
        s->in[k] = c->value_of[l->in[k]];
    s->out = new_value(c, i);
    if (l->type == L_CONV || l->type == L_DWCONV || l->type == L_DENSE) {
        size_t n = l->param[0].count;
        int last = i;
        s->w = copy_of(param_of(c, i, "weight"), n);
        s->bias = copy_of(param_of(c, i, "bias"), (size_t)l->units);
        if (s->w == NULL || s->bias == NULL)
            return ERR_MEM;
        int bn = fold_bn_behind(&p->net, c->uses, i);
        if (bn >= 0) {
            fold_bn(&c->from->layer[c->origin[bn]], c->weights, s->w, n, s->bias);
            last = take_over(c, s, bn);
        }
        if (l->type != L_DWCONV && kernel_of(p, l) != KERNEL_WINOGRAD)
            last = fuse_add(c, s, last);
        fuse_act(c, s, last);
    } else if (l->type == L_CORAL) {
        s->w = copy_of(param_of(c, i, "weight"), l->param[0].count);
        s->bias = copy_of(param_of(c, i, "bias"), l->param[1].count);
        if (s->w == NULL || s->bias == NULL)
            return ERR_MEM;
    } else if (l->type == L_ADD) {
        fuse_act(c, s, i);
    } else if (l->type == L_BN) {
        s->w = copy_of(NULL, (size_t)l->shape.c);
        s->bias = copy_of(NULL, (size_t)l->shape.c);
        if (s->w == NULL || s->bias == NULL)
            return ERR_MEM;
        for (int ch = 0; ch < l->shape.c; ch++) {
            double scale, shift;
            fold_bn_scale(&c->from->layer[c->origin[i]], c->weights, ch, &scale, &shift);
            s->w[ch] = (real)scale;
            s->bias[ch] = (real)shift;
        }
    } else if (l->type == L_PRELU) {
        s->slope = copy_of(param_of(c, i, "slope"), (size_t)l->shape.c);
        if (s->slope == NULL)
            return ERR_MEM;
        s->act = ACT_PRELU;
    } else if (l->type == L_RELU || l->type == L_RELU6) {
        s->act = k_act(l->type);
    }
    return prepare(p, s);
}

/* --- Memory --------------------------------------------------------------------------------- */

static void make_segments(struct plan *p)
{
    for (int i = 0; i < p->nstep; i++) {
        int g = group_of(p, &p->step[i]);
        if (p->nseg == 0 || p->seg[p->nseg - 1].group != g)
            p->seg[p->nseg++] = (struct segment){i, i, g};
        p->seg[p->nseg - 1].end = i + 1;
    }
}

static int segment_of(const struct plan *p, int step)
{
    int s = 0;
    while (p->seg[s].end <= step)
        s++;
    return s;
}

/* Gives every value its place: those whose lives overlap don't. First fit, in order of birth. */
static int place_values(struct plan *p, struct err *e)
{
    struct life {
        int from, to;
        size_t at, size;
    } *life = calloc((size_t)p->nvalue, sizeof *life);
    if (life == NULL)
        return err_mem(e, (size_t)p->nvalue * sizeof *life, "a plan");
    for (int i = 0; i < p->nstep; i++) {
        const struct step *s = &p->step[i];
        life[s->out].from = life[s->out].to = i;
        for (int k = 0; k < s->nin; k++)
            life[s->in[k]].to = i;
    }
    for (int k = 0; k < p->nout; k++)
        life[p->out[k]].to = p->nstep - 1;
    int placed = 0; /* values are numbered in order of birth */
    for (int v = 0; v < p->nvalue; v++, placed++) {
        struct life *a = &life[v];
        int born = segment_of(p, a->from), dies = segment_of(p, a->to);
        int images = p->seg[born].group;
        bool kept = false;
        for (int k = 0; k < p->nout; k++)
            kept = kept || p->out[k] == v;
        if (born != dies || kept) {
            /* Other groups of its segments run while it is held. */
            p->value[v].batch = true;
            images = p->batch;
            a->from = p->seg[born].first;
            a->to = p->seg[dies].end - 1;
        }
        a->size = (p->value[v].count * (size_t)images + 15) & ~(size_t)15;
        for (bool moved = true; moved;) {
            moved = false;
            for (int u = 0; u < placed; u++) {
                const struct life *b = &life[u];
                if (b->to >= a->from && b->from <= a->to && b->at < a->at + a->size &&
                    a->at < b->at + b->size) {
                    a->at = b->at + b->size;
                    moved = true;
                }
            }
        }
        p->value[v].at = a->at;
        if (a->at + a->size > p->floats)
            p->floats = a->at + a->size;
    }
    free(life);
    return 0;
}

/* --- Making and freeing --------------------------------------------------------------------- */

/* Copies the layers that the outputs need; origin[i] is layer i's index in the model. */
static int needed_layers(struct compiler *c, const int *out, int nout, struct err *e)
{
    const struct net *from = c->from;
    bool *need = calloc((size_t)from->n, sizeof *need);
    int *to = calloc((size_t)from->n, sizeof *to);
    int rc = need == NULL || to == NULL ? err_mem(e, (size_t)from->n, "a plan") : 0;
    for (int k = 0; rc == 0 && k < nout; k++)
        need[out[k]] = true;
    for (int i = from->n - 1; rc == 0 && i >= 0; i--) {
        for (int k = 0; need[i] && k < from->layer[i].nin; k++)
            need[from->layer[i].in[k]] = true;
    }
    for (int i = 0; rc >= 0 && i < from->n; i++) {
        if (!need[i])
            continue;
        struct layer l = from->layer[i];
        for (int k = 0; k < l.nin; k++) {
            l.in[k] = to[l.in[k]];
            c->uses[l.in[k]]++;
        }
        rc = to[i] = net_add(&c->p->net, &l, e);
        if (rc >= 0)
            c->origin[to[i]] = i;
    }
    for (int k = 0; rc >= 0 && k < nout; k++) {
        c->p->out[k] = to[out[k]];
        c->uses[to[out[k]]]++;
    }
    free(need);
    free(to);
    return rc < 0 ? rc : 0;
}

static int compile(struct plan *p, const struct model *m, const int *out, int nout, struct err *e)
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
    int rc = 0;
    if (c.uses == NULL || c.value_of == NULL || c.origin == NULL || p->step == NULL ||
        p->value == NULL || p->seg == NULL || p->out == NULL)
        rc = err_mem(e, n * sizeof *p->step, "a plan");
    p->nout = nout;
    if (rc == 0)
        rc = needed_layers(&c, out, nout, e);
    for (int i = 0; rc == 0 && i < p->net.n; i++)
        c.value_of[i] = -1;
    for (int i = 0; rc == 0 && i < p->net.n; i++) {
        if (compile_layer(&c, i) < 0)
            rc = err_mem(e, p->net.layer[i].param[0].count * sizeof(float), "weights");
    }
    for (int k = 0; rc == 0 && k < nout; k++)
        p->out[k] = c.value_of[p->out[k]];
    free(c.uses);
    free(c.value_of);
    free(c.origin);
    return rc;
}

struct plan *plan_new(const struct model *m, const int *out, int nout, int batch,
                      enum precision precision, struct err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    if (p == NULL) {
        err_mem(e, sizeof *p, "a plan");
        return NULL;
    }
    p->batch = batch;
    p->simd = simd_choose(e);
    if (p->simd != NULL && precision == PRECISION_INT8)
        p->eight = eight_choose(p->simd);
    if (p->simd == NULL || model_input(m, &p->input, e) < 0 || compile(p, m, out, nout, e) < 0) {
        plan_free(p);
        return NULL;
    }
    make_segments(p);
    if (place_values(p, e) < 0) {
        plan_free(p);
        return NULL;
    }
    if (openblas_get_num_threads() != 1) /* where it is, other threads may be making plans too */
        openblas_set_num_threads(1);
    return p;
}

void plan_free(struct plan *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->nstep; i++) {
        free(p->step[i].w);
        free(p->step[i].bias);
        free(p->step[i].slope);
        conv_free(&p->step[i].conv);
        if (p->step[i].winograd != NULL)
            winograd_free(p->step[i].winograd);
        free(p->step[i].winograd);
        if (p->step[i].conv8 != NULL)
            conv8_free(p->step[i].conv8);
        free(p->step[i].conv8);
    }
    free(p->step);
    free(p->value);
    free(p->seg);
    free(p->out);
    net_free(&p->net);
    free(p);
}

size_t plan_out_count(const struct plan *p, int k)
{
    return p->value[p->out[k]].count;
}

size_t plan_work_bytes(const struct plan *p)
{
    return (p->floats + p->zeros) * sizeof(float) + p->scratch;
}

int plan_work_refit(struct plan_work *w, const struct plan *p, struct err *e)
{
    size_t bytes = (plan_work_bytes(p) + 63) & ~(size_t)63;
    if (bytes > w->bytes) {
        free(w->mem);
        w->mem = aligned_alloc(64, bytes);
        w->bytes = w->mem != NULL ? bytes : 0;
        if (w->mem == NULL)
            return err_mem(e, bytes, "a network's work space");
    }
    w->zeros = w->mem + p->floats;
    w->scratch = w->zeros + p->zeros;
    memset(w->zeros, 0, p->zeros * sizeof *w->zeros);
    return 0;
}

struct plan_work *plan_work_new(const struct plan *p, struct err *e)
{
    struct plan_work *w = calloc(1, sizeof *w);
    if (w == NULL)
        err_mem(e, sizeof *w, "a network's work space");
    else if (plan_work_refit(w, p, e) < 0) {
        free(w);
        w = NULL;
    }
    return w;
}

void plan_work_free(struct plan_work *w)
{
    if (w != NULL)
        free(w->mem);
    free(w);
}

/* --- Running -------------------------------------------------------------------------------- */

static float *value_at(const struct plan *p, const struct plan_work *w, int v, int first)
{
    const struct value *value = &p->value[v];
    return w->mem + value->at + (value->batch ? (size_t)first * value->count : 0);
}

static void run_input(const struct plan *p, const void *const *in, float *y, int n, size_t count)
{
    const struct model_input *mi = &p->input;
    for (int i = 0; i < n; i++, y += count) {
        if (mi->h > 0)
            k_pixels(in[i], y, count / 3, mi->bgr, mi->mean, mi->scale);
        else
            memcpy(y, in[i], count * sizeof *y);
    }
}

static void run_concat(const struct plan *p, const struct plan_work *w, const struct step *s,
                       float *y, int first, size_t n)
{
    const struct layer *l = &p->net.layer[s->layer];
    size_t rows = (size_t)l->shape.h * (size_t)l->shape.w * n;
    for (int k = 0, at = 0; k < s->nin; k++) {
        int c = p->net.layer[l->in[k]].shape.c;
        k_place(value_at(p, w, s->in[k], first), c, y, at, l->shape.c, rows);
        at += c;
    }
}

/* Runs one step on images [first, first + n). */
static void run_step(const struct plan *p, struct plan_work *w, const struct step *s,
                     const void *const *in, int first, int count)
{
    const struct layer *l = &p->net.layer[s->layer];
    size_t n = (size_t)count, out = p->value[s->out].count;
    float *y = value_at(p, w, s->out, first);
    if (l->type == L_INPUT) {
        run_input(p, in + first, y, count, out);
        return;
    }
    const float *x = value_at(p, w, s->in[0], first);
    const float *add = s->nin > 1 ? value_at(p, w, s->in[1], first) : NULL;
    struct shape is = p->net.layer[l->in[0]].shape;
    size_t rows = out / (size_t)l->shape.c * n;
    struct tail tail = {s->bias, s->act, s->slope};
    switch (l->type) {
    case L_CONV:
    case L_DENSE:
        if (s->winograd != NULL)
            winograd_run(s->winograd, x, y, n, w->zeros, w->scratch);
        else if (s->conv8 != NULL)
            conv8_run(s->conv8, x, add, y, n, w->zeros, w->scratch);
        else
            conv_run(&s->conv, x, add, y, n, w->zeros, w->scratch);
        break;
    case L_DWCONV:
        depthwise_run(&s->depthwise, x, y, n, w->zeros, w->scratch);
        break;
    case L_CORAL:
        k_coral(shape_count(is), l->units, s->w, s->bias, x, y, n);
        break;
    case L_BN:
        k_scale(y, x, rows, l->shape.c, s->w, s->bias);
        break;
    case L_RELU:
    case L_RELU6:
    case L_PRELU:
        memcpy(y, x, n * out * sizeof *y);
        k_tail(y, rows, l->shape.c, &tail);
        break;
    case L_SIGMOID:
        k_sigmoid(x, y, n * out);
        break;
    case L_SOFTMAX:
        k_softmax(x, y, out, n);
        break;
    case L_L2NORM:
        k_l2norm(x, y, out, n);
        break;
    case L_MAXPOOL:
        k_maxpool(l, is, x, y, NULL, n);
        break;
    case L_AVGPOOL:
        k_avgpool(l, is, x, y, n);
        break;
    case L_GAP:
        k_gap(is, x, y, n);
        break;
    case L_ADD:
        k_sum(y, x, add, n * out);
        for (int k = 2; k < s->nin; k++)
            k_add(y, value_at(p, w, s->in[k], first), n * out);
        k_tail(y, rows, l->shape.c, &tail);
        break;
    case L_CONCAT:
        run_concat(p, w, s, y, first, n);
        break;
    case L_PAD:
        k_pad(l, is, x, y, n);
        break;
    case L_INPUT:
    case L_FLATTEN:
    case L_DROPOUT:
        break;
    }
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void plan_run(const struct plan *p, struct plan_work *w, const void *const *in, int n,
              float *const *out)
{
    for (int s = 0; s < p->nseg; s++) {
        const struct segment *seg = &p->seg[s];
        for (int first = 0; first < n; first += seg->group) {
            int count = n - first < seg->group ? n - first : seg->group;
            for (int i = seg->first; i < seg->end; i++) {
                double from = w->seconds != NULL ? thread_seconds() : 0;
                run_step(p, w, &p->step[i], in, first, count);
                if (w->seconds != NULL)
                    w->seconds[i] += thread_seconds() - from;
            }
        }
    }
    for (int k = 0; k < p->nout; k++)
        memcpy(out[k], value_at(p, w, p->out[k], 0),
               (size_t)n * plan_out_count(p, k) * sizeof(float));
}

const char *plan_simd(const struct plan *p)
{
    return p->eight != NULL ? p->eight->name : p->simd->name;
}

int plan_steps(const struct plan *p)
{
    return p->nstep;
}

const struct layer *plan_step(const struct plan *p, int i, double *madds)
{
    *madds = layer_madds(&p->net, p->step[i].layer);
    return &p->net.layer[p->step[i].layer];
}

void plan_time(struct plan_work *w, double *seconds)
{
    w->seconds = seconds;
}
