/*
 * The best constant guess: what a metric would be if one gender or one age were predicted of
 * everybody, the one that does best on these very labels. A number that isn't well above it shows
 * nothing learned.
 */
#ifndef MIEN_SCORE_BASELINE_H
#define MIEN_SCORE_BASELINE_H

#include "score.h"

/* The labels of the records that count; zero-initialized there are none. Tables add up. */
struct baseline {
    uint64_t gender[MIEN_GENDERS];
    uint64_t age[MIEN_AGES];
    uint64_t bin[MIEN_AGES];             /* of the rule's bins */
    uint64_t band[MIEN_AGES][MIEN_AGES]; /* first age, last age */
};

/* Adds a record that score_judge has judged. */
void baseline_add(struct baseline *b, const struct score_label *l, const struct score_item *item);

/* A metric's value by the best constant guess; NaN when there are no labels or a guess makes no
   sense, as for coverages. */
double baseline_value(const struct baseline *b, int metric);

#endif
