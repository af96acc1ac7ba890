/* Layers: shapes, parameters, costs, initial values. The text of descriptions is in describe.c. */
#include "net.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/array.h"

/* Elements that an output has at most, and what a layer may add to one side of it: sums of these
   don't overflow. */
enum { MAX_OUTPUT = 1 << 30, MAX_PADDING = 1 << 20 };
static const char too_large[] = "its output is empty or too large";

struct layer layer_make(const char *name, enum layer_type type)
{
    struct layer l = {.type = type, .kh = 1, .kw = 1, .sh = 1, .sw = 1, .groups = 1, .bias = true};
    snprintf(l.name, sizeof l.name, "%s", name);
    if (type == L_BN)
        l.rate = 0.001f;
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

static int bad(const struct layer *l, struct mien_err *e, const char *what)
{
    return mien_err_set(e, MIEN_ERR_ARG, "layer '%s': %s", l->name, what);
}

/* Resolves one dimension's padding and returns the output's extent, or 0 when there is none. */
static int window(int in, int k, int s, enum pad_mode mode, int *before, int *after)
{
    if (mode == PAD_SAME) {
        int out = (in + s - 1) / s, total = (out - 1) * s + k - in;
        if (total < 0)
            total = 0;
        *before = total / 2;
        *after = total - *before;
    }
    int room = in + *before + *after - k;
    return room < 0 ? 0 : room / s + 1;
}

static void param(struct layer *l, const char *name, bool trained, int ndim, size_t a, size_t b,
                  size_t c, size_t d)
{
    assert(l->nparam < NET_MAX_PARAMS);
    struct param *p = &l->param[l->nparam++];
    *p = (struct param){.name = name, .ndim = ndim, .dim = {a, b, c, d}, .trained = trained};
    p->count = 1;
    /* Beyond 2^31, which net_add refuses, it goes no further: no product wraps. */
    for (int i = 0; i < ndim && p->count <= (size_t)1 << 31; i++)
        p->count *= p->dim[i];
}

/* The output of a layer that slides a window over its input. */
static int slide(struct layer *l, struct shape in, struct mien_err *e)
{
    if (l->kh < 1 || l->kw < 1 || l->sh < 1 || l->sw < 1 || l->kh > 1024 || l->kw > 1024 ||
        l->sh > 1024 || l->sw > 1024)
        return bad(l, e, "kernel and stride must be 1 to 1024");
    if (l->pt < 0 || l->pb < 0 || l->pl < 0 || l->pr < 0)
        return bad(l, e, "a padding can't be negative");
    if (l->pad == PAD_VALID)
        l->pt = l->pb = l->pl = l->pr = 0;
    if (l->pad == PAD_EXPLICIT &&
        (l->pt >= l->kh || l->pb >= l->kh || l->pl >= l->kw || l->pr >= l->kw))
        return bad(l, e, "the padding is as large as the kernel");
    l->shape.h = window(in.h, l->kh, l->sh, l->pad, &l->pt, &l->pb);
    l->shape.w = window(in.w, l->kw, l->sw, l->pad, &l->pl, &l->pr);
    if (l->shape.h == 0 || l->shape.w == 0)
        return bad(l, e, "the kernel is larger than its input");
    l->shape.c = in.c;
    return 0;
}

/* The output of a pad layer. */
static int surround(struct layer *l, struct shape in, struct mien_err *e)
{
    const int side[] = {l->pt, l->pb, l->pl, l->pr, l->cb, l->ca};
    for (size_t i = 0; i < sizeof side / sizeof side[0]; i++) {
        if (side[i] < 0)
            return bad(l, e, "a padding can't be negative");
        if (side[i] > MAX_PADDING)
            return bad(l, e, too_large);
    }
    l->shape = (struct shape){in.h + l->pt + l->pb, in.w + l->pl + l->pr, in.c + l->cb + l->ca};
    return 0;
}

/* The output of an add or concat layer. */
static int combine(const struct net *net, struct layer *l, struct mien_err *e)
{
    struct shape a = l->shape;
    size_t channels = (size_t)a.c;
    for (int i = 1; i < l->nin; i++) {
        struct shape b = net->layer[l->in[i]].shape;
        if (a.h != b.h || a.w != b.w || (l->type == L_ADD && a.c != b.c))
            return bad(l, e, "its inputs differ in shape");
        channels += (size_t)b.c;
        if (l->type == L_CONCAT && channels > MAX_OUTPUT)
            return bad(l, e, too_large);
    }
    if (l->type == L_CONCAT)
        l->shape.c = (int)channels;
    return 0;
}

static int shape_of(const struct net *net, struct layer *l, struct mien_err *e)
{
    struct shape in = net->layer[l->in[0]].shape;
    size_t c = (size_t)in.c, units = (size_t)l->units;
    l->shape = in;
    switch (l->type) {
    case L_CONV:
        if (l->units < 1 || l->groups < 1 || in.c % l->groups != 0 || l->units % l->groups != 0)
            return bad(l, e, "units and groups don't fit its input's channels");
        if (slide(l, in, e) < 0)
            return MIEN_ERR_ARG;
        l->shape.c = l->units;
        param(l, "weight", true, 4, (size_t)l->kh, (size_t)l->kw, c / (size_t)l->groups, units);
        break;
    case L_DWCONV:
        l->units = in.c;
        if (slide(l, in, e) < 0)
            return MIEN_ERR_ARG;
        param(l, "weight", true, 3, (size_t)l->kh, (size_t)l->kw, c, 1);
        break;
    case L_DENSE:
    case L_CORAL:
        if (l->units < 1)
            return bad(l, e, "it needs at least one unit");
        l->shape = (struct shape){1, 1, l->units};
        if (l->type == L_DENSE)
            param(l, "weight", true, 2, shape_count(in), units, 1, 1);
        else
            param(l, "weight", true, 1, shape_count(in), 1, 1, 1);
        break;
    case L_BN:
        param(l, "gamma", true, 1, c, 1, 1, 1);
        param(l, "beta", true, 1, c, 1, 1, 1);
        param(l, "mean", false, 1, c, 1, 1, 1);
        param(l, "var", false, 1, c, 1, 1, 1);
        break;
    case L_PRELU:
        param(l, "slope", true, 1, c, 1, 1, 1);
        break;
    case L_MAXPOOL:
    case L_AVGPOOL:
        return slide(l, in, e);
    case L_GAP:
        l->shape = (struct shape){1, 1, in.c};
        break;
    case L_FLATTEN:
        l->shape = (struct shape){1, 1, (int)shape_count(in)};
        break;
    case L_DROPOUT:
        if (!(l->rate >= 0 && l->rate < 1))
            return bad(l, e, "the rate must be at least 0 and less than 1");
        break;
    case L_ADD:
    case L_CONCAT:
        return combine(net, l, e);
    case L_PAD:
        return surround(l, in, e);
    default:
        break;
    }
    bool biased = l->type == L_CONV || l->type == L_DWCONV || l->type == L_DENSE;
    if (l->type == L_CORAL || (biased && l->bias))
        param(l, "bias", true, 1, (size_t)l->units, 1, 1, 1);
    return 0;
}

int net_add(struct net *net, const struct layer *from, struct mien_err *e)
{
    struct layer l = *from;
    l.nparam = 0;
    if (l.name[0] == '\0' || strpbrk(l.name, " \t\n,=#") != NULL)
        return bad(&l, e, "a name has no spaces, ',', '=' or '#'");
    if (net_find(net, l.name) >= 0)
        return bad(&l, e, "the name is taken");
    if (net->n == NET_MAX_LAYERS)
        return bad(&l, e, "there are too many layers");
    bool many = l.type == L_ADD || l.type == L_CONCAT;
    if ((l.type == L_INPUT) != (net->n == 0))
        return bad(&l, e, "the first layer is the input, and no other");
    if (l.type != L_INPUT && (many ? l.nin < 2 || l.nin > NET_MAX_IN : l.nin != 1))
        return bad(&l, e, many ? "it needs 2 to 8 inputs" : "it needs one input");
    if (l.type == L_INPUT)
        l.nin = 0;
    for (int i = 0; i < l.nin; i++) {
        if (l.in[i] < 0 || l.in[i] >= net->n)
            return bad(&l, e, "an input that isn't there");
    }
    if (l.type != L_INPUT && shape_of(net, &l, e) < 0)
        return MIEN_ERR_ARG;
    struct shape s = l.shape;
    if (s.h < 1 || s.w < 1 || s.c < 1 || s.h > NET_MAX_EXTENT || s.w > NET_MAX_EXTENT ||
        (double)s.h * s.w * s.c > MAX_OUTPUT)
        return bad(&l, e, too_large);
    size_t at = net->nweights;
    for (int i = 0; i < l.nparam; i++) {
        if (l.param[i].count > (size_t)1 << 31)
            return bad(&l, e, "it has too many parameters");
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
    int *m = malloc((size_t)src->n * sizeof *m);
    if (m == NULL)
        return mien_err_mem(e, (size_t)src->n * sizeof *m, "layers");
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
        for (int k = 0; k < l.nin; k++)
            l.in[k] = m[l.in[k]];
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
        if ((l.type == L_CONV || l.type == L_DENSE) && width != 1 && !is_head(src, i))
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
    double out = (double)shape_count(l->shape);
    switch (l->type) {
    case L_CONV:
        return out * l->kh * l->kw * net->layer[l->in[0]].shape.c / l->groups;
    case L_DWCONV:
        return out * l->kh * l->kw;
    case L_DENSE:
        return out * (double)shape_count(net->layer[l->in[0]].shape);
    case L_CORAL:
        return (double)shape_count(net->layer[l->in[0]].shape);
    default:
        return 0;
    }
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
        if (l->type == L_RELU || l->type == L_RELU6 || l->type == L_PRELU)
            return true;
        if (l->type == L_BN && rectified(net, k))
            return true;
    }
    return false;
}

static void init_weight(const struct layer *l, const struct param *p, bool he, float *w,
                        struct rng *r)
{
    /* The products that one output sums, and the outputs that one input feeds. */
    double window = (double)l->kh * l->kw;
    double in = l->type == L_CONV ? (double)p->dim[2] : l->type == L_DWCONV ? 1 : (double)p->dim[0];
    double fan_in = window * in;
    double units = l->type == L_DWCONV || l->type == L_CORAL ? 1 : (double)l->units / l->groups;
    double fan_out = window * units;
    double normal = sqrt(2 / fan_in), uniform = sqrt(6 / (fan_in + fan_out));
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
            float *v = w + p->at, one = 0;
            if (strcmp(p->name, "weight") == 0) {
                init_weight(l, p, rectified(net, i), v, &r);
                continue;
            }
            if (l->type == L_CORAL) {
                init_ranks(v, p->count);
                continue;
            }
            if (strcmp(p->name, "gamma") == 0 || strcmp(p->name, "var") == 0)
                one = 1;
            else if (strcmp(p->name, "slope") == 0)
                one = 0.25f;
            for (size_t j = 0; j < p->count; j++)
                v[j] = one;
        }
    }
}
