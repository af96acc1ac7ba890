/* What a trainer holds: for its making (trainer.c) and its passes (forward.c, backward.c). */
#ifndef MIEN_TRAIN_TRAINER_STATE_H
#define MIEN_TRAIN_TRAINER_STATE_H

#include "fast_conv.h"
#include "products.h"
#include "trainer.h"
#include "memory.h"

/* What one layer holds for a batch; h, w, c are its output's. */
struct layer_state {
    struct reals act;  /* (batch, h, w, c): its output, in the holder's place */
    struct reals dact; /* its gradient: (batch, h, w, c), or (jobs, h, w, c) in a fused run */
    bool ready;        /* in a backward pass: dact holds a gradient */
    bool all;          /* in a backward pass: other processes' outputs are here or on their way */
    void *kept;        /* what forward keeps for backward, train_kept bytes */
    struct fast_conv fast;
    struct packed_weights packed;
};

struct exchange;

struct trainer {
    const struct net *net;
    struct train_memory memory;
    real *w, *grad; /* (net->nweights) */
    struct layer_state *state;
    struct arena arena; /* of packed weights in state */
    void **slot;        /* gradients of outputs, see memory.h */
    const int *ends;
    int nends;
    struct par *par;
    real **scratch; /* one a worker */
    struct train_kernels kernels;
    float **packing; /* their products' scratch, one a worker */
    /* A batch's input of a layer and its output's gradient, packed for its weights' gradient; what
       they are at is the trainer's, or NULL. */
    struct packed packed_x, packed_dy;
    size_t leaf_x, leaf_dy; /* floats that the packed operands of a leaf take at most */
    bool fresh;             /* fast convolutions have the weights of layers that aren't trained */
    real *zeros;
    real *part;  /* (leaves, span): gradients of one layer's parameters, or a fused run's */
    real **sums; /* (TREE_ROOTS, block) for each worker: a block's sums that wait to be joined */
    real *extra; /* (batch, h, w, c): a second gradient of an output that several layers read */

    struct ranks *ranks;       /* the caller's */
    struct exchange *exchange; /* with other processes; NULL: there are none */

    /* The pass under way. */
    int cur, n;
    size_t leaves, leaf_from, leaf_to; /* of the batch; this process has [leaf_from, leaf_to) */
    size_t own_first, own;             /* and its images are these of the n */
    bool training;
    uint64_t seed;
    int input;       /* of the current layer: which of several gets its gradient */
    struct reals dx; /* where the gradient of the current layer's input goes, or nowhere */
    size_t npart, part_len;
    bool by_leaf;                                      /* parts are this process's leaves */
    void (*sum_part)(void *, int worker, size_t part); /* what pass_sum_leaves does for each */
};

#endif
