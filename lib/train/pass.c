#include "pass.h"

#include "exchange.h"

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
    v.xs = reals_from(t->state[l->in[0]].act, first * v.icount);
    v.ys = reals_from(t->state[i].act, first * v.count);
    v.x = v.xs.f;
    v.y = v.ys.f;
    return v;
}

void pass_leaf(const struct trainer *t, size_t leaf, size_t *first, size_t *n)
{
    assert(leaf < t->leaves);
    *first = (size_t)t->n * leaf / t->leaves;
    *n = (size_t)t->n * (leaf + 1) / t->leaves - *first;
}

void pass_part(const struct trainer *t, size_t k, size_t *first, size_t *n)
{
    if (t->by_leaf) {
        pass_leaf(t, t->leaf_from + k, first, n);
        return;
    }
    assert(k < t->npart && t->npart <= t->own);
    *first = t->own * k / t->npart;
    *n = t->own * (k + 1) / t->npart - *first;
    *first += t->own_first;
}

void pass_cut_images(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    bool product = train_is_product(l);
    /* A BLAS may sum in another order where a product has other rows. */
    t->by_leaf = product && t->kernels.other == NULL;
    size_t parts = train_image_parts(l, t->n);
    t->npart =
        t->by_leaf ? t->leaf_to - t->leaf_from : (parts * t->own + (size_t)t->n - 1) / (size_t)t->n;
}

void pass_over_parts(struct trainer *t, void (*fn)(void *, int, size_t))
{
    pass_cut_images(t);
    par_for(t->par, t->npart, fn, t);
}

static void sum_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    memset(t->part + k * t->part_len, 0, t->part_len * sizeof *t->part);
    t->sum_part(t, worker, k);
}

struct tree pass_roots(const struct trainer *t)
{
    return tree_roots(t->leaf_from, t->leaf_to, t->leaves);
}

real *pass_root(const struct trainer *t, const struct tree_node *root)
{
    return t->part + (root->from - t->leaf_from) * t->part_len;
}

enum { CHUNK = 16384 };

/* Some of the leaves' elements. */
static void sum_chunk(void *ctx, int worker, size_t i)
{
    struct trainer *t = ctx;
    struct tree tree = {.leaves = t->leaves};
    size_t at = i * CHUNK, left = t->part_len - at, count = left < CHUNK ? left : CHUNK;
    (void)worker;
    for (size_t k = t->leaf_from; k < t->leaf_to; k++) {
        tree_push(&tree, k, k + 1);
        while (tree_join(&tree))
            k_add(pass_root(t, &tree.node[tree.n - 1]) + at, pass_root(t, &tree.node[tree.n]) + at,
                  count);
    }
}

void pass_sum_leaves(struct trainer *t, void (*fn)(void *, int, size_t), size_t len)
{
    t->npart = t->leaf_to - t->leaf_from;
    t->by_leaf = true;
    t->part_len = len;
    t->sum_part = fn;
    assert(t->npart * len <= t->memory.part);
    par_for(t->par, t->npart, sum_part, t);
    par_for(t->par, (len + CHUNK - 1) / CHUNK, sum_chunk, t);
}

const real *pass_sum_batch(struct trainer *t, void (*fn)(void *, int, size_t), size_t len)
{
    pass_sum_leaves(t, fn, len);
    return t->exchange != NULL ? exchange_sums_now(t, len) : t->part;
}
