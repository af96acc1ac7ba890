/*
 * Age checks: who is judged to be old enough, against who is. The age that is asked of a face, the
 * challenge, lies above the age that the law sets, so that few below that pass; those above it who
 * don't have to show a document. NIST's Face Analysis Technology Evaluation, Age Estimation and
 * Verification (IR 8525, 2024), reports the same two rates.
 */
#ifndef MIEN_SCORE_ASSURANCE_H
#define MIEN_SCORE_ASSURANCE_H

#include "score.h"

/* The records that a decision can be judged of; zero-initialized there are none. Tables add up. */
struct assurance {
    /* By the age that is predicted, its years not rounded: of those who are below the rule's age,
       and of the others. */
    uint64_t below[MIEN_AGES], above[MIEN_AGES];
    /* By the true age, where it is exact: how many, and how many of them pass. */
    uint64_t n[MIEN_AGES], passed[MIEN_AGES];
};

/* Adds a record that score_judge has judged by a rule with an age. */
void assurance_add(struct assurance *a, const struct score_label *l, const struct score_item *item);

/* The rates if the challenge were another age, 0 to 100: the share of those below the rule's age
   that pass, of the others that don't. NaN of none. */
void assurance_rates(const struct assurance *a, int challenge, double *false_positives,
                     double *false_negatives);

/* The area under the curve of the two rates: the probability that of two people, one below the age
   and one not, the latter is judged older; half where their whole years are equal. NaN of none. */
double assurance_auc(const struct assurance *a);

/* The 95% interval of a share, `right` of n > 0 (Wilson 1927). */
struct score_interval assurance_interval(uint64_t right, uint64_t n);

#endif
