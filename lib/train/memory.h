/*
 * What training a network needs in memory, planned before any is taken.
 *
 * Outputs are kept from the forward to the backward pass. Gradients of outputs are needed for a
 * short while only: they share slots. A relu whose input nothing else reads takes its place: the
 * layer before writes what the relu makes of it, and their gradient is one array.
 *
 * Layers of large outputs and few weights that follow each other are a fused run: they are gone
 * through image by image, while what one writes is in the cache for the next, and a gradient within
 * the run is that of one image.
 */
#ifndef MIEN_TRAIN_MEMORY_H
#define MIEN_TRAIN_MEMORY_H

#include <stdbool.h>

#include "net/net.h"
#include "kernel/kernels.h"

enum role { ABSENT, GIVEN, COMPUTED };

struct layer_use {
    enum role role;
    bool train; /* its parameters are trained */
    bool flow;  /* its output's gradient is needed on the way to a trained parameter */
    int holder; /* the layer that holds its output: itself, or the relu behind it */
    int below;  /* of a relu that holds another layer's output: that layer; else -1 */
    int slot;   /* of a holder: where its gradient goes; -1: nowhere */
    int run;    /* the fused run that the layer belongs to, or -1 */
    bool inner; /* its output and gradient are read within that fused run alone */
};

/* Where gradients go: of a batch, or of one image for each worker. */
struct gradient_slot {
    size_t count; /* elements for one image */
    bool inner;
};

/* Layers first to last, each of which reads the one before; the gradients of their parameters are
   `span` elements from element `at`. */
struct fused_run {
    int first, last;
    size_t at, span;
};

struct train_memory {
    const struct net *net;
    int batch, jobs;
    struct layer_use *use; /* net->n of them */
    int slots, runs;
    struct gradient_slot *slot;
    struct fused_run *run;
    size_t patch;   /* elements of scratch for each worker */
    size_t part;    /* of gradients of one layer's parameters, for all parts of a batch */
    size_t extra;   /* for one image: a second gradient of an output that several layers read */
    size_t zeros;   /* the longest row of pixels under a depthwise filter */
    size_t weights; /* elements that gradients have */
    size_t bytes;   /* of all that a trainer takes, weights and their optimiser apart */
};

/* Plans training with these trained layers, outputs given from outside, and `ends`, layers whose
   gradient the loss gives. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int train_memory_make(struct train_memory *p, const struct net *net, const bool *train,
                                   const int *given, int ngiven, const int *ends, int nends,
                                   int batch, int jobs);
void train_memory_free(struct train_memory *p);

/* The relu that layer i computes itself before it stores its output. */
enum act train_tail(const struct train_memory *p, int i);

/* A fused run's gradients of a batch of n images are summed in so many parts. */
size_t fused_run_parts(int n);

/* Images of a batch of n are cut into so many parts; each part has its own gradient of the layer's
   parameters. */
size_t train_parts(const struct layer *l, int n);

/* Whether the layer's weights are so many that a gradient for each part would cost more than the
   product itself: then rows of the whole batch's gradient are computed instead. */
bool train_by_rows(const struct layer *l);

/* Elements from a layer's first parameter to the end of its last. */
size_t train_params_span(const struct layer *l);

#endif
