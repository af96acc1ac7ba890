/* What lib/score's files share and the rest of the library doesn't see. */
#ifndef MIEN_SCORE_INTERNAL_H
#define MIEN_SCORE_INTERNAL_H

#include "util/hash.h"
#include "run.h"

/* The count that a metric is made of. */
int score_metric_count(int metric);

/* The metric of a histogram: n[i] of total records contributed the number i. total > 0. */
double score_of_counts(int metric, const uint64_t *n, size_t len, uint64_t total);

/* The same of a histogram whose numbers are errors of whole years, bins or decisions, not in the
   scale of their count. */
double score_of_errors(int metric, const uint64_t *n, size_t len, uint64_t total);

/* Adds a number to a histogram, not to its sum. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int score_count(struct score_histogram *h, size_t number);

/* The 95% interval of a histogram's mean around its exact value, by the percentile bootstrap from
   b > 0 resamples: a number stands for unit * (number - zero). Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int score_bootstrap_mean(const struct score_histogram *h, double unit, int zero,
                                      double exact, int b, uint64_t seed,
                                      struct score_interval *out, struct mien_err *e);

/* The slice of that name, made when it is new; the slice of all others when there are too many.
   Returns its number or MIEN_ERR_MEM. */
long long score_run_slice(struct score_run *run, const char *name, size_t len);

/* A binomial random number: how many of n trials of probability p succeed. 0 <= p <= 1. */
uint64_t score_binomial(struct rng *rng, uint64_t n, double p);

#endif
