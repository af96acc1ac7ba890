#include "trainer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
    if (plan->holder == i && (d->act = aligned_zeros(count, sizeof *d->act)) == NULL)
        return MIEN_ERR_MEM;
    if (plan->role == GIVEN)
        return 0;
    size_t bytes = train_kept(l, t->memory.batch);
    if (bytes > 0 && (d->kept = aligned_zeros(bytes, 1)) == NULL)
        return MIEN_ERR_MEM;
    return 0;
}

/* Memory is first touched here, not in the first batch. */
static int take_memory(struct trainer *t)
{
    const struct train_memory *p = &t->memory;
    size_t batch = (size_t)p->batch;
    t->state = calloc((size_t)t->net->n, sizeof *t->state);
    t->slot = calloc((size_t)p->slots + 1, sizeof *t->slot);
    t->scratch = calloc((size_t)p->jobs, sizeof *t->scratch);
    t->part = aligned_zeros(p->part, sizeof *t->part);
    t->extra = aligned_zeros(batch * p->extra, sizeof *t->extra);
    t->zeros = aligned_zeros(p->zeros, sizeof *t->zeros);
    t->grad = aligned_zeros(p->weights, sizeof *t->grad);
    if (t->state == NULL || t->slot == NULL || t->scratch == NULL || t->part == NULL ||
        t->extra == NULL || t->zeros == NULL || t->grad == NULL)
        return MIEN_ERR_MEM;
    for (int k = 0; k < p->slots; k++) {
        size_t images = p->slot[k].inner ? (size_t)p->jobs : batch;
        if ((t->slot[k] = aligned_zeros(images * p->slot[k].count, sizeof **t->slot)) == NULL)
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
        t->state[i].dact = t->slot[holder->slot];
    }
    return 0;
}

/* Fast convolutions, and scratch. */
static int take_scratch(struct trainer *t, struct mien_err *e)
{
    size_t bytes = t->memory.patch * sizeof(real);
    const struct simd *simd = simd_choose(e);
    if (simd == NULL)
        return MIEN_ERR_ARG;
    for (int i = 0; sizeof(real) == sizeof(float) && i < t->net->n; i++) {
        const struct layer *l = &t->net->layer[i];
        const struct layer_use *d = &t->memory.use[i];
        if (d->role != COMPUTED)
            continue;
        if (fast_conv_make(&t->state[i].fast, simd, l, t->net->layer[l->in[0]].shape,
                           train_tail(&t->memory, i), t->memory.use[l->in[0]].flow) < 0)
            return mien_err_mem(e, bytes, "training");
        size_t need = fast_conv_scratch(&t->state[i].fast);
        bytes = need > bytes ? need : bytes;
    }
    for (int j = 0; j < t->memory.jobs; j++) {
        if ((t->scratch[j] = aligned_zeros(bytes, 1)) == NULL)
            return mien_err_mem(e, bytes, "training");
    }
    return 0;
}

struct trainer *trainer_new(const struct net *net, real *w, const bool *train, const int *given,
                            int ngiven, const int *ends, int nends, int batch, struct par *par,
                            struct mien_err *e)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        mien_err_mem(e, sizeof *t, "training");
        return NULL;
    }
    *t = (struct trainer){.net = net, .w = w, .ends = ends, .nends = nends, .par = par};
    if (train_memory_make(&t->memory, net, train, given, ngiven, ends, nends, batch,
                          par_size(par)) < 0 ||
        take_memory(t) < 0) {
        mien_err_mem(e, t->memory.bytes, "training: try a smaller batch");
        trainer_free(t);
        return NULL;
    }
    if (take_scratch(t, e) < 0) {
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
            free(t->state[i].act);
        free(t->state[i].kept);
        fast_conv_free(&t->state[i].fast);
    }
    for (int j = 0; t->scratch != NULL && j < t->memory.jobs; j++)
        free(t->scratch[j]);
    for (int k = 0; t->slot != NULL && k < t->memory.slots; k++)
        free(t->slot[k]);
    free(t->scratch);
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
    return layer < 0 ? NULL : t->state[layer].act;
}

real *trainer_dact(struct trainer *t, int layer)
{
    return layer < 0 ? NULL : t->state[layer].dact;
}

real *trainer_grad(struct trainer *t)
{
    return t->grad;
}

bool trainer_trains(const struct trainer *t, int layer)
{
    return t->memory.use[layer].train;
}
