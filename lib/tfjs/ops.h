/*
 * The ops of a graph as layers, one function an op: each converts node i, whose inputs are
 * converted. Returns 0 or a negative code.
 */
#ifndef MIEN_TFJS_OPS_H
#define MIEN_TFJS_OPS_H

#include "layers.h"

/* Converts node i by the function of its op. */
MIEN_CHECKED int imp_node(struct import *c, int i);

/* --- activation.c ---------------------------------------------------------------------------- */

MIEN_CHECKED int imp_activation(struct import *c, int i); /* Relu, Relu6, Sigmoid, Prelu */
MIEN_CHECKED int imp_unary(struct import *c, int i);      /* Abs, Neg, Tanh, Sqrt, Rsqrt, Square */
MIEN_CHECKED int imp_bound(struct import *c, int i);      /* Minimum, Maximum */
MIEN_CHECKED int imp_clip(struct import *c, int i);
MIEN_CHECKED int imp_softmax(struct import *c, int i);

/* Applies an activation by its name to x. *k is the next of the node's inputs, which a Prelu takes
   as its slopes. */
MIEN_CHECKED int imp_activate(struct import *c, int i, struct tf_value x, const char *name, int *k);

/* --- linear.c -------------------------------------------------------------------------------- */

MIEN_CHECKED int imp_conv(struct import *c, int i); /* depthwise, too, and with what is fused */
MIEN_CHECKED int imp_matmul(struct import *c, int i);
MIEN_CHECKED int imp_batch_norm(struct import *c, int i);
MIEN_CHECKED int imp_arithmetic(struct import *c,
                                int i); /* of a tensor and a constant, or two tensors */
/* A layer of this type of the node's first n inputs, of the same rank; or the rectifier that a sum
   or difference of two is. */
MIEN_CHECKED int imp_join(struct import *c, int i, enum layer_type type, int n);
MIEN_CHECKED int imp_add_n(struct import *c, int i);
MIEN_CHECKED int imp_concat(struct import *c, int i);

/* --- shape.c --------------------------------------------------------------------------------- */

MIEN_CHECKED int imp_pool(struct import *c, int i);
MIEN_CHECKED int imp_reduce(struct import *c, int i); /* Mean, Max, Sum */
MIEN_CHECKED int imp_pad(struct import *c, int i);
MIEN_CHECKED int imp_reshape(struct import *c, int i);
MIEN_CHECKED int imp_squeeze(struct import *c, int i);
MIEN_CHECKED int imp_expand(struct import *c, int i);
MIEN_CHECKED int imp_slice(struct import *c, int i);
MIEN_CHECKED int imp_identity(struct import *c, int i);
MIEN_CHECKED int imp_placeholder(struct import *c, int i);

#endif
