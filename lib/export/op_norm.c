/* Normalizations. */
#include "axes.h"
#include "operator.h"
#include "util/num.h"

static const struct layer *onnx_layer(const struct onnx *g, int layer)
{
    return &g->o->model.net.layer[layer];
}

static const struct layer *torch_layer(const struct torch *t, int layer)
{
    return &t->o->model.net.layer[layer];
}

/* --- bn ------------------------------------------------------------------------------------- */

/* gamma, beta, mean and var, in both programs' order, too. */
static void bn_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = onnx_layer(g, layer);
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

/* A line that calls the layer's module on its input as an image. */
static void call_module(struct torch *t, int layer)
{
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "self.%s(", t->value[layer].id);
    torch_put_image(t, torch_layer(t, layer)->in[0]);
    torch_put(t, ")");
    torch_end(t);
}

static void bn_to_torch(struct torch *t, int layer)
{
    static const char *const name[] = {"weight", "bias", "running_mean", "running_var"};
    const struct layer *l = torch_layer(t, layer);
    char eps[NUM_TEXT];
    num_print_float(eps, l->rate);
    torch_init(t, layer, "nn.BatchNorm2d(%d, %s)\n", l->shape.c, eps);
    for (int k = 0; k < 4; k++)
        torch_param(t, layer, k, name[k], 1, (size_t[]){(size_t)l->shape.c});
    call_module(t, layer);
}

const struct export_operator export_bn = {.onnx = bn_to_onnx, .torch = bn_to_torch};

/* --- norm ----------------------------------------------------------------------------------- */

/* y = (x - mean) / sqrt(variance + eps), of images whose channels are in groups, an axis more. */
static void norm_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = onnx_layer(g, layer);
    struct onnx_name in_groups = graph_name(g, layer, "groups"),
                     back = graph_name(g, layer, "back"), split = graph_name(g, layer, "split"),
                     mean = graph_name(g, layer, "mean"), less = graph_name(g, layer, "less_mean"),
                     square = graph_name(g, layer, "square"), var = graph_name(g, layer, "var"),
                     eps = graph_name(g, layer, "eps"), sum = graph_name(g, layer, "sum"),
                     root = graph_name(g, layer, "root"), norm = graph_name(g, layer, "norm"),
                     whole = graph_name(g, layer, "whole"), scaled = graph_name(g, layer, "scaled");
    int64_t axes[3];
    int n = axes_of(l->axes, 2, axes);
    const int64_t dims[] = {0, l->groups, l->shape.c / l->groups, l->shape.h, l->shape.w};
    const int64_t image[] = {0, l->shape.c, l->shape.h, l->shape.w};
    const char *x = graph_image(g, l->in[0]);
    graph_ints(g, in_groups.s, 5, dims);
    graph_ints(g, back.s, 4, image);
    graph_floats(g, eps.s, 0, NULL, &l->rate);
    graph_node(g, "Reshape", split.s, x, in_groups.s);
    graph_reduce(g, "ReduceMean", mean.s, split.s, n, axes);
    graph_node(g, "Sub", less.s, split.s, mean.s);
    graph_node(g, "Mul", square.s, less.s, less.s);
    graph_reduce(g, "ReduceMean", var.s, square.s, n, axes);
    graph_node(g, "Add", sum.s, var.s, eps.s);
    graph_node(g, "Sqrt", root.s, sum.s, NULL);
    graph_node(g, "Div", norm.s, less.s, root.s);
    const char *y = graph_makes(g, layer, FORM_IMAGE);
    graph_node(g, "Reshape", l->bias ? whole.s : y, norm.s, back.s);
    if (!l->bias)
        return;
    struct onnx_name gamma = graph_param(g, layer, 0, 3, (int64_t[]){l->shape.c, 1, 1});
    struct onnx_name beta = graph_param(g, layer, 1, 3, (int64_t[]){l->shape.c, 1, 1});
    graph_node(g, "Mul", scaled.s, whole.s, gamma.s);
    graph_node(g, "Add", y, scaled.s, beta.s);
}

static void norm_to_torch(struct torch *t, int layer)
{
    const struct layer *l = torch_layer(t, layer);
    const size_t dims[] = {(size_t)l->shape.c, 1, 1};
    char eps[NUM_TEXT];
    int64_t axes[3];
    int n = axes_of(l->axes, 2, axes);
    num_print_float(eps, l->rate);
    t->has_norm = true;
    torch_init(t, layer, "Norm(%d, (", l->shape.c);
    for (int k = 0; k < n; k++)
        torch_more(t, "%d, ", (int)axes[k]);
    torch_more(t, "), %d, %s, %s)\n", l->groups, eps, l->bias ? "True" : "False");
    if (l->bias) {
        torch_param(t, layer, 0, "weight", 3, dims);
        torch_param(t, layer, 1, "bias", 3, dims);
    }
    call_module(t, layer);
}

const struct export_operator export_norm = {.onnx = norm_to_onnx, .torch = norm_to_torch};

/* --- lrn ------------------------------------------------------------------------------------ */

static void lrn_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = onnx_layer(g, layer);
    const char *x = graph_image(g, l->in[0]);
    graph_begin(g, "LRN", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_attr_int(g, "size", l->units);
    graph_attr_float(g, "alpha", l->a);
    graph_attr_float(g, "beta", l->b);
    graph_attr_float(g, "bias", l->k);
    graph_end(g);
}

/* PyTorch has the larger half of an even window before the channel, ONNX and mien behind it. */
static void lrn_to_torch(struct torch *t, int layer)
{
    const struct layer *l = torch_layer(t, layer);
    const char *turn = l->units % 2 == 0 ? ".flip(1)" : "";
    char a[NUM_TEXT], b[NUM_TEXT], k[NUM_TEXT];
    num_print_float(a, l->a);
    num_print_float(b, l->b);
    num_print_float(k, l->k);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.local_response_norm(");
    torch_put_image(t, l->in[0]);
    torch_put(t, "%s, %d, %s, %s, %s)%s", turn, l->units, a, b, k, turn);
    torch_end(t);
}

const struct export_operator export_lrn = {.onnx = lrn_to_onnx, .torch = lrn_to_torch};

/* --- l2norm --------------------------------------------------------------------------------- */

/* A norm of less than 1e-6 counts as that. */
static void l2norm_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = onnx_layer(g, layer);
    bool all = axes_are_all(l);
    int64_t axes[3] = {1};
    int n = all ? 1 : axes_of(l->axes, 1, axes);
    const char *x = all ? graph_row(g, l->in[0]) : graph_image(g, l->in[0]);
    struct onnx_name norm = graph_name(g, layer, "norm"), least = graph_name(g, layer, "least"),
                     by = graph_name(g, layer, "divisor");
    graph_reduce(g, "ReduceL2", norm.s, x, n, axes);
    graph_floats(g, least.s, 0, NULL, (float[]){1e-6f});
    graph_node(g, "Max", by.s, norm.s, least.s);
    graph_node(g, "Div", graph_makes(g, layer, all ? FORM_ROW : FORM_IMAGE), x, by.s);
}

static void l2norm_to_torch(struct torch *t, int layer)
{
    const struct layer *l = torch_layer(t, layer);
    bool all = axes_are_all(l);
    torch_assign(t, layer, all ? TORCH_ROW : TORCH_IMAGE);
    torch_put(t, "F.normalize(");
    if (all)
        torch_put_row(t, l->in[0]);
    else
        torch_put_image(t, l->in[0]);
    torch_put(t, ", dim=");
    torch_put_axes(t, all ? AXIS_C : l->axes, 1);
    torch_put(t, ", eps=1e-6)");
    torch_end(t);
}

const struct export_operator export_l2norm = {.onnx = l2norm_to_onnx, .torch = l2norm_to_torch};
