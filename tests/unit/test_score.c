/* Scores: metrics, bins, slices, intervals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "score/internal.h"
#include "score/run.h"

static struct score_rule rule_of(const char *bins, enum score_point point)
{
    struct score_rule rule = {.point = point};
    assert_int_equal(score_bins(&rule, bins, NULL), 0);
    return rule;
}

/* Ages a (with probability share) and b. */
static const float *ages(float p[MIEN_AGES], int a, int b, float share)
{
    memset(p, 0, MIEN_AGES * sizeof *p);
    p[a] = share;
    p[b] += 1 - share;
    return p;
}

static void test_bins(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int nbins, age, bin;
        const char *name;
    } cases[] = {
        {NULL, 7, 9, 0, "0-9"},        {"decades", 7, 10, 1, "10-19"},
        {"decades", 7, 100, 6, "60+"}, {"fairface", 9, 2, 0, "0-2"},
        {"fairface", 9, 3, 1, "3-9"},  {"adience", 8, 28, 4, "23-35"},
        {"0", 1, 50, 0, "0+"},         {"0,1,100", 3, 0, 0, "0"},
        {"0,1,100", 3, 99, 1, "1-99"}, {"0,1,100", 3, 100, 2, "100+"},
    };
    char name[16];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct score_rule r = rule_of(cases[i].text, SCORE_MEAN);
        assert_int_equal(r.nbins, cases[i].nbins);
        assert_int_equal(r.bin_of[cases[i].age], cases[i].bin);
        assert_string_equal(score_bin_name(&r, cases[i].bin, name), cases[i].name);
    }
    /* The bands of Adience lie in one bin each. */
    static const int bands[8][2] = {{0, 2},   {4, 6},   {8, 13},  {15, 20},
                                    {25, 32}, {38, 43}, {48, 53}, {60, 100}};
    struct score_rule r = rule_of("adience", SCORE_MEAN);
    for (int i = 0; i < 8; i++)
        assert_int_equal(score_label_bin(&r, &(struct score_label){-1, bands[i][0], bands[i][1]}),
                         i);
    assert_int_equal(score_label_bin(&r, &(struct score_label){-1, 20, 25}), -1);

    static const char *const bad[] = {
        "",      "1,2",  "0,",       "0,5,5", "0,5,4",
        "0,101", "0,-1", "nonsense", "0,x",   "0,00000000000000000000010"};
    struct mien_err e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(score_bins(&r, bad[i], &e), MIEN_ERR_ARG);
}

static void add(struct score *s, const struct score_rule *rule, struct score_label l,
                const float *p_gender, const float *p_age)
{
    struct score_item item;
    struct score_prediction p = score_predict(p_gender, p_age);
    score_judge(rule, &l, &p, &item);
    assert_int_equal(score_add(s, &item), 0);
}

static void expect(const struct score *s, int metric, double wanted, uint64_t wanted_n)
{
    uint64_t n;
    double v = score_value(s, metric, &n);
    if (n != wanted_n || !(fabs(v - wanted) < 1e-6 || (isnan(v) && isnan(wanted))))
        fail_msg("%s is %g of %d, not %g of %d", score_name(metric), v, (int)n, wanted,
                 (int)wanted_n);
}

static void test_metrics(void **state)
{
    (void)state;
    struct score_rule rule = rule_of(NULL, SCORE_MEAN);
    struct score s = {0};
    float p[MIEN_AGES];
    const float male[] = {0.25f, 0.75f}, tie[] = {0.5f, 0.5f};

    expect(&s, SCORE_MAE, NAN, 0);
    /* Expectation 24, median and mode 20, age 20: in the right bin, 4 years off. */
    add(&s, &rule, (struct score_label){1, 20, 20}, male, ages(p, 20, 30, 0.6f));
    /* Expectation 33, median and mode 36, age 35. */
    add(&s, &rule, (struct score_label){0, 35, 35}, male, ages(p, 36, 26, 0.7f));
    /* Expectation 70.5 counts as 71 for CS. Age 60: two ties, which go to female and the
     younger. */
    add(&s, &rule, (struct score_label){0, 60, 60}, tie, ages(p, 61, 80, 0.5f));
    add(&s, &rule, (struct score_label){-1, 30, 30}, male, NULL); /* nothing to compare */
    add(&s, &rule, (struct score_label){1, -1, -1}, NULL, p);

    expect(&s, SCORE_GENDER, 2 / 3.0, 3);
    expect(&s, SCORE_EXACT, 1 / 3.0, 3);
    expect(&s, SCORE_MAE, (4 + 2 + 10.5) / 3, 3);
    expect(&s, SCORE_MAE_MODE, (0 + 1 + 1) / 3.0, 3);
    expect(&s, SCORE_MAE_MEDIAN, (0 + 1 + 1) / 3.0, 3);
    expect(&s, SCORE_CS0, 0, 3);
    expect(&s, SCORE_CS0 + 1, 0, 3);
    expect(&s, SCORE_CS0 + 2, 1 / 3.0, 3);
    expect(&s, SCORE_CS5, 2 / 3.0, 3);
    expect(&s, SCORE_CS10, 2 / 3.0, 3);
    expect(&s, SCORE_BIN, 1, 3);
    expect(&s, SCORE_BAND, NAN, 0);
    assert_int_equal(s.gender[0][0], 1); /* label, prediction */
    assert_int_equal(s.gender[0][1], 1);
    assert_int_equal(s.gender[1][0], 0);
    assert_int_equal(s.gender[1][1], 1);
    score_free(&s);

    /* The same judged by the mode: errors 0, 1, 1. */
    rule = rule_of(NULL, SCORE_MODE);
    add(&s, &rule, (struct score_label){-1, 20, 20}, NULL, ages(p, 20, 30, 0.6f));
    add(&s, &rule, (struct score_label){-1, 35, 35}, NULL, ages(p, 36, 26, 0.7f));
    add(&s, &rule, (struct score_label){-1, 60, 60}, NULL, ages(p, 61, 80, 0.5f));
    expect(&s, SCORE_CS0, 1 / 3.0, 3);
    expect(&s, SCORE_CS0 + 1, 1, 3);
    expect(&s, SCORE_GENDER, NAN, 0);
    score_free(&s);
}

static void test_bins_and_bands(void **state)
{
    (void)state;
    struct score_rule rule = rule_of("0,10,20,30", SCORE_MEAN);
    struct score s = {0};
    float p[MIEN_AGES];
    struct score_item item;
    /* Distances in bins 0, 1, 2 and 3; the labels are ages. */
    static const int label[] = {29, 20, 5, 9}, predicted[] = {20, 19, 29, 30};
    for (int i = 0; i < 4; i++)
        add(&s, &rule, (struct score_label){-1, label[i], label[i]}, NULL,
            ages(p, predicted[i], 0, 1));
    expect(&s, SCORE_BIN, 0.25, 4);
    expect(&s, SCORE_ONE_OFF, 0.5, 4);
    score_free(&s);

    /* Bands: within, 2 years below, 5 above; the last one lies in two bins. */
    add(&s, &rule, (struct score_label){-1, 20, 29}, NULL, ages(p, 29, 0, 1));
    add(&s, &rule, (struct score_label){-1, 20, 29}, NULL, ages(p, 18, 0, 1));
    add(&s, &rule, (struct score_label){-1, 8, 13}, NULL, ages(p, 18, 0, 1));
    expect(&s, SCORE_BAND, 1 / 3.0, 3);
    expect(&s, SCORE_BAND_YEARS, 7 / 3.0, 3);
    expect(&s, SCORE_BIN, 0.5, 2);
    expect(&s, SCORE_MAE, NAN, 0); /* a band has no error in years */
    score_free(&s);

    struct score_prediction nine = score_predict(NULL, ages(p, 9, 0, 1));
    score_judge(&rule, &(struct score_label){-1, 25, 25}, &nine, &item);
    assert_int_equal(item.bin, 2);
    assert_int_equal(item.pred_bin, 0);
    assert_int_equal(item.count[COUNT_BIN], 2);
    assert_int_equal(item.count[COUNT_BAND], -1);
}

/* Pearson's statistic of draws of a binomial against its probabilities, over cells that expect at
   least 10; its degrees of freedom in *df. */
static double chi_square(uint64_t n, double p, int draws, int *df)
{
    size_t cells = (size_t)n + 1;
    double *seen = calloc(cells, sizeof *seen);
    struct rng rng = {n};
    for (int i = 0; i < draws; i++) {
        uint64_t k = score_binomial(&rng, n, p);
        assert_true(k <= n);
        seen[k]++;
    }
    double statistic = 0, want = 0, got = 0;
    *df = -1;
    for (size_t k = 0; k < cells; k++) {
        double dn = (double)n, dk = (double)k;
        want += draws * exp(lgamma(dn + 1) - lgamma(dk + 1) - lgamma(dn - dk + 1) + dk * log(p) +
                            (dn - dk) * log1p(-p));
        got += seen[k];
        if (want >= 10) {
            statistic += (got - want) * (got - want) / want;
            want = got = 0;
            ++*df;
        }
    }
    free(seen);
    return statistic;
}

static void test_binomial(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        double p;
    } cases[] = {{1, 0.3},  {10, 0.5},   {40, 0.2},   {19, 0.5},    {100, 0.0999},
                 {30, 0.4}, {100, 0.11}, {1000, 0.5}, {1000, 0.97}, {5000, 0.02}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int df;
        double x = chi_square(cases[i].n, cases[i].p, 100000, &df);
        /* Five standard deviations above the mean of the chi-square distribution. */
        if (x > df + 5 * sqrt(2.0 * df) + 5)
            fail_msg("binomial(%d, %g): chi-square %g of %d", (int)cases[i].n, cases[i].p, x, df);
    }
    struct rng rng = {1};
    assert_int_equal(score_binomial(&rng, 0, 0.5), 0);
    assert_int_equal(score_binomial(&rng, 7, 0), 0);
    assert_int_equal(score_binomial(&rng, 7, 1), 7);
    /* Numbers of records far beyond what memory could hold. */
    double sum = 0, square = 0, n = 1e12, p = 0.3;
    for (int i = 0; i < 10000; i++) {
        double z = ((double)score_binomial(&rng, (uint64_t)n, p) - n * p) / sqrt(n * p * (1 - p));
        sum += z;
        square += z * z;
    }
    assert_true(fabs(sum / 10000) < 0.05);
    assert_true(fabs(square / 10000 - 1) < 0.07);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_bootstrap(void **state)
{
    (void)state;
    enum { N = 500, B = 4000 };
    struct score_rule rule = rule_of(NULL, SCORE_MEAN);
    struct score s = {0};
    struct score_interval interval[SCORE_METRICS], again[SCORE_METRICS];
    struct rng rng = {5};
    float p[MIEN_AGES];
    static double error[N], mean[B];

    for (int i = 0; i < N; i++) {
        int age = 20 + (int)rng_below(&rng, 40), other = (int)rng_below(&rng, 80);
        float share = (float)rng_uniform(&rng);
        ages(p, age, other, share);
        error[i] = fabs(pred_age(p).mean - age);
        add(&s, &rule, (struct score_label){1, age, age}, (float[]){0, 1}, p);
    }
    /* Against resampling the records themselves. */
    for (int b = 0; b < B; b++) {
        mean[b] = 0;
        for (int i = 0; i < N; i++)
            mean[b] += error[rng_below(&rng, N)] / N;
    }
    qsort(mean, B, sizeof *mean, ascending);
    assert_int_equal(score_bootstrap(&s, B, 1, interval, NULL), 0);
    double width = mean[B * 975 / 1000] - mean[B * 25 / 1000];
    assert_true(fabs(interval[SCORE_MAE].low - mean[B * 25 / 1000]) < 0.06 * width);
    assert_true(fabs(interval[SCORE_MAE].high - mean[B * 975 / 1000]) < 0.06 * width);

    /* What all records agree on is certain; what none has is unknown. */
    assert_true(interval[SCORE_GENDER].low == 1 && interval[SCORE_GENDER].high == 1);
    assert_true(isnan(interval[SCORE_BAND].low) && isnan(interval[SCORE_BAND].high));

    assert_int_equal(score_bootstrap(&s, B, 1, again, NULL), 0);
    assert_memory_equal(&interval[SCORE_MAE], &again[SCORE_MAE], sizeof again[0]);
    assert_int_equal(score_bootstrap(&s, B, 2, again, NULL), 0);
    assert_memory_not_equal(&interval[SCORE_MAE], &again[SCORE_MAE], sizeof again[0]);
    assert_int_equal(score_bootstrap(&s, 1, 2, again, NULL), 0);
    assert_true(again[SCORE_MAE].low == again[SCORE_MAE].high);
    assert_int_equal(score_bootstrap(&s, 0, 2, again, NULL), 0);
    assert_true(isnan(again[SCORE_MAE].low));
    score_free(&s);
}

static struct mien_rec *record(struct mien_rec *r, int age, int gender)
{
    float p[MIEN_AGES];
    mien_rec_clear(r);
    mien_rec_set_u8(r, MIEN_TAG_AGE, age);
    mien_rec_set_u8(r, MIEN_TAG_GENDER, gender);
    mien_rec_set_f32v(r, MIEN_TAG_P_AGE, ages(p, 20, 30, 0.5f), MIEN_AGES);
    mien_rec_set_f32v(r, MIEN_TAG_P_GENDER, (float[]){0.25f, 0.75f}, 2);
    return r;
}

static void refuse(struct score_run *run, const struct mien_rec *r, const char *message)
{
    struct mien_err e = {{0}};
    assert_int_equal(score_run_add(run, r, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, message);
}

static void test_records(void **state)
{
    (void)state;
    struct score_rule rule = rule_of(NULL, SCORE_MEAN);
    struct score_run run = {.rule = &rule};
    struct mien_rec r = {0};
    struct mien_err e;
    float p[MIEN_AGES];

    assert_int_equal(score_run_add(&run, record(&r, 25, 1), &e), 0);
    mien_rec_set_str(&r, MIEN_TAG_ERROR, "no");
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    assert_int_equal(run.errors, 1);
    mien_rec_clear(&r);
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    assert_int_equal(run.no_age, 1);
    assert_int_equal(run.no_gender, 1);
    assert_int_equal(run.no_p_age, 1);
    assert_int_equal(run.no_p_gender, 1);

    refuse(&run, record(&r, 101, 1), "age 101 is not within 0..100");
    refuse(&run, record(&r, 25, 7), "gender 7 is neither 0 nor 1");
    record(&r, 25, 1);
    ages(p, 20, 30, 0.5f);
    p[3] = NAN;
    mien_rec_set_f32v(&r, MIEN_TAG_P_AGE, p, MIEN_AGES);
    refuse(&run, &r, "p_age is not a probability distribution");
    p[3] = INFINITY;
    mien_rec_set_f32v(&r, MIEN_TAG_P_AGE, p, MIEN_AGES);
    refuse(&run, &r, "p_age is not a probability distribution");
    record(&r, 25, 1);
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){-0.5f, 1.5f}, 2);
    refuse(&run, &r, "p_gender is not a probability distribution");
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0, 0}, 2);
    refuse(&run, &r, "p_gender is not a probability distribution");
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.51f, 0.51f}, 2);
    refuse(&run, &r, "p_gender is not a probability distribution");
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.499f, 0.499f},
                      2); /* half precision's rounding */
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    record(&r, 25, 1);
    mien_rec_del(&r, MIEN_TAG_AGE);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}), "\x1e\x14", 2);
    refuse(&run, &r, "30-20 is not an age band");
    assert_int_equal(run.bad, 8);
    assert_int_equal(run.records, 12);

    /* A band is open at its end, and one in several bins is no error. */
    memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}), "\x3c\xff", 2);
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}), "\x14\x28", 2);
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    assert_int_equal(run.several_bins, 1);
    assert_int_equal(run.total.count[COUNT_BAND].total, 2);
    assert_int_equal(run.total.count[COUNT_BIN].total, 3);
    assert_int_equal(run.bins[2 * 7 + 2], 2);
    assert_int_equal(run.bins[6 * 7 + 2], 1);
    score_run_free(&run);
    mien_rec_free(&r);
}

static void test_slices(void **state)
{
    (void)state;
    struct score_rule rule = rule_of("fairface", SCORE_MEAN);
    struct score_run run = {.rule = &rule};
    struct mien_rec r = {0};
    struct mien_err e;
    struct column keys[SCORE_MAX_KEYS];
    static const int label[] = {12, 1, 80, 5, 80};

    assert_int_equal(score_keys("group,3rd", keys, &run.nkeys, &e), MIEN_ERR_ARG);
    assert_int_equal(score_keys("box", keys, &run.nkeys, &e), MIEN_ERR_ARG);
    assert_int_equal(score_keys("", keys, &run.nkeys, &e), MIEN_ERR_ARG);
    assert_int_equal(score_keys("bin,bin,bin,bin,bin,bin,bin,bin,bin", keys, &run.nkeys, &e),
                     MIEN_ERR_ARG);
    assert_int_equal(score_keys("bin", keys, &run.nkeys, &e), 0);
    run.keys = keys;
    for (int i = 0; i < 5; i++)
        assert_int_equal(score_run_add(&run, record(&r, label[i], i % 2), &e), 0);
    score_run_sort(&run);
    static const char *const names[] = {"0-2", "3-9", "10-19", "70+"};
    assert_int_equal(run.nslice, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(run.slice[i].name, names[i]);
    expect(&run.slice[3].score, SCORE_MAE, 55, 2);
    score_run_free(&run);

    run = (struct score_run){.rule = &rule, .keys = keys};
    assert_int_equal(score_keys("subject,gender", keys, &run.nkeys, &e), 0);
    assert_int_equal(score_run_add(&run, record(&r, 20, 1), &e), 0);
    static const char subject[] = "a\0\x1b\\, male";
    mien_rec_set_text(&r, MIEN_TAG_SUBJECT, subject, 4);
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    assert_int_equal(run.nslice, 2);
    assert_string_equal(run.slice[0].name, "(none), male");
    assert_int_equal(run.slice[1].len, sizeof subject - 1);
    assert_memory_equal(run.slice[1].name, subject, sizeof subject);
    /* It is escaped once, when it is shown. */
    static const struct {
        enum score_format format;
        const char *has;
    } shown[] = {{SCORE_TEXT, "\na\\x00\\x1b\\\\, male "},
                 {SCORE_TSV, "\ta\\x00\\x1b\\\\, male\tage_mae\t2\t"},
                 {SCORE_JSON, "\"slice\":\"a\\u0000\\u001b\\\\, male\""}};
    for (int i = 0; i < 3; i++) {
        struct mien_buf text = {0};
        const struct score_report report = {.format = shown[i].format};
        assert_int_equal(score_report(&report, &run, (const char *[]){"a\tb"}, 1, &text), 0);
        assert_int_equal(mien_buf_append(&text, "", 1), 0);
        assert_non_null(strstr((char *)text.data, shown[i].has));
        mien_buf_free(&text);
    }
    /* A long value is cut between two characters. */
    char euros[300];
    for (int i = 0; i < 300; i += 3)
        memcpy(euros + i, (const char[]){'\xe2', '\x82', '\xac'}, 3);
    mien_rec_set_text(&r, MIEN_TAG_SUBJECT, euros, sizeof euros);
    assert_int_equal(score_run_add(&run, &r, &e), 0);
    assert_int_equal(run.slice[2].len, 198 + strlen(", male"));
    /* Slices without end take no memory without end. */
    for (int i = 0; i < SCORE_MAX_SLICES + 10; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        mien_rec_set_str(&r, MIEN_TAG_SUBJECT, number);
        assert_int_equal(score_run_add(&run, &r, &e), 0);
    }
    assert_int_equal(run.nslice, SCORE_MAX_SLICES);
    assert_string_equal(run.slice[SCORE_MAX_SLICES - 1].name, "(others)");
    expect(&run.slice[SCORE_MAX_SLICES - 1].score, SCORE_GENDER, 1, 14);
    score_run_free(&run);
    mien_rec_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),           cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_bins_and_bands), cmocka_unit_test(test_binomial),
        cmocka_unit_test(test_bootstrap),      cmocka_unit_test(test_records),
        cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
