#include "result.h"

#include <stdio.h>
#include <string.h>

#include "util/num.h"

int result_rename(struct net *net, int layer, const char *name, struct mien_err *e)
{
    struct layer *l = &net->layer[layer];
    if (strcmp(l->name, name) == 0)
        return 0;
    if (net_find(net, name) >= 0)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "layer '%s' can't be renamed to '%s', which already exists", l->name,
                            name);
    snprintf(l->name, NET_NAME, "%s", name);
    return 0;
}

int result_take(const struct net *net, const float *weights, int *map, struct model *m,
                struct mien_err *e)
{
    for (int i = net->n - 1; i >= 0; i--) {
        for (int k = 0; map[i] >= 0 && k < net->layer[i].nin; k++)
            map[net->layer[i].in[k]] = 0;
    }
    map[0] = 0; /* the input */
    for (int i = 0; i < net->n; i++) {
        struct layer l = net->layer[i];
        if (map[i] < 0)
            continue;
        for (int k = 0; k < l.nin; k++)
            l.in[k] = map[l.in[k]];
        if ((map[i] = net_add(&m->net, &l, e)) < 0)
            return map[i];
    }
    if ((m->weights = net_weights_new(&m->net, e)) == NULL)
        return MIEN_ERR_MEM;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        for (int k = 0; map[i] >= 0 && k < l->nparam; k++) {
            const float *w = weights + l->param[k].at;
            if (!num_finite(w, l->param[k].count))
                return mien_err_set(e, MIEN_ERR_FORMAT,
                                    "layer '%s' has a weight that isn't a number", l->name);
            memcpy(m->weights + m->net.layer[map[i]].param[k].at, w, l->param[k].count * sizeof *w);
        }
    }
    return 0;
}
