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

int sampler_make(struct sampler *s, const struct inputs *inputs, double power, struct mien_err *e)
{
    size_t count[STRATA] = {0}, n = inputs->pack->n, used = 0;
    *s = (struct sampler){.n = n};
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
    for (size_t i = 0; i < n; i++) {
        struct label y = inputs_label(inputs, i);
        s->weight[i] = pow((double)n / ((double)used * (double)count[stratum(&y)]), power);
        sum += s->weight[i];
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

void sampler_order(const struct sampler *s, double power, struct rng *rng, uint32_t *order)
{
    for (size_t i = 0; i < s->n; i++)
        order[i] = (uint32_t)i;
    if (power == 0) {
        rng_shuffle(rng, order, s->n);
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
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
