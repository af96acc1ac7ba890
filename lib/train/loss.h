/* The loss of a batch and its gradient, and what it says of the predictions. */
#ifndef MIEN_NN_LOSS_H
#define MIEN_NN_LOSS_H

#include "mien/age_head.h"
#include "mien/fit.h"

/* Labels of one record as a pack has them, PACK_UNKNOWN where there is none, and the weights that
   the losses of its gender and age have. */
struct label {
    uint8_t age, gender, band[2];
    float w_gender, w_age;
};

/* A model's heads, of which one may be missing. */
struct heads {
    int gender, age;               /* layers, or -1 */
    int gender_logits, age_logits; /* those that they read */
    int genders;                   /* outputs: 2 of a softmax, 1 (the probability of male), or 0 */
    struct age_head years;
};

/* Finds them. Returns 0, or ERR_ARG or ERR_FORMAT when there are none that can be trained. */
int heads_find(struct heads *h, const struct model *m, struct err *e);

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

/* Whether options and heads go together. Returns 0, or ERR_ARG with what doesn't. */
int loss_check(const struct fit_config *c, const struct heads *h, struct err *e);

/* Adds n records' losses, and compares predictions with labels, to t. gender and age are the heads'
   outputs, n rows; of a head that isn't there NULL. dgender and dage, which may be NULL, receive the
   gradients of the batch's loss with respect to the logits. c gives sigma, l1 and smoothing; with c
   NULL it is plain cross-entropy. mix may be NULL. Records without a label don't count. */
void loss_batch(const struct fit_config *c, const struct heads *h, const struct label *y, size_t n,
                const struct mix *mix, const float *gender, const float *age, float *dgender,
                float *dage, struct tally *t);

/* The loss of outputs that know nothing: all classes equally likely, all thresholds undecided, the
   expected age off by a third of all ages. */
double loss_of_guessing(const struct fit_config *c, const struct heads *h);

void tally_add(struct tally *sum, const struct tally *t);
struct fit_metrics tally_metrics(const struct tally *t);

#endif
