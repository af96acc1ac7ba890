/* Convolutions. */
#include <string.h>

#include "tail.h"

/* Vectors of the compiler's: sixteen lanes become one, two or four registers. Unaligned. They are
   handled by macros, since a function's arguments would depend on the processor. */
typedef real vec __attribute__((vector_size(16 * sizeof(real)), aligned(sizeof(real))));
typedef __typeof__((vec){0} > (vec){0}) mask;
enum { LANES = 16 };
#define LOAD(p)         (*(const vec *)(const void *)(p))
#define STORE(p, v)     (*(vec *)(void *)(p) = (v))
#define SELECT(m, a, b) ((vec)(((m) & (mask)(a)) | (~(m) & (mask)(b))))

int k_is_pointwise(const struct layer *l)
{
    return l->kh == 1 && l->kw == 1 && l->sh == 1 && l->sw == 1 && l->groups == 1 && l->pt == 0 &&
           l->pb == 0 && l->pl == 0 && l->pr == 0;
}

/* One output row for channels [c, c + LANES) of a 3x3 filter: the nine weights stay in registers
   while the row is walked along. row[k] are the three input rows at channel c; columns outside of
   the image count as zero. */
static inline __attribute__((always_inline)) void dw3_row(const struct layer *l, struct shape in,
                                                          const real *w, const struct tail *t,
                                                          int c, const real *const row[3], real *y)
{
    size_t nc = (size_t)in.c;
    vec k[9], bias = {0}, zero = {0}, slope = {0};
    vec six = zero + 6;
    for (int i = 0; i < 9; i++)
        k[i] = LOAD(w + (size_t)i * nc + c);
    if (t->bias != NULL)
        bias = LOAD(t->bias + c);
    if (t->act == ACT_PRELU)
        slope = LOAD(t->slope + c);
    for (int ox = 0; ox < l->shape.w; ox++) {
        int x0 = ox * l->sw - l->pl;
        vec s = bias;
        if (x0 >= 0 && x0 + 3 <= in.w) {
            for (int ky = 0; ky < 3; ky++) {
                const real *p = row[ky] + (size_t)x0 * nc;
                s += LOAD(p) * k[3 * ky] + LOAD(p + nc) * k[3 * ky + 1] +
                     LOAD(p + 2 * nc) * k[3 * ky + 2];
            }
        } else {
            for (int kx = 0; kx < 3; kx++) {
                if (x0 + kx < 0 || x0 + kx >= in.w)
                    continue;
                for (int ky = 0; ky < 3; ky++)
                    s += LOAD(row[ky] + (size_t)(x0 + kx) * nc) * k[3 * ky + kx];
            }
        }
        if (t->act == ACT_PRELU)
            s = SELECT(s < zero, s * slope, s);
        else if (t->act != ACT_NONE)
            s = SELECT(s < zero, zero, s);
        if (t->act == ACT_RELU6)
            s = SELECT(s > six, six, s);
        STORE(y + (size_t)ox * nc + c, s);
    }
}

SIMD static void dw3_image(const struct layer *l, struct shape in, const real *w,
                           const struct tail *t, const real *x, real *y, const real *zeros)
{
    size_t nc = (size_t)in.c, line = (size_t)in.w * nc;
    for (int oy = 0; oy < l->shape.h; oy++, y += (size_t)l->shape.w * nc) {
        const real *row[3];
        for (int k = 0; k < 3; k++) {
            int yy = oy * l->sh - l->pt + k;
            row[k] = yy >= 0 && yy < in.h ? x + (size_t)yy * line : zeros;
        }
        for (int c = 0; c < in.c; c += LANES) {
            if (c + LANES > in.c) /* the last block overlaps the one before: same values again */
                c = in.c - LANES;
            const real *at[3] = {row[0] + c, row[1] + c, row[2] + c};
            dw3_row(l, in, w, t, c, at, y);
        }
    }
}

/* Any kernel and stride. */
SIMD static void dw_image(const struct layer *l, struct shape in, const real *w,
                          const struct tail *t, const real *x, real *restrict y)
{
    size_t nc = (size_t)in.c;
    for (int oy = 0; oy < l->shape.h; oy++) {
        for (int ox = 0; ox < l->shape.w; ox++, y += nc) {
            for (size_t c = 0; c < nc; c++)
                y[c] = 0;
            for (int ky = 0; ky < l->kh; ky++) {
                int yy = oy * l->sh - l->pt + ky * l->dh;
                for (int kx = 0; kx < l->kw && yy >= 0 && yy < in.h; kx++) {
                    int xx = ox * l->sw - l->pl + kx * l->dw;
                    if (xx < 0 || xx >= in.w)
                        continue;
                    const real *restrict p = x + ((size_t)yy * (size_t)in.w + (size_t)xx) * nc;
                    const real *restrict k = w + (size_t)(ky * l->kw + kx) * nc;
                    for (size_t c = 0; c < nc; c++)
                        y[c] += p[c] * k[c];
                }
            }
            for (size_t c = 0; c < nc; c++)
                y[c] = tail_one(t, (int)c, y[c]);
        }
    }
}

void k_dwconv(const struct layer *l, struct shape in, const real *w, const struct tail *t,
              const real *x, real *y, size_t n, const real *zeros)
{
    for (size_t i = 0; i < n; i++, x += shape_count(in), y += shape_count(l->shape)) {
        if (l->kh == 3 && l->kw == 3 && l->dh == 1 && l->dw == 1 && in.c >= LANES)
            dw3_image(l, in, w, t, x, y, zeros);
        else
            dw_image(l, in, w, t, x, y);
    }
}

/* --- Transposed convolution ----------------------------------------------------------------- */

/* y[n] += x w[n] */
SIMD static void add_product(real *restrict y, real x, const real *restrict w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x * w[i];
}

/* Adds what one pixel x of an image's input, through the tap at w, is worth to an output pixel. */
static void add_tap(const struct layer *l, int inputs, const real *w, const real *x, real *y)
{
    size_t units = (size_t)(l->units / l->groups), line = (size_t)(l->kh * l->kw * l->units);
    for (int g = 0; g < l->groups; g++) {
        for (int c = 0; c < inputs; c++)
            add_product(y + (size_t)g * units, x[g * inputs + c],
                        w + (size_t)c * line + (size_t)g * units, units);
    }
}

void k_tconv(const struct layer *l, struct shape in, const real *w, const struct tail *t,
             const real *x, real *y, size_t n)
{
    size_t out = shape_count(l->shape), units = (size_t)l->units;
    memset(y, 0, n * out * sizeof *y);
    for (size_t i = 0; i < n; i++, y += out) {
        for (int p = 0; p < in.h * in.w; p++, x += in.c) {
            for (int k = 0; k < l->kh * l->kw; k++) {
                int at = k_tconv_place(l, in, p, k);
                if (at >= 0)
                    add_tap(l, in.c / l->groups, w + (size_t)k * units, x, y + (size_t)at * units);
            }
        }
        k_tail(y, out / units, l->units, t);
    }
}

int k_tconv_place(const struct layer *l, struct shape in, int pixel, int tap)
{
    int y = pixel / in.w * l->sh - l->pt + tap / l->kw * l->dh;
    int x = pixel % in.w * l->sw - l->pl + tap % l->kw * l->dw;
    return y >= 0 && y < l->shape.h && x >= 0 && x < l->shape.w ? y * l->shape.w + x : -1;
}

void k_tconv_add(const struct layer *l, struct shape in, const real *x, const struct tail *t,
                 real *y)
{
    size_t units = (size_t)l->units;
    memset(y, 0, shape_count(l->shape) * sizeof *y);
    for (int p = 0; p < in.h * in.w; p++) {
        for (int k = 0; k < l->kh * l->kw; k++, x += units) {
            int at = k_tconv_place(l, in, p, k);
            if (at >= 0)
                k_add(y + (size_t)at * units, x, units);
        }
    }
    k_tail(y, shape_count(l->shape) / units, l->units, t);
}
