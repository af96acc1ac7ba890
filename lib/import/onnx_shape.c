/* Operators that move values: shapes, parts, borders, other resolutions. */
#include "onnx_ops.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
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

/* --- Shapes --------------------------------------------------------------------------------- */

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
    int axes[CONST_MAX_RANK], n = 0;
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
    int axes[CONST_MAX_RANK], at = 0;
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

/* The graph's axes in another order: no layer. */
static int renamed(struct build *b, struct value *v, const int *order, int n)
{
    struct value old = *v;
    unsigned seen = 0;
    for (int k = 0; k < n; k++)
        seen |= order[k] >= 0 && order[k] < old.rank ? 1U << order[k] : 0;
    if (n != old.rank || seen != (1U << n) - 1)
        return ob_fail(b, "its order isn't one of its input's axes");
    for (int k = 0; k < n; k++) {
        v->dim[k] = old.dim[order[k]];
        for (int m = 0; m < n; m++) {
            if (old.mem[m] == order[k])
                v->mem[m] = k;
        }
    }
    return 0;
}

int op_transpose(struct build *b)
{
    struct value v;
    int order[CONST_MAX_RANK], n = onnx_ints(b->node, "perm", order, CONST_MAX_RANK);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    for (int k = 0; n < 0 && k < v.rank; k++)
        order[k] = v.rank - 1 - k;
    int rc = renamed(b, &v, order, n < 0 ? v.rank : n);
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

/* --- Parts ---------------------------------------------------------------------------------- */

/* Concatenates layers of these shapes along the width, at most eight at a time. */
static int join(struct build *b, const int *layer, int n)
{
    int made = layer[0];
    for (int k = 1; k < n;) {
        struct layer l = ob_layer(L_CONCAT, made);
        l.axis = 1;
        while (l.nin < NET_MAX_IN && k < n)
            l.in[l.nin++] = layer[k++];
        if ((made = ob_add(b, &l, -1)) < 0)
            return made;
    }
    return made;
}

int op_concat_node(struct build *b)
{
    enum { MOST = 512 };
    struct value v, x;
    int layer[MOST], n = b->node->nin;
    int axis = (int)onnx_int(b->node, "axis", 1);
    double along = 0;
    if (n < 1 || n > MOST || ob_tensor(b, 0, &v) < 0)
        return n < 1 || n > MOST ? ob_fail(b, "it has %d inputs", n) : MIEN_ERR_FORMAT;
    if ((axis = ob_axis(&v, axis)) < 0)
        return ob_fail(b, "there is no such axis");
    bool channels = v.mem[v.rank - 1] == axis;
    for (int k = 0; k < n; k++) {
        if (ob_tensor(b, k, &x) < 0)
            return MIEN_ERR_FORMAT;
        bool fits = x.rank == v.rank;
        for (int d = 0; fits && d < v.rank; d++)
            fits = d == axis || x.dim[d] == v.dim[d];
        if (!fits)
            return ob_fail(b, "its inputs differ in shape");
        int rc = ob_arrange(b, &x, v.mem);
        if (rc < 0)
            return rc;
        layer[k] = channels ? ob_plain(b, &x) : ob_view(b, &x, ob_around(&x, axis));
        if (layer[k] < 0)
            return layer[k];
        along += x.dim[axis];
    }
    if (along > INT_MAX)
        return ob_fail(b, "its output is too large");
    v.dim[axis] = (int)along;
    if (n == 1) {
        v.layer = layer[0];
        return ob_out(b, 0, &v);
    }
    if (!channels)
        return ob_emit(b, &v, join(b, layer, n));
    int made = layer[0];
    for (int k = 1; k < n && made >= 0;) {
        struct layer l = ob_layer(L_CONCAT, made);
        while (l.nin < NET_MAX_IN && k < n)
            l.in[l.nin++] = layer[k++];
        made = ob_add(b, &l, -1);
    }
    return ob_emit(b, &v, made);
}

/* Takes a cut of one axis: v becomes it. */
static int take(struct build *b, struct value *v, int axis, struct cut c)
{
    if (c.at == 0 && c.step == 1 && c.size == v->dim[axis])
        return 0;
    /* In the value's own shape, if the axis stands alone there. */
    struct shape s = ob_shape(v), around = ob_around(v, axis);
    int place = 1, extent[3] = {s.h, s.w, s.c};
    if (v->rank > 0 && v->mem[v->rank - 1] == axis)
        place = 2;
    else if (v->rank > 1 && v->mem[v->rank - 2] == axis)
        place = 1;
    else if (around.h == 1 && around.w == s.h)
        place = 0;
    else
        s = around, extent[0] = s.h, extent[1] = s.w, extent[2] = s.c;
    int layer = ob_view(b, v, s);
    if (layer < 0)
        return layer;
    struct layer l = ob_layer(L_SLICE, layer);
    memcpy(l.size, extent, sizeof extent);
    l.size[place] = c.size;
    l.at[place] = c.at;
    l.step[place] = c.step;
    v->dim[axis] = c.size;
    v->layer = ob_add(b, &l, -1);
    return v->layer < 0 ? v->layer : 0;
}

int onnx_cuts(struct build *b, const int *dim, int rank, struct cut cut[CONST_MAX_RANK])
{
    int from[CONST_MAX_RANK], to[CONST_MAX_RANK], axes[CONST_MAX_RANK], step[CONST_MAX_RANK];
    int n = onnx_numbers(b, "starts", 1, from, CONST_MAX_RANK);
    int m = onnx_numbers(b, "ends", 2, to, CONST_MAX_RANK);
    int na = onnx_numbers(b, "axes", 3, axes, CONST_MAX_RANK);
    int ns = onnx_numbers(b, "steps", 4, step, CONST_MAX_RANK);
    if (n < ONNX_NONE || m < ONNX_NONE || na < ONNX_NONE || ns < ONNX_NONE)
        return MIEN_ERR_FORMAT;
    if (n < 0 || n != m || (na >= 0 && na != n) || (ns >= 0 && ns != n) || (na < 0 && n > rank))
        return ob_fail(b, "its bounds differ in number");
    for (int k = 0; k < rank; k++)
        cut[k] = (struct cut){0, dim[k], 1};
    for (int k = 0; k < n; k++) {
        int a = na < 0 ? k : axes[k] + (axes[k] < 0 ? rank : 0), s = ns < 0 ? 1 : step[k];
        if (a < 0 || a >= rank || s == 0)
            return ob_fail(b, "there is no such axis, or its step is 0");
        int64_t d = dim[a], p = from[k], q = to[k];
        p += p < 0 ? d : 0;
        q += q < 0 && q > -INT_MAX ? d : 0;
        int64_t low = s > 0 ? 0 : -1, high = s > 0 ? d : d - 1;
        p = p < 0 ? 0 : p > high ? high : p;
        q = q < low ? low : q > high ? high : q;
        int64_t size = s > 0 ? (q - p + s - 1) / s : (p - q - s - 1) / -(int64_t)s;
        cut[a] = (struct cut){(int)p, size > 0 ? (int)size : 0, s};
    }
    return 0;
}

int op_slice_node(struct build *b)
{
    struct value v;
    struct cut cut[CONST_MAX_RANK];
    if (ob_tensor(b, 0, &v) < 0 || onnx_cuts(b, v.dim, v.rank, cut) < 0)
        return MIEN_ERR_FORMAT;
    for (int d = 0; d < v.rank; d++) {
        if (cut[d].size == 0)
            return ob_fail(b, "it takes nothing of axis %d", d);
        int rc = take(b, &v, d, cut[d]);
        if (rc < 0)
            return rc;
    }
    return ob_out(b, 0, &v);
}

int op_split(struct build *b)
{
    struct value v;
    int size[256], n = onnx_numbers(b, "split", 1, size, 256), parts = b->node->nout;
    if (ob_tensor(b, 0, &v) < 0 || n < ONNX_NONE)
        return MIEN_ERR_FORMAT;
    int axis = ob_axis(&v, (int)onnx_int(b->node, "axis", 0)), at = 0;
    if (axis < 0 || parts < 1 || parts > 256)
        return ob_fail(b, "there is no such axis, or it has too many outputs");
    for (int k = 0; n < 0 && k < parts; k++)
        size[k] = v.dim[axis] / parts;
    if (n < 0 ? v.dim[axis] % parts != 0 : n != parts)
        return ob_fail(b, "its parts don't fit its outputs");
    for (int k = 0; k < parts; k++) {
        struct value part = v;
        if (size[k] < 1 || size[k] > v.dim[axis] - at)
            return ob_fail(b, "its parts don't fit its input");
        int rc = take(b, &part, axis, (struct cut){at, size[k], 1});
        if (rc < 0 || (rc = ob_out(b, k, &part)) < 0)
            return rc;
        at += size[k];
    }
    return at == v.dim[axis] ? 0 : ob_fail(b, "its parts don't fit its input");
}

/* Indices that are one, or go up or down evenly, are a cut; others are cuts of one each. */
int op_gather(struct build *b)
{
    enum { MOST = 512 };
    struct value v;
    const struct constant *index = ob_constant(b, 1);
    int i[MOST], layer[MOST], next[CONST_MAX_RANK];
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    int axis = ob_axis(&v, (int)onnx_int(b->node, "axis", 0));
    if (axis < 0 || index == NULL || index->count < 1 || index->count > MOST ||
        v.rank - 1 + index->rank > CONST_MAX_RANK)
        return ob_fail(b, "only up to %d constant indices are supported", MOST);
    int n = (int)index->count, rank = 0;
    bool even = true;
    for (int k = 0; k < n; k++) {
        i[k] = constant_int(index, (size_t)k);
        i[k] += i[k] < 0 ? v.dim[axis] : 0;
        if (i[k] < 0 || i[k] >= v.dim[axis])
            return ob_fail(b, "an index is beyond its axis");
        even = even && (k < 1 || i[k] != i[k - 1]) && (k < 2 || i[k] - i[k - 1] == i[1] - i[0]);
    }
    int rc = 0;
    if (even) {
        rc = take(b, &v, axis, (struct cut){i[0], n, n > 1 ? i[1] - i[0] : 1});
    } else {
        struct value part;
        for (int k = 0; k < n; k++) {
            part = v;
            if ((rc = take(b, &part, axis, (struct cut){i[k], 1, 1})) < 0)
                return rc;
            if ((layer[k] = ob_view(b, &part, ob_around(&part, axis))) < 0)
                return layer[k];
        }
        v.dim[axis] = n;
        rc = v.layer = join(b, layer, n);
    }
    if (rc < 0)
        return rc;
    for (int d = 0; d < v.rank; d++) {
        for (int k = 0; d == axis && k < index->rank; k++)
            next[rank++] = index->dim[k];
        if (d != axis)
            next[rank++] = v.dim[d];
    }
    if ((rc = ob_reshape(b, &v, next, rank)) < 0)
        return rc;
    return ob_out(b, 0, &v);
}

/* --- Larger ones ---------------------------------------------------------------------------- */

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

int op_tile(struct build *b)
{
    struct value v;
    int times[CONST_MAX_RANK], layer[64];
    int n = onnx_numbers(b, "repeats", 1, times, CONST_MAX_RANK);
    if (ob_tensor(b, 0, &v) < 0 || n < ONNX_NONE)
        return MIEN_ERR_FORMAT;
    if (n != v.rank)
        return ob_fail(b, "it needs a number for each axis");
    for (int d = 0; d < n; d++) {
        if (times[d] < 1 || times[d] > 64)
            return ob_fail(b, "only 1 to 64 repetitions are supported");
        if (times[d] == 1)
            continue;
        int one = ob_view(b, &v, ob_around(&v, d));
        for (int k = 0; k < times[d]; k++)
            layer[k] = one;
        if (one < 0 || (v.layer = join(b, layer, times[d])) < 0)
            return one < 0 ? one : v.layer;
        if ((double)v.dim[d] * times[d] > INT_MAX)
            return ob_fail(b, "its output is too large");
        v.dim[d] *= times[d];
    }
    return ob_out(b, 0, &v);
}

int op_pad_node(struct build *b)
{
    struct value v;
    int pads[2 * CONST_MAX_RANK], axes[CONST_MAX_RANK];
    int before[CONST_MAX_RANK] = {0}, after[CONST_MAX_RANK] = {0};
    int n = onnx_numbers(b, "pads", 1, pads, 2 * CONST_MAX_RANK);
    int na = onnx_numbers(b, "axes", 3, axes, CONST_MAX_RANK);
    const struct value *fill = ob_in(b, 2);
    double value = onnx_real(b->node, "value", 0);
    if (ob_tensor(b, 0, &v) < 0 || n < ONNX_NONE || na < ONNX_NONE)
        return MIEN_ERR_FORMAT;
    if (n < 0 || n != 2 * (na < 0 ? v.rank : na))
        return ob_fail(b, "it needs two paddings for each axis");
    if (fill != NULL) {
        if (!constant_is(&fill->k) || fill->k.count != 1)
            return ob_fail(b, "its value isn't a constant number");
        value = constant_get(&fill->k, 0);
    }
    for (int k = 0; k < n / 2; k++) {
        int a = ob_axis(&v, na < 0 ? k : axes[k]);
        if (a < 0)
            return ob_fail(b, "there is no such axis");
        before[a] = pads[k];
        after[a] = pads[n / 2 + k];
        if (abs(before[a]) > NET_MAX_EXTENT || abs(after[a]) > NET_MAX_EXTENT)
            return ob_fail(b, "a padding of more than %d is not supported", NET_MAX_EXTENT);
    }
    struct layer l = layer_make("", L_PAD);
    l.kind = onnx_text_is(b->node, "mode", "reflect", "constant") ? PAD_REFLECT
             : onnx_text_is(b->node, "mode", "edge", "constant")  ? PAD_EDGE
             : onnx_text_is(b->node, "mode", "wrap", "constant")  ? PAD_WRAP
                                                                  : PAD_VALUE;
    l.a = (float)value;
    if (!isfinite(l.a))
        return ob_fail(b, "a padding with what isn't a number is not supported");
    /* What is negative is cut off; the rest is padded: the last two axes of memory and one before
       in one layer, another that is more than these in one more. */
    for (int a = 0; a < v.rank; a++) {
        int lost = (before[a] < 0 ? -before[a] : 0) + (after[a] < 0 ? -after[a] : 0);
        if (lost == 0)
            continue;
        if (lost >= v.dim[a])
            return ob_fail(b, "it takes nothing of axis %d", a);
        int rc = take(b, &v, a, (struct cut){before[a] < 0 ? -before[a] : 0, v.dim[a] - lost, 1});
        if (rc < 0)
            return rc;
        before[a] = before[a] < 0 ? 0 : before[a];
        after[a] = after[a] < 0 ? 0 : after[a];
    }
    int last = v.rank - 1, rc;
    for (int k = 0; k < v.rank - 2; k++) {
        int a = v.mem[k];
        struct shape s = ob_around(&v, a), whole = ob_shape(&v);
        if (before[a] == 0 && after[a] == 0)
            continue;
        bool alone = s.h == 1 && s.w == whole.h;
        struct layer one = l;
        one.nin = 1;
        if ((rc = one.in[0] = ob_view(b, &v, alone ? whole : s)) < 0)
            return rc;
        *(alone ? &one.pt : &one.pl) = before[a];
        *(alone ? &one.pb : &one.pr) = after[a];
        if (alone) { /* with the other two */
            one.pl = before[v.mem[last - 1]], one.pr = after[v.mem[last - 1]];
            one.cb = before[v.mem[last]], one.ca = after[v.mem[last]];
            v.dim[v.mem[last - 1]] += one.pl + one.pr;
            v.dim[v.mem[last]] += one.cb + one.ca;
            before[v.mem[last - 1]] = after[v.mem[last - 1]] = 0;
            before[v.mem[last]] = after[v.mem[last]] = 0;
        }
        if ((v.layer = ob_add(b, &one, -1)) < 0)
            return v.layer;
        v.dim[a] += before[a] + after[a];
    }
    l.nin = 1;
    if (v.rank > 0) {
        l.cb = before[v.mem[last]], l.ca = after[v.mem[last]];
        if (v.rank > 1)
            l.pl = before[v.mem[last - 1]], l.pr = after[v.mem[last - 1]];
    }
    if (l.cb + l.ca + l.pl + l.pr > 0) {
        if ((rc = l.in[0] = ob_plain(b, &v)) < 0)
            return rc;
        if ((v.layer = ob_add(b, &l, -1)) < 0)
            return v.layer;
        v.dim[v.mem[last]] += l.cb + l.ca;
        if (v.rank > 1)
            v.dim[v.mem[last - 1]] += l.pl + l.pr;
    }
    return ob_out(b, 0, &v);
}

/* --- Depth and space ------------------------------------------------------------------------ */

int op_depth_to_space(struct build *b)
{
    struct value v;
    int s = (int)onnx_int(b->node, "blocksize", 0);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4 || s < 1 || s > 1024 || v.dim[1] % (s * s) != 0)
        return ob_fail(b, "it needs an image whose channels are a multiple of its blocks");
    int n = v.dim[0], c = v.dim[1] / (s * s), h = v.dim[2], w = v.dim[3];
    bool crd = onnx_text_is(b->node, "mode", "CRD", "DCR");
    const int dcr_dim[6] = {n, s, s, c, h, w}, dcr_order[6] = {0, 3, 4, 1, 5, 2};
    const int crd_dim[6] = {n, c, s, s, h, w}, crd_order[6] = {0, 1, 4, 2, 5, 3};
    const int last[4] = {n, c, h * s, w * s};
    int rc = ob_reshape(b, &v, crd ? crd_dim : dcr_dim, 6);
    if (rc < 0 || (rc = renamed(b, &v, crd ? crd_order : dcr_order, 6)) < 0)
        return rc;
    const int mem[6] = {0, 2, 3, 4, 5, 1}; /* of N, C, H, b, W, b */
    if ((rc = ob_arrange(b, &v, mem)) < 0 || (rc = ob_reshape(b, &v, last, 4)) < 0)
        return rc;
    return ob_out(b, 0, &v);
}

int op_space_to_depth(struct build *b)
{
    struct value v;
    int s = (int)onnx_int(b->node, "blocksize", 0);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4 || s < 1 || s > 1024 || v.dim[2] % s != 0 || v.dim[3] % s != 0 ||
        (double)v.dim[1] * s * s > INT_MAX)
        return ob_fail(b, "it needs an image whose sides are a multiple of its blocks");
    int n = v.dim[0], c = v.dim[1], h = v.dim[2] / s, w = v.dim[3] / s;
    const int middle[6] = {n, c, h, s, w, s}, order[6] = {0, 3, 5, 1, 2, 4};
    const int last[4] = {n, c * s * s, h, w}, mem[6] = {0, 4, 5, 1, 2, 3};
    int rc = ob_reshape(b, &v, middle, 6);
    if (rc < 0 || (rc = renamed(b, &v, order, 6)) < 0)
        return rc;
    if ((rc = ob_arrange(b, &v, mem)) < 0 || (rc = ob_reshape(b, &v, last, 4)) < 0)
        return rc;
    return ob_out(b, 0, &v);
}

/* --- Resolution ----------------------------------------------------------------------------- */

/* A resize layer of v, an image [n, c, h, w], with scales or, where scale is NULL, to a size. */
static int resized(struct build *b, struct value *v, struct layer *l, const double *scale,
                   const int *size)
{
    assert(scale != NULL || size != NULL);
    for (int k = 0; k < 4; k++) {
        /* cppcheck-suppress nullPointer ; one of the two is given */
        double extent = scale != NULL ? floor(v->dim[k] * scale[k]) : size[k];
        if (k < 2 ? extent != v->dim[k] : !(extent >= 1 && extent <= NET_MAX_EXTENT))
            return ob_fail(b, "only images can be resized, to 1 to %d pixels", NET_MAX_EXTENT);
        if (k >= 2)
            l->size[k - 2] = (int)extent;
    }
    if (scale != NULL) {
        l->a = (float)scale[2];
        l->b = (float)scale[3];
    }
    int rc = ob_channels_last(b, v);
    if (rc < 0 || (rc = l->in[0] = ob_plain(b, v)) < 0)
        return rc;
    v->dim[2] = l->size[0];
    v->dim[3] = l->size[1];
    return ob_emit(b, v, ob_add(b, l, -1));
}

static int scales_of(struct build *b, const struct constant *t, double scale[4])
{
    if (t == NULL || t->count != 4)
        return ob_fail(b, "it needs 4 constant scales or sizes");
    for (size_t k = 0; k < 4; k++)
        scale[k] = constant_get(t, k);
    return 0;
}

/* Which of a list's words an attribute is, or -1. */
static int word_of(const struct onnx_node *n, const char *key, const char *absent,
                   const char *const *words, int count)
{
    for (int k = 0; k < count; k++) {
        if (onnx_text_is(n, key, words[k], absent))
            return k;
    }
    return -1;
}

int op_resize_node(struct build *b)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const coords[] = {"half_pixel", "asymmetric", "align_corners",
                                         "pytorch_half_pixel"};
    static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                         "ceil"};
    struct value v;
    double scale[4];
    int size[4];
    bool old = b->f->opset < 11;
    const struct constant *scales = ob_constant(b, old ? 1 : 2), *sizes = ob_constant(b, 3);
    struct layer l = layer_make("", L_RESIZE);
    l.nin = 1;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4)
        return ob_fail(b, "only images can be resized");
    l.kind = word_of(b->node, "mode", "nearest", modes, 3);
    l.coords = old ? COORDS_ASYMMETRIC
                   : word_of(b->node, "coordinate_transformation_mode", "half_pixel", coords, 4);
    l.rounding =
        old ? ROUND_FLOOR : word_of(b->node, "nearest_mode", "round_prefer_floor", rounds, 4);
    if (l.kind < 0 || l.coords < 0 || l.rounding < 0)
        return ob_fail(b, "its coordinates, mode or rounding are not supported");
    if (l.kind == INTERPOLATE_CUBIC && (onnx_real(b->node, "cubic_coeff_a", -0.75) != -0.75 ||
                                        onnx_int(b->node, "exclude_outside", 0) != 0))
        return ob_fail(b, "only cubic interpolation with -0.75 and what is outside is supported");
    if (sizes != NULL && sizes->count == 4) {
        for (size_t k = 0; k < 4; k++)
            size[k] = constant_int(sizes, k);
        return resized(b, &v, &l, NULL, size);
    }
    return scales_of(b, scales, scale) < 0 ? MIEN_ERR_FORMAT : resized(b, &v, &l, scale, NULL);
}

int op_upsample(struct build *b)
{
    struct value v;
    double scale[4];
    float given[4];
    struct layer l = layer_make("", L_RESIZE);
    l.nin = 1;
    l.coords = COORDS_ASYMMETRIC;
    l.rounding = ROUND_FLOOR;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4)
        return ob_fail(b, "only images can be resized");
    l.kind = onnx_text_is(b->node, "mode", "nearest", "nearest") ? INTERPOLATE_NEAREST
                                                                 : INTERPOLATE_LINEAR;
    if (onnx_reals(b->node, "scales", given, 4) == 4) {
        for (int k = 0; k < 4; k++)
            scale[k] = (double)given[k];
        return resized(b, &v, &l, scale, NULL);
    }
    return scales_of(b, ob_constant(b, 1), scale) < 0 ? MIEN_ERR_FORMAT
                                                      : resized(b, &v, &l, scale, NULL);
}
