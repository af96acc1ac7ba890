/* What a trainer holds: for its making (train.c) and its passes (train_pass.c). */
#ifndef MIEN_TRAIN_TRAIN_STATE_H
#define MIEN_TRAIN_TRAIN_STATE_H

#include "quick.h"
#include "train.h"
#include "train_plan.h"

/* What one layer holds for a batch. */
struct node {
    real *act, *dact;    /* its holder's */
    bool ready;          /* in a backward pass: dact holds a gradient */
    uint32_t *which;     /* max pooling */
    unsigned char *keep; /* dropout: 1 where an element is kept */
    real *stat;          /* bn: mean, 1 / deviation; scale and shift, then the backward pass's two sums */
    struct quick quick;
};

struct trainer {
    const struct net *net;
    struct train_plan plan;
    real *w, *grad;
    struct node *node;
    real **slot;         /* gradients of outputs */
    const int *ends;
    int nends;
    struct par *par;
    real **scratch;      /* one a worker */
    bool fresh;          /* quick forms have the weights of layers that aren't trained */
    real *zeros;
    real *part;          /* parts' gradients of one layer */
    real *extra;         /* a second gradient of an output that several layers read */

    /* The pass under way. */
    int cur, n;
    bool training;
    uint64_t seed;
    real *dx;            /* where the current layer's input gradient goes, or NULL */
    size_t npart, part_len;
};

#endif
