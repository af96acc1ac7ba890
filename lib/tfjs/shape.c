/* Ops without weights: pooling, paddings, shapes, inputs. */
#include "ops.h"

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

/* The axes that a node reduces, of an image or a row, or 0. */
static unsigned axes_of(const struct tf_const *t, int rank)
{
    static const unsigned image[] = {0, AXIS_H, AXIS_W, AXIS_C}, row[] = {0, AXIS_C};
    unsigned axes = 0;
    for (size_t k = 0; t != NULL && k < t->count; k++) {
        float v = t->v[k] + (t->v[k] < 0 ? (float)rank : 0);
        if (!(v >= 1 && v < (float)rank))
            return 0;
        axes |= (rank == 4 ? image : row)[(int)v];
    }
    return axes;
}

int imp_reduce(struct import *c, int i)
{
    const struct tf_node *n = &c->g->node[i];
    struct layer l = layer_make("", L_REDUCE);
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    l.axes = x.rank == 4 || x.rank == 2 ? axes_of(imp_constant(c, i, 1), x.rank) : 0;
    int rank = tf_bool(n, "keep_dims")                ? x.rank
               : x.rank == 2                          ? 1
               : l.axes == (AXIS_H | AXIS_W)          ? 2
               : l.axes == (AXIS_H | AXIS_W | AXIS_C) ? 1
                                                      : 0;
    if (l.axes == 0 || rank == 0)
        return imp_fail(c, i,
                        "it is supported over the height and width of an image, over all of "
                        "it, or over a row");
    if (n->op[1] == 'e' && l.axes == (AXIS_H | AXIS_W))
        return imp_emit(c, i, imp_add_simple(c, i, x, L_GAP), rank);
    l.kind = n->op[0] == 'S' ? REDUCE_SUM : n->op[1] == 'a' ? REDUCE_MAX : REDUCE_MEAN;
    l.nin = 1;
    l.in[0] = x.layer;
    return imp_emit(c, i, imp_add_layer(c, i, &l), rank);
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

int imp_expand(struct import *c, int i)
{
    const struct tf_const *axis = imp_constant(c, i, 1);
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 1 || axis == NULL || axis->count != 1 || (axis->v[0] != 1 && axis->v[0] != -1))
        return imp_fail(c, i, "only one number can become a row");
    x.rank = 2;
    return imp_pass(c, i, x);
}

/* A range of a row's elements, or one of them. */
int imp_slice(struct import *c, int i)
{
    const struct tf_node *n = &c->g->node[i];
    const struct tf_const *t[3]; /* begin, end, step */
    int begin = tf_int(n, "begin_mask"), end = tf_int(n, "end_mask"),
        one = tf_int(n, "shrink_axis_mask");
    struct layer l = layer_make("", L_SLICE);
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    int channels = imp_shape(c, x).c;
    for (int k = 0; k < 3; k++) {
        t[k] = imp_constant(c, i, k + 1);
        if (x.rank != 2 || t[k] == NULL || t[k]->count != 2 || (k == 2 && t[k]->v[1] != 1))
            return imp_fail(c, i, "only a slice of a row, in steps of 1, is supported");
    }
    if ((begin & 1) == 0 || (end & 1) == 0 || (one & 1) != 0 || t[2]->v[0] != 1 ||
        tf_int(n, "ellipsis_mask") != 0 || tf_int(n, "new_axis_mask") != 0)
        return imp_fail(c, i, "a slice of the batch is not supported");
    float from = begin & 2 ? 0 : t[0]->v[1], to = end & 2 ? (float)channels : t[1]->v[1];
    from += from < 0 ? (float)channels : 0;
    to = one & 2 ? from + 1 : to < 0 ? to + (float)channels : fminf(to, (float)channels);
    if (!(from >= 0 && from < to && to <= (float)channels))
        return imp_fail(c, i, "it is not within its input's %d elements", channels);
    l.nin = 1;
    l.in[0] = x.layer;
    l.at[2] = (int)from;
    for (int k = 0; k < 3; k++) {
        l.size[k] = k < 2 ? 1 : (int)to - (int)from;
        l.step[k] = 1;
    }
    return imp_emit(c, i, imp_add_layer(c, i, &l), one & 2 ? 1 : 2);
}

/* An identity, or a constant, which has its value already. */
int imp_identity(struct import *c, int i)
{
    struct tf_value x;
    if (c->g->node[i].value != NULL || imp_constant(c, i, 0) != NULL)
        return 0;
    return imp_any_tensor(c, i, 0, &x) < 0 ? MIEN_ERR_FORMAT : imp_pass(c, i, x);
}

/* An image of one channel is the brightness of one of three (ITU-R BT.601). */
static int gray(struct import *c, int i)
{
    static const float luma[3] = {0.299f, 0.587f, 0.114f};
    struct layer l = layer_make("gray", L_CONV);
    l.nin = 1;
    l.units = 1;
    l.bias = false;
    int layer = imp_add_layer(c, i, &l);
    for (int k = 0; layer >= 0 && k < 3; k++)
        imp_parameter(c, layer, 0)[k] = luma[k];
    return layer;
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
    bool one = rank == 4 && l.shape.c == 1;
    if (one)
        l.shape.c = 3;
    int layer = imp_add_layer(c, i, &l);
    if (layer >= 0 && one)
        layer = gray(c, i);
    if (imp_emit(c, i, layer, rank) < 0)
        return layer;
    c->value[i].shared |= one; /* its weights stay as they are */
    return 0;
}
