/*
 * The operators of ONNX, one function each: it converts the build's node, whose inputs are made, and
 * returns 0 or a negative code. ops.c has the table of which function converts which operator.
 */
#ifndef MIEN_ONNX_OPS_H
#define MIEN_ONNX_OPS_H

#include "layers.h"

/* Converts the node: by its constants' values, if all its inputs are constants, or to layers. */
MIEN_CHECKED int onnx_convert(struct build *b);

/* Whether an operator of this name can be converted. */
bool onnx_op_known(const char *op);

/* --- fold.c: of constants alone -------------------------------------------------------------- */

MIEN_CHECKED int fold_unary(struct build *b);
MIEN_CHECKED int fold_binary(struct build *b);
MIEN_CHECKED int fold_compare(struct build *b); /* Equal, Greater, Less, And, Or */
MIEN_CHECKED int fold_where(struct build *b);
MIEN_CHECKED int fold_cast(struct build *b);
MIEN_CHECKED int fold_gather(struct build *b);
MIEN_CHECKED int fold_concat(struct build *b);
MIEN_CHECKED int fold_slice(struct build *b);
MIEN_CHECKED int fold_transpose(struct build *b);
MIEN_CHECKED int fold_reshape(struct build *b); /* and Flatten, Squeeze, Unsqueeze */
MIEN_CHECKED int fold_expand(struct build *b);
MIEN_CHECKED int fold_identity(struct build *b);
MIEN_CHECKED int fold_reduce(struct build *b);
MIEN_CHECKED int fold_dequantize(struct build *b);
MIEN_CHECKED int onnx_constant(struct build *b);
MIEN_CHECKED int onnx_constant_of_shape(struct build *b);
MIEN_CHECKED int onnx_range(struct build *b);
MIEN_CHECKED int onnx_shape(struct build *b); /* also of a layer's value */
MIEN_CHECKED int onnx_size(struct build *b);

/* --- shape.c --------------------------------------------------------------------------------- */

/* The shape that Reshape, Flatten, Squeeze or Unsqueeze makes of v's. Returns its rank, or a
   negative code. */
MIEN_CHECKED int onnx_new_shape(struct build *b, const int *dim, int rank,
                                int next[CONST_MAX_RANK]);

/* Whole numbers that are an attribute, or the node's constant input k, as newer sets of operators
   have them. How many, -1 where there are none, or MIEN_ERR_FORMAT and the node has failed. */
enum { ONNX_NONE = -1 };
MIEN_CHECKED int onnx_numbers(struct build *b, const char *key, int k, int *v, int max);

MIEN_CHECKED int op_reshape_node(struct build *b); /* and Flatten, Squeeze, Unsqueeze */
MIEN_CHECKED int op_transpose(struct build *b);
MIEN_CHECKED int op_identity(struct build *b);
MIEN_CHECKED int op_expand(struct build *b);

/* --- parts.c --------------------------------------------------------------------------------- */

/* What a Slice takes of an axis: from, how many, every how many-th. */
struct cut {
    int at, size, step;
};
/* The cuts of all axes. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int onnx_cuts(struct build *b, const int *dim, int rank,
                           struct cut cut[CONST_MAX_RANK]);

MIEN_CHECKED int op_concat_node(struct build *b);
MIEN_CHECKED int op_split(struct build *b);
MIEN_CHECKED int op_slice_node(struct build *b);
MIEN_CHECKED int op_gather(struct build *b);
MIEN_CHECKED int op_tile(struct build *b);
MIEN_CHECKED int op_pad_node(struct build *b);

/* --- resize.c -------------------------------------------------------------------------------- */

MIEN_CHECKED int op_depth_to_space(struct build *b);
MIEN_CHECKED int op_space_to_depth(struct build *b);
MIEN_CHECKED int op_resize_node(struct build *b);
MIEN_CHECKED int op_upsample(struct build *b);

/* --- linear.c -------------------------------------------------------------------------------- */

MIEN_CHECKED int op_conv_node(struct build *b);
MIEN_CHECKED int op_conv_transpose(struct build *b);
MIEN_CHECKED int op_gemm(struct build *b);
MIEN_CHECKED int op_matmul_node(struct build *b);

/* --- pool.c ---------------------------------------------------------------------------------- */

/* Kernel, strides, dilations and padding of a node that slides a window over v, into l. */
MIEN_CHECKED int onnx_window(struct build *b, const struct value *v, struct layer *l);

MIEN_CHECKED int op_pool(struct build *b);
MIEN_CHECKED int op_global_pool(struct build *b);

/* --- norm.c ---------------------------------------------------------------------------------- */

/* A layer that has the value's axes of `set` (a bit each) apart from the others: *axes are those of
   its shape. Reorders v where that can't be seen otherwise. */
MIEN_CHECKED int onnx_apart(struct build *b, struct value *v, unsigned set, unsigned *axes);

MIEN_CHECKED int op_batch_norm(struct build *b);
MIEN_CHECKED int op_instance_norm(struct build *b);
MIEN_CHECKED int op_layer_norm(struct build *b);
MIEN_CHECKED int op_mean_variance_norm(struct build *b);
MIEN_CHECKED int op_lrn_node(struct build *b);
MIEN_CHECKED int op_lp_norm(struct build *b);
MIEN_CHECKED int op_softmax_node(struct build *b);
MIEN_CHECKED int op_reduce_node(struct build *b);

/* --- arith.c --------------------------------------------------------------------------------- */

MIEN_CHECKED int op_unary(struct build *b);
MIEN_CHECKED int op_clip_node(struct build *b);
MIEN_CHECKED int op_prelu_node(struct build *b);
MIEN_CHECKED int op_binary(struct build *b); /* Add ... Pow, Sum, Mean, Min, Max */

/* out = x TYPE y, by the rules of broadcasting, as a new layer; kx and ky are constants in the
   place of x and y, or NULL. */
MIEN_CHECKED int onnx_combine(struct build *b, enum layer_type type, const struct value *x,
                              const struct value *y, struct value *out);
/* One number, as a value. */
struct value onnx_scalar(struct constant *room, float *number);

#endif
