/* Weights rounded to bfloat16 so that their errors cancel. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kernel/bf16.h"
#include "util/hash.h"

enum { TERMS = 3 * 64, CHANNELS = 64, UNITS = 37 };

struct matrices {
    float w[TERMS * UNITS], y[TERMS * UNITS], mean[CHANNELS];
};

static float nearest(float w)
{
    return bf16_float(bf16_round(w));
}

/* The mean error of unit u. */
static double error(const struct matrices *m, const float *y, const float *mean, int u)
{
    double sum = 0;
    for (int t = 0; t < TERMS; t++)
        sum += ((double)y[t * UNITS + u] - (double)m->w[t * UNITS + u]) *
               (mean != NULL ? mean[t % CHANNELS] : 1);
    return sum;
}

/* bits: those of a weight's fraction that may be set; few make many weights lie halfway. */
static struct matrices *make(uint32_t bits)
{
    struct matrices *m = calloc(1, sizeof *m);
    struct rng rng = {7};
    assert_non_null(m);
    for (int i = 0; i < TERMS * UNITS; i++) {
        uint32_t u;
        float w = (float)(0.1 * rng_normal(&rng));
        memcpy(&u, &w, sizeof u);
        u &= 0xff800000 | bits;
        memcpy(&m->w[i], &u, sizeof u);
    }
    for (int c = 0; c < CHANNELS; c++)
        m->mean[c] = c % 5 == 0 ? 0 : (float)(6 * rng_uniform(&rng));
    return m;
}

static void check(struct matrices *m, const float *mean)
{
    double balanced = 0, rounded = 0;
    int others = 0;
    float *near = calloc(TERMS * UNITS, sizeof *near);
    assert_non_null(near);
    assert_int_equal(bf16_balance(m->w, TERMS, UNITS, mean, CHANNELS, m->y), 0);
    for (int i = 0; i < TERMS * UNITS; i++) {
        float w = m->w[i], y = m->y[i];
        near[i] = nearest(w);
        assert_true(nearest(y) == y);
        if (near[i] == w)
            assert_true(y == w);
        /* the other side is within a unit in the last place, which is 2^-7 at most */
        assert_true(fabsf(y - w) < ldexpf(fabsf(w), -7));
        others += y != near[i];
    }
    for (int u = 0; u < UNITS; u++) {
        balanced += fabs(error(m, m->y, mean, u));
        rounded += fabs(error(m, near, mean, u));
    }
    assert_true(balanced < 0.2 * rounded);
    assert_in_range(others, 1, TERMS * UNITS / 5);
    free(near);
}

static void test_errors_cancel(void **state)
{
    (void)state;
    static const uint32_t BITS[] = {0x7fffff, 0x7fe000,
                                    0x7f8000}; /* float, float16, one bit more */
    for (size_t k = 0; k < sizeof BITS / sizeof *BITS; k++) {
        struct matrices *m = make(BITS[k]);
        check(m, m->mean);
        check(m, NULL);
        free(m);
    }
}

/* Inputs that are 0 on average have no part in the error: their weights stay the nearest. */
static void test_no_input(void **state)
{
    (void)state;
    struct matrices *m = make(0x7fffff);
    assert_int_equal(bf16_balance(m->w, TERMS, UNITS, m->mean, CHANNELS, m->y), 0);
    for (int i = 0; i < TERMS * UNITS; i++) {
        if (m->mean[i / UNITS % CHANNELS] == 0)
            assert_true(m->y[i] == nearest(m->w[i]));
    }
    free(m);
}

/* Weights that are no normal numbers become what bf16_round makes of them, and cost the others nothing
   but the balance. */
static void test_absurd(void **state)
{
    (void)state;
    static const float ABSURD[] = {NAN, INFINITY, -INFINITY, 3.4e38F, 1e-41F, -1e-41F, 0, -0.0F};
    enum { N = sizeof ABSURD / sizeof *ABSURD };
    struct matrices *m = make(0x7fffff);
    for (int k = 0; k < N; k++)
        m->w[k * UNITS + k] = ABSURD[k];
    assert_int_equal(bf16_balance(m->w, TERMS, UNITS, NULL, CHANNELS, m->y), 0);
    for (int k = 0; k < N; k++)
        assert_int_equal(bf16_round(m->y[k * UNITS + k]), bf16_round(ABSURD[k]));
    assert_true(fabs(error(m, m->y, NULL, N)) < 1.0 / 2048); /* a step of weights of 0.1 */
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_cancel),
        cmocka_unit_test(test_no_input),
        cmocka_unit_test(test_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
