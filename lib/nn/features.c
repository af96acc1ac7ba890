/* The identity of features. */
#include <stdio.h>
#include <string.h>

#include "mien/hash.h"
#include "mien/model.h"

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
