#include "blocks.h"

#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "grad.h"
#include "op.h"
#include "util/aligned.h"

/* One layer's gradient, by all images or by leaves. */
struct work {
    struct trainer *t;
    int i;
    struct reals dy; /* of all images */
    struct weight_blocks b;
    bool packed;
    size_t first, count; /* blocks to be computed */
    size_t biases;       /* behind them: columns of blocks whose biases are */
};

static struct work work_on(struct trainer *t, int i, struct reals dy)
{
    const struct layer *l = &t->net->layer[i];
    struct work w = {.t = t, .i = i, .dy = dy, .b = train_weight_blocks(l)};
    w.packed = t->packed_x.at != NULL && train_is_plain(l);
    w.count = w.b.down * w.b.across;
    w.biases = l->nparam > 1 ? w.b.across : 0;
    return w;
}

static size_t inputs_of(const struct layer *l)
{
    return l->param[0].count / (size_t)l->units;
}

static size_t rows_of(const struct layer *l)
{
    return shape_count(l->shape) / (size_t)l->units;
}

/* The operands of images packed, of a leaf or, leaf 0, of all of them. */
static struct packed packed_x(const struct work *w, size_t leaf, size_t images)
{
    const struct layer *l = &w->t->net->layer[w->i];
    return (struct packed){w->t->packed_x.at + leaf * w->t->leaf_x, (int)inputs_of(l),
                           (int)(images * rows_of(l)), true};
}

static struct packed packed_dy(const struct work *w, size_t leaf, size_t images)
{
    const struct layer *l = &w->t->net->layer[w->i];
    return (struct packed){w->t->packed_dy.at + leaf * w->t->leaf_dy, l->units,
                           (int)(images * rows_of(l)), false};
}

/* Packs `count` pixels, from one on, of images from `first` on. In double, where pointers are of another
   type, nothing is packed: hence void. */
static void pack(const struct work *w, int worker, size_t first, const struct packed *x,
                 const struct packed *dy, int from, int count)
{
    const struct images v = pass_images(w->t, w->i, first, 1, worker);
    const struct gemm *own = pass_products(w->t, w->i, worker).own;
    const struct reals d = reals_from(w->dy, first * v.count);
    const void *at_x = v.xs.f, *at_dy = d.f;
    gemm_pack(own, x, (struct matrix){at_x, (size_t)x->many, true, v.xs.h}, from, count);
    gemm_pack(own, dy, (struct matrix){at_dy, (size_t)dy->many, false, d.h}, from, count);
}

static struct block block_of(const struct work *w, size_t k)
{
    const struct layer *l = &w->t->net->layer[w->i];
    struct packed x = {0}, dy = {0};
    if (!w->packed)
        return g_block(l, &w->b, k);
    x = packed_x(w, 0, 1);
    dy = packed_dy(w, 0, 1);
    return g_block_packed(pass_products(w->t, w->i, 0).own, &x, &dy, &w->b, k);
}

size_t blocks_row(const struct trainer *t, int i, size_t r)
{
    /* What is packed belongs to t, which stays as it is. */
    const struct work w = work_on((struct trainer *)t, i, (struct reals){NULL, NULL});
    return r < w.b.down ? block_of(&w, r * w.b.across).row : inputs_of(&t->net->layer[i]);
}

/* A block by images [first, first + n), which are packed as leaf `leaf`, overwritten at dw, whose rows
   are ldw apart; or, with `bias`, its columns' biases. */
static void block(const struct work *w, int worker, const struct block *b, bool bias, size_t leaf,
                  size_t first, size_t n, real *dw, size_t ldw)
{
    struct trainer *t = w->t;
    const struct images v = pass_images(t, w->i, first, n, worker);
    const struct products products = pass_products(t, w->i, worker);
    const struct reals dy = reals_from(w->dy, first * v.count);
    if (bias) {
        g_bias_block(&t->kernels.simd->rows, dy, v.rows, v.l->units, b, dw);
    } else if (w->packed) {
        struct packed x = packed_x(w, leaf, n), d = packed_dy(w, leaf, n);
        void *to = dw;
        g_weight_block_packed(products.own, &x, &d, b, to, ldw);
    } else {
        g_weight_block(&products, v.l, v.in, v.xs, dy, n, b, dw, ldw, t->scratch[worker]);
    }
}

/* The k-th block to be computed, or as many columns of biases; and its place in a gradient of the
   layer's parameters. */
static struct block task_block(const struct work *w, size_t k, bool *bias, size_t *at)
{
    const struct layer *l = &w->t->net->layer[w->i];
    *bias = k >= w->count;
    struct block b = block_of(w, *bias ? k - w->count : w->first + k);
    if (*bias)
        b.rows = 1;
    *at = *bias ? l->param[1].at - l->param[0].at + b.column : b.row * (size_t)l->units + b.column;
    return b;
}

/* --- Over the whole batch ------------------------------------------------------------------- */

/* Pixels of x and dy that are packed at once. */
enum { PACK_PIECE = 128 };

static void pack_piece(void *ctx, int worker, size_t k)
{
    const struct work *w = ctx;
    struct packed x = packed_x(w, 0, (size_t)w->t->n), dy = packed_dy(w, 0, (size_t)w->t->n);
    int from = (int)k * PACK_PIECE, left = x.terms - from;
    pack(w, worker, 0, &x, &dy, from, left < PACK_PIECE ? left : PACK_PIECE);
}

static void whole_block(void *ctx, int worker, size_t k)
{
    const struct work *w = ctx;
    struct trainer *t = w->t;
    const struct layer *l = &t->net->layer[w->i];
    bool bias;
    size_t at;
    struct block b = task_block(w, k, &bias, &at);
    block(w, worker, &b, bias, 0, 0, (size_t)t->n, t->grad + l->param[0].at + at, (size_t)l->units);
}

/* --- By leaves ------------------------------------------------------------------------------ */

static void pack_leaf(void *ctx, int worker, size_t k)
{
    const struct work *w = ctx;
    size_t first, n;
    pass_leaf(w->t, w->t->leaf_from + k, &first, &n);
    struct packed x = packed_x(w, k, n), dy = packed_dy(w, k, n);
    pack(w, worker, first, &x, &dy, 0, x.terms);
}

/* Puts rows of a block where they belong. */
static void put_block(const struct block *b, const real *from, real *to, size_t ld)
{
    for (int r = 0; r < b->rows; r++, from += b->columns, to += ld)
        memcpy(to, from, (size_t)b->columns * sizeof *to);
}

/* Leaf after leaf, while their sums are in the cache. */
static void leaves_block(void *ctx, int worker, size_t k)
{
    const struct work *w = ctx;
    struct trainer *t = w->t;
    const struct layer *l = &t->net->layer[w->i];
    struct tree tree = {.leaves = t->leaves};
    size_t room = t->memory.block, at;
    real *sums = t->sums[worker];
    bool bias;
    struct block b = task_block(w, k, &bias, &at);
    for (size_t leaf = t->leaf_from; leaf < t->leaf_to; leaf++) {
        size_t first, n, columns = (size_t)b.columns, elements = (size_t)b.rows * columns;
        pass_leaf(t, leaf, &first, &n);
        block(w, worker, &b, bias, leaf - t->leaf_from, first, n, sums + (size_t)tree.n * room,
              columns);
        tree_push(&tree, leaf, leaf + 1);
        while (tree_join(&tree))
            k_add(sums + (size_t)(tree.n - 1) * room, sums + (size_t)tree.n * room, elements);
    }
    for (int r = 0; r < tree.n; r++) {
        real *to = t->exchange != NULL ? exchange_roots(t, train_params_span(l), r)
                                       : t->grad + l->param[0].at;
        put_block(&b, sums + (size_t)r * room, to + at, (size_t)l->units);
    }
}

/* --- A layer -------------------------------------------------------------------------------- */

/* Blocks, then biases, then parts of the input's gradient. */
static void any_task(void *ctx, int worker, size_t k)
{
    struct work *w = ctx;
    const struct layer *l = &w->t->net->layer[w->i];
    size_t tasks = w->count + w->biases;
    if (k >= tasks)
        pass_input_part(w->t, worker, k - tasks);
    else if (train_sum_of(l, w->t->net->layer[l->in[0]].shape, w->t->memory.batch) == SUM_WHOLE)
        whole_block(w, worker, k);
    else
        leaves_block(w, worker, k);
}

static void pack_whole(struct work *w)
{
    size_t rows = (size_t)w->t->n * rows_of(&w->t->net->layer[w->i]);
    if (w->packed)
        par_for(w->t->par, (rows + PACK_PIECE - 1) / PACK_PIECE, pack_piece, w);
}

void blocks_whole(struct trainer *t, int i, struct reals dy, size_t from, size_t to)
{
    struct work w = work_on(t, i, dy);
    w.first = from * w.b.across;
    w.count = (to - from) * w.b.across;
    pack_whole(&w);
    par_for(t->par, w.count + w.biases, whole_block, &w);
}

/* The sums that leaves_block left are on their way. */
static void send_roots(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    size_t len = train_params_span(l);
    const real *root[TREE_ROOTS];
    struct tree roots = pass_roots(t);
    for (int r = 0; r < roots.n; r++)
        root[r] = exchange_roots(t, len, r);
    exchange_sums(t, root, l->param[0].at, len);
}

void blocks_backward(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    struct work w = work_on(t, t->cur, t->state[t->cur].dact);
    bool whole = train_sum_of(l, t->net->layer[l->in[0]].shape, t->memory.batch) == SUM_WHOLE;
    if (whole && t->exchange != NULL) {
        exchange_images(t);
        pass_input_gradient(t);
        return;
    }
    if (whole)
        pack_whole(&w);
    else if (w.packed)
        par_for(t->par, t->leaf_to - t->leaf_from, pack_leaf, &w);
    size_t parts = 0;
    if (reals_there(t->dx)) {
        pass_cut_images(t);
        parts = t->npart;
    }
    t->part_len = 0;
    par_for(t->par, w.count + w.biases + parts, any_task, &w);
    if (!whole && t->exchange != NULL)
        send_roots(t);
}

/* --- Memory --------------------------------------------------------------------------------- */

static void enlarge(size_t *a, size_t b)
{
    *a = b > *a ? b : *a;
}

static int take_packed(struct trainer *t)
{
    size_t x = 0, dy = 0, leaves = tree_leaves(t->memory.batch);
    for (int i = 0; i < t->net->n; i++) {
        const struct layer *l = &t->net->layer[i];
        if (!t->memory.use[i].train || t->memory.use[i].run >= 0 || !train_is_plain(l))
            continue;
        enum train_sum sum = train_sum_of(l, t->net->layer[l->in[0]].shape, t->memory.batch);
        const struct gemm *g = l->type == L_CONV ? t->kernels.conv : t->kernels.other;
        size_t images =
            sum == SUM_WHOLE ? (size_t)t->memory.batch : tree_leaf_images(t->memory.batch);
        struct packed one = {NULL, (int)inputs_of(l), (int)(images * rows_of(l)), true};
        struct packed other = {NULL, l->units, one.terms, false};
        if (sum == SUM_WHOLE) {
            enlarge(&x, packed_floats(g, &one));
            enlarge(&dy, packed_floats(g, &other));
        } else if (sum == SUM_BLOCKS) {
            enlarge(&t->leaf_x, packed_floats(g, &one));
            enlarge(&t->leaf_dy, packed_floats(g, &other));
        }
    }
    enlarge(&x, leaves * t->leaf_x);
    enlarge(&dy, leaves * t->leaf_dy);
    if (x == 0)
        return 0;
    t->packed_x.at = aligned_new(x, sizeof *t->packed_x.at);
    t->packed_dy.at = aligned_new(dy, sizeof *t->packed_dy.at);
    return t->packed_x.at == NULL || t->packed_dy.at == NULL ? MIEN_ERR_MEM : 0;
}

int blocks_make(struct trainer *t)
{
    t->sums = calloc((size_t)t->memory.jobs, sizeof *t->sums);
    if (t->sums == NULL)
        return MIEN_ERR_MEM;
    for (int j = 0; j < t->memory.jobs; j++) {
        t->sums[j] = aligned_new(TREE_ROOTS * t->memory.block, sizeof **t->sums);
        if (t->sums[j] == NULL)
            return MIEN_ERR_MEM;
    }
    return t->kernels.other != NULL ? take_packed(t) : 0;
}

void blocks_free(struct trainer *t)
{
    for (int j = 0; t->sums != NULL && j < t->memory.jobs; j++)
        free(t->sums[j]);
    free(t->sums);
    free(t->packed_x.at);
    free(t->packed_dy.at);
}
