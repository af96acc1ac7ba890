#include "loss.h"

#include <assert.h>
#include <math.h>

#include "record/pred.h"

/* Probabilities come from floats: none is taken for less than TINY, so that a loss is finite; but
   what is no number stays so (fmax would hide it). */
#define TINY 1e-30

static double not_zero(double p)
{
    return p < TINY ? TINY : p;
}

/* A target distribution over n classes: adds weight * cross-entropy to *loss and
   weight * (p - q) to d, the gradient at the logits of a softmax. */
static void cross_entropy(const double *q, const double *p, int n, double weight, double *loss,
                          double *d)
{
    for (int k = 0; k < n; k++) {
        if (q[k] > 0)
            *loss -= weight * q[k] * log(not_zero(p[k]));
        d[k] += weight * (p[k] - q[k]);
    }
}

static void smooth(const struct loss_options *c, double *q, int n)
{
    double s = c != NULL ? c->smoothing : 0;
    for (int k = 0; s > 0 && k < n; k++)
        q[k] = (1 - s) * q[k] + s / n;
}

/* --- Gender --------------------------------------------------------------------------------- */

/* The share of the loss that a teacher's answer has; without an answer, none. */
static double taught_share(const struct loss_options *c, const float *answer, bool labelled)
{
    return c == NULL || answer == NULL ? 0 : labelled ? c->teacher : 1;
}

/* The gradient at one logit, of male, is that at the second of two. */
static void gender_loss(const struct loss_options *c, const struct heads *h, const struct label *y,
                        double weight, const float *out, double *d, struct tally *t)
{
    float two[MIEN_GENDERS];
    double q[MIEN_GENDERS] = {0}, both[MIEN_GENDERS] = {0};
    bool labelled = y->gender < MIEN_GENDERS;
    double taught = taught_share(c, y->taught_gender, labelled);
    model_gender(out, h->genders, two);
    const double p[MIEN_GENDERS] = {(double)two[0], (double)two[1]};
    if (labelled)
        q[y->gender] = 1;
    smooth(c, q, MIEN_GENDERS);
    for (int k = 0; taught > 0 && k < MIEN_GENDERS; k++)
        q[k] = (1 - taught) * q[k] + taught * (double)y->taught_gender[k];
    weight *= (double)y->w_gender;
    t->weight_gender += weight;
    cross_entropy(q, p, MIEN_GENDERS, weight, &t->loss_gender, both);
    for (int k = 0; k < h->genders; k++)
        d[k] += both[MIEN_GENDERS - h->genders + k];
}

/* --- Age ------------------------------------------------------------------------------------ */

/* The years that a label leaves open; ages that the head has no class for become the nearest. */
struct span {
    int lo, hi;
};

static struct span years_of(const struct age_head *h, const struct label *y)
{
    int least = h->from[0], most = h->from[h->n] - 1;
    struct span s = {y->age, y->age};
    if (y->age >= MIEN_AGES)
        s = (struct span){y->band[0], y->band[1]};
    s.lo = s.lo < least ? least : s.lo > most ? most : s.lo;
    s.hi = s.hi < least ? least : s.hi > most ? most : s.hi;
    return s;
}

/* The part of class k's probability that falls to the years of s. */
static double part_within(const struct age_head *h, int k, struct span s)
{
    int first, last;
    double part = 0;
    age_head_years(h, k, &first, &last);
    for (int year = first; year <= last; year++)
        part += year >= s.lo && year <= s.hi ? h->share[year] : 0;
    return part;
}

/* -log of the probability of a band, the sum of what its classes give to it. The gradient is that
   of a cross-entropy whose target are these parts. */
static void band_loss(const struct age_head *h, struct span s, double weight, const double *p,
                      double *loss, double *d)
{
    double q[AGE_CLASSES], sum = 0;
    for (int k = 0; k < h->n; k++) {
        q[k] = not_zero(p[k]) * part_within(h, k, s);
        sum += q[k];
    }
    *loss -= weight * log(not_zero(sum));
    for (int k = 0; k < h->n; k++)
        d[k] += weight * (p[k] - q[k] / sum);
}

/* What the label says of an age: its class, or a Gaussian around it (label distribution learning:
   Gao and others 2017), of which each class gets what lies on its years. */
static void age_target(const struct age_head *h, double sigma, int age, double *q)
{
    double sum = 0;
    for (int k = 0; k < h->n; k++)
        q[k] = 0;
    if (!(sigma > 0)) {
        q[age_head_class(h, age)] = 1;
        return;
    }
    for (int k = 0; k < h->n; k++) {
        for (int year = h->from[k]; year < h->from[k + 1]; year++) {
            double z = (year - age) / sigma; /* squared: sigma's own square may be 0 */
            q[k] += exp(-0.5 * z * z);
        }
        sum += q[k];
    }
    for (int k = 0; k < h->n; k++)
        q[k] /= sum;
}

/* The absolute error of the expectation (Gao and others 2018), whose derivative at logit k is
   +-p[k] (year[k] - expectation), where year[k] is the mean of the class's years. */
static void expectation_l1(const struct age_head *h, double weight, int age, const double *p,
                           double *loss, double *d)
{
    double year[AGE_CLASSES], mean = 0;
    for (int k = 0; k < h->n; k++) {
        int first, last;
        age_head_years(h, k, &first, &last);
        year[k] = 0;
        for (int i = first; i <= last; i++)
            year[k] += i * h->share[i];
        mean += p[k] * year[k];
    }
    double sign = mean > age ? 1 : mean < age ? -1 : 0;
    *loss += weight * fabs(mean - age);
    for (int k = 0; k < h->n; k++)
        d[k] += weight * sign * p[k] * (year[k] - mean);
}

static void softmax_loss(const struct loss_options *c, const struct age_head *h, struct span s,
                         double weight, const double *p, double *loss, double *d)
{
    double q[AGE_CLASSES];
    if (s.lo < s.hi) {
        band_loss(h, s, weight, p, loss, d);
        return;
    }
    age_target(h, c != NULL ? c->sigma : 0, s.lo, q);
    smooth(c, q, h->n);
    cross_entropy(q, p, h->n, weight, loss, d);
    if (c != NULL && c->l1 > 0)
        expectation_l1(h, weight * c->l1, s.lo, p, loss, d);
}

/* The sum of binary cross-entropies, one for each threshold: is it a later class (Cao, Mirjalili,
   Raschka 2020)? Thresholds within a band have no answer and teach nothing. */
static void ordinal_loss(const struct age_head *h, struct span s, double weight, const float *out,
                         double *loss, double *d)
{
    assert(out != NULL);
    for (int k = 0; k + 1 < h->n; k++) {
        bool later = s.lo >= h->from[k + 1];
        double p = out[k];
        if (!later && s.hi >= h->from[k + 1])
            continue;
        *loss -= weight * log(not_zero(later ? p : 1 - p));
        d[k] += weight * (p - later);
    }
}

/* What a teacher says of the head's classes. */
static void taught_classes(const struct age_head *h, const float *year, double *q)
{
    for (int k = 0; k < h->n; k++)
        q[k] = 0;
    for (int i = 0; i < MIEN_AGES; i++)
        q[age_head_class(h, i)] += (double)year[i];
}

/* The loss against a teacher: a cross-entropy or, of an ordinal head, one for each threshold. */
static void teacher_loss(const struct age_head *h, const float *year, double weight,
                         const float *out, const double *p, double *loss, double *d)
{
    double q[AGE_CLASSES], later = 1;
    taught_classes(h, year, q);
    if (!h->ordinal) {
        cross_entropy(q, p, h->n, weight, loss, d);
        return;
    }
    for (int k = 0; k + 1 < h->n; k++) {
        double is = out[k];
        later = fmax(later - q[k], 0);
        *loss -= weight * (later * log(not_zero(is)) + (1 - later) * log(not_zero(1 - is)));
        d[k] += weight * (is - later);
    }
}

static bool has_gender(const struct label *y)
{
    return y->gender < MIEN_GENDERS || y->taught_gender != NULL;
}

static bool labelled_age(const struct label *y)
{
    return y->age < MIEN_AGES || (y->band[0] <= y->band[1] && y->band[1] < MIEN_AGES);
}

static bool has_age(const struct label *y)
{
    return labelled_age(y) || y->taught_age != NULL;
}

static void age_loss(const struct loss_options *c, const struct age_head *h, const struct label *y,
                     double weight, const float *out, double *d, struct tally *t)
{
    double p[AGE_CLASSES], taught = taught_share(c, y->taught_age, labelled_age(y));
    struct span s = years_of(h, y);
    weight *= (double)y->w_age;
    t->weight_age += weight;
    age_head_classes(h, out, p);
    if (taught > 0)
        teacher_loss(h, y->taught_age, taught * weight, out, p, &t->loss_age, d);
    if (taught == 1)
        return;
    if (h->ordinal)
        ordinal_loss(h, s, (1 - taught) * weight, out, &t->loss_age, d);
    else
        softmax_loss(c, h, s, (1 - taught) * weight, p, &t->loss_age, d);
}

int loss_check(const struct loss_options *c, const struct heads *h, struct mien_err *e)
{
    if (h->years.n == 0 && (c->sigma > 0 || c->l1 > 0))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "sigma and l1 are for ages, and the model has no age head");
    if (h->years.ordinal && (c->sigma > 0 || c->l1 > 0 || c->smoothing > 0))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "sigma, l1 and smoothing are for a softmax of ages, and the age "
                            "head is ordinal");
    return 0;
}

/* --- Batches -------------------------------------------------------------------------------- */

/* Compares a prediction with its labels. */
static void judge(const struct heads *h, const struct label *y, const float *gender,
                  const float *age, struct tally *t)
{
    if (h->genders > 0 && y->gender < MIEN_GENDERS) {
        float p[MIEN_GENDERS];
        model_gender(gender, h->genders, p);
        t->n_gender++;
        t->right_gender += pred_mode(p, MIEN_GENDERS) == y->gender;
    }
    if (h->years.n > 0 && y->age < MIEN_AGES) {
        double p[AGE_CLASSES];
        float year[MIEN_AGES];
        int best = 0;
        age_head_classes(&h->years, age, p);
        for (int k = 1; k < h->years.n; k++)
            best = p[k] > p[best] ? k : best;
        age_head_distribution(&h->years, age, year);
        double mean = pred_age(year).mean;
        t->n_age++;
        t->exact += best == age_head_class(&h->years, y->age);
        t->abs_error += fabs(mean - y->age);
        t->cs5 += fabs(round(mean) - y->age) <= 5;
    }
}

/* Record i's own label (part 0) or the one mixed in (part 1), and the share that it has. */
static const struct label *label_of(const struct label *y, const struct mix *mix, size_t i,
                                    int part, double *share)
{
    *share = mix == NULL ? 1 : part == 0 ? 1 - (double)mix->share[i] : (double)mix->share[i];
    return part == 0 ? &y[i] : &y[mix->other[i]];
}

/* A row of gradients, divided by the weight of the whole batch. */
static void put_gradient(float *row, const double *d, int n, double weight)
{
    for (int k = 0; k < n; k++)
        row[k] = weight > 0 ? (float)(d[k] / weight) : 0;
}

void loss_batch(const struct loss_options *c, const struct heads *h, const struct label *y,
                size_t n, const struct mix *mix, const float *gender, const float *age,
                float *dgender, float *dage, struct tally *t)
{
    struct tally one = {0};
    int parts = mix != NULL ? 2 : 1, ages = age_head_outputs(&h->years);
    double weight_gender = 0, weight_age = 0; /* of the whole batch */
    for (size_t i = 0; i < n; i++) {
        for (int part = 0; part < parts; part++) {
            double share;
            const struct label *l = label_of(y, mix, i, part, &share);
            weight_gender += has_gender(l) ? share * (double)l->w_gender : 0;
            weight_age += has_age(l) ? share * (double)l->w_age : 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const float *og = gender != NULL ? gender + i * (size_t)h->genders : NULL;
        const float *oa = age != NULL ? age + i * (size_t)ages : NULL;
        double dg[MIEN_GENDERS] = {0}, da[AGE_CLASSES] = {0};
        for (int part = 0; part < parts; part++) {
            double share;
            const struct label *l = label_of(y, mix, i, part, &share);
            if (h->genders > 0 && has_gender(l))
                gender_loss(c, h, l, share, og, dg, &one);
            if (h->years.n > 0 && has_age(l))
                age_loss(c, &h->years, l, share, oa, da, &one);
        }
        judge(h, &y[i], og, oa, &one);
        if (dgender != NULL)
            put_gradient(dgender + i * (size_t)h->genders, dg, h->genders, weight_gender);
        if (dage != NULL)
            put_gradient(dage + i * (size_t)ages, da, ages, weight_age);
    }
    tally_add(t, &one);
}

double loss_of_guessing(const struct loss_options *c, const struct heads *h)
{
    double loss = h->genders > 0 ? log(MIEN_GENDERS) : 0;
    if (h->years.ordinal)
        loss += (h->years.n - 1) * log(2);
    else if (h->years.n > 0)
        loss += log(h->years.n) + c->l1 * MIEN_AGES / 3;
    return loss;
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

struct metrics tally_metrics(const struct tally *t)
{
    double n_gender = (double)t->n_gender, n_age = (double)t->n_age;
    return (struct metrics){
        .loss = ratio(t->loss_gender, t->weight_gender) + ratio(t->loss_age, t->weight_age),
        .gender_accuracy = ratio((double)t->right_gender, n_gender),
        .age_exact = ratio((double)t->exact, n_age),
        .age_mae = ratio(t->abs_error, n_age),
        .age_cs5 = ratio((double)t->cs5, n_age),
        .n_gender = t->n_gender,
        .n_age = t->n_age,
    };
}
