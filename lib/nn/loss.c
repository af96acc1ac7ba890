#include "loss.h"

#include <math.h>

#include "mien/pred.h"

/* Probabilities come from floats: none is taken for less than this, so that a loss is finite. */
#define TINY 1e-30

/* A target distribution over n classes: adds weight * cross-entropy to *loss and
   weight * (p - q) to d, the gradient at the logits of a softmax. */
static void cross_entropy(const double *q, const float *p, int n, double weight, double *loss,
                          double *d)
{
    for (int k = 0; k < n; k++) {
        if (q[k] > 0)
            *loss -= weight * q[k] * log(fmax((double)p[k], TINY));
        d[k] += weight * ((double)p[k] - q[k]);
    }
}

/* What the label says of an age: one class, a Gaussian around it (label distribution learning: Gao
   and others 2017), or a band, within which the model's own proportions hold: so the gradient is
   that of -log of the band's probability. */
static void age_target(const struct fit_config *c, const struct label *y, const float *p, double *q)
{
    double sum = 0, sigma = c != NULL ? c->sigma : 0;
    int lo = y->age, hi = y->age;
    if (y->age >= PRED_AGES) {
        lo = y->band[0];
        hi = y->band[1];
    }
    for (int k = 0; k < PRED_AGES; k++) {
        q[k] = k < lo || k > hi ? 0 : lo == hi ? 1 : fmax((double)p[k], TINY);
        if (lo == hi && sigma > 0)
            q[k] = exp(-0.5 * (k - lo) * (k - lo) / (sigma * sigma));
        sum += q[k];
    }
    for (int k = 0; k < PRED_AGES; k++)
        q[k] /= sum;
}

static void smooth(const struct fit_config *c, double *q, int n)
{
    double s = c != NULL ? c->smoothing : 0;
    for (int k = 0; s > 0 && k < n; k++)
        q[k] = (1 - s) * q[k] + s / n;
}

/* The absolute error of the expectation, whose derivative at logit k is +-p[k] (k - expectation). */
static void expectation_l1(double weight, int age, const float *p, double *loss, double *d)
{
    double mean = 0;
    for (int k = 0; k < PRED_AGES; k++)
        mean += k * (double)p[k];
    double sign = mean > age ? 1 : mean < age ? -1 : 0;
    *loss += weight * fabs(mean - age);
    for (int k = 0; k < PRED_AGES; k++)
        d[k] += weight * sign * (double)p[k] * (k - mean);
}

static int has_age(const struct label *y)
{
    return y->age < PRED_AGES || (y->band[0] <= y->band[1] && y->band[1] < PRED_AGES);
}

static void gender_loss(const struct fit_config *c, const struct label *y, double weight,
                        const float *p, double *d, struct tally *t)
{
    double q[PRED_GENDERS] = {0};
    q[y->gender] = 1;
    smooth(c, q, PRED_GENDERS);
    weight *= (double)y->w_gender;
    t->weight_gender += weight;
    cross_entropy(q, p, PRED_GENDERS, weight, &t->loss_gender, d);
}

static void age_loss(const struct fit_config *c, const struct label *y, double weight,
                     const float *p, double *d, struct tally *t)
{
    double q[PRED_AGES], in = 0;
    weight *= (double)y->w_age;
    t->weight_age += weight;
    age_target(c, y, p, q);
    if (y->age >= PRED_AGES) {
        /* Of a band the loss is told in full, not against the model's own proportions. */
        double unused = 0;
        for (int k = y->band[0]; k <= y->band[1]; k++)
            in += (double)p[k];
        t->loss_age -= weight * log(fmax(in, TINY));
        cross_entropy(q, p, PRED_AGES, weight, &unused, d);
        return;
    }
    smooth(c, q, PRED_AGES);
    cross_entropy(q, p, PRED_AGES, weight, &t->loss_age, d);
    if (c != NULL && c->l1 > 0)
        expectation_l1(weight * c->l1, y->age, p, &t->loss_age, d);
}

/* Compares a prediction with its labels. */
static void judge(const struct label *y, const float *gender, const float *age, struct tally *t)
{
    if (y->gender < PRED_GENDERS) {
        t->n_gender++;
        t->right_gender += pred_mode(gender, PRED_GENDERS) == y->gender;
    }
    if (y->age < PRED_AGES) {
        struct pred_age est = pred_age(age);
        t->n_age++;
        t->exact += est.mode == y->age;
        t->abs_error += fabs(est.mean - y->age);
        t->cs5 += fabs(round(est.mean) - y->age) <= 5;
    }
}

/* The share that record i's own label (part 0) or the one mixed in (part 1) has in it. */
static double share_of(const struct mix *mix, size_t i, int part)
{
    if (mix == NULL)
        return part == 0 ? 1 : 0;
    return part == 0 ? 1 - (double)mix->share[i] : (double)mix->share[i];
}

void loss_batch(const struct fit_config *c, const struct label *y, size_t n, const struct mix *mix,
                const float *gender, const float *age, float *dgender, float *dage,
                struct tally *t)
{
    struct tally one = {0};
    int parts = mix != NULL ? 2 : 1;
    double weight_gender = 0, weight_age = 0; /* of the whole batch, by which gradients are divided */
    for (size_t i = 0; i < n; i++) {
        for (int part = 0; part < parts; part++) {
            const struct label *l = part == 0 ? &y[i] : &y[mix->other[i]];
            double share = share_of(mix, i, part);
            weight_gender += l->gender < PRED_GENDERS ? share * (double)l->w_gender : 0;
            weight_age += has_age(l) ? share * (double)l->w_age : 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const float *pg = gender + i * PRED_GENDERS, *pa = age + i * PRED_AGES;
        double dg[PRED_GENDERS] = {0}, da[PRED_AGES] = {0};
        for (int part = 0; part < parts; part++) {
            const struct label *l = part == 0 ? &y[i] : &y[mix->other[i]];
            double share = share_of(mix, i, part);
            if (l->gender < PRED_GENDERS)
                gender_loss(c, l, share, pg, dg, &one);
            if (has_age(l))
                age_loss(c, l, share, pa, da, &one);
        }
        judge(&y[i], pg, pa, &one);
        for (int k = 0; dgender != NULL && k < PRED_GENDERS; k++)
            dgender[i * PRED_GENDERS + (size_t)k] = weight_gender > 0 ? (float)(dg[k] / weight_gender) : 0;
        for (int k = 0; dage != NULL && k < PRED_AGES; k++)
            dage[i * PRED_AGES + (size_t)k] = weight_age > 0 ? (float)(da[k] / weight_age) : 0;
    }
    tally_add(t, &one);
}

void tally_add(struct tally *sum, const struct tally *t)
{
    sum->loss_gender += t->loss_gender;
    sum->loss_age += t->loss_age;
    sum->weight_gender += t->weight_gender;
    sum->weight_age += t->weight_age;
    sum->abs_error += t->abs_error;
    sum->n_gender += t->n_gender;
    sum->n_age += t->n_age;
    sum->right_gender += t->right_gender;
    sum->exact += t->exact;
    sum->cs5 += t->cs5;
}

static double ratio(double a, double n)
{
    return n > 0 ? a / n : 0;
}

struct fit_metrics tally_metrics(const struct tally *t)
{
    double n_gender = (double)t->n_gender, n_age = (double)t->n_age;
    return (struct fit_metrics){
        .loss = ratio(t->loss_gender, t->weight_gender) + ratio(t->loss_age, t->weight_age),
        .gender_accuracy = ratio((double)t->right_gender, n_gender),
        .age_exact = ratio((double)t->exact, n_age),
        .age_mae = ratio(t->abs_error, n_age),
        .age_cs5 = ratio((double)t->cs5, n_age),
        .n_gender = t->n_gender,
        .n_age = t->n_age,
    };
}
