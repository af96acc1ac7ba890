/* Arithmetic of two values, or a value and a constant. */
#include <math.h>

#include "layers.h"

#ifdef MIEN_DOUBLE
#define REAL_POW pow
#else
#define REAL_POW powf
#endif

/* p and q are an element of either side. */
#define FUNCTIONS(F)                                                                               \
    F(ADD, p + q)                                                                                  \
    F(SUB, p - q)                                                                                  \
    F(MUL, p *q)                                                                                   \
    F(DIV, p / q)                                                                                  \
    F(MIN, p < q ? p : q)                                                                          \
    F(MAX, p > q ? p : q)                                                                          \
    F(POW, q == 2 ? p * p : REAL_POW(p, q))

#define FUNCTION(type, value)                                                                      \
    SIMD static void y_##type(const real *a, size_t sa, const real *b, size_t sb, real *y,         \
                              size_t n)                                                            \
    {                                                                                              \
        if (sa == 0) {                                                                             \
            const real p = *a;                                                                     \
            for (size_t i = 0; i < n; i++) {                                                       \
                const real q = b[i * sb];                                                          \
                y[i] = value;                                                                      \
            }                                                                                      \
        } else if (sb == 0) {                                                                      \
            const real q = *b;                                                                     \
            for (size_t i = 0; i < n; i++) {                                                       \
                const real p = a[i];                                                               \
                y[i] = value;                                                                      \
            }                                                                                      \
        } else {                                                                                   \
            for (size_t i = 0; i < n; i++) {                                                       \
                const real p = a[i], q = b[i];                                                     \
                y[i] = value;                                                                      \
            }                                                                                      \
        }                                                                                          \
    }
FUNCTIONS(FUNCTION)

/* The function of an arithmetic layer: y[i] of a[i sa] and b[i sb], sa and sb being 0 or 1. y may be
   a, where sa is 1. */
typedef void arith(const real *a, size_t sa, const real *b, size_t sb, real *y, size_t n);
static arith *arith_of(enum layer_type type)
{
#define ENTRY(type, value) [L_##type] = y_##type,
    static arith *const functions[LAYER_TYPES] = {FUNCTIONS(ENTRY)};
    return functions[type];
}

static bool same(struct shape a, struct shape b)
{
    return a.h == b.h && a.w == b.w && a.c == b.c;
}

struct strides k_strides(const struct operand *a, struct shape out)
{
    struct strides s = {0};
    if (a->s.h == out.h && out.h > 1)
        s.h = (size_t)a->s.w * (size_t)a->s.c;
    if (a->s.w == out.w && out.w > 1)
        s.w = (size_t)a->s.c;
    s.c = a->s.c == out.c && out.c > 1;
    s.image = a->constant ? 0 : shape_count(a->s);
    return s;
}

void k_arith(enum layer_type type, struct shape out, const struct operand *a,
             const struct operand *b, real *y, size_t n)
{
    arith *f = arith_of(type);
    size_t count = shape_count(out), c = (size_t)out.c;
    if (same(a->s, out) && same(b->s, out) && !a->constant && !b->constant) {
        f(a->x, 1, b->x, 1, y, n * count);
        return;
    }
    struct strides sa = k_strides(a, out), sb = k_strides(b, out);
    for (size_t i = 0; i < n; i++) {
        for (size_t h = 0; h < (size_t)out.h; h++) {
            const real *pa = a->x + i * sa.image + h * sa.h;
            const real *pb = b->x + i * sb.image + h * sb.h;
            /* A row at once where both sides are whole or one number in it. */
            if ((sa.w == c || (sa.w == 0 && sa.c == 0)) &&
                (sb.w == c || (sb.w == 0 && sb.c == 0)) && (sa.w == 0 || sa.c == 1 || c == 1) &&
                (sb.w == 0 || sb.c == 1 || c == 1)) {
                f(pa, sa.w > 0, pb, sb.w > 0, y, (size_t)out.w * c);
                y += (size_t)out.w * c;
                continue;
            }
            for (size_t w = 0; w < (size_t)out.w; w++, y += c)
                f(pa + w * sa.w, sa.c, pb + w * sb.w, sb.c, y, c);
        }
    }
}

SIMD void k_add(real *restrict y, const real *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}
