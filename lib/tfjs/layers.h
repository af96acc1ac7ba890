/* The net that is being made of a graph, for ops.h, which converts the nodes, and tfjs.c. */
#ifndef MIEN_TFJS_LAYERS_H
#define MIEN_TFJS_LAYERS_H

#include "net/net.h"
#include "graph.h"

/* What a node's output is among the layers. */
struct tf_value {
    int layer;   /* the layer that makes it; -1 for a constant */
    int rank;    /* 4: [1, h, w, c]; 2: [1, c]; 1: [1]; 0: another shape of the same elements */
    bool shared; /* other nodes see it too: the layer's weights can't take what follows */
    bool below6; /* a minimum with 6, waiting for the maximum with 0 that makes it a relu6 */
};

struct import {
    const struct tf_graph *g;
    struct net *net;
    struct tf_value *value; /* of each node converted so far */
    float *weights;         /* parameters as net.h lays them out, so far */
    int h, w;               /* of the input, instead of the graph's; or 0 */
    struct mien_err *e;
};

/* MIEN_ERR_FORMAT with "node 'NAME' (OP): CAUSE". */
int imp_fail(struct import *c, int i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The name of the Keras layer that a node belongs to: the first part of its path. It leaves room
   for a suffix of 15 characters. */
void imp_short_name(const char *node, char out[NET_NAME]);

/* Adds node i's layer and zeroed parameters. l's name is wanted, not sure; an empty one is taken
   from the node. Returns the layer's index or a negative code. */
MIEN_CHECKED int imp_add_layer(struct import *c, int i, struct layer *l);

/* Adds a layer of this type, with x as its only input. Returns as imp_add_layer. */
MIEN_CHECKED int imp_add_simple(struct import *c, int i, struct tf_value x, enum layer_type type);

/* The floats of layer's parameter k; the next imp_add_layer moves them. */
float *imp_parameter(const struct import *c, int layer, int k);

/* The constant that node i reads as its input k, or NULL. */
const struct tf_const *imp_constant(const struct import *c, int i, int k);

/* The same where it has to have one number a channel, or one for all; else NULL, and the node has
   failed. imp_channel is the one of channel k. */
const struct tf_const *imp_per_channel(struct import *c, int i, int k, size_t channels);
double imp_channel(const struct tf_const *t, size_t k);

/* The tensor that node i reads as its input k: of a rank and a kind that layers can read, or any.
   Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int imp_tensor(struct import *c, int i, int k, struct tf_value *x);
MIEN_CHECKED int imp_any_tensor(struct import *c, int i, int k, struct tf_value *x);

struct shape imp_shape(const struct import *c, struct tf_value x);

/* Node i's output is that of a new layer; returns layer when that is an error, else 0. */
MIEN_CHECKED int imp_emit(struct import *c, int i, int layer, int rank);

/* Node i's output is x, or what x's layer now makes. Returns 0. */
int imp_pass(struct import *c, int i, struct tf_value x);

/* Refuses a node whose channels don't come last. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int imp_check_layout(struct import *c, int i);

/* Strides and padding of a node that slides a window, into l. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int imp_window(struct import *c, int i, struct layer *l);

#endif
