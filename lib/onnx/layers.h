/*
 * The net that an ONNX graph becomes: values, their layout, layers.
 *
 * A value of the graph is a constant, or what a layer makes. It has the graph's axes, and an order
 * in which these lie in memory, since a layer has height, width and channels, the channels last,
 * where ONNX has channels before height and width. So a Transpose is another naming of the same
 * memory, a Reshape most often, too; a `permute` layer comes into being only where an operator
 * needs an order that isn't there. The batch is an axis of 1, which may be free afterwards, since a
 * net's layers see one image at a time.
 */
#ifndef MIEN_ONNX_LAYERS_H
#define MIEN_ONNX_LAYERS_H

#include "net/net.h"
#include "file.h"

struct value {
    bool known; /* made already */
    struct constant k;
    int layer; /* where it isn't a constant */
    int rank, dim[CONST_MAX_RANK];
    int mem[CONST_MAX_RANK]; /* the axes, the slowest of memory first */
};

struct build {
    struct onnx_file *f;
    struct net net;
    float *weights;               /* parameters as net.h lays them out */
    struct value *value;          /* of each of f's names */
    const struct onnx_node *node; /* the one that is being converted */
    struct mien_err *e;
};

/* MIEN_ERR_FORMAT with "node 'NAME' (OP): CAUSE". */
int ob_fail(struct build *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The node's input k, made before; NULL where it is left out. */
struct value *ob_in(struct build *b, int k);
/* The same of a constant: NULL where it is left out, or isn't one. */
const struct constant *ob_constant(struct build *b, int k);
/* Copies input k, which has to be a layer's output. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int ob_tensor(struct build *b, int k, struct value *v);

/* A layer of this type that reads one layer. */
struct layer ob_layer(enum layer_type type, int in);

/* Adds a layer and zeroed parameters, named after the node or, with weight >= 0, after the
   parameter that is its input of this number. Returns its index or a negative code. */
MIEN_CHECKED int ob_add(struct build *b, const struct layer *l, int weight);
/* The floats of its parameter k; the next ob_add moves them. */
float *ob_param(const struct build *b, int layer, int k);

/* The node's output k is v, or a constant, which becomes the build's. Return 0. */
int ob_out(struct build *b, int k, const struct value *v);
int ob_out_constant(struct build *b, int k, struct constant *c);
/* Output 0 is that of a new layer, as v is but for it; returns layer when that is an error. */
MIEN_CHECKED int ob_emit(struct build *b, const struct value *v, int layer);
/* The same, with the channels, rows and columns that the layer makes of v, of rank 3 or 4. */
MIEN_CHECKED int ob_emit_image(struct build *b, const struct value *v, int layer);

/* --- Layout --------------------------------------------------------------------------------- */

/* An axis in the graph's way, from the last one where it is negative; -1: there is none. */
int ob_axis(const struct value *v, int axis);

/* The layer's shape that a value has unless another is asked for: channels is the last axis in
   memory, width the one before, height the product of the others. */
struct shape ob_shape(const struct value *v);

/* A layer that has the value in this shape, of as many elements, or in ob_shape's. An index or a
   negative code. */
MIEN_CHECKED int ob_view(struct build *b, const struct value *v, struct shape s);
MIEN_CHECKED int ob_plain(struct build *b, const struct value *v);

/* Makes v lie in this order: nothing, or a permute layer. */
MIEN_CHECKED int ob_arrange(struct build *b, struct value *v, const int *mem);
/* In the graph's own order; channels (axis 1) last. */
MIEN_CHECKED int ob_canonical(struct build *b, struct value *v);
MIEN_CHECKED int ob_channels_last(struct build *b, struct value *v);

/* The graph's n axes in another order, which is another naming of the same memory. Returns 0 or
   MIEN_ERR_FORMAT. */
MIEN_CHECKED int ob_transpose(struct build *b, struct value *v, const int *order, int n);

/* The same elements, in the graph's order, with other extents. */
MIEN_CHECKED int ob_reshape(struct build *b, struct value *v, const int *dim, int rank);

/* The shape in which one axis stands alone: what lies before it in memory, it, what lies behind. */
struct shape ob_around(const struct value *v, int axis);

#endif
