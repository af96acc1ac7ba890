#include "pred.h"

#include <math.h>

bool pred_valid(const float *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0)) /* also refuses NaN */
            return false;
        sum += p[i];
    }
    return fabs(sum - 1) <= 0.01;
}

int pred_mode(const float *p, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        if (p[i] > p[best])
            best = i;
    }
    return (int)best;
}

/* The sum and the mean. */
static double mean(const float *p, double *sum)
{
    double weighted = 0;
    *sum = 0;
    for (int i = 0; i < MIEN_AGES; i++) {
        *sum += p[i];
        weighted += (double)p[i] * i;
    }
    return weighted / *sum;
}

struct pred_age pred_age(const float p[MIEN_AGES])
{
    struct pred_age a = {.mode = pred_mode(p, MIEN_AGES)};
    double below = 0;
    a.mean = mean(p, &a.sum);
    while (a.median < MIEN_AGES - 1 && (below += p[a.median]) < a.sum / 2)
        a.median++;
    return a;
}

double pred_age_sd(const float p[MIEN_AGES])
{
    double sum, m = mean(p, &sum), square = 0;
    for (int i = 0; i < MIEN_AGES; i++)
        square += p[i] * (i - m) * (i - m);
    return sqrt(square / sum);
}

void pred_age_interval(const float p[MIEN_AGES], const struct pred_age *a, double share, int *low,
                       int *high)
{
    int i = 0;
    double below = p[0];
    while (i < MIEN_AGES - 1 && below < a->sum * (1 - share) / 2)
        below += p[++i];
    *low = i;
    while (i < MIEN_AGES - 1 && below < a->sum * (1 + share) / 2)
        below += p[++i];
    *high = i;
}

double pred_age_close(const float p[MIEN_AGES], const struct pred_age *a)
{
    double close = 0;
    int guess = (int)(a->mean + 0.5);
    for (int i = guess < PRED_CLOSE ? 0 : guess - PRED_CLOSE;
         i <= guess + PRED_CLOSE && i < MIEN_AGES; i++)
        close += p[i];
    return close / a->sum;
}

static double doubt(double p)
{
    return -log10(fmin(fmax(p, pow(10, -PRED_DOUBT_MAX)), 1));
}

double pred_doubt_age(const float p[MIEN_AGES], int low, int high)
{
    double below = 0, above = 0;
    for (int i = 0; i < MIEN_AGES; i++) {
        below += i <= high ? (double)p[i] : 0;
        above += i >= low ? (double)p[i] : 0;
    }
    return doubt(2 * fmin(below, above));
}

double pred_doubt_gender(const float p[MIEN_GENDERS], int gender)
{
    return doubt((double)p[gender]);
}

double pred_logit(double p)
{
    p = fmin(fmax(p, 1e-7), 1 - 1e-7);
    return log(p / (1 - p));
}

double pred_temper(double p, double temperature, double shift)
{
    bool as_is = temperature == 1 && shift == 0;
    return as_is ? p : 1 / (1 + exp(-(pred_logit(p) / temperature + shift)));
}
