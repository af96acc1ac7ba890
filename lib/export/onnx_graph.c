#include "onnx_graph.h"

#include <stdio.h>
#include <string.h>

/* Fields of the messages of onnx.proto. */
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTR_NAME = 1, ATTR_F = 2, ATTR_I = 3, ATTR_S = 4, ATTR_INTS = 8, ATTR_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };

static const struct net *net_of(const struct onnx *g)
{
    return &g->o->model.net;
}

struct onnx_name graph_name(const struct onnx *g, int layer, const char *suffix)
{
    struct onnx_name n;
    snprintf(n.s, sizeof n.s, "%s.%s", net_of(g)->layer[layer].name, suffix);
    while (net_find(net_of(g), n.s) >= 0 && strlen(n.s) + 1 < sizeof n.s)
        strcat(n.s, "_");
    return n;
}

/* --- Nodes and constants -------------------------------------------------------------------- */

void graph_begin(struct onnx *g, const char *op, const char *out)
{
    g->node = pb_open(&g->pb, GRAPH_NODE);
    pb_string(&g->pb, NODE_OP, op);
    pb_string(&g->pb, NODE_NAME, out);
    pb_string(&g->pb, NODE_OUTPUT, out);
}

void graph_in(struct onnx *g, const char *name)
{
    pb_string(&g->pb, NODE_INPUT, name);
}

static size_t open_attr(struct onnx *g, const char *name, int type)
{
    size_t at = pb_open(&g->pb, NODE_ATTRIBUTE);
    pb_string(&g->pb, ATTR_NAME, name);
    pb_int(&g->pb, ATTR_TYPE, type);
    return at;
}

void graph_attr_int(struct onnx *g, const char *name, int64_t v)
{
    size_t at = open_attr(g, name, TYPE_INT);
    pb_int(&g->pb, ATTR_I, v);
    pb_close(&g->pb, at);
}

void graph_attr_float(struct onnx *g, const char *name, float v)
{
    size_t at = open_attr(g, name, TYPE_FLOAT);
    pb_float(&g->pb, ATTR_F, v);
    pb_close(&g->pb, at);
}

void graph_attr_ints(struct onnx *g, const char *name, int n, const int64_t *v)
{
    size_t at = open_attr(g, name, TYPE_INTS);
    for (int i = 0; i < n; i++)
        pb_int(&g->pb, ATTR_INTS, v[i]);
    pb_close(&g->pb, at);
}

void graph_attr_string(struct onnx *g, const char *name, const char *v)
{
    size_t at = open_attr(g, name, TYPE_STRING);
    pb_string(&g->pb, ATTR_S, v);
    pb_close(&g->pb, at);
}

void graph_attr_window(struct onnx *g, const struct layer *l)
{
    graph_attr_ints(g, "kernel_shape", 2, (int64_t[]){l->kh, l->kw});
    graph_attr_ints(g, "strides", 2, (int64_t[]){l->sh, l->sw});
    graph_attr_ints(g, "pads", 4, (int64_t[]){l->pt, l->pl, l->pb, l->pr});
}

void graph_end(struct onnx *g)
{
    pb_close(&g->pb, g->node);
}

void graph_node(struct onnx *g, const char *op, const char *out, const char *a, const char *b)
{
    graph_begin(g, op, out);
    graph_in(g, a);
    if (b != NULL)
        graph_in(g, b);
    graph_end(g);
}

void graph_transpose(struct onnx *g, const char *out, const char *in, int n, const int64_t *perm)
{
    graph_begin(g, "Transpose", out);
    graph_in(g, in);
    graph_attr_ints(g, "perm", n, perm);
    graph_end(g);
}

static size_t open_tensor(struct onnx *g, const char *name, enum onnx_type type, int ndim,
                          const int64_t *dims)
{
    size_t at = pb_open(&g->pb, GRAPH_INITIALIZER);
    for (int i = 0; i < ndim; i++)
        pb_int(&g->pb, TENSOR_DIMS, dims[i]);
    pb_int(&g->pb, TENSOR_TYPE, type);
    pb_string(&g->pb, TENSOR_NAME, name);
    return at;
}

void graph_floats(struct onnx *g, const char *name, int ndim, const int64_t *dims, const float *v)
{
    size_t at = open_tensor(g, name, ONNX_FLOAT, ndim, dims), count = 1;
    for (int i = 0; i < ndim; i++)
        count *= (size_t)dims[i];
    pb_bytes(&g->pb, TENSOR_RAW, v, count * sizeof *v);
    pb_close(&g->pb, at);
}

void graph_ints(struct onnx *g, const char *name, int n, const int64_t *v)
{
    size_t at = open_tensor(g, name, ONNX_INT64, 1, (int64_t[]){n});
    pb_bytes(&g->pb, TENSOR_RAW, v, (size_t)n * sizeof *v);
    pb_close(&g->pb, at);
}

struct onnx_name graph_param(struct onnx *g, int layer, int param, int ndim, const int64_t *dims)
{
    const struct param *p = &net_of(g)->layer[layer].param[param];
    struct onnx_name name = graph_name(g, layer, p->name);
    size_t at = open_tensor(g, name.s, ONNX_FLOAT, ndim, dims);
    pb_span(&g->pb, TENSOR_RAW, g->o->model.weights + p->at, p->count * sizeof(float));
    pb_close(&g->pb, at);
    return name;
}

/* --- Forms ---------------------------------------------------------------------------------- */

const char *graph_makes(struct onnx *g, int layer, enum onnx_form form)
{
    struct onnx_value *v = &g->value[layer];
    v->form = form;
    *(form == FORM_IMAGE ? &v->image : &v->row) = v->made;
    return v->made.s;
}

const char *graph_as_is(const struct onnx *g, int layer, enum onnx_form *form)
{
    *form = g->value[layer].form;
    return g->value[layer].made.s;
}

static bool is_pixel(struct shape s)
{
    return s.h == 1 && s.w == 1;
}

static void reshape(struct onnx *g, int layer, const char *out, const char *in, int n,
                    const int64_t *dims)
{
    struct onnx_name shape = graph_name(g, layer, "image_shape");
    graph_ints(g, shape.s, n, dims);
    graph_node(g, "Reshape", out, in, shape.s);
}

static void flatten(struct onnx *g, const char *out, const char *in)
{
    graph_begin(g, "Flatten", out);
    graph_in(g, in);
    graph_attr_int(g, "axis", 1);
    graph_end(g);
}

const char *graph_image(struct onnx *g, int layer)
{
    struct onnx_value *v = &g->value[layer];
    struct shape s = net_of(g)->layer[layer].shape;
    if (v->image.s[0] != '\0')
        return v->image.s;
    v->image = graph_name(g, layer, "image");
    if (is_pixel(s)) {
        reshape(g, layer, v->image.s, v->row.s, 4, (int64_t[]){0, s.c, 1, 1});
        return v->image.s;
    }
    struct onnx_name rows = graph_name(g, layer, "channels_last");
    reshape(g, layer, rows.s, v->row.s, 4, (int64_t[]){0, s.h, s.w, s.c});
    graph_transpose(g, v->image.s, rows.s, 4, (int64_t[]){0, 3, 1, 2});
    return v->image.s;
}

const char *graph_flat(struct onnx *g, int layer)
{
    struct onnx_value *v = &g->value[layer];
    if (is_pixel(net_of(g)->layer[layer].shape))
        return graph_row(g, layer);
    if (v->flat.s[0] == '\0') {
        const char *image = graph_image(g, layer);
        v->flat = graph_name(g, layer, "flat");
        flatten(g, v->flat.s, image);
    }
    return v->flat.s;
}

const char *graph_row(struct onnx *g, int layer)
{
    struct onnx_value *v = &g->value[layer];
    if (v->row.s[0] != '\0')
        return v->row.s;
    v->row = graph_name(g, layer, "row");
    if (is_pixel(net_of(g)->layer[layer].shape)) {
        flatten(g, v->row.s, v->image.s);
        return v->row.s;
    }
    struct onnx_name last = graph_name(g, layer, "channels_last");
    graph_transpose(g, last.s, v->image.s, 4, (int64_t[]){0, 2, 3, 1});
    flatten(g, v->row.s, last.s);
    return v->row.s;
}
