/* Optimisers and schedules: from gradients to new weights. */
#ifndef MIEN_NN_OPTIM_H
#define MIEN_NN_OPTIM_H

#include <stddef.h>

#include "mien/err.h"
#include "mien/fit.h"
#include "mien/par.h"
#include "kernel/real.h"

/* The state of an optimiser: arrays of n elements laid out as the weights, owned.
   FIT_ADAM    Kingma and Ba 2014, as Keras computes it: epsilon is added to the root of the second
               moment before its bias is corrected; decay * w is added to the gradient.
   FIT_ADAMW   the same, but decay shrinks the weights apart from it: w -= lr * decay * w
               (Loshchilov and Hutter 2017).
   FIT_SGD     v = momentum * v + gradient + decay * w, w -= lr * v; only m is used, for v. */
struct optim {
    const struct fit_config *c;
    real *m, *v;
    size_t n;
    long step; /* steps begun so far */
};
int optim_init(struct optim *o, const struct fit_config *c, size_t n, struct err *e);
void optim_free(struct optim *o);

/* Updates the weights [at, at + count) of step o->step, counted from 1. */
void optim_update(struct optim *o, real *w, const real *grad, size_t at, size_t count, double lr,
                  double decay);

/* The learning rate relative to its start, of c's schedule at `epochs` epochs since the beginning
   (a fraction within one), without what a plateau has done to it. */
double schedule_factor(const struct fit_config *c, double epochs);

#endif
