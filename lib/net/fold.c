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

/* Whether it scales and shifts channels by numbers of its own. */
static bool is_affine(const struct layer *l)
{
    bool constant =
        l->nparam == 1 && l->size[0] == 1 && l->size[1] == 1 && l->size[2] <= l->shape.c;
    return l->type == L_BN || (constant && (l->type == L_ADD || l->type == L_SUB ||
                                            l->type == L_MUL || (l->type == L_DIV && !l->swap)));
}

int fold_affine_behind(const struct net *net, const int *uses, int i)
{
    int k = fold_reader(net, uses, i);
    return k >= 0 && is_affine(&net->layer[k]) && net->layer[k].shape.c == net->layer[i].shape.c
               ? k
               : -1;
}

int fold_into_sums(const struct net *net, const int *uses, int i)
{
    return op_of(net->layer[i].type)->is & OP_SUMS ? fold_affine_behind(net, uses, i) : -1;
}

void fold_scale(const struct layer *l, const float *weights, int c, double *scale, double *shift)
{
    const float *value = weights + l->param[0].at;
    double v = l->type == L_BN ? 0 : value[l->size[2] > 1 ? c : 0];
    *scale = 1;
    *shift = 0;
    if (l->type == L_MUL) {
        *scale = v;
    } else if (l->type == L_DIV) {
        *scale = 1 / v;
    } else if (l->type == L_ADD) {
        *shift = v;
    } else if (l->type == L_SUB) {
        *scale = l->swap ? -1 : 1;
        *shift = l->swap ? v : -v;
    } else { /* bn: y = gamma (x - mean) / sqrt(var + eps) + beta */
        const float *beta = weights + l->param[1].at, *mean = weights + l->param[2].at;
        const float *var = weights + l->param[3].at;
        *scale = value[c] / sqrt((double)var[c] + (double)l->rate);
        *shift = beta[c] - *scale * mean[c];
    }
}

void fold_affine(const struct layer *l, const float *weights, float *w, size_t nw, float *bias)
{
    enum {
        LINE = 16
    }; /* channels at once: weights are gone through row by row, a cache line each */
    size_t channels = (size_t)l->shape.c;
    for (size_t from = 0; from < channels; from += LINE) {
        size_t n = channels - from < LINE ? channels - from : LINE;
        double scale[LINE], shift;
        for (size_t c = 0; c < n; c++) {
            fold_scale(l, weights, (int)(from + c), &scale[c], &shift);
            bias[from + c] = (float)(bias[from + c] * scale[c] + shift);
        }
        for (size_t k = from; k < nw; k += channels) {
            for (size_t c = 0; c < n; c++)
                w[k + c] = (float)(w[k + c] * scale[c]);
        }
    }
}

/* Builds dst's net. behind[i] receives the layer that layer i takes over, or -1, and to[i] the layer
   of dst that makes layer i's output. */
static int fold_net(struct net *dst, const struct net *src, const int *uses, int *behind, int *to,
                    struct mien_err *e)
{
    for (int i = 0; i < src->n; i++)
        to[i] = -1;
    for (int i = 0; i < src->n; i++) {
        struct layer l = src->layer[i];
        behind[i] = fold_into_sums(src, uses, i);
        if (to[i] >= 0)
            continue;
        for (int k = 0; k < l.nin; k++)
            l.in[k] = to[l.in[k]];
        l.bias = l.bias || behind[i] >= 0;
        int rc = net_add(dst, &l, e);
        if (rc < 0)
            return rc;
        to[i] = rc;
        if (behind[i] >= 0)
            to[behind[i]] = rc;
    }
    return 0;
}

static void fold_weights(struct model *dst, const struct model *src, const int *behind,
                         const int *to)
{
    for (int i = 0; i < src->net.n; i++) {
        const struct layer *from = &src->net.layer[i], *l = &dst->net.layer[to[i]];
        if (from->type != l->type)
            continue; /* one that was taken over */
        for (int k = 0; k < from->nparam; k++)
            memcpy(dst->weights + l->param[k].at, src->weights + from->param[k].at,
                   from->param[k].count * sizeof(float));
        if (behind[i] >= 0)
            fold_affine(&src->net.layer[behind[i]], src->weights, dst->weights + l->param[0].at,
                        l->param[0].count, dst->weights + l->param[1].at);
    }
}

/* With zeroed arrays of a layer each. */
static int fold(struct model *dst, const struct model *src, int *uses, int *behind, int *to,
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
    int rc = fold_net(&dst->net, net, uses, behind, to, e);
    if (rc < 0)
        return rc;
    if (features >= 0 &&
        mien_prep_set(&dst->prep, "embed", "%s", dst->net.layer[to[features]].name) < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the description of the preprocessing is too long");
    if (src->made != NULL && (dst->made = strdup(src->made)) == NULL)
        return mien_err_mem(e, strlen(src->made), "text");
    if (src->history != NULL && (dst->history = strdup(src->history)) == NULL)
        return mien_err_mem(e, strlen(src->history), "text");
    dst->weights = net_weights_new(&dst->net, e);
    if (dst->weights == NULL)
        return MIEN_ERR_MEM;
    fold_weights(dst, src, behind, to);
    return 0;
}

int model_fold(struct model *dst, const struct model *src, struct mien_err *e)
{
    size_t n = (size_t)src->net.n;
    int *uses = calloc(n, sizeof *uses), *behind = calloc(n, sizeof *behind),
        *to = calloc(n, sizeof *to);
    int rc;
    if (uses == NULL || behind == NULL || to == NULL)
        rc = mien_err_mem(e, 3 * n * sizeof *uses, "layers");
    else
        rc = fold(dst, src, uses, behind, to, e);
    if (rc < 0)
        model_free(dst);
    free(uses);
    free(behind);
    free(to);
    return rc;
}
