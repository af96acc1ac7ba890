/* Functions of one element. */
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

static void unary(struct onnx *g, int layer, const char *op)
{
    enum onnx_form form;
    const char *x = graph_as_is(g, g->o->model.net.layer[layer].in[0], &form);
    graph_node(g, op, graph_makes(g, layer, form), x, NULL);
}

static void relu_to_onnx(struct onnx *g, int layer)
{
    unary(g, layer, "Relu");
}

static void relu_to_torch(struct torch *t, int layer)
{
    torch_elementwise(t, layer, "F.relu");
}

const struct export_operator export_relu = {NULL, relu_to_onnx, relu_to_torch};

static void sigmoid_to_onnx(struct onnx *g, int layer)
{
    unary(g, layer, "Sigmoid");
}

static void sigmoid_to_torch(struct torch *t, int layer)
{
    torch_elementwise(t, layer, "torch.sigmoid");
}

const struct export_operator export_sigmoid = {NULL, sigmoid_to_onnx, sigmoid_to_torch};

static void relu6_to_onnx(struct onnx *g, int layer)
{
    enum onnx_form form;
    const char *x = graph_as_is(g, g->o->model.net.layer[layer].in[0], &form);
    struct onnx_name least = graph_name(g, layer, "min"), most = graph_name(g, layer, "max");
    graph_floats(g, least.s, 0, NULL, (float[]){0});
    graph_floats(g, most.s, 0, NULL, (float[]){6});
    graph_begin(g, "Clip", graph_makes(g, layer, form));
    graph_in(g, x);
    graph_in(g, least.s);
    graph_in(g, most.s);
    graph_end(g);
}

static void relu6_to_torch(struct torch *t, int layer)
{
    torch_elementwise(t, layer, "F.relu6");
}

const struct export_operator export_relu6 = {NULL, relu6_to_onnx, relu6_to_torch};

/* The slopes, one a channel, are broadcast. */
static void prelu_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    struct onnx_name slope = graph_param(g, layer, 0, 3, (int64_t[]){l->shape.c, 1, 1});
    graph_node(g, "PRelu", graph_makes(g, layer, FORM_IMAGE), x, slope.s);
}

static void prelu_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_init(t, layer, "nn.PReLU(%d)\n", l->shape.c);
    torch_param(t, layer, 0, "weight", 1, (size_t[]){(size_t)l->shape.c});
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "self.%s(", t->value[layer].id);
    torch_put_image(t, l->in[0]);
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_prelu = {NULL, prelu_to_onnx, prelu_to_torch};
