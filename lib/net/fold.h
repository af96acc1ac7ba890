/*
 * Folding what scales and shifts channels, above all batch normalization, into the weights of the
 * layer before: what plans do when they compile, and model_fold for good.
 */
#ifndef MIEN_NET_FOLD_H
#define MIEN_NET_FOLD_H

#include "net.h"

/* The one layer that reads layer i and nothing else, or -1. uses[i] tells how often layer i's
   output is read, results asked for included. */
int fold_reader(const struct net *net, const int *uses, int i);

/* The layer that alone reads layer i and scales and shifts its channels, as bn does and arithmetic
   with a constant; or -1. */
int fold_affine_behind(const struct net *net, const int *uses, int i);

/* The same where that can be folded into layer i's weights and bias. */
int fold_into_sums(const struct net *net, const int *uses, int i);

/* What such a layer, whose parameters lie in weights, does to channel c: y = scale x + shift. */
void fold_scale(const struct layer *l, const float *weights, int c, double *scale, double *shift);

/* Folds it into the layer before: nw weights, the channels side by side, and the bias. */
void fold_affine(const struct layer *l, const float *weights, float *w, size_t nw, float *bias);

#endif
