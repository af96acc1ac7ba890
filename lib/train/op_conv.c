/* Convolutions. */
#include <assert.h>
#include <string.h>

#include "grad.h"
#include "op.h"

/* --- Fast ones ------------------------------------------------------------------------------ */

/* Whether a fast convolution made the images. In double, where pointers are of another type, no
   layer has one: hence void here and below. */
static bool fast_y(const struct trainer *t, const struct images *v)
{
    const struct fast_conv *f = &t->state[v->i].fast;
    const void *w = pass_param(t, v->l, 0), *bias = pass_param(t, v->l, 1), *x = v->x;
    void *y = v->y;
    if (f->simd == NULL)
        return false;
    fast_conv_forward(f, w, bias, x, y, v->n, t->scratch[v->worker]);
    return true;
}

/* Whether a fast convolution made dx; and whether it added to dw. */
static bool fast_dx(const struct trainer *t, const struct images *v, const void *dy, void *dx)
{
    const struct fast_conv *f = &t->state[v->i].fast;
    if (f->simd == NULL || !f->has_back)
        return false;
    fast_conv_back(f, dy, dx, v->n, t->scratch[v->worker]);
    return true;
}

static bool fast_dw(const struct trainer *t, const struct images *v, const void *x, const void *dy,
                    void *dw)
{
    const struct fast_conv *f = &t->state[v->i].fast;
    if (f->simd == NULL || f->l.kh != 3 || f->l.kw != 3)
        return false;
    fast_conv_dw3_weights(f, x, dy, dw, v->n);
    return true;
}

/* --- conv ----------------------------------------------------------------------------------- */

static void conv_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {pass_param(t, v->l, 1), train_tail(&t->memory, v->i), NULL};
    if (fast_y(t, v))
        return;
    const struct products products = pass_products(t, v->i, v->worker);
    assert(k_conv_scratch(v->l, v->in) <= t->memory.patch);
    k_conv(&products, v->l, v->in, pass_param(t, v->l, 0), &tail, v->x, v->y, v->n,
           t->scratch[v->worker]);
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
                int yy = y0 + ky * l->dh, xx = x0 + kx * l->dw;
                if (yy < 0 || yy >= in.h || xx < 0 || xx >= in.w)
                    continue;
                real *p = dx + ((size_t)yy * (size_t)in.w + (size_t)xx) * (size_t)in.c + c0;
                for (int c = 0; c < nc; c++)
                    p[c] += col[c];
            }
        }
    }
}

void g_conv(const struct products *p, const struct layer *l, struct shape in, const real *w,
            const real *x, const real *dy, real *dx, real *dw, real *db, size_t n, real *col)
{
    size_t pixels = (size_t)l->shape.h * (size_t)l->shape.w;
    int cin = in.c / l->groups, cout = l->units / l->groups;
    if (db != NULL)
        g_add_rows(dy, pixels * n, l->units, db);
    if (k_is_pointwise(l)) {
        /* In blocks, of which the second product finds dy in the cache. */
        size_t rows = pixels * n, step = k_tile_rows((size_t)(in.c + l->units) / 2) / 512 * 512;
        if (step < 512)
            step = 512;
        for (size_t r = 0; r < rows; r += step) {
            int m = (int)(rows - r < step ? rows - r : step);
            const real *d = dy + r * (size_t)l->units;
            if (dw != NULL)
                gemm(p, 1, 0, in.c, l->units, m, x + r * (size_t)in.c, in.c, d, l->units, true, dw,
                     l->units);
            if (dx != NULL)
                product_back(p, m, in.c, l->units, d, l->units, w, l->units, dx + r * (size_t)in.c,
                             in.c);
        }
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
                    gemm(p, 1, 0, k, cout, (int)m, col, k, d, l->units, true, dw + g * cout,
                         l->units);
                }
                if (dx == NULL)
                    continue;
                product_back(p, (int)m, k, cout, d, l->units, w + g * cout, l->units, dcol, k);
                col2im(l, in, dcol, g * cin, cin, r, m, dx);
            }
        }
        if (dx != NULL)
            dx += shape_count(in);
    }
}

static void conv_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    bool done = g->dx != NULL && fast_dx(t, v, g->dy, g->dx);
    const struct products products = pass_products(t, v->i, v->worker);
    assert(2 * k_conv_scratch(v->l, v->in) <= t->memory.patch);
    g_conv(&products, v->l, v->in, pass_param(t, v->l, 0), v->x, g->dy, done ? NULL : g->dx, g->dw,
           g->db, v->n, t->scratch[v->worker]);
}

const struct train_op train_conv = {
    .forward = conv_forward,
    .backward = conv_backward,
};

/* --- dwconv --------------------------------------------------------------------------------- */

static void dwconv_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {pass_param(t, v->l, 1), train_tail(&t->memory, v->i), NULL};
    if (!fast_y(t, v))
        k_dwconv(v->l, v->in, pass_param(t, v->l, 0), &tail, v->x, v->y, v->n, t->zeros);
}

SIMD void g_dwconv(const struct layer *l, struct shape in, const real *w, const real *x,
                   const real *dy, real *dx, real *dw, real *db, size_t n)
{
    size_t nc = (size_t)in.c;
    if (db != NULL)
        g_add_rows(dy, (size_t)l->shape.h * (size_t)l->shape.w * n, in.c, db);
    if (dx != NULL)
        memset(dx, 0, n * shape_count(in) * sizeof *dx);
    else if (dw == NULL)
        return;
    for (size_t i = 0; i < n; i++, x += shape_count(in)) {
        for (int oy = 0; oy < l->shape.h; oy++) {
            for (int ox = 0; ox < l->shape.w; ox++, dy += nc) {
                for (int ky = 0; ky < l->kh; ky++) {
                    int yy = oy * l->sh - l->pt + ky * l->dh;
                    for (int kx = 0; kx < l->kw && yy >= 0 && yy < in.h; kx++) {
                        int xx = ox * l->sw - l->pl + kx * l->dw;
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

static void dwconv_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    bool done = g->dx != NULL && fast_dx(t, v, g->dy, g->dx);
    bool done_dw = g->dw != NULL && fast_dw(t, v, v->x, g->dy, g->dw);
    g_dwconv(v->l, v->in, pass_param(t, v->l, 0), v->x, g->dy, done ? NULL : g->dx,
             done_dw ? NULL : g->dw, g->db, v->n);
}

const struct train_op train_dwconv = {
    .forward = dwconv_forward,
    .backward = dwconv_backward,
};

/* --- tconv ---------------------------------------------------------------------------------- */

static void tconv_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {pass_param(t, v->l, 1), train_tail(&t->memory, v->i), NULL};
    k_tconv(v->l, v->in, pass_param(t, v->l, 0), &tail, v->x, v->y, v->n);
}

/* What an input pixel x and an output pixel, of gradient dy, that the tap at w joins are worth to
   each other's gradients. */
SIMD static void tap_gradients(const struct layer *l, int inputs, const real *w, const real *x,
                               const real *dy, real *dx, real *dw)
{
    size_t units = (size_t)(l->units / l->groups), line = (size_t)(l->kh * l->kw * l->units);
    for (int g = 0; g < l->groups; g++, dy += units) {
        for (int c = 0; c < inputs; c++) {
            size_t at = (size_t)c * line + (size_t)g * units;
            real sum = 0, xc = x[g * inputs + c];
            for (size_t u = 0; dx != NULL && u < units; u++)
                sum += dy[u] * w[at + u];
            if (dx != NULL)
                dx[g * inputs + c] += sum;
            for (size_t u = 0; dw != NULL && u < units; u++)
                dw[at + u] += dy[u] * xc;
        }
    }
}

static void tconv_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    const struct layer *l = v->l;
    const real *w = pass_param(t, l, 0), *x = v->x, *dy = g->dy;
    real *dx = g->dx;
    size_t units = (size_t)l->units;
    if (g->db != NULL)
        g_add_rows(dy, v->rows, l->units, g->db);
    if (dx != NULL)
        memset(dx, 0, v->n * v->icount * sizeof *dx);
    for (size_t i = 0; i < v->n; i++, dy += v->count) {
        for (int p = 0; p < v->in.h * v->in.w; p++, x += v->in.c) {
            for (int k = 0; k < l->kh * l->kw; k++) {
                int at = k_tconv_place(l, v->in, p, k);
                if (at >= 0)
                    tap_gradients(l, v->in.c / l->groups, w + (size_t)k * units, x,
                                  dy + (size_t)at * units, dx,
                                  g->dw != NULL ? g->dw + (size_t)k * units : NULL);
            }
            if (dx != NULL)
                dx += v->in.c;
        }
    }
}

const struct train_op train_tconv = {.forward = tconv_forward, .backward = tconv_backward};
