#include "conv_bf16.h"

#include "patches.h"

/* Output pixels worked off together, while their sums are in the second-level cache. */
enum { ROWS = 168 };

bool conv_bf16_fits(const struct layer *l)
{
    return l->type == L_CONV && l->groups == 1;
}

int conv_bf16_make(struct conv_bf16 *c, struct arena *arena, const struct gemm *gemm,
                   const struct layer *l, struct shape in, const float *w, const struct tail *t)
{
    int terms = l->kh * l->kw * in.c;
    *c = (struct conv_bf16){gemm, *l, in, *t, {NULL, l->units, terms, false}};
    c->w.at = arena_zeros(arena, packed_floats(gemm, &c->w), sizeof *c->w.at);
    if (c->w.at == NULL)
        return MIEN_ERR_MEM;
    gemm_pack(gemm, &c->w, (struct matrix){w, (size_t)l->units, false, NULL}, 0, terms);
    return 0;
}

/* Floats of patches, where the input isn't the matrix itself. */
static size_t patches(const struct conv_bf16 *c)
{
    return k_is_pointwise(&c->l) ? 0 : ROWS * (size_t)c->w.terms;
}

size_t conv_bf16_scratch(const struct conv_bf16 *c)
{
    return (patches(c) + gemm_scratch(c->gemm)) * sizeof(float);
}

void conv_bf16_run(const struct conv_bf16 *c, const float *x, const float *add, float *y, size_t n,
                   void *scratch)
{
    float *col = scratch, *packing = col + patches(c);
    const size_t units = (size_t)c->l.units, terms = (size_t)c->w.terms;
    const size_t rows = n * (size_t)c->l.shape.h * (size_t)c->l.shape.w;
    for (size_t r = 0, m; r < rows; r += m) {
        m = rows - r < ROWS ? rows - r : ROWS;
        const float *a = x + r * terms;
        if (!k_is_pointwise(&c->l)) {
            k_im2col_terms(&c->l, c->in, x, sizeof *x, 0, terms, r, m, col);
            a = col;
        }
        float *to = y + r * units;
        gemm_run_packed(c->gemm, (int)m, (struct matrix){a, terms, false, NULL}, &c->w, to, units,
                        packing);
        if (add != NULL)
            k_add(to, add + r * units, m * units);
        k_tail(to, m, c->l.units, &c->tail);
    }
}
