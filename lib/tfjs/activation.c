/* Activations: nodes of their own, and those fused into others. */
#include "ops.h"

#include <string.h>

/* The maximum of x and 0, when low, and the minimum with 6, when high: together with what x is
   already. */
static int clamp(struct import *c, int i, struct tf_value x, bool low, bool high)
{
    enum layer_type type = c->net->layer[x.layer].type;
    bool was_low = type == L_RELU || type == L_RELU6;
    high = high || x.below6;
    x.below6 = false;
    if (was_low && (!high || type == L_RELU6))
        return imp_pass(c, i, x);
    if (was_low && !x.shared) {
        c->net->layer[x.layer].type = L_RELU6;
        return imp_pass(c, i, x);
    }
    if (!low && !was_low) {
        x.below6 = true;
        return imp_pass(c, i, x);
    }
    return imp_emit(c, i, imp_add_simple(c, i, x, high ? L_RELU6 : L_RELU), x.rank);
}

/* x's negative values are multiplied by input k. */
static int prelu(struct import *c, int i, struct tf_value x, int k)
{
    size_t channels = (size_t)imp_shape(c, x).c;
    const struct tf_const *slope = imp_per_channel(c, i, k, channels);
    if (slope == NULL)
        return MIEN_ERR_FORMAT;
    int layer = imp_add_simple(c, i, x, L_PRELU);
    for (size_t j = 0; layer >= 0 && j < channels; j++)
        imp_parameter(c, layer, 0)[j] = (float)imp_channel(slope, j);
    return imp_emit(c, i, layer, x.rank);
}

int imp_activate(struct import *c, int i, struct tf_value x, const char *name, int *k)
{
    if (strcmp(name, "Relu") == 0 || strcmp(name, "Relu6") == 0)
        return clamp(c, i, x, true, name[4] == '6');
    if (strcmp(name, "Sigmoid") == 0)
        return imp_emit(c, i, imp_add_simple(c, i, x, L_SIGMOID), x.rank);
    if (strcmp(name, "Prelu") == 0)
        return prelu(c, i, x, (*k)++);
    return imp_fail(c, i, "the fused activation '%s' is not supported", name);
}

int imp_activation(struct import *c, int i)
{
    struct tf_value x;
    int slope = 1;                          /* the input that is a prelu's */
    bool relu = c->g->node[i].op[0] == 'R'; /* which may follow a minimum */
    if ((relu ? imp_any_tensor(c, i, 0, &x) : imp_tensor(c, i, 0, &x)) < 0)
        return MIEN_ERR_FORMAT;
    return imp_activate(c, i, x, c->g->node[i].op, &slope);
}

int imp_unary(struct import *c, int i)
{
    const char *op = c->g->node[i].op;
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (strcmp(op, "Square") == 0) {
        struct layer l = layer_make("", L_MUL);
        l.nin = 2;
        l.in[0] = l.in[1] = x.layer;
        return imp_emit(c, i, imp_add_layer(c, i, &l), x.rank);
    }
    int layer = imp_add_simple(c, i, x,
                               op[0] == 'A'   ? L_ABS
                               : op[0] == 'N' ? L_NEG
                               : op[0] == 'T' ? L_TANH
                                              : L_SQRT);
    if (layer >= 0 && op[0] == 'R') {
        x.layer = layer;
        layer = imp_add_simple(c, i, x, L_RECIPROCAL);
    }
    return imp_emit(c, i, layer, x.rank);
}

/* The smaller or larger of each element and a constant, one or one a channel, input k. */
static int bound(struct import *c, int i, struct tf_value x, int k, enum layer_type type)
{
    size_t channels = (size_t)imp_shape(c, x).c;
    const struct tf_const *t = imp_per_channel(c, i, k, channels);
    struct layer l = layer_make("", type);
    if (t == NULL)
        return MIEN_ERR_FORMAT;
    l.nin = 1;
    l.in[0] = x.layer;
    l.size[0] = l.size[1] = 1;
    l.size[2] = (int)channels;
    int layer = imp_add_layer(c, i, &l);
    for (size_t j = 0; layer >= 0 && j < channels; j++)
        imp_parameter(c, layer, 0)[j] = (float)imp_channel(t, j);
    return imp_emit(c, i, layer, x.rank);
}

/* Minimum and Maximum: of two tensors, or with a constant on either side. */
int imp_bound(struct import *c, int i)
{
    struct tf_value x;
    bool high = strcmp(c->g->node[i].op, "Minimum") == 0;
    int side = imp_constant(c, i, 1) != NULL ? 1 : 0;
    const struct tf_const *t = imp_constant(c, i, side);
    enum layer_type type = high ? L_MIN : L_MAX;
    if (t == NULL)
        return imp_join(c, i, type, 2);
    if (t->count != 1 || t->v[0] != (high ? 6 : 0))
        return imp_tensor(c, i, 1 - side, &x) < 0 ? MIEN_ERR_FORMAT : bound(c, i, x, side, type);
    if (imp_any_tensor(c, i, 1 - side, &x) < 0)
        return MIEN_ERR_FORMAT;
    return clamp(c, i, x, !high, high);
}

int imp_clip(struct import *c, int i)
{
    struct tf_value x;
    const struct tf_const *low = imp_constant(c, i, 1), *high = imp_constant(c, i, 2);
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (low == NULL || high == NULL || low->count != 1 || high->count != 1 || low->v[0] != 0 ||
        high->v[0] != 6)
        return imp_fail(c, i, "only clipping to 0 and 6 is supported");
    return clamp(c, i, x, true, true);
}

int imp_softmax(struct import *c, int i)
{
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (imp_shape(c, x).h != 1 || imp_shape(c, x).w != 1)
        return imp_fail(c, i, "a softmax at every pixel is not supported");
    return imp_emit(c, i, imp_add_simple(c, i, x, L_SOFTMAX), x.rank);
}
