#include "kernels.h"

#include <math.h>
#include <string.h>

/* Vectors of the compiler's: sixteen lanes become one, two or four registers. Unaligned. They are
   handled by macros, since a function's arguments would depend on the processor. */
typedef real vec __attribute__((vector_size(16 * sizeof(real)), aligned(sizeof(real))));
typedef __typeof__((vec){0} > (vec){0}) mask;
enum { LANES = 16 };
#define LOAD(p)         (*(const vec *)(const void *)(p))
#define STORE(p, v)     (*(vec *)(void *)(p) = (v))
#define SELECT(m, a, b) ((vec)(((m) & (mask)(a)) | (~(m) & (mask)(b))))

static inline real clip6(real v)
{
    return v < 0 ? 0 : v > 6 ? 6 : v;
}

/* One channel's tail. */
static inline real tail_one(const struct tail *t, int c, real v)
{
    if (t->bias != NULL)
        v += t->bias[c];
    switch (t->act) {
    case ACT_RELU:
        return v < 0 ? 0 : v;
    case ACT_RELU6:
        return clip6(v);
    case ACT_PRELU:
        return v < 0 ? v * t->slope[c] : v;
    default:
        return v;
    }
}

enum act k_act(enum layer_type t)
{
    return t == L_RELU ? ACT_RELU : t == L_RELU6 ? ACT_RELU6 : t == L_PRELU ? ACT_PRELU : ACT_NONE;
}

SIMD void k_tail(real *restrict y, size_t rows, int c, const struct tail *t)
{
    const real *restrict bias = t->bias;
    if (bias == NULL && t->act == ACT_NONE)
        return;
    for (size_t r = 0; r < rows; r++, y += c) {
        /* The common cases are spelled out so that they vectorise. */
        if (t->act == ACT_RELU6) {
            for (int i = 0; i < c; i++)
                y[i] = clip6(bias != NULL ? y[i] + bias[i] : y[i]);
        } else if (t->act == ACT_RELU) {
            for (int i = 0; i < c; i++) {
                real v = bias != NULL ? y[i] + bias[i] : y[i];
                y[i] = v < 0 ? 0 : v;
            }
        } else {
            for (int i = 0; i < c; i++)
                y[i] = tail_one(t, i, y[i]);
        }
    }
}

int k_is_pointwise(const struct layer *l)
{
    return l->kh == 1 && l->kw == 1 && l->sh == 1 && l->sw == 1 && l->groups == 1 && l->pt == 0 &&
           l->pb == 0 && l->pl == 0 && l->pr == 0;
}

/* --- Depthwise convolution ----------------------------------------------------------------- */

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
                int yy = oy * l->sh - l->pt + ky;
                for (int kx = 0; kx < l->kw && yy >= 0 && yy < in.h; kx++) {
                    int xx = ox * l->sw - l->pl + kx;
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
        if (l->kh == 3 && l->kw == 3 && in.c >= LANES)
            dw3_image(l, in, w, t, x, y, zeros);
        else
            dw_image(l, in, w, t, x, y);
    }
}

/* --- The rest ------------------------------------------------------------------------------ */

void k_coral(size_t inputs, int units, const real *w, const real *b, const real *x, real *y,
             size_t n)
{
    for (size_t i = 0; i < n; i++, x += inputs, y += units) {
        real rank = 0;
        for (size_t k = 0; k < inputs; k++)
            rank += x[k] * w[k];
        for (int u = 0; u < units; u++)
            y[u] = rank + b[u];
    }
}

SIMD void k_scale(real *restrict y, const real *restrict x, size_t rows, int c,
                  const real *restrict scale, const real *restrict shift)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        for (int i = 0; i < c; i++)
            y[i] = x[i] * scale[i] + shift[i];
    }
}

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

/* One output pixel y (in.c), of the image's rows [y0, y1) and columns [x0, x1). */
static void max_window(struct shape in, const real *x, int y0, int y1, int x0, int x1, real *y,
                       uint32_t *which)
{
    size_t nc = (size_t)in.c, corner = ((size_t)y0 * (size_t)in.w + (size_t)x0) * nc;
    memcpy(y, x + corner, nc * sizeof *y);
    for (size_t c = 0; which != NULL && c < nc; c++)
        which[c] = (uint32_t)(corner + c);
    for (int yy = y0; yy < y1; yy++) {
        for (int xx = x0; xx < x1; xx++) {
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
                k_inside(oy * l->sh - l->pt, l->kh, in.h, &y0, &y1);
                k_inside(ox * l->sw - l->pl, l->kw, in.w, &x0, &x1);
                max_window(in, x, y0, y1, x0, x1, y, which);
                if (which != NULL)
                    which += nc;
            }
        }
    }
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
                real share = (real)1 / (real)((y1 - y0) * (x1 - x0));
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

void k_sigmoid(const real *x, real *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1 / (1 + (real)exp(-(double)x[i]));
}

void k_softmax(const real *x, real *y, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        real top = x[0];
        for (size_t k = 1; k < count; k++)
            top = x[k] > top ? x[k] : top; /* so that exp can't overflow */
        double sum = 0;
        for (size_t k = 0; k < count; k++) {
            y[k] = (real)exp((double)(x[k] - top));
            sum += y[k];
        }
        for (size_t k = 0; k < count; k++)
            y[k] = (real)(y[k] / sum);
    }
}

void k_l2norm(const real *x, real *y, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        double square = 0;
        for (size_t k = 0; k < count; k++)
            square += (double)x[k] * x[k];
        real f = (real)(1 / sqrt(square > 1e-12 ? square : 1e-12));
        for (size_t k = 0; k < count; k++)
            y[k] = x[k] * f;
    }
}

SIMD void k_sum(real *restrict y, const real *a, const real *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

SIMD void k_add(real *restrict y, const real *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

void k_place(const real *x, int c, real *y, int at, int width, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * (size_t)width + at, x + r * (size_t)c, (size_t)c * sizeof *x);
}

void k_pad(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    struct shape out = l->shape;
    memset(y, 0, n * shape_count(out) * sizeof *y);
    for (size_t i = 0; i < n; i++, y += shape_count(out)) {
        for (int r = 0; r < in.h; r++, x += (size_t)in.w * (size_t)in.c) {
            real *line = y + ((size_t)(r + l->pt) * (size_t)out.w + (size_t)l->pl) * (size_t)out.c;
            k_place(x, in.c, line, l->cb, out.c, (size_t)in.w);
        }
    }
}

SIMD void k_pixels(const unsigned char *restrict rgb, real *restrict y, size_t npixel, int bgr,
                   const float mean[3], float scale)
{
    /* Sixteen pixels at once, so that it vectorises. */
    enum { BLOCK = 48 };
    real m[BLOCK], f = scale;
    size_t n = 3 * npixel, at = 0;
    for (int k = 0; k < BLOCK; k++)
        m[k] = mean[k % 3];
    for (; !bgr && at + BLOCK <= n; at += BLOCK) {
        for (int k = 0; k < BLOCK; k++)
            y[at + (size_t)k] = (rgb[at + (size_t)k] - m[k]) * f;
    }
    for (; at < n; at += 3) {
        y[at] = (rgb[at + (bgr ? 2 : 0)] - m[0]) * f;
        y[at + 1] = (rgb[at + 1] - m[1]) * f;
        y[at + 2] = (rgb[at + (bgr ? 0 : 2)] - m[2]) * f;
    }
}
