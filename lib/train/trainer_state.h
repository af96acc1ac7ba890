/* What a trainer holds: for its making (trainer.c) and its passes (forward.c, backward.c). */
#ifndef MIEN_TRAIN_TRAINER_STATE_H
#define MIEN_TRAIN_TRAINER_STATE_H

#include "fast_conv.h"
#include "products.h"
#include "trainer.h"
#include "memory.h"

/* What one layer holds for a batch; h, w, c are its output's. */
struct layer_state {
    real *act;  /* (batch, h, w, c): its output, in the holder's place */
    real *dact; /* its gradient: (batch, h, w, c), or (jobs, h, w, c) in a fused run */
    bool ready; /* in a backward pass: dact holds a gradient */
    void *kept; /* what forward keeps for backward, train_op.keeps bytes */
    struct fast_conv fast;
    struct packed_weights packed;
};

struct trainer {
    const struct net *net;
    struct train_memory memory;
    real *w, *grad; /* (net->nweights) */
    struct layer_state *state;
    real **slot; /* gradients of outputs, see memory.h */
    const int *ends;
    int nends;
    struct par *par;
    real **scratch; /* one a worker */
    struct train_kernels kernels;
    float **packing; /* their products' scratch, one a worker */
    /* A batch's input of a layer and its output's gradient, packed for its weights' gradient; what
       they are at is the trainer's, or NULL. */
    struct packed packed_x, packed_dy;
    bool fresh; /* fast convolutions have the weights of layers that aren't trained */
    real *zeros;
    real *part;  /* (parts, span): gradients of one layer's parameters, or a fused run's */
    real *extra; /* (batch, h, w, c): a second gradient of an output that several layers read */

    /* The pass under way. */
    int cur, n;
    bool training;
    uint64_t seed;
    int input; /* of the current layer: which of several gets its gradient */
    real *dx;  /* where the gradient of the current layer's input goes, or NULL */
    size_t npart, part_len;
    void (*sum_part)(void *, int worker, size_t part); /* what pass_sum_parts does for each */
};

#endif
