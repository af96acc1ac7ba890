/* The mean of models' weights. */
#ifndef MIEN_NET_AVERAGE_H
#define MIEN_NET_AVERAGE_H

#include "model.h"

/* Makes every number of m's weights the mean of m's and of those of n others: of the same network,
   trained from the same start with other seeds (model soups: Wortsman and others 2022,
   arXiv:2203.05482), or of several epochs of one training (Izmailov and others 2018,
   arXiv:1803.05407). Statistics of batch normalization are averaged like weights. Temperatures
   become their geometric means, and shifts their means, where all have them, else none; counts of
   ages are added up.
   Returns 0; MIEN_ERR_ARG with the first difference when a network or its preprocessing differs
   from m's, *which being that model's index; or MIEN_ERR_MEM. m is unchanged on failure. */
MIEN_CHECKED int model_average(struct model *m, const struct model *other, int n, int *which,
                               struct mien_err *e);

#endif
