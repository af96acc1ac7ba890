/* Calibration: temperatures are found, bounded and kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "net/calibrate.h"
#include "util/hash.h"

enum { N = 20000 };

/* Claims of logits from `least` to 4, of which as many are right as the logit times `boast` plus a shift
   would have it. */
static void make_claims(struct claim *c, size_t n, double least, double boast, double shift)
{
    struct rng r = {7};
    for (size_t i = 0; i < n; i++) {
        double logit = least + (4 - least) * rng_uniform(&r);
        bool right = rng_uniform(&r) < 1 / (1 + exp(-logit));
        c[i] = (struct claim){.logit = (float)(boast * (logit - shift)), .right = right};
    }
}

static double temperature(const struct claim *c, size_t n)
{
    struct scaling s = calibrate(c, n, false);
    assert_true(s.shift == 0);
    return s.temperature;
}

static double close_of(const float p[MIEN_AGES])
{
    struct pred_age a = pred_age(p);
    return pred_age_close(p, &a);
}

static void test_finds(void **state)
{
    (void)state;
    static struct claim c[N];
    static const double boasts[] = {0.3, 1, 1.7, 6};
    for (size_t i = 0; i < sizeof boasts / sizeof boasts[0]; i++) {
        make_claims(c, N, 0, boasts[i], 0);
        assert_true(fabs(temperature(c, N) / boasts[i] - 1) < 0.05);
        assert_true(temperature(c, N) == temperature(c, N));
    }
    make_claims(c, N, 0, 100, 0); /* beyond the bounds */
    assert_true(fabs(temperature(c, N) - CALIBRATE_MAX) < 1e-3);
    make_claims(c, N, 0, 0.001, 0);
    assert_true(fabs(temperature(c, N) - CALIBRATE_MIN) < 1e-3);
}

static void test_finds_shifts(void **state)
{
    (void)state;
    static struct claim c[N];
    static const double boasts[] = {0.5, 1, 2}, shifts[] = {-1, 0, 0.4};
    for (size_t i = 0; i < 9; i++) {
        make_claims(c, N, -3, boasts[i / 3], shifts[i % 3]);
        struct scaling s = calibrate(c, N, true);
        assert_true(fabs(s.temperature / boasts[i / 3] - 1) < 0.05);
        assert_true(fabs(s.shift - shifts[i % 3]) < 0.05);
    }
    make_claims(c, N, -3, 1, 9); /* beyond the bounds */
    assert_true(calibrate(c, N, true).shift <= CALIBRATE_SHIFT);
}

static const struct claim ten[] = {{3, true}, {2, true}, {-1, true},  {0.5f, true},  {-4, true},
                                   {6, true}, {1, true}, {-9, false}, {-0.1f, true}, {-2, false}};

static double cost_of_ten(double t, double shift)
{
    double cost = (t * t + shift * shift) / 2;
    for (int i = 0; i < 10; i++) {
        double z = (double)ten[i].logit / exp(t) + shift;
        cost += log(1 + exp(ten[i].right ? -z : z));
    }
    return cost;
}

/* The smallest cost on a fine grid is nowhere below the one that was found. */
static void test_least(void **state)
{
    (void)state;
    double found = log(temperature(ten, 10)), best = 0, least = INFINITY;
    for (double t = -3; t < 3; t += 1e-4) {
        double cost = cost_of_ten(t, 0);
        if (cost < least) {
            least = cost;
            best = t;
        }
    }
    assert_true(fabs(found - best) < 2e-4);

    struct scaling s = calibrate(ten, 10, true);
    double cost = cost_of_ten(log(s.temperature), s.shift);
    assert_true(cost < least && s.shift != 0);
    for (double t = -2.9; t < 3; t += 0.01) {
        for (double shift = -4; shift < 4; shift += 0.01)
            assert_true(cost <= cost_of_ten(t, shift) + 1e-9);
    }
}

static void test_few(void **state)
{
    (void)state;
    static const struct claim right[] = {{2, true}, {2, true}, {2, true}};
    static const struct claim wrong[] = {{2, false}, {2, false}, {2, false}};
    static const struct claim zero[] = {{0, true}, {0, false}};
    assert_true(temperature(NULL, 0) == 1);
    assert_true(temperature(right, 3) > 0.3 && temperature(right, 3) < 1);
    assert_true(temperature(wrong, 3) > 1 && temperature(wrong, 3) < 10);
    assert_true(fabs(temperature(zero, 2) - 1) < 1e-4);
    assert_true(fabs(calibrate(zero, 2, true).shift) < 1e-4);
    assert_true(calibrate(right, 3, true).shift < 2 && calibrate(wrong, 3, true).shift > -3);
}

static void test_temper(void **state)
{
    (void)state;
    /* For two classes it is the softmax of the logits divided by the temperature. */
    double a = 1.3, b = -0.4, t = 2.5;
    double p = exp(a) / (exp(a) + exp(b)), q = exp(a / t) / (exp(a / t) + exp(b / t));
    assert_true(fabs(pred_temper(p, t, 0) - q) < 1e-12);
    assert_true(pred_temper(p, 1, 0) == p);
    assert_true(fabs(pred_temper(p, t, 0.5) - 1 / (1 + exp(-(a - b) / t - 0.5))) < 1e-12);
    assert_true(fabs(pred_temper(0.5, t, 0) - 0.5) < 1e-12);
    for (double temperature = CALIBRATE_MIN; temperature <= CALIBRATE_MAX; temperature *= 2) {
        assert_true(pred_temper(1, temperature, 0) <= 1 && pred_temper(1, temperature, 0) > 0.5);
        assert_true(pred_temper(0, temperature, 0) >= 0 && pred_temper(0, temperature, 0) < 0.5);
        assert_true(pred_temper(0.7, temperature, 0) < pred_temper(0.8, temperature, 0));
    }
}

static void test_close(void **state)
{
    (void)state;
    float p[MIEN_AGES] = {0};
    p[10] = 0.5f; /* the expectation is 20 */
    p[30] = 0.5f;
    assert_true(close_of(p) == 0);
    p[10] = p[30] = 0.25f;
    p[15] = p[25] = 0.25f; /* both are 5 years off */
    assert_true(fabs(close_of(p) - 0.5) < 1e-6);
    for (int edge = 0; edge < MIEN_AGES; edge += MIEN_AGES - 1) {
        memset(p, 0, sizeof p);
        p[edge] = 1;
        assert_true(close_of(p) == 1);
    }
}

static void test_model(void **state)
{
    (void)state;
    struct calibration c = {0};
    struct mien_prep prep = {"color=bgr temp_age=3 temp_gender=2 shift_age=1 age0=0"};
    float gender[2] = {0.1f, 0.9f}, age[MIEN_AGES] = {0};
    char v[16];
    age[30] = 0.6f;
    age[50] = 0.4f;
    /* Of 100 genders 75 are right, where the confidence is 0.9; there is no age. */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(calibration_add_gender(&c, gender, i % 4 > 0), 0);
        assert_int_equal(calibration_add_gender(&c, gender, 255), 0);
        assert_int_equal(calibration_add_age(&c, age, i % 2 > 0 ? 255 : -1), 0);
    }
    assert_int_equal(calibration_end(&c, &prep), 0);
    assert_null(mien_prep_get(&prep, "temp_age", v, sizeof v));
    assert_string_equal(prep.text, "color=bgr age0=0 temp_gender=1.944");
    assert_true(fabs(pred_temper(0.9, 1.944, 0) - 0.75) < 0.01);

    c = (struct calibration){0}; /* it is 38 years, and nothing is within 5: a confidence of 0 */
    assert_int_equal(calibration_add_age(&c, age, 43), 0);
    assert_int_equal(calibration_add_age(&c, age, 44), 0);
    assert_int_equal(c.age.len, 2 * sizeof(struct claim));
    const struct claim *claims = (const void *)c.age.data;
    assert_true(claims[0].logit < -16 && claims[1].logit < -16);
    assert_true(claims[0].right && !claims[1].right);
    assert_int_equal(calibration_end(&c, &prep), 0);
    assert_non_null(mien_prep_get(&prep, "temp_age", v, sizeof v));
    assert_non_null(mien_prep_get(&prep, "shift_age", v, sizeof v));
    assert_null(mien_prep_get(&prep, "temp_gender", v, sizeof v));

    c = (struct calibration){0};
    assert_int_equal(calibration_end(&c, &prep), 0);
    assert_string_equal(prep.text, "color=bgr age0=0");
    c.failed = true;
    assert_int_equal(calibration_end(&c, &prep), MIEN_ERR_MEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),  cmocka_unit_test(test_finds_shifts),
        cmocka_unit_test(test_least),  cmocka_unit_test(test_few),
        cmocka_unit_test(test_temper), cmocka_unit_test(test_close),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
