#include "calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "mien/err.h"

/* The negative log-likelihood at the temperature exp(t), and what is held against it. */
static double cost(const float *margin, size_t n, double t)
{
    double sum = t * t / 2, scale = exp(-t);
    for (size_t i = 0; i < n; i++) {
        double z = margin[i] * scale;
        sum += z > 0 ? log1p(exp(-z)) : log1p(exp(z)) - z;
    }
    return sum;
}

double calibrate(const float *margin, size_t n)
{
    /* Golden sections of the logarithm. The likelihood is convex in 1 / T, thus has one minimum. */
    const double golden = (sqrt(5) - 1) / 2;
    double lo = log(CALIBRATE_MIN), hi = log(CALIBRATE_MAX);
    double a = hi - golden * (hi - lo), b = lo + golden * (hi - lo);
    double at_a = cost(margin, n, a), at_b = cost(margin, n, b);
    while (n > 0 && hi - lo > 1e-6) {
        if (at_a < at_b) {
            hi = b;
            b = a;
            at_b = at_a;
            a = hi - golden * (hi - lo);
            at_a = cost(margin, n, a);
        } else {
            lo = a;
            a = b;
            at_a = at_b;
            b = lo + golden * (hi - lo);
            at_b = cost(margin, n, b);
        }
    }
    return n > 0 ? exp((lo + hi) / 2) : 1;
}

static int add(struct mien_buf *to, double confidence, bool right)
{
    float margin = (float)(right ? pred_logit(confidence) : -pred_logit(confidence));
    return mien_buf_append(to, &margin, sizeof margin);
}

int calibration_add_gender(struct calibration *c, const float p[MIEN_GENDERS], int gender)
{
    int said = pred_mode(p, MIEN_GENDERS);
    return gender < 0 || gender >= MIEN_GENDERS ? 0 : add(&c->gender, p[said], said == gender);
}

int calibration_add_age(struct calibration *c, const float p[MIEN_AGES], int age)
{
    struct pred_age a = pred_age(p);
    int said = (int)(a.mean + 0.5);
    bool close = abs(said - age) <= PRED_CLOSE;
    return age < 0 || age >= MIEN_AGES ? 0 : add(&c->age, pred_age_close(p, &a), close);
}

static int set_temperature(struct mien_prep *model, const char *key, const struct mien_buf *margins)
{
    size_t n = margins->len / sizeof(float);
    mien_prep_del(model, key);
    return n > 0 ? mien_prep_set(model, key, "%.4g", calibrate((const void *)margins->data, n)) : 0;
}

int calibration_end(struct calibration *c, struct mien_prep *model)
{
    int rc = c->failed ? MIEN_ERR_MEM : set_temperature(model, "temp_gender", &c->gender);
    if (rc == 0)
        rc = set_temperature(model, "temp_age", &c->age);
    mien_buf_free(&c->gender);
    mien_buf_free(&c->age);
    return rc;
}
