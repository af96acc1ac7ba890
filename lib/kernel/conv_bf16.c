#include "conv_bf16.h"

#include <assert.h>
#include <stdlib.h>

#include "layers/patches.h"

/* Output pixels worked off together, while their sums are in the second-level cache. */
enum { ROWS = GEMM_ROWS };

bool conv_bf16_fits(const struct layer *l)
{
    return l->type == L_CONV && l->groups == 1;
}

int conv_bf16_make(struct conv_bf16 *c, struct arena *arena, const struct gemm *gemm,
                   const struct layer *l, struct shape in, const float *w, const float *mean,
                   const struct tail *t)
{
    const int terms = l->kh * l->kw * in.c;
    const size_t units = (size_t)l->units;
    *c = (struct conv_bf16){gemm, *l, in, *t, {NULL, l->units, terms, false}};
    c->w.at = arena_zeros(arena, packed_floats(gemm, &c->w), sizeof *c->w.at);
    float *rounded = malloc((size_t)terms * units * sizeof *rounded);
    int rc = c->w.at != NULL && rounded != NULL ? 0 : MIEN_ERR_MEM;
    if (rc == 0)
        rc = bf16_balance(w, (size_t)terms, units, mean, (size_t)in.c, rounded);
    if (rc == 0)
        gemm_pack(gemm, &c->w, (struct matrix){rounded, units, false, NULL}, 0, terms);
    free(rounded);
    return rc;
}

/* Floats of patches, where the input isn't the matrix itself. */
static size_t patches(const struct conv_bf16 *c)
{
    return k_is_pointwise(&c->l) ? 0 : ROWS * (size_t)c->w.terms;
}

/* Sums of what becomes bfloat16. */
static size_t room(const struct conv_bf16 *c)
{
    return ROWS * (size_t)c->l.units;
}

size_t conv_bf16_scratch(const struct conv_bf16 *c)
{
    return (patches(c) + room(c) + gemm_scratch(c->gemm)) * sizeof(float);
}

void conv_bf16_run(const struct conv_bf16 *c, struct reals x, const float *add, struct reals y,
                   size_t n, void *scratch)
{
    float *col = scratch, *sums = col + patches(c), *packing = sums + room(c);
    const size_t units = (size_t)c->l.units, terms = (size_t)c->w.terms;
    const size_t rows = n * (size_t)c->l.shape.h * (size_t)c->l.shape.w;
    assert(y.h == NULL || add == NULL);
    for (size_t r = 0, m; r < rows; r += m) {
        m = rows - r < ROWS ? rows - r : ROWS;
        struct reals a = reals_from(x, r * terms), to = reals_from(y, r * units);
        if (!k_is_pointwise(&c->l)) {
            k_im2col_terms(&c->l, c->in, reals_at(x), reals_size(x), 0, terms, r, m, col);
            a = reals_like(x, col);
        }
        const struct matrix left = {a.f, terms, false, a.h};
        if (to.h != NULL) {
            gemm_run_bf16(c->gemm, (int)m, left, &c->w, &c->tail, to.h, sums, packing);
            continue;
        }
        bool apart = add != NULL || c->tail.act == ACT_PRELU; /* the tail comes last */
        gemm_run_packed(c->gemm, (int)m, left, &c->w, apart ? NULL : &c->tail, to.f, units,
                        packing);
        if (add != NULL)
            k_add(to.f, add + r * units, m * units);
        if (apart)
            k_tail(to.f, m, c->l.units, &c->tail);
    }
}
