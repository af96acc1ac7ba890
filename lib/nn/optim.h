/* Optimisers: from gradients to new weights. */
#ifndef MIEN_NN_OPTIM_H
#define MIEN_NN_OPTIM_H

#include "mien/err.h"
#include "real.h"

#include <stddef.h>

/* Adam (Kingma and Ba 2014) for one array of weights, as Keras computes it: epsilon is added to
   the root of the second moment before its bias is corrected. */
struct adam {
    real *m, *v; /* n moments each, owned */
    size_t n;
    long step;
    double beta1, beta2, epsilon;
};
int adam_init(struct adam *a, size_t n, double beta1, double beta2, double epsilon, struct err *e);
void adam_free(struct adam *a);

/* Begins a step: call once before the adam_update calls of a batch. */
void adam_begin(struct adam *a);

/* Updates the weights [at, at + count) with their gradients plus l2 times the weights. */
void adam_update(struct adam *a, real *w, const real *grad, size_t at, size_t count, double lr,
                 double l2);

#endif
