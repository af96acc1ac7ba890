#include "score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "util/array.h"
#include "util/num.h"

/* --- Bins ---------------------------------------------------------------------------------- */

static const struct {
    const char *name, *edges;
} presets[] = {
    /* The original's 1-10, 10-20, ... 60-, made disjoint. */
    {"decades", "0,10,20,30,40,50,60"},
    /* Karkkainen and Joo 2021 */
    {"fairface", "0,3,10,20,30,40,50,60,70"},
    /* Eidinger, Enbar and Hassner 2014: 0-2, 4-6, 8-13, 15-20, 25-32, 38-43, 48-53, 60-. Ages
       between two bands go to the nearer one, to the younger of two as near. */
    {"adience", "0,4,8,15,23,36,46,57"},
};

int score_bins(struct score_rule *rule, const char *text, struct mien_err *e)
{
    const char *s = text == NULL ? presets[0].edges : text;
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (strcmp(s, presets[i].name) == 0)
            s = presets[i].edges;
    }
    rule->nbins = 0;
    for (long long next = 0;; s++) {
        char number[8];
        long long edge;
        size_t len = strcspn(s, ",");
        snprintf(number, sizeof number, "%.*s", (int)(len < sizeof number ? len : 0), s);
        if (num_int(number, next, next == 0 ? 0 : MIEN_AGES - 1, &edge, NULL) < 0)
            return mien_err_set(
                e, MIEN_ERR_ARG,
                "'%s' is neither decades, fairface, adience nor ascending ages from 0", text);
        rule->bin_first[rule->nbins++] = (int)edge;
        next = edge + 1;
        s += len;
        if (*s == '\0')
            break;
    }
    for (int age = 0, bin = 0; age < MIEN_AGES; age++) {
        if (bin + 1 < rule->nbins && age == rule->bin_first[bin + 1])
            bin++;
        rule->bin_of[age] = bin;
    }
    return 0;
}

const char *score_bin_name(const struct score_rule *rule, int bin, char buf[16])
{
    int first = rule->bin_first[bin];
    int last = bin + 1 < rule->nbins ? rule->bin_first[bin + 1] - 1 : MIEN_AGES;
    if (last == MIEN_AGES)
        snprintf(buf, 16, "%d+", first);
    else if (last == first)
        snprintf(buf, 16, "%d", first);
    else
        snprintf(buf, 16, "%d-%d", first, last);
    return buf;
}

int score_label_bin(const struct score_rule *rule, const struct score_label *l)
{
    if (l->age_lo < 0 || rule->bin_of[l->age_lo] != rule->bin_of[l->age_hi])
        return -1;
    return rule->bin_of[l->age_lo];
}

/* --- One record ---------------------------------------------------------------------------- */

/* In years, not rounded. */
static double point_of(const struct score_rule *rule, const struct pred_age *a)
{
    switch (rule->point) {
    case SCORE_MEDIAN:
        return a->median;
    case SCORE_MODE:
        return a->mode;
    default:
        return a->mean;
    }
}

/* Whether somebody passes whose age is checked. A band that the age lies within says nothing. */
static void judge_pass(const struct score_rule *rule, const struct score_label *l, double point,
                       struct score_item *out)
{
    bool passes = point >= rule->challenge;
    if (rule->over == 0)
        return;
    if (l->age_hi < rule->over)
        out->count[COUNT_PASSED] = !passes;
    else if (l->age_lo >= rule->over)
        out->count[COUNT_FAILED] = passes;
}

static void judge_age(const struct score_rule *rule, const struct score_label *l,
                      const struct score_prediction *p, struct score_item *out)
{
    const struct pred_age *a = &p->age;
    double exact = point_of(rule, a);
    int point = (int)(exact + 0.5), low, high;
    out->point = point;
    out->whole_age = (int)exact;
    out->pred_bin = rule->bin_of[point];
    out->bin = score_label_bin(rule, l);
    if (out->bin >= 0)
        out->count[COUNT_BIN] = abs(out->pred_bin - out->bin);
    judge_pass(rule, l, exact, out);
    if (l->age_lo != l->age_hi) {
        int below = l->age_lo - point, above = point - l->age_hi;
        out->count[COUNT_BAND] = below > 0 ? below : above > 0 ? above : 0;
        return;
    }
    pred_age_interval(p->p_age, a, PRED_INTERVAL, &low, &high);
    out->error = a->mean - l->age_lo;
    out->close = abs((int)(a->mean + 0.5) - l->age_lo) <= PRED_CLOSE;
    out->count[COUNT_MEAN] = (int)(fabs(out->error) * 10 + 0.5);
    out->count[COUNT_BIAS] = (int)(out->error + MIEN_AGE_MAX + 0.5);
    out->count[COUNT_INTERVAL] = l->age_lo < low || l->age_lo > high;
    out->count[COUNT_MODE] = abs(a->mode - l->age_lo);
    out->count[COUNT_MEDIAN] = abs(a->median - l->age_lo);
    out->count[COUNT_POINT] = abs(point - l->age_lo);
}

struct score_prediction score_predict(const float *p_gender, const float *p_age)
{
    struct score_prediction p = {.p_gender = p_gender, .p_age = p_age};
    if (p_gender != NULL)
        p.conf_gender = fmin((double)p_gender[pred_mode(p_gender, MIEN_GENDERS)], 1);
    if (p_age != NULL) {
        p.age = pred_age(p_age);
        p.conf_age = pred_age_close(p_age, &p.age);
    }
    return p;
}

void score_judge(const struct score_rule *rule, const struct score_label *l,
                 const struct score_prediction *p, struct score_item *out)
{
    for (int i = 0; i < SCORE_COUNTS; i++)
        out->count[i] = -1;
    if (l->gender >= 0)
        out->count[COUNT_GENDER_UNSAID] = p->p_gender == NULL;
    if (l->age_lo >= 0)
        out->count[COUNT_AGE_UNSAID] = p->p_age == NULL;
    if (l->gender >= 0 && p->p_gender != NULL) {
        out->gender = l->gender;
        out->pred_gender = pred_mode(p->p_gender, MIEN_GENDERS);
        out->count[COUNT_GENDER] = out->pred_gender != l->gender;
    }
    if (l->age_lo >= 0 && p->p_age != NULL)
        judge_age(rule, l, p, out);
}

/* --- Many records -------------------------------------------------------------------------- */

int score_count(struct score_histogram *h, size_t number)
{
    uint64_t *n = array_grow_zeroed(h->n, number, &h->len, sizeof *n);
    if (n == NULL)
        return MIEN_ERR_MEM;
    h->n = n;
    h->n[number]++;
    h->total++;
    return 0;
}

int score_add(struct score *s, const struct score_item *item)
{
    for (int i = 0; i < SCORE_COUNTS; i++) {
        if (item->count[i] < 0)
            continue;
        if (score_count(&s->count[i], (size_t)item->count[i]) < 0)
            return MIEN_ERR_MEM;
        score_sum_add(&s->count[i].sum, i == COUNT_MEAN   ? fabs(item->error)
                                        : i == COUNT_BIAS ? item->error
                                                          : item->count[i]);
    }
    if (item->count[COUNT_GENDER] >= 0)
        s->gender[item->gender][item->pred_gender]++;
    return 0;
}

int score_merge(struct score *s, const struct score *other)
{
    for (int i = 0; i < SCORE_COUNTS; i++) {
        struct score_histogram *h = &s->count[i];
        const struct score_histogram *o = &other->count[i];
        for (size_t k = 0; k < o->len; k++) {
            if (o->n[k] == 0)
                continue;
            uint64_t *n = array_grow_zeroed(h->n, k, &h->len, sizeof *n);
            if (n == NULL)
                return MIEN_ERR_MEM;
            h->n = n;
            h->n[k] += o->n[k];
        }
        h->total += o->total;
        score_sum_merge(&h->sum, o->sum);
    }
    for (int l = 0; l < MIEN_GENDERS; l++) {
        for (int p = 0; p < MIEN_GENDERS; p++)
            s->gender[l][p] += other->gender[l][p];
    }
    return 0;
}

void score_free(struct score *s)
{
    for (int i = 0; i < SCORE_COUNTS; i++)
        free(s->count[i].n);
    *s = (struct score){0};
}

/* --- Metrics ------------------------------------------------------------------------------- */

enum { MEAN = -1 };

/* What a number stands for where it has a mean, in years: unit * (number - zero). */
static const struct {
    double unit;
    int zero;
} scales[SCORE_COUNTS] = {
    [COUNT_MODE] = {1, 0},   [COUNT_MEDIAN] = {1, 0},          [COUNT_BAND] = {1, 0},
    [COUNT_MEAN] = {0.1, 0}, [COUNT_BIAS] = {1, MIEN_AGE_MAX},
};

static const struct {
    const char *name, *title;
    int count;   /* what it is made of */
    int at_most; /* the share of numbers up to this one, or their mean */
} metrics[SCORE_METRICS] = {
    [SCORE_GENDER] = {"gender_accuracy", "accuracy", COUNT_GENDER, 0},
    [SCORE_GENDER_COVERAGE] = {"gender_coverage", "coverage", COUNT_GENDER_UNSAID, 0},
    [SCORE_EXACT] = {"age_exact", "exact (arg max)", COUNT_MODE, 0},
    [SCORE_MAE] = {"age_mae", "MAE of expectation", COUNT_MEAN, MEAN},
    [SCORE_MAE_MEDIAN] = {"age_mae_median", "MAE of median", COUNT_MEDIAN, MEAN},
    [SCORE_MAE_MODE] = {"age_mae_mode", "MAE of arg max", COUNT_MODE, MEAN},
    [SCORE_BIAS] = {"age_bias", "bias of expectation", COUNT_BIAS, MEAN},
    [SCORE_CS0] = {"cs0", "CS(0)", COUNT_POINT, 0},
    [SCORE_CS0 + 1] = {"cs1", "CS(1)", COUNT_POINT, 1},
    [SCORE_CS0 + 2] = {"cs2", "CS(2)", COUNT_POINT, 2},
    [SCORE_CS0 + 3] = {"cs3", "CS(3)", COUNT_POINT, 3},
    [SCORE_CS0 + 4] = {"cs4", "CS(4)", COUNT_POINT, 4},
    [SCORE_CS5] = {"cs5", "CS(5)", COUNT_POINT, 5},
    [SCORE_CS0 + 6] = {"cs6", "CS(6)", COUNT_POINT, 6},
    [SCORE_CS0 + 7] = {"cs7", "CS(7)", COUNT_POINT, 7},
    [SCORE_CS0 + 8] = {"cs8", "CS(8)", COUNT_POINT, 8},
    [SCORE_CS0 + 9] = {"cs9", "CS(9)", COUNT_POINT, 9},
    [SCORE_CS10] = {"cs10", "CS(10)", COUNT_POINT, 10},
    [SCORE_INTERVAL] = {"age_interval", "in the 80% interval", COUNT_INTERVAL, 0},
    [SCORE_AGE_COVERAGE] = {"age_coverage", "coverage", COUNT_AGE_UNSAID, 0},
    [SCORE_BIN] = {"bin_accuracy", "accuracy", COUNT_BIN, 0},
    [SCORE_ONE_OFF] = {"bin_one_off", "one-off accuracy", COUNT_BIN, 1},
    [SCORE_BAND] = {"band_accuracy", "accuracy", COUNT_BAND, 0},
    [SCORE_BAND_YEARS] = {"band_years", "years outside", COUNT_BAND, MEAN},
    [SCORE_FALSE_POSITIVE] = {"false_positives", "false positives", COUNT_PASSED, 0},
    [SCORE_FALSE_NEGATIVE] = {"false_negatives", "false negatives", COUNT_FAILED, 0},
};

const char *score_name(int metric)
{
    return metrics[metric].name;
}

const char *score_title(int metric)
{
    return metrics[metric].title;
}

bool score_is_coverage(int metric)
{
    return metric == SCORE_GENDER_COVERAGE || metric == SCORE_AGE_COVERAGE;
}

bool score_is_share(int metric)
{
    return metrics[metric].at_most != MEAN;
}

int score_metric_count(int metric)
{
    return metrics[metric].count;
}

double score_of_errors(int metric, const uint64_t *n, size_t len, uint64_t total)
{
    uint64_t sum = 0;
    if (score_is_share(metric)) {
        for (size_t i = 0; i < len && i <= (size_t)metrics[metric].at_most; i++)
            sum += n[i];
    } else {
        for (size_t i = 1; i < len; i++)
            sum += n[i] * i;
    }
    return (double)sum / (double)total;
}

double score_of_counts(int metric, const uint64_t *n, size_t len, uint64_t total)
{
    double v = score_of_errors(metric, n, len, total);
    int count = metrics[metric].count;
    return score_is_share(metric) ? v : scales[count].unit * (v - scales[count].zero);
}

double score_value(const struct score *s, int metric, uint64_t *n)
{
    const struct score_histogram *h = &s->count[metrics[metric].count];
    if (n != NULL)
        *n = h->total;
    if (h->total == 0)
        return NAN;
    if (!score_is_share(metric))
        return score_sum(h->sum) / (double)h->total;
    return score_of_counts(metric, h->n, h->len, h->total);
}
