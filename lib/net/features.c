/* Which layer makes features, and their identity. */
#include <stdio.h>
#include <string.h>

#include "util/hash.h"
#include "model.h"

/* What the logits of a head are made of, or -1 without that head. */
static int read_by_head(const struct net *net, const char *head)
{
    int i = net_find(net, head);
    while (i >= 0 && (net->layer[i].type == L_SOFTMAX || net->layer[i].type == L_SIGMOID))
        i = net->layer[i].in[0];
    if (i < 0 || (net->layer[i].type != L_DENSE && net->layer[i].type != L_CORAL))
        return -1;
    i = net->layer[i].in[0];
    while (net->layer[i].type == L_DROPOUT)
        i = net->layer[i].in[0];
    return i;
}

int model_features_layer(const struct model *m, const char *name, struct mien_err *e)
{
    char buf[NET_NAME];
    if (name == NULL)
        name = mien_prep_get(&m->prep, "embed", buf, sizeof buf);
    if (name != NULL) {
        int i = net_find(&m->net, name);
        return i >= 0
                   ? i
                   : mien_err_set(e, MIEN_ERR_ARG,
                                  "the model has no layer '%s'; mien-net lists its layers", name);
    }
    int gender = read_by_head(&m->net, "gender"), age = read_by_head(&m->net, "age");
    if (gender >= 0 && age >= 0 && gender != age)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the model's heads read '%s' and '%s': choose one of its layers",
                            m->net.layer[gender].name, m->net.layer[age].name);
    return gender >= 0 ? gender : age >= 0 ? age : m->net.n - 1;
}

void model_features_name(const struct model *m, int layer, char *buf, size_t n)
{
    bool need[NET_MAX_LAYERS] = {false};
    uint64_t hash = 0;
    need[layer] = true;
    for (int i = layer; i >= 0; i--) {
        const struct layer *l = &m->net.layer[i];
        if (!need[i])
            continue;
        for (int k = 0; k < l->nin; k++)
            need[l->in[k]] = true;
        for (int k = 0; k < l->nparam; k++)
            hash = hash_bytes(hash, m->weights + l->param[k].at, l->param[k].count * sizeof(float));
    }
    snprintf(buf, n, "%s@%08x", m->net.layer[layer].name, (unsigned)(hash >> 32));
}
