/*
 * Predictions: from the probabilities of a record to an age and a gender.
 *
 * A prediction is a distribution: two probabilities of gender (female, male) and 101 of age
 * (years 0 to 100). One year can be made of the latter in three ways, the point estimates.
 */
#ifndef MIEN_RECORD_PRED_H
#define MIEN_RECORD_PRED_H

#include <stdbool.h>
#include <stddef.h>

#include "mien/record.h"

#define PRED_INTERVAL 0.8 /* the share that the interval holds which predictions are shown with */
enum { PRED_CLOSE = 5 };  /* years by which a guess of an age may be off and still be good */

/* Whether p is a distribution: finite, nowhere negative, its sum within 0.01 of 1 (half-precision
   weights don't sum to 1 exactly). The functions below take only such. */
bool pred_valid(const float *p, size_t n);

/* The class of the largest probability, the first one of equals. */
int pred_mode(const float *p, size_t n);

/* The three point estimates of age, in years. */
struct pred_age {
    int mode;    /* the most probable year: arg max */
    double mean; /* the expectation, as DEX takes it (Rothe, Timofte, Van Gool 2015) */
    int median;  /* the first year up to which lies half of the probability: it minimises the
                    expected absolute error */
    double sum;  /* of the probabilities: near 1, and dividing by it takes the rounding out */
};
struct pred_age pred_age(const float p[MIEN_AGES]);

/* The standard deviation of an age distribution, in years: how unsure it is. */
double pred_age_sd(const float p[MIEN_AGES]);

/* The central interval of an age distribution that holds the share of it, in whole years: from the
   first age up to which lies (1 - share) / 2 of the probability to the first up to which lies
   (1 + share) / 2. a is pred_age(p), 0 < share < 1. */
void pred_age_interval(const float p[MIEN_AGES], const struct pred_age *a, double share, int *low,
                       int *high);

/* The probability of the ages within PRED_CLOSE years of the expectation, rounded: what the
   distribution claims for CS(5), the confidence in the expected age. a is pred_age(p). */
double pred_age_close(const float p[MIEN_AGES], const struct pred_age *a);

/* How unlikely labels are by a prediction, as a negative power of ten: 3 is one in 1,000. Of an age, or of
   a band from low to high, it is twice the smaller of the probabilities of being at most that old and at
   least that old, so that what counts is how far out it lies; of a gender its own. No more than
   PRED_DOUBT_MAX. */
#define PRED_DOUBT_MAX 12.0
double pred_doubt_age(const float p[MIEN_AGES], int low, int high);
double pred_doubt_gender(const float p[MIEN_GENDERS], int gender);

/* The logit of a probability, ln(p / (1 - p)), which is kept finite: p counts as one of
   1e-7..1 - 1e-7. */
double pred_logit(double p);

/* The probability whose logit is that of p divided by a temperature above 0, plus a shift
   (calibrate.h). A temperature of 1 and no shift leave p as it is. */
double pred_temper(double p, double temperature, double shift);

#endif
