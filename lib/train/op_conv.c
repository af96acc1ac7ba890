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
    const void *w = pass_param(t, v->l, 0), *bias = pass_param(t, v->l, 1);
    const void *x = reals_at(v->xs);
    void *y = reals_at(v->ys);
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
    k_conv(&products, v->l, v->in, pass_param(t, v->l, 0), &tail, v->xs, v->ys, v->n,
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

/* dx (m, inputs) = dy (m, units) w^T; of room see product_bf16. */
static void rows_back(const struct products *p, const struct layer *l, int inputs, struct reals dy,
                      const real *w, struct reals dx, size_t m, real *room)
{
    const struct tail none = {NULL, ACT_NONE, NULL};
    if (dx.h != NULL)
        product_bf16(p, p->back, m, dy, &none, dx.h, room);
    else
        product_back(p, (int)m, inputs, l->units, dy, l->units, w, l->units, dx.f, inputs);
}

/* In blocks, of which the second product finds dy in the cache. */
static void g_pointwise(const struct products *p, const struct layer *l, struct shape in,
                        const real *w, struct reals x, struct reals dy, struct reals dx, real *dw,
                        size_t rows, real *room)
{
    size_t step = k_tile_rows((size_t)(in.c + l->units) / 2) / 512 * 512;
    if (step < 512)
        step = 512;
    for (size_t r = 0; r < rows; r += step) {
        size_t m = rows - r < step ? rows - r : step, at = r * (size_t)in.c;
        const struct reals d = reals_from(dy, r * (size_t)l->units);
        if (dw != NULL)
            gemm(p, 1, 0, in.c, l->units, (int)m, reals_from(x, at), in.c, d, l->units, true, dw,
                 l->units);
        if (reals_there(dx))
            rows_back(p, l, in.c, d, w, reals_from(dx, at), m, room);
    }
}

void g_conv(const struct products *p, const struct row_loops *loops, const struct layer *l,
            struct shape in, const real *w, struct reals x, struct reals dy, struct reals dx,
            real *dw, real *db, size_t n, real *col)
{
    size_t pixels = (size_t)l->shape.h * (size_t)l->shape.w, scratch = k_conv_scratch(l, in);
    int cin = in.c / l->groups, cout = l->units / l->groups, k = l->kh * l->kw * cin;
    real *dcol = col + scratch, *room = dcol + scratch;
    if (db != NULL)
        g_add_rows(loops, dy, (size_t)l->units, pixels * n, l->units, db);
    if (k_is_pointwise(l)) {
        g_pointwise(p, l, in, w, x, dy, dx, dw, pixels * n, room);
        return;
    }
    const size_t step = scratch / (size_t)k;
    const struct reals patches = reals_like(x, col);
    for (size_t i = 0; i < n; i++) {
        const struct reals image = reals_from(x, i * shape_count(in));
        /* What patches add up to is floats. */
        real *sums = dx.f != NULL ? dx.f + i * shape_count(in) : room;
        if (reals_there(dx))
            memset(sums, 0, shape_count(in) * sizeof *sums);
        for (size_t r = 0; r < pixels; r += step) {
            size_t m = pixels - r < step ? pixels - r : step;
            for (int g = 0; g < l->groups; g++) {
                const struct reals d =
                    reals_from(dy, (i * pixels + r) * (size_t)l->units + (size_t)(g * cout));
                if (dw != NULL) {
                    k_im2col(l, in, reals_at(image), reals_size(x), g * cin, cin, r, m, col);
                    gemm(p, 1, 0, k, cout, (int)m, patches, k, d, l->units, true, dw + g * cout,
                         l->units);
                }
                if (!reals_there(dx))
                    continue;
                product_back(p, (int)m, k, cout, d, l->units, w + g * cout, l->units, dcol, k);
                col2im(l, in, dcol, g * cin, cin, r, m, sums);
            }
        }
        if (dx.h != NULL)
            bf16_narrow(sums, dx.h + i * shape_count(in), shape_count(in));
    }
}

static void conv_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    bool done = g->dx != NULL && fast_dx(t, v, g->dy, g->dx);
    const struct reals nowhere = {NULL, NULL};
    const struct products products = pass_products(t, v->i, v->worker);
    assert(2 * k_conv_scratch(v->l, v->in) <= t->memory.patch);
    g_conv(&products, &t->kernels.simd->rows, v->l, v->in, pass_param(t, v->l, 0), v->xs, g->dys,
           done ? nowhere : g->dxs, g->dw, g->db, v->n, t->scratch[v->worker]);
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
                   const real *dy, real *dx, real *dw, size_t n)
{
    size_t nc = (size_t)in.c;
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
    bool done = reals_there(g->dxs) && fast_dx(t, v, reals_at(g->dys), reals_at(g->dxs));
    bool done_dw = g->dw != NULL && fast_dw(t, v, reals_at(v->xs), reals_at(g->dys), g->dw);
    if (g->db != NULL)
        g_add_rows(&t->kernels.simd->rows, g->dys, (size_t)v->l->shape.c, v->rows, v->l->shape.c,
                   g->db);
    assert(g->dys.f != NULL || (done_dw || g->dw == NULL));
    g_dwconv(v->l, v->in, pass_param(t, v->l, 0), v->x, g->dy, done ? NULL : g->dx,
             done_dw ? NULL : g->dw, v->n);
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
        g_add_rows(NULL, g->dys, (size_t)l->units, v->rows, l->units, g->db);
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
