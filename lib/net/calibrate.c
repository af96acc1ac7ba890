#include "calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "mien/err.h"

/* The negative log-likelihood at the temperature exp(t), and what is held against temperature and shift. */
static double cost(const struct claim *c, size_t n, double t, double shift)
{
    double sum = (t * t + shift * shift) / 2, scale = exp(-t);
    for (size_t i = 0; i < n; i++) {
        double z = (double)c[i].logit * scale + shift, margin = c[i].right ? z : -z;
        sum += margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
    }
    return sum;
}

/* The best shift at a temperature: where the derivative of the cost, which grows with it, is 0. */
static double best_shift(const struct claim *c, size_t n, double t)
{
    double lo = -CALIBRATE_SHIFT, hi = CALIBRATE_SHIFT, scale = exp(-t);
    while (hi - lo > 1e-5) {
        double shift = (lo + hi) / 2, slope = shift;
        for (size_t i = 0; i < n; i++)
            slope += 1 / (1 + exp(-(double)c[i].logit * scale - shift)) - c[i].right;
        if (slope > 0)
            hi = shift;
        else
            lo = shift;
    }
    return (lo + hi) / 2;
}

struct scaling calibrate(const struct claim *c, size_t n, bool shifted)
{
    /* Golden sections of the temperature's logarithm. The likelihood is convex in 1 / T and the
       shift, thus has one minimum. */
    const double golden = (sqrt(5) - 1) / 2;
    double lo = log(CALIBRATE_MIN), hi = log(CALIBRATE_MAX);
    if (n == 0)
        return (struct scaling){1, 0};
    while (hi - lo > 1e-5) {
        double a = hi - golden * (hi - lo), b = lo + golden * (hi - lo);
        double at_a = cost(c, n, a, shifted ? best_shift(c, n, a) : 0);
        double at_b = cost(c, n, b, shifted ? best_shift(c, n, b) : 0);
        if (at_a < at_b)
            hi = b;
        else
            lo = a;
    }
    double t = (lo + hi) / 2;
    return (struct scaling){exp(t), shifted ? best_shift(c, n, t) : 0};
}

static int add(struct mien_buf *to, double confidence, bool right)
{
    struct claim c = {.logit = (float)pred_logit(confidence), .right = right};
    return mien_buf_append(to, &c, sizeof c);
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

static int set(struct mien_prep *model, const char *key, bool known, double value)
{
    mien_prep_del(model, key);
    return known ? mien_prep_set(model, key, "%.4g", value) : 0;
}

int calibration_end(struct calibration *c, struct mien_prep *model)
{
    size_t genders = c->gender.len / sizeof(struct claim), ages = c->age.len / sizeof(struct claim);
    int rc = c->failed ? MIEN_ERR_MEM : 0;
    if (rc == 0) {
        struct scaling gender = calibrate((const void *)c->gender.data, genders, false);
        struct scaling age = calibrate((const void *)c->age.data, ages, true);
        rc = set(model, "temp_gender", genders > 0, gender.temperature);
        if (rc == 0)
            rc = set(model, "temp_age", ages > 0, age.temperature);
        if (rc == 0)
            rc = set(model, "shift_age", ages > 0, age.shift);
    }
    mien_buf_free(&c->gender);
    mien_buf_free(&c->age);
    return rc;
}
