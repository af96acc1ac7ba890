/* Pooling, and reductions along axes. */
#include <math.h>
#include <string.h>

#include "axes.h"
#include "layers.h"
#include "net/op.h"

void k_inside(int at, int k, int extent, int *from, int *to)
{
    *from = at < 0 ? 0 : at;
    *to = at + k > extent ? extent : at + k;
}

SIMD static void max_of(real *restrict y, const real *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > y[i] ? x[i] : y[i];
}

/* The same, with the elements of the image that the greatest are: those of x begin at `at`. */
SIMD static void max_and_which(real *restrict y, uint32_t *restrict which, const real *restrict x,
                               size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        which[i] = x[i] > y[i] ? (uint32_t)(at + i) : which[i];
        y[i] = x[i] > y[i] ? x[i] : y[i];
    }
}

/* The same of k taps, `apart` from each other: the first one that lies inside. */
static void taps_inside(int at, int k, int apart, int extent, int *from, int *to)
{
    k_inside(at, op_reach(k, apart), extent, from, to);
    if (at < 0)
        *from = (apart - -at % apart) % apart;
}

/* One output pixel y (in.c), of the image's rows [y0, y1) and columns [x0, x1), dh and dw apart. */
static void max_window(const struct layer *l, struct shape in, const real *x, int y0, int y1,
                       int x0, int x1, real *y, uint32_t *which)
{
    size_t nc = (size_t)in.c, corner = ((size_t)y0 * (size_t)in.w + (size_t)x0) * nc;
    memcpy(y, x + corner, nc * sizeof *y);
    for (size_t c = 0; which != NULL && c < nc; c++)
        which[c] = (uint32_t)(corner + c);
    for (int yy = y0; yy < y1; yy += l->dh) {
        for (int xx = x0; xx < x1; xx += l->dw) {
            size_t at = ((size_t)yy * (size_t)in.w + (size_t)xx) * nc;
            if (at == corner)
                continue;
            if (which == NULL)
                max_of(y, x + at, nc);
            else
                max_and_which(y, which, x + at, at, nc);
        }
    }
}

void k_maxpool(const struct layer *l, struct shape in, const real *x, real *y, uint32_t *which,
               size_t n)
{
    size_t nc = (size_t)in.c;
    for (size_t i = 0; i < n; i++, x += shape_count(in)) {
        for (int oy = 0; oy < l->shape.h; oy++) {
            for (int ox = 0; ox < l->shape.w; ox++, y += nc) {
                int y0, y1, x0, x1;
                taps_inside(oy * l->sh - l->pt, l->kh, l->dh, in.h, &y0, &y1);
                taps_inside(ox * l->sw - l->pl, l->kw, l->dw, in.w, &x0, &x1);
                max_window(l, in, x, y0, y1, x0, x1, y, which);
                if (which != NULL)
                    which += nc;
            }
        }
    }
}

real k_avgpool_share(const struct layer *l, struct shape in, int oy, int ox)
{
    int y = oy * l->sh - l->pt, x = ox * l->sw - l->pl, y0, y1, x0, x1;
    k_inside(y, l->kh, in.h, &y0, &y1);
    k_inside(x, l->kw, in.w, &x0, &x1);
    if (l->count) { /* the padding too, but not what lies beyond it */
        y0 = y;
        x0 = x;
        y1 = y + l->kh < in.h + l->pb ? y + l->kh : in.h + l->pb;
        x1 = x + l->kw < in.w + l->pr ? x + l->kw : in.w + l->pr;
    }
    return (real)1 / (real)((y1 - y0) * (x1 - x0));
}

SIMD void k_avgpool(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    size_t nc = (size_t)in.c;
    for (size_t i = 0; i < n; i++, x += shape_count(in)) {
        for (int oy = 0; oy < l->shape.h; oy++) {
            for (int ox = 0; ox < l->shape.w; ox++, y += nc) {
                int y0, y1, x0, x1;
                k_inside(oy * l->sh - l->pt, l->kh, in.h, &y0, &y1);
                k_inside(ox * l->sw - l->pl, l->kw, in.w, &x0, &x1);
                memset(y, 0, nc * sizeof *y);
                for (int yy = y0; yy < y1; yy++) {
                    for (int xx = x0; xx < x1; xx++) {
                        const real *p = x + ((size_t)yy * (size_t)in.w + (size_t)xx) * nc;
                        for (size_t c = 0; c < nc; c++)
                            y[c] += p[c];
                    }
                }
                real share = k_avgpool_share(l, in, oy, ox);
                for (size_t c = 0; c < nc; c++)
                    y[c] *= share;
            }
        }
    }
}

SIMD void k_gap(struct shape in, const real *x, real *y, size_t n)
{
    size_t pixels = (size_t)in.h * (size_t)in.w, nc = (size_t)in.c;
    for (size_t i = 0; i < n; i++, y += nc) {
        memset(y, 0, nc * sizeof *y);
        for (size_t p = 0; p < pixels; p++, x += nc) {
            for (size_t c = 0; c < nc; c++)
                y[c] += x[c];
        }
        for (size_t c = 0; c < nc; c++)
            y[c] /= (real)pixels;
    }
}

/* The greatest of the elements (sign 1) or the least (-1). */
static double extreme(const struct walk *k, const real *x, size_t from, int sign)
{
    double best = x[from];
    WALK (k, from, at)
        best = sign * (double)x[at] > sign * best ? (double)x[at] : best;
    return best;
}

static double reduced(const struct walk *k, enum reduction kind, const real *x, size_t from)
{
    double sum = 0, product = 1, top;
    switch (kind) {
    case REDUCE_MAX:
        return extreme(k, x, from, 1);
    case REDUCE_MIN:
        return extreme(k, x, from, -1);
    case REDUCE_PROD:
        WALK (k, from, at)
            product *= x[at];
        return product;
    case REDUCE_L1:
        WALK (k, from, at)
            sum += fabs((double)x[at]);
        return sum;
    case REDUCE_L2:
    case REDUCE_SUMSQ:
        WALK (k, from, at)
            sum += (double)x[at] * x[at];
        return kind == REDUCE_L2 ? sqrt(sum) : sum;
    case REDUCE_LOGSUMEXP:
        top = extreme(k, x, from, 1); /* so that exp can't overflow */
        WALK (k, from, at)
            sum += exp(x[at] - top);
        return top + log(sum);
    default:
        WALK (k, from, at)
            sum += x[at];
        return kind == REDUCE_MEAN     ? sum / (double)k->count
               : kind == REDUCE_LOGSUM ? log(sum)
                                       : sum;
    }
}

void k_reduce(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    struct walk k = walk_along(in, l->axes, 1);
    for (size_t i = 0; i < n; i++, x += shape_count(in), y += k.outputs) {
        for (size_t o = 0; o < k.outputs; o++)
            y[o] = (real)reduced(&k, (enum reduction)l->kind, x, walk_from(&k, o));
    }
}
