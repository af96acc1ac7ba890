/*
 * What training a network needs in memory, planned before any is taken.
 *
 * Outputs are kept from the forward to the backward pass. Gradients of outputs are needed for a
 * short while only: they share slots. A relu whose input nothing else reads takes its place: the
 * layer before writes what the relu makes of it, and their gradient is one array.
 */
#ifndef MIEN_NN_TRAIN_PLAN_H
#define MIEN_NN_TRAIN_PLAN_H

#include <stdbool.h>

#include "mien/net.h"
#include "kernels.h"

enum role { ABSENT, GIVEN, COMPUTED };

struct train_node {
    enum role role;
    bool train; /* its parameters are trained */
    bool flow;  /* its output's gradient is needed on the way to a trained parameter */
    int holder; /* the layer that holds its output: itself, or the relu behind it */
    int below;  /* of a relu that holds another layer's output: that layer; else -1 */
    int slot;   /* of a holder: where its gradient goes; -1: nowhere */
};

struct train_plan {
    const struct net *net;
    int batch, jobs;
    struct train_node *node; /* net->n of them */
    int slots;
    size_t *slot;   /* elements of each for one image */
    size_t patch;   /* elements of scratch for each worker */
    size_t part;    /* of gradients of one layer's parameters, for all parts of a batch */
    size_t extra;   /* for one image: a second gradient of an output that several layers read */
    size_t zeros;   /* the longest row of pixels under a depthwise filter */
    size_t weights; /* elements that gradients have */
    size_t bytes;   /* of all that a trainer takes, weights and their optimiser apart */
};

/* Plans training with these trained layers, outputs given from outside, and `ends`, layers whose
   gradient the loss gives. Returns 0 or ERR_MEM. */
int train_plan_make(struct train_plan *p, const struct net *net, const bool *train,
                    const int *given, int ngiven, const int *ends, int nends, int batch, int jobs);
void train_plan_free(struct train_plan *p);

/* The relu that layer i computes itself before it stores its output. */
enum act train_tail(const struct train_plan *p, int i);

/* Images of a batch of n are cut into so many parts; each part has its own gradient of the layer's
   parameters. */
size_t train_parts(const struct layer *l, int n);

/* Whether the layer's weights are so many that a gradient for each part would cost more than the
   product itself: then rows of the whole batch's gradient are computed instead. */
bool train_by_rows(const struct layer *l);

/* Elements from a layer's first parameter to the end of its last. */
size_t train_params_span(const struct layer *l);

#endif
