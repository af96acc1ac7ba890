/* Which records an epoch sees, in what order, and with what weight. */
#ifndef MIEN_FIT_SAMPLER_H
#define MIEN_FIT_SAMPLER_H

#include "util/hash.h"
#include "inputs.h"

/* Records fall into strata of gender and age, five years wide, unknown ones apart. A record's
   weight is (n / (strata * records of its stratum))^power, so that power 1 makes strata equal. */
struct sampler {
    size_t n;
    double *weight;     /* n, of mean about 1 */
    double *cumulative; /* n */
};
MIEN_CHECKED int sampler_make(struct sampler *s, const struct inputs *inputs, double power,
                              struct mien_err *e);
void sampler_free(struct sampler *s);

/* An epoch's order: with power 0 every record once, shuffled; else n draws by weight. */
void sampler_order(const struct sampler *s, double power, struct rng *rng, uint32_t *order);

/* A draw from the Beta(alpha, alpha) distribution. */
double rng_beta(struct rng *rng, double alpha);

#endif
