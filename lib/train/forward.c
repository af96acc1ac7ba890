/* A trainer's forward pass. */
#include <assert.h>

#include "exchange.h"
#include "op.h"

/* Packs the weights of layer i for its fast convolution and its products. In double, where pointers
   are of another type, no layer has one: hence void here and below. */
static void pack_weights(void *ctx, int worker, size_t i)
{
    const struct trainer *t = ctx;
    const struct layer *l = &t->net->layer[i];
    struct fast_conv *f = &t->state[i].fast;
    const void *w = pass_param(t, l, 0), *bias = pass_param(t, l, 1);
    (void)worker;
    if (!t->memory.use[i].train && t->fresh)
        return;
    if (f->simd != NULL)
        fast_conv_weights(f, w, bias);
    if (t->state[i].packed.own != NULL)
        packed_weights_set(&t->state[i].packed, l, w);
}

static void forward_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    size_t first, n;
    pass_part(t, k, &first, &n);
    const struct images v = pass_images(t, t->cur, first, n, worker);
    train_op_of(v.l->type)->forward(t, &v);
}

/* Whether the layer before has already stored what layer i makes of it. */
static bool is_done(const struct trainer *t, int i)
{
    int below = t->memory.use[i].below;
    return below >= 0 && train_tail(&t->memory, below) != ACT_NONE;
}

/* A part of the current fused run, image by image. */
static void forward_fused_part(void *ctx, int worker, size_t k)
{
    struct trainer *t = ctx;
    const struct fused_run *run = &t->memory.run[t->memory.use[t->cur].run];
    size_t first, n;
    pass_part(t, k, &first, &n);
    for (size_t image = first; image < first + n; image++) {
        for (int i = run->first; i <= run->last; i++) {
            const struct images v = pass_images(t, i, image, 1, worker);
            if (!is_done(t, i))
                train_op_of(v.l->type)->forward(t, &v);
        }
    }
}

void trainer_forward(struct trainer *t, int n, bool training, uint64_t seed)
{
    assert(n >= 1 && n <= t->memory.batch);
    t->n = n;
    exchange_share(t);
    t->training = training;
    t->seed = seed;
    par_for(t->par, (size_t)t->net->n, pack_weights, t);
    t->fresh = true;
    for (t->cur = 0; t->cur < t->net->n; t->cur++) {
        const struct layer_use *d = &t->memory.use[t->cur];
        if (d->run >= 0) {
            pass_over_parts(t, forward_fused_part);
            t->cur = t->memory.run[d->run].last;
            continue;
        }
        if (d->role != COMPUTED || is_done(t, t->cur))
            continue;
        const struct train_op *op = train_op_of(t->net->layer[t->cur].type);
        if (op->before != NULL)
            op->before(t);
        pass_over_parts(t, forward_part);
    }
}
