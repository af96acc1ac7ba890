#include "fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "op.h"

int fold_reader(const struct net *net, const int *uses, int i)
{
    if (uses[i] != 1)
        return -1;
    for (int k = i + 1; k < net->n; k++) {
        if (net->layer[k].nin == 1 && net->layer[k].in[0] == i)
            return k;
    }
    return -1;
}

int fold_bn_behind(const struct net *net, const int *uses, int i)
{
    bool sums = op_of(net->layer[i].type)->is & OP_SUMS;
    int k = sums ? fold_reader(net, uses, i) : -1;
    return k >= 0 && net->layer[k].type == L_BN ? k : -1;
}

/* y = gamma (x - mean) / sqrt(var + eps) + beta */
void fold_bn_scale(const struct layer *bn, const float *weights, int c, double *scale,
                   double *shift)
{
    const float *gamma = weights + bn->param[0].at, *beta = weights + bn->param[1].at;
    const float *mean = weights + bn->param[2].at, *var = weights + bn->param[3].at;
    *scale = gamma[c] / sqrt((double)var[c] + (double)bn->rate);
    *shift = beta[c] - *scale * mean[c];
}

void fold_bn(const struct layer *bn, const float *weights, float *w, size_t nw, float *bias)
{
    enum {
        LINE = 16
    }; /* channels at once: weights are gone through row by row, a cache line each */
    size_t channels = (size_t)bn->shape.c;
    for (size_t from = 0; from < channels; from += LINE) {
        size_t n = channels - from < LINE ? channels - from : LINE;
        double scale[LINE], shift;
        for (size_t c = 0; c < n; c++) {
            fold_bn_scale(bn, weights, (int)(from + c), &scale[c], &shift);
            bias[from + c] = (float)(bias[from + c] * scale[c] + shift);
        }
        for (size_t k = from; k < nw; k += channels) {
            for (size_t c = 0; c < n; c++)
                w[k + c] = (float)(w[k + c] * scale[c]);
        }
    }
}

/* Builds dst's net. bn[i] receives the bn layer that layer i takes over, or -1, and to[i] the layer
   of dst that makes layer i's output. */
static int fold_net(struct net *dst, const struct net *src, const int *uses, int *bn, int *to,
                    struct mien_err *e)
{
    for (int i = 0; i < src->n; i++)
        to[i] = -1;
    for (int i = 0; i < src->n; i++) {
        struct layer l = src->layer[i];
        bn[i] = fold_bn_behind(src, uses, i);
        if (to[i] >= 0)
            continue;
        for (int k = 0; k < l.nin; k++)
            l.in[k] = to[l.in[k]];
        l.bias = l.bias || bn[i] >= 0;
        int rc = net_add(dst, &l, e);
        if (rc < 0)
            return rc;
        to[i] = rc;
        if (bn[i] >= 0)
            to[bn[i]] = rc;
    }
    return 0;
}

static void fold_weights(struct model *dst, const struct model *src, const int *bn, const int *to)
{
    for (int i = 0; i < src->net.n; i++) {
        const struct layer *from = &src->net.layer[i], *l = &dst->net.layer[to[i]];
        if (from->type != l->type)
            continue; /* a bn that was taken over */
        for (int k = 0; k < from->nparam; k++)
            memcpy(dst->weights + l->param[k].at, src->weights + from->param[k].at,
                   from->param[k].count * sizeof(float));
        if (bn[i] >= 0)
            fold_bn(&src->net.layer[bn[i]], src->weights, dst->weights + l->param[0].at,
                    l->param[0].count, dst->weights + l->param[1].at);
    }
}

/* With zeroed arrays of a layer each. */
static int fold(struct model *dst, const struct model *src, int *uses, int *bn, int *to,
                struct mien_err *e)
{
    const struct net *net = &src->net;
    char name[NET_NAME];
    const char *embed = mien_prep_get(&src->prep, "embed", name, sizeof name);
    int features = embed != NULL ? net_find(net, embed) : -1;
    for (int i = 0; i < net->n; i++) {
        uses[i] += i == features;
        for (int k = 0; k < net->layer[i].nin; k++)
            uses[net->layer[i].in[k]]++;
    }
    dst->prep = src->prep;
    memcpy(dst->age_count, src->age_count, sizeof dst->age_count);
    int rc = fold_net(&dst->net, net, uses, bn, to, e);
    if (rc < 0)
        return rc;
    if (features >= 0 &&
        mien_prep_set(&dst->prep, "embed", "%s", dst->net.layer[to[features]].name) < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the preprocessing's description grows too long");
    if (src->made != NULL && (dst->made = strdup(src->made)) == NULL)
        return mien_err_mem(e, strlen(src->made), "text");
    dst->weights = net_weights_new(&dst->net, e);
    if (dst->weights == NULL)
        return MIEN_ERR_MEM;
    fold_weights(dst, src, bn, to);
    return 0;
}

int model_fold(struct model *dst, const struct model *src, struct mien_err *e)
{
    size_t n = (size_t)src->net.n;
    int *uses = calloc(n, sizeof *uses), *bn = calloc(n, sizeof *bn), *to = calloc(n, sizeof *to);
    int rc;
    if (uses == NULL || bn == NULL || to == NULL)
        rc = mien_err_mem(e, 3 * n * sizeof *uses, "layers");
    else
        rc = fold(dst, src, uses, bn, to, e);
    if (rc < 0)
        model_free(dst);
    free(uses);
    free(bn);
    free(to);
    return rc;
}
