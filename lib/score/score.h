/*
 * Scores: how well predictions of age and gender agree with labels.
 *
 * Every metric is a mean, or a share, of one small whole number that a record contributes: an error
 * in years, a distance in bins, right or wrong. So a score keeps histograms of those numbers, takes
 * constant memory however many records it sees, and can be resampled for confidence intervals.
 *
 *   struct score_rule rule = {.point = SCORE_MEAN};
 *   score_bins(&rule, NULL, NULL);
 *   for every record: score_judge(&rule, &label, p_gender, p_age, &item); score_add(&s, &item);
 *   score_value(&s, SCORE_MAE, NULL)
 */
#ifndef MIEN_SCORE_SCORE_H
#define MIEN_SCORE_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "record/pred.h"
#include "sum.h"

/* The metrics. mien-score(1) defines them and names their sources. */
enum score_metric {
    SCORE_GENDER,          /* share whose more probable gender is right */
    SCORE_GENDER_COVERAGE, /* of records with a gender: share that has a prediction of it */
    SCORE_EXACT,           /* share whose most probable age is right, of 101 */
    SCORE_MAE,             /* mean absolute error of the expectation, in years */
    SCORE_MAE_MEDIAN,      /* of the median */
    SCORE_MAE_MODE,        /* of the most probable age */
    SCORE_BIAS,            /* mean of expectation minus age, in years */
    SCORE_CS0,             /* cumulative scores: share with an error of at most 0, ... */
    SCORE_CS5 = SCORE_CS0 + 5,
    SCORE_CS10 = SCORE_CS0 + 10, /* ... 10 years */
    SCORE_INTERVAL,              /* share of ages within the central 80% of the distribution */
    SCORE_AGE_COVERAGE,          /* as SCORE_GENDER_COVERAGE, of ages and age bands */
    SCORE_BIN,                   /* share whose bin of ages is right */
    SCORE_ONE_OFF,               /* share whose bin is right or a neighbor of it */
    SCORE_BAND,                  /* of records with an age band: share that lies within it */
    SCORE_BAND_YEARS,            /* mean distance from it, in years; 0 within */
    SCORE_FALSE_POSITIVE, /* of those below the rule's age: share judged at or above challenge */
    SCORE_FALSE_NEGATIVE, /* of those of the rule's age or above: share judged below challenge */
    SCORE_METRICS
};

/* What is counted: the numbers that a record contributes. */
enum score_count {
    COUNT_GENDER,        /* 0 right, 1 wrong */
    COUNT_MODE,          /* |most probable age - age|, in years */
    COUNT_MEDIAN,        /* |median - age| */
    COUNT_MEAN,          /* |expectation - age|, in tenths of a year */
    COUNT_BIAS,          /* expectation - age, in years, 100 being 0 */
    COUNT_INTERVAL,      /* 0 the age is within the central 80%, 1 it isn't */
    COUNT_POINT,         /* |point estimate - age| */
    COUNT_BIN,           /* distance in bins of the point estimate from the label */
    COUNT_BAND,          /* distance in years of the point estimate from the band */
    COUNT_GENDER_UNSAID, /* of a record with a label: 0 there is a prediction, 1 there is none */
    COUNT_AGE_UNSAID,
    COUNT_PASSED, /* of those below the rule's age: 0 judged at or above challenge, 1 below */
    COUNT_FAILED, /* of the others: 0 judged below challenge, 1 at or above */
    SCORE_COUNTS
};

/* The point estimate that cumulative scores, bins and bands judge, rounded to whole years. */
enum score_point { SCORE_MEAN, SCORE_MEDIAN, SCORE_MODE };

struct score_rule {
    enum score_point point;
    int nbins;
    int bin_of[MIEN_AGES];    /* by age, ascending from 0 */
    int bin_first[MIEN_AGES]; /* the youngest age of each bin */
    int over;                 /* who is this old may pass; 0: nothing is decided */
    int challenge;            /* who is judged to be this old, unrounded, does pass */
};

/* Sets the bins: by their youngest ages, ascending from 0 ("0,13,20,60"), by a name ("decades":
   0-9, 10-19, ... 60 and older; "fairface"; "adience"), or, with NULL, decades. Returns 0 or
   MIEN_ERR_ARG. */
MIEN_CHECKED int score_bins(struct score_rule *rule, const char *text, struct mien_err *e);

/* The name of a bin, "0-9" or "60+". */
const char *score_bin_name(const struct score_rule *rule, int bin, char buf[16]);

struct score_label {
    int gender;         /* 0 female, 1 male, -1 unknown */
    int age_lo, age_hi; /* 0 to 100; the same but for a band; -1 unknown */
};

/* The bin of a label, or -1 when it has none: unknown, or a band that lies in several. */
int score_label_bin(const struct score_rule *rule, const struct score_label *l);

/* What is predicted of a record. */
struct score_prediction {
    const float *p_gender, *p_age; /* 2 and 101 probabilities, NULL when absent */
    struct pred_age age;
    double conf_gender, conf_age; /* in the more probable gender; in an age within PRED_CLOSE years
                                     of the expectation */
};

/* A prediction by its distributions, which are such that pred_valid holds, or NULL. */
struct score_prediction score_predict(const float *p_gender, const float *p_age);

/* A record's contribution to a score. */
struct score_item {
    int count[SCORE_COUNTS]; /* -1: none, the label or the prediction is absent */
    double error; /* expectation - age, in years, which COUNT_MEAN and COUNT_BIAS round */
    int gender, pred_gender, bin, pred_bin;
    int point;     /* the age that cumulative scores judge */
    int whole_age; /* its years before it is rounded */
    bool close;    /* the expectation, rounded, is within PRED_CLOSE years of the age */
};

/* Compares a prediction with a label. */
void score_judge(const struct score_rule *rule, const struct score_label *l,
                 const struct score_prediction *p, struct score_item *out);

/* How often a number occurred. */
struct score_histogram {
    uint64_t *n; /* of each number below len */
    size_t len;
    uint64_t total;
    struct score_sum
        sum; /* of what is counted, for COUNT_MEAN and COUNT_BIAS unrounded, in years */
};

/* A score. Zero-initialized it is empty; its owner frees it. */
struct score {
    struct score_histogram count[SCORE_COUNTS];
    uint64_t gender[MIEN_GENDERS][MIEN_GENDERS]; /* label, prediction */
};

/* Adds a record's contribution. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int score_add(struct score *s, const struct score_item *item);

/* Adds what another score has counted. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int score_merge(struct score *s, const struct score *other);

void score_free(struct score *s);

/* A metric's value, and in n, unless NULL, of how many records; NaN when there are none. */
double score_value(const struct score *s, int metric, uint64_t *n);

/* The metric's name in TSV and JSON ("gender_accuracy"), and in words ("accuracy"). */
const char *score_name(int metric);
const char *score_title(int metric);

/* Whether it tells how much was predicted rather than how well. */
bool score_is_coverage(int metric);

/* Whether a metric is a share, between 0 and 1, rather than years. */
bool score_is_share(int metric);

/* 95% confidence intervals of all metrics by the percentile bootstrap, from b resamples of as many
   records; NaN where a metric has no records or b is 0. The time does not depend on the number of
   records. Returns 0 or MIEN_ERR_MEM. */
struct score_interval {
    double low, high;
};
MIEN_CHECKED int score_bootstrap(const struct score *s, int b, uint64_t seed,
                                 struct score_interval out[SCORE_METRICS], struct mien_err *e);

#endif
