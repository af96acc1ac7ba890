/* Products of matrices: each row of an image, [width, channels], is one. */
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

/* An input as [N, height, width, channels], the last two exchanged where turned. */
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

static void to_onnx(struct onnx *g, int layer)
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

static void to_torch(struct torch *t, int layer)
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

const struct export_operator export_matmul = {.onnx = to_onnx, .torch = to_torch};
