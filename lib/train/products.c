#include "products.h"

#include <assert.h>
#include <stdlib.h>

#include "memory.h"
#include "util/aligned.h"

#ifdef MIEN_DOUBLE
#define REAL_GEMM cblas_dgemm
#else
#define REAL_GEMM cblas_sgemm
#endif

#ifndef MIEN_DOUBLE
static struct matrix matrix(struct reals a, int ld, int transposed)
{
    return (struct matrix){a.f, (size_t)ld, transposed, a.h};
}
#endif

void gemm(const struct products *p, int ta, int tb, int m, int n, int k, struct reals a, int lda,
          struct reals b, int ldb, bool add, real *c, int ldc)
{
#ifdef MIEN_DOUBLE
    assert(p->own == NULL);
#else
    if (p->own != NULL) {
        gemm_run(p->own, m, n, k, matrix(a, lda, ta), matrix(b, ldb, tb), add, c, (size_t)ldc,
                 p->scratch);
        return;
    }
#endif
    REAL_GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n,
              k, 1, a.f, lda, b.f, ldb, add ? 1 : 0, c, ldc);
}

/* y[m, units] = x[m, inputs] w. Rows of w are ldw apart. */
static void product_forth(const struct products *p, int m, int units, int inputs, struct reals x,
                          int ldx, const real *w, int ldw, real *y, int ldy)
{
#ifndef MIEN_DOUBLE
    if (p->forth != NULL) {
        gemm_run_packed(p->own, m, matrix(x, ldx, 0), p->forth, NULL, y, (size_t)ldy, p->scratch);
        return;
    }
#endif
    gemm(p, 0, 0, m, units, inputs, x, ldx, reals_floats(w), ldw, false, y, ldy);
}

void product_back(const struct products *p, int m, int inputs, int units, struct reals dy, int ldy,
                  const real *w, int ldw, real *dx, int ldx)
{
#ifndef MIEN_DOUBLE
    if (p->back != NULL) {
        gemm_run_packed(p->own, m, matrix(dy, ldy, 0), p->back, NULL, dx, (size_t)ldx, p->scratch);
        return;
    }
#endif
    gemm(p, 0, 1, m, inputs, units, dy, ldy, reals_floats(w), ldw, false, dx, ldx);
}

int packed_weights_make(struct packed_weights *p, const struct gemm *own, const struct layer *l,
                        bool forth, bool back)
{
    int units = l->units, inputs = (int)(l->param[0].count / (size_t)units);
    *p = (struct packed_weights){own, {NULL, units, inputs, false}, {NULL, inputs, units, false}};
    assert(l->type == L_CONV && l->groups == 1);
    if (forth)
        p->forth.at = aligned_new(packed_floats(own, &p->forth), sizeof *p->forth.at);
    if (back)
        p->back.at = aligned_new(packed_floats(own, &p->back), sizeof *p->back.at);
    return (forth && p->forth.at == NULL) || (back && p->back.at == NULL) ? MIEN_ERR_MEM : 0;
}

void packed_weights_set(struct packed_weights *p, const struct layer *l, const float *w)
{
    struct matrix m = {w, (size_t)l->units, false, NULL},
                  turned = {w, (size_t)l->units, true, NULL};
    if (p->forth.at != NULL)
        gemm_pack(p->own, &p->forth, m, 0, p->forth.terms);
    if (p->back.at != NULL)
        gemm_pack(p->own, &p->back, turned, 0, p->back.terms);
}

void packed_weights_free(struct packed_weights *p)
{
    free(p->forth.at);
    free(p->back.at);
    *p = (struct packed_weights){0};
}

void product_bf16(const struct products *p, const struct packed *w, size_t m, struct reals x,
                  const struct tail *t, bfloat *y, real *room)
{
#ifdef MIEN_DOUBLE
    assert(p->own == NULL && w == NULL && m == 0 && x.h == NULL && t == NULL && y == NULL &&
           room == NULL);
#else
    const size_t terms = (size_t)w->terms, many = (size_t)w->many;
    for (size_t r = 0, some; r < m; r += some) {
        some = m - r < TRAIN_ROWS ? m - r : TRAIN_ROWS;
        gemm_run_bf16(p->own, (int)some, matrix(reals_from(x, r * terms), w->terms, 0), w, t,
                      y + r * many, room, p->scratch);
    }
#endif
}

/* y (m, units) = tail(x (m, inputs) w); of room see product_bf16. */
static void rows_forth(const struct products *p, const struct layer *l, int inputs, struct reals x,
                       const real *w, const struct tail *t, struct reals y, size_t m, real *room)
{
    if (y.h != NULL) {
        product_bf16(p, p->forth, m, x, t, y.h, room);
        return;
    }
    product_forth(p, (int)m, l->units, inputs, x, inputs, w, l->units, y.f, l->units);
    k_tail(y.f, m, l->units, t);
}

/* A group's part of some of an image's patches. */
static void patches_forth(const struct products *p, const struct layer *l, struct shape in, int g,
                          struct reals patches, const real *w, real *y, size_t m)
{
    int cin = in.c / l->groups, cout = l->units / l->groups, k = l->kh * l->kw * cin;
    product_forth(p, (int)m, cout, k, patches, k, w + g * cout, l->units, y + g * cout, l->units);
}

void k_conv(const struct products *p, const struct layer *l, struct shape in, const real *w,
            const struct tail *t, struct reals x, struct reals y, size_t n, real *col)
{
    size_t pixels = shape_count((struct shape){l->shape.h, l->shape.w, 1});
    real *room = col + k_conv_scratch(l, in);
    int cin = in.c / l->groups;
    if (k_is_pointwise(l)) {
        /* All images are one matrix, taken in blocks whose result the tail finds in the cache. */
        size_t rows = pixels * n, step = k_tile_rows((size_t)(in.c + l->units) / 2);
        if (step < 256)
            step = 256;
        if (y.h != NULL)
            step = rows;
        for (size_t r = 0; r < rows; r += step)
            rows_forth(p, l, in.c, reals_from(x, r * (size_t)in.c), w, t,
                       reals_from(y, r * (size_t)l->units), rows - r < step ? rows - r : step,
                       room);
        return;
    }
    size_t step = k_tile_rows((size_t)(l->kh * l->kw * cin));
    const struct reals patches = reals_like(x, col);
    assert(step * (size_t)(l->kh * l->kw * cin) <= k_conv_scratch(l, in));
    assert(l->groups == 1 || y.h == NULL);
    for (size_t i = 0; i < n; i++) {
        const struct reals image = reals_from(x, i * shape_count(in));
        for (size_t r = 0; r < pixels; r += step) {
            size_t m = pixels - r < step ? pixels - r : step;
            const struct reals out =
                reals_from(y, i * shape_count(l->shape) + r * (size_t)l->units);
            for (int g = 0; g < l->groups; g++) {
                k_im2col(l, in, reals_at(image), reals_size(x), g * cin, cin, r, m,
                         reals_at(patches));
                if (l->groups > 1)
                    patches_forth(p, l, in, g, patches, w, out.f, m);
            }
            if (l->groups > 1)
                k_tail(out.f, m, l->units, t);
            else
                rows_forth(p, l, l->kh * l->kw * cin, patches, w, t, out, m, room);
        }
    }
}

void k_dense(const struct products *p, const struct layer *l, size_t inputs, const real *w,
             const struct tail *t, const real *x, real *y, size_t n)
{
    gemm(p, 0, 0, (int)n, l->units, (int)inputs, reals_floats(x), (int)inputs, reals_floats(w),
         l->units, false, y, l->units);
    k_tail(y, n, l->units, t);
}
