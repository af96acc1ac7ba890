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

/* Margins of confidences that claim the logit of the truth times `boast`. */
static void make_margins(float *margin, size_t n, double boast)
{
    struct rng r = {7};
    for (size_t i = 0; i < n; i++) {
        double logit = 4 * rng_uniform(&r), truth = 1 / (1 + exp(-logit));
        margin[i] = (float)(boast * (rng_uniform(&r) < truth ? logit : -logit));
    }
}

static double close_of(const float p[MIEN_AGES])
{
    struct pred_age a = pred_age(p);
    return pred_age_close(p, &a);
}

static void test_finds(void **state)
{
    (void)state;
    static float margin[N];
    static const double boasts[] = {0.3, 1, 1.7, 6};
    for (size_t i = 0; i < sizeof boasts / sizeof boasts[0]; i++) {
        make_margins(margin, N, boasts[i]);
        assert_true(fabs(calibrate(margin, N) / boasts[i] - 1) < 0.05);
        assert_true(calibrate(margin, N) == calibrate(margin, N));
    }
    make_margins(margin, N, 100); /* beyond the bounds */
    assert_true(fabs(calibrate(margin, N) - CALIBRATE_MAX) < 1e-3);
    make_margins(margin, N, 0.001);
    assert_true(fabs(calibrate(margin, N) - CALIBRATE_MIN) < 1e-3);
}

/* The smallest cost on a fine grid is nowhere below the one that was found. */
static void test_least(void **state)
{
    (void)state;
    static const float margin[] = {3, 2, -1, 0.5f, -4, 6, 1, 9, -0.1f, 2};
    double found = log(calibrate(margin, 10)), best = 0, least = INFINITY;
    for (double t = -3; t < 3; t += 1e-4) {
        double cost = t * t / 2;
        for (int i = 0; i < 10; i++)
            cost += log(1 + exp(-margin[i] / exp(t)));
        if (cost < least) {
            least = cost;
            best = t;
        }
    }
    assert_true(fabs(found - best) < 2e-4);
}

static void test_few(void **state)
{
    (void)state;
    static const float right[] = {2, 2, 2}, wrong[] = {-2, -2, -2}, zero[] = {0, 0};
    assert_true(calibrate(NULL, 0) == 1);
    assert_true(calibrate(right, 3) > 0.3 && calibrate(right, 3) < 1);
    assert_true(calibrate(wrong, 3) > 1 && calibrate(wrong, 3) < 10);
    assert_true(fabs(calibrate(zero, 2) - 1) < 1e-5);
}

static void test_temper(void **state)
{
    (void)state;
    /* For two classes it is the softmax of the logits divided by the temperature. */
    double a = 1.3, b = -0.4, t = 2.5;
    double p = exp(a) / (exp(a) + exp(b)), q = exp(a / t) / (exp(a / t) + exp(b / t));
    assert_true(fabs(pred_temper(p, t) - q) < 1e-12);
    assert_true(pred_temper(p, 1) == p);
    assert_true(fabs(pred_temper(0.5, t) - 0.5) < 1e-12);
    for (double temperature = CALIBRATE_MIN; temperature <= CALIBRATE_MAX; temperature *= 2) {
        assert_true(pred_temper(1, temperature) <= 1 && pred_temper(1, temperature) > 0.5);
        assert_true(pred_temper(0, temperature) >= 0 && pred_temper(0, temperature) < 0.5);
        assert_true(pred_temper(0.7, temperature) < pred_temper(0.8, temperature));
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
    struct mien_prep prep = {"color=bgr temp_age=3 temp_gender=2 age0=0"};
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
    assert_true(fabs(pred_temper(0.9, 1.944) - 0.75) < 0.01);

    c = (struct calibration){0}; /* it is 38 years, and nothing is within 5: a confidence of 0 */
    assert_int_equal(calibration_add_age(&c, age, 43), 0);
    assert_int_equal(calibration_add_age(&c, age, 44), 0);
    assert_int_equal(c.age.len, 2 * sizeof(float));
    assert_true(((float *)c.age.data)[0] < -16 && ((float *)c.age.data)[1] > 16);
    assert_int_equal(calibration_end(&c, &prep), 0);
    assert_non_null(mien_prep_get(&prep, "temp_age", v, sizeof v));
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
        cmocka_unit_test(test_finds),  cmocka_unit_test(test_least), cmocka_unit_test(test_few),
        cmocka_unit_test(test_temper), cmocka_unit_test(test_close), cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
