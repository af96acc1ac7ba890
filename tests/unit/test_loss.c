/*
 * Losses and their gradients at the logits, against the definitions in double precision and central
 * differences of these; and what is counted of predictions.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/hash.h"
#include "mien/pack.h"
#include "train/loss.h"

enum { N = 8, MOST = 256, UNKNOWN = MIEN_PACK_UNKNOWN };

static const struct label labels[N] = {
    {0, 1, {UNKNOWN, UNKNOWN}, 1, 1, NULL, NULL},
    {37, UNKNOWN, {UNKNOWN, UNKNOWN}, 1, 2, NULL, NULL},
    {100, 0, {UNKNOWN, UNKNOWN}, 0.5f, 1, NULL, NULL},
    {UNKNOWN, 0, {20, 39}, 1, 0.5f, NULL, NULL},
    {UNKNOWN, UNKNOWN, {5, 14}, 1, 1, NULL, NULL}, /* across bins */
    {UNKNOWN, 1, {48, 53}, 3, 1, NULL, NULL},
    {UNKNOWN, 1, {UNKNOWN, UNKNOWN}, 1, 1, NULL, NULL},
    {UNKNOWN, UNKNOWN, {UNKNOWN, UNKNOWN}, 1, 1, NULL, NULL},
};

/* A pair of heads, with what they would put out. */
struct bench {
    const struct label *label; /* those above, or these with a teacher's answers */
    struct heads h;
    double gender[N * 2], age[N * MOST]; /* logits */
    struct loss_options c;
    const struct mix *mix;
};

/* --- The definitions, anew ------------------------------------------------------------------ */

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static void softmax(const double *x, int n, double *p)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += exp(x[k]);
    for (int k = 0; k < n; k++)
        p[k] = exp(x[k]) / sum;
}

static double gender_of(const struct bench *b, int i, int label)
{
    double p[2], s = b->c.smoothing;
    if (b->h.genders == 2) {
        softmax(b->gender + 2 * i, 2, p);
    } else {
        p[1] = logistic(b->gender[i]);
        p[0] = 1 - p[1];
    }
    return -(1 - s / 2) * log(p[label]) - s / 2 * log(p[1 - label]);
}

/* Of the logits x and the years lo to hi; the heads here cover all years. */
static double age_of(const struct bench *b, const double *x, int lo, int hi)
{
    const struct age_head *h = &b->h.years;
    double p[MOST], year[MIEN_AGES], loss = 0, mean = 0, in = 0, gauss = 0;
    if (h->ordinal) {
        for (int k = 1; k < h->n; k++) {
            if (lo >= h->from[k])
                loss -= log(logistic(x[k - 1]));
            else if (hi < h->from[k])
                loss -= log(1 - logistic(x[k - 1]));
        }
        return loss;
    }
    softmax(x, h->n, p);
    for (int k = 0; k < h->n; k++) {
        for (int y = h->from[k]; y < h->from[k + 1]; y++)
            year[y] = p[k] * h->share[y];
    }
    for (int y = 0; y < MIEN_AGES; y++) {
        mean += y * year[y];
        in += y >= lo && y <= hi ? year[y] : 0;
    }
    if (lo < hi)
        return -log(in);
    for (int y = 0; y < MIEN_AGES; y++)
        gauss += exp(-(y - lo) * (y - lo) / (2 * b->c.sigma * b->c.sigma));
    for (int k = 0; k < h->n; k++) {
        double q = 0;
        for (int y = h->from[k]; y < h->from[k + 1]; y++)
            q += b->c.sigma > 0 ? exp(-(y - lo) * (y - lo) / (2 * b->c.sigma * b->c.sigma)) / gauss
                                : y == lo;
        loss -= ((1 - b->c.smoothing) * q + b->c.smoothing / h->n) * log(p[k]);
    }
    return loss + b->c.l1 * fabs(mean - lo);
}

/* Against a teacher. */
static double taught_gender_of(const struct bench *b, int i, const float *answer)
{
    double p[2];
    if (b->h.genders == 2)
        softmax(b->gender + 2 * i, 2, p);
    else
        p[0] = 1 - (p[1] = logistic(b->gender[i]));
    return -(double)answer[0] * log(p[0]) - (double)answer[1] * log(p[1]);
}

static double taught_age_of(const struct bench *b, const double *x, const float *year)
{
    const struct age_head *h = &b->h.years;
    double p[MOST], loss = 0;
    if (!h->ordinal)
        softmax(x, h->n, p);
    for (int k = 0; k < h->n; k++) {
        double in = 0, later = 0;
        for (int y = 0; y < MIEN_AGES; y++) {
            in += y >= h->from[k] && y < h->from[k + 1] ? (double)year[y] : 0;
            later += y >= h->from[k + 1] ? (double)year[y] : 0;
        }
        if (!h->ordinal)
            loss -= in * log(p[k]);
        else if (k + 1 < h->n)
            loss -= later * log(logistic(x[k])) + (1 - later) * log(1 - logistic(x[k]));
    }
    return loss;
}

/* The loss of the batch, of gender and of age. */
static double loss(const struct bench *b)
{
    double gender = 0, age = 0, wg = 0, wa = 0;
    int outputs = age_head_outputs(&b->h.years);
    for (int i = 0; i < N; i++) {
        for (int part = 0; part < 2; part++) {
            double share = b->mix == NULL ? 0 : (double)b->mix->share[i];
            const struct label *l = &b->label[part == 0        ? i
                                              : b->mix == NULL ? i
                                                               : (int)b->mix->other[i]];
            const float *tg = l->taught_gender, *ta = l->taught_age;
            bool known = l->age != UNKNOWN, banded = l->band[0] != UNKNOWN;
            share = part == 1 ? share : 1 - share;
            if ((l->gender < 2 || tg != NULL) && b->h.genders > 0) {
                double f = tg == NULL ? 0 : l->gender < 2 ? b->c.teacher : 1, sum = 0;
                sum += f < 1 ? (1 - f) * gender_of(b, i, l->gender) : 0;
                sum += f > 0 ? f * taught_gender_of(b, i, tg) : 0;
                gender += share * (double)l->w_gender * sum;
                wg += share * (double)l->w_gender;
            }
            if ((known || banded || ta != NULL) && b->h.years.n > 0) {
                const double *x = b->age + i * outputs;
                int lo = known ? l->age : l->band[0], hi = known ? l->age : l->band[1];
                double f = ta == NULL ? 0 : known || banded ? b->c.teacher : 1, sum = 0;
                sum += f < 1 ? (1 - f) * age_of(b, x, lo, hi) : 0;
                sum += f > 0 ? f * taught_age_of(b, x, ta) : 0;
                age += share * (double)l->w_age * sum;
                wa += share * (double)l->w_age;
            }
        }
    }
    return (wg > 0 ? gender / wg : 0) + (wa > 0 ? age / wa : 0);
}

/* --- Comparing ------------------------------------------------------------------------------ */

static void compare(struct bench *b, double *logit, int n, const float *grad, const char *what)
{
    double most = 1e-3;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs((double)grad[i]));
    for (int i = 0; i < n; i++) {
        double old = logit[i], step = 1e-5;
        logit[i] = old + step;
        double up = loss(b);
        logit[i] = old - step;
        double slope = (up - loss(b)) / (2 * step);
        logit[i] = old;
        if (fabs(slope - (double)grad[i]) > 1e-5 * most)
            fail_msg("%s: gradient %d is %g, not %g", what, i, (double)grad[i], slope);
    }
}

static void check(const char *kind, int genders, struct loss_options c, bool mixed)
{
    struct bench b = {.c = c, .h = {.genders = genders}};
    struct label taught[N];
    float answer_gender[N][2], answer_age[N][MIEN_AGES];
    struct mien_err e = {{0}};
    struct rng r = {5};
    struct tally t = {0};
    const uint32_t other[N] = {1, 2, 3, 4, 5, 6, 7, 0};
    const float share[N] = {0.25f, 0, 0.5f, 0.125f, 0.25f, 0.25f, 0.5f, 0.25f};
    const struct mix mix = {other, share};
    b.mix = mixed ? &mix : NULL;
    if (kind != NULL && age_head_parse(&b.h.years, kind, &e) < 0)
        fail_msg("%s", e.msg);
    struct age_head *h = &b.h.years;
    for (int k = 0; k < h->n; k++) { /* shares that aren't even */
        for (int y = h->from[k], n = h->from[k + 1] - y, i = 0; i < n; i++)
            h->share[y + i] = 2.0 * (i + 1) / (n * (n + 1));
    }
    int outputs = age_head_outputs(h);
    float gender[N * 2], age[N * MOST], dgender[N * 2], dage[N * MOST];
    for (int i = 0; i < N * genders; i++)
        b.gender[i] = rng_normal(&r);
    for (int i = 0; i < N * outputs; i++)
        b.age[i] = rng_normal(&r);
    for (int i = 0; i < N && genders > 0; i++) {
        double p[2];
        softmax(b.gender + i * genders, genders, p);
        for (int k = 0; k < genders; k++)
            gender[i * genders + k] = (float)(genders == 1 ? logistic(b.gender[i]) : p[k]);
    }
    for (int i = 0; i < N && outputs > 0; i++) {
        double p[MOST];
        softmax(b.age + i * outputs, outputs, p);
        for (int k = 0; k < outputs; k++)
            age[i * outputs + k] = (float)(h->ordinal ? logistic(b.age[i * outputs + k]) : p[k]);
    }
    for (int i = 0; i < N; i++) {
        float sum = 0;
        taught[i] = labels[i];
        answer_gender[i][1] = (float)rng_uniform(&r);
        answer_gender[i][0] = 1 - answer_gender[i][1];
        for (int y = 0; y < MIEN_AGES; y++)
            sum += answer_age[i][y] = (float)rng_uniform(&r);
        for (int y = 0; y < MIEN_AGES; y++)
            answer_age[i][y] /= sum;
        if (i % 3 != 1) { /* of records with and without labels, some */
            taught[i].taught_gender = answer_gender[i];
            taught[i].taught_age = answer_age[i];
        }
    }
    b.label = c.teacher > 0 ? taught : labels;
    loss_batch(&b.c, &b.h, b.label, N, b.mix, gender, age, dgender, dage, &t);
    double got = tally_metrics(&t).loss, want = loss(&b);
    if (fabs(got - want) > 1e-5 * want)
        fail_msg("%s: loss %g, not %g", kind, got, want);
    compare(&b, b.gender, N * genders, dgender, "gender");
    compare(&b, b.age, N * outputs, dage, kind);
}

static void classes(void **state)
{
    (void)state;
    static const char *const kinds[] = {"101", "0:10:20:30:40:50:60", "0:1:2:50", "0:18"};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (int mixed = 0; mixed < 2; mixed++) {
            check(kinds[k], 2, (struct loss_options){0}, mixed);
            check(kinds[k], 2, (struct loss_options){.sigma = 2}, mixed);
            check(kinds[k], 1, (struct loss_options){.l1 = 0.1}, mixed);
            check(kinds[k], 1, (struct loss_options){.smoothing = 0.2}, mixed);
            check(kinds[k], 2, (struct loss_options){.sigma = 5, .l1 = 1, .smoothing = 0.1}, mixed);
            check(kinds[k], 2, (struct loss_options){.teacher = 0.3, .sigma = 2, .l1 = 0.1}, mixed);
            check(kinds[k], 1, (struct loss_options){.teacher = 1}, mixed);
        }
    }
}

static void ranks(void **state)
{
    (void)state;
    for (int mixed = 0; mixed < 2; mixed++) {
        check("coral", 2, (struct loss_options){0}, mixed);
        check("coral", 2, (struct loss_options){.teacher = 0.7}, mixed);
        check("coral:0:10:20:30:40:50:60", 1, (struct loss_options){0}, mixed);
    }
}

static void one_head(void **state)
{
    (void)state;
    check(NULL, 2, (struct loss_options){.smoothing = 0.1}, true);
    check("101", 0, (struct loss_options){.l1 = 0.1}, true);
    check("coral", 0, (struct loss_options){0}, false);
}

static void options(void **state)
{
    (void)state;
    struct mien_err e;
    struct heads h = {.genders = 2};
    assert_int_equal(loss_check(&(struct loss_options){.smoothing = 0.1}, &h, &e), 0);
    assert_int_equal(loss_check(&(struct loss_options){.l1 = 0.1}, &h, &e), MIEN_ERR_ARG);
    assert_int_equal(age_head_parse(&h.years, "0:50", &e), 0);
    assert_int_equal(loss_check(&(struct loss_options){.sigma = 1, .l1 = 0.1}, &h, &e), 0);
    assert_true(fabs(loss_of_guessing(&(struct loss_options){0}, &h) - log(4)) < 1e-12);
    assert_true(loss_of_guessing(&(struct loss_options){.l1 = 3}, &h) > 60); /* in years */
    assert_int_equal(age_head_parse(&h.years, "coral", &e), 0);
    assert_int_equal(loss_check(&(struct loss_options){0}, &h, &e), 0);
    assert_int_equal(loss_check(&(struct loss_options){.sigma = 1}, &h, &e), MIEN_ERR_ARG);
    assert_int_equal(loss_check(&(struct loss_options){.smoothing = 0.1}, &h, &e), MIEN_ERR_ARG);
    assert_non_null(strstr(e.msg, "ordinal"));
    assert_true(fabs(loss_of_guessing(&(struct loss_options){0}, &h) - 101 * log(2)) < 1e-12);
}

/* Three records, bins of 0-29 and 30-100: what is right, and how far off. */
static void counts(void **state)
{
    (void)state;
    struct mien_err e;
    struct heads h = {.genders = 1};
    struct tally t = {0};
    const struct label y[3] = {{20, 1, {UNKNOWN, UNKNOWN}, 1, 1, NULL, NULL},
                               {80, 1, {UNKNOWN, UNKNOWN}, 1, 1, NULL, NULL},
                               {UNKNOWN, 0, {10, 20}, 1, 1, NULL, NULL}};
    const float gender[3] = {0.75f, 0.25f, 0.25f},
                age[6] = {0.75f, 0.25f, 0.75f, 0.25f, 0.5f, 0.5f};
    assert_int_equal(age_head_parse(&h.years, "0:30", &e), 0);
    loss_batch(NULL, &h, y, 3, NULL, gender, age, NULL, NULL, &t);
    struct metrics m = tally_metrics(&t);
    assert_true(m.n_gender == 3 && m.n_age == 2);
    assert_true(fabs(m.gender_accuracy - 2.0 / 3) < 1e-12 && m.age_exact == 0.5);
    double mean = 0.75 * 14.5 + 0.25 * 65; /* 27.125 */
    assert_true(fabs(m.age_mae - (mean - 20 + 80 - mean) / 2) < 1e-4 && m.age_cs5 == 0);
    double want =
        -(log(0.75) + log(0.25) + log(0.5 * 11 / 30)) / 3 - 2 * log(0.75) / 3 - log(0.25) / 3;
    assert_true(fabs(m.loss - want) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes), cmocka_unit_test(ranks),  cmocka_unit_test(one_head),
        cmocka_unit_test(options), cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
