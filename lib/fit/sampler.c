#include "sampler.h"

#include <math.h>
#include <stdlib.h>

enum { GENDERS = 3, AGES = 22, STRATA = GENDERS * AGES };

static int stratum(const struct label *y)
{
    int gender = y->gender < 2 ? y->gender : 2;
    int age = y->age != MIEN_PACK_UNKNOWN       ? y->age / 5
              : y->band[0] != MIEN_PACK_UNKNOWN ? (y->band[0] + y->band[1]) / 10
                                                : AGES - 1;
    return gender * AGES + age;
}

/* Fills what is left of a sampler but for its weights. */
static void count_draws(struct sampler *s)
{
    s->draws = s->room = pack_set_draws(s->set, s->n);
    for (size_t k = 0; s->set != NULL && k < s->set->n; k++)
        s->room += s->set->records[k]; /* of which a share is drawn */
}

int sampler_make(struct sampler *s, const struct inputs *inputs, const struct pack_set *set,
                 double power, struct mien_err *e)
{
    size_t count[STRATA] = {0}, n = inputs->pack->n, used = 0;
    *s = (struct sampler){.n = n, .set = set};
    count_draws(s);
    s->weight = malloc(n * sizeof *s->weight);
    s->cumulative = malloc(n * sizeof *s->cumulative);
    if (s->weight == NULL || s->cumulative == NULL) {
        sampler_free(s);
        return mien_err_mem(e, n * sizeof *s->weight, "the records' weights");
    }
    for (size_t i = 0; i < n; i++) {
        struct label y = inputs_label(inputs, i);
        used += count[stratum(&y)]++ == 0;
    }
    double sum = 0;
    for (size_t i = 0, k = 0, end = set != NULL ? set->records[0] : n; i < n; i++) {
        struct label y = inputs_label(inputs, i);
        while (i >= end)
            end += set->records[++k];
        s->weight[i] = pow((double)n / ((double)used * (double)count[stratum(&y)]), power);
        sum += s->weight[i] * (set != NULL ? set->weight[k] : 1);
        s->cumulative[i] = sum;
    }
    return 0;
}

void sampler_free(struct sampler *s)
{
    free(s->weight);
    free(s->cumulative);
    s->weight = s->cumulative = NULL;
}

void sampler_in_order(const struct sampler *s, struct rng *rng, uint32_t *order)
{
    size_t at = 0, first = 0, packs = s->set != NULL ? s->set->n : 1;
    for (size_t k = 0; k < packs; k++) {
        size_t n = s->set != NULL ? s->set->records[k] : s->n, some;
        size_t left = s->set != NULL ? pack_set_draws_of(s->set, k) : s->n;
        for (; left > 0; at += some, left -= some) {
            for (size_t i = 0; i < n; i++)
                order[at + i] = (uint32_t)(first + i);
            some = left < n ? left : n;
            if (some < n)
                rng_shuffle(rng, order + at, n);
        }
        first += n;
    }
}

void sampler_order(const struct sampler *s, double power, struct rng *rng, uint32_t *order)
{
    if (power == 0) {
        sampler_in_order(s, rng, order);
        rng_shuffle(rng, order, s->draws);
        return;
    }
    for (size_t i = 0; i < s->draws; i++) {
        double u = rng_uniform(rng) * s->cumulative[s->n - 1];
        size_t lo = 0, hi = s->n - 1; /* the first record whose cumulative weight exceeds u */
        while (lo < hi) {
            size_t mid = (lo + hi) / 2;
            if (s->cumulative[mid] > u)
                hi = mid;
            else
                lo = mid + 1;
        }
        order[i] = (uint32_t)lo;
    }
}

/* A draw from the Gamma(shape, 1) distribution (Marsaglia and Tsang 2000). */
static double rng_gamma(struct rng *rng, double shape)
{
    if (shape < 1) {
        double u = 1 - rng_uniform(rng);
        return rng_gamma(rng, shape + 1) * pow(u, 1 / shape);
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(rng), v = 1 + c * x;
        double u = 1 - rng_uniform(rng);
        v = v * v * v;
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double rng_beta(struct rng *rng, double alpha)
{
    double a = rng_gamma(rng, alpha), b = rng_gamma(rng, alpha);
    return a + b > 0 ? a / (a + b) : 0.5;
}
