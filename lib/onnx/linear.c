/* Convolutions and matrix products: weights that are turned to the order of net.h. */
#include "ops.h"

#include <stdlib.h>
#include <string.h>

/* A convolution's weights of four dimensions, with a height of 1 where they have three. */
static int weights_of(struct build *b, const struct value *v, const struct constant **w, int dim[4])
{
    if ((*w = ob_constant(b, 1)) == NULL)
        return ob_fail(b, "its weights aren't constant");
    if ((v->rank != 4 && v->rank != 3) || (*w)->rank != v->rank)
        return ob_fail(b, "only images and rows of pixels are supported");
    if (v->dim[0] != 1)
        return ob_fail(b, "it reads %d images at a time", v->dim[0]);
    for (int k = 0; k < 4; k++)
        dim[k] = v->rank == 4 ? (*w)->dim[k] : k < 2 ? (*w)->dim[k] : k == 2 ? 1 : (*w)->dim[2];
    if ((*w)->count == 0)
        return ob_fail(b, "its weights are empty");
    return 0;
}

/* Fills parameter k of a layer with one number for each of n outputs. */
static int bias_of(struct build *b, int input, int layer, size_t n)
{
    const struct constant *t = ob_constant(b, input);
    if (ob_in(b, input) == NULL)
        return 0;
    if (t == NULL || t->count != n)
        return ob_fail(b, "its bias isn't one constant for each of %zu outputs", n);
    float *p = ob_param(b, layer, 1);
    for (size_t k = 0; k < n; k++)
        p[k] = (float)constant_get(t, k);
    return 0;
}

int op_conv_node(struct build *b)
{
    const struct constant *w;
    struct value v;
    int dim[4], groups = (int)onnx_int(b->node, "group", 1);
    if (ob_tensor(b, 0, &v) < 0 || weights_of(b, &v, &w, dim) < 0)
        return MIEN_ERR_FORMAT;
    int units = dim[0], inputs = dim[1], kh = dim[2], kw = dim[3];
    if (groups < 1 || (double)inputs * groups != v.dim[1] || units % groups != 0)
        return ob_fail(b, "its weights are for %d channels in %d groups, its input has %d", inputs,
                       groups, v.dim[1]);
    bool depthwise = groups == units && inputs == 1 && groups > 1;
    struct layer l = layer_make("", depthwise ? L_DWCONV : L_CONV);
    l.kh = kh, l.kw = kw, l.units = units, l.groups = depthwise ? 1 : groups;
    l.nin = 1;
    l.bias = ob_in(b, 2) != NULL;
    int rc = onnx_window(b, &v, &l);
    if (rc < 0 || (rc = ob_channels_last(b, &v)) < 0 || (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    int layer = ob_add(b, &l, 1);
    if (layer < 0)
        return layer;
    float *p = ob_param(b, layer, 0); /* [kh, kw, inputs, units] */
    size_t taps = (size_t)kh * (size_t)kw, from = 0;
    for (size_t o = 0; o < (size_t)units; o++) {
        for (size_t i = 0; i < (size_t)inputs; i++) {
            for (size_t t = 0; t < taps; t++, from++)
                p[(t * (size_t)inputs + i) * (size_t)units + o] = (float)constant_get(w, from);
        }
    }
    if (l.bias && bias_of(b, 2, layer, (size_t)units) < 0)
        return MIEN_ERR_FORMAT;
    return ob_emit_image(b, &v, layer);
}

/* The padding that makes a transposed convolution's output what output_shape or auto_pad asks for:
   total = stride (in - 1) + outpad + reach - out. */
static int stretched(struct build *b, const struct value *v, struct layer *l)
{
    int size[4], n = onnx_ints(b->node, "output_shape", size, 4);
    bool upper = onnx_text_is(b->node, "auto_pad", "SAME_UPPER", "NOTSET");
    bool lower = onnx_text_is(b->node, "auto_pad", "SAME_LOWER", "NOTSET");
    if (n < 0 && !upper && !lower)
        return 0;
    if (n >= 0 && n != v->rank - 2)
        return ob_fail(b, "its output's shape is not one of an image");
    for (int k = 0; k < 2; k++) {
        int in = k == 0 ? (v->rank == 4 ? v->dim[2] : 1) : v->dim[v->rank - 1];
        int s = k == 0 ? l->sh : l->sw,
            reach = ((k == 0 ? l->kh : l->kw) - 1) * (k == 0 ? l->dh : l->dw) + 1;
        int more = k == 0 ? l->oh : l->ow;
        double out = n < 0 ? (double)in * s : v->rank == 3 ? (k == 0 ? 1 : size[0]) : size[k];
        double total = (double)s * (in - 1) + more + reach - out;
        if (total < 0 || total > 1 << 20) /* an output that is larger than what reaches it */
            return ob_fail(b, "its output's shape is larger than what its input reaches");
        int all = (int)total, small = all / 2, large = all - small;
        int first = upper ? small : lower ? large : large, second = all - first;
        if (n >= 0 && !upper && !lower)
            first = large, second = small;
        *(k == 0 ? &l->pt : &l->pl) = first;
        *(k == 0 ? &l->pb : &l->pr) = second;
    }
    l->pad = PAD_EXPLICIT;
    return 0;
}

int op_conv_transpose(struct build *b)
{
    const struct constant *w;
    struct value v;
    int dim[4], more[2] = {0, 0}, groups = (int)onnx_int(b->node, "group", 1);
    if (ob_tensor(b, 0, &v) < 0 || weights_of(b, &v, &w, dim) < 0)
        return MIEN_ERR_FORMAT;
    int inputs = dim[0], each = dim[1], kh = dim[2], kw = dim[3];
    if (groups < 1 || inputs != v.dim[1] || inputs % groups != 0 || (double)each * groups > 1 << 24)
        return ob_fail(b, "its weights are for %d channels, its input has %d", inputs, v.dim[1]);
    struct layer l = layer_make("", L_TCONV);
    l.kh = kh, l.kw = kw, l.units = each * groups, l.groups = groups;
    l.nin = 1;
    l.bias = ob_in(b, 2) != NULL;
    int n = onnx_ints(b->node, "output_padding", more, 2);
    if (n > 0 && n != v.rank - 2)
        return ob_fail(b, "its output's padding is not one of an image");
    l.oh = n == 2 ? more[0] : 0;
    l.ow = n == 2 ? more[1] : n == 1 ? more[0] : 0;
    int rc = onnx_window(b, &v, &l);
    if (rc < 0 || (rc = stretched(b, &v, &l)) < 0 || (rc = ob_channels_last(b, &v)) < 0 ||
        (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    int layer = ob_add(b, &l, 1);
    if (layer < 0)
        return layer;
    float *p = ob_param(b, layer, 0); /* [inputs / groups, kh, kw, units] */
    size_t taps = (size_t)kh * (size_t)kw, from = 0, part = (size_t)(inputs / groups);
    for (size_t i = 0; i < (size_t)inputs; i++) {
        size_t g = i / part;
        for (size_t o = 0; o < (size_t)each; o++) {
            for (size_t t = 0; t < taps; t++, from++)
                p[(i % part * taps + t) * (size_t)l.units + g * (size_t)each + o] =
                    (float)constant_get(w, from);
        }
    }
    if (l.bias && bias_of(b, 2, layer, (size_t)l.units) < 0)
        return MIEN_ERR_FORMAT;
    return ob_emit_image(b, &v, layer);
}

/* --- Matrices ------------------------------------------------------------------------------- */

/* Whether a layer only reorders an image for a dense layer, whose weights can be reordered instead:
   then *from is the image, and place[k] is where element k of the row lies there. */
static bool reordered(const struct build *b, int layer, int *from, size_t *place, size_t n)
{
    const struct layer *l = &b->net.layer[layer];
    int index[NET_MAX_VIEW] = {0}, rank = 0;
    size_t stride[NET_MAX_VIEW], at = 0;
    while (l->type == L_RESHAPE)
        l = &b->net.layer[l->in[0]];
    if (l->type != L_PERMUTE)
        return false;
    *from = l->in[0];
    while (rank < NET_MAX_VIEW && l->view[rank] > 0)
        rank++;
    for (int k = rank - 1; k >= 0; k--)
        stride[k] = k == rank - 1 ? 1 : stride[k + 1] * (size_t)l->view[k + 1];
    for (size_t k = 0; k < n; k++) {
        place[k] = at;
        for (int d = rank - 1; d >= 0; d--) {
            at += stride[l->order[d]];
            if (++index[d] < l->view[l->order[d]])
                break;
            at -= stride[l->order[d]] * (size_t)l->view[l->order[d]];
            index[d] = 0;
        }
    }
    return true;
}

/* A dense layer of v's elements with weights [n, units], or [units, n] where they are turned,
   times alpha; or one for each row of n elements, which is a convolution of one pixel. */
static int product(struct build *b, struct value *v, const struct constant *w, bool turned,
                   double alpha, bool bias)
{
    size_t n = (size_t)w->dim[turned ? 1 : 0], units = (size_t)w->dim[turned ? 0 : 1];
    bool dense = extents(v->dim, v->rank) == n;
    if (v->rank < 1 || (size_t)v->dim[v->rank - 1] != n || n == 0 || units == 0)
        return ob_fail(b, "its weights are for %zu inputs, it has %d", n,
                       v->rank < 1 ? 0 : v->dim[v->rank - 1]);
    size_t *place = malloc(n * sizeof *place);
    if (place == NULL)
        return mien_err_mem(b->e, n * sizeof *place, "an order");
    for (size_t k = 0; k < n; k++)
        place[k] = k;
    int rc = ob_canonical(b, v), in = v->layer;
    if (rc == 0 && !(dense && reordered(b, v->layer, &in, place, n)))
        rc = in = ob_plain(b, v);
    struct layer l = ob_layer(dense ? L_DENSE : L_CONV, in);
    l.units = (int)units;
    l.bias = bias;
    if (rc >= 0)
        rc = ob_add(b, &l, 1);
    float *p = rc >= 0 ? ob_param(b, rc, 0) : NULL;
    for (size_t k = 0; rc >= 0 && k < n; k++) {
        for (size_t u = 0; u < units; u++)
            p[place[k] * units + u] =
                (float)(alpha * constant_get(w, turned ? u * n + k : k * units + u));
    }
    free(place);
    if (rc >= 0)
        v->dim[v->rank - 1] = (int)units;
    return rc;
}

/* Two matrices that layers make; one of them may be a constant, which then is the sum of what isn't
   there and it. */
static int multiply(struct build *b, struct value *x, struct value *y, struct value *out)
{
    int rank = x->rank > y->rank ? x->rank : y->rank;
    struct value *both[2] = {x, y};
    int layer[2], batch[2];
    if (x->rank < 2 || y->rank < 2)
        return ob_fail(b, "a product with a vector is not supported");
    for (int k = 0; k < 2; k++) {
        int rc = ob_canonical(b, both[k]);
        if (rc < 0)
            return rc;
        batch[k] = (int)extents(both[k]->dim, both[k]->rank - 2);
        if ((layer[k] = ob_plain(b, both[k])) < 0)
            return layer[k];
    }
    struct value *lead = batch[0] >= batch[1] && x->rank == rank ? x : y;
    if (batch[0] != batch[1] && batch[0] != 1 && batch[1] != 1)
        return ob_fail(b, "its inputs differ in shape");
    if (lead->rank != rank)
        return ob_fail(b, "its inputs differ in rank");
    *out = *lead;
    out->dim[rank - 2] = x->dim[x->rank - 2];
    out->dim[rank - 1] = y->dim[y->rank - 1];
    struct layer l = ob_layer(L_MATMUL, layer[0]);
    l.nin = 2;
    l.in[1] = layer[1];
    out->layer = ob_add(b, &l, -1);
    return out->layer < 0 ? out->layer : 0;
}

int op_matmul_node(struct build *b)
{
    struct value v, y, out;
    const struct constant *w = ob_constant(b, 1);
    if (w != NULL && w->rank == 2) {
        if (ob_tensor(b, 0, &v) < 0)
            return MIEN_ERR_FORMAT;
        return ob_emit(b, &v, product(b, &v, w, false, 1, false));
    }
    if (ob_tensor(b, 0, &v) < 0 || ob_tensor(b, 1, &y) < 0)
        return MIEN_ERR_FORMAT;
    int rc = multiply(b, &v, &y, &out);
    return rc < 0 ? rc : ob_out(b, 0, &out);
}

int op_gemm(struct build *b)
{
    struct value v, out;
    const struct constant *w = ob_constant(b, 1), *c = ob_constant(b, 2);
    double alpha = onnx_real(b->node, "alpha", 1), beta = onnx_real(b->node, "beta", 1);
    bool turned = onnx_int(b->node, "transB", 0) != 0;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (w == NULL || w->rank != 2 || v.rank != 2)
        return ob_fail(b, "it needs a matrix and constant weights");
    if (onnx_int(b->node, "transA", 0) != 0) {
        int d = v.dim[0], m = v.mem[0];
        v.dim[0] = v.dim[1], v.dim[1] = d;
        v.mem[0] = 1 - m, v.mem[1] = m;
        if (v.mem[0] == v.mem[1])
            return ob_fail(b, "its axes can't be told apart");
    }
    size_t units = (size_t)w->dim[turned ? 0 : 1];
    bool bias = c != NULL && (c->count == 1 || (c->count == units && c->rank > 0 &&
                                                (size_t)c->dim[c->rank - 1] == units));
    int layer = product(b, &v, w, turned, alpha, bias);
    if (layer < 0)
        return layer;
    v.layer = layer;
    for (size_t k = 0; bias && k < units; k++)
        ob_param(b, layer, 1)[k] = (float)(beta * constant_get(c, c->count == 1 ? 0 : k));
    if (bias || ob_in(b, 2) == NULL)
        return ob_out(b, 0, &v);
    /* A matrix of its own is added behind. */
    struct value *add = ob_in(b, 2), scaled = *add;
    int rc = 0;
    if (beta != 1) {
        struct constant room;
        float number = (float)beta;
        struct value factor = onnx_scalar(&room, &number);
        if (constant_is(&add->k)) {
            rc = constant_copy(&scaled.k, &add->k, b->e);
            for (size_t k = 0; rc == 0 && k < scaled.k.count; k++)
                constant_set(&scaled.k, k, beta * constant_get(&add->k, k));
        } else {
            rc = onnx_combine(b, L_MUL, add, &factor, &scaled);
        }
    }
    if (rc == 0)
        rc = onnx_combine(b, L_ADD, &v, &scaled, &out);
    if (scaled.k.f != add->k.f || scaled.k.i != add->k.i)
        constant_free(&scaled.k);
    return rc < 0 ? rc : ob_out(b, 0, &out);
}
