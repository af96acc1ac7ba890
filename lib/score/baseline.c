#include "baseline.h"

#include <math.h>
#include <stdlib.h>

#include "internal.h"

void baseline_add(struct baseline *b, const struct score_label *l, const struct score_item *item)
{
    if (item->count[COUNT_GENDER] >= 0)
        b->gender[l->gender]++;
    if (item->count[COUNT_POINT] >= 0)
        b->age[l->age_lo]++;
    if (item->count[COUNT_BIN] >= 0)
        b->bin[item->bin]++;
    if (item->count[COUNT_BAND] >= 0)
        b->band[l->age_lo][l->age_hi]++;
}

/* What a guess adds to a histogram of errors: n records with the error. */
struct errors {
    uint64_t n[MIEN_AGES], total;
};

static void add(struct errors *h, int error, uint64_t n)
{
    h->n[error] += n;
    h->total += n;
}

/* The errors of the guess in the numbers of a count. */
static struct errors errors_of(const struct baseline *b, int count, int guess)
{
    struct errors h = {.total = 0};
    switch (count) {
    case COUNT_GENDER:
        for (int i = 0; guess < MIEN_GENDERS && i < MIEN_GENDERS; i++)
            add(&h, i != guess, b->gender[i]);
        break;
    case COUNT_BIN:
        for (int i = 0; i < MIEN_AGES; i++)
            add(&h, abs(i - guess), b->bin[i]);
        break;
    case COUNT_BAND:
        for (int lo = 0; lo < MIEN_AGES; lo++) {
            for (int hi = lo; hi < MIEN_AGES; hi++)
                add(&h, guess < lo ? lo - guess : guess > hi ? guess - hi : 0, b->band[lo][hi]);
        }
        break;
    case COUNT_MEAN:
    case COUNT_MODE:
    case COUNT_MEDIAN:
    case COUNT_POINT:
        for (int i = 0; i < MIEN_AGES; i++)
            add(&h, abs(i - guess), b->age[i]);
        break;
    default: /* a coverage, a bias, a decision: no guess is best */
        break;
    }
    return h;
}

double baseline_value(const struct baseline *b, int metric)
{
    bool share = score_is_share(metric);
    int count = score_metric_count(metric);
    double best = NAN;
    for (int guess = 0; guess < MIEN_AGES; guess++) {
        struct errors h = errors_of(b, count, guess);
        if (h.total == 0)
            continue;
        double v = score_of_errors(metric, h.n, MIEN_AGES, h.total);
        if (isnan(best) || (share ? v > best : v < best))
            best = v;
    }
    return best;
}
