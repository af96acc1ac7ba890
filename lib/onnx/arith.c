/*
 * Functions of one number, and arithmetic of two values by the rules of broadcasting: extents are
 * the same or 1, and are compared from the last axis on.
 *
 * Exporters take activations apart; what was one function becomes one layer again (whole_again).
 */
#include "ops.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/rectifier.h"

/* --- Functions of one number ---------------------------------------------------------------- */

/* What differs between operators; a and b are layer.a and b, named by their attributes. */
static const struct unary {
    const char *op;
    enum layer_type type;
    const char *a, *b;
    double da, db;
} unaries[] = {
    {"Relu", L_RELU, NULL, NULL, 0, 0},
    {"LeakyRelu", L_LEAKY, "alpha", NULL, 0.01, 0},
    {"Elu", L_ELU, "alpha", NULL, 1, 0},
    {"Celu", L_CELU, "alpha", NULL, 1, 0},
    {"Selu", L_SELU, "alpha", "gamma", 1.67326319217681884765625, 1.05070102214813232421875},
    {"HardSigmoid", L_HSIGMOID, "alpha", "beta", 0.2, 0.5},
    {"ThresholdedRelu", L_THRESHOLD, "alpha", NULL, 1, 0},
    {"Shrink", L_SHRINK, "lambd", "bias", 0.5, 0},
    {"Sigmoid", L_SIGMOID, NULL, NULL, 0, 0},
    {"Tanh", L_TANH, NULL, NULL, 0, 0},
    {"HardSwish", L_HSWISH, NULL, NULL, 0, 0},
    {"Softplus", L_SOFTPLUS, NULL, NULL, 0, 0},
    {"Softsign", L_SOFTSIGN, NULL, NULL, 0, 0},
    {"Mish", L_MISH, NULL, NULL, 0, 0},
    {"Exp", L_EXP, NULL, NULL, 0, 0},
    {"Log", L_LOG, NULL, NULL, 0, 0},
    {"Sqrt", L_SQRT, NULL, NULL, 0, 0},
    {"Abs", L_ABS, NULL, NULL, 0, 0},
    {"Neg", L_NEG, NULL, NULL, 0, 0},
    {"Erf", L_ERF, NULL, NULL, 0, 0},
    {"Reciprocal", L_RECIPROCAL, NULL, NULL, 0, 0},
    {"Sign", L_SIGN, NULL, NULL, 0, 0},
    {"Floor", L_FLOOR, NULL, NULL, 0, 0},
    {"Ceil", L_CEIL, NULL, NULL, 0, 0},
    {"Round", L_ROUND, NULL, NULL, 0, 0},
    {"Sin", L_SIN, NULL, NULL, 0, 0},
    {"Cos", L_COS, NULL, NULL, 0, 0},
    {"Tan", L_TAN, NULL, NULL, 0, 0},
    {"Asin", L_ASIN, NULL, NULL, 0, 0},
    {"Acos", L_ACOS, NULL, NULL, 0, 0},
    {"Atan", L_ATAN, NULL, NULL, 0, 0},
    {"Sinh", L_SINH, NULL, NULL, 0, 0},
    {"Cosh", L_COSH, NULL, NULL, 0, 0},
    {"Asinh", L_ASINH, NULL, NULL, 0, 0},
    {"Acosh", L_ACOSH, NULL, NULL, 0, 0},
    {"Atanh", L_ATANH, NULL, NULL, 0, 0},
};

int op_unary(struct build *b)
{
    const struct unary *u = unaries;
    struct value v;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    while (strcmp(u->op, b->node->op) != 0)
        u++;
    struct layer l = ob_layer(u->type, v.layer);
    if (u->a != NULL)
        l.a = (float)onnx_real(b->node, u->a, u->da);
    if (u->b != NULL)
        l.b = (float)onnx_real(b->node, u->b, u->db);
    return ob_emit(b, &v, ob_add(b, &l, -1));
}

/* A bound, which is an attribute or, in newer ones, an input. */
static int bound(struct build *b, int k, const char *key, float *v)
{
    const struct value *in = ob_in(b, k);
    if (in == NULL) {
        *v = (float)onnx_real(b->node, key, (double)*v);
        return 0;
    }
    if (!constant_is(&in->k) || in->k.count != 1)
        return ob_fail(b, "its bounds aren't constant numbers");
    *v = (float)constant_get(&in->k, 0);
    return 0;
}

int op_clip_node(struct build *b)
{
    struct value v;
    float low = -FLT_MAX, high = FLT_MAX;
    if (ob_tensor(b, 0, &v) < 0 || bound(b, 1, "min", &low) < 0 || bound(b, 2, "max", &high) < 0)
        return MIEN_ERR_FORMAT;
    low = fmaxf(low, -FLT_MAX);
    high = fminf(high, FLT_MAX);
    if (low > high)
        low = high; /* as ONNX has it */
    bool relu = low == 0 && (high == 6 || high == FLT_MAX);
    struct layer l = ob_layer(!relu ? L_CLIP : high == 6 ? L_RELU6 : L_RELU, v.layer);
    if (!relu)
        l.a = low, l.b = high;
    return ob_emit(b, &v, ob_add(b, &l, -1));
}

struct value onnx_scalar(struct constant *room, float *number)
{
    *room = (struct constant){.count = 1, .f = number};
    return (struct value){.k = *room, .layer = -1};
}

int op_prelu_node(struct build *b)
{
    struct value v, up, down, scaled, out;
    const struct constant *slope = ob_constant(b, 1);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (slope == NULL)
        return ob_fail(b, "its slopes aren't constant");
    int axis = v.rank - slope->rank;
    for (int k = 0; k < slope->rank && slope->dim[k] == 1; k++)
        axis++;
    bool each = axis == 1 && v.rank > 1 && slope->count == (size_t)v.dim[1];
    if (slope->count == 1) {
        struct layer l = ob_layer(L_LEAKY, v.layer);
        l.a = (float)constant_get(slope, 0);
        return ob_emit(b, &v, ob_add(b, &l, -1));
    }
    if (each) {
        int rc = ob_channels_last(b, &v), in = rc < 0 ? rc : ob_plain(b, &v);
        struct layer l = ob_layer(L_PRELU, in);
        int layer = in < 0 ? in : ob_add(b, &l, 1);
        for (size_t k = 0; layer >= 0 && k < slope->count; k++)
            ob_param(b, layer, 0)[k] = (float)constant_get(slope, k);
        return ob_emit(b, &v, layer);
    }
    /* Slopes of another shape: max(x, 0) + slope min(x, 0). */
    struct constant room;
    float number = 0;
    struct value zero = onnx_scalar(&room, &number);
    int rc;
    if ((rc = onnx_combine(b, L_MAX, &v, &zero, &up)) < 0 ||
        (rc = onnx_combine(b, L_MIN, &v, &zero, &down)) < 0 ||
        (rc = onnx_combine(b, L_MUL, &down, ob_in(b, 1), &scaled)) < 0 ||
        (rc = onnx_combine(b, L_ADD, &up, &scaled, &out)) < 0)
        return rc;
    return ob_out(b, 0, &out);
}

/* --- Activations that were taken apart ------------------------------------------------------ */

/* Whether a layer is of this type and combines a value with one number: then which value it reads,
   and the number. */
static bool with_number(const struct build *b, int i, enum layer_type type, int *x, double *number)
{
    const struct layer *l = &b->net.layer[i];
    if (l->type != type || l->nin != 1 || l->nparam != 1 || l->param[0].count != 1 || l->swap)
        return false;
    *x = l->in[0];
    *number = (double)b->weights[l->param[0].at];
    return true;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-5 * fabs(b);
}

static bool is(const struct build *b, int i, enum layer_type type)
{
    return b->net.layer[i].type == type;
}

/* max(min(x + 3, 6), 0): returns x, or -1. */
static int relu6_of_3(const struct build *b, int i)
{
    int x;
    double n;
    return is(b, i, L_RELU6) && with_number(b, b->net.layer[i].in[0], L_ADD, &x, &n) && n == 3 ? x
                                                                                               : -1;
}

/* 1 + erf(x / sqrt(2)): returns x, or -1. */
static int erf_of(const struct build *b, int i)
{
    int x, y;
    double n;
    if (!with_number(b, i, L_ADD, &x, &n) || n != 1 || !is(b, x, L_ERF))
        return -1;
    x = b->net.layer[x].in[0];
    if (with_number(b, x, L_DIV, &y, &n) && near(n, sqrt(2)))
        return y;
    return with_number(b, x, L_MUL, &y, &n) && near(n, sqrt(0.5)) ? y : -1;
}

/* Which function x times what layer i makes is: a type, or -1. */
static int gated(const struct build *b, int x, int i)
{
    const struct layer *l = &b->net.layer[i];
    if (l->type == L_SIGMOID && l->in[0] == x)
        return L_SWISH;
    if (l->type == L_HSIGMOID && l->in[0] == x && near((double)l->a, 1.0 / 6) &&
        near((double)l->b, 0.5))
        return L_HSWISH;
    if (l->type == L_TANH && is(b, l->in[0], L_SOFTPLUS) && b->net.layer[l->in[0]].in[0] == x)
        return L_MISH;
    return -1;
}

/* What x times a number is, if that ends a function: a type, and of what. */
static int ended(const struct build *b, int i, double number, int *of)
{
    const struct layer *l = &b->net.layer[i];
    int x = near(number, 1.0 / 6) ? relu6_of_3(b, i) : -1;
    if (x >= 0) {
        *of = x;
        return L_HSIGMOID;
    }
    if (l->type != L_MUL || l->nin != 2)
        return -1;
    for (int k = 0; k < 2; k++) {
        *of = l->in[k];
        if (near(number, 1.0 / 6) && relu6_of_3(b, l->in[1 - k]) == *of)
            return L_HSWISH;
        if (number == 0.5 && erf_of(b, l->in[1 - k]) == *of)
            return L_GELU;
    }
    return -1;
}

/* 0.5 x times 1 + erf(x / sqrt(2)), in that order. */
static bool half_first(const struct build *b, int i, int j, int *of)
{
    double n;
    return with_number(b, i, L_MUL, of, &n) && n == 0.5 && erf_of(b, j) == *of;
}

/* x + sign y, if it is a rectifier. Returns its layer, -1 where it is none, or another negative
   code. */
static int rectified(struct build *b, int x, int y, double sign)
{
    struct layer l;
    float *slope;
    int rc = rectifier_of(&b->net, b->weights, x, y, sign, &l, &slope, b->e);
    if (rc <= 0)
        return rc < 0 ? rc : -1;
    int layer = ob_add(b, &l, -1);
    if (layer >= 0 && slope != NULL)
        memcpy(ob_param(b, layer, 0), slope, b->net.layer[layer].param[0].count * sizeof *slope);
    free(slope);
    return layer < -1 || layer >= 0 ? layer : MIEN_ERR_FORMAT;
}

/* x / sqrt(mean(x^2) + eps), of x = y - mean(y): of which axes, or 0. */
static unsigned deviation(const struct build *b, int x, int root, int *of, double *eps)
{
    const struct layer *layer = b->net.layer, *l = &layer[x];
    int square, y;
    double n;
    if (l->type != L_SUB || l->nin != 2 || layer[root].type != L_SQRT ||
        !with_number(b, layer[root].in[0], L_ADD, &y, eps))
        return 0;
    const struct layer *mean = &layer[l->in[1]], *var = &layer[y];
    unsigned axes = mean->type == L_GAP ? AXIS_H | AXIS_W : mean->axes;
    bool means = (mean->type == L_GAP || (mean->type == L_REDUCE && mean->kind == REDUCE_MEAN)) &&
                 mean->type == var->type && var->axes == mean->axes && var->kind == mean->kind;
    if (!means || mean->in[0] != l->in[0])
        return 0;
    square = var->in[0];
    bool squared = (with_number(b, square, L_POW, &y, &n) && n == 2 && y == x) ||
                   (layer[square].type == L_MUL && layer[square].nin == 2 &&
                    layer[square].in[0] == x && layer[square].in[1] == x);
    *of = l->in[0];
    return squared ? axes : 0;
}

/* Whether two values have the same axes in the same order. */
static bool alike(const struct value *x, const struct value *y)
{
    return memcmp(x->dim, y->dim, sizeof *x->dim * (size_t)x->rank) == 0 &&
           memcmp(x->mem, y->mem, sizeof *x->mem * (size_t)x->rank) == 0;
}

/* Whether a value's layer has the shape of its axes. */
static bool as_it_lies(const struct build *b, const struct value *v)
{
    struct shape s = ob_shape(v), l = b->net.layer[v->layer].shape;
    return s.h == l.h && s.w == l.w && s.c == l.c;
}

/* The layer that x TYPE y is as a whole, -1 where it is nothing else, or another negative code. */
static int whole_again(struct build *b, enum layer_type type, const struct value *x,
                       const struct value *y)
{
    const struct value *side[2] = {x, y};
    int made = -1, of = -1;
    double eps = 0;
    bool constant = constant_is(&x->k) || constant_is(&y->k);
    if (!constant &&
        (type == L_DIV
             ? !as_it_lies(b, y) || memcmp(x->mem, y->mem, sizeof *x->mem * (size_t)x->rank) != 0
             : !alike(x, y)))
        return -1;
    if (constant) {
        const struct value *v = constant_is(&x->k) ? y : x;
        const struct constant *k = constant_is(&x->k) ? &x->k : &y->k;
        if (k->count == 1 && !constant_is(&v->k) && (type == L_MUL || (type == L_DIV && v == x))) {
            double n = constant_get(k, 0);
            made = ended(b, v->layer, type == L_DIV ? 1 / n : n, &of);
        }
    } else if (type == L_MUL) {
        for (int k = 0; k < 2 && made < 0; k++) {
            of = side[k]->layer;
            made = gated(b, of, side[1 - k]->layer);
            if (made < 0 && half_first(b, side[k]->layer, side[1 - k]->layer, &of))
                made = L_GELU;
        }
    } else if (type == L_ADD || type == L_SUB) {
        int layer = rectified(b, x->layer, y->layer, type == L_SUB ? -1 : 1);
        return layer == -1 && type == L_ADD ? rectified(b, y->layer, x->layer, 1) : layer;
    } else if (type == L_DIV) {
        unsigned axes = deviation(b, x->layer, y->layer, &of, &eps);
        struct layer l = ob_layer(L_NORM, of);
        l.axes = axes;
        l.rate = (float)eps;
        l.bias = false;
        return axes != 0 && eps >= 0 && eps <= 1 ? ob_add(b, &l, -1) : -1;
    }
    if (made < 0)
        return -1;
    struct layer l = ob_layer((enum layer_type)made, of);
    if (made == L_HSIGMOID)
        l.a = 1.0f / 6, l.b = 0.5f;
    return ob_add(b, &l, -1);
}

/* --- Broadcasting --------------------------------------------------------------------------- */

/* Gives v axes of 1 in front, up to rank. */
static void widen(struct value *v, int rank)
{
    int more = rank - v->rank;
    memmove(v->dim + more, v->dim, sizeof *v->dim * (size_t)v->rank);
    memmove(v->mem + more, v->mem, sizeof *v->mem * (size_t)v->rank);
    for (int k = 0; k < rank; k++) {
        if (k < more)
            v->dim[k] = 1, v->mem[k] = k;
        else
            v->mem[k] += more;
    }
    v->rank = rank;
}

/* Shapes of two values of the same order in which what is repeated is repeated along whole sides.
   False where there are too many parts. */
static bool sides(const struct value *x, const struct value *y, struct shape *sx, struct shape *sy)
{
    int ex[CONST_MAX_RANK], ey[CONST_MAX_RANK], kind[CONST_MAX_RANK], n = 0;
    int side_kind[3] = {-1, -1, -1};
    bool plain = true;
    for (int k = 0; k < x->rank; k++) {
        int p = x->dim[x->mem[k]], q = y->dim[x->mem[k]];
        int now = p == q ? 0 : p == 1 ? 1 : 2, side = k == x->rank - 1 ? 2 : k == x->rank - 2;
        if (p == 1 && q == 1)
            continue;
        plain = plain && (side_kind[side] < 0 || side_kind[side] == now);
        side_kind[side] = now;
        if (n > 0 && kind[n - 1] == now) {
            ex[n - 1] *= p;
            ey[n - 1] *= q;
            continue;
        }
        ex[n] = p, ey[n] = q, kind[n++] = now;
    }
    if (plain) {
        struct value same = *y;
        memcpy(same.mem, x->mem, sizeof same.mem);
        *sx = ob_shape(x);
        *sy = ob_shape(&same);
        return true;
    }
    if (n > 3)
        return false;
    int a[3] = {1, 1, 1}, c[3] = {1, 1, 1};
    for (int k = 0; k < n; k++)
        a[3 - n + k] = ex[k], c[3 - n + k] = ey[k];
    *sx = (struct shape){a[0], a[1], a[2]};
    *sy = (struct shape){c[0], c[1], c[2]};
    return true;
}

/* A layer that combines another with a constant. */
static int with_constant(struct build *b, enum layer_type type, int in, const struct constant *k,
                         const int *order, struct shape s, bool swap)
{
    struct constant turned;
    struct layer l = ob_layer(type, in);
    int rc = constant_permute(&turned, k, order, b->e);
    if (rc < 0)
        return rc;
    l.size[0] = s.h, l.size[1] = s.w, l.size[2] = s.c;
    l.swap = swap && (type == L_SUB || type == L_DIV || type == L_POW);
    int layer = ob_add(b, &l, -1);
    for (size_t i = 0; layer >= 0 && i < turned.count; i++)
        ob_param(b, layer, 0)[i] = (float)constant_get(&turned, i);
    constant_free(&turned);
    return layer;
}

int onnx_combine(struct build *b, enum layer_type type, const struct value *from,
                 const struct value *with, struct value *out)
{
    struct value x = *from, y = *with;
    struct shape sx, sy;
    int rank = x.rank > y.rank ? x.rank : y.rank;
    widen(&x, rank);
    widen(&y, rank);
    if (constant_is(&x.k) && constant_is(&y.k))
        return ob_fail(b, "both of its inputs are constants");
    int whole = whole_again(b, type, &x, &y);
    if (whole < -1)
        return whole;
    if (whole >= 0) { /* x or y is as large as it, and lies as it does */
        *out =
            constant_is(&x.k) || (!constant_is(&y.k) && extents(y.dim, rank) > extents(x.dim, rank))
                ? y
                : x;
        out->k = (struct constant){0};
        out->layer = whole;
        return 0;
    }
    /* In the order of the larger one, unless that is a constant. */
    bool second =
        constant_is(&x.k) || (!constant_is(&y.k) && extents(y.dim, rank) > extents(x.dim, rank));
    struct value *lead = second ? &y : &x, *other = second ? &x : &y;
    *out = *lead;
    for (int k = 0; k < rank; k++) {
        int p = x.dim[k], q = y.dim[k];
        if (p != q && p != 1 && q != 1)
            return ob_fail(b, "its inputs differ in shape");
        out->dim[k] = p == 1 ? q : p;
        if (out->dim[k] < 1)
            return ob_fail(b, "it has an empty input");
    }
    bool constant = constant_is(&other->k);
    int rc = constant ? 0 : ob_arrange(b, other, lead->mem);
    if (rc < 0)
        return rc;
    if (constant) {
        other->k.rank = rank;
        memcpy(other->k.dim, other->dim, sizeof other->dim);
    }
    struct shape s;
    if (!sides(lead, other, &s, &sy))
        return ob_fail(b, "it repeats its inputs along too many axes");
    int layer = ob_view(b, lead, s);
    if (layer < 0)
        return layer;
    if (constant) {
        out->layer = with_constant(b, type, layer, &other->k, lead->mem, sy, second);
    } else {
        int two = ob_view(b, other, sy);
        struct layer l = ob_layer(type, second ? two : layer);
        l.nin = 2;
        l.in[1] = second ? layer : two;
        out->layer = two < 0 ? two : ob_add(b, &l, -1);
    }
    (void)sx;
    out->k = (struct constant){0};
    return out->layer < 0 ? out->layer : 0;
}

int op_binary(struct build *b)
{
    static const struct {
        const char *op;
        enum layer_type type;
    } types[] = {{"Add", L_ADD}, {"Sub", L_SUB}, {"Mul", L_MUL}, {"Div", L_DIV}, {"Min", L_MIN},
                 {"Max", L_MAX}, {"Pow", L_POW}, {"Sum", L_ADD}, {"Mean", L_ADD}};
    struct value sum, next;
    int k = 0, n = b->node->nin;
    while (strcmp(types[k].op, b->node->op) != 0)
        k++;
    if (ob_in(b, 0) == NULL)
        return ob_fail(b, "input 1 is missing");
    if (b->f->opset < 7 && onnx_has(b->node, "axis"))
        return ob_fail(b, "broadcasting along an axis, as before version 7, is not supported");
    sum = *ob_in(b, 0);
    for (int i = 1; i < n; i++) {
        if (ob_in(b, i) == NULL)
            return ob_fail(b, "input %d is missing", i + 1);
        int rc = onnx_combine(b, types[k].type, &sum, ob_in(b, i), &next);
        if (rc < 0)
            return rc;
        sum = next;
    }
    if (strcmp(b->node->op, "Mean") == 0 && n > 1) {
        struct constant room;
        float number = (float)n;
        struct value count = onnx_scalar(&room, &number);
        int rc = onnx_combine(b, L_DIV, &sum, &count, &next);
        if (rc < 0)
            return rc;
        sum = next;
    }
    return ob_out(b, 0, &sum);
}
