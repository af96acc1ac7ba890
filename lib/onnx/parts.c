/* Operators that put values together, take parts of them, repeat them, give them borders. */
#include "ops.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Concatenates layers along an axis of theirs, at most eight at a time. An index or a negative
   code. */
static int join(struct build *b, const int *layer, int n, int axis)
{
    int made = layer[0];
    for (int k = 1; k < n && made >= 0;) {
        struct layer l = ob_layer(L_CONCAT, made);
        l.axis = axis;
        while (l.nin < NET_MAX_IN && k < n)
            l.in[l.nin++] = layer[k++];
        made = ob_add(b, &l, -1);
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
    return ob_emit(b, &v, join(b, layer, n, channels ? 2 : 1));
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
    struct cut cut[CONST_MAX_RANK] = {{0}};
    if (ob_tensor(b, 0, &v) < 0 || onnx_cuts(b, v.dim, v.rank, cut) < 0)
        return MIEN_ERR_FORMAT;
    for (int d = 0; d < v.rank; d++) {
        if (cut[d].size == 0)
            return ob_fail(b, "it takes nothing from axis %d", d);
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
        rc = v.layer = join(b, layer, n, 1);
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
        if (one < 0 || (v.layer = join(b, layer, times[d], 1)) < 0)
            return one < 0 ? one : v.layer;
        if ((double)v.dim[d] * times[d] > INT_MAX)
            return ob_fail(b, "its output is too large");
        v.dim[d] *= times[d];
    }
    return ob_out(b, 0, &v);
}

/* --- Borders --------------------------------------------------------------------------------- */

/* How much is put before and behind each axis; less than nothing is cut off. */
struct border {
    int before[CONST_MAX_RANK], after[CONST_MAX_RANK];
};

static int read_border(struct build *b, const struct value *v, struct border *p)
{
    int pads[2 * CONST_MAX_RANK], axes[CONST_MAX_RANK] = {0};
    int n = onnx_numbers(b, "pads", 1, pads, 2 * CONST_MAX_RANK);
    int na = onnx_numbers(b, "axes", 3, axes, CONST_MAX_RANK);
    *p = (struct border){0};
    if (n < ONNX_NONE || na < ONNX_NONE)
        return MIEN_ERR_FORMAT;
    if (n < 0 || n != 2 * (na < 0 ? v->rank : na))
        return ob_fail(b, "it needs two paddings for each axis");
    for (int k = 0; k < n / 2; k++) {
        int a = ob_axis(v, na < 0 ? k : axes[k]);
        if (a < 0)
            return ob_fail(b, "there is no such axis");
        p->before[a] = pads[k];
        p->after[a] = pads[n / 2 + k];
        if (abs(p->before[a]) > NET_MAX_EXTENT || abs(p->after[a]) > NET_MAX_EXTENT)
            return ob_fail(b, "a padding of more than %d is not supported", NET_MAX_EXTENT);
    }
    return 0;
}

/* What the border is made of, into l. */
static int read_filling(struct build *b, struct layer *l)
{
    const struct value *fill = ob_in(b, 2);
    double value = onnx_real(b->node, "value", 0);
    if (fill != NULL) {
        if (!constant_is(&fill->k) || fill->k.count != 1)
            return ob_fail(b, "its value isn't a constant number");
        value = constant_get(&fill->k, 0);
    }
    l->kind = onnx_text_is(b->node, "mode", "reflect", "constant") ? PAD_REFLECT
              : onnx_text_is(b->node, "mode", "edge", "constant")  ? PAD_EDGE
              : onnx_text_is(b->node, "mode", "wrap", "constant")  ? PAD_WRAP
                                                                   : PAD_VALUE;
    l->a = (float)value;
    return isfinite(l->a) ? 0
                          : ob_fail(b, "padding with a value that isn't a number is not supported");
}

/* Cuts off what is negative. */
static int crop(struct build *b, struct value *v, struct border *p)
{
    for (int a = 0; a < v->rank; a++) {
        int from = p->before[a] < 0 ? -p->before[a] : 0,
            behind = p->after[a] < 0 ? -p->after[a] : 0;
        if (from + behind >= v->dim[a])
            return ob_fail(b, "it takes nothing from axis %d", a);
        int rc = take(b, v, a, (struct cut){from, v->dim[a] - from - behind, 1});
        if (rc < 0)
            return rc;
        p->before[a] += from;
        p->after[a] += behind;
    }
    return 0;
}

/* Moves the border of an axis of the graph to a layer's; -1: none. */
static void give(struct value *v, int axis, struct border *p, int *before, int *after)
{
    if (axis < 0)
        return;
    *before = p->before[axis];
    *after = p->after[axis];
    v->dim[axis] += *before + *after;
    p->before[axis] = p->after[axis] = 0;
}

/* Pads: the last two axes of memory and the one before, if it is all that lies before, in one layer;
   any other in one of its own. */
static int pad(struct build *b, struct value *v, struct border *p, const struct layer *like)
{
    int last = v->rank > 0 ? v->mem[v->rank - 1] : -1,
        width = v->rank > 1 ? v->mem[v->rank - 2] : -1;
    for (int k = 0; k < v->rank; k++) {
        int a = v->mem[k];
        struct shape around = ob_around(v, a), whole = ob_shape(v);
        bool height = around.h == 1 && around.w == whole.h;
        struct layer l = *like;
        if (p->before[a] == 0 && p->after[a] == 0)
            continue;
        bool apart = a != last && a != width && !height;
        l.nin = 1;
        if ((l.in[0] = ob_view(b, v, apart ? around : whole)) < 0)
            return l.in[0];
        if (apart) {
            give(v, a, p, &l.pl, &l.pr);
        } else {
            if (a != last && a != width)
                give(v, a, p, &l.pt, &l.pb);
            give(v, width, p, &l.pl, &l.pr);
            give(v, last, p, &l.cb, &l.ca);
        }
        if ((v->layer = ob_add(b, &l, -1)) < 0)
            return v->layer;
    }
    return 0;
}

int op_pad_node(struct build *b)
{
    struct value v;
    struct border border;
    struct layer l = layer_make("", L_PAD);
    if (ob_tensor(b, 0, &v) < 0 || read_border(b, &v, &border) < 0 || read_filling(b, &l) < 0)
        return MIEN_ERR_FORMAT;
    int rc = crop(b, &v, &border);
    if (rc < 0 || (rc = pad(b, &v, &border, &l)) < 0)
        return rc;
    return ob_out(b, 0, &v);
}
