#include "optim.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

int optim_init(struct optim *o, const struct optim_options *c, size_t n, struct mien_err *e)
{
    *o = (struct optim){.c = c, .n = n};
    o->m = calloc(n + 1, sizeof *o->m);
    o->v = calloc(n + 1, sizeof *o->v);
    if (o->m != NULL && o->v != NULL)
        return 0;
    optim_free(o);
    return mien_err_mem(e, 2 * n * sizeof *o->m, "the optimizer's state");
}

void optim_free(struct optim *o)
{
    free(o->m);
    free(o->v);
    o->m = o->v = NULL;
}

SIMD static void adam(real *restrict w, const real *restrict g, real *restrict m, real *restrict v,
                      size_t n, real b1, real b2, real rate, real eps, real l2, real shrink)
{
    for (size_t i = 0; i < n; i++) {
        real d = g[i] + l2 * w[i];
        m[i] = b1 * m[i] + (1 - b1) * d;
        v[i] = b2 * v[i] + (1 - b2) * d * d;
        w[i] = shrink * w[i] - rate * m[i] / (REAL_SQRT(v[i]) + eps);
    }
}

SIMD static void sgd(real *restrict w, const real *restrict g, real *restrict v, size_t n,
                     real momentum, real rate, real l2)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + g[i] + l2 * w[i];
        w[i] -= rate * v[i];
    }
}

void optim_update(struct optim *o, real *w, const real *grad, size_t at, size_t count, double lr,
                  double decay)
{
    const struct optim_options *c = o->c;
    if (c->kind == OPTIM_SGD) {
        sgd(w + at, grad + at, o->m + at, count, (real)c->momentum, (real)lr, (real)decay);
        return;
    }
    double b1 = pow(c->beta1, (double)o->step), b2 = pow(c->beta2, (double)o->step);
    double rate = lr * sqrt(1 - b2) / (1 - b1);
    bool apart = c->kind == OPTIM_ADAMW;
    adam(w + at, grad + at, o->m + at, o->v + at, count, (real)c->beta1, (real)c->beta2, (real)rate,
         (real)c->epsilon, apart ? 0 : (real)decay, apart ? (real)(1 - lr * decay) : 1);
}

/* Several sums side by side, since each waits for its last addition. */
SIMD double optim_square(const real *grad, size_t n)
{
    enum { SUMS = 16 };
    double sum[SUMS] = {0}, all = 0;
    size_t i = 0;
    for (; i + SUMS <= n; i += SUMS) {
        for (int k = 0; k < SUMS; k++)
            sum[k] += (double)grad[i + (size_t)k] * (double)grad[i + (size_t)k];
    }
    for (; i < n; i++)
        all += (double)grad[i] * (double)grad[i];
    for (int k = 0; k < SUMS; k++)
        all += sum[k];
    return all;
}

double schedule_factor(const struct schedule *s, int total, double epochs)
{
    if (epochs < s->warmup)
        return epochs / s->warmup;
    if (s->kind == SCHEDULE_STEP)
        return pow(s->drop, floor(epochs / s->step_epochs));
    if (s->kind == SCHEDULE_COSINE) {
        double t = (epochs - s->warmup) / (total - s->warmup);
        return t >= 1 ? 0 : 0.5 * (1 + cos(3.141592653589793 * t));
    }
    return 1;
}
