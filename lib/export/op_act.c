/* Functions of one element; prelu, whose slopes are the channels'; softmax. */
#include "axes.h"
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"
#include "util/num.h"

/* How each is spelled. ONNX: an operator, and what it calls the layer's a and b, if it has them; NULL
   where a function below makes it of several. PyTorch: Python of X, the layer's input, A and B. */
static const struct spelling {
    const char *onnx, *a, *b, *torch;
} spelling[LAYER_TYPES] = {
    [L_RELU] = {"Relu", .torch = "F.relu(X)"},
    [L_RELU6] = {NULL, .torch = "F.relu6(X)"},
    [L_SIGMOID] = {"Sigmoid", .torch = "torch.sigmoid(X)"},
    [L_TANH] = {"Tanh", .torch = "torch.tanh(X)"},
    [L_HSWISH] = {NULL, .torch = "F.hardswish(X)"},
    [L_SWISH] = {NULL, .torch = "F.silu(X)"},
    [L_GELU] = {NULL, .torch = "F.gelu(X)"},
    [L_SOFTPLUS] = {"Softplus", .torch = "F.softplus(X)"},
    [L_SOFTSIGN] = {"Softsign", .torch = "F.softsign(X)"},
    [L_MISH] = {NULL, .torch = "F.mish(X)"},
    [L_EXP] = {"Exp", .torch = "torch.exp(X)"},
    [L_LOG] = {"Log", .torch = "torch.log(X)"},
    [L_SQRT] = {"Sqrt", .torch = "torch.sqrt(X)"},
    [L_ABS] = {"Abs", .torch = "torch.abs(X)"},
    [L_NEG] = {"Neg", .torch = "-X"},
    [L_ERF] = {"Erf", .torch = "torch.erf(X)"},
    [L_RECIPROCAL] = {"Reciprocal", .torch = "1 / X"},
    [L_SIGN] = {"Sign", .torch = "torch.sign(X)"},
    [L_FLOOR] = {"Floor", .torch = "torch.floor(X)"},
    [L_CEIL] = {"Ceil", .torch = "torch.ceil(X)"},
    [L_ROUND] = {"Round", .torch = "torch.round(X)"},
    [L_SIN] = {"Sin", .torch = "torch.sin(X)"},
    [L_COS] = {"Cos", .torch = "torch.cos(X)"},
    [L_TAN] = {"Tan", .torch = "torch.tan(X)"},
    [L_ASIN] = {"Asin", .torch = "torch.asin(X)"},
    [L_ACOS] = {"Acos", .torch = "torch.acos(X)"},
    [L_ATAN] = {"Atan", .torch = "torch.atan(X)"},
    [L_SINH] = {"Sinh", .torch = "torch.sinh(X)"},
    [L_COSH] = {"Cosh", .torch = "torch.cosh(X)"},
    [L_ASINH] = {"Asinh", .torch = "torch.asinh(X)"},
    [L_ACOSH] = {"Acosh", .torch = "torch.acosh(X)"},
    [L_ATANH] = {"Atanh", .torch = "torch.atanh(X)"},
    [L_LEAKY] = {"LeakyRelu", .a = "alpha", .torch = "F.leaky_relu(X, A)"},
    [L_ELU] = {"Elu", .a = "alpha", .torch = "F.elu(X, A)"},
    [L_SELU] = {"Selu", .a = "alpha", .b = "gamma", .torch = "B * F.elu(X, A)"},
    [L_CELU] = {"Celu", .a = "alpha", .torch = "F.celu(X, A)"},
    [L_CLIP] = {NULL, .torch = "torch.clamp(X, A, B)"},
    [L_HSIGMOID] = {"HardSigmoid", .a = "alpha", .b = "beta",
                    .torch = "torch.clamp(A * X + B, 0, 1)"},
    [L_THRESHOLD] = {"ThresholdedRelu", .a = "alpha", .torch = "F.threshold(X, A, 0.0)"},
    [L_SHRINK] = {"Shrink", .a = "lambd", .b = "bias",
                  .torch = "torch.where(X < -(A), X + B, torch.where(X > A, X - (B), 0.0))"},
};

/* --- ONNX ----------------------------------------------------------------------------------- */

static const struct layer *layer_of(const struct onnx *g, int layer)
{
    return &g->o->model.net.layer[layer];
}

static void clip(struct onnx *g, int layer, const char *out, const char *x, float least, float most)
{
    struct onnx_name lo = graph_name(g, layer, "min"), hi = graph_name(g, layer, "max");
    graph_floats(g, lo.s, 0, NULL, &least);
    graph_floats(g, hi.s, 0, NULL, &most);
    graph_begin(g, "Clip", out);
    graph_in(g, x);
    graph_in(g, lo.s);
    graph_in(g, hi.s);
    graph_end(g);
}

/* y = x gate(x) */
static void gated(struct onnx *g, int layer, const char *out, const char *x)
{
    struct onnx_name inner = graph_name(g, layer, "inner"), gate = graph_name(g, layer, "gate");
    switch (layer_of(g, layer)->type) {
    case L_HSWISH:
        graph_begin(g, "HardSigmoid", gate.s);
        graph_in(g, x);
        graph_attr_float(g, "alpha", 1.0f / 6);
        graph_attr_float(g, "beta", 0.5f);
        graph_end(g);
        break;
    case L_MISH:
        graph_node(g, "Softplus", inner.s, x, NULL);
        graph_node(g, "Tanh", gate.s, inner.s, NULL);
        break;
    default:
        graph_node(g, "Sigmoid", gate.s, x, NULL);
    }
    graph_node(g, "Mul", out, x, gate.s);
}

/* y = x (1 + erf(x / sqrt 2)) / 2 */
static void gelu(struct onnx *g, int layer, const char *out, const char *x)
{
    struct onnx_name root = graph_name(g, layer, "root"), one = graph_name(g, layer, "one"),
                     half = graph_name(g, layer, "half"), by = graph_name(g, layer, "scaled"),
                     erf = graph_name(g, layer, "erf"), sum = graph_name(g, layer, "sum"),
                     twice = graph_name(g, layer, "twice");
    graph_floats(g, root.s, 0, NULL, (float[]){1.41421356f});
    graph_floats(g, one.s, 0, NULL, (float[]){1});
    graph_floats(g, half.s, 0, NULL, (float[]){0.5f});
    graph_node(g, "Div", by.s, x, root.s);
    graph_node(g, "Erf", erf.s, by.s, NULL);
    graph_node(g, "Add", sum.s, erf.s, one.s);
    graph_node(g, "Mul", twice.s, x, sum.s);
    graph_node(g, "Mul", out, twice.s, half.s);
}

static void unary_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = layer_of(g, layer);
    const struct spelling *s = &spelling[l->type];
    enum onnx_form form;
    const char *x = graph_as_is(g, l->in[0], &form), *y = graph_makes(g, layer, form);
    if (l->type == L_RELU6) {
        clip(g, layer, y, x, 0, 6);
    } else if (l->type == L_CLIP) {
        clip(g, layer, y, x, l->a, l->b);
    } else if (l->type == L_GELU) {
        gelu(g, layer, y, x);
    } else if (s->onnx == NULL) {
        gated(g, layer, y, x);
    } else {
        graph_begin(g, s->onnx, y);
        graph_in(g, x);
        if (s->a != NULL)
            graph_attr_float(g, s->a, l->a);
        if (s->b != NULL)
            graph_attr_float(g, s->b, l->b);
        graph_end(g);
    }
}

/* --- PyTorch -------------------------------------------------------------------------------- */

static void unary_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    char a[NUM_TEXT], b[NUM_TEXT];
    num_print_float(a, l->a);
    num_print_float(b, l->b);
    torch_assign(t, layer, t->value[l->in[0]].form);
    for (const char *s = spelling[l->type].torch; *s != '\0'; s++) {
        if (*s == 'X')
            torch_put_as_is(t, l->in[0]);
        else if (*s == 'A' || *s == 'B')
            torch_put(t, "%s", *s == 'A' ? a : b);
        else
            torch_put(t, "%c", *s);
    }
    torch_end(t);
}

const struct export_operator export_unary = {
    .onnx = unary_to_onnx,
    .torch = unary_to_torch,
};

/* --- prelu ---------------------------------------------------------------------------------- */

/* The slopes, one a channel, are broadcast. */
static void prelu_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = layer_of(g, layer);
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

const struct export_operator export_prelu = {
    .onnx = prelu_to_onnx,
    .torch = prelu_to_torch,
};

/* --- softmax and its logarithm --------------------------------------------------------------- */

/* ONNX knows one axis: all elements are a row, and of several the sum is computed. */
static void softmax_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = layer_of(g, layer);
    bool all = axes_are_all(l), plain = l->type == L_SOFTMAX;
    int64_t axes[3] = {1};
    int n = all ? 1 : axes_of(l->axes, 1, axes);
    const char *x = all ? graph_row(g, l->in[0]) : graph_image(g, l->in[0]);
    const char *y = graph_makes(g, layer, all ? FORM_ROW : FORM_IMAGE);
    if (n == 1) {
        graph_begin(g, plain ? "Softmax" : "LogSoftmax", y);
        graph_in(g, x);
        graph_attr_int(g, "axis", axes[0]);
        graph_end(g);
        return;
    }
    struct onnx_name sum = graph_name(g, layer, "sum"), log = graph_name(g, layer, "log");
    graph_reduce(g, "ReduceLogSumExp", sum.s, x, n, axes);
    graph_node(g, "Sub", plain ? log.s : y, x, sum.s);
    if (plain)
        graph_node(g, "Exp", y, log.s, NULL);
}

static void softmax_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    bool all = axes_are_all(l), plain = l->type == L_SOFTMAX;
    int64_t axes[3] = {1};
    int n = all ? 1 : axes_of(l->axes, 1, axes);
    torch_assign(t, layer, all ? TORCH_ROW : TORCH_IMAGE);
    if (n == 1) {
        torch_put(t, plain ? "F.softmax(" : "F.log_softmax(");
        if (all)
            torch_put_row(t, l->in[0]);
        else
            torch_put_image(t, l->in[0]);
        torch_put(t, ", %d)", (int)axes[0]);
    } else {
        torch_put(t, plain ? "torch.exp(" : "(");
        torch_put_image(t, l->in[0]);
        torch_put(t, " - ");
        torch_put_image(t, l->in[0]);
        torch_put(t, ".logsumexp(");
        torch_put_axes(t, l->axes, 1);
        torch_put(t, ", keepdim=True))");
    }
    torch_end(t);
}

const struct export_operator export_softmax = {
    .onnx = softmax_to_onnx,
    .torch = softmax_to_torch,
};
