/*
 * The operators that can be exported: a line each in operator.c's table, a file a family.
 *
 * Adding one: its struct in op_FAMILY.c, declared below, and its line in the table.
 */
#ifndef MIEN_EXPORT_OPERATOR_H
#define MIEN_EXPORT_OPERATOR_H

#include "net/net.h"

struct onnx;  /* onnx_graph.h */
struct torch; /* torch_module.h */

struct export_operator {
    /* Puts the layer's weight into the order of outgoing.h, in place; spare has room for as many
       numbers. NULL: it stays as it is. */
    void (*reorder)(const struct net *net, int layer, float *weight, float *spare);
    /* Adds the layer to a graph, or to a module. */
    void (*onnx)(struct onnx *g, int layer);
    void (*torch)(struct torch *t, int layer);
    /* What this layer has that the program has no operator for, or NULL; NULL: it has one for
       all. */
    const char *(*onnx_lacks)(const struct net *net, const struct layer *l);
    const char *(*torch_lacks)(const struct net *net, const struct layer *l);
};

/* NULL for a layer that can't be exported. */
const struct export_operator *export_operator(enum layer_type type);

/* op_conv.c */
extern const struct export_operator export_conv, export_tconv;
/* op_dense.c */
extern const struct export_operator export_dense, export_coral, export_matmul;
/* op_act.c */
extern const struct export_operator export_unary, export_prelu, export_softmax;
/* op_arith.c */
extern const struct export_operator export_arith;
/* op_norm.c */
extern const struct export_operator export_bn, export_norm, export_lrn, export_l2norm;
/* op_pool.c */
extern const struct export_operator export_maxpool, export_avgpool, export_gap, export_reduce;
/* op_resize.c */
extern const struct export_operator export_resize;
/* op_shape.c */
extern const struct export_operator export_reshape, export_permute, export_slice, export_concat,
    export_pad, export_dropout;

#endif
