/* A trainer's backward pass. */
#include <assert.h>
#include <string.h>

#include "blocks.h"
#include "exchange.h"
#include "op.h"

static void backward_images(struct trainer *t, int i, size_t first, size_t n, int worker,
                            struct reals dy, struct reals dx, real *dw)
{
    const struct images v = pass_images(t, i, first, n, worker);
    const struct param *p = v.l->param;
    real *db = dw != NULL && v.l->nparam > 1 ? dw + (p[1].at - p[0].at) : NULL;
    const struct gradients g = {dy.f, dx.f, dw, db, dy, dx};
    train_op_of(v.l->type)->backward(t, &v, &g);
}

/* --- Gradients of outputs ------------------------------------------------------------------- */

/* That of layer i's output, (.., h, w, c) from image `first` on; within a fused run, this worker's
   (1, h, w, c). */
static struct reals gradient_of(const struct trainer *t, int i, size_t first, int worker)
{
    const struct train_memory *p = &t->memory;
    if (p->use[i].inner)
        return reals_from(t->state[i].dact,
                          (size_t)worker * p->slot[p->use[p->use[i].holder].slot].count);
    return reals_from(t->state[i].dact, first * shape_count(t->net->layer[i].shape));
}

struct reals pass_destination(struct trainer *t, int in)
{
    const struct layer_state *d = &t->state[in];
    if (!t->memory.use[in].flow)
        return (struct reals){NULL, NULL};
    assert(!d->ready || shape_count(t->net->layer[in].shape) <= t->memory.extra);
    return d->ready ? reals_like(d->dact, t->extra) : d->dact;
}

/* The first one is already in place, further ones are added. */
void pass_deliver(struct trainer *t, int in, struct reals dx)
{
    struct layer_state *d = &t->state[in];
    size_t n = (size_t)t->n * shape_count(t->net->layer[in].shape);
    bool there = reals_at(dx) == reals_at(d->dact);
    assert(reals_size(dx) == reals_size(d->dact));
    if (!there && d->ready && dx.h != NULL)
        bf16_add(d->dact.h, dx.h, n);
    else if (!there && d->ready)
        k_add(d->dact.f, dx.f, n);
    else if (!there)
        memcpy(reals_at(d->dact), reals_at(dx), n * reals_size(dx));
    d->ready = true;
}

/* --- One layer ------------------------------------------------------------------------------ */

/* One part of the current layer, whose first input's gradient goes to t->dx, and those of its
   parameters, with t->part_len > 0, to t->part. */
static void backward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    size_t icount = shape_count(t->net->layer[t->net->layer[t->cur].in[0]].shape);
    backward_images(t, t->cur, first, n, worker, gradient_of(t, t->cur, first, worker),
                    reals_from(t->dx, first * icount),
                    t->part_len > 0 ? t->part + k * t->part_len : NULL);
}

void pass_input_part(struct trainer *t, int worker, size_t k)
{
    backward_part(t, worker, k);
}

void pass_input_gradient(struct trainer *t)
{
    t->part_len = 0;
    if (reals_there(t->dx))
        pass_over_parts(t, backward_part);
}

/* Hands on the sums that pass_sum_leaves left, of the gradient from element `at` on: to t->grad, or
   on their way there. */
static void take_sums(struct trainer *t, size_t at)
{
    struct tree roots = pass_roots(t);
    const real *root[TREE_ROOTS] = {NULL};
    assert(roots.n <= TREE_ROOTS);
    assert(roots.n == 1 || t->exchange != NULL); /* a process may have none of the batch */
    for (int r = 0; r < roots.n; r++)
        root[r] = pass_root(t, &roots.node[r]);
    if (t->exchange != NULL)
        exchange_sums(t, root, at, t->part_len);
    else
        memcpy(t->grad + at, root[0], t->part_len * sizeof *t->grad);
}

/* Input t->input of one part of the current layer, whose gradient goes to t->dx. */
static void input_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    const struct images v = pass_images(t, t->cur, first, n, worker);
    size_t count = shape_count(t->net->layer[v.l->in[t->input]].shape);
    train_op_of(v.l->type)->backward_input(t, &v, t->input, gradient_of(t, t->cur, first, worker).f,
                                           t->dx.f + first * count);
}

/* A layer of several inputs. */
static void backward_join(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    bool hands_on = train_op_of(l->type)->hands_on;
    for (t->input = 0; t->input < l->nin; t->input++) {
        int in = l->in[t->input];
        const struct reals dy = t->state[t->cur].dact;
        t->dx = pass_destination(t, in);
        if (!reals_there(t->dx))
            continue;
        bool same = shape_count(t->net->layer[in].shape) == shape_count(l->shape);
        if (!hands_on || !same)
            pass_over_parts(t, input_part);
        pass_deliver(t, in, hands_on && same ? dy : t->dx);
    }
}

static void backward_layer(struct trainer *t)
{
    const struct layer *l = &t->net->layer[t->cur];
    const struct train_op *op = train_op_of(l->type);
    if (op->backward_batch != NULL) {
        op->backward_batch(t);
        return;
    }
    if (l->nin > 1) {
        backward_join(t);
        return;
    }
    struct shape in = t->net->layer[l->in[0]].shape;
    t->dx = pass_destination(t, l->in[0]);
    if (!t->memory.use[t->cur].train) {
        pass_input_gradient(t);
    } else if (train_sum_of(l, in, t->memory.batch) != SUM_LEAVES) {
        blocks_backward(t);
    } else {
        pass_sum_leaves(t, backward_part, train_params_span(l));
        take_sums(t, l->param[0].at);
    }
    if (reals_there(t->dx))
        pass_deliver(t, l->in[0], t->dx);
}

/* --- A fused run ---------------------------------------------------------------------------- */

/* Layer i of the current fused run, for one image; sums (span): this part's gradients. */
static void backward_fused_image(struct trainer *t, const struct fused_run *run, int i,
                                 size_t image, int worker, real *sums)
{
    const struct layer *l = &t->net->layer[i];
    bool train = t->memory.use[i].train;
    struct reals dx = {NULL, NULL};
    if (i > run->first && t->memory.use[i - 1].flow)
        dx = gradient_of(t, i - 1, image, worker);
    else if (i == run->first)
        dx = reals_from(t->dx, image * shape_count(t->net->layer[l->in[0]].shape));
    if (train || reals_there(dx))
        backward_images(t, i, image, 1, worker, gradient_of(t, i, image, worker), dx,
                        train ? sums + (l->param[0].at - run->at) : NULL);
}

static void backward_fused_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    real *sums = t->part + k * t->part_len;
    size_t first, n;
    pass_part(t, k, &first, &n);
    for (size_t image = first; image < first + n; image++) {
        for (int i = run->last; i >= run->first && t->memory.use[i].flow; i--)
            backward_fused_image(t, run, i, image, worker, sums);
    }
}

static void backward_fused_run(struct trainer *t)
{
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    int in = t->net->layer[run->first].in[0];
    assert(t->cur == run->last);
    t->dx = pass_destination(t, in);
    pass_sum_leaves(t, backward_fused_part, run->span);
    if (run->span > 0)
        take_sums(t, run->at);
    if (reals_there(t->dx))
        pass_deliver(t, in, t->dx);
    t->cur = run->first;
}

/* --- The pass ------------------------------------------------------------------------------- */

void trainer_backward(struct trainer *t, int n)
{
    assert(n == t->n); /* what trainer_forward kept is of these images */
    for (int i = 0; i < t->net->n; i++)
        t->state[i].ready = false;
    for (int k = 0; k < t->nends; k++)
        t->state[t->ends[k]].ready = true;
    exchange_begin(t);
    for (t->cur = t->net->n - 1; t->cur >= 0; t->cur--) {
        const struct layer_use *d = &t->memory.use[t->cur];
        if (!d->flow)
            continue;
        assert(t->state[t->cur].ready); /* every layer that reads it has delivered */
        exchange_progress(t);
        if (d->run >= 0)
            backward_fused_run(t);
        else
            backward_layer(t);
    }
    exchange_finish(t);
}
