/*
 * Rectifiers that exporters took apart. What is made of a layer z by rectifying, absolute values,
 * negation, factors and sums is, on each side of 0, a multiple of z: max(z, 0) - a max(-z, 0),
 * max(z, 0) + a min(z, 0), max(z, 0) + a / 2 (z - |z|) and whatever else there is are all a prelu
 * of z with the slope a.
 */
#ifndef MIEN_GRAPH_RECTIFIER_H
#define MIEN_GRAPH_RECTIFIER_H

#include "net/net.h"

/* Whether x + sign y, of two layers, is a rectifier of a layer. Then *l becomes that rectifier, a
   relu, a leaky or a prelu that is still to be added, and of a prelu *slope its slopes, one a
   channel, which the caller frees. Returns 1 or 0, or MIEN_ERR_MEM. */
MIEN_CHECKED int rectifier_of(const struct net *net, const float *weights, int x, int y,
                              double sign, struct layer *l, float **slope, struct mien_err *e);

#endif
