/* Age heads: kinds are read and refused, outputs become years, labels find their class. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/age_head.h"

static void kinds(void **state)
{
    (void)state;
    struct mien_err e;
    struct age_head h;
    struct mien_prep p = {"size=8x8 ages=0:1 age0=3"};
    assert_int_equal(age_head_parse(&h, "101", &e), 0);
    assert_true(h.n == 101 && !h.ordinal && age_head_outputs(&h) == 101 && !age_head_binned(&h));
    assert_int_equal(age_head_describe(&h, &p), 0);
    assert_string_equal(p.text, "size=8x8 age0=0");
    assert_int_equal(age_head_parse(&h, "coral", &e), 0);
    assert_true(h.n == 101 && h.ordinal && age_head_outputs(&h) == 100 && !age_head_binned(&h));
    assert_int_equal(age_head_parse(&h, "1:11:21:60", &e), 0);
    assert_true(h.n == 4 && !h.ordinal && h.from[0] == 1 && h.from[3] == 60 && h.from[4] == 101);
    assert_true(age_head_binned(&h));
    assert_int_equal(age_head_describe(&h, &p), 0);
    assert_string_equal(p.text, "size=8x8 ages=1:11:21:60");
    assert_int_equal(age_head_parse(&h, "coral:0:30:60", &e), 0);
    assert_true(h.n == 3 && h.ordinal && age_head_outputs(&h) == 2);
    h.n = 0;
    assert_int_equal(age_head_describe(&h, &p), 0);
    assert_string_equal(p.text, "size=8x8");
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "'' is not 101 (years), coral, or the first years of bins"},
        {"7", "'7' is not 101"},
        {"corals", "'corals' is not 101"},
        {"coral:", "'coral:' is not 101"},
        {"coral:0", "'coral:0' is not 101"},
        {"coral:0:x", "'x' is not a whole number"},
        {"0:", "'' is not a whole number"},
        {"0:10:10", "a bin begins at 10, the one before at 10"},
        {"0:20:10", "a bin begins at 10, the one before at 20"},
        {"0:101", "'101' is not within 0..100"},
        {"0:-1", "'-1' is not within"},
        {"0:1000000000000000000", "is not a year"},
        {"0:ten", "'ten' is not a whole number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mien_err e = {{0}};
        struct age_head h;
        if (age_head_parse(&h, bad[i].text, &e) != MIEN_ERR_ARG ||
            strstr(e.msg, bad[i].why) == NULL)
            fail_msg("'%s': got '%s', wanted '%s'", bad[i].text, e.msg, bad[i].why);
    }
}

/* A model with an age layer of n outputs. */
static struct model make(int n, const char *type, const char *prep)
{
    struct model m = {0};
    struct mien_err e = {{0}};
    char text[80];
    snprintf(text, sizeof text, "input 1x1x3\na dense %d\nage %s\n", n, type);
    assert_int_equal(net_parse(&m.net, text, strlen(text), &e), 0);
    assert_int_equal(mien_prep_parse(&m.prep, prep, strlen(prep), &e), 0);
    return m;
}

static struct age_head head(int n, const char *type, const char *prep)
{
    struct mien_err e = {{0}};
    struct model m = make(n, type, prep);
    struct age_head h;
    if (age_head_of(&h, &m, &e) < 0)
        fail_msg("%s", e.msg);
    model_free(&m);
    return h;
}

static void refuse(int n, const char *type, const char *prep, const char *why)
{
    struct mien_err e = {{0}};
    struct model m = make(n, type, prep);
    struct age_head h;
    if (age_head_of(&h, &m, &e) != MIEN_ERR_FORMAT || strstr(e.msg, why) == NULL)
        fail_msg("%s: got '%s', wanted '%s'", prep, e.msg, why);
    model_free(&m);
}

static void of_models(void **state)
{
    (void)state;
    struct mien_err e;
    struct age_head h;
    struct model none = {0};
    assert_int_equal(net_parse(&none.net, "input 1x1x3\n", 12, &e), 0);
    assert_int_equal(age_head_of(&h, &none, &e), 0);
    assert_int_equal(h.n, 0);
    model_free(&none);
    h = head(100, "softmax", "age0=1");
    assert_true(h.n == 100 && h.from[0] == 1 && !h.ordinal);
    h = head(100, "sigmoid", "");
    assert_true(h.n == 101 && h.from[0] == 0 && h.ordinal);
    h = head(2, "sigmoid", "ages=0:30:60");
    assert_true(h.n == 3 && h.from[1] == 30 && h.ordinal);
    refuse(3, "sigmoid", "ages=0:30:60",
           "ages=0:30:60 has 3 classes, the layer age distinguishes 4");
    refuse(101, "softmax", "ages=0:30:60", "has 3 classes, the layer age distinguishes 101");
    refuse(3, "softmax", "ages=0:30:130", "ages: '130'");
    refuse(101, "softmax", "age0=1.5", "age0: '1.5'");
    refuse(257, "softmax", "", "257 outputs, more than 256");
    refuse(256, "sigmoid", "", "256 outputs");
}

/* Single years outside of 0-100 count with the nearest. */
static void single_years(void **state)
{
    (void)state;
    float p[110], out[MIEN_AGES];
    for (int i = 0; i < 110; i++)
        p[i] = (float)(i + 1);
    struct age_head h = head(100, "softmax", "age0=1"); /* ages 1 to 100 */
    age_head_distribution(&h, p, out);
    assert_true(out[0] == 0 && out[1] == 1 && out[100] == 100);
    assert_true(age_head_class(&h, 0) == 0 && age_head_class(&h, 1) == 0 &&
                age_head_class(&h, 100) == 99);
    h = head(110, "softmax", "age0=-3"); /* ages -3 to 106 */
    age_head_distribution(&h, p, out);
    assert_true(out[0] == 1 + 2 + 3 + 4 && out[1] == 5);
    assert_true(out[99] == 103 && out[100] == 104 + 105 + 106 + 107 + 108 + 109 + 110);
    assert_true(age_head_class(&h, 0) == 3 && age_head_class(&h, 100) == 103);
}

static void bins(void **state)
{
    (void)state;
    struct mien_err e;
    float out[MIEN_AGES];
    struct model m = make(3, "softmax", "ages=1:11:61");
    struct age_head h;
    assert_int_equal(age_head_of(&h, &m, &e), 0);
    const float p[3] = {0.2f, 0.5f, 0.3f};
    age_head_distribution(&h, p, out);
    assert_true(out[0] == 0 && fabs(out[1] - 0.02) < 1e-7 && fabs(out[10] - 0.02) < 1e-7);
    assert_true(fabs(out[60] - 0.01) < 1e-7 && fabs(out[61] - 0.3 / 40) < 1e-7);
    assert_true(age_head_class(&h, 0) == 0 && age_head_class(&h, 10) == 0 &&
                age_head_class(&h, 11) == 1);
    assert_true(age_head_class(&h, 60) == 1 && age_head_class(&h, 61) == 2 &&
                age_head_class(&h, 100) == 2);
    /* With ages of a training part, the years of a bin have the parts that they have there. */
    m.age_count[20] = 149;
    m.age_count[61] = 9;
    assert_int_equal(age_head_of(&h, &m, &e), 0);
    age_head_distribution(&h, p, out);
    assert_true(fabs(out[20] - 0.5 * 150 / 199) < 1e-7 && fabs(out[19] - 0.5 / 199) < 1e-7);
    assert_true(fabs(out[61] - 0.3 * 10 / 49) < 1e-7 && fabs(out[1] - 0.02) < 1e-7);
    model_free(&m);
}

static void ordinal(void **state)
{
    (void)state;
    double p[3];
    struct age_head h = head(2, "sigmoid", "ages=0:30:60");
    age_head_classes(&h, (float[]){0.75f, 0.25f}, p);
    assert_true(p[0] == 0.25 && p[1] == 0.5 && p[2] == 0.25);
    /* More likely beyond 60 than beyond 30: no sense, but still a distribution. */
    age_head_classes(&h, (float[]){0.25f, 0.5f}, p);
    assert_true(p[1] == 0 && fabs(p[0] - 0.75 / 1.25) < 1e-12 && fabs(p[2] - 0.5 / 1.25) < 1e-12);
    float out[MIEN_AGES];
    age_head_distribution(&h, (float[]){0, 0}, out);
    assert_true(fabs(out[29] - 1.0 / 30) < 1e-7 && out[30] == 0);
    age_head_distribution(&h, (float[]){1, 1}, out);
    assert_true(out[59] == 0 && fabs(out[60] - 1.0 / 41) < 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),        cmocka_unit_test(refusals), cmocka_unit_test(of_models),
        cmocka_unit_test(single_years), cmocka_unit_test(bins),     cmocka_unit_test(ordinal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
