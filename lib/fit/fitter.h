/*
 * A training under way, as its sources see it: setup.c decides what is trained and of what inputs,
 * epochs.c trains.
 */
#ifndef MIEN_FIT_FITTER_H
#define MIEN_FIT_FITTER_H

#include "checkpoint.h"
#include "inputs.h"
#include "sampler.h"
#include "teacher.h"
#include "train/trainer.h"

struct fitter {
    struct model *m;
    const struct fit_config *c;
    struct par *par;
    struct trainer *t;
    bool *train;  /* a layer's parameters are trained */
    double *rate; /* a layer's learning rate, relative to the heads' */
    struct boundary at;
    struct heads heads;
    int ends[2], nends; /* the logits: where gradients begin */
    struct inputs train_inputs, val_inputs;
    struct sampler balance, weights; /* for sampling and for losses, where they are asked for */
    struct teacher teacher;          /* of the training part */
    uint32_t *order;                 /* of the epoch */
    uint8_t *copy;                   /* how often it had the record before; NULL: never */
    uint64_t traffic;                /* bytes that this process sent in a step of a whole batch */
    struct optim optim;
    struct arrays arrays;
    struct progress now;
    char *about; /* what a checkpoint must have in common */

    /* The batch under way. */
    struct inputs *inputs;
    size_t first, own; /* this process has these images of it */
    const uint32_t *index;
    const uint8_t *index_copy; /* as copy */
    struct label *label;
    struct mix mix;
    uint32_t *other;
    float *share, *zeroth;
    double lr, clip; /* of the step: its rate, and what gradients are multiplied with */
    double keep;     /* the share of the weights' moving average that the step leaves */
    double *square;  /* for each chunk of weights: the sum of its gradients' squares */
};

/* How many chunks the weights are cut into for a step. */
size_t fitter_chunks(const struct fitter *f);

/* Sets a fitter up whose m and c are there: with train NULL for measuring only, with val NULL for
   training only. Returns 0, 1 when stopped, or a negative code; what was made stays f's in any
   case. */
MIEN_CHECKED int fitter_set_up(struct fitter *f, const struct mien_pack *train,
                               const struct mien_pack *val, struct mien_err *e);
void fitter_free(struct fitter *f);

/* Runs epochs from where f->now stands, and leaves the model with the weights of the best. Returns
   0, 1 when stopped, or a negative code. */
MIEN_CHECKED int fitter_run_epochs(struct fitter *f, struct mien_err *e);

/* Instead of epochs: measures the weights as they are on the validation part. Returns 0 or a
   negative code. */
MIEN_CHECKED int fitter_measure(struct fitter *f, struct mien_err *e);

/* Finds the temperatures of the weights that were kept; without a validation part, there are
   none. Returns 0 or a negative code. */
MIEN_CHECKED int fitter_find_temperatures(struct fitter *f, struct mien_err *e);

/* Calls on_bad, once for each, for a record whose image turned out to be of no use.
   Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int fitter_tell_bad(const struct fitter *f, struct inputs *inputs, size_t k,
                                 struct mien_err *e);

#endif
