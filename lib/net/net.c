/* Layers: shapes, parameters, costs, initial values. The text of descriptions is in describe.c. */
#include "op.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/array.h"

struct layer layer_make(const char *name, enum layer_type type)
{
    const struct op *op = op_of(type);
    struct layer l = {.type = type, .rate = op->rate, .a = op->a, .b = op->b};
    snprintf(l.name, sizeof l.name, "%s", name);
    l.kh = l.kw = l.sh = l.sw = l.dh = l.dw = l.groups = 1;
    l.k = 1;
    l.bias = true;
    l.axes = AXIS_H | AXIS_W | AXIS_C;
    l.axis = 2;
    for (int i = 0; i < 3; i++)
        l.step[i] = 1;
    for (int i = 0; i < NET_MAX_VIEW; i++)
        l.order[i] = -1;
    return l;
}

int net_find(const struct net *net, const char *name)
{
    for (int i = 0; i < net->n; i++) {
        if (strcmp(net->layer[i].name, name) == 0)
            return i;
    }
    return -1;
}

void net_free(struct net *net)
{
    free(net->layer);
    *net = (struct net){0};
}

int net_add(struct net *net, const struct layer *from, struct mien_err *e)
{
    struct layer l = *from;
    l.nparam = 0;
    if (l.name[0] == '\0' || strpbrk(l.name, " \t\n,=#") != NULL)
        return op_bad(&l, e, "a name has no spaces, ',', '=' or '#'");
    if (net_find(net, l.name) >= 0)
        return op_bad(&l, e, "the name is taken");
    if (net->n == NET_MAX_LAYERS)
        return op_bad(&l, e, "there are too many layers");
    const struct op *op = op_of(l.type);
    int least = op->most > 0 ? op->least : 1, most = op->most > 0 ? op->most : 1;
    if ((l.type == L_INPUT) != (net->n == 0))
        return op_bad(&l, e, "the first layer, and no other, must be the input");
    if (l.type != L_INPUT && (l.nin < least || l.nin > most))
        return op_bad(&l, e,
                      most == 1   ? "it needs one input"
                      : most == 2 ? "it needs two inputs"
                                  : "it needs 2 to 8 inputs");
    if (l.type == L_INPUT)
        l.nin = 0;
    for (int i = 0; i < l.nin; i++) {
        if (l.in[i] < 0 || l.in[i] >= net->n)
            return op_bad(&l, e, "an input that isn't there");
    }
    if (l.type != L_INPUT) {
        l.shape = net->layer[l.in[0]].shape;
        if (op->shape != NULL && op->shape(net, &l, l.shape, e) < 0)
            return MIEN_ERR_ARG;
    }
    struct shape s = l.shape;
    if (s.h < 1 || s.w < 1 || s.c < 1 || s.h > NET_MAX_EXTENT || s.w > NET_MAX_EXTENT ||
        (double)s.h * s.w * s.c > MAX_OUTPUT)
        return op_bad(&l, e, op_too_large);
    size_t at = net->nweights;
    for (int i = 0; i < l.nparam; i++) {
        if (l.param[i].count > (size_t)1 << 31)
            return op_bad(&l, e, "it has too many parameters");
        l.param[i].at = at;
        at += (l.param[i].count + 15) & ~(size_t)15;
    }
    struct layer *p = array_grow(net->layer, (size_t)net->n, &net->cap, sizeof *p);
    if (p == NULL)
        return mien_err_mem(e, (size_t)net->n * sizeof *p, "layers");
    net->layer = p;
    net->layer[net->n] = l;
    net->nweights = at;
    return net->n++;
}

int net_ancestors(struct net *dst, const struct net *src, int last, int *map, struct mien_err *e)
{
    int *m = calloc((size_t)src->n, sizeof *m);
    if (m == NULL)
        return mien_err_mem(e, (size_t)src->n * sizeof *m, "layers");
    assert(last >= 0 && last < src->n);
    /* From the back, mark what is needed; from the front, copy it. */
    for (int i = 0; i < src->n; i++)
        m[i] = i == last ? 0 : -1;
    for (int i = last; i >= 0; i--) {
        for (int k = 0; m[i] == 0 && k < src->layer[i].nin; k++)
            m[src->layer[i].in[k]] = 0;
    }
    int rc = 0;
    for (int i = 0; i <= last && rc >= 0; i++) {
        if (m[i] < 0)
            continue;
        struct layer l = src->layer[i];
        for (int k = 0; k < l.nin; k++) {
            assert(l.in[k] >= 0 && l.in[k] < i && m[l.in[k]] >= 0);
            l.in[k] = m[l.in[k]];
        }
        rc = m[i] = net_add(dst, &l, e);
    }
    if (map != NULL)
        memcpy(map, m, (size_t)src->n * sizeof *m);
    free(m);
    return rc;
}

/* Whether the layer makes results: its units are classes, not features. */
static bool is_head(const struct net *net, int i)
{
    bool read = false;
    for (int k = i + 1; k < net->n; k++) {
        const struct layer *l = &net->layer[k];
        for (int j = 0; j < l->nin; j++) {
            if (l->in[j] == i && (l->type == L_SOFTMAX || l->type == L_SIGMOID))
                return true;
            read = read || l->in[j] == i;
        }
    }
    return !read;
}

static int scaled(int units, double width)
{
    double want = fmin(units * width, MAX_OUTPUT);
    double n = fmax(8, 8 * floor((want + 4) / 8));
    return (int)(n < 0.9 * want ? n + 8 : n);
}

int net_scale(struct net *dst, const struct net *src, int h, int w, double width,
              struct mien_err *e)
{
    for (int i = 0; i < src->n; i++) {
        struct layer l = src->layer[i];
        if (l.type == L_INPUT) {
            l.shape.h = h > 0 ? h : l.shape.h;
            l.shape.w = w > 0 ? w : l.shape.w;
        }
        if ((l.type == L_CONV || l.type == L_TCONV || l.type == L_DENSE) && width != 1 &&
            !is_head(src, i))
            l.units = scaled(l.units, width);
        int rc = net_add(dst, &l, e);
        if (rc < 0) {
            net_free(dst);
            return rc;
        }
    }
    return 0;
}

int net_resize(struct net *dst, const struct net *src, int h, int w, struct mien_err *e)
{
    int rc = net_scale(dst, src, h, w, 1, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < src->n; i++) {
        if (layer_params(&dst->layer[i]) == layer_params(&src->layer[i]))
            continue;
        net_free(dst);
        return mien_err_set(e, MIEN_ERR_FORMAT, "layer '%s' has no weights for an input of %dx%d",
                            src->layer[i].name, h, w);
    }
    return 0;
}

double layer_madds(const struct net *net, int i)
{
    const struct layer *l = &net->layer[i];
    const struct op *op = op_of(l->type);
    return op->madds != NULL ? op->madds(l, net->layer[l->in[0]].shape) : 0;
}

size_t layer_params(const struct layer *l)
{
    size_t n = 0;
    for (int i = 0; i < l->nparam; i++)
        n += l->param[i].count;
    return n;
}

/* Whether a relu of any kind reads the layer's output, directly or behind a bn. */
static bool rectified(const struct net *net, int i)
{
    for (int k = i + 1; k < net->n; k++) {
        const struct layer *l = &net->layer[k];
        if (l->nin != 1 || l->in[0] != i)
            continue;
        if (op_of(l->type)->is & OP_RELU)
            return true;
        if (l->type == L_BN && rectified(net, k))
            return true;
    }
    return false;
}

static void init_weight(const struct param *p, bool he, float *w, struct rng *r)
{
    double normal = sqrt(2 / p->fan_in), uniform = sqrt(6 / (p->fan_in + p->fan_out));
    for (size_t i = 0; i < p->count; i++)
        w[i] = (float)(he ? normal * rng_normal(r) : uniform * (2 * rng_uniform(r) - 1));
}

/* Biases with which all ranks are equally likely where the weights have nothing to say. */
static void init_ranks(float *bias, size_t n)
{
    for (size_t k = 0; k < n; k++)
        bias[k] = (float)log((double)(n - k) / (double)(k + 1));
}

void net_init(const struct net *net, float *w, uint64_t seed)
{
    memset(w, 0, net->nweights * sizeof *w);
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        struct rng r = {hash_bytes(seed, l->name, strlen(l->name))};
        for (int k = 0; k < l->nparam; k++) {
            const struct param *p = &l->param[k];
            if (p->fan_in > 0)
                init_weight(p, rectified(net, i), w + p->at, &r);
            else if (p->ranks)
                init_ranks(w + p->at, p->count);
            else
                for (size_t j = 0; j < p->count; j++)
                    w[p->at + j] = p->init;
        }
    }
}
