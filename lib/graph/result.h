/* What is made of a graph's layers in the end: a model of those that are needed. */
#ifndef MIEN_GRAPH_RESULT_H
#define MIEN_GRAPH_RESULT_H

#include "net/model.h"

/* Gives a layer another name. Returns 0, or MIEN_ERR_ARG where that is taken. */
MIEN_CHECKED int result_rename(struct net *net, int layer, const char *name, struct mien_err *e);

/* Copies to m, zeroed but for its preprocessing, the layers that those with map[i] >= 0 depend on,
   and the input, and their parameters, which lie in weights as net.h lays them out. map, of net->n
   elements, receives each layer's index in m, or -1. Returns 0; MIEN_ERR_FORMAT where a parameter
   isn't finite; net_add's errors or MIEN_ERR_MEM. */
MIEN_CHECKED int result_take(const struct net *net, const float *weights, int *map, struct model *m,
                             struct mien_err *e);

#endif
