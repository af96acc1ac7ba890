#include "trainer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "exchange.h"
#include "needs.h"
#include "products.h"
#include "trainer_state.h"

#include "util/aligned.h"

static int take_state(struct trainer *t, int i)
{
    const struct layer *l = &t->net->layer[i];
    const struct layer_use *plan = &t->memory.use[i];
    struct layer_state *d = &t->state[i];
    size_t count = (size_t)t->memory.batch * shape_count(l->shape);
    if (plan->holder == i) {
        void *at = aligned_new(count, plan->bf16 ? sizeof *d->act.h : sizeof *d->act.f);
        if (at == NULL)
            return MIEN_ERR_MEM;
        d->act = reals_of(at, plan->bf16);
    }
    if (plan->role == GIVEN)
        return 0;
    size_t bytes = train_kept(l, t->memory.batch);
    if (bytes > 0 && (d->kept = aligned_new(bytes, 1)) == NULL)
        return MIEN_ERR_MEM;
    return 0;
}

/* What passes write before they read it isn't cleared: its pages are taken by the first batch. */
static int take_memory(struct trainer *t)
{
    const struct train_memory *p = &t->memory;
    size_t batch = (size_t)p->batch;
    t->state = calloc((size_t)t->net->n, sizeof *t->state);
    t->slot = calloc((size_t)p->slots + 1, sizeof *t->slot);
    t->scratch = calloc((size_t)p->jobs, sizeof *t->scratch);
    t->packing = calloc((size_t)p->jobs, sizeof *t->packing);
    t->part = aligned_new(p->part, sizeof *t->part);
    t->extra = aligned_new(batch * p->extra, sizeof *t->extra);
    t->zeros = aligned_zeros(p->zeros, sizeof *t->zeros);
    t->grad = aligned_zeros(p->weights, sizeof *t->grad);
    if (t->state == NULL || t->slot == NULL || t->scratch == NULL || t->packing == NULL ||
        t->part == NULL || t->extra == NULL || t->zeros == NULL || t->grad == NULL)
        return MIEN_ERR_MEM;
    for (int k = 0; k < p->slots; k++) {
        size_t images = p->slot[k].inner ? (size_t)p->jobs : batch;
        size_t size = p->slot[k].bf16 ? sizeof(bfloat) : sizeof(real);
        if ((t->slot[k] = aligned_new(images * p->slot[k].count, size)) == NULL)
            return MIEN_ERR_MEM;
    }
    for (int i = 0; i < t->net->n; i++) {
        if (p->use[i].role != ABSENT && take_state(t, i) < 0)
            return MIEN_ERR_MEM;
    }
    for (int i = 0; i < t->net->n; i++) {
        const struct layer_use *holder = &p->use[p->use[i].holder];
        t->state[i].act = t->state[p->use[i].holder].act;
        if (!p->use[i].flow)
            continue;
        assert(holder->slot >= 0 &&
               p->slot[holder->slot].count >= shape_count(t->net->layer[i].shape));
        t->state[i].dact = reals_of(t->slot[holder->slot], holder->bf16);
    }
    return 0;
}

static bool in_bf16(const struct trainer *t)
{
    return t->kernels.conv != NULL && t->kernels.conv->bf16;
}

/* What computes layer i: in bfloat16 a convolution's products have packed weights, in float those
   that fast_conv.h doesn't do. */
static int take_kernels(struct trainer *t, int i)
{
    const struct layer *l = &t->net->layer[i];
    struct layer_state *d = &t->state[i];
    bool back = t->memory.use[l->in[0]].flow, conv = l->type == L_CONV, bf16 = in_bf16(t);
    int rc = 0;
    if (conv && l->groups == 1 && t->kernels.conv != NULL)
        rc = packed_weights_make(&d->packed, t->kernels.conv, l, bf16,
                                 back && (bf16 || !k_is_pointwise(l)));
    if (rc == 0 && !(conv && bf16))
        rc = fast_conv_make(&d->fast, &t->arena, t->kernels.simd, l, t->net->layer[l->in[0]].shape,
                            train_tail(&t->memory, i), back, t->memory.use[i].bf16);
    return rc;
}

/* What computes the layers, and scratch. */
static int take_scratch(struct trainer *t, enum train_precision precision, struct mien_err *e)
{
    size_t bytes = t->memory.patch * sizeof(real), packing = 0;
    struct train_kernels *k = &t->kernels;
    if (train_kernels_choose(k, precision, e) < 0)
        return MIEN_ERR_ARG;
    if (sizeof(real) != sizeof(float))
        k->conv = k->other = NULL;
    for (int i = 0; sizeof(real) == sizeof(float) && i < t->net->n; i++) {
        if (t->memory.use[i].role != COMPUTED)
            continue;
        if (take_kernels(t, i) < 0)
            return mien_err_mem(e, bytes, "training");
        size_t need = fast_conv_scratch(&t->state[i].fast);
        bytes = need > bytes ? need : bytes;
    }
    if (t->kernels.other != NULL) {
        size_t one = gemm_scratch(t->kernels.other), other = gemm_scratch(t->kernels.conv);
        packing = one > other ? one : other;
    }
    if (blocks_make(t) < 0)
        return mien_err_mem(e, bytes, "training");
    for (int j = 0; j < t->memory.jobs; j++) {
        t->scratch[j] = aligned_new(bytes, 1);
        t->packing[j] = aligned_new(packing, sizeof **t->packing);
        if (t->scratch[j] == NULL || t->packing[j] == NULL)
            return mien_err_mem(e, bytes + packing * sizeof **t->packing, "training");
    }
    return 0;
}

struct trainer *trainer_new(const struct net *net, real *w, const bool *train, const int *given,
                            int ngiven, const int *ends, int nends, int batch,
                            enum train_precision precision, struct par *par, struct ranks *ranks,
                            struct mien_err *e)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        mien_err_mem(e, sizeof *t, "training");
        return NULL;
    }
    *t = (struct trainer){
        .net = net, .w = w, .ends = ends, .nends = nends, .par = par, .ranks = ranks};
    if (train_memory_make(&t->memory, net, train, given, ngiven, ends, nends, batch, par_size(par),
                          precision == TRAIN_BF16) < 0 ||
        take_memory(t) < 0) {
        mien_err_mem(e, t->memory.bytes, "training: try a smaller batch");
        trainer_free(t);
        return NULL;
    }
    if (take_scratch(t, precision, e) < 0 || exchange_make(t, e) < 0) {
        trainer_free(t);
        return NULL;
    }
    openblas_set_num_threads(1);
    return t;
}

void trainer_free(struct trainer *t)
{
    if (t == NULL)
        return;
    for (int i = 0; t->state != NULL && i < t->net->n; i++) {
        if (t->memory.use[i].holder == i)
            free(reals_at(t->state[i].act));
        free(t->state[i].kept);
        fast_conv_free(&t->state[i].fast);
        packed_weights_free(&t->state[i].packed);
    }
    for (int j = 0; t->scratch != NULL && j < t->memory.jobs; j++)
        free(t->scratch[j]);
    for (int k = 0; t->slot != NULL && k < t->memory.slots; k++)
        free(t->slot[k]);
    for (int j = 0; t->packing != NULL && j < t->memory.jobs; j++)
        free(t->packing[j]);
    arena_free(&t->arena);
    free(t->scratch);
    free(t->packing);
    blocks_free(t);
    exchange_free(t->exchange);
    free(t->slot);
    free(t->state);
    free(t->part);
    free(t->extra);
    free(t->zeros);
    free(t->grad);
    train_memory_free(&t->memory);
    free(t);
}

real *trainer_act(struct trainer *t, int layer)
{
    assert(layer < 0 || t->state[layer].act.h == NULL);
    return layer < 0 ? NULL : t->state[layer].act.f;
}

real *trainer_dact(struct trainer *t, int layer)
{
    return layer < 0 ? NULL : t->state[layer].dact.f;
}

real *trainer_grad(struct trainer *t)
{
    return t->grad;
}

bool trainer_trains(const struct trainer *t, int layer)
{
    return t->memory.use[layer].train;
}
