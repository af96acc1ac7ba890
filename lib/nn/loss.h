/* The loss of a batch and its gradient, and what it says of the predictions. */
#ifndef MIEN_NN_LOSS_H
#define MIEN_NN_LOSS_H

#include "mien/fit.h"

/* Labels of one record as a pack has them, PACK_UNKNOWN where there is none, and the weights that
   the losses of its gender and age have. */
struct label {
    uint8_t age, gender, band[2];
    float w_gender, w_age;
};

/* What mixup made of a batch: record i is (1 - share[i]) of itself and share[i] of other[i]. */
struct mix {
    const uint32_t *other;
    const float *share;
};

/* Sums over records, from which metrics are made. */
struct tally {
    double loss_gender, loss_age, weight_gender, weight_age, abs_error;
    size_t n_gender, n_age, right_gender, exact, cs5;
};

/* Adds n records' losses, and compares predictions with labels, to t. gender is n x 2
   probabilities, age n x 101. dgender and dage, which may be NULL, receive the gradients of the
   batch's loss with respect to the logits. c gives sigma, l1 and smoothing; with c NULL it is plain
   cross-entropy. mix may be NULL. Records without a label don't count. */
void loss_batch(const struct fit_config *c, const struct label *y, size_t n, const struct mix *mix,
                const float *gender, const float *age, float *dgender, float *dage,
                struct tally *t);

void tally_add(struct tally *sum, const struct tally *t);
struct fit_metrics tally_metrics(const struct tally *t);

#endif
