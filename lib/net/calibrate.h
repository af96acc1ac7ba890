/*
 * Calibration: how much of a confidence is right.
 *
 * A confidence is the probability that what is said of a record is so: that the gender is the more
 * probable one, that the age lies within PRED_CLOSE years of the expected one (pred.h). Networks
 * are mostly too sure of themselves. Temperature scaling (Guo, Pleiss, Sun, Weinberger: On
 * calibration of modern neural networks, 2017) divides the confidence's logit by a temperature that
 * makes the confidences of labelled records as likely as can be; for two classes it is the same as
 * dividing theirs. Of ages, the logit is also shifted (Platt: Probabilistic outputs for support
 * vector machines, 1999): distributions that are too wide claim too little, also around 0.5, which
 * no temperature changes. The order of confidences, and what is said, stay the same.
 *
 * The age's distribution itself isn't touched: over single years its best temperature is far
 * higher, since labels prefer some years, and would move the expectation and widen the intervals.
 */
#ifndef MIEN_NET_CALIBRATE_H
#define MIEN_NET_CALIBRATE_H

#include "mien/buf.h"
#include "record/pred.h"
#include "mien/prep.h"

#define CALIBRATE_MIN   0.05
#define CALIBRATE_MAX   20.0
#define CALIBRATE_SHIFT 5.0 /* at most, either way */

/* The logit of a confidence, and whether what is said is right. */
struct claim {
    float logit;
    bool right;
};

struct scaling {
    double temperature, shift;
};

/* Confidences of labelled records. Zero-initialized it is empty. */
struct calibration {
    struct mien_buf gender, age; /* claims */
    bool failed;                 /* there was no memory for one */
};

/* Add a record's prediction. A label that is no gender, or no age, is unknown. Return 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int calibration_add_gender(struct calibration *c, const float p[MIEN_GENDERS],
                                        int gender);
MIEN_CHECKED int calibration_add_age(struct calibration *c, const float p[MIEN_AGES], int age);

/* Sets a model's temp_gender, temp_age and shift_age (model.h), or removes them where there are no
   confidences, and frees the memory. Returns 0, MIEN_ERR_MEM or MIEN_ERR_LIMIT. */
MIEN_CHECKED int calibration_end(struct calibration *c, struct mien_prep *model);

/* The temperature, within CALIBRATE_MIN..CALIBRATE_MAX, and with `shifted` also the shift, else 0,
   that make n claims the most likely: the sum of their negative log-likelihoods is the least. A
   temperature far from 1 and a shift count as one more observation each against them,
   (ln T)^2 / 2 and shift^2 / 2, so that few records, or such without an error, don't make
   certainty. 1 and 0 for none. */
struct scaling calibrate(const struct claim *c, size_t n, bool shifted);

#endif
