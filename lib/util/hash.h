/* A keyed 64-bit hash and the random numbers made of it. Results are the same on every machine, but
   for those of rng_normal: it takes the logarithm and the cosine of the C library. */
#ifndef MIEN_UTIL_HASH_H
#define MIEN_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of n bytes under the key (seed, 0): an input can't
   be made to collide without knowing the seed, and every bit of the result is usable. */
uint64_t hash_bytes(uint64_t seed, const void *p, size_t n);

/* A bijective mixer of 64 bits (the finaliser of SplitMix64: Steele, Lea, Flood 2014). */
uint64_t hash_mix(uint64_t x);

/* A stream of random numbers: SplitMix64. Seeding two streams with hash_mix(seed ^ k) for
   different k makes them independent, so that a result doesn't depend on order or threads. */
struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *r);                       /* 64 uniform bits */
double rng_uniform(struct rng *r);                      /* uniform in [0, 1), 53 bits */
uint64_t rng_below(struct rng *r, uint64_t n);          /* uniform in 0..n-1 without bias; n > 0 */
double rng_normal(struct rng *r);                       /* standard normal (Box-Muller) */
void rng_shuffle(struct rng *r, uint32_t *v, size_t n); /* Fisher-Yates */

#endif
