/* What lib/score's files share and the rest of the library doesn't see. */
#ifndef MIEN_SCORE_INTERNAL_H
#define MIEN_SCORE_INTERNAL_H

#include "util/hash.h"
#include "score.h"

/* The count that a metric is made of. */
int score_metric_count(int metric);

/* The metric of a histogram: n[i] of total records contributed the number i. total > 0. */
double score_of_counts(int metric, const uint64_t *n, size_t len, uint64_t total);

/* A binomial random number: how many of n trials of probability p succeed. 0 <= p <= 1. */
uint64_t score_binomial(struct rng *rng, uint64_t n, double p);

#endif
