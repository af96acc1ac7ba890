#include "pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The metrics, and what a change of one tells: more is better of shares, less of years. Changes of
   shares are -1, 0 or 1; of years, tenths up to a hundred either way. */
static const int metrics[PAIR_METRICS] = {SCORE_GENDER, SCORE_EXACT, SCORE_MAE, SCORE_CS5,
                                          SCORE_BIN};

static int zero(int i)
{
    return score_is_share(metrics[i]) ? 1 : 1000;
}

static double unit(int i)
{
    return score_is_share(metrics[i]) ? 1 : 0.1;
}

/* What a record contributes to a metric: 0 or 1, or years. */
static double contribution(int metric, const struct score_item *item)
{
    int number = item->count[score_metric_count(metric)];
    if (!score_is_share(metric))
        return fabs(item->error);
    return metric == SCORE_CS5 ? number <= 5 : number == 0;
}

static int add_metric(struct pair_metric *m, int i, const struct score_item *a,
                      const struct score_item *b)
{
    double va = contribution(metrics[i], a), vb = contribution(metrics[i], b), change = vb - va;
    bool share = score_is_share(metrics[i]);
    m->a += va;
    m->b += vb;
    score_sum_add(&m->change.sum, change);
    m->better += share ? change > 0 : change < 0;
    m->worse += share ? change < 0 : change > 0;
    return score_count(&m->change, (size_t)(floor(change / unit(i) + 0.5) + zero(i)));
}

/* Whether two records are of the same image. */
static bool same_id(const struct mien_rec *a, const struct mien_rec *b)
{
    const struct mien_field *x = mien_rec_find(a, MIEN_TAG_ID), *y = mien_rec_find(b, MIEN_TAG_ID);
    if (x == NULL || y == NULL)
        return x == y;
    return x->len == y->len && memcmp(x->data, y->data, x->len) == 0;
}

int pairs_read(struct pairs *p, struct pairs_input *in, struct mien_err *e)
{
    const char *const *name = in->name;
    struct mien_err why;
    int got[2];
    for (int i = 0; i < 2; i++) {
        got[i] = mien_read(in->reader[i], &in->rec[i], &why);
        if (got[i] < 0)
            return strcmp(name[i], "-") == 0 ? mien_err_set(e, got[i], "%s", why.msg)
                                             : mien_err_set(e, got[i], "%s: %s", name[i], why.msg);
    }
    if (got[0] != got[1])
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' ends after %llu records, '%s' doesn't",
                            name[got[0] > 0], (unsigned long long)p->records, name[got[0] == 0]);
    if (got[0] == 0)
        return 0;
    p->records++;
    if (!same_id(&in->rec[0], &in->rec[1]))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "record %llu of '%s' and of '%s' are of different images: --paired "
                            "takes predictions of the same records in the same order",
                            (unsigned long long)p->records, name[0], name[1]);
    return 1;
}

int pairs_add(struct pairs *p, const struct mien_rec *a, const struct mien_rec *b,
              struct mien_err *e)
{
    struct score_label la, lb;
    struct score_prediction pa, pb;
    struct score_item ia, ib;
    if (mien_rec_has(a, MIEN_TAG_ERROR) || mien_rec_has(b, MIEN_TAG_ERROR))
        return 0;
    if (score_read(a, &la, &pa, e) < 0 || score_read(b, &lb, &pb, e) < 0)
        return MIEN_ERR_FORMAT;
    if (la.gender != lb.gender || la.age_lo != lb.age_lo || la.age_hi != lb.age_hi)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the labels of the two differ");
    score_judge(p->rule, &la, &pa, &ia);
    score_judge(p->rule, &lb, &pb, &ib);
    for (int i = 0; i < PAIR_METRICS; i++) {
        int count = score_metric_count(metrics[i]);
        if (ia.count[count] >= 0 && ib.count[count] >= 0 &&
            add_metric(&p->metric[i], i, &ia, &ib) < 0)
            return mien_err_mem(e, sizeof p->metric, "a score");
    }
    return 0;
}

bool pairs_any(const struct pairs *p)
{
    uint64_t n = 0;
    for (int i = 0; i < PAIR_METRICS; i++)
        n += p->metric[i].change.total;
    return n > 0;
}

/* P(X <= k) of a binomial X of n fair trials, from the largest term on down. */
static double fair_tail(uint64_t n, uint64_t k)
{
    double all = (double)n, at = (double)k;
    double term = exp(lgamma(all + 1) - lgamma(at + 1) - lgamma(all - at + 1) - all * log(2));
    double sum = 0;
    for (; term > 0; k--) {
        sum += term;
        if (k == 0 || term < sum * 1e-17)
            break;
        term *= (double)k / (double)(n - k + 1);
    }
    return sum;
}

/* What is known of metric i, which records count for. Returns 0 or MIEN_ERR_MEM. */
static int value_of(const struct pairs *p, int i, int boot, uint64_t seed, struct pair_value *out,
                    struct mien_err *e)
{
    const struct pair_metric *m = &p->metric[i];
    double n = (double)m->change.total;
    uint64_t fewer = m->better < m->worse ? m->better : m->worse;
    *out = (struct pair_value){
        .metric = metrics[i],
        .n = m->change.total,
        .better = m->better,
        .worse = m->worse,
        .a = m->a / n,
        .b = m->b / n,
        .change = score_sum(m->change.sum) / n,
        .interval = {NAN, NAN},
        .p = fmin(1, 2 * fair_tail(m->better + m->worse, fewer)),
    };
    if (boot > 0 && score_bootstrap_mean(&m->change, unit(i), zero(i), out->change, boot,
                                         seed + (uint64_t)i, &out->interval, e) < 0)
        return MIEN_ERR_MEM;
    return 0;
}

int pairs_values(const struct pairs *p, int boot, uint64_t seed,
                 struct pair_value out[PAIR_METRICS], struct mien_err *e)
{
    int n = 0;
    for (int i = 0; i < PAIR_METRICS; i++) {
        if (p->metric[i].change.total > 0 && value_of(p, i, boot, seed, &out[n++], e) < 0)
            return MIEN_ERR_MEM;
    }
    return n;
}

void pairs_free(struct pairs *p)
{
    for (int i = 0; i < PAIR_METRICS; i++)
        free(p->metric[i].change.n);
}
