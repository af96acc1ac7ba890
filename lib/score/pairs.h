/*
 * Two predictions of the same records: whether one is better, which is known more precisely than
 * either value, since their errors are correlated.
 */
#ifndef MIEN_SCORE_PAIRS_H
#define MIEN_SCORE_PAIRS_H

#include "run.h"

enum { PAIR_METRICS = 5 };

/* A metric of both, over the records for which both have it. */
struct pair_metric {
    struct score_histogram change; /* b's contribution less a's; sum unrounded */
    double a, b;                   /* the sums of their contributions */
    uint64_t better, worse;        /* records that b is better at, and a */
};

/* Zero-initialized but for rule it is empty; its owner frees it. */
struct pairs {
    const struct score_rule *rule;
    uint64_t records;
    struct pair_metric metric[PAIR_METRICS];
};

/* Two streams of predictions of the same records, in the same order. */
struct pairs_input {
    struct mien_reader *reader[2]; /* the caller's */
    const char *name[2];           /* for messages; "-" is standard input */
    struct mien_rec rec[2];        /* those read last, which the owner frees */
};

/* Reads the next record of both and counts it. Returns 1; 0 at the end of both; MIEN_ERR_ARG where
   one ends before the other, or they are of different images; or mien_read's errors. */
MIEN_CHECKED int pairs_read(struct pairs *p, struct pairs_input *in, struct mien_err *e);

/* Adds a record as a and b predict it. Returns 0; MIEN_ERR_FORMAT where one of them, or a label, is
   impossible, or their labels differ; or MIEN_ERR_MEM. */
MIEN_CHECKED int pairs_add(struct pairs *p, const struct mien_rec *a, const struct mien_rec *b,
                           struct mien_err *e);

/* Whether any record has a label and both predictions. */
bool pairs_any(const struct pairs *p);

/* What is known of a metric. */
struct pair_value {
    int metric;
    uint64_t n, better, worse;
    double a, b, change;            /* b - a; n > 0 */
    struct score_interval interval; /* of the change; NaN without resamples */
    /* The exact two-sided sign test: how probable it would be, were neither better, that the
       records that they differ at are divided so unevenly or more (Dixon, Mood 1946; for shares
       it is McNemar's exact test). */
    double p;
};

/* Those of all metrics that any record counts for. Returns how many they are, or MIEN_ERR_MEM. */
MIEN_CHECKED int pairs_values(const struct pairs *p, int boot, uint64_t seed,
                              struct pair_value out[PAIR_METRICS], struct mien_err *e);

/* Appends the report on two files. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int pairs_report(const struct score_report *o, const struct pairs *p, const char *a,
                              const char *b, struct mien_buf *out);

void pairs_free(struct pairs *p);

#endif
