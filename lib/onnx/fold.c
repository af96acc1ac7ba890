/* What is computed of constants alone: chains of shapes, mostly, and weights. */
#include "ops.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The node's output is t, which becomes the build's unless rc tells of a failure. */
static int done(struct build *b, struct constant *t, int rc)
{
    if (rc == 0)
        return ob_out_constant(b, 0, t);
    constant_free(t);
    return rc;
}

static const struct constant *in(struct build *b, int k)
{
    const struct constant *t = ob_constant(b, k);
    if (t == NULL)
        ob_fail(b, "input %d isn't a constant", k + 1);
    return t;
}

/* --- Elements ------------------------------------------------------------------------------- */

static double unary(const char *op, double x, bool *known)
{
    static const struct {
        const char *op;
        double (*f)(double);
    } table[] = {{"Sqrt", sqrt}, {"Exp", exp},     {"Log", log}, {"Abs", fabs},
                 {"Ceil", ceil}, {"Floor", floor}, {"Erf", erf}, {"Tanh", tanh}};
    *known = true;
    for (size_t k = 0; k < sizeof table / sizeof table[0]; k++) {
        if (strcmp(op, table[k].op) == 0)
            return table[k].f(x);
    }
    if (strcmp(op, "Neg") == 0)
        return -x;
    if (strcmp(op, "Reciprocal") == 0)
        return 1 / x;
    if (strcmp(op, "Not") == 0)
        return x == 0;
    if (strcmp(op, "Relu") == 0)
        return x > 0 ? x : 0;
    if (strcmp(op, "Sigmoid") == 0)
        return 1 / (1 + exp(-x));
    *known = false;
    return 0;
}

int fold_unary(struct build *b)
{
    const struct constant *x = in(b, 0);
    struct constant t = {0};
    bool known;
    if (x == NULL)
        return MIEN_ERR_FORMAT;
    unary(b->node->op, 0, &known);
    if (!known)
        return ob_fail(b, "it isn't supported for a constant");
    int rc = constant_copy(&t, x, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++)
        constant_set(&t, k, unary(b->node->op, constant_get(x, k), &known));
    return done(b, &t, rc);
}

/* The shape that two are combined to; -1: they can't be. */
static int broadcast(const struct constant *x, const struct constant *y, struct constant *out)
{
    int rank = x->rank > y->rank ? x->rank : y->rank;
    *out = (struct constant){.rank = rank};
    for (int k = 0; k < rank; k++) {
        int i = k - (rank - x->rank), j = k - (rank - y->rank);
        int p = i < 0 ? 1 : x->dim[i], q = j < 0 ? 1 : y->dim[j];
        if (p != q && p != 1 && q != 1)
            return -1;
        out->dim[k] = p == 1 ? q : p;
    }
    return 0;
}

/* Which element of x stands in the place of out's element k. */
static size_t source(const struct constant *x, const struct constant *out, size_t k)
{
    size_t at = 0, step = 1;
    for (int d = out->rank - 1; d >= 0; d--) {
        size_t index = k % (size_t)out->dim[d];
        int i = d - (out->rank - x->rank);
        k /= (size_t)out->dim[d];
        if (i >= 0 && x->dim[i] != 1)
            at += index * step;
        if (i >= 0)
            step *= (size_t)x->dim[i];
    }
    return at;
}

static double binary(const char *op, double x, double y, bool whole)
{
    switch (op[0]) {
    case 'A': /* Add, And */
        return op[1] == 'n' ? (x != 0 && y != 0) : x + y;
    case 'S': /* Sub, Sum */
        return op[2] == 'm' ? x + y : x - y;
    case 'D':
        return !whole ? x / y : y == 0 ? 0 : trunc(x / y);
    case 'P':
        return pow(x, y);
    case 'E':
        return x == y;
    case 'G':
        return strcmp(op, "Greater") == 0 ? x > y : x >= y;
    case 'L':
        return strcmp(op, "Less") == 0 ? x < y : x <= y;
    case 'O':
        return x != 0 || y != 0;
    default: /* Mul, Min, Max, Mod, Mean */
        if (strcmp(op, "Mul") == 0)
            return x * y;
        if (strcmp(op, "Mod") == 0)
            return y == 0 ? 0 : x - y * floor(x / y);
        return strcmp(op, "Min") == 0 ? fmin(x, y) : fmax(x, y);
    }
}

static int combine(struct build *b, const struct constant *x, const struct constant *y,
                   bool compares, struct constant *t)
{
    bool whole = compares || (x->i != NULL && y->i != NULL);
    if (broadcast(x, y, t) < 0)
        return ob_fail(b, "its inputs differ in shape");
    int rc = constant_made(t, whole, b->e);
    for (size_t k = 0; rc == 0 && k < t->count; k++)
        constant_set(t, k,
                     binary(b->node->op, constant_get(x, source(x, t, k)),
                            constant_get(y, source(y, t, k)), whole && !compares));
    return rc;
}

int fold_binary(struct build *b)
{
    struct constant t = {0}, next;
    const struct constant *x = in(b, 0);
    int rc = x == NULL ? MIEN_ERR_FORMAT : constant_copy(&t, x, b->e);
    for (int k = 1; rc == 0 && k < b->node->nin; k++) {
        if ((x = in(b, k)) == NULL) {
            rc = MIEN_ERR_FORMAT;
            break;
        }
        rc = combine(b, &t, x, false, &next);
        constant_free(&t);
        t = next;
    }
    if (rc == 0 && strcmp(b->node->op, "Mean") == 0)
        rc = ob_fail(b, "it isn't supported for constants");
    return done(b, &t, rc);
}

int fold_compare(struct build *b)
{
    struct constant t = {0};
    const struct constant *x = in(b, 0), *y = in(b, 1);
    return done(b, &t, x == NULL || y == NULL ? MIEN_ERR_FORMAT : combine(b, x, y, true, &t));
}

int fold_where(struct build *b)
{
    struct constant both, all;
    const struct constant *which = in(b, 0), *x = in(b, 1), *y = in(b, 2);
    if (which == NULL || x == NULL || y == NULL)
        return MIEN_ERR_FORMAT;
    if (broadcast(x, y, &both) < 0 || broadcast(&both, which, &all) < 0)
        return ob_fail(b, "its inputs differ in shape");
    int rc = constant_made(&all, x->i != NULL, b->e);
    for (size_t k = 0; rc == 0 && k < all.count; k++)
        constant_set(&all, k,
                     constant_get(which, source(which, &all, k)) != 0
                         ? constant_get(x, source(x, &all, k))
                         : constant_get(y, source(y, &all, k)));
    return done(b, &all, rc);
}

int fold_cast(struct build *b)
{
    const struct constant *x = in(b, 0);
    int64_t to = onnx_int(b->node, "to", 1);
    bool real = to == 1 || to == 10 || to == 11 || to == 16, truth = to == 9;
    if (x == NULL)
        return MIEN_ERR_FORMAT;
    struct constant t = {.rank = x->rank};
    memcpy(t.dim, x->dim, sizeof t.dim);
    int rc = constant_new(&t, !real, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++) {
        double v = constant_get(x, k);
        constant_set(&t, k, real ? v : truth ? v != 0 : trunc(v));
    }
    return done(b, &t, rc);
}

int fold_identity(struct build *b)
{
    struct constant t = {0};
    const struct constant *x = in(b, 0);
    return done(b, &t, x == NULL ? MIEN_ERR_FORMAT : constant_copy(&t, x, b->e));
}

int fold_dequantize(struct build *b)
{
    const struct constant *x = in(b, 0), *scale = in(b, 1), *zero = ob_constant(b, 2);
    if (x == NULL || scale == NULL)
        return MIEN_ERR_FORMAT;
    int axis = (int)onnx_int(b->node, "axis", 1);
    axis += axis < 0 ? x->rank : 0;
    bool each = scale->count > 1;
    if (each && (axis < 0 || axis >= x->rank || scale->count != (size_t)x->dim[axis]))
        return ob_fail(b, "its scales don't fit the axis");
    if (zero != NULL && zero->count != scale->count)
        return ob_fail(b, "its scales and zero points differ in number");
    if (scale->count == 0)
        return ob_fail(b, "it has no scale");
    struct constant t = {.rank = x->rank};
    memcpy(t.dim, x->dim, sizeof t.dim);
    size_t inner = each ? extents(x->dim + axis + 1, x->rank - axis - 1) : 1;
    int rc = constant_new(&t, false, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++) {
        size_t c = each ? k / inner % scale->count : 0;
        double v = constant_get(x, k) - (zero != NULL ? constant_get(zero, c) : 0);
        t.f[k] = (float)(v * constant_get(scale, c));
    }
    return done(b, &t, rc);
}

/* --- Shapes --------------------------------------------------------------------------------- */

int fold_reshape(struct build *b)
{
    const struct constant *x = in(b, 0);
    struct constant t = {0};
    int next[CONST_MAX_RANK];
    if (x == NULL)
        return MIEN_ERR_FORMAT;
    int rank = onnx_new_shape(b, x->dim, x->rank, next);
    if (rank < 0)
        return rank;
    int rc = constant_copy(&t, x, b->e);
    t.rank = rank;
    memcpy(t.dim, next, sizeof t.dim);
    return done(b, &t, rc);
}

int fold_transpose(struct build *b)
{
    const struct constant *x = in(b, 0);
    struct constant t = {0};
    int order[CONST_MAX_RANK];
    unsigned seen = 0;
    if (x == NULL)
        return MIEN_ERR_FORMAT;
    int n = onnx_ints(b->node, "perm", order, CONST_MAX_RANK);
    for (int k = 0; n < 0 && k < x->rank; k++)
        order[k] = x->rank - 1 - k;
    n = n < 0 ? x->rank : n;
    for (int k = 0; k < n; k++)
        seen |= order[k] >= 0 && order[k] < x->rank ? 1U << order[k] : 0;
    if (n != x->rank || seen != (1U << n) - 1)
        return ob_fail(b, "its order isn't one of its input's axes");
    return done(b, &t, constant_permute(&t, x, order, b->e));
}

/* Copies rows of `inner` elements. */
static void rows(struct constant *to, size_t at, const struct constant *from, size_t from_at,
                 size_t inner)
{
    for (size_t k = 0; k < inner; k++) {
        if (to->i != NULL)
            to->i[at + k] = from->i != NULL ? from->i[from_at + k] : 0;
        else
            to->f[at + k] = (float)constant_get(from, from_at + k);
    }
}

int fold_concat(struct build *b)
{
    struct constant t = {0};
    const struct constant *x = in(b, 0);
    if (x == NULL)
        return MIEN_ERR_FORMAT;
    int axis = (int)onnx_int(b->node, "axis", 1), rank = x->rank;
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank)
        return ob_fail(b, "there is no such axis");
    t.rank = rank;
    memcpy(t.dim, x->dim, sizeof t.dim);
    double along = 0;
    for (int k = 0; k < b->node->nin; k++) {
        const struct constant *y = in(b, k);
        if (y == NULL)
            return MIEN_ERR_FORMAT;
        bool fits = y->rank == rank && (y->i != NULL) == (x->i != NULL);
        for (int d = 0; fits && d < rank; d++)
            fits = d == axis || y->dim[d] == x->dim[d];
        if (!fits)
            return ob_fail(b, "its inputs differ in shape");
        along += y->dim[axis];
    }
    if (along > INT_MAX)
        return ob_fail(b, "its output is too large");
    t.dim[axis] = (int)along;
    int rc = constant_new(&t, x->i != NULL, b->e);
    size_t outer = extents(t.dim, axis), row = extents(t.dim + axis, rank - axis), at = 0;
    for (int k = 0; rc == 0 && k < b->node->nin; k++) {
        const struct constant *y = in(b, k);
        size_t mine = extents(y->dim + axis, rank - axis);
        for (size_t o = 0; o < outer; o++)
            rows(&t, o * row + at, y, o * mine, mine);
        at += mine;
    }
    return done(b, &t, rc);
}

int fold_gather(struct build *b)
{
    const struct constant *x = in(b, 0), *index = in(b, 1);
    if (x == NULL || index == NULL)
        return MIEN_ERR_FORMAT;
    int axis = (int)onnx_int(b->node, "axis", 0);
    axis += axis < 0 ? x->rank : 0;
    if (axis < 0 || axis >= x->rank || x->rank - 1 + index->rank > CONST_MAX_RANK)
        return ob_fail(b, "there is no such axis, or there are too many");
    struct constant t = {.rank = x->rank - 1 + index->rank};
    memcpy(t.dim, x->dim, sizeof *t.dim * (size_t)axis);
    memcpy(t.dim + axis, index->dim, sizeof *t.dim * (size_t)index->rank);
    memcpy(t.dim + axis + index->rank, x->dim + axis + 1,
           sizeof *t.dim * (size_t)(x->rank - axis - 1));
    size_t outer = extents(x->dim, axis), extent = (size_t)x->dim[axis];
    size_t inner = extents(x->dim + axis + 1, x->rank - axis - 1);
    int rc = constant_made(&t, x->i != NULL, b->e);
    for (size_t o = 0; rc == 0 && o < outer; o++) {
        for (size_t k = 0; k < index->count; k++) {
            int i = constant_int(index, k);
            i += i < 0 ? (int)extent : 0;
            if (i < 0 || (size_t)i >= extent) {
                rc = ob_fail(b, "an index is beyond its axis");
                break;
            }
            rows(&t, (o * index->count + k) * inner, x, (o * extent + (size_t)i) * inner, inner);
        }
    }
    return done(b, &t, rc);
}

int fold_slice(struct build *b)
{
    const struct constant *x = in(b, 0);
    struct cut cut[CONST_MAX_RANK];
    if (x == NULL || onnx_cuts(b, x->dim, x->rank, cut) < 0)
        return MIEN_ERR_FORMAT;
    struct constant t = {.rank = x->rank};
    for (int d = 0; d < t.rank; d++)
        t.dim[d] = cut[d].size;
    int rc = constant_new(&t, x->i != NULL, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++) {
        size_t left = k, at = 0, step = 1;
        for (int d = t.rank - 1; d >= 0; d--) {
            int i = (int)(left % (size_t)t.dim[d]);
            left /= (size_t)t.dim[d];
            at += (size_t)(cut[d].at + i * cut[d].step) * step;
            step *= (size_t)x->dim[d];
        }
        rows(&t, k, x, at, 1);
    }
    return done(b, &t, rc);
}

/* A shape from a constant of whole numbers. */
static int shape_of(struct build *b, const struct constant *x, struct constant *t)
{
    if (x->rank > 1 || x->count > CONST_MAX_RANK)
        return ob_fail(b, "its shape has more than %d dimensions", CONST_MAX_RANK);
    *t = (struct constant){.rank = (int)x->count};
    for (int k = 0; k < t->rank; k++) {
        if ((t->dim[k] = constant_int(x, (size_t)k)) < 0)
            return ob_fail(b, "its shape has an extent that isn't known");
    }
    return 0;
}

int fold_expand(struct build *b)
{
    const struct constant *x = in(b, 0), *shape = in(b, 1);
    struct constant want, t;
    if (x == NULL || shape == NULL || shape_of(b, shape, &want) < 0)
        return MIEN_ERR_FORMAT;
    if (broadcast(x, &want, &t) < 0)
        return ob_fail(b, "its shapes differ");
    int rc = constant_made(&t, x->i != NULL, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++)
        rows(&t, k, x, source(x, &t, k), 1);
    return done(b, &t, rc);
}

/* Products, sums and the like of all elements, or along the first axis of two: what shapes need. */
int fold_reduce(struct build *b)
{
    const struct constant *x = in(b, 0);
    const char *kind = b->node->op + 6;
    int axes[CONST_MAX_RANK];
    if (x == NULL)
        return MIEN_ERR_FORMAT;
    int n = onnx_numbers(b, "axes", 1, axes, CONST_MAX_RANK);
    if (n < ONNX_NONE)
        return n;
    if (x->rank > 1 || x->count == 0)
        return ob_fail(b, "it isn't supported for a constant of more than one dimension");
    bool keep = onnx_int(b->node, "keepdims", 1) != 0;
    struct constant t = {.rank = keep && x->rank == 1, .dim = {1}};
    double sum = constant_get(x, 0);
    for (size_t k = 1; k < x->count; k++) {
        double v = constant_get(x, k);
        sum = strcmp(kind, "Prod") == 0  ? sum * v
              : strcmp(kind, "Max") == 0 ? fmax(sum, v)
              : strcmp(kind, "Min") == 0 ? fmin(sum, v)
                                         : sum + v;
    }
    if (strcmp(kind, "Mean") == 0)
        sum /= (double)x->count;
    int rc = constant_new(&t, x->i != NULL, b->e);
    if (rc == 0)
        constant_set(&t, 0, sum);
    return done(b, &t, rc);
}

/* --- Constants from nothing ----------------------------------------------------------------- */

int onnx_constant(struct build *b)
{
    struct constant t = {0};
    struct span tensor;
    int ints[64];
    float reals[64];
    if (onnx_attribute(b->node, "value", &tensor))
        return done(b, &t, onnx_tensor(b->f, tensor, &t, b->e));
    int n = onnx_ints(b->node, "value_ints", ints, 64);
    int m = n < 0 ? onnx_reals(b->node, "value_floats", reals, 64) : -1;
    bool whole = n >= 0 || onnx_has(b->node, "value_int");
    if (n >= 0 || m >= 0)
        t = (struct constant){.rank = 1, .dim = {n >= 0 ? n : m}};
    else if (!onnx_has(b->node, "value_int") && !onnx_has(b->node, "value_float"))
        return ob_fail(b, "its value isn't one of numbers");
    int rc = constant_new(&t, whole, b->e);
    for (size_t k = 0; rc == 0 && t.rank == 1 && k < t.count; k++)
        constant_set(&t, k, whole ? (double)ints[k] : (double)reals[k]);
    if (rc == 0 && t.rank == 0)
        constant_set(&t, 0,
                     whole ? (double)onnx_int(b->node, "value_int", 0)
                           : onnx_real(b->node, "value_float", 0));
    return done(b, &t, rc);
}

int onnx_constant_of_shape(struct build *b)
{
    struct constant t = {0}, one = {0};
    const struct constant *x = in(b, 0);
    struct span tensor;
    if (x == NULL || shape_of(b, x, &t) < 0)
        return MIEN_ERR_FORMAT;
    if (x->count > 0 && x->dim[0] == 0)
        t.rank = 0;
    bool given = onnx_attribute(b->node, "value", &tensor);
    int rc = given ? onnx_tensor(b->f, tensor, &one, b->e) : 0;
    if (rc == 0 && given && one.count != 1)
        rc = ob_fail(b, "its value isn't one number");
    if (rc == 0)
        rc = constant_made(&t, one.i != NULL, b->e);
    for (size_t k = 0; rc == 0 && given && k < t.count; k++)
        rows(&t, k, &one, 0, 1);
    constant_free(&one);
    return done(b, &t, rc);
}

int onnx_range(struct build *b)
{
    const struct constant *from = in(b, 0), *to = in(b, 1), *step = in(b, 2);
    if (from == NULL || to == NULL || step == NULL || from->count != 1 || to->count != 1 ||
        step->count != 1)
        return ob_fail(b, "its bounds aren't constants");
    double a = constant_get(from, 0), s = constant_get(step, 0);
    double n = ceil((constant_get(to, 0) - a) / s);
    if (!(n >= 0))
        n = 0;
    if (n > 1 << 20)
        return ob_fail(b, "it is too long");
    struct constant t = {.rank = 1, .dim = {(int)n}};
    int rc = constant_made(&t, from->i != NULL, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++)
        constant_set(&t, k, a + s * (double)k);
    return done(b, &t, rc);
}

int onnx_shape(struct build *b)
{
    const struct value *v = ob_in(b, 0);
    if (v == NULL)
        return ob_fail(b, "input 1 is missing");
    int64_t from = onnx_int(b->node, "start", 0), to = onnx_int(b->node, "end", v->rank);
    from += from < 0 ? v->rank : 0;
    to += to < 0 ? v->rank : 0;
    from = from < 0 ? 0 : from > v->rank ? v->rank : from;
    to = to < from ? from : to > v->rank ? v->rank : to;
    struct constant t = {.rank = 1, .dim = {(int)(to - from)}};
    int rc = constant_new(&t, true, b->e);
    for (size_t k = 0; rc == 0 && k < t.count; k++)
        t.i[k] = v->dim[(size_t)from + k];
    return done(b, &t, rc);
}

int onnx_size(struct build *b)
{
    const struct value *v = ob_in(b, 0);
    struct constant t = {0};
    if (v == NULL)
        return ob_fail(b, "input 1 is missing");
    int rc = constant_new(&t, true, b->e);
    if (rc == 0)
        t.i[0] = (int64_t)extents(v->dim, v->rank);
    return done(b, &t, rc);
}
