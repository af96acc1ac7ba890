#include "layers.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/names.h"

int ob_fail(struct build *b, const char *fmt, ...)
{
    char cause[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause, sizeof cause, fmt, ap);
    va_end(ap);
    const struct onnx_node *n = b->node;
    const char *name =
        n->name[0] == '\0' && n->nout > 0 && n->out[0] >= 0 ? b->f->name[n->out[0]] : n->name;
    return mien_err_set(b->e, MIEN_ERR_FORMAT, "node '%.100s' (%.60s): %s", name, n->op, cause);
}

/* --- Inputs and outputs --------------------------------------------------------------------- */

struct value *ob_in(struct build *b, int k)
{
    int i = k < b->node->nin ? b->node->in[k] : -1;
    return i >= 0 ? &b->value[i] : NULL;
}

const struct constant *ob_constant(struct build *b, int k)
{
    const struct value *v = ob_in(b, k);
    return v != NULL && constant_is(&v->k) ? &v->k : NULL;
}

int ob_tensor(struct build *b, int k, struct value *v)
{
    const struct value *in = ob_in(b, k);
    if (in == NULL)
        return ob_fail(b, "input %d is missing", k + 1);
    if (constant_is(&in->k))
        return ob_fail(b, "input %d is a constant, which is not supported", k + 1);
    *v = *in;
    return 0;
}

int ob_out(struct build *b, int k, const struct value *v)
{
    int i = k < b->node->nout ? b->node->out[k] : -1;
    if (i < 0)
        return 0;
    if (b->value[i].known)
        return ob_fail(b, "its output '%.100s' already exists", b->f->name[i]);
    b->value[i] = *v;
    b->value[i].known = true;
    return 0;
}

int ob_out_constant(struct build *b, int k, struct constant *c)
{
    struct value v = {.k = *c, .layer = -1, .rank = c->rank};
    memcpy(v.dim, c->dim, sizeof v.dim);
    for (int d = 0; d < v.rank; d++)
        v.mem[d] = d;
    int i = k < b->node->nout ? b->node->out[k] : -1;
    int rc = ob_out(b, k, &v);
    if (i < 0 || rc < 0)
        constant_free(c);
    return rc;
}

int ob_emit(struct build *b, const struct value *v, int layer)
{
    struct value out = *v;
    if (layer < 0)
        return layer;
    out.layer = layer;
    return ob_out(b, 0, &out);
}

int ob_emit_image(struct build *b, const struct value *v, int layer)
{
    if (layer < 0)
        return layer;
    const struct shape s = b->net.layer[layer].shape;
    struct value out = *v;
    out.dim[1] = s.c;
    out.dim[v->rank - 1] = s.w;
    if (v->rank == 4)
        out.dim[2] = s.h;
    return ob_emit(b, &out, layer);
}

/* --- Layers --------------------------------------------------------------------------------- */

struct layer ob_layer(enum layer_type type, int in)
{
    struct layer l = layer_make("", type);
    l.nin = 1;
    l.in[0] = in;
    return l;
}

/* "features.0.weight" is features_0, "/pool/GlobalAveragePool" pool_GlobalAveragePool. */
static void wanted_name(const struct build *b, int weight, char name[NET_NAME])
{
    const struct onnx_node *n = b->node;
    const char *s = n->name;
    int i = weight >= 0 && weight < n->nin ? n->in[weight] : -1;
    size_t len = 0;
    if (i >= 0) {
        s = b->f->name[i];
        const char *end = strrchr(s, '.');
        if (end == NULL)
            end = strrchr(s, '/');
        len = end != NULL && strspn(s, "0123456789") < strlen(s) ? (size_t)(end - s) : 0;
    }
    if (len == 0) {
        s = n->name[0] == '\0' && n->nout > 0 && n->out[0] >= 0 ? b->f->name[n->out[0]] : n->name;
        s += strspn(s, "/");
        len = strlen(s);
    }
    if (strspn(s, "0123456789") >= len) { /* a number alone tells nothing */
        s = n->op;
        len = strlen(s);
    }
    name_clean(s, len, name);
}

int ob_add(struct build *b, const struct layer *from, int weight)
{
    struct mien_err cause;
    struct layer l = *from;
    if (l.name[0] == '\0')
        wanted_name(b, weight, l.name);
    name_free(&b->net, l.name);
    size_t before = b->net.nweights;
    int index = net_add(&b->net, &l, &cause);
    if (index < 0)
        return b->node != NULL ? ob_fail(b, "%s", cause.msg)
                               : mien_err_set(b->e, index, "%s", cause.msg);
    size_t n = b->net.nweights;
    if (n > before) {
        float *w = realloc(b->weights, n * sizeof *w);
        if (w == NULL)
            return mien_err_mem(b->e, n * sizeof *w, "weights");
        memset(w + before, 0, (n - before) * sizeof *w);
        b->weights = w;
    }
    return index;
}

float *ob_param(const struct build *b, int layer, int k)
{
    return b->weights + b->net.layer[layer].param[k].at;
}

/* --- Layout --------------------------------------------------------------------------------- */

int ob_axis(const struct value *v, int axis)
{
    axis += axis < 0 ? v->rank : 0;
    return axis >= 0 && axis < v->rank ? axis : -1;
}

struct shape ob_shape(const struct value *v)
{
    struct shape s = {1, 1, 1};
    for (int k = 0; k < v->rank; k++) {
        int d = v->dim[v->mem[k]];
        if (k == v->rank - 1)
            s.c = d;
        else if (k == v->rank - 2)
            s.w = d;
        else
            s.h *= d;
    }
    return s;
}

struct shape ob_around(const struct value *v, int axis)
{
    struct shape s = {1, 1, 1};
    int at = 0;
    while (v->mem[at] != axis)
        s.h *= v->dim[v->mem[at++]];
    s.w = v->dim[axis];
    for (at++; at < v->rank; at++)
        s.c *= v->dim[v->mem[at]];
    return s;
}

static bool same_shape(struct shape a, struct shape b)
{
    return a.h == b.h && a.w == b.w && a.c == b.c;
}

int ob_view(struct build *b, const struct value *v, struct shape s)
{
    int i = v->layer;
    while (!same_shape(b->net.layer[i].shape, s) && b->net.layer[i].type == L_RESHAPE)
        i = b->net.layer[i].in[0];
    if (same_shape(b->net.layer[i].shape, s))
        return i;
    struct layer l = ob_layer(L_RESHAPE, i);
    l.size[0] = s.h, l.size[1] = s.w, l.size[2] = s.c;
    return ob_add(b, &l, -1);
}

int ob_plain(struct build *b, const struct value *v)
{
    return ob_view(b, v, ob_shape(v));
}

/* Whether the axes that are more than 1 come in the same order. */
static bool same_order(const struct value *v, const int *mem)
{
    int a = 0, k = 0;
    assert(v->rank >= 0);
    for (;; a++, k++) {
        while (a < v->rank && v->dim[v->mem[a]] == 1)
            a++;
        while (k < v->rank && v->dim[mem[k]] == 1)
            k++;
        if (a == v->rank || k == v->rank)
            return a == k;
        if (v->mem[a] != mem[k])
            return false;
    }
}

/* A permute layer's view: runs of axes that stay together are one. Returns how many, or -1. */
static int permutation(const struct value *v, const int *mem, int view[NET_MAX_VIEW],
                       int order[NET_MAX_VIEW])
{
    int run[CONST_MAX_RANK], runs = 0, at[CONST_MAX_RANK] = {0}, n = 0;
    for (int k = 0; k < v->rank; k++) { /* where each axis is, without those of 1 */
        if (v->dim[v->mem[k]] > 1)
            at[v->mem[k]] = n++;
    }
    int last = -2;
    int first[CONST_MAX_RANK], size[CONST_MAX_RANK] = {0};
    for (int k = 0; k < v->rank; k++) {
        if (v->dim[mem[k]] == 1)
            continue;
        if (at[mem[k]] == last + 1) {
            size[runs - 1] *= v->dim[mem[k]];
        } else {
            first[runs] = at[mem[k]];
            size[runs++] = v->dim[mem[k]];
        }
        last = at[mem[k]];
    }
    if (runs > NET_MAX_VIEW)
        return -1;
    for (int r = 0; r < runs; r++) { /* the runs in the order of memory */
        run[r] = 0;
        for (int q = 0; q < runs; q++)
            run[r] += first[q] < first[r];
        view[run[r]] = size[r];
    }
    for (int r = 0; r < runs; r++)
        order[r] = run[r];
    return runs;
}

int ob_arrange(struct build *b, struct value *v, const int *mem)
{
    bool same = same_order(v, mem);
    struct layer l = ob_layer(L_PERMUTE, v->layer);
    int n = same ? 0 : permutation(v, mem, l.view, l.order);
    if (n < 0)
        return ob_fail(b, "its axes would have to be reordered in more than %d parts",
                       NET_MAX_VIEW);
    memcpy(v->mem, mem, sizeof *mem * (size_t)v->rank);
    if (same)
        return 0;
    struct shape s = ob_shape(v);
    l.size[0] = s.h, l.size[1] = s.w, l.size[2] = s.c;
    v->layer = ob_add(b, &l, -1);
    return v->layer < 0 ? v->layer : 0;
}

int ob_canonical(struct build *b, struct value *v)
{
    int mem[CONST_MAX_RANK] = {0};
    for (int k = 0; k < v->rank; k++)
        mem[k] = k;
    return ob_arrange(b, v, mem);
}

int ob_channels_last(struct build *b, struct value *v)
{
    int mem[CONST_MAX_RANK] = {0, 1};
    for (int k = 2; k < v->rank; k++)
        mem[k - 1] = k;
    if (v->rank > 1)
        mem[v->rank - 1] = 1;
    return ob_arrange(b, v, mem);
}

/* Where axes of one shape become those of another: group g of both has the old axes from[g] to
   from[g + 1] - 1, and the new ones to[g] to to[g + 1] - 1, the fewest whose products agree. */
static int match_axes(const struct value *v, const int *dim, int rank, int *from, int *to)
{
    int i = 0, j = 0, n = 0;
    from[0] = to[0] = 0;
    while (i < v->rank || j < rank) {
        double a = i < v->rank ? v->dim[i++] : 1, c = j < rank ? dim[j++] : 1;
        while (a != c) {
            if (a < c && i < v->rank)
                a *= v->dim[i++];
            else if (c < a && j < rank)
                c *= dim[j++];
            else
                return -1;
        }
        n++;
        from[n] = i;
        to[n] = j;
    }
    return n;
}

int ob_reshape(struct build *b, struct value *v, const int *dim, int rank)
{
    int from[2 * CONST_MAX_RANK + 1] = {0}, to[2 * CONST_MAX_RANK + 1], mem[CONST_MAX_RANK];
    bool done[2 * CONST_MAX_RANK] = {false};
    int groups = match_axes(v, dim, rank, from, to), n = 0, m = 0, next[CONST_MAX_RANK];
    if (groups < 0)
        return ob_fail(b, "the new shape doesn't hold its input's elements");
    /* Groups in the order in which memory has them first, those of 1 in front. */
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < v->rank || (pass == 0 && k < groups); k++) {
            int g = k;
            if (pass == 1) {
                for (g = 0; !(v->mem[k] >= from[g] && v->mem[k] < from[g + 1]); g++)
                    ;
                if (v->dim[v->mem[k]] == 1)
                    continue;
            }
            if (g >= groups || done[g] ||
                (pass == 0 && extents(v->dim + from[g], from[g + 1] - from[g]) != 1))
                continue;
            done[g] = true;
            for (int a = from[g]; a < from[g + 1]; a++)
                mem[n++] = a;
            for (int a = to[g]; a < to[g + 1]; a++)
                next[m++] = a;
        }
    }
    int rc = ob_arrange(b, v, mem);
    if (rc < 0)
        return rc;
    v->rank = rank;
    memcpy(v->dim, dim, sizeof *dim * (size_t)rank);
    memcpy(v->mem, next, sizeof *next * (size_t)rank);
    return 0;
}

int ob_transpose(struct build *b, struct value *v, const int *order, int n)
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
