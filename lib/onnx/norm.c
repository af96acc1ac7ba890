/* Normalization, softmax, reductions: what looks at some axes at once. */
#include "ops.h"

#include <math.h>
#include <string.h>

/* Splits the axes in memory's order into parts of one kind, in the set or not; axes of 1 are of
   any. Returns how many parts, at most 4, with their extents. */
static int parts(const struct value *v, unsigned set, int extent[4], bool in[4])
{
    int n = 0;
    for (int k = 0; k < v->rank; k++) {
        int a = v->mem[k];
        bool mine = set >> a & 1;
        if (v->dim[a] == 1)
            continue;
        if (n > 0 && in[n - 1] == mine) {
            extent[n - 1] *= v->dim[a];
            continue;
        }
        if (n == 4)
            return 4;
        in[n] = mine;
        extent[n++] = v->dim[a];
    }
    return n;
}

/* Whether the value's own shape has each side in the set, or not, as a whole. */
static bool plain_apart(const struct value *v, unsigned set, unsigned *axes)
{
    int kind[3] = {-1, -1, -1};
    for (int k = 0; k < v->rank; k++) {
        int a = v->mem[k], side = k == v->rank - 1 ? 2 : k == v->rank - 2 ? 1 : 0;
        int mine = set >> a & 1;
        if (v->dim[a] == 1)
            continue;
        if (kind[side] >= 0 && kind[side] != mine)
            return false;
        kind[side] = mine;
    }
    *axes = 0;
    for (int side = 0; side < 3; side++)
        *axes |= kind[side] == 1 ? 1U << side : 0;
    return true;
}

int onnx_apart(struct build *b, struct value *v, unsigned set, unsigned *axes)
{
    int extent[4], mem[CONST_MAX_RANK], n = 0;
    bool in[4];
    if (plain_apart(v, set, axes))
        return ob_plain(b, v);
    if (parts(v, set, extent, in) > 3) { /* the set behind */
        for (int pass = 0; pass < 2; pass++) {
            for (int k = 0; k < v->rank; k++) {
                if ((int)(set >> v->mem[k] & 1) == pass)
                    mem[n++] = v->mem[k];
            }
        }
        int rc = ob_arrange(b, v, mem);
        if (rc < 0)
            return rc;
    }
    int count = parts(v, set, extent, in), side[3] = {1, 1, 1};
    *axes = 0;
    for (int k = 0; k < count; k++) {
        side[3 - count + k] = extent[k];
        *axes |= in[k] ? 1U << (3 - count + k) : 0;
    }
    return ob_view(b, v, (struct shape){side[0], side[1], side[2]});
}

/* --- By channel ----------------------------------------------------------------------------- */

/* Input k as one number for each of n channels. */
static int per_channel(struct build *b, int k, int n, const struct constant **t)
{
    *t = ob_constant(b, k);
    return *t == NULL || (*t)->count != (size_t)n
               ? ob_fail(b, "input %d isn't one constant for each of %d channels", k + 1, n)
               : 0;
}

int op_batch_norm(struct build *b)
{
    const struct constant *t;
    struct value v;
    struct layer l = layer_make("", L_BN);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (onnx_int(b->node, "training_mode", 0) != 0)
        return ob_fail(b, "it is for training");
    if (v.rank < 2)
        return ob_fail(b, "its input has no channels");
    l.rate = (float)onnx_real(b->node, "epsilon", 1e-5);
    l.nin = 1;
    if (!(l.rate >= 0 && l.rate <= 1))
        return ob_fail(b, "its epsilon is not 0 to 1");
    int rc = ob_channels_last(b, &v);
    if (rc < 0 || (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    int layer = ob_add(b, &l, 1);
    if (layer < 0)
        return layer;
    for (int p = 0; p < 4; p++) {
        if (per_channel(b, p + 1, v.dim[1], &t) < 0)
            return MIEN_ERR_FORMAT;
        for (size_t k = 0; k < t->count; k++)
            ob_param(b, layer, p)[k] = (float)constant_get(t, k);
    }
    return ob_emit(b, &v, layer);
}

int op_instance_norm(struct build *b)
{
    const struct constant *gamma, *beta;
    struct value v;
    struct layer l = layer_make("", L_NORM);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank < 3 || v.dim[0] != 1)
        return ob_fail(b, "it needs one image");
    if (per_channel(b, 1, v.dim[1], &gamma) < 0 || per_channel(b, 2, v.dim[1], &beta) < 0)
        return MIEN_ERR_FORMAT;
    l.rate = (float)onnx_real(b->node, "epsilon", 1e-5);
    l.axes = AXIS_H | AXIS_W;
    l.nin = 1;
    int rc = ob_channels_last(b, &v);
    if (rc < 0 || (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    int layer = ob_add(b, &l, 1);
    if (layer < 0)
        return layer;
    for (size_t k = 0; k < (size_t)v.dim[1]; k++) {
        ob_param(b, layer, 0)[k] = (float)constant_get(gamma, k);
        ob_param(b, layer, 1)[k] = (float)constant_get(beta, k);
    }
    return ob_emit(b, &v, layer);
}

int op_lrn_node(struct build *b)
{
    struct value v;
    struct layer l = layer_make("", L_LRN);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    l.units = (int)onnx_int(b->node, "size", 0);
    l.a = (float)onnx_real(b->node, "alpha", 1e-4);
    l.b = (float)onnx_real(b->node, "beta", 0.75);
    l.k = (float)onnx_real(b->node, "bias", 1);
    l.nin = 1;
    if (v.rank < 2)
        return ob_fail(b, "its input has no channels");
    int rc = ob_channels_last(b, &v);
    if (rc < 0 || (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    return ob_emit(b, &v, ob_add(b, &l, -1));
}

/* --- By axes -------------------------------------------------------------------------------- */

/* A bit for each axis from this one on. */
static unsigned from_axis(const struct value *v, int axis)
{
    return ((1U << v->rank) - 1) & ~((1U << axis) - 1);
}

/* v normalized over the axes: mean 0, variance 1. */
static int normalized(struct build *b, struct value *v, unsigned set, double eps)
{
    struct layer l = layer_make("", L_NORM);
    l.rate = (float)eps;
    l.bias = false;
    l.nin = 1;
    l.in[0] = onnx_apart(b, v, set, &l.axes);
    if (l.in[0] < 0)
        return l.in[0];
    if (l.axes == 0)
        return ob_fail(b, "it normalizes one element");
    v->layer = ob_add(b, &l, 1);
    return v->layer < 0 ? v->layer : 0;
}

int op_layer_norm(struct build *b)
{
    struct value v, next;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    int axis = ob_axis(&v, (int)onnx_int(b->node, "axis", -1));
    const struct constant *gamma = ob_constant(b, 1), *beta = ob_constant(b, 2);
    double eps = onnx_real(b->node, "epsilon", 1e-5);
    if (axis < 0 || gamma == NULL || (ob_in(b, 2) != NULL && beta == NULL))
        return ob_fail(b, "there is no such axis, or its scale or bias isn't constant");
    for (int k = 1; k < 3; k++) {
        if (k < b->node->nout && b->node->out[k] >= 0 && b->f->nout > 1)
            return ob_fail(b, "its mean and variance as outputs are not supported");
    }
    size_t n = (size_t)v.dim[axis];
    if (axis == v.rank - 1 && v.mem[axis] == axis && gamma->count == n && n > 1 &&
        (beta == NULL || beta->count == n)) {
        struct layer l = layer_make("", L_NORM);
        l.rate = (float)eps;
        l.axes = AXIS_C;
        l.nin = 1;
        if ((l.in[0] = ob_plain(b, &v)) < 0)
            return l.in[0];
        int layer = ob_add(b, &l, 1);
        for (size_t k = 0; layer >= 0 && k < n; k++) {
            ob_param(b, layer, 0)[k] = (float)constant_get(gamma, k);
            ob_param(b, layer, 1)[k] = beta != NULL ? (float)constant_get(beta, k) : 0;
        }
        return ob_emit(b, &v, layer);
    }
    int rc = normalized(b, &v, from_axis(&v, axis), eps);
    if (rc < 0 || (rc = onnx_combine(b, L_MUL, &v, ob_in(b, 1), &next)) < 0)
        return rc;
    v = next;
    if (beta != NULL && (rc = onnx_combine(b, L_ADD, &v, ob_in(b, 2), &next)) < 0)
        return rc;
    return ob_out(b, 0, &next);
}

int op_mean_variance_norm(struct build *b)
{
    struct value v;
    int axes[CONST_MAX_RANK] = {0, 2, 3}, n = onnx_ints(b->node, "axes", axes, CONST_MAX_RANK);
    unsigned set = 0;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    for (int k = 0; k < (n < 0 ? 3 : n); k++) {
        int a = ob_axis(&v, axes[k]);
        if (a < 0)
            return ob_fail(b, "there is no such axis");
        set |= 1U << a;
    }
    int rc = normalized(b, &v, set, 1e-9);
    return rc < 0 ? rc : ob_out(b, 0, &v);
}

int op_lp_norm(struct build *b)
{
    struct value v;
    struct layer l = layer_make("", L_L2NORM);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    int axis = ob_axis(&v, (int)onnx_int(b->node, "axis", -1));
    if (axis < 0 || onnx_int(b->node, "p", 2) != 2)
        return ob_fail(b, "only the Euclidean norm along an axis is supported");
    l.nin = 1;
    if ((l.in[0] = onnx_apart(b, &v, 1U << axis, &l.axes)) < 0)
        return l.in[0];
    if (l.axes == 0)
        return ob_fail(b, "it normalizes one element");
    return ob_emit(b, &v, ob_add(b, &l, -1));
}

int op_softmax_node(struct build *b)
{
    struct value v;
    bool old = b->f->opset < 13;
    struct layer l = layer_make("", b->node->op[0] == 'L' ? L_LOGSOFTMAX : L_SOFTMAX);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    int axis = ob_axis(&v, (int)onnx_int(b->node, "axis", old ? 1 : -1));
    if (axis < 0)
        return ob_fail(b, "there is no such axis");
    /* Older ones are of all axes from this one on. */
    unsigned set = old ? from_axis(&v, axis) : 1U << axis;
    l.nin = 1;
    if ((l.in[0] = onnx_apart(b, &v, set, &l.axes)) < 0)
        return l.in[0];
    if (l.axes == 0)
        l.axes = AXIS_C; /* of one element */
    struct shape s = b->net.layer[l.in[0]].shape;
    if ((s.h == 1 || l.axes & AXIS_H) && (s.w == 1 || l.axes & AXIS_W) &&
        (s.c == 1 || l.axes & AXIS_C))
        l.axes = AXIS_H | AXIS_W | AXIS_C; /* as a head has it */
    return ob_emit(b, &v, ob_add(b, &l, -1));
}

int op_reduce_node(struct build *b)
{
    static const char *const kinds[] = {"Mean", "Sum", "Max",       "Min",    "Prod",
                                        "L1",   "L2",  "SumSquare", "LogSum", "LogSumExp"};
    struct value v;
    int axes[CONST_MAX_RANK], n = onnx_numbers(b, "axes", 1, axes, CONST_MAX_RANK);
    unsigned set = 0, sides;
    if (ob_tensor(b, 0, &v) < 0 || n < ONNX_NONE)
        return MIEN_ERR_FORMAT;
    for (int k = 0; k < n; k++) {
        int a = ob_axis(&v, axes[k]);
        if (a < 0)
            return ob_fail(b, "there is no such axis");
        set |= 1U << a;
    }
    if (n <= 0) {
        if (onnx_int(b->node, "noop_with_empty_axes", 0) != 0)
            return ob_out(b, 0, &v);
        set = (1U << v.rank) - 1;
    }
    int in = onnx_apart(b, &v, set, &sides);
    if (in < 0)
        return in;
    struct shape s = b->net.layer[in].shape;
    struct layer l = layer_make("", L_REDUCE);
    for (l.kind = 0; strcmp(kinds[l.kind], b->node->op + 6) != 0;)
        l.kind++;
    l.nin = 1;
    l.in[0] = in;
    l.axes = sides != 0 ? sides : AXIS_H;
    if (l.kind == REDUCE_MEAN && (s.h == 1 || sides & AXIS_H) && (s.w == 1 || sides & AXIS_W) &&
        !(sides & AXIS_C) && sides != 0)
        l.type = L_GAP;
    if (sides == 0 && s.h != 1)
        return ob_fail(b, "it reduces one element");
    int layer = ob_add(b, &l, -1);
    if (layer < 0)
        return layer;
    bool keep = onnx_int(b->node, "keepdims", 1) != 0;
    struct value out = v;
    int at[CONST_MAX_RANK], m = 0;
    out.rank = 0;
    for (int d = 0; d < v.rank; d++) {
        bool gone = set >> d & 1;
        at[d] = gone && !keep ? -1 : out.rank;
        if (!gone || keep)
            out.dim[out.rank++] = gone ? 1 : v.dim[d];
    }
    for (int k = 0; k < v.rank; k++) {
        if (at[v.mem[k]] >= 0)
            out.mem[m++] = at[v.mem[k]];
    }
    return ob_emit(b, &out, layer);
}
