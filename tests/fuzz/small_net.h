/* Whether a network is small enough to be run thousands of times. */
#ifndef SMALL_NET_H
#define SMALL_NET_H

#include "net/net.h"

static inline bool small_net(const struct net *net, double most)
{
    double work = (double)net->nweights;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        work += layer_madds(net, i) + (double)shape_count(l->shape);
        for (int k = 0; k < l->nin; k++)
            work += (double)shape_count(net->layer[l->in[k]].shape);
        if (l->type == L_LRN)
            work += (double)shape_count(l->shape) * (l->units < l->shape.c ? l->units : l->shape.c);
        if (l->type == L_MAXPOOL || l->type == L_AVGPOOL)
            work += (double)shape_count(l->shape) * l->kh * l->kw;
    }
    return work <= most;
}

#endif
