/* The axes of a description, as others count them: of [N, channels, height, width]. */
#ifndef MIEN_EXPORT_AXES_H
#define MIEN_EXPORT_AXES_H

#include <stdint.h>

#include "onnx_graph.h"
#include "torch_module.h"

/* Writes those of enum axes in ascending order, the channels being axis `first`; returns how many. */
static inline int axes_of(unsigned axes, int first, int64_t out[3])
{
    int n = 0;
    if (axes & AXIS_C)
        out[n++] = first;
    if (axes & AXIS_H)
        out[n++] = first + 1;
    if (axes & AXIS_W)
        out[n++] = first + 2;
    return n;
}

/* Whether an operator along the layer's axes looks at all of an image's elements, in whatever
   order. */
static inline bool axes_are_all(const struct layer *l)
{
    return (l->axes & AXIS_H || l->shape.h == 1) && (l->axes & AXIS_W || l->shape.w == 1) &&
           (l->axes & AXIS_C || l->shape.c == 1);
}

/* "(1, 2)", in a line of forward. */
static inline void torch_put_axes(struct torch *t, unsigned axes, int first)
{
    int64_t v[3];
    int n = axes_of(axes, first, v);
    for (int k = 0; k < n; k++)
        torch_put(t, "%s%d", k == 0 ? "(" : ", ", (int)v[k]);
    torch_put(t, n == 1 ? ",)" : ")");
}

/* A node that reduces x along axes, which stay as 1. */
static inline void graph_reduce(struct onnx *g, const char *op, const char *out, const char *x,
                                int n, const int64_t *axes)
{
    graph_begin(g, op, out);
    graph_in(g, x);
    graph_attr_ints(g, "axes", n, axes);
    graph_end(g);
}

#endif
