/*
 * Sums of real numbers that don't depend on their order: in units of 2^-40, to which each number is
 * rounded. So the sums of parts add up to the sum of the whole, to the bit.
 */
#ifndef MIEN_SCORE_SUM_H
#define MIEN_SCORE_SUM_H

#include <math.h>
#include <stdint.h>

#define SCORE_SUM_UNITS (INT64_C(1) << 40)

/* whole + units / SCORE_SUM_UNITS, 0 <= units < SCORE_SUM_UNITS. Zero-initialized it is 0. */
struct score_sum {
    int64_t whole, units;
};

static inline void score_sum_merge(struct score_sum *s, struct score_sum other)
{
    s->units += other.units;
    int64_t carry = s->units >= SCORE_SUM_UNITS;
    s->units -= carry * SCORE_SUM_UNITS;
    s->whole += other.whole + carry;
}

/* Adds a number between -2^20 and 2^20. */
static inline void score_sum_add(struct score_sum *s, double number)
{
    double whole = floor(number);
    int64_t units = llround((number - whole) * (double)SCORE_SUM_UNITS);
    score_sum_merge(
        s, (struct score_sum){(int64_t)whole + units / SCORE_SUM_UNITS, units % SCORE_SUM_UNITS});
}

static inline double score_sum(struct score_sum s)
{
    return (double)s.whole + (double)s.units / (double)SCORE_SUM_UNITS;
}

#endif
