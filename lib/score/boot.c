/*
 * The percentile bootstrap (Efron and Tibshirani 1993, chapter 13) of histograms.
 *
 * Drawing N records with replacement from N records, of which n_i contribute the number i, is
 * drawing how often each number comes up: a multinomial of N over the shares n_i/N. It is drawn as
 * one binomial a number, so a resample of a billion records costs no more than one of a thousand.
 */
#include <math.h>
#include <stdlib.h>

#include "internal.h"

/* ln k!, by Stirling's series from 10 on and the factors that lead there below. */
static double log_factorial(double k)
{
    double factors = 1;
    while (k < 10)
        factors *= ++k;
    double r = 1 / k;
    return (k + 0.5) * log(k) - k + 0.9189385332046727 + r / 12 - r * r * r / 360 - log(factors);
}

/* Few successes: the first one whose cumulated probability exceeds a uniform number. */
static uint64_t binomial_by_inversion(struct rng *rng, uint64_t n, double p)
{
    double odds = p / (1 - p), u = rng_uniform(rng);
    double f = exp((double)n * log1p(-p)); /* the probability of k successes */
    uint64_t k = 0;
    while (u >= f && k < n) {
        u -= f;
        k++;
        f *= odds * (double)(n - k + 1) / (double)k;
    }
    return k;
}

/* Many: transformed rejection, algorithm BTRS of Hormann 1993 ("The generation of binomial random
   variates", J. Statist. Comput. Simul. 46), for n p >= 10 and p <= 1/2. */
static uint64_t binomial_by_rejection(struct rng *rng, uint64_t n, double p)
{
    double size = (double)n, deviation = sqrt(size * p * (1 - p));
    double b = 1.15 + 2.53 * deviation;
    double a = -0.0873 + 0.0248 * b + 0.01 * p;
    double squeeze = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * deviation;
    double center = size * p + 0.5, mode = floor((size + 1) * p), odds = log(p / (1 - p));
    for (;;) {
        double u = rng_uniform(rng) - 0.5, v = 1 - rng_uniform(rng);
        double us = 0.5 - fabs(u);
        double k = us > 0 ? floor((2 * a / us + b) * u + center) : -1;
        if (us >= 0.07 && v <= squeeze)
            return (uint64_t)k;
        if (k < 0 || k > size)
            continue;
        v = log(v * alpha / (a / (us * us) + b));
        if (v <= log_factorial(mode) + log_factorial(size - mode) - log_factorial(k) -
                     log_factorial(size - k) + (k - mode) * odds)
            return (uint64_t)k;
    }
}

uint64_t score_binomial(struct rng *rng, uint64_t n, double p)
{
    if (p > 0.5)
        return n - score_binomial(rng, n, 1 - p);
    if (n == 0 || p <= 0)
        return 0;
    return (double)n * p < 10 ? binomial_by_inversion(rng, n, p) : binomial_by_rejection(rng, n, p);
}

/* How many of h's numbers, from 0 on, there are to look at: the largest that came up and those
   below it. */
static size_t length(const struct score_histogram *h)
{
    size_t len = h->len;
    while (len > 0 && h->n[len - 1] == 0)
        len--;
    return len;
}

/* Draws h->total records from h with replacement; n gets how often each of len numbers came up. */
static void resample(struct rng *rng, const struct score_histogram *h, size_t len, uint64_t *n)
{
    uint64_t left = h->total; /* records to draw */
    uint64_t rest = left;     /* records of the histogram from here on */
    for (size_t i = 0; i < len; i++) {
        n[i] = 0;
        if (h->n[i] == 0)
            continue;
        n[i] = h->n[i] == rest ? left : score_binomial(rng, left, (double)h->n[i] / (double)rest);
        left -= n[i];
        rest -= h->n[i];
    }
}

/* Moves the k-th smallest of n values to its place, smaller ones before it and larger ones behind
   (Hoare's quickselect). */
static void select_value(double *v, int n, int k)
{
    for (int lo = 0, hi = n - 1; lo < hi;) {
        double pivot = v[lo + (hi - lo) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                double t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            return;
    }
}

/* The quantile q of n values, which it reorders: between the two nearest, in proportion. */
static double quantile(double *v, int n, double q)
{
    double at = q * (n - 1);
    int k = (int)at;
    select_value(v, n, k);
    if (k + 1 == n)
        return v[k];
    double next = v[k + 1];
    for (int i = k + 2; i < n; i++)
        next = v[i] < next ? v[i] : next;
    return v[k] + (at - k) * (next - v[k]);
}

/* Whether all records contributed the same number, so that every resample is the same. */
static bool uniform(const struct score_histogram *h)
{
    for (size_t i = 0; i < h->len; i++) {
        if (h->n[i] > 0)
            return h->n[i] == h->total;
    }
    return true;
}

/* The intervals of the metrics made of count c. n has room for a histogram, value for b values of
   each metric. */
static void bootstrap_count(const struct score *s, int c, int b, uint64_t seed, uint64_t *n,
                            double *value, struct score_interval *out)
{
    const struct score_histogram *h = &s->count[c];
    struct rng rng = {hash_mix(seed ^ hash_mix((uint64_t)c + 1))};
    bool same = uniform(h);
    size_t len = length(h);
    for (int i = 0; i < b && !same; i++) {
        resample(&rng, h, len, n);
        for (int m = 0; m < SCORE_METRICS; m++) {
            if (score_metric_count(m) == c)
                value[(size_t)m * (size_t)b + (size_t)i] = score_of_counts(m, n, len, h->total);
        }
    }
    for (int m = 0; m < SCORE_METRICS; m++) {
        if (score_metric_count(m) != c || h->total == 0)
            continue;
        double exact = score_value(s, m, NULL), *v = value + (size_t)m * (size_t)b;
        out[m] = (struct score_interval){exact, exact};
        if (same)
            continue;
        /* The histogram's numbers are rounded, the value isn't: the interval moves with it. */
        double rounded = exact - score_of_counts(m, h->n, h->len, h->total);
        out[m].low = quantile(v, b, 0.025) + rounded;
        out[m].high = quantile(v, b, 0.975) + rounded;
    }
}

int score_bootstrap_mean(const struct score_histogram *h, double unit, int zero, double exact,
                         int b, uint64_t seed, struct score_interval *out, struct mien_err *e)
{
    size_t len = length(h);
    double *value = malloc((size_t)b * sizeof *value);
    uint64_t *n = malloc((len + 1) * sizeof *n);
    struct rng rng = {hash_mix(seed)};
    double rounded = 0;
    for (int i = -1; i < b && value != NULL && n != NULL; i++) {
        const uint64_t *drawn = i < 0 ? h->n : n;
        double sum = 0;
        if (i >= 0)
            resample(&rng, h, len, n);
        for (size_t k = 0; k < len; k++)
            sum += (double)drawn[k] * ((double)k - zero);
        sum *= unit / (double)h->total;
        if (i < 0)
            rounded = exact - sum; /* as in bootstrap_count */
        else
            value[i] = sum + rounded;
    }
    int rc =
        value == NULL || n == NULL ? mien_err_mem(e, (size_t)b * sizeof *value, "a bootstrap") : 0;
    if (rc == 0)
        *out = (struct score_interval){quantile(value, b, 0.025), quantile(value, b, 0.975)};
    free(value);
    free(n);
    return rc;
}

int score_bootstrap(const struct score *s, int b, uint64_t seed,
                    struct score_interval out[SCORE_METRICS], struct mien_err *e)
{
    size_t longest = 0;
    for (int m = 0; m < SCORE_METRICS; m++)
        out[m] = (struct score_interval){NAN, NAN};
    for (int c = 0; c < SCORE_COUNTS; c++)
        longest = s->count[c].len > longest ? s->count[c].len : longest;
    if (b <= 0 || longest == 0)
        return 0;
    size_t nvalue = (size_t)b * SCORE_METRICS;
    double *value = malloc(nvalue * sizeof *value);
    uint64_t *n = malloc(longest * sizeof *n);
    int rc = 0;
    if (value == NULL || n == NULL)
        rc = mien_err_mem(e, nvalue * sizeof *value, "a bootstrap");
    for (int c = 0; c < SCORE_COUNTS && rc == 0; c++)
        bootstrap_count(s, c, b, seed, n, value, out);
    free(value);
    free(n);
    return rc;
}
