/*
 * The ops of a graph as layers, one function an op: each converts node i, whose inputs are
 * converted. Returns 0 or a negative code.
 */
#ifndef MIEN_IMPORT_TFOPS_H
#define MIEN_IMPORT_TFOPS_H

#include "tfimport.h"

/* Converts node i by the function of its op. */
int imp_node(struct import *c, int i);

/* --- tfops_activation.c -------------------------------------------------------------------- */

int imp_activation(struct import *c, int i); /* Relu, Relu6, Sigmoid, Prelu */
int imp_bound(struct import *c, int i);      /* Minimum, Maximum */
int imp_clip(struct import *c, int i);
int imp_softmax(struct import *c, int i);

/* Applies an activation by its name to x. *k is the next of the node's inputs, which a Prelu takes
   as its slopes. */
int imp_activate(struct import *c, int i, struct tf_value x, const char *name, int *k);

/* --- tfops_linear.c ------------------------------------------------------------------------ */

int imp_conv(struct import *c, int i); /* depthwise, too, and with what is fused */
int imp_matmul(struct import *c, int i);
int imp_batch_norm(struct import *c, int i);
int imp_arithmetic(struct import *c, int i); /* of a tensor and a constant; sums of two tensors */
int imp_add_n(struct import *c, int i);
int imp_concat(struct import *c, int i);

/* --- tfops_shape.c ------------------------------------------------------------------------- */

int imp_pool(struct import *c, int i);
int imp_mean(struct import *c, int i);
int imp_pad(struct import *c, int i);
int imp_reshape(struct import *c, int i);
int imp_squeeze(struct import *c, int i);
int imp_identity(struct import *c, int i);
int imp_placeholder(struct import *c, int i);

#endif
