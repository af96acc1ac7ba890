/* Which records an epoch sees, in what order, and with what weight. */
#ifndef MIEN_FIT_SAMPLER_H
#define MIEN_FIT_SAMPLER_H

#include "util/hash.h"
#include "inputs.h"
#include "pack_set.h"

/* Records fall into strata of gender and age, five years wide, unknown ones apart. A record's
   weight is (n / (strata * records of its stratum))^power, so that power 1 makes strata equal. */
struct sampler {
    size_t n;
    const struct pack_set *set; /* the caller's, or NULL */
    size_t draws, room;         /* records of an epoch, and elements of an order */
    double *weight;             /* n, of mean about 1 */
    double *cumulative;         /* n, of these times the weights of packs */
};
MIEN_CHECKED int sampler_make(struct sampler *s, const struct inputs *inputs,
                              const struct pack_set *set, double power, struct mien_err *e);
void sampler_free(struct sampler *s);

/* An epoch's order, s->draws records in an array of s->room: with power 0 every record as often as
   its pack's weight says, shuffled; else drawn by weight. */
void sampler_order(const struct sampler *s, double power, struct rng *rng, uint32_t *order);
/* The same, one pack after another and unshuffled, as far as no share of one is drawn. */
void sampler_in_order(const struct sampler *s, struct rng *rng, uint32_t *order);

/* A draw from the Beta(alpha, alpha) distribution. */
double rng_beta(struct rng *rng, double alpha);

#endif
