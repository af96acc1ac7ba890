#include "assurance.h"

#include <math.h>

void assurance_add(struct assurance *a, const struct score_label *l, const struct score_item *item)
{
    bool below = item->count[COUNT_PASSED] >= 0, above = item->count[COUNT_FAILED] >= 0;
    if (!below && !above)
        return;
    (below ? a->below : a->above)[item->whole_age]++;
    if (l->age_lo == l->age_hi) {
        a->n[l->age_lo]++;
        a->passed[l->age_lo] += below ? item->count[COUNT_PASSED] == 0 : item->count[COUNT_FAILED];
    }
}

/* How many of the records there are, and of those from an age on. */
static double share_from(const uint64_t n[MIEN_AGES], int from)
{
    uint64_t all = 0, some = 0;
    for (int i = 0; i < MIEN_AGES; i++) {
        all += n[i];
        some += i >= from ? n[i] : 0;
    }
    return all == 0 ? NAN : (double)some / (double)all;
}

void assurance_rates(const struct assurance *a, int challenge, double *false_positives,
                     double *false_negatives)
{
    *false_positives = share_from(a->below, challenge);
    *false_negatives = 1 - share_from(a->above, challenge);
}

double assurance_auc(const struct assurance *a)
{
    double won = 0, below = 0, above = 0;
    for (int i = 0; i < MIEN_AGES; i++) {
        won += (double)a->above[i] * (below + (double)a->below[i] / 2);
        below += (double)a->below[i];
        above += (double)a->above[i];
    }
    return below > 0 && above > 0 ? won / (below * above) : NAN;
}

struct score_interval assurance_interval(uint64_t right, uint64_t n)
{
    const double z = 1.959963984540054; /* the normal distribution's 97.5% */
    double all = (double)n, p = (double)right / all, square = z * z / all;
    double middle = (p + square / 2) / (1 + square);
    double half = z / (1 + square) * sqrt(p * (1 - p) / all + square / (4 * all));
    return (struct score_interval){fmax(middle - half, 0), fmin(middle + half, 1)};
}
