/* The loss of a batch and its gradient, and what it says of the predictions. */
#ifndef MIEN_TRAIN_LOSS_H
#define MIEN_TRAIN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "net/heads.h"

/* What the labels of ages become, and what is added to cross-entropy. Zeros: nothing. */
struct loss_options {
    double sigma;     /* ages are Gaussians of this deviation; 0: single classes */
    double l1;        /* weight of the expected age's absolute error */
    double smoothing; /* share of the label spread over all classes */
    double teacher; /* share of the loss that compares with a teacher's answer, where there is one;
                         all of it without a label */
};

/* How good a model is on a part of the data. Each head's figures are over the records that have its
   label: n_gender, n_age (whole years only); 0 and 0 for a head that the model lacks. */
struct metrics {
    double loss;
    double gender_accuracy;
    double age_exact; /* the most probable class of age, a year or bin, is the right one */
    double age_mae;   /* of the expectation */
    double age_cs5;   /* share with |expectation, rounded - age| <= 5 */
    size_t n_gender, n_age;
};

/* Labels of one record as a pack has them, 255 where there is none, and the weights that
   the losses of its gender and age have. */
struct label {
    uint8_t age, gender, band[2];
    float w_gender, w_age;

    /* Probabilities that a teacher gives to the genders and the ages (Hinton and others 2015), or
       NULL. */
    const float *taught_gender, *taught_age;
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

/* Whether options and heads go together. Returns 0, or MIEN_ERR_ARG with what doesn't. */
MIEN_CHECKED int loss_check(const struct loss_options *c, const struct heads *h,
                            struct mien_err *e);

/* Adds n records' losses, and compares predictions with labels, to t. gender and age are the heads'
   outputs, n rows; of a head that isn't there NULL. dgender and dage, which may be NULL, receive
   the gradients of the batch's loss with respect to the logits. With c NULL it is plain
   cross-entropy. mix may be NULL. Records without a label don't count. */
void loss_batch(const struct loss_options *c, const struct heads *h, const struct label *y,
                size_t n, const struct mix *mix, const float *gender, const float *age,
                float *dgender, float *dage, struct tally *t);

/* The loss of outputs that know nothing: all classes equally likely, all thresholds undecided, the
   expected age off by a third of all ages. */
double loss_of_guessing(const struct loss_options *c, const struct heads *h);

void tally_add(struct tally *sum, const struct tally *t);
struct metrics tally_metrics(const struct tally *t);

#endif
