/* Ops whose constants become weights, and sums and concatenations of tensors. */
#include "graph/rectifier.h"
#include "ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Multiplies x's channels by scale and adds shift (doubles, a channel each): in the weights of the
   layer that makes x, or in a bn layer where that has none or others see x. */
static int affine(struct import *c, int i, struct tf_value x, const double *scale,
                  const double *shift)
{
    enum layer_type type = c->net->layer[x.layer].type;
    bool has_weights = type == L_CONV || type == L_DWCONV || type == L_DENSE || type == L_BN;
    size_t channels = (size_t)imp_shape(c, x).c;
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

/* Scales and shifts of n channels, 1 and 0; freed by the caller. */
static double *identity(struct import *c, size_t n)
{
    double *a = calloc(2 * n, sizeof *a);
    if (a == NULL)
        mien_err_mem(c->e, 2 * n * sizeof *a, "channels");
    for (size_t k = 0; a != NULL && k < n; k++)
        a[k] = 1;
    return a;
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
        strcat(out, "_linear"); /* for which imp_short_name leaves room */
}

/* Adds what the node has fused to its layer, whose output x nothing else sees. */
static int fuse(struct import *c, int i, struct tf_value x)
{
    const struct tf_node *n = &c->g->node[i];
    size_t channels = (size_t)imp_shape(c, x).c;
    int in = 2; /* behind the tensor and the weights */
    char op[32];
    imp_pass(c, i, x);
    for (size_t k = 0; tf_text(n, "fused_ops", k, op, sizeof op), op[0] != '\0'; k++) {
        if (strcmp(op, "BiasAdd") == 0) {
            const struct tf_const *bias = imp_per_channel(c, i, in++, channels);
            if (bias == NULL)
                return MIEN_ERR_FORMAT;
            for (size_t j = 0; j < channels; j++)
                imp_parameter(c, x.layer, 1)[j] = (float)imp_channel(bias, j);
            continue;
        }
        int rc = imp_activate(c, i, x, op, &in);
        if (rc < 0)
            return rc;
        x = c->value[i];
        x.shared = false;
    }
    return 0;
}

int imp_conv(struct import *c, int i)
{
    bool depthwise = strstr(c->g->node[i].op, "Depthwise") != NULL;
    const struct tf_const *w = imp_constant(c, i, 1);
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (x.rank != 4 || w == NULL || w->ndim != 4)
        return imp_fail(c, i, "it needs an image and constant weights of 4 dimensions");
    if (w->dim[2] != (size_t)imp_shape(c, x).c)
        return imp_fail(c, i, "its weights are for %zu channels, its input has %d", w->dim[2],
                        imp_shape(c, x).c);
    if (depthwise && w->dim[3] != 1)
        return imp_fail(c, i, "a depth multiplier of %zu is not supported", w->dim[3]);
    struct layer l = layer_make("", depthwise ? L_DWCONV : L_CONV);
    l.nin = 1;
    l.in[0] = x.layer;
    l.kh = (int)w->dim[0];
    l.kw = (int)w->dim[1];
    l.units = (int)w->dim[3];
    if (imp_window(c, i, &l) < 0)
        return MIEN_ERR_FORMAT;
    linear_name(c, i, w, l.name);
    x = (struct tf_value){.layer = imp_add_layer(c, i, &l), .rank = 4};
    if (x.layer < 0)
        return x.layer;
    memcpy(imp_parameter(c, x.layer, 0), w->v, w->count * sizeof *w->v);
    return fuse(c, i, x);
}

int imp_matmul(struct import *c, int i)
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
    if (in != shape_count(imp_shape(c, x)))
        return imp_fail(c, i, "its weights are for %zu inputs, it has %zu", in,
                        shape_count(imp_shape(c, x)));
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

int imp_batch_norm(struct import *c, int i)
{
    const struct tf_const *t[4]; /* scale, offset, mean, variance */
    struct tf_value x;
    double eps;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (imp_check_layout(c, i) < 0)
        return MIEN_ERR_FORMAT;
    if (tf_bool(&c->g->node[i], "is_training") || !tf_real(&c->g->node[i], "epsilon", &eps))
        return imp_fail(c, i, "it is for training, or has no epsilon");
    size_t channels = (size_t)imp_shape(c, x).c;
    for (int k = 0; k < 4; k++) {
        if ((t[k] = imp_per_channel(c, i, k + 1, channels)) == NULL)
            return MIEN_ERR_FORMAT;
    }
    double *a = identity(c, channels);
    if (a == NULL)
        return MIEN_ERR_MEM;
    for (size_t k = 0; k < channels; k++) {
        a[k] = imp_channel(t[0], k) / sqrt(imp_channel(t[3], k) + eps);
        a[channels + k] = imp_channel(t[1], k) - imp_channel(t[2], k) * a[k];
    }
    int rc = affine(c, i, x, a, a + channels);
    free(a);
    return rc;
}

/* --- Arithmetic ---------------------------------------------------------------------------- */

/* The rectifier that a sum or difference of two layers is: node i's output. Returns 1 or, where it is
   none, 0. */
static int whole_again(struct import *c, int i, const struct layer *sum, int rank)
{
    struct layer l;
    float *slope;
    double sign = sum->type == L_ADD ? 1 : -1;
    if (sum->nin != 2 || (sum->type != L_ADD && sum->type != L_SUB))
        return 0;
    int x = sum->in[0], y = sum->in[1];
    int rc = rectifier_of(c->net, c->weights, x, y, sign, &l, &slope, c->e);
    if (rc == 0 && sum->type == L_ADD)
        rc = rectifier_of(c->net, c->weights, y, x, sign, &l, &slope, c->e);
    if (rc <= 0)
        return rc;
    int layer = imp_add_layer(c, i, &l);
    if (layer >= 0 && slope != NULL)
        memcpy(imp_parameter(c, layer, 0), slope,
               c->net->layer[layer].param[0].count * sizeof *slope);
    free(slope);
    rc = imp_emit(c, i, layer, rank);
    return rc < 0 ? rc : 1;
}

int imp_join(struct import *c, int i, enum layer_type type, int n)
{
    struct layer l = layer_make("", type);
    struct tf_value x = {0};
    if (n < 1 || n > NET_MAX_IN)
        return imp_fail(c, i, "it has %d inputs, 1 to %d are supported", n, NET_MAX_IN);
    int rank = 0;
    for (int k = 0; k < n; k++) {
        if (imp_tensor(c, i, k, &x) < 0)
            return MIEN_ERR_FORMAT;
        if (k > 0 && x.rank != rank && type == L_CONCAT)
            return imp_fail(c, i, "its inputs differ in rank");
        rank = x.rank > rank ? x.rank : rank; /* a row is one of channels, as a layer has it */
        l.in[l.nin++] = x.layer;
    }
    int rc = whole_again(c, i, &l, rank);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return n == 1 ? imp_pass(c, i, x) : imp_emit(c, i, imp_add_layer(c, i, &l), rank);
}

/* Sums, differences, products and quotients. */
int imp_arithmetic(struct import *c, int i)
{
    const char *op = c->g->node[i].op;
    bool add = op[0] == 'A' || op[0] == 'B', sub = op[0] == 'S', mul = op[0] == 'M';
    int side = imp_constant(c, i, 1) != NULL ? 1 : 0; /* the constant's */
    struct tf_value x;
    if (imp_constant(c, i, side) == NULL)
        return imp_join(c, i, add ? L_ADD : sub ? L_SUB : mul ? L_MUL : L_DIV, 2);
    if (imp_tensor(c, i, 1 - side, &x) < 0)
        return MIEN_ERR_FORMAT;
    if (!add && !sub && !mul && side == 0) {
        x = (struct tf_value){.layer = imp_add_simple(c, i, x, L_RECIPROCAL), .rank = x.rank};
        if (x.layer < 0)
            return x.layer;
        mul = true;
    }
    size_t channels = (size_t)imp_shape(c, x).c;
    const struct tf_const *t = imp_per_channel(c, i, side, channels);
    if (t == NULL)
        return MIEN_ERR_FORMAT;
    double *a = identity(c, channels);
    if (a == NULL)
        return MIEN_ERR_MEM;
    for (size_t k = 0; k < channels; k++) {
        double v = imp_channel(t, k);
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

int imp_add_n(struct import *c, int i)
{
    return imp_join(c, i, L_ADD, c->g->node[i].nin);
}

int imp_concat(struct import *c, int i)
{
    int n = c->g->node[i].nin - 1;
    struct tf_value x;
    if (imp_tensor(c, i, 0, &x) < 0)
        return MIEN_ERR_FORMAT;
    const struct tf_const *axis = imp_constant(c, i, n);
    if (axis == NULL || axis->count != 1 || (axis->v[0] != -1 && axis->v[0] != x.rank - 1))
        return imp_fail(c, i, "only a concatenation of channels is supported");
    return imp_join(c, i, L_CONCAT, n);
}
