#include "train.h"

#include <stdlib.h>
#include <string.h>

#include "products.h"
#include "train_state.h"

/* Memory is first touched here, not in the first batch. */
static void *claim(size_t count, size_t size)
{
    size_t bytes = (count * size + 63) & ~(size_t)63;
    void *p = aligned_alloc(64, bytes > 0 ? bytes : 64);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

static int claim_node(struct trainer *t, int i)
{
    const struct layer *l = &t->net->layer[i];
    const struct train_node *plan = &t->plan.node[i];
    struct node *d = &t->node[i];
    size_t count = (size_t)t->plan.batch * shape_count(l->shape);
    if (plan->holder == i && (d->act = claim(count, sizeof *d->act)) == NULL)
        return ERR_MEM;
    if (plan->role == GIVEN)
        return 0;
    if (l->type == L_MAXPOOL && (d->which = claim(count, sizeof *d->which)) == NULL)
        return ERR_MEM;
    if (l->type == L_DROPOUT && (d->keep = claim(count, 1)) == NULL)
        return ERR_MEM;
    if (l->type == L_BN && (d->stat = claim(4 * (size_t)l->shape.c, sizeof *d->stat)) == NULL)
        return ERR_MEM;
    return 0;
}

static int claim_all(struct trainer *t)
{
    const struct train_plan *p = &t->plan;
    size_t batch = (size_t)p->batch;
    t->node = calloc((size_t)t->net->n, sizeof *t->node);
    t->slot = calloc((size_t)p->slots + 1, sizeof *t->slot);
    t->scratch = calloc((size_t)p->jobs, sizeof *t->scratch);
    t->part = claim(p->part, sizeof *t->part);
    t->extra = claim(batch * p->extra, sizeof *t->extra);
    t->zeros = claim(p->zeros, sizeof *t->zeros);
    t->grad = claim(p->weights, sizeof *t->grad);
    if (t->node == NULL || t->slot == NULL || t->scratch == NULL || t->part == NULL ||
        t->extra == NULL || t->zeros == NULL || t->grad == NULL)
        return ERR_MEM;
    for (int k = 0; k < p->slots; k++) {
        size_t images = p->slot[k].inner ? (size_t)p->jobs : batch;
        if ((t->slot[k] = claim(images * p->slot[k].count, sizeof **t->slot)) == NULL)
            return ERR_MEM;
    }
    for (int i = 0; i < t->net->n; i++) {
        if (p->node[i].role != ABSENT && claim_node(t, i) < 0)
            return ERR_MEM;
    }
    for (int i = 0; i < t->net->n; i++) {
        const struct train_node *holder = &p->node[p->node[i].holder];
        t->node[i].act = t->node[p->node[i].holder].act;
        if (p->node[i].flow)
            t->node[i].dact = t->slot[holder->slot];
    }
    return 0;
}

/* Quick forms of layers, and scratch. */
static int claim_scratch(struct trainer *t, struct err *e)
{
    size_t bytes = t->plan.patch * sizeof(real);
    const struct simd *simd = simd_choose(e);
    if (simd == NULL)
        return ERR_ARG;
    for (int i = 0; sizeof(real) == sizeof(float) && i < t->net->n; i++) {
        const struct layer *l = &t->net->layer[i];
        const struct train_node *d = &t->plan.node[i];
        if (d->role != COMPUTED)
            continue;
        if (quick_make(&t->node[i].quick, simd, l, t->net->layer[l->in[0]].shape, train_tail(&t->plan, i),
                       t->plan.node[l->in[0]].flow) < 0)
            return err_mem(e, bytes, "training");
        size_t need = quick_scratch(&t->node[i].quick);
        bytes = need > bytes ? need : bytes;
    }
    for (int j = 0; j < t->plan.jobs; j++) {
        if ((t->scratch[j] = claim(bytes, 1)) == NULL)
            return err_mem(e, bytes, "training");
    }
    return 0;
}

struct trainer *trainer_new(const struct net *net, real *w, const bool *train, const int *given,
                            int ngiven, const int *ends, int nends, int batch, struct par *par,
                            struct err *e)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        err_mem(e, sizeof *t, "training");
        return NULL;
    }
    *t = (struct trainer){.net = net, .w = w, .ends = ends, .nends = nends, .par = par};
    if (train_plan_make(&t->plan, net, train, given, ngiven, ends, nends, batch, par_size(par)) < 0 ||
        claim_all(t) < 0) {
        err_mem(e, t->plan.bytes, "training: try a smaller batch");
        trainer_free(t);
        return NULL;
    }
    if (claim_scratch(t, e) < 0) {
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
    for (int i = 0; t->node != NULL && i < t->net->n; i++) {
        if (t->plan.node[i].holder == i)
            free(t->node[i].act);
        free(t->node[i].which);
        free(t->node[i].keep);
        free(t->node[i].stat);
        quick_free(&t->node[i].quick);
    }
    for (int j = 0; t->scratch != NULL && j < t->plan.jobs; j++)
        free(t->scratch[j]);
    for (int k = 0; t->slot != NULL && k < t->plan.slots; k++)
        free(t->slot[k]);
    free(t->scratch);
    free(t->slot);
    free(t->node);
    free(t->part);
    free(t->extra);
    free(t->zeros);
    free(t->grad);
    train_plan_free(&t->plan);
    free(t);
}

real *trainer_act(struct trainer *t, int layer)
{
    return layer < 0 ? NULL : t->node[layer].act;
}

real *trainer_dact(struct trainer *t, int layer)
{
    return layer < 0 ? NULL : t->node[layer].dact;
}

real *trainer_grad(struct trainer *t)
{
    return t->grad;
}

bool trainer_trains(const struct trainer *t, int layer)
{
    return t->plan.node[layer].train;
}
