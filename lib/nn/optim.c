#include "optim.h"

#include <math.h>
#include <stdlib.h>

int adam_init(struct adam *a, size_t n, double beta1, double beta2, double epsilon, struct err *e)
{
    *a = (struct adam){.n = n, .beta1 = beta1, .beta2 = beta2, .epsilon = epsilon};
    a->m = calloc(n + 1, sizeof *a->m);
    a->v = calloc(n + 1, sizeof *a->v);
    if (a->m != NULL && a->v != NULL)
        return 0;
    adam_free(a);
    return err_mem(e, 2 * n * sizeof *a->m, "the optimiser's state");
}

void adam_free(struct adam *a)
{
    free(a->m);
    free(a->v);
    a->m = a->v = NULL;
}

void adam_begin(struct adam *a)
{
    a->step++;
}

SIMD static void update(real *restrict w, const real *restrict g, real *restrict m,
                        real *restrict v, size_t n, real b1, real b2, real rate, real eps, real l2)
{
    for (size_t i = 0; i < n; i++) {
        real d = g[i] + l2 * w[i];
        m[i] = b1 * m[i] + (1 - b1) * d;
        v[i] = b2 * v[i] + (1 - b2) * d * d;
        w[i] -= rate * m[i] / (REAL_SQRT(v[i]) + eps);
    }
}

void adam_update(struct adam *a, real *w, const real *grad, size_t at, size_t count, double lr,
                 double l2)
{
    double b1 = pow(a->beta1, (double)a->step), b2 = pow(a->beta2, (double)a->step);
    double rate = lr * sqrt(1 - b2) / (1 - b1);
    update(w + at, grad + at, a->m + at, a->v + at, count, (real)a->beta1, (real)a->beta2,
           (real)rate, (real)a->epsilon, (real)l2);
}
