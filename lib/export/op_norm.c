/* Normalizations. */
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"
#include "util/num.h"

/* bn: gamma, beta, mean and var, in both programs' order, too. */
static void bn_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    struct onnx_name p[4];
    for (int k = 0; k < 4; k++)
        p[k] = graph_param(g, layer, k, 1, (int64_t[]){l->shape.c});
    graph_begin(g, "BatchNormalization", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    for (int k = 0; k < 4; k++)
        graph_in(g, p[k].s);
    graph_attr_float(g, "epsilon", l->rate);
    graph_end(g);
}

static void bn_to_torch(struct torch *t, int layer)
{
    static const char *const name[] = {"weight", "bias", "running_mean", "running_var"};
    const struct layer *l = &t->o->model.net.layer[layer];
    char eps[NUM_TEXT];
    num_print_float(eps, l->rate);
    torch_init(t, layer, "nn.BatchNorm2d(%d, %s)\n", l->shape.c, eps);
    for (int k = 0; k < 4; k++)
        torch_param(t, layer, k, name[k], 1, (size_t[]){(size_t)l->shape.c});
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "self.%s(", t->value[layer].id);
    torch_put_image(t, l->in[0]);
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_bn = {
    .onnx = bn_to_onnx,
    .torch = bn_to_torch,
};

/* Softmax is over all elements. */
static void softmax_to_onnx(struct onnx *g, int layer)
{
    const char *x = graph_row(g, g->o->model.net.layer[layer].in[0]);
    graph_begin(g, "Softmax", graph_makes(g, layer, FORM_ROW));
    graph_in(g, x);
    graph_attr_int(g, "axis", 1);
    graph_end(g);
}

static void softmax_to_torch(struct torch *t, int layer)
{
    torch_assign(t, layer, TORCH_ROW);
    torch_put(t, "F.softmax(");
    torch_put_row(t, t->o->model.net.layer[layer].in[0]);
    torch_put(t, ", 1)");
    torch_end(t);
}

const struct export_operator export_softmax = {
    .onnx = softmax_to_onnx,
    .torch = softmax_to_torch,
};

/* Over all elements, too; a norm of less than 1e-6 counts as that. */
static void l2norm_to_onnx(struct onnx *g, int layer)
{
    const char *x = graph_row(g, g->o->model.net.layer[layer].in[0]);
    struct onnx_name norm = graph_name(g, layer, "norm"), least = graph_name(g, layer, "least"),
                     by = graph_name(g, layer, "divisor");
    graph_begin(g, "ReduceL2", norm.s);
    graph_in(g, x);
    graph_attr_ints(g, "axes", 1, (int64_t[]){1});
    graph_end(g);
    graph_floats(g, least.s, 0, NULL, (float[]){1e-6f});
    graph_node(g, "Max", by.s, norm.s, least.s);
    graph_node(g, "Div", graph_makes(g, layer, FORM_ROW), x, by.s);
}

static void l2norm_to_torch(struct torch *t, int layer)
{
    torch_assign(t, layer, TORCH_ROW);
    torch_put(t, "F.normalize(");
    torch_put_row(t, t->o->model.net.layer[layer].in[0]);
    torch_put(t, ", eps=1e-6)");
    torch_end(t);
}

const struct export_operator export_l2norm = {
    .onnx = l2norm_to_onnx,
    .torch = l2norm_to_torch,
};
