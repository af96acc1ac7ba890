/*
 * An ONNX graph while it is built: nodes, constants, and the forms in which layers' outputs are
 * there. What the operators (operator.h) add themselves with.
 *
 * A layer's output is there in the form that its operator made, of N images each:
 *   image   [N, channels, height, width]
 *   row     [N, elements], by row, column, channel, as in mien
 * graph_image, graph_row and graph_flat convert it where an operator needs another.
 *
 * Calls need no check each: a failure is remembered, and told at the end (onnx.c).
 */
#ifndef MIEN_EXPORT_ONNX_GRAPH_H
#define MIEN_EXPORT_ONNX_GRAPH_H

#include "outgoing.h"
#include "protobuf.h"

enum onnx_type { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT64 = 7 };

/* Names in the graph: a layer's, with a suffix at most. */
enum { ONNX_NAME = NET_NAME + 32 };
struct onnx_name {
    char s[ONNX_NAME];
};

enum onnx_form { FORM_IMAGE, FORM_ROW };

struct onnx_value {
    enum onnx_form form;               /* the one that the operator made */
    struct onnx_name made;             /* its name */
    struct onnx_name image, row, flat; /* the names of others, "" while they aren't needed */
};

struct onnx {
    const struct outgoing *o;
    struct pb pb;
    size_t node;              /* the open one, see pb_open */
    struct onnx_value *value; /* of each layer */
};

/* A name that no layer has: "LAYER.SUFFIX". */
struct onnx_name graph_name(const struct onnx *g, int layer, const char *suffix);

/* The names of a layer's output as an image, as a row, and as [N, elements] in whatever order an
   image has them (by channel, row, column); in the form it is there in, for what looks at elements
   one by one. */
const char *graph_image(struct onnx *g, int layer);
const char *graph_row(struct onnx *g, int layer);
const char *graph_flat(struct onnx *g, int layer);
const char *graph_as_is(const struct onnx *g, int layer, enum onnx_form *form);

/* Tells which form a layer's output is made in and returns the name that it goes by. */
const char *graph_makes(struct onnx *g, int layer, enum onnx_form form);

/* A node: its operator and its output's name, then inputs and attributes in any order, then its
   end. No constant may be added in between. */
void graph_begin(struct onnx *g, const char *op, const char *out);
void graph_in(struct onnx *g, const char *name);
void graph_attr_int(struct onnx *g, const char *name, int64_t v);
void graph_attr_float(struct onnx *g, const char *name, float v);
void graph_attr_ints(struct onnx *g, const char *name, int n, const int64_t *v);
void graph_attr_string(struct onnx *g, const char *name, const char *v);
void graph_attr_window(struct onnx *g, const struct layer *l); /* kernel, strides, padding */
void graph_end(struct onnx *g);

/* A node of up to two inputs without attributes; b may be NULL. */
void graph_node(struct onnx *g, const char *op, const char *out, const char *a, const char *b);

void graph_transpose(struct onnx *g, const char *out, const char *in, int n, const int64_t *perm);

/* A constant. A copy is made of v; dims NULL is a scalar. */
void graph_floats(struct onnx *g, const char *name, int ndim, const int64_t *dims, const float *v);
void graph_ints(struct onnx *g, const char *name, int n, const int64_t *v);

/* A layer's parameter as a constant of these dimensions; returns its name, "LAYER.PARAMETER". */
struct onnx_name graph_param(struct onnx *g, int layer, int param, int ndim, const int64_t *dims);

#endif
