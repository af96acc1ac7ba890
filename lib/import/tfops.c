/* The ops of a graph as layers: one function an op. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tfimport.h"

/* --- Building blocks ----------------------------------------------------------------------- */

static struct shape shape_of(const struct import *c, struct tf_value x)
{
    return c->net->layer[x.layer].shape;
}

/* Adds a layer of this type, with x as its only input. */
static int add_simple(struct import *c, int i, struct tf_value x, enum layer_type type)
{
    struct layer l = layer_make("", type);
    l.nin = 1;
    l.in[0] = x.layer;
    return imp_add_layer(c, i, &l);
}

/* Multiplies x's channels by scale and adds shift (doubles, a channel each): in the weights of the
   layer that makes x, or in a bn layer where that has none or others see x. */
static int affine(struct import *c, int i, struct tf_value x, const double *scale,
                  const double *shift)
{
    enum layer_type type = c->net->layer[x.layer].type;
    bool has_weights = type == L_CONV || type == L_DWCONV || type == L_DENSE || type == L_BN;
    size_t channels = (size_t)shape_of(c, x).c;
    if (!has_weights || x.shared) {
        struct layer l = layer_make("", L_BN);
        l.rate = 0;
        l.nin = 1;
        l.in[0] = x.layer;
        x = (struct tf_value){.layer = imp_add_layer(c, i, &l), .rank = x.rank};
        if (x.layer < 0)
            return x.layer;
        for (size_t k = 0; k < channels; k++)
            imp_parameter(c, x.layer, 0)[k] = imp_parameter(c, x.layer, 3)[k] = 1;
    }
    /* The first parameter is the factor, channels last, and the second one is added. */
    float *w = imp_parameter(c, x.layer, 0), *b = imp_parameter(c, x.layer, 1);
    for (size_t k = 0; k < c->net->layer[x.layer].param[0].count; k++)
        w[k] = (float)(w[k] * scale[k % channels]);
    for (size_t k = 0; k < channels; k++)
        b[k] = (float)(b[k] * scale[k] + shift[k]);
    return imp_pass(c, i, x);
}

/* Input k as one number a channel, or one for all. */
static const struct tf_const *per_channel(struct import *c, int i, int k, size_t channels)
{
    const struct tf_const *t = imp_constant(c, i, k);
    if (t == NULL)
        imp_fail(c, i, "input %d is no constant", k + 1);
    else if (t->count == 1 ||
             (t->count == channels && t->ndim > 0 && t->dim[t->ndim - 1] == channels))
        return t;
    else
        imp_fail(c, i, "constant '%s' is not one number or one a channel", t->name);
    return NULL;
}

static double channel(const struct tf_const *t, size_t k)
{
    return t->v[t->count == 1 ? 0 : k];
}

/* Scales and shifts of n channels, 1 and 0; freed by the caller. */
static double *identity(struct import *c, size_t n)
{
    double *a = malloc(2 * n * sizeof *a);
    if (a == NULL)
        mien_err_mem(c->e, 2 * n * sizeof *a, "channels");
    for (size_t k = 0; a != NULL && k < n; k++) {
        a[k] = 1;
        a[n + k] = 0;
    }
    return a;
}

/* --- Activations --------------------------------------------------------------------------- */

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
    return imp_emit(c, i, add_simple(c, i, x, high ? L_RELU6 : L_RELU), x.rank);
}

/* x's negative values are multiplied with input k. */
static int prelu(struct import *c, int i, struct tf_value x, int k)
{
    size_t channels = (size_t)shape_of(c, x).c;
    const struct tf_const *slope = per_channel(c, i, k, channels);
    if (slope == NULL)
        return MIEN_ERR_FORMAT;
    int layer = add_simple(c, i, x, L_PRELU);
    for (size_t j = 0; layer >= 0 && j < channels; j++)
        imp_parameter(c, layer, 0)[j] = (float)channel(slope, j);
    return imp_emit(c, i, layer, x.rank);
}

static int activate(struct import *c, int i, struct tf_value x, const char *name)
{
    if (strcmp(name, "Relu") == 0 || strcmp(name, "Relu6") == 0)
        return clamp(c, i, x, true, name[4] == '6');
    if (strcmp(name, "Sigmoid") == 0)
        return imp_emit(c, i, add_simple(c, i, x, L_SIGMOID), x.rank);
    return imp_fail(c, i, "the fused activation '%s' is not supported", name);
}

static int do_activation(struct import *c, int i)
{
    struct tf_value x;
    bool relu = c->g->node[i].op[0] == 'R'; /* which may follow a minimum */
    if ((relu ? imp_any_tensor(c, i, 0, &x) : imp_tensor(c, i, 0, &x)) < 0)
        return MIEN_ERR_FORMAT;
    return activate(c, i, x, c->g->node[i].op);
}

static int do_prelu(struct import *c, int i)
{
    struct tf_value x;
    return imp_tensor(c, i, 0, &x) < 0 ? MIEN_ERR_FORMAT : prelu(c, i, x, 1);
}

/* Minimum and Maximum with a constant on either side. */
static int do_bound(struct import *c, int i)
{
    struct tf_value x;
    bool high = strcmp(c->g->node[i].op, "Minimum") == 0;
    int side = imp_constant(c, i, 1) != NULL ? 1 : 0;
    const struct tf_const *t = imp_constant(c, i, side);
    if (imp_any_tensor(c, i, 1 - side, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (t == NULL || t->count != 1 || t->v[0] != (high ? 6 : 0))
        return imp_fail(c, i, "only maxima with 0 and minima with 6 are supported");
    return clamp(c, i, x, !high, high);
}

static int do_clip(struct import *c, int i)
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

static int do_softmax(struct import *c, int i)
{
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (shape_of(c, x).h != 1 || shape_of(c, x).w != 1)
        return imp_fail(c, i, "a softmax at every pixel is not supported");
    return imp_emit(c, i, add_simple(c, i, x, L_SOFTMAX), x.rank);
}

/* --- Layers with weights ------------------------------------------------------------------- */

/* The activation that a fused node ends in, or "". */
static void fused_activation(const struct tf_node *n, char name[32])
{
    char next[32] = "";
    size_t k = 0;
    do {
        strcpy(name, next);
        tf_text(n, "fused_ops", k++, next, sizeof next);
    } while (next[0] != '\0');
    if (strcmp(name, "BiasAdd") == 0)
        name[0] = '\0';
}

/* Names a layer with weights: after its node or, where that is named after what was merged into
   it, after the layer that its weights are named after. */
static void linear_name(const struct import *c, int i, const struct tf_const *w, char out[NET_NAME])
{
    char activation[32];
    fused_activation(&c->g->node[i], activation);
    imp_short_name(activation[0] == '\0' && strchr(w->name, '/') ? w->name : c->g->node[i].name,
                   out);
    if (activation[0] != '\0')
        strcat(out, "_linear"); /* clean leaves room */
}

/* Adds what the node has fused to its layer, whose output x nothing else sees. */
static int fuse(struct import *c, int i, struct tf_value x)
{
    const struct tf_node *n = &c->g->node[i];
    size_t channels = (size_t)shape_of(c, x).c;
    int in = 2; /* behind the tensor and the weights */
    char op[32];
    imp_pass(c, i, x);
    for (size_t k = 0; tf_text(n, "fused_ops", k, op, sizeof op), op[0] != '\0'; k++) {
        int rc;
        if (strcmp(op, "BiasAdd") == 0) {
            const struct tf_const *bias = per_channel(c, i, in++, channels);
            if (bias == NULL)
                return MIEN_ERR_FORMAT;
            for (size_t j = 0; j < channels; j++)
                imp_parameter(c, x.layer, 1)[j] = (float)channel(bias, j);
            continue;
        }
        rc = strcmp(op, "Prelu") == 0 ? prelu(c, i, x, in++) : activate(c, i, x, op);
        if (rc < 0)
            return rc;
        x = c->value[i];
        x.shared = false;
    }
    return 0;
}

/* Strides, padding and what else the nodes have that slide a window. */
static int window(struct import *c, int i, struct layer *l)
{
    const struct tf_node *n = &c->g->node[i];
    char text[32];
    int s[4], d[4], p[8], nd = tf_ints(n, "dilations", d, 4);
    tf_text(n, "data_format", 0, text, sizeof text);
    if (text[0] != '\0' && strcmp(text, "NHWC") != 0)
        return imp_fail(c, i, "data format %s is not supported, only NHWC", text);
    for (int k = 0; k < nd; k++) {
        if (d[k] != 1)
            return imp_fail(c, i, "a dilation of %d is not supported", d[k]);
    }
    if (tf_ints(n, "strides", s, 4) != 4 || s[0] != 1 || s[3] != 1)
        return imp_fail(c, i, "its strides are not [1, y, x, 1]");
    l->sh = s[1];
    l->sw = s[2];
    tf_text(n, "padding", 0, text, sizeof text);
    if (strcmp(text, "SAME") == 0) {
        l->pad = PAD_SAME;
    } else if (strcmp(text, "EXPLICIT") == 0 && tf_ints(n, "explicit_paddings", p, 8) == 8) {
        l->pad = PAD_EXPLICIT;
        l->pt = p[2], l->pb = p[3], l->pl = p[4], l->pr = p[5];
    } else if (strcmp(text, "VALID") != 0) {
        return imp_fail(c, i, "padding '%s' is not supported", text);
    }
    return 0;
}

static int do_conv(struct import *c, int i)
{
    bool depthwise = strstr(c->g->node[i].op, "Depthwise") != NULL;
    const struct tf_const *w = imp_constant(c, i, 1);
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 4 || w == NULL || w->ndim != 4)
        return imp_fail(c, i, "it needs an image and constant weights of 4 dimensions");
    if (w->dim[2] != (size_t)shape_of(c, x).c)
        return imp_fail(c, i, "its weights are for %zu channels, its input has %d", w->dim[2],
                        shape_of(c, x).c);
    if (depthwise && w->dim[3] != 1)
        return imp_fail(c, i, "a depth multiplier of %zu is not supported", w->dim[3]);
    struct layer l = layer_make("", depthwise ? L_DWCONV : L_CONV);
    l.nin = 1;
    l.in[0] = x.layer;
    l.kh = (int)w->dim[0];
    l.kw = (int)w->dim[1];
    l.units = (int)w->dim[3];
    if (window(c, i, &l) < 0)
        return MIEN_ERR_FORMAT;
    linear_name(c, i, w, l.name);
    x = (struct tf_value){.layer = imp_add_layer(c, i, &l), .rank = 4};
    if (x.layer < 0)
        return x.layer;
    memcpy(imp_parameter(c, x.layer, 0), w->v, w->count * sizeof *w->v);
    return fuse(c, i, x);
}

static int do_matmul(struct import *c, int i)
{
    const struct tf_node *n = &c->g->node[i];
    const struct tf_const *w = imp_constant(c, i, 1);
    bool turned = tf_bool(n, "transpose_b");
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 2 || w == NULL || w->ndim != 2 || tf_bool(n, "transpose_a"))
        return imp_fail(c, i, "it needs a vector and a constant matrix");
    size_t in = w->dim[turned ? 1 : 0], units = w->dim[turned ? 0 : 1];
    if (in != shape_count(shape_of(c, x)))
        return imp_fail(c, i, "its weights are for %zu inputs, it has %zu", in,
                        shape_count(shape_of(c, x)));
    struct layer l = layer_make("", L_DENSE);
    l.nin = 1;
    l.in[0] = x.layer;
    l.units = (int)units;
    linear_name(c, i, w, l.name);
    x = (struct tf_value){.layer = imp_add_layer(c, i, &l), .rank = 2};
    if (x.layer < 0)
        return x.layer;
    float *to = imp_parameter(c, x.layer, 0);
    for (size_t a = 0; a < in; a++) {
        for (size_t b = 0; b < units; b++)
            to[a * units + b] = w->v[turned ? b * in + a : a * units + b];
    }
    return fuse(c, i, x);
}

static int do_batch_norm(struct import *c, int i)
{
    const struct tf_const *t[4]; /* scale, offset, mean, variance */
    struct tf_value x;
    char format[32];
    double eps;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    tf_text(&c->g->node[i], "data_format", 0, format, sizeof format);
    if (format[0] != '\0' && strcmp(format, "NHWC") != 0)
        return imp_fail(c, i, "data format %s is not supported, only NHWC", format);
    if (tf_bool(&c->g->node[i], "is_training") || !tf_real(&c->g->node[i], "epsilon", &eps))
        return imp_fail(c, i, "it is for training, or has no epsilon");
    size_t channels = (size_t)shape_of(c, x).c;
    for (int k = 0; k < 4; k++) {
        if ((t[k] = per_channel(c, i, k + 1, channels)) == NULL)
            return MIEN_ERR_FORMAT;
    }
    double *a = identity(c, channels);
    if (a == NULL)
        return MIEN_ERR_MEM;
    for (size_t k = 0; k < channels; k++) {
        a[k] = channel(t[0], k) / sqrt(channel(t[3], k) + eps);
        a[channels + k] = channel(t[1], k) - channel(t[2], k) * a[k];
    }
    int rc = affine(c, i, x, a, a + channels);
    free(a);
    return rc;
}

/* --- Arithmetic ---------------------------------------------------------------------------- */

/* A sum or concatenation of the node's first n inputs. */
static int join(struct import *c, int i, enum layer_type type, int n)
{
    struct layer l = layer_make("", type);
    struct tf_value x = {0};
    if (n < 1 || n > NET_MAX_IN)
        return imp_fail(c, i, "it has %d inputs, 1 to %d are supported", n, NET_MAX_IN);
    for (int k = 0; k < n; k++) {
        int rank = x.rank;
        if (imp_tensor(c, i, k, &x) < 0)
            return MIEN_ERR_FORMAT;
        if (k > 0 && x.rank != rank)
            return imp_fail(c, i, "its inputs differ in rank");
        l.in[l.nin++] = x.layer;
    }
    return n == 1 ? imp_pass(c, i, x) : imp_emit(c, i, imp_add_layer(c, i, &l), x.rank);
}

/* Sums, differences, products and quotients of a tensor and a constant; sums of two tensors. */
static int do_arithmetic(struct import *c, int i)
{
    const char *op = c->g->node[i].op;
    bool add = op[0] == 'A' || op[0] == 'B', sub = op[0] == 'S', mul = op[0] == 'M';
    int side = imp_constant(c, i, 1) != NULL ? 1 : 0; /* the constant's */
    struct tf_value x;
    if (imp_constant(c, i, side) == NULL)
        return add ? join(c, i, L_ADD, 2)
                   : imp_fail(c, i, "only the sum of two tensors is supported");
    if (imp_tensor(c, i, 1 - side, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (!add && !sub && !mul && side == 0)
        return imp_fail(c, i, "a division by a tensor is not supported");
    size_t channels = (size_t)shape_of(c, x).c;
    const struct tf_const *t = per_channel(c, i, side, channels);
    if (t == NULL)
        return MIEN_ERR_FORMAT;
    double *a = identity(c, channels);
    if (a == NULL)
        return MIEN_ERR_MEM;
    for (size_t k = 0; k < channels; k++) {
        double v = channel(t, k);
        if (add || sub) {
            a[k] = sub && side == 0 ? -1 : 1;
            a[channels + k] = sub && side == 1 ? -v : v;
        } else {
            a[k] = mul ? v : 1 / v;
        }
    }
    int rc = affine(c, i, x, a, a + channels);
    free(a);
    return rc;
}

static int do_add_n(struct import *c, int i)
{
    return join(c, i, L_ADD, c->g->node[i].nin);
}

static int do_concat(struct import *c, int i)
{
    int n = c->g->node[i].nin - 1;
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    const struct tf_const *axis = imp_constant(c, i, n);
    if (axis == NULL || axis->count != 1 || (axis->v[0] != -1 && axis->v[0] != x.rank - 1))
        return imp_fail(c, i, "only a concatenation of channels is supported");
    return join(c, i, L_CONCAT, n);
}

/* --- Pooling and shapes -------------------------------------------------------------------- */

static int do_pool(struct import *c, int i)
{
    struct layer l = layer_make("", c->g->node[i].op[0] == 'M' ? L_MAXPOOL : L_AVGPOOL);
    struct tf_value x;
    int k[4];
    if (imp_tensor(c, i, 0, &x) < 0 || window(c, i, &l) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 4 || tf_ints(&c->g->node[i], "ksize", k, 4) != 4 || k[0] != 1 || k[3] != 1)
        return imp_fail(c, i, "it needs an image and a window [1, h, w, 1]");
    l.nin = 1;
    l.in[0] = x.layer;
    l.kh = k[1];
    l.kw = k[2];
    return imp_emit(c, i, imp_add_layer(c, i, &l), 4);
}

static int do_mean(struct import *c, int i)
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
    return imp_emit(c, i, add_simple(c, i, x, L_GAP), tf_bool(&c->g->node[i], "keep_dims") ? 4 : 2);
}

static int do_pad(struct import *c, int i)
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
    struct shape s = shape_of(c, x);
    if (s.h > 1 || s.w > 1)
        return imp_emit(c, i, add_simple(c, i, x, L_FLATTEN), rank);
    x.rank = rank;
    return imp_pass(c, i, x);
}

/* A new shape for elements that stay in order. The batch has one image here. */
static int do_reshape(struct import *c, int i)
{
    const struct tf_const *t = imp_constant(c, i, 1);
    struct tf_value x;
    if (imp_any_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    struct shape s = shape_of(c, x);
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

static int do_squeeze(struct import *c, int i)
{
    struct tf_value x;
    if (imp_any_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    x.rank = x.rank == 4 && shape_of(c, x).h == 1 && shape_of(c, x).w == 1 ? 2 : 0;
    return imp_pass(c, i, x);
}

/* An identity, or a constant, which has its value already. */
static int do_identity(struct import *c, int i)
{
    struct tf_value x;
    if (c->g->node[i].value != NULL || imp_constant(c, i, 0) != NULL)
        return 0;
    return imp_any_tensor(c, i, 0, &x) < 0 ? MIEN_ERR_FORMAT : imp_pass(c, i, x);
}

static int do_placeholder(struct import *c, int i)
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
        return imp_fail(c, i, "its size is open: choose one with --size");
    return imp_emit(c, i, imp_add_layer(c, i, &l), rank);
}

static const struct {
    const char *op;
    int (*convert)(struct import *c, int i);
} ops[] = {
    {"Const", do_identity},
    {"Placeholder", do_placeholder},
    {"Identity", do_identity},
    {"StopGradient", do_identity},
    {"Conv2D", do_conv},
    {"_FusedConv2D", do_conv},
    {"DepthwiseConv2dNative", do_conv},
    {"FusedDepthwiseConv2dNative", do_conv},
    {"_FusedDepthwiseConv2dNative", do_conv},
    {"MatMul", do_matmul},
    {"_FusedMatMul", do_matmul},
    {"FusedBatchNorm", do_batch_norm},
    {"FusedBatchNormV2", do_batch_norm},
    {"FusedBatchNormV3", do_batch_norm},
    {"Add", do_arithmetic},
    {"AddV2", do_arithmetic},
    {"BiasAdd", do_arithmetic},
    {"Sub", do_arithmetic},
    {"Mul", do_arithmetic},
    {"RealDiv", do_arithmetic},
    {"AddN", do_add_n},
    {"ConcatV2", do_concat},
    {"Relu", do_activation},
    {"Relu6", do_activation},
    {"Sigmoid", do_activation},
    {"Prelu", do_prelu},
    {"Minimum", do_bound},
    {"Maximum", do_bound},
    {"ClipByValue", do_clip},
    {"Softmax", do_softmax},
    {"MaxPool", do_pool},
    {"AvgPool", do_pool},
    {"Mean", do_mean},
    {"Pad", do_pad},
    {"PadV2", do_pad},
    {"Reshape", do_reshape},
    {"Squeeze", do_squeeze},
};

int imp_node(struct import *c, int i)
{
    for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
        if (strcmp(ops[k].op, c->g->node[i].op) == 0)
            return ops[k].convert(c, i);
    }
    return imp_fail(c, i, "the op is not supported");
}
