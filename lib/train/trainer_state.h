/* What a trainer holds: for its making (trainer.c) and its passes (forward.c, backward.c). */
#ifndef MIEN_TRAIN_TRAINER_STATE_H
#define MIEN_TRAIN_TRAINER_STATE_H

#include "fast_conv.h"
#include "trainer.h"
#include "memory.h"

/* What one layer holds for a batch. */
struct layer_state {
    real *act, *dact;    /* its holder's */
    bool ready;          /* in a backward pass: dact holds a gradient */
    uint32_t *which;     /* max pooling */
    unsigned char *keep; /* dropout: 1 where an element is kept */
    real *stat; /* bn: mean, 1 / deviation; scale and shift, then the backward pass's two sums */
    struct fast_conv fast;
};

struct trainer {
    const struct net *net;
    struct train_memory memory;
    real *w, *grad;
    struct layer_state *state;
    real **slot; /* gradients of outputs */
    const int *ends;
    int nends;
    struct par *par;
    real **scratch; /* one a worker */
    bool fresh;     /* fast convolutions have the weights of layers that aren't trained */
    real *zeros;
    real *part;  /* parts' gradients of one layer */
    real *extra; /* a second gradient of an output that several layers read */

    /* The pass under way. */
    int cur, n;
    bool training;
    uint64_t seed;
    real *dx; /* where the current layer's input gradient goes, or NULL */
    size_t npart, part_len;
};

#endif
