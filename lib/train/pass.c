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

void pass_part(const struct trainer *t, size_t k, size_t *first, size_t *n)
{
    assert(k < t->npart && t->npart <= (size_t)t->n);
    *first = (size_t)t->n * k / t->npart;
    *n = (size_t)t->n * (k + 1) / t->npart - *first;
}

static bool is_fused(const struct trainer *t)
{
    return t->memory.use[t->cur].run >= 0;
}

void pass_over_parts(struct trainer *t, void (*fn)(void *, int, size_t))
{
    t->npart =
        is_fused(t) ? fused_run_parts(t->n) : train_image_parts(&t->net->layer[t->cur], t->n);
    par_for(t->par, t->npart, fn, t);
}

static void sum_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    memset(t->part + k * t->part_len, 0, t->part_len * sizeof *t->part);
    t->sum_part(t, worker, k);
}

enum { CHUNK = 16384 };

/* Some of the parts' elements. */
static void sum_chunk(void *ctx, int worker, size_t i)
{
    struct trainer *t = ctx;
    size_t from = i * CHUNK, left = t->part_len - from;
    (void)worker;
    for (size_t k = 1; k < t->npart; k++)
        k_add(t->part + from, t->part + k * t->part_len + from, left < CHUNK ? left : CHUNK);
}

real *pass_sum_parts(struct trainer *t, void (*fn)(void *, int, size_t), size_t len)
{
    t->npart = is_fused(t) ? fused_run_parts(t->n) : train_parts(&t->net->layer[t->cur], t->n);
    t->part_len = len;
    t->sum_part = fn;
    assert(t->npart * len <= t->memory.part);
    par_for(t->par, t->npart, sum_part, t);
    par_for(t->par, (len + CHUNK - 1) / CHUNK, sum_chunk, t);
    return t->part;
}
