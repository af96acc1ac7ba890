/* Checkpoints: a training that can go on later, as a safetensors file. */
#ifndef MIEN_FIT_CHECKPOINT_H
#define MIEN_FIT_CHECKPOINT_H

#include "fit.h"

/* All that a training is between two batches, but for its data and options. Everything random is
   made anew from the seed, the epoch and rng. */
struct progress {
    int epoch;             /* under way, from 1 */
    size_t done;           /* records of it that have been seen */
    uint64_t rng;          /* state of its random numbers */
    long step;             /* of the optimizer */
    int stale;             /* epochs since the best one */
    double lr_scale;       /* what plateaus have made of the learning rate */
    struct tally tally;    /* of this epoch's training */
    struct fit_epoch kept; /* the best epoch so far; epoch 0 for none */
};

/* Arrays of n floats; ema may be NULL. */
struct arrays {
    size_t n;
    float *weights, *best, *ema, *m, *v;
};

/* Writes a checkpoint, whole or not at all. about is what the training must be the same as to go
   on from it: its options and its data. Returns 0, MIEN_ERR_SYS or MIEN_ERR_MEM. */
MIEN_CHECKED int checkpoint_save(const char *path, const char *about, const struct progress *p,
                                 const struct arrays *a, struct mien_err *e);

/* Reads it back into p and a, whose arrays are there. Returns 0; MIEN_ERR_SYS when there is no such
   file, with errno ENOENT; or MIEN_ERR_FORMAT when it is of another training or damaged. */
MIEN_CHECKED int checkpoint_load(const char *path, const char *about, struct progress *p,
                                 const struct arrays *a, struct mien_err *e);

#endif
