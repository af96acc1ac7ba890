#include "memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernel/bf16.h"
#include "layers/patches.h"
#include "needs.h"
#include "tree.h"

size_t train_image_parts(const struct layer *l, int n)
{
    size_t parts = l->type == L_DENSE ? 4 : 32; /* a product of few rows is slow */
    return parts < (size_t)n ? parts : (size_t)n;
}

bool train_is_product(const struct layer *l)
{
    return l->type == L_DENSE || l->type == L_CONV;
}

bool train_is_plain(const struct layer *l)
{
    return l->type == L_DENSE || (l->type == L_CONV && k_is_pointwise(l));
}

enum train_sum train_sum_of(const struct layer *l, struct shape in, int batch)
{
    if (!train_is_product(l) || (l->type == L_CONV && l->groups > 1) || l->param[0].count <= 65536)
        return SUM_LEAVES;
    size_t images = (size_t)batch * (shape_count(in) + shape_count(l->shape));
    return images > l->param[0].count ? SUM_BLOCKS : SUM_WHOLE;
}

static size_t rounded_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

struct weight_blocks train_weight_blocks(const struct layer *l)
{
    enum { MOST = 256, LEAST = 64, BLOCKS = 16 };
    size_t units = (size_t)l->units, inputs = l->param[0].count / units;
    struct weight_blocks b = {.rows = MOST, .columns = MOST};
    for (;;) {
        b.down = rounded_up(inputs, b.rows);
        b.across = rounded_up(units, b.columns);
        if (b.down * b.across >= BLOCKS || (b.rows == LEAST && b.columns == LEAST))
            return b;
        if (b.rows >= b.columns)
            b.rows /= 2;
        else
            b.columns /= 2;
    }
}

/* Elements that a block has at most. */
static size_t block_room(const struct layer *l)
{
    enum { PANELS = 32 }; /* packed operands are cut between panels, of fewer rows than this */
    struct weight_blocks b = train_weight_blocks(l);
    return (b.rows + PANELS) * b.columns;
}

size_t train_params_span(const struct layer *l)
{
    if (l->nparam == 0)
        return 0;
    const struct param *last = &l->param[l->nparam - 1];
    return last->at + last->count - l->param[0].at;
}

enum act train_tail(const struct train_memory *p, int i)
{
    const struct layer *l = &p->net->layer[i];
    bool can = train_needs_of(l->type)->is & TRAIN_TAIL;
    int holder = p->use[i].holder;
    return can && holder != i ? k_act(p->net->layer[holder].type) : ACT_NONE;
}

/* --- Which layers take part ------------------------------------------------------------------- */

/* Layers that can be computed of the given ones, and those of them that depend on trained ones. */
static void find_roles(struct train_memory *p, const bool *train)
{
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        struct layer_use *d = &p->use[i];
        int known = 0;
        if (d->role == GIVEN)
            continue;
        for (int k = 0; k < l->nin; k++) {
            known += p->use[l->in[k]].role != ABSENT;
            d->flow = d->flow || p->use[l->in[k]].flow;
        }
        if (l->nin == 0 || known < l->nin)
            continue;
        d->role = COMPUTED;
        d->train = train[i] && l->nparam > 0;
        d->flow = d->flow || d->train;
    }
}

/* Gradients flow back from the ends alone. feeds[i] counts the layers, or the loss, that hand layer
   i a gradient, uses[i] those that read it. */
static void find_flow(struct train_memory *p, const int *ends, int nends, int *feeds, int *uses)
{
    for (int k = 0; k < nends; k++) {
        feeds[ends[k]]++;
        uses[ends[k]]++;
    }
    for (int i = p->net->n - 1; i >= 0; i--) {
        const struct layer *l = &p->net->layer[i];
        struct layer_use *d = &p->use[i];
        d->flow = d->flow && d->role == COMPUTED && feeds[i] > 0;
        d->train = d->train && d->flow;
        for (int k = 0; d->role == COMPUTED && k < l->nin; k++) {
            uses[l->in[k]]++;
            feeds[l->in[k]] += d->flow;
        }
    }
}

/* --- Fused runs ------------------------------------------------------------------------------- */

enum { RUN_WEIGHTS = 1 << 18 };

/* Whether layer i can be one of a fused run: it looks at one image at a time, and a gradient of its
   weights for each part of the batch costs little beside its outputs. */
static bool can_fuse(const struct train_memory *p, int i)
{
    const struct layer *l = &p->net->layer[i];
    return train_needs_of(l->type)->is & TRAIN_ONE_IMAGE && p->use[i].role == COMPUTED &&
           layer_params(l) <= shape_count(l->shape);
}

/* Takes layer i into a run, unless its weights would be too many then. */
static bool join(struct fused_run *run, const struct layer *l, int i)
{
    size_t at = l->nparam > 0 ? l->param[0].at : run->at;
    size_t span = l->nparam > 0 ? at + train_params_span(l) - run->at : run->span;
    if (run->span == 0) {
        run->at = at;
        span = train_params_span(l);
    }
    if (span > RUN_WEIGHTS)
        return false;
    run->span = span;
    run->last = i;
    return true;
}

/* A fused run goes on with a layer that alone reads the one before. */
static void find_runs(struct train_memory *p, const int *uses)
{
    struct fused_run *run = NULL;
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        p->use[i].run = -1;
        bool can = can_fuse(p, i),
             after = run != NULL && l->in[0] == run->last && uses[run->last] == 1;
        if (run != NULL && !(can && after && join(run, l, i)))
            run = NULL;
        if (run == NULL && can && p->use[i].below < 0) {
            run = &p->run[p->runs++];
            *run = (struct fused_run){.first = i};
            if (!join(run, l, i)) {
                p->runs--;
                run = NULL;
            }
        }
        if (run != NULL)
            p->use[i].run = p->runs - 1;
    }
    for (int i = 0; i < p->net->n; i++) {
        struct layer_use *d = &p->use[i];
        d->inner = d->run >= 0 && d->holder != p->run[d->run].last;
    }
}

/* --- bfloat16 --------------------------------------------------------------------------------- */

/* Of a layer that takes one kind alone, input and output go together. Returns whether it changed. */
static bool make_one_kind(struct train_memory *p, const struct layer *l, struct layer_use *d)
{
    struct layer_use *in = &p->use[l->in[0]];
    if (!(train_needs_of(l->type)->is & TRAIN_ONE_KIND) || in->bf16 == d->bf16)
        return false;
    in->bf16 = d->bf16 = false;
    return true;
}

/* An output is bfloat16 if its layer and all those that read it take that. */
static void find_bfloats(struct train_memory *p, const int *ends, int nends)
{
    bool changed = true;
    for (int i = 0; i < p->net->n; i++)
        p->use[i].bf16 = p->use[i].role == COMPUTED && train_takes_bfloats(&p->net->layer[i]);
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        for (int k = 0; p->use[i].role == COMPUTED && k < l->nin; k++)
            p->use[l->in[k]].bf16 = p->use[l->in[k]].bf16 && train_takes_bfloats(l);
    }
    for (int k = 0; k < nends; k++)
        p->use[ends[k]].bf16 = false;
    while (changed) {
        changed = false;
        for (int i = 0; i < p->net->n; i++)
            changed |=
                p->use[i].role == COMPUTED && make_one_kind(p, &p->net->layer[i], &p->use[i]);
    }
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* A relu takes the place of the layer right before it that it alone reads: its gradient follows
   from its output. */
static void find_holders(struct train_memory *p, const int *uses)
{
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        struct layer_use *d = &p->use[i];
        d->holder = i;
        d->below = d->slot = -1;
        if (d->role == COMPUTED && (train_needs_of(l->type)->is & TRAIN_IN_PLACE) &&
            l->in[0] == i - 1 && p->use[l->in[0]].role == COMPUTED &&
            p->use[l->in[0]].holder == l->in[0] && p->use[l->in[0]].below < 0 &&
            uses[l->in[0]] == 1) {
            d->below = l->in[0];
            p->use[l->in[0]].holder = i;
        }
    }
}

/* Gives layer i's output a slot for its gradient: of the free ones of its kind the smallest that is
   large enough, else the largest, which grows. */
static void take_slot(struct train_memory *p, int i, bool *taken)
{
    struct layer_use *d = &p->use[p->use[i].holder];
    struct gradient_slot *best = NULL;
    size_t need = shape_count(p->net->layer[i].shape);
    if (d->slot >= 0)
        return;
    for (struct gradient_slot *s = p->slot; s < p->slot + p->slots; s++) {
        if (taken[s - p->slot] || s->inner != d->inner || s->bf16 != d->bf16)
            continue;
        bool fits = s->count >= need;
        if (best == NULL || (fits ? best->count < need || s->count < best->count
                                  : best->count < need && s->count > best->count))
            best = s;
    }
    if (best == NULL) {
        best = &p->slot[p->slots++];
        best->inner = d->inner;
        best->bf16 = d->bf16;
    }
    if (best->count < need)
        best->count = need;
    d->slot = (int)(best - p->slot);
    assert(!taken[d->slot] && p->slots <= p->net->n);
    taken[d->slot] = true;
}

/* Its gradient has been handed on. */
static void leave_slot(const struct train_memory *p, int i, bool *taken)
{
    int slot = p->use[p->use[i].holder].slot;
    assert(slot >= 0 && taken[slot]);
    taken[slot] = false;
}

/* Follows the backward pass: a gradient lives from the first layer that hands it over to the layer
   whose output it belongs to; that of a fused run's last layer until that is done with all
   images. */
static void find_slots(struct train_memory *p, const int *ends, int nends, bool *taken)
{
    for (int k = 0; k < nends; k++) {
        if (p->use[ends[k]].flow)
            take_slot(p, ends[k], taken);
    }
    for (int i = p->net->n - 1; i >= 0; i--) {
        const struct layer *l = &p->net->layer[i];
        const struct layer_use *d = &p->use[i];
        for (int k = 0; d->flow && k < l->nin; k++) {
            if (p->use[l->in[k]].flow)
                take_slot(p, l->in[k], taken);
        }
        if (d->flow && d->below < 0 && (d->run < 0 || d->inner))
            leave_slot(p, i, taken);
        if (d->run < 0 || i > p->run[d->run].first)
            continue;
        int last = p->run[d->run].last;
        if (p->use[last].flow)
            leave_slot(p, last, taken);
    }
    for (int k = 0; k < p->slots; k++)
        assert(!taken[k]);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t train_rows_scratch(const struct layer *l, struct shape in)
{
    size_t rows = TRAIN_ROWS * (size_t)(in.c > l->units ? in.c : l->units);
    return k_is_pointwise(l) ? rows : larger(rows, shape_count(in));
}

static size_t element(bool bf16)
{
    return bf16 ? sizeof(bfloat) : sizeof(real);
}

/* Bytes at most of a layer's weights packed for products. */
static size_t packed_weights_bytes(const struct layer *l, bool back)
{
    if (l->type != L_CONV && l->type != L_DWCONV)
        return 0;
    size_t times = !back || l->type == L_DWCONV ? 1 : k_is_pointwise(l) ? 3 : 2;
    return times * l->param[0].count * sizeof(float);
}

/* What the images' operands of a product of weights' gradients take at once, packed: their widths
   are rounded up to panels of PANEL. */
static void packed_operands(const struct layer *l, enum train_sum sum, int batch, size_t bytes_each,
                            size_t *x, size_t *dy)
{
    enum { PANEL = 64 };
    size_t units = (size_t)l->units, inputs = l->param[0].count / units;
    size_t images = sum == SUM_WHOLE ? (size_t)batch : tree_leaves(batch) * tree_leaf_images(batch);
    size_t bytes = images * shape_count(l->shape) / units * bytes_each;
    *x = larger(*x, rounded_up(inputs, PANEL) * PANEL * bytes);
    *dy = larger(*dy, rounded_up(units, PANEL) * PANEL * bytes);
}

/* Scratch, and all bytes. */
static void add_up(struct train_memory *p, bool bf16, const int *feeds)
{
    size_t batch = (size_t)p->batch, reals = p->weights = p->net->nweights, bytes = 0;
    size_t packed_x = 0, packed_dy = 0;
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        const struct layer_use *d = &p->use[i];
        size_t count = shape_count(l->shape);
        if (d->role == ABSENT)
            continue;
        if (d->holder == i)
            bytes += batch * count * element(d->bf16);
        if (d->flow && feeds[i] > 1)
            p->extra = larger(p->extra, count);
        if (d->role == GIVEN)
            continue;
        struct shape in = p->net->layer[l->in[0]].shape;
        const struct train_needs *needs = train_needs_of(l->type);
        if (needs->scratch != NULL)
            p->patch = larger(p->patch, needs->scratch(l, in));
        if (l->type == L_CONV && (d->bf16 || p->use[l->in[0]].bf16))
            p->patch = larger(p->patch, 2 * k_conv_scratch(l, in) + train_rows_scratch(l, in));
        if (l->type == L_DWCONV)
            p->zeros = larger(p->zeros, (size_t)in.w * (size_t)in.c);
        enum train_sum sum = train_sum_of(l, in, p->batch);
        if (d->run < 0 && sum == SUM_LEAVES)
            p->part = larger(p->part, tree_leaves(p->batch) * train_params_span(l));
        else if (d->run < 0 && d->train && sum == SUM_BLOCKS)
            p->block = larger(p->block, block_room(l));
        if (d->run < 0 && d->train && sum != SUM_LEAVES && train_is_plain(l))
            packed_operands(l, sum, p->batch, element(bf16 && l->type == L_CONV), &packed_x,
                            &packed_dy);
        bytes += train_kept(l, p->batch) + packed_weights_bytes(l, p->use[l->in[0]].flow);
    }
    bytes += packed_x + packed_dy;
    for (const struct fused_run *run = p->run; run < p->run + p->runs; run++)
        p->part = larger(p->part, tree_leaves(p->batch) * run->span);
    for (int k = 0; k < p->slots; k++)
        bytes += (p->slot[k].inner ? (size_t)p->jobs : batch) * p->slot[k].count *
                 element(p->slot[k].bf16);
    reals += (size_t)p->jobs * (p->patch + TREE_ROOTS * p->block) + p->part + batch * p->extra +
             p->zeros;
    p->bytes = bytes + reals * sizeof(real);
}

int train_memory_make(struct train_memory *p, const struct net *net, const bool *train,
                      const int *given, int ngiven, const int *ends, int nends, int batch, int jobs,
                      bool bf16)
{
    size_t n = (size_t)net->n;
    *p = (struct train_memory){.net = net, .batch = batch, .jobs = jobs};
    p->use = calloc(n, sizeof *p->use);
    p->slot = calloc(n + 1, sizeof *p->slot);
    p->run = calloc(n + 1, sizeof *p->run);
    int *feeds = calloc(n, sizeof *feeds), *uses = calloc(n, sizeof *uses);
    bool *taken = calloc(n + 1, sizeof *taken);
    int rc = 0;
    if (p->use == NULL || p->slot == NULL || p->run == NULL || feeds == NULL || uses == NULL ||
        taken == NULL) {
        rc = MIEN_ERR_MEM;
        goto out;
    }
    for (int k = 0; k < ngiven; k++)
        p->use[given[k]].role = GIVEN;
    find_roles(p, train);
    find_flow(p, ends, nends, feeds, uses);
    if (bf16)
        find_bfloats(p, ends, nends);
    find_holders(p, uses);
    find_runs(p, uses);
    find_slots(p, ends, nends, taken);
    add_up(p, bf16, feeds);
out:
    free(feeds);
    free(uses);
    free(taken);
    return rc;
}

void train_memory_free(struct train_memory *p)
{
    free(p->use);
    free(p->slot);
    free(p->run);
    *p = (struct train_memory){0};
}
