#include "train_plan.h"

#include <stdint.h>
#include <stdlib.h>

/* Four million elements of gradients at most, two to sixteen parts. */
size_t train_parts(const struct layer *l, int n)
{
    size_t params = layer_params(l), parts = 16;
    if (l->type == L_DENSE)
        parts = 4; /* a product of few rows is slow */
    while (parts > 2 && parts * params > (size_t)4 << 20)
        parts /= 2;
    return parts < (size_t)n ? parts : (size_t)n;
}

bool train_by_rows(const struct layer *l)
{
    bool plain = l->type == L_DENSE || (l->type == L_CONV && k_is_pointwise(l));
    return plain && l->param[0].count >= 65536;
}

size_t train_params_span(const struct layer *l)
{
    if (l->nparam == 0)
        return 0;
    const struct param *last = &l->param[l->nparam - 1];
    return last->at + last->count - l->param[0].at;
}

enum act train_tail(const struct train_plan *p, int i)
{
    const struct layer *l = &p->net->layer[i];
    bool can = l->type == L_CONV || l->type == L_DWCONV || l->type == L_DENSE;
    int holder = p->node[i].holder;
    return can && holder != i ? k_act(p->net->layer[holder].type) : ACT_NONE;
}

/* --- Which layers take part ------------------------------------------------------------------- */

/* Layers that can be computed of the given ones, and those of them that depend on trained ones. */
static void find_roles(struct train_plan *p, const bool *train)
{
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        struct train_node *d = &p->node[i];
        int known = 0;
        if (d->role == GIVEN)
            continue;
        for (int k = 0; k < l->nin; k++) {
            known += p->node[l->in[k]].role != ABSENT;
            d->flow = d->flow || p->node[l->in[k]].flow;
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
static void find_flow(struct train_plan *p, const int *ends, int nends, int *feeds, int *uses)
{
    for (int k = 0; k < nends; k++) {
        feeds[ends[k]]++;
        uses[ends[k]]++;
    }
    for (int i = p->net->n - 1; i >= 0; i--) {
        const struct layer *l = &p->net->layer[i];
        struct train_node *d = &p->node[i];
        d->flow = d->flow && d->role == COMPUTED && feeds[i] > 0;
        d->train = d->train && d->flow;
        for (int k = 0; d->role == COMPUTED && k < l->nin; k++) {
            uses[l->in[k]]++;
            feeds[l->in[k]] += d->flow;
        }
    }
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* A relu takes the place of the layer that it alone reads: its gradient follows from its output. */
static void find_holders(struct train_plan *p, const int *uses)
{
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        struct train_node *d = &p->node[i];
        d->holder = i;
        d->below = d->slot = -1;
        if (d->role == COMPUTED && (l->type == L_RELU || l->type == L_RELU6) &&
            p->node[l->in[0]].role == COMPUTED && p->node[l->in[0]].holder == l->in[0] &&
            p->node[l->in[0]].below < 0 && uses[l->in[0]] == 1) {
            d->below = l->in[0];
            p->node[l->in[0]].holder = i;
        }
    }
}

/* Gives layer i's output a slot for its gradient: of the free ones the smallest that is large
   enough, else the largest, which grows. */
static void take_slot(struct train_plan *p, int i, bool *taken)
{
    struct train_node *d = &p->node[p->node[i].holder];
    size_t need = shape_count(p->net->layer[i].shape);
    int best = -1;
    if (d->slot >= 0)
        return;
    for (int k = 0; k < p->slots; k++) {
        if (taken[k])
            continue;
        bool fits = p->slot[k] >= need;
        if (best < 0 || (fits ? p->slot[best] < need || p->slot[k] < p->slot[best]
                              : p->slot[best] < need && p->slot[k] > p->slot[best]))
            best = k;
    }
    if (best < 0)
        best = p->slots++;
    if (p->slot[best] < need)
        p->slot[best] = need;
    taken[best] = true;
    d->slot = best;
}

/* Follows the backward pass: a gradient lives from the first layer that hands it over to the layer
   whose output it belongs to. */
static void find_slots(struct train_plan *p, const int *ends, int nends, bool *taken)
{
    for (int k = 0; k < nends; k++) {
        if (p->node[ends[k]].flow)
            take_slot(p, ends[k], taken);
    }
    for (int i = p->net->n - 1; i >= 0; i--) {
        const struct layer *l = &p->net->layer[i];
        const struct train_node *d = &p->node[i];
        for (int k = 0; d->flow && k < l->nin; k++) {
            if (p->node[l->in[k]].flow)
                take_slot(p, l->in[k], taken);
        }
        if (d->flow && d->below < 0)
            taken[p->node[d->holder].slot] = false;
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Scratch, and all bytes. */
static void add_up(struct train_plan *p, const int *feeds)
{
    size_t batch = (size_t)p->batch, reals = p->weights = p->net->nweights, bytes = 0;
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        const struct train_node *d = &p->node[i];
        size_t count = shape_count(l->shape);
        if (d->role == ABSENT)
            continue;
        if (d->holder == i)
            reals += batch * count;
        if (d->flow && feeds[i] > 1)
            p->extra = larger(p->extra, count);
        if (d->role == GIVEN)
            continue;
        struct shape in = p->net->layer[l->in[0]].shape;
        if (l->type == L_CONV)
            p->patch = larger(p->patch, 2 * k_conv_scratch(l, in));
        if (l->type == L_DWCONV)
            p->zeros = larger(p->zeros, (size_t)in.w * (size_t)in.c);
        if (!train_by_rows(l))
            p->part = larger(p->part, train_parts(l, p->batch) * train_params_span(l));
        if (l->type == L_BN)
            reals += 4 * (size_t)l->shape.c;
        if (l->type == L_MAXPOOL)
            bytes += batch * count * sizeof(uint32_t);
        if (l->type == L_DROPOUT)
            bytes += batch * count;
    }
    for (int k = 0; k < p->slots; k++)
        reals += batch * p->slot[k];
    reals += (size_t)p->jobs * p->patch + p->part + batch * p->extra + p->zeros;
    p->bytes = bytes + reals * sizeof(real);
}

int train_plan_make(struct train_plan *p, const struct net *net, const bool *train,
                    const int *given, int ngiven, const int *ends, int nends, int batch, int jobs)
{
    size_t n = (size_t)net->n;
    *p = (struct train_plan){.net = net, .batch = batch, .jobs = jobs};
    p->node = calloc(n, sizeof *p->node);
    p->slot = calloc(n + 1, sizeof *p->slot);
    int *feeds = calloc(n, sizeof *feeds), *uses = calloc(n, sizeof *uses);
    bool *taken = calloc(n + 1, sizeof *taken);
    int rc = p->node == NULL || p->slot == NULL || feeds == NULL || uses == NULL || taken == NULL ? ERR_MEM : 0;
    if (rc == 0) {
        for (int k = 0; k < ngiven; k++)
            p->node[given[k]].role = GIVEN;
        find_roles(p, train);
        find_flow(p, ends, nends, feeds, uses);
        find_holders(p, uses);
        find_slots(p, ends, nends, taken);
        add_up(p, feeds);
    }
    free(feeds);
    free(uses);
    free(taken);
    return rc;
}

void train_plan_free(struct train_plan *p)
{
    free(p->node);
    free(p->slot);
    p->node = NULL;
    p->slot = NULL;
}
