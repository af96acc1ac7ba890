#include "grad.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* db += column sums of dy. */
SIMD static void add_rows(const real *restrict dy, size_t rows, int c, real *restrict db)
{
    for (size_t r = 0; r < rows; r++, dy += c) {
        for (int i = 0; i < c; i++)
            db[i] += dy[i];
    }
}

/* Adds patches back to where k_im2col took them from. */
static void col2im(const struct layer *l, struct shape in, const real *col, int c0, int nc,
                   size_t from, size_t count, real *dx)
{
    for (size_t i = from; i < from + count; i++) {
        int y0 = (int)(i / (size_t)l->shape.w) * l->sh - l->pt;
        int x0 = (int)(i % (size_t)l->shape.w) * l->sw - l->pl;
        for (int ky = 0; ky < l->kh; ky++) {
            for (int kx = 0; kx < l->kw; kx++, col += nc) {
                int yy = y0 + ky, xx = x0 + kx;
                if (yy < 0 || yy >= in.h || xx < 0 || xx >= in.w)
                    continue;
                real *p = dx + ((size_t)yy * (size_t)in.w + (size_t)xx) * (size_t)in.c + c0;
                for (int c = 0; c < nc; c++)
                    p[c] += col[c];
            }
        }
    }
}

void g_conv(const struct layer *l, struct shape in, const real *w, const real *x, const real *dy,
            real *dx, real *dw, real *db, size_t n, real *col)
{
    size_t pixels = (size_t)l->shape.h * (size_t)l->shape.w;
    int cin = in.c / l->groups, cout = l->units / l->groups;
    if (db != NULL)
        add_rows(dy, pixels * n, l->units, db);
    if (k_is_pointwise(l)) {
        int rows = (int)(pixels * n);
        if (dw != NULL)
            gemm(1, 0, in.c, l->units, rows, x, in.c, dy, l->units, 1, dw, l->units);
        if (dx != NULL)
            gemm(0, 1, rows, in.c, l->units, dy, l->units, w, l->units, 0, dx, in.c);
        return;
    }
    int k = l->kh * l->kw * cin;
    size_t scratch = k_conv_scratch(l, in), step = scratch / (size_t)k;
    real *dcol = col + scratch;
    if (dx != NULL)
        memset(dx, 0, n * shape_count(in) * sizeof *dx);
    for (size_t i = 0; i < n; i++, x += shape_count(in), dy += shape_count(l->shape)) {
        for (size_t r = 0; r < pixels; r += step) {
            size_t m = pixels - r < step ? pixels - r : step;
            for (int g = 0; g < l->groups; g++) {
                const real *d = dy + r * (size_t)l->units + g * cout;
                if (dw != NULL) {
                    k_im2col(l, in, x, g * cin, cin, r, m, col);
                    gemm(1, 0, k, cout, (int)m, col, k, d, l->units, 1, dw + g * cout, l->units);
                }
                if (dx == NULL)
                    continue;
                gemm(0, 1, (int)m, k, cout, d, l->units, w + g * cout, l->units, 0, dcol, k);
                col2im(l, in, dcol, g * cin, cin, r, m, dx);
            }
        }
        if (dx != NULL)
            dx += shape_count(in);
    }
}

SIMD void g_dwconv(const struct layer *l, struct shape in, const real *w, const real *x,
                   const real *dy, real *dx, real *dw, real *db, size_t n)
{
    size_t nc = (size_t)in.c;
    if (db != NULL)
        add_rows(dy, (size_t)l->shape.h * (size_t)l->shape.w * n, in.c, db);
    if (dx != NULL)
        memset(dx, 0, n * shape_count(in) * sizeof *dx);
    else if (dw == NULL)
        return;
    for (size_t i = 0; i < n; i++, x += shape_count(in)) {
        for (int oy = 0; oy < l->shape.h; oy++) {
            for (int ox = 0; ox < l->shape.w; ox++, dy += nc) {
                for (int ky = 0; ky < l->kh; ky++) {
                    int yy = oy * l->sh - l->pt + ky;
                    for (int kx = 0; kx < l->kw && yy >= 0 && yy < in.h; kx++) {
                        int xx = ox * l->sw - l->pl + kx;
                        if (xx < 0 || xx >= in.w)
                            continue;
                        size_t at = ((size_t)yy * (size_t)in.w + (size_t)xx) * nc;
                        size_t k = (size_t)(ky * l->kw + kx) * nc;
                        const real *restrict p = x + at, *restrict d = dy, *restrict f = w + k;
                        real *restrict q = dw + k;
                        for (size_t c = 0; dw != NULL && c < nc; c++)
                            q[c] += d[c] * p[c];
                        if (dx == NULL)
                            continue;
                        real *restrict s = dx + at;
                        for (size_t c = 0; c < nc; c++)
                            s[c] += d[c] * f[c];
                    }
                }
            }
        }
        if (dx != NULL)
            dx += shape_count(in);
    }
}

void g_dense(const struct layer *l, size_t inputs, const real *w, const real *x, const real *dy,
             real *dx, real *dw, real *db, size_t n)
{
    if (db != NULL)
        add_rows(dy, n, l->units, db);
    if (dw != NULL)
        gemm(1, 0, (int)inputs, l->units, (int)n, x, (int)inputs, dy, l->units, 1, dw, l->units);
    if (dx != NULL)
        gemm(0, 1, (int)n, (int)inputs, l->units, dy, l->units, w, l->units, 0, dx, (int)inputs);
}

void g_coral(size_t inputs, int units, const real *w, const real *x, const real *dy, real *dx,
             real *dw, real *db, size_t n)
{
    if (db != NULL)
        add_rows(dy, n, units, db);
    for (size_t i = 0; i < n; i++, x += inputs, dy += units) {
        real rank = 0; /* the gradient of what all units share */
        for (int u = 0; u < units; u++)
            rank += dy[u];
        for (size_t k = 0; dw != NULL && k < inputs; k++)
            dw[k] += rank * x[k];
        for (size_t k = 0; dx != NULL && k < inputs; k++)
            dx[i * inputs + k] = rank * w[k];
    }
}

void g_weight_rows(const real *x, int inputs, const real *dy, int units, size_t rows, int from,
                   int count, real *dw)
{
    assert(from >= 0 && count > 0 && from + count <= inputs);
    gemm(1, 0, count, units, (int)rows, x + from, inputs, dy, units, 0,
         dw + (size_t)from * (size_t)units, units);
}

void g_bias(const real *dy, size_t rows, int units, real *db)
{
    memset(db, 0, (size_t)units * sizeof *db);
    add_rows(dy, rows, units, db);
}

SIMD void g_relu(const real *restrict y, real *restrict d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 ? d[i] : 0;
}

SIMD void g_relu6(const real *restrict y, real *restrict d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 && y[i] < 6 ? d[i] : 0;
}

void g_prelu(const real *slope, const real *x, const real *dy, real *dx, real *dslope, size_t rows,
             int c)
{
    for (size_t r = 0; r < rows; r++, x += c, dy += c) {
        for (int i = 0; i < c; i++) {
            if (dslope != NULL)
                dslope[i] += x[i] < 0 ? dy[i] * x[i] : 0;
            if (dx != NULL)
                dx[i] = x[i] < 0 ? dy[i] * slope[i] : dy[i];
        }
        if (dx != NULL)
            dx += c;
    }
}

SIMD void g_sigmoid(const real *restrict y, const real *restrict dy, real *restrict dx, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1 - y[i]);
}

void g_softmax(const real *y, const real *dy, real *dx, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, y += count, dy += count, dx += count) {
        real dot = 0;
        for (size_t k = 0; k < count; k++)
            dot += y[k] * dy[k];
        for (size_t k = 0; k < count; k++)
            dx[k] = y[k] * (dy[k] - dot);
    }
}

void g_l2norm(const real *x, const real *y, const real *dy, real *dx, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, x += count, y += count, dy += count, dx += count) {
        double square = 0, dot = 0;
        for (size_t k = 0; k < count; k++) {
            square += (double)x[k] * x[k];
            dot += (double)y[k] * dy[k];
        }
        double f = 1 / sqrt(square > 1e-12 ? square : 1e-12);
        if (square <= 1e-12) /* below the floor the norm is constant */
            dot = 0;
        for (size_t k = 0; k < count; k++)
            dx[k] = (real)((dy[k] - y[k] * dot) * f);
    }
}

void g_maxpool(const struct layer *l, struct shape in, const uint32_t *which, const real *dy,
               real *dx, size_t n)
{
    size_t out = shape_count(l->shape), count = shape_count(in);
    memset(dx, 0, n * count * sizeof *dx);
    for (size_t i = 0; i < n; i++, which += out, dy += out, dx += count) {
        for (size_t k = 0; k < out; k++)
            dx[which[k]] += dy[k];
    }
}

void g_avgpool(const struct layer *l, struct shape in, const real *dy, real *dx, size_t n)
{
    size_t nc = (size_t)in.c;
    memset(dx, 0, n * shape_count(in) * sizeof *dx);
    for (size_t i = 0; i < n; i++, dx += shape_count(in)) {
        for (int oy = 0; oy < l->shape.h; oy++) {
            for (int ox = 0; ox < l->shape.w; ox++, dy += nc) {
                int y0, y1, x0, x1;
                k_inside(oy * l->sh - l->pt, l->kh, in.h, &y0, &y1);
                k_inside(ox * l->sw - l->pl, l->kw, in.w, &x0, &x1);
                real share = (real)1 / (real)((y1 - y0) * (x1 - x0));
                for (int yy = y0; yy < y1; yy++) {
                    for (int xx = x0; xx < x1; xx++) {
                        real *p = dx + ((size_t)yy * (size_t)in.w + (size_t)xx) * nc;
                        for (size_t c = 0; c < nc; c++)
                            p[c] += dy[c] * share;
                    }
                }
            }
        }
    }
}

SIMD void g_gap(struct shape in, const real *dy, real *dx, size_t n)
{
    size_t pixels = (size_t)in.h * (size_t)in.w, nc = (size_t)in.c;
    for (size_t i = 0; i < n; i++, dy += nc) {
        for (size_t p = 0; p < pixels; p++, dx += nc) {
            for (size_t c = 0; c < nc; c++)
                dx[c] = dy[c] / (real)pixels;
        }
    }
}

void g_place(const real *dy, int width, int at, real *dx, int c, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(dx + r * (size_t)c, dy + r * (size_t)width + at, (size_t)c * sizeof *dx);
}

void g_pad(const struct layer *l, struct shape in, const real *dy, real *dx, size_t n)
{
    struct shape out = l->shape;
    for (size_t i = 0; i < n; i++, dy += shape_count(out)) {
        for (int r = 0; r < in.h; r++, dx += (size_t)in.w * (size_t)in.c) {
            const real *line =
                dy + ((size_t)(r + l->pt) * (size_t)out.w + (size_t)l->pl) * (size_t)out.c;
            g_place(line, out.c, l->cb, dx, in.c, (size_t)in.w);
        }
    }
}

SIMD void bn_sums(const real *restrict x, size_t rows, int c, const real *restrict shift,
                  real *restrict sum)
{
    real *restrict square = sum + c;
    for (size_t r = 0; r < rows; r++, x += c) {
        for (int i = 0; i < c; i++) {
            real d = x[i] - shift[i];
            sum[i] += d;
            square[i] += d * d;
        }
    }
}

SIMD void bn_grad_sums(const real *restrict x, const real *restrict dy, size_t rows, int c,
                       const real *restrict mean, const real *restrict inv, real *restrict sum)
{
    real *restrict dot = sum + c;
    for (size_t r = 0; r < rows; r++, x += c, dy += c) {
        for (int i = 0; i < c; i++) {
            sum[i] += dy[i];
            dot[i] += dy[i] * (x[i] - mean[i]) * inv[i];
        }
    }
}

SIMD void bn_grad(const real *restrict x, const real *restrict dy, real *restrict dx, size_t rows,
                  int c, const real *restrict gamma, const real *restrict mean,
                  const real *restrict inv, const real *restrict sum, size_t total)
{
    real share = total > 0 ? (real)1 / (real)total : 0;
    for (size_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        for (int i = 0; i < c; i++) {
            real xhat = (x[i] - mean[i]) * inv[i];
            dx[i] = gamma[i] * inv[i] * (dy[i] - share * (sum[i] + xhat * sum[c + i]));
        }
    }
}
