/* Products with a matrix, with a vector (coral), and of two inputs (matmul). */
#include <string.h>

#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

/* [row, column, channel, units] to [units, channel, row, column]; a cache line of units at once. */
static void reorder_dense(const struct net *net, int layer, float *w, float *spare)
{
    enum { LINE = 16 };
    const struct layer *l = &net->layer[layer];
    struct shape s = net->layer[l->in[0]].shape;
    size_t area = (size_t)s.h * (size_t)s.w, channels = (size_t)s.c, units = (size_t)l->units;
    memcpy(spare, w, area * channels * units * sizeof *w);
    for (size_t from = 0; from < units; from += LINE) {
        size_t to = units - from < LINE ? units : from + LINE;
        for (size_t i = 0; i < area * channels; i++) {
            size_t place = i % channels * area + i / channels;
            for (size_t u = from; u < to; u++)
                w[u * area * channels + place] = spare[i * units + u];
        }
    }
}

static void dense_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_flat(g, l->in[0]);
    const int64_t dims[] = {l->units, (int64_t)l->param[0].dim[0]};
    struct onnx_name w = graph_param(g, layer, 0, 2, dims), bias = {""};
    if (l->bias)
        bias = graph_param(g, layer, 1, 1, dims);
    graph_begin(g, "Gemm", graph_makes(g, layer, FORM_ROW));
    graph_in(g, x);
    graph_in(g, w.s);
    if (l->bias)
        graph_in(g, bias.s);
    graph_attr_int(g, "transB", 1);
    graph_end(g);
}

static void dense_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    const size_t dims[] = {(size_t)l->units, l->param[0].dim[0]};
    torch_init(t, layer, "nn.Linear(%zu, %d%s)\n", dims[1], l->units,
               l->bias ? "" : ", bias=False");
    torch_param(t, layer, 0, "weight", 2, dims);
    if (l->bias)
        torch_param(t, layer, 1, "bias", 1, dims);
    torch_assign(t, layer, TORCH_ROW);
    torch_put(t, "self.%s(", t->value[layer].id);
    torch_put_flat(t, l->in[0]);
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_dense = {
    .reorder = reorder_dense,
    .onnx = dense_to_onnx,
    .torch = dense_to_torch,
};

/* Its weight, of one a row's element, stays as it is. */
static void coral_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_row(g, l->in[0]);
    struct onnx_name sum = graph_name(g, layer, "sum");
    struct onnx_name w = graph_param(g, layer, 0, 2, (int64_t[]){(int64_t)l->param[0].count, 1});
    struct onnx_name bias = graph_param(g, layer, 1, 1, (int64_t[]){l->units});
    graph_node(g, "MatMul", sum.s, x, w.s);
    graph_node(g, "Add", graph_makes(g, layer, FORM_ROW), sum.s, bias.s);
}

static void coral_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    t->has_coral = true;
    torch_init(t, layer, "Coral(%zu, %d)\n", l->param[0].count, l->units);
    torch_param(t, layer, 0, "weight", 1, (size_t[]){l->param[0].count});
    torch_param(t, layer, 1, "bias", 1, (size_t[]){(size_t)l->units});
    torch_assign(t, layer, TORCH_ROW);
    torch_put(t, "self.%s(", t->value[layer].id);
    torch_put_row(t, l->in[0]);
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_coral = {
    .onnx = coral_to_onnx,
    .torch = coral_to_torch,
};

/* Each row of an image, [width, channels], is a matrix. An input as [N, height, width, channels],
   the last two exchanged where turned. */
static struct onnx_name matrices(struct onnx *g, int layer, int k, bool turned)
{
    static const char *const suffix[][3] = {{"a_shape", "a", "a_turned"},
                                            {"b_shape", "b", "b_turned"}};
    int in = g->o->model.net.layer[layer].in[k];
    struct shape s = g->o->model.net.layer[in].shape;
    const char *row = graph_row(g, in);
    struct onnx_name shape = graph_name(g, layer, suffix[k][0]),
                     seen = graph_name(g, layer, suffix[k][1]),
                     other = graph_name(g, layer, suffix[k][2]);
    graph_ints(g, shape.s, 4, (int64_t[]){0, s.h, s.w, s.c});
    graph_node(g, "Reshape", seen.s, row, shape.s);
    if (!turned)
        return seen;
    graph_transpose(g, other.s, seen.s, 4, (int64_t[]){0, 1, 3, 2});
    return other;
}

static void matmul_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    struct onnx_name a = matrices(g, layer, 0, l->ta), b = matrices(g, layer, 1, l->tb),
                     product = graph_name(g, layer, "product");
    graph_node(g, "MatMul", product.s, a.s, b.s);
    graph_begin(g, "Flatten", graph_makes(g, layer, FORM_ROW));
    graph_in(g, product.s);
    graph_attr_int(g, "axis", 1);
    graph_end(g);
}

static void put_matrices(struct torch *t, int layer, bool turned)
{
    struct shape s = t->o->model.net.layer[layer].shape;
    torch_put_row(t, layer);
    torch_put(t, ".reshape(-1, %d, %d, %d)%s", s.h, s.w, s.c, turned ? ".transpose(2, 3)" : "");
}

static void matmul_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_assign(t, layer, TORCH_ROW);
    torch_put(t, "(");
    put_matrices(t, l->in[0], l->ta);
    torch_put(t, " @ ");
    put_matrices(t, l->in[1], l->tb);
    torch_put(t, ").flatten(1)");
    torch_end(t);
}

const struct export_operator export_matmul = {.onnx = matmul_to_onnx, .torch = matmul_to_torch};
