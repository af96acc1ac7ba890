#include "confidence.h"

#include <math.h>

void confidence_add(struct confidence *c, double p, bool right, double loss)
{
    int bin = (int)(p * CONFIDENCE_BINS), level = (int)(p * (CONFIDENCE_LEVELS - 1));
    bin = bin < CONFIDENCE_BINS ? bin : CONFIDENCE_BINS - 1;
    level = level < CONFIDENCE_LEVELS ? level : CONFIDENCE_LEVELS - 1;
    c->n++;
    c->bin[bin].n++;
    c->bin[bin].right += right;
    score_sum_add(&c->bin[bin].sum, p);
    c->level[level].n++;
    score_sum_add(&c->level[level].loss, loss);
}

double confidence_ece(const struct confidence *c)
{
    double sum = 0;
    for (int i = 0; i < CONFIDENCE_BINS; i++)
        sum += fabs(score_sum(c->bin[i].sum) - (double)c->bin[i].right);
    return c->n == 0 ? NAN : sum / (double)c->n;
}

double confidence_risk(const struct confidence *c, double coverage, double *least, double *share)
{
    uint64_t n = 0;
    struct score_sum loss = {0};
    int i = CONFIDENCE_LEVELS;
    while (i > 0 && (n == 0 || (double)n < coverage * (double)c->n)) {
        i--;
        n += c->level[i].n;
        score_sum_merge(&loss, c->level[i].loss);
    }
    *least = (double)i / (CONFIDENCE_LEVELS - 1);
    *share = c->n == 0 ? NAN : (double)n / (double)c->n;
    return n == 0 ? NAN : score_sum(loss) / (double)n;
}
