/*
 * Confidences against what happened: how far the probability that a prediction claims to be right
 * can be taken at its word, and what is gained by leaving out the least confident ones.
 *
 * Both are kept in tables of constant size, which add up: that of two sets of records is the sum of
 * theirs.
 */
#ifndef MIEN_SCORE_CONFIDENCE_H
#define MIEN_SCORE_CONFIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sum.h"

enum {
    CONFIDENCE_BINS = 20,    /* of a twentieth each, the last one with 1 */
    CONFIDENCE_LEVELS = 1001 /* thousandths, rounded down */
};

struct confidence_bin {
    uint64_t n, right;
    struct score_sum sum; /* of the confidences */
};

/* Zero-initialized it is empty. */
struct confidence {
    uint64_t n;
    struct confidence_bin bin[CONFIDENCE_BINS];
    struct {
        uint64_t n;
        struct score_sum loss; /* of all of them */
    } level[CONFIDENCE_LEVELS];
};

/* Adds a prediction that claimed to be right with probability p, whether it was, and its loss: an
   error, of any unit. */
void confidence_add(struct confidence *c, double p, bool right, double loss);

/* The expected calibration error: the mean, over predictions, of the distance between the mean
   confidence of a bin and the share of it that is right (Naeini, Cooper, Hauskrecht 2015; Guo et
   al. 2017). NaN of none. */
double confidence_ece(const struct confidence *c);

/* The mean loss of the most confident predictions, at least the share `coverage` of all: those of
   the level *least and above, whose share is *share. NaN of none. (El-Yaniv, Wiener 2010.) */
double confidence_risk(const struct confidence *c, double coverage, double *least, double *share);

#endif
