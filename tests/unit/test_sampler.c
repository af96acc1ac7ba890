/* The order of epochs over packs of several weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fit/sampler.h"

enum { A = 10, B = 4, N = A + B };

/* A set of packs of A and B records, whose labels are all alike. */
struct fixture {
    uint8_t label[N];
    struct mien_pack pack;
    struct inputs inputs;
    size_t records[2];
    double weight[2];
    struct pack_set set;
    struct sampler sampler;
};

static void make(struct fixture *f, double a, double b, double power)
{
    struct mien_err e;
    *f = (struct fixture){.records = {A, B}, .weight = {a, b}};
    f->pack = (struct mien_pack){.n = N, .age = f->label, .gender = f->label};
    f->inputs.pack = &f->pack;
    f->set = (struct pack_set){.n = 2, .weight = f->weight, .records = f->records};
    assert_int_equal(sampler_make(&f->sampler, &f->inputs, &f->set, power, &e), 0);
}

/* How often an epoch has each record. */
static void count(const struct fixture *f, double power, uint64_t seed, int times[N])
{
    struct rng rng = {seed};
    uint32_t order[200];
    assert_in_range(f->sampler.room, f->sampler.draws, 200);
    sampler_order(&f->sampler, power, &rng, order);
    memset(times, 0, N * sizeof *times);
    for (size_t i = 0; i < f->sampler.draws; i++) {
        assert_in_range(order[i], 0, N - 1);
        times[order[i]]++;
    }
}

static void whole_weights_repeat(void **state)
{
    struct fixture f;
    int times[N];
    (void)state;
    make(&f, 1, 3, 0);
    assert_int_equal(f.sampler.draws, A + 3 * B);
    count(&f, 0, 1, times);
    for (int i = 0; i < N; i++)
        assert_int_equal(times[i], i < A ? 1 : 3);
    sampler_free(&f.sampler);
}

static void shares_are_drawn_anew(void **state)
{
    struct fixture f;
    int first[N], second[N], sum[2] = {0};
    (void)state;
    make(&f, 2.5, 0.25, 0);
    assert_int_equal(f.sampler.draws, 25 + 1);
    count(&f, 0, 1, first);
    count(&f, 0, 2, second);
    for (int i = 0; i < N; i++) {
        assert_in_range(first[i], i < A ? 2 : 0, i < A ? 3 : 1);
        sum[i >= A] += first[i];
    }
    assert_int_equal(sum[0], 25);
    assert_int_equal(sum[1], 1);
    assert_memory_not_equal(first, second, sizeof first);
    sampler_free(&f.sampler);
}

static void the_smallest_weight_draws_one(void **state)
{
    struct fixture f;
    int times[N], sum = 0;
    (void)state;
    make(&f, 1, 0.001, 0);
    assert_int_equal(f.sampler.draws, A + 1);
    count(&f, 0, 1, times);
    for (int i = A; i < N; i++)
        sum += times[i];
    assert_int_equal(sum, 1);
    sampler_free(&f.sampler);
}

/* With sampling by frequency, a pack's weight is a factor of its records' chances. */
static void weights_and_balance(void **state)
{
    struct fixture f;
    int times[N], sum[2] = {0};
    (void)state;
    make(&f, 1, 5, 1);
    for (uint64_t seed = 0; seed < 100; seed++) {
        count(&f, 1, seed, times);
        for (int i = 0; i < N; i++)
            sum[i >= A] += times[i];
    }
    assert_int_equal(sum[0] + sum[1], 100 * (A + 5 * B));
    assert_in_range(sum[1], 1900, 2100); /* of 3000, two thirds, with a deviation of 26 */
    sampler_free(&f.sampler);
}

static void in_order(void **state)
{
    struct fixture f;
    struct rng rng = {1};
    uint32_t order[200];
    (void)state;
    make(&f, 2, 1, 0);
    sampler_in_order(&f.sampler, &rng, order);
    for (size_t i = 0; i < f.sampler.draws; i++)
        assert_int_equal(order[i], i < 2 * (size_t)A ? i % A : i - A);
    sampler_free(&f.sampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_weights_repeat),
        cmocka_unit_test(shares_are_drawn_anew),
        cmocka_unit_test(the_smallest_weight_draws_one),
        cmocka_unit_test(weights_and_balance),
        cmocka_unit_test(in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
