#include "bf16.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "util/aligned.h"

SIMD void bf16_widen(const bfloat *restrict x, real *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bf16_float(x[i]);
}

SIMD void bf16_narrow(const real *restrict x, bfloat *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bf16_round((float)x[i]);
}

SIMD void bf16_add(bfloat *restrict y, const bfloat *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bf16_round(bf16_float(y[i]) + bf16_float(x[i]));
}

/* --- Balanced rounding ---------------------------------------------------------------------- */

/* Units that are rounded side by side. */
enum { UNITS = 16 };

typedef float floats __attribute__((vector_size(UNITS * sizeof(float))));
typedef int32_t words __attribute__((vector_size(UNITS * sizeof(int32_t))));

/* The weights that multiply one input, and how each can be rounded. */
struct roundings {
    floats nearest, other;
    floats gain; /* what the other adds to the unit's mean error, or 0: it isn't taken */
    words cost;  /* what it adds to the size of the weight's own error: a float's bits */
};

/* error is what the nearest add up to. */
SIMD static void round_weights(const float *w, float mean, struct roundings *r, floats *error)
{
    for (int u = 0; u < UNITS; u++) {
        float nearest = bf16_float(bf16_round(w[u])), other, cost;
        uint32_t bits;
        memcpy(&bits, &nearest, sizeof bits);
        bits += fabsf(nearest) < fabsf(w[u]) ? 0x10000 : -0x10000u;
        memcpy(&other, &bits, sizeof other);
        cost = fabsf(other - w[u]) - fabsf(nearest - w[u]);
        float gain = (other - nearest) * mean, off = (nearest - w[u]) * mean;
        bool choice = off != 0 && fabsf(gain) <= FLT_MAX && fabsf(w[u]) >= FLT_MIN;
        r->nearest[u] = nearest;
        r->other[u] = choice ? other : nearest;
        r->gain[u] = choice ? gain : 0;
        memcpy(&bits, &cost, sizeof bits);
        r->cost[u] = (int32_t)bits;
        (*error)[u] += choice ? off : 0;
    }
}

/* Of what lessens each unit's error, what the others below a cost add up to. */
SIMD static void sum_below(const struct roundings *r, size_t terms, const words *cost, floats *sum)
{
    const words limit = *cost;
    floats gains = {0};
    for (size_t t = 0; t < terms; t++)
        gains += (floats)((words)r[t].gain & (r[t].cost < limit));
    *sum = gains;
}

/* Chooses the others that cost least, until the errors cancel; nearest becomes what is chosen. */
SIMD static void balance(struct roundings *r, size_t terms, const floats *error)
{
    enum { PASSES = 11 }; /* which find the cost to an eighth of a factor of two */
    words low = {0}, high = low + 0x7f800000;
    floats sum;
    for (size_t t = 0; t < terms; t++)
        r[t].gain = (floats)((words)r[t].gain & (r[t].gain * *error < 0));
    for (int pass = 0; pass < PASSES; pass++) {
        words middle = low + (high - low) / 2;
        sum_below(r, terms, &middle, &sum);
        for (int u = 0; u < UNITS; u++) {
            if (fabsf(sum[u]) > fabsf((*error)[u]))
                high[u] = middle[u];
            else
                low[u] = middle[u];
        }
    }
    sum_below(r, terms, &low, &sum);
    floats left = *error + sum;
    for (size_t t = 0; t < terms; t++) {
        for (int u = 0; u < UNITS; u++) {
            float gain = r[t].gain[u];
            bool sure = r[t].cost[u] < low[u];
            bool helps = r[t].cost[u] < high[u] && fabsf(left[u] + gain) < fabsf(left[u]);
            left[u] += !sure && helps ? gain : 0;
            r[t].nearest[u] = gain != 0 && (sure || helps) ? r[t].other[u] : r[t].nearest[u];
        }
    }
}

int bf16_balance(const float *w, size_t terms, size_t units, const float *mean, size_t channels,
                 float *y)
{
    struct roundings *r = aligned_new(terms, sizeof *r);
    if (r == NULL)
        return MIEN_ERR_MEM;
    for (size_t first = 0; first < units; first += UNITS) {
        const size_t n = units - first < UNITS ? units - first : UNITS;
        float some[UNITS] = {0};
        floats error = {0};
        for (size_t t = 0; t < terms; t++) {
            memcpy(some, w + t * units + first, n * sizeof *some);
            round_weights(some, mean != NULL ? mean[t % channels] : 1, &r[t], &error);
        }
        balance(r, terms, &error);
        for (size_t t = 0; t < terms; t++)
            memcpy(y + t * units + first, &r[t].nearest, n * sizeof *y);
    }
    free(r);
    return 0;
}
