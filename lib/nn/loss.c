#include "loss.h"

#include <math.h>

#include "mien/pred.h"

/* Probabilities come from floats: none is taken for less than this, so that a loss is finite. */
#define TINY 1e-30

static void gender_loss(const struct label *y, const float *p, float *d, double share,
                        struct tally *t)
{
    int right = y->gender;
    t->n_gender++;
    t->loss_gender -= log(fmax((double)p[right], TINY));
    t->right_gender += pred_mode(p, PRED_GENDERS) == right;
    for (int k = 0; d != NULL && k < PRED_GENDERS; k++)
        d[k] = (float)(share * ((double)p[k] - (k == right)));
}

/* Cross-entropy with the band [lo, hi] of years: the gradient pulls towards what the model itself
   holds likely within it. A whole year is a band of one. */
static void age_loss(int lo, int hi, const float *p, float *d, double share, struct tally *t)
{
    double in = 0;
    for (int k = lo; k <= hi; k++)
        in += (double)p[k];
    in = fmax(in, TINY);
    t->loss_age -= log(in);
    for (int k = 0; d != NULL && k < PRED_AGES; k++) {
        double want = k < lo || k > hi ? 0 : lo == hi ? 1 : (double)p[k] / in;
        d[k] = (float)(share * ((double)p[k] - want));
    }
}

static void age_errors(int age, const float *p, struct tally *t)
{
    struct pred_age est = pred_age(p);
    t->n_age++;
    t->exact += est.mode == age;
    t->abs_error += fabs(est.mean - age);
    t->cs5 += fabs(round(est.mean) - age) <= 5;
}

static int has_band(const struct label *y)
{
    return y->band[0] <= y->band[1] && y->band[1] < PRED_AGES;
}

void loss_batch(const struct label *y, size_t n, const float *gender, const float *age,
                float *dgender, float *dage, struct tally *t)
{
    size_t n_gender = 0, n_age = 0;
    for (size_t i = 0; i < n; i++) {
        n_gender += y[i].gender < PRED_GENDERS;
        n_age += y[i].age < PRED_AGES || has_band(&y[i]);
    }
    for (size_t i = 0; i < n; i++) {
        float *dg = dgender == NULL ? NULL : dgender + i * PRED_GENDERS;
        float *da = dage == NULL ? NULL : dage + i * PRED_AGES;
        const float *p = age + i * PRED_AGES;
        for (int k = 0; dg != NULL && k < PRED_GENDERS; k++)
            dg[k] = 0;
        for (int k = 0; da != NULL && k < PRED_AGES; k++)
            da[k] = 0;
        if (y[i].gender < PRED_GENDERS)
            gender_loss(&y[i], gender + i * PRED_GENDERS, dg, 1.0 / (double)n_gender, t);
        if (y[i].age < PRED_AGES) {
            age_loss(y[i].age, y[i].age, p, da, 1.0 / (double)n_age, t);
            age_errors(y[i].age, p, t);
        } else if (has_band(&y[i])) {
            age_loss(y[i].band[0], y[i].band[1], p, da, 1.0 / (double)n_age, t);
            t->n_band++;
        }
    }
}

static double ratio(double a, size_t n)
{
    return n > 0 ? a / (double)n : 0;
}

struct fit_metrics tally_metrics(const struct tally *t)
{
    return (struct fit_metrics){
        .loss = ratio(t->loss_gender, t->n_gender) + ratio(t->loss_age, t->n_age + t->n_band),
        .gender_accuracy = ratio((double)t->right_gender, t->n_gender),
        .age_exact = ratio((double)t->exact, t->n_age),
        .age_mae = ratio(t->abs_error, t->n_age),
        .age_cs5 = ratio((double)t->cs5, t->n_age),
        .n_gender = t->n_gender,
        .n_age = t->n_age,
    };
}
