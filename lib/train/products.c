#include "products.h"

#include <assert.h>
#include <stdlib.h>

#include "util/aligned.h"

#ifdef MIEN_DOUBLE
#define REAL_GEMM cblas_dgemm
#else
#define REAL_GEMM cblas_sgemm
#endif

void gemm(const struct products *p, int ta, int tb, int m, int n, int k, const real *a, int lda,
          const real *b, int ldb, bool add, real *c, int ldc)
{
#ifdef MIEN_DOUBLE
    assert(p->own == NULL);
#else
    if (p->own != NULL) {
        gemm_run(p->own, m, n, k, (struct matrix){a, (size_t)lda, ta},
                 (struct matrix){b, (size_t)ldb, tb}, add, c, (size_t)ldc, p->scratch);
        return;
    }
#endif
    REAL_GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n,
              k, 1, a, lda, b, ldb, add ? 1 : 0, c, ldc);
}

void product_forth(const struct products *p, int m, int units, int inputs, const real *x, int ldx,
                   const real *w, int ldw, real *y, int ldy)
{
#ifndef MIEN_DOUBLE
    if (p->forth != NULL) {
        gemm_run_packed(p->own, m, (struct matrix){x, (size_t)ldx, false}, p->forth, y, (size_t)ldy,
                        p->scratch);
        return;
    }
#endif
    gemm(p, 0, 0, m, units, inputs, x, ldx, w, ldw, false, y, ldy);
}

void product_back(const struct products *p, int m, int inputs, int units, const real *dy, int ldy,
                  const real *w, int ldw, real *dx, int ldx)
{
#ifndef MIEN_DOUBLE
    if (p->back != NULL) {
        gemm_run_packed(p->own, m, (struct matrix){dy, (size_t)ldy, false}, p->back, dx,
                        (size_t)ldx, p->scratch);
        return;
    }
#endif
    gemm(p, 0, 1, m, inputs, units, dy, ldy, w, ldw, false, dx, ldx);
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
    struct matrix m = {w, (size_t)l->units, false}, turned = {w, (size_t)l->units, true};
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

void k_conv(const struct products *p, const struct layer *l, struct shape in, const real *w,
            const struct tail *t, const real *x, real *y, size_t n, real *col)
{
    size_t pixels = shape_count((struct shape){l->shape.h, l->shape.w, 1});
    int cin = in.c / l->groups, cout = l->units / l->groups;
    if (k_is_pointwise(l)) {
        /* All images are one matrix, taken in blocks whose result the tail finds in the cache. */
        size_t rows = pixels * n, step = k_tile_rows((size_t)(in.c + l->units) / 2);
        if (step < 256)
            step = 256;
        for (size_t r = 0; r < rows; r += step) {
            size_t m = rows - r < step ? rows - r : step;
            product_forth(p, (int)m, l->units, in.c, x + r * (size_t)in.c, in.c, w, l->units,
                          y + r * (size_t)l->units, l->units);
            k_tail(y + r * (size_t)l->units, m, l->units, t);
        }
        return;
    }
    int k = l->kh * l->kw * cin;
    size_t step = k_tile_rows((size_t)k);
    assert(step * (size_t)k <= k_conv_scratch(l, in));
    for (size_t i = 0; i < n; i++, x += shape_count(in), y += shape_count(l->shape)) {
        for (size_t r = 0; r < pixels; r += step) {
            size_t m = pixels - r < step ? pixels - r : step;
            real *out = y + r * (size_t)l->units;
            for (int g = 0; g < l->groups; g++) {
                k_im2col(l, in, x, g * cin, cin, r, m, col);
                product_forth(p, (int)m, cout, k, col, k, w + g * cout, l->units, out + g * cout,
                              l->units);
            }
            k_tail(out, m, l->units, t);
        }
    }
}

void k_dense(const struct products *p, const struct layer *l, size_t inputs, const real *w,
             const struct tail *t, const real *x, real *y, size_t n)
{
    gemm(p, 0, 0, (int)n, l->units, (int)inputs, x, (int)inputs, w, l->units, false, y, l->units);
    k_tail(y, n, l->units, t);
}
