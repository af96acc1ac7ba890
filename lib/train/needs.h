/* What operators need of memory in training, and what may be done to need less: for plans, which are
   made without a BLAS. One that isn't in the table of needs.c needs nothing but its output. */
#ifndef MIEN_TRAIN_NEEDS_H
#define MIEN_TRAIN_NEEDS_H

#include <stdbool.h>

#include "kernel/bf16.h"
#include "net/net.h"

enum train_trait {
    TRAIN_ONE_IMAGE = 1, /* it looks at one image at a time: it can be one of a fused run */
    TRAIN_TAIL = 2,      /* forward applies the relu behind it, train_tail, before it stores */
    TRAIN_IN_PLACE = 4,  /* its gradient follows from its output alone: it can take the place of the
                            layer that it reads, and then x is y and dx is dy */
    TRAIN_BFLOATS = 8,   /* what it reads and makes may be bfloat16 */
    TRAIN_ONE_KIND = 16  /* but only both or neither */
};

struct train_needs {
    unsigned is; /* of enum train_trait */
    /* Bytes kept from forward to backward: for each element of a batch's output, and for each
       channel. */
    size_t element, channel;
    /* Elements of a worker's scratch; NULL: none. */
    size_t (*scratch)(const struct layer *l, struct shape in);
};

const struct train_needs *train_needs_of(enum layer_type type);

/* Whether what the layer reads and makes may be bfloat16. */
bool train_takes_bfloats(const struct layer *l);

/* Bytes that a layer keeps for a batch. */
size_t train_kept(const struct layer *l, int batch);

#endif
