/* Operators that see the same elements in another shape. */
#include "ops.h"

#include <limits.h>
#include <string.h>

int onnx_numbers(struct build *b, const char *key, int k, int *v, int max)
{
    const struct value *in = ob_in(b, k);
    if (in == NULL) {
        int n = onnx_ints(b->node, key, v, max);
        return n < 0 && onnx_has(b->node, key)
                   ? ob_fail(b, "its %s aren't up to %d whole numbers", key, max)
                   : n;
    }
    if (!constant_is(&in->k) || in->k.count > (size_t)max)
        return ob_fail(b, "its %s aren't up to %d constant numbers", key, max);
    for (size_t i = 0; i < in->k.count; i++)
        v[i] = constant_int(&in->k, i);
    return (int)in->k.count;
}

/* A bit for each axis that is named. Returns 0 or MIEN_ERR_FORMAT. */
static int axis_set(struct build *b, const int *axes, int n, int rank, unsigned *set)
{
    *set = 0;
    for (int k = 0; k < n; k++) {
        int a = axes[k] + (axes[k] < 0 ? rank : 0);
        if (a < 0 || a >= rank || *set >> a & 1)
            return ob_fail(b, "its axes aren't some of %d", rank);
        *set |= 1U << a;
    }
    return 0;
}

static int squeezed(struct build *b, const int *dim, int rank, int *next)
{
    int axes[CONST_MAX_RANK] = {0}, n = 0;
    unsigned set;
    int given = onnx_numbers(b, "axes", 1, axes, CONST_MAX_RANK);
    if (given < ONNX_NONE || axis_set(b, axes, given, rank, &set) < 0)
        return MIEN_ERR_FORMAT;
    for (int k = 0; k < rank; k++) {
        bool out = given < 0 ? dim[k] == 1 : set >> k & 1;
        if (out && dim[k] != 1)
            return ob_fail(b, "axis %d has %d elements", k, dim[k]);
        if (!out)
            next[n++] = dim[k];
    }
    return n;
}

static int unsqueezed(struct build *b, const int *dim, int rank, int *next)
{
    int axes[CONST_MAX_RANK] = {0}, at = 0;
    unsigned set;
    int given = onnx_numbers(b, "axes", 1, axes, CONST_MAX_RANK);
    if (given < 0 || rank + given > CONST_MAX_RANK)
        return given < ONNX_NONE ? given : ob_fail(b, "it has no axes, or too many");
    if (axis_set(b, axes, given, rank + given, &set) < 0)
        return MIEN_ERR_FORMAT;
    for (int k = 0; k < rank + given; k++)
        next[k] = set >> k & 1 ? 1 : dim[at++];
    return rank + given;
}

static int flattened(struct build *b, const int *dim, int rank, int *next)
{
    int axis = (int)onnx_int(b->node, "axis", 1);
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis > rank)
        return ob_fail(b, "there is no such axis");
    next[0] = (int)extents(dim, axis);
    next[1] = (int)extents(dim + axis, rank - axis);
    return 2;
}

static int reshaped(struct build *b, const int *dim, int rank, int *next)
{
    int n = onnx_numbers(b, "shape", 1, next, CONST_MAX_RANK), open = -1;
    double total = (double)extents(dim, rank), known = 1;
    bool zeros = onnx_int(b->node, "allowzero", 0) != 0;
    if (n < 0)
        return n < ONNX_NONE ? n : ob_fail(b, "it has no shape");
    for (int k = 0; k < n; k++) {
        if (next[k] == 0 && !zeros) {
            if (k >= rank)
                return ob_fail(b, "its shape keeps an axis that isn't there");
            next[k] = dim[k];
        }
        if (next[k] == -1 && open < 0)
            open = k;
        else if (next[k] < 0)
            return ob_fail(b, "its shape has more than one open extent");
        else
            known *= next[k];
    }
    if (open >= 0 && known > 0 && total / known <= INT_MAX)
        next[open] = (int)(total / known);
    if (open >= 0 ? known * next[open] != total : known != total)
        return ob_fail(b, "the new shape doesn't hold its input's %.0f elements", total);
    return n;
}

int onnx_new_shape(struct build *b, const int *dim, int rank, int next[CONST_MAX_RANK])
{
    const char *op = b->node->op;
    memset(next, 0, sizeof *next * CONST_MAX_RANK);
    return op[0] == 'S'   ? squeezed(b, dim, rank, next)
           : op[0] == 'U' ? unsqueezed(b, dim, rank, next)
           : op[0] == 'F' ? flattened(b, dim, rank, next)
                          : reshaped(b, dim, rank, next);
}

int op_reshape_node(struct build *b)
{
    struct value v;
    int next[CONST_MAX_RANK];
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    int rank = onnx_new_shape(b, v.dim, v.rank, next);
    if (rank < 0)
        return rank;
    int rc = ob_reshape(b, &v, next, rank);
    return rc < 0 ? rc : ob_out(b, 0, &v);
}

int op_transpose(struct build *b)
{
    struct value v;
    int order[CONST_MAX_RANK], n = onnx_ints(b->node, "perm", order, CONST_MAX_RANK);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    for (int k = 0; n < 0 && k < v.rank; k++)
        order[k] = v.rank - 1 - k;
    int rc = ob_transpose(b, &v, order, n < 0 ? v.rank : n);
    return rc < 0 ? rc : ob_out(b, 0, &v);
}

/* Also Dropout and Cast, which change nothing at inference. */
int op_identity(struct build *b)
{
    struct value v;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (strcmp(b->node->op, "Cast") == 0) {
        int64_t to = onnx_int(b->node, "to", 1);
        if (to != 1 && to != 10 && to != 11 && to != 16)
            return ob_fail(b, "only casts to floats are supported");
    }
    if (strcmp(b->node->op, "Dropout") == 0) {
        const struct constant *train = ob_constant(b, 2);
        if (train != NULL && train->count == 1 && constant_get(train, 0) != 0)
            return ob_fail(b, "it is for training");
    }
    return ob_out(b, 0, &v);
}

int op_expand(struct build *b)
{
    const struct constant *shape = ob_constant(b, 1);
    struct value v, out, zeros = {.layer = -1};
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (shape == NULL || shape->count > CONST_MAX_RANK)
        return ob_fail(b, "its shape isn't constant");
    zeros.rank = zeros.k.rank = (int)shape->count;
    for (int k = 0; k < zeros.rank; k++) {
        zeros.dim[k] = zeros.k.dim[k] = constant_int(shape, (size_t)k);
        zeros.mem[k] = k;
        if (zeros.dim[k] < 1)
            return ob_fail(b, "its shape isn't known");
    }
    int rc = constant_made(&zeros.k, false, b->e);
    if (rc == 0)
        rc = onnx_combine(b, L_ADD, &v, &zeros, &out);
    constant_free(&zeros.k);
    return rc < 0 ? rc : ob_out(b, 0, &out);
}
