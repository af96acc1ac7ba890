#include "rectifier.h"

#include <math.h>
#include <stdlib.h>

/* How many layers are followed up, from the sum to where it begins, and how many are looked at in
   all: more than any exporter makes of a rectifier, few enough for a hostile file. */
enum { DEEP = 6, MOST = 16 };

/* Of one channel, as a multiple of the root's value where that is above 0, and where below. */
struct slopes {
    double above, below;
};

struct walk {
    const struct net *net;
    const float *weights;
    int root, left; /* layers that may still be looked at */
};

static bool same_shape(struct shape a, struct shape b)
{
    return a.h == b.h && a.w == b.w && a.c == b.c;
}

/* The constant of channel k that a layer combines its value with; false where it isn't one number or
   one a channel. */
static bool constant_of(const struct walk *w, const struct layer *l, int k, double *v)
{
    if (l->nin != 1 || l->nparam != 1 || l->size[0] != 1 || l->size[1] != 1)
        return false;
    *v = (double)w->weights[l->param[0].at + (l->size[2] == 1 ? 0 : (size_t)k)];
    return true;
}

/* The factor of a bn layer that only multiplies. */
static bool bn_factor(const struct walk *w, const struct layer *l, int k, double *v)
{
    const float *p[4]; /* gamma, beta, mean, variance */
    for (int i = 0; i < 4; i++)
        p[i] = w->weights + l->param[i].at;
    *v = (double)p[0][k] / sqrt((double)p[3][k] + (double)l->rate);
    return p[1][k] == 0 && p[2][k] == 0;
}

/* What a layer is of the root, in channel k. False where it isn't that. */
static bool slopes_of(struct walk *w, int layer, int k, struct slopes *s)
{
    const struct layer *l = &w->net->layer[layer];
    struct slopes other;
    double v;
    *s = (struct slopes){1, 1};
    if (layer == w->root)
        return true;
    if (layer < w->root || w->left-- == 0 || l->nin < 1 ||
        !same_shape(l->shape, w->net->layer[w->root].shape) || !slopes_of(w, l->in[0], k, s))
        return false;
    switch (l->type) {
    case L_RELU:
        *s = (struct slopes){fmax(s->above, 0), fmin(s->below, 0)};
        return true;
    case L_ABS:
        *s = (struct slopes){fabs(s->above), -fabs(s->below)};
        return true;
    case L_NEG:
        *s = (struct slopes){-s->above, -s->below};
        return true;
    case L_MAX:
    case L_MIN:
        if (!constant_of(w, l, k, &v) || v != 0)
            return false;
        *s = l->type == L_MAX ? (struct slopes){fmax(s->above, 0), fmin(s->below, 0)}
                              : (struct slopes){fmin(s->above, 0), fmax(s->below, 0)};
        return true;
    case L_MUL:
    case L_BN:
        if (!(l->type == L_MUL ? constant_of(w, l, k, &v) : bn_factor(w, l, k, &v)))
            return false;
        *s = (struct slopes){v * s->above, v * s->below};
        return true;
    case L_ADD:
    case L_SUB:
        if (l->nin != 2 || !slopes_of(w, l->in[1], k, &other))
            return false;
        v = l->type == L_ADD ? 1 : -1;
        *s = (struct slopes){s->above + v * other.above, s->below + v * other.below};
        return true;
    default:
        return false;
    }
}

/* The slope below 0 of x + sign y in channel k, if they are a rectifier of the root. */
static bool slope_of(struct walk w, int x, int y, double sign, int k, float *slope)
{
    struct slopes a, b;
    w.left = MOST;
    if (!slopes_of(&w, x, k, &a) || !slopes_of(&w, y, k, &b) ||
        !(fabs(a.above + sign * b.above - 1) < 1e-6))
        return false;
    *slope = (float)(a.below + sign * b.below);
    return isfinite(*slope);
}

int rectifier_of(const struct net *net, const float *weights, int x, int y, double sign,
                 struct layer *l, float **slope, struct mien_err *e)
{
    struct walk w = {.net = net, .weights = weights, .root = -1};
    float first = 1, s;
    int channels = net->layer[x].shape.c;
    bool good = true, alike = true;
    *slope = NULL;
    /* The farthest: what is rectified before needn't be a layer of its own. */
    for (int n = 0, root = x; n < DEEP; n++) {
        struct walk from = {net, weights, root, 0};
        if (slope_of(from, x, y, sign, 0, &s)) {
            w.root = root;
            first = s;
        }
        if (net->layer[root].nin < 1)
            break;
        root = net->layer[root].in[0];
    }
    if (w.root < 0)
        return 0;
    float *all = malloc((size_t)channels * sizeof *all);
    if (all == NULL)
        return mien_err_mem(e, (size_t)channels * sizeof *all, "slopes");
    for (int k = 0; good && k < channels; k++) {
        good = slope_of(w, x, y, sign, k, &all[k]);
        alike = good && alike && all[k] == first;
    }
    if (!good || (alike && first == 1)) {
        free(all);
        return 0;
    }
    *l = layer_make("", !alike ? L_PRELU : first == 0 ? L_RELU : L_LEAKY);
    l->nin = 1;
    l->in[0] = w.root;
    if (l->type == L_LEAKY)
        l->a = first;
    if (alike)
        free(all);
    else
        *slope = all;
    return 1;
}
