#include "pass.h"

#include <assert.h>
#include <string.h>

struct images pass_images(const struct trainer *t, int i, size_t first, size_t n, int worker)
{
    const struct layer *l = &t->net->layer[i];
    struct images v = {.i = i,
                       .l = l,
                       .in = t->net->layer[l->in[0]].shape,
                       .worker = worker,
                       .first = first,
                       .n = n};
    v.icount = shape_count(v.in);
    v.count = shape_count(l->shape);
    v.rows = v.count / (size_t)l->shape.c * n;
    v.x = t->state[l->in[0]].act + first * v.icount;
    v.y = t->state[i].act + first * v.count;
    return v;
}

/* Cuts the batch into the parts of the current layer, or of its fused run. */
static void divide(struct trainer *t)
{
    bool fused = t->memory.use[t->cur].run >= 0;
    t->npart = fused ? fused_run_parts(t->n) : train_parts(&t->net->layer[t->cur], t->n);
}

void pass_part(const struct trainer *t, size_t k, size_t *first, size_t *n)
{
    assert(k < t->npart && t->npart <= (size_t)t->n);
    *first = (size_t)t->n * k / t->npart;
    *n = (size_t)t->n * (k + 1) / t->npart - *first;
}

void pass_over_parts(struct trainer *t, void (*fn)(void *, int, size_t))
{
    divide(t);
    par_for(t->par, t->npart, fn, t);
}

real *pass_sum_parts(struct trainer *t, void (*fn)(void *, int, size_t), size_t len)
{
    divide(t);
    t->part_len = len;
    assert(t->npart * len <= t->memory.part);
    memset(t->part, 0, t->npart * len * sizeof *t->part);
    par_for(t->par, t->npart, fn, t);
    for (size_t k = 1; k < t->npart; k++)
        k_add(t->part, t->part + k * len, len);
    return t->part;
}
