/*
 * Calibration: how much of a confidence is right.
 *
 * A confidence is the probability that what is said of a record is so: that the gender is the more
 * probable one, that the age lies within PRED_CLOSE years of the expected one (pred.h). Networks
 * are mostly too sure of themselves. Temperature scaling (Guo, Pleiss, Sun, Weinberger: On
 * calibration of modern neural networks, 2017) divides the confidence's logit by a temperature that
 * makes the confidences of labelled records as likely as can be; for two classes it is the same as
 * dividing theirs. The order of confidences, and what is said, stay the same.
 *
 * The age's distribution itself isn't touched: over single years its best temperature is far
 * higher, since labels prefer some years, and would move the expectation and widen the intervals.
 */
#ifndef MIEN_NET_CALIBRATE_H
#define MIEN_NET_CALIBRATE_H

#include "mien/buf.h"
#include "record/pred.h"
#include "mien/prep.h"

#define CALIBRATE_MIN 0.05
#define CALIBRATE_MAX 20.0

/* Confidences of labelled records, as margins: the logit, negative where what is said is wrong.
   Zero-initialised it is empty. */
struct calibration {
    struct mien_buf gender, age; /* floats */
    bool failed;                 /* there was no memory for one */
};

/* Add a record's prediction. A label that is no gender, or no age, is unknown. Return 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int calibration_add_gender(struct calibration *c, const float p[MIEN_GENDERS],
                                        int gender);
MIEN_CHECKED int calibration_add_age(struct calibration *c, const float p[MIEN_AGES], int age);

/* Sets a model's temp_gender and temp_age (model.h), or removes them where there are no
   confidences, and frees the memory. Returns 0, MIEN_ERR_MEM or MIEN_ERR_LIMIT. */
MIEN_CHECKED int calibration_end(struct calibration *c, struct mien_prep *model);

/* The temperature of n margins, within CALIBRATE_MIN..CALIBRATE_MAX: the one with the least
   negative log-likelihood, the sum of log(1 + exp(-margin / T)). A temperature far from 1 counts as
   one more observation against it, (ln T)^2 / 2, so that few records, or such without an error,
   don't make certainty. 1 for none. */
double calibrate(const float *margin, size_t n);

#endif
