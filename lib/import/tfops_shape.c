/* Ops without weights: pooling, paddings, shapes, inputs. */
#include "tfops.h"

#include <math.h>

int imp_pool(struct import *c, int i)
{
    struct layer l = layer_make("", c->g->node[i].op[0] == 'M' ? L_MAXPOOL : L_AVGPOOL);
    struct tf_value x;
    int k[4];
    if (imp_tensor(c, i, 0, &x) < 0 || imp_window(c, i, &l) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 4 || tf_ints(&c->g->node[i], "ksize", k, 4) != 4 || k[0] != 1 || k[3] != 1)
        return imp_fail(c, i, "it needs an image and a window [1, h, w, 1]");
    l.nin = 1;
    l.in[0] = x.layer;
    l.kh = k[1];
    l.kw = k[2];
    return imp_emit(c, i, imp_add_layer(c, i, &l), 4);
}

int imp_mean(struct import *c, int i)
{
    const struct tf_const *axes = imp_constant(c, i, 1);
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    bool good = x.rank == 4 && axes != NULL && axes->count == 2;
    if (good) {
        float a = axes->v[0] + (axes->v[0] < 0 ? 4 : 0), b = axes->v[1] + (axes->v[1] < 0 ? 4 : 0);
        good = (a == 1 && b == 2) || (a == 2 && b == 1);
    }
    if (!good)
        return imp_fail(c, i, "only a mean over the height and width of an image is supported");
    return imp_emit(c, i, imp_add_simple(c, i, x, L_GAP),
                    tf_bool(&c->g->node[i], "keep_dims") ? 4 : 2);
}

int imp_pad(struct import *c, int i)
{
    struct layer l = layer_make("", L_PAD);
    const struct tf_const *t = imp_constant(c, i, 1), *with = imp_constant(c, i, 2);
    struct tf_value x;
    int p[8];
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 4 || t == NULL || t->count != 8)
        return imp_fail(c, i, "only the padding of an image is supported");
    if (c->g->node[i].nin > 2 && (with == NULL || with->count != 1 || with->v[0] != 0))
        return imp_fail(c, i, "only padding with 0 is supported");
    for (int k = 0; k < 8; k++) {
        if (!(t->v[k] >= 0 && t->v[k] <= (k < 2 ? 0 : NET_MAX_EXTENT)))
            return imp_fail(c, i, "a padding of %g is not supported there", (double)t->v[k]);
        p[k] = (int)t->v[k];
    }
    l.nin = 1;
    l.in[0] = x.layer;
    l.pt = p[2], l.pb = p[3], l.pl = p[4], l.pr = p[5], l.cb = p[6], l.ca = p[7];
    return imp_emit(c, i, imp_add_layer(c, i, &l), 4);
}

/* Node i has x's elements in one row: rank 2, or 4 with the row in the channels. */
static int flatten(struct import *c, int i, struct tf_value x, int rank)
{
    struct shape s = imp_shape(c, x);
    if (s.h > 1 || s.w > 1)
        return imp_emit(c, i, imp_add_simple(c, i, x, L_FLATTEN), rank);
    x.rank = rank;
    return imp_pass(c, i, x);
}

/* A new shape for elements that stay in order. The batch has one image here. */
int imp_reshape(struct import *c, int i)
{
    const struct tf_const *t = imp_constant(c, i, 1);
    struct tf_value x;
    if (imp_any_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    struct shape s = imp_shape(c, x);
    double total = (double)shape_count(s), known = 1, d[TF_MAX_DIMS];
    if (t == NULL || t->count < 1 || t->count > TF_MAX_DIMS)
        return imp_fail(c, i, "a shape that isn't constant is not supported");
    int n = (int)t->count, open = -1;
    for (int k = 0; k < n; k++) {
        d[k] = t->v[k];
        if (d[k] == -1 && open < 0)
            open = k;
        else
            known *= d[k];
    }
    if (open >= 0)
        d[open] = total / known;
    if (open < 0 ? known != total : !(d[open] >= 1 && d[open] == floor(d[open])))
        return imp_fail(c, i, "the new shape doesn't hold the input's %.0f elements", total);
    if (n == 4 && d[0] == 1 && d[1] == s.h && d[2] == s.w && d[3] == s.c)
        x.rank = 4;
    else if (n == 2 && d[0] == 1 && !x.below6)
        return flatten(c, i, x, 2);
    else if (n == 4 && d[0] == 1 && d[1] == 1 && d[2] == 1 && !x.below6)
        return flatten(c, i, x, 4);
    else
        x.rank = 0;
    return imp_pass(c, i, x);
}

int imp_squeeze(struct import *c, int i)
{
    struct tf_value x;
    if (imp_any_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    x.rank = x.rank == 4 && imp_shape(c, x).h == 1 && imp_shape(c, x).w == 1 ? 2 : 0;
    return imp_pass(c, i, x);
}

/* An identity, or a constant, which has its value already. */
int imp_identity(struct import *c, int i)
{
    struct tf_value x;
    if (c->g->node[i].value != NULL || imp_constant(c, i, 0) != NULL)
        return 0;
    return imp_any_tensor(c, i, 0, &x) < 0 ? MIEN_ERR_FORMAT : imp_pass(c, i, x);
}

int imp_placeholder(struct import *c, int i)
{
    int d[4], rank = tf_shape(&c->g->node[i], "shape", d, 4);
    struct layer l = layer_make("input", L_INPUT);
    if (c->net->n > 0)
        return imp_fail(c, i, "a second input is not supported");
    if (rank == 4 && c->h > 0) {
        d[1] = c->h;
        d[2] = c->w;
    }
    if (rank == 4)
        l.shape = (struct shape){d[1], d[2], d[3]};
    else if (rank == 2)
        l.shape = (struct shape){1, 1, d[1]};
    else
        return imp_fail(c, i, "its shape is not [batch, height, width, channels]");
    if (l.shape.h < 1 || l.shape.w < 1 || l.shape.c < 1)
        return imp_fail(c, i, "its size is open; choose one with --size");
    return imp_emit(c, i, imp_add_layer(c, i, &l), rank);
}
