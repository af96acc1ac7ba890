/* Optimizers and schedules: from gradients to new weights. */
#ifndef MIEN_TRAIN_OPTIM_H
#define MIEN_TRAIN_OPTIM_H

#include <stddef.h>

#include "mien/err.h"
#include "layers/real.h"

enum optimizer { OPTIM_ADAM, OPTIM_ADAMW, OPTIM_SGD };

struct optim_options {
    int kind;                     /* enum optimizer */
    double beta1, beta2, epsilon; /* Adam's and AdamW's */
    double momentum;              /* SGD's */
};

/* How the learning rate changes over the epochs. */
enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_PLATEAU };

struct schedule {
    int kind;        /* enum schedule_kind */
    double warmup;   /* epochs over which the rate grows from 0 */
    int step_epochs; /* SCHEDULE_STEP: epochs between drops; SCHEDULE_PLATEAU: without gain */
    double drop;     /* the rate is multiplied by this */
};

/* The state of an optimizer: arrays of n elements laid out as the weights, owned.
   OPTIM_ADAM    Kingma and Ba 2014, as Keras computes it: epsilon is added to the root of the second
                 moment before its bias is corrected; decay * w is added to the gradient.
   OPTIM_ADAMW   the same, but decay shrinks the weights apart from it: w -= lr * decay * w
                 (Loshchilov and Hutter 2017).
   OPTIM_SGD     v = momentum * v + gradient + decay * w, w -= lr * v; only m is used, for v. */
struct optim {
    const struct optim_options *c;
    real *m, *v;
    size_t n;
    long step; /* steps begun so far */
};
MIEN_CHECKED int optim_init(struct optim *o, const struct optim_options *c, size_t n,
                            struct mien_err *e);
void optim_free(struct optim *o);

/* Updates the weights [at, at + count) of step o->step, counted from 1. */
void optim_update(struct optim *o, real *w, const real *grad, size_t at, size_t count, double lr,
                  double decay);

/* The sum of the squares of n gradients, in an order that depends on n alone. */
double optim_square(const real *grad, size_t n);

/* The learning rate relative to its start, of a schedule over `total` epochs, at `epochs` epochs
   since the beginning (a fraction within one), without what a plateau has done to it. */
double schedule_factor(const struct schedule *s, int total, double epochs);

#endif
