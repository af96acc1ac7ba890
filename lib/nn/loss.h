/* The loss of a batch and its gradient, and what it says of the predictions. */
#ifndef MIEN_NN_LOSS_H
#define MIEN_NN_LOSS_H

#include "mien/fit.h"

/* Labels of one record as a pack has them: PACK_UNKNOWN where there is none. */
struct label {
    uint8_t age, gender, band[2];
};

/* Sums over records, from which metrics are made. */
struct tally {
    double loss_gender, loss_age, abs_error;
    size_t n_gender, n_age, n_band, right_gender, exact, cs5;
};

/* Adds n records' losses, and compares predictions with labels, to t. gender is n x 2
   probabilities, age n x 101. dgender and dage, which may be NULL, receive the gradients of the
   batch's loss with respect to the logits. Records without a label don't count. */
void loss_batch(const struct label *y, size_t n, const float *gender, const float *age,
                float *dgender, float *dage, struct tally *t);

struct fit_metrics tally_metrics(const struct tally *t);

#endif
