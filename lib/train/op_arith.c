/* Arithmetic of two values, or a value and a constant. */
#include <math.h>
#include <string.h>

#include "op.h"

#ifdef MIEN_DOUBLE
#define REAL_POW pow
#define REAL_LOG log
#else
#define REAL_POW powf
#define REAL_LOG logf
#endif

/* The derivatives by either side, of p, q and what is made of them. Equal sides of min and max share
   the gradient. */
#define DERIVATIVES(F)                                                                             \
    F(ADD, 1, 1)                                                                                   \
    F(SUB, 1, -1)                                                                                  \
    F(MUL, q, p)                                                                                   \
    F(DIV, 1 / q, -y / q)                                                                          \
    F(MIN, p<q ? 1 : p> q ? 0 : (real)0.5, q<p ? 1 : q> p ? 0 : (real)0.5)                         \
    F(MAX, p > q ? 1 : p < q ? 0 : (real)0.5, q > p ? 1 : q < p ? 0 : (real)0.5)                   \
    F(POW, q *REAL_POW(p, q - 1), p > 0 ? y * REAL_LOG(p) : 0)

/* The gradient by side 0 or 1 of n elements of an output, from that of the output. */
typedef void derivative(int side, const real *a, size_t sa, const real *b, size_t sb, const real *y,
                        const real *dy, real *d, size_t n);

#define DERIVATIVE(type, by_p, by_q)                                                               \
    SIMD static void d_##type(int side, const real *a, size_t sa, const real *b, size_t sb,        \
                              const real *of, const real *dy, real *restrict d, size_t n)          \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            const real p = a[i * sa], q = b[i * sb], y = of[i];                                    \
            (void)p;                                                                               \
            (void)q;                                                                               \
            (void)y;                                                                               \
            d[i] = dy[i] * (side == 0 ? (by_p) : (by_q));                                          \
        }                                                                                          \
    }
DERIVATIVES(DERIVATIVE)

static derivative *derivative_of(enum layer_type type)
{
#define ENTRY(type, by_p, by_q) [L_##type] = d_##type,
    static derivative *const derivatives[LAYER_TYPES] = {DERIVATIVES(ENTRY)};
    return derivatives[type];
}

/* Input k of images v, or the constant. */
static struct operand side(const struct trainer *t, const struct images *v, int k)
{
    const struct layer *l = v->l;
    if (k >= l->nin)
        return (struct operand){pass_param(t, l, 0), {l->size[0], l->size[1], l->size[2]}, true};
    struct shape s = t->net->layer[l->in[k]].shape;
    return (struct operand){t->state[l->in[k]].act.f + v->first * shape_count(s), s, false};
}

static void arith_forward(struct trainer *t, const struct images *v)
{
    const struct layer *l = v->l;
    struct operand a = side(t, v, l->swap), b = side(t, v, !l->swap), sum = {v->y, l->shape, false};
    k_arith(l->type, l->shape, &a, &b, v->y, v->n);
    for (int k = 2; k < l->nin; k++) {
        b = side(t, v, k);
        k_arith(l->type, l->shape, &sum, &b, v->y, v->n);
    }
}

/* Adds the gradient by side `by` of images v to d, which is of that side's shape. */
static void add_gradient(const struct layer *l, const struct images *v, const struct operand *a,
                         const struct operand *b, int by, const real *dy, real *d)
{
    enum { BLOCK = 512 };
    real one[BLOCK];
    derivative *f = derivative_of(l->type);
    struct shape out = l->shape;
    struct strides sa = k_strides(a, out), sb = k_strides(b, out), sd = by == 0 ? sa : sb;
    const real *y = v->y;
    for (size_t i = 0; i < v->n; i++) {
        for (size_t h = 0; h < (size_t)out.h; h++) {
            for (size_t w = 0; w < (size_t)out.w; w++) {
                const real *pa = a->x + i * sa.image + h * sa.h + w * sa.w;
                const real *pb = b->x + i * sb.image + h * sb.h + w * sb.w;
                real *to = d + i * sd.image + h * sd.h + w * sd.w;
                for (size_t c = 0, n; c < (size_t)out.c; c += n, y += n, dy += n) {
                    n = (size_t)out.c - c < BLOCK ? (size_t)out.c - c : BLOCK;
                    f(by, pa + c * sa.c, sa.c, pb + c * sb.c, sb.c, y, dy, one, n);
                    for (size_t k = 0; k < n; k++)
                        to[(c + k) * sd.c] += one[k];
                }
            }
        }
    }
}

/* The gradient by input k. */
static void input_gradient(struct trainer *t, const struct images *v, int k, const real *dy,
                           real *dx)
{
    const struct layer *l = v->l;
    int left = k >= 2 ? 0 : l->swap, right = k >= 2 ? k : !l->swap;
    struct operand a = side(t, v, left), b = side(t, v, right);
    memset(dx, 0, v->n * shape_count(t->net->layer[l->in[k]].shape) * sizeof *dx);
    add_gradient(l, v, &a, &b, k == right, dy, dx);
}

/* With a constant: that's the parameter. */
static void arith_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    const struct layer *l = v->l;
    struct operand a = side(t, v, l->swap), b = side(t, v, !l->swap);
    if (g->dx != NULL)
        input_gradient(t, v, 0, g->dy, g->dx);
    if (g->dw != NULL)
        add_gradient(l, v, &a, &b, !l->swap, g->dy, g->dw);
}

const struct train_op train_add = {
    .forward = arith_forward,
    .backward = arith_backward,
    .backward_input = input_gradient,
    .hands_on = true,
};

#define BINARY(word)                                                                               \
    const struct train_op train_##word = {                                                         \
        .forward = arith_forward,                                                                  \
        .backward = arith_backward,                                                                \
        .backward_input = input_gradient,                                                          \
    };
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(min)
BINARY(max)
BINARY(pow)
