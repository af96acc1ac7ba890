/* Convolutions; depthwise ones are elsewhere grouped ones of a channel a group. */
#include <string.h>

#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

static int groups_of(const struct layer *l)
{
    return l->type == L_DWCONV ? l->units : l->groups;
}

/* Channels that a unit reads. */
static int inputs_of(const struct net *net, const struct layer *l)
{
    return net->layer[l->in[0]].shape.c / groups_of(l);
}

/* --- Weights -------------------------------------------------------------------------------- */

/* [kh, kw, inputs, units] to [units, inputs, kh, kw]; a depthwise one has one input a unit. */
static void reorder(const struct net *net, int layer, float *w, float *spare)
{
    const struct layer *l = &net->layer[layer];
    size_t window = (size_t)l->kh * (size_t)l->kw, inputs = (size_t)inputs_of(net, l),
           units = (size_t)l->units, from = 0;
    memcpy(spare, w, window * inputs * units * sizeof *w);
    for (size_t k = 0; k < window; k++) {
        for (size_t i = 0; i < inputs; i++) {
            for (size_t u = 0; u < units; u++)
                w[(u * inputs + i) * window + k] = spare[from++];
        }
    }
}

/* Transposed: [inputs / groups, kh, kw, units] to [inputs, units / groups, kh, kw]. */
static void reorder_transposed(const struct net *net, int layer, float *w, float *spare)
{
    const struct layer *l = &net->layer[layer];
    size_t window = (size_t)l->kh * (size_t)l->kw, inputs = (size_t)inputs_of(net, l),
           units = (size_t)(l->units / l->groups), groups = (size_t)l->groups, from = 0;
    memcpy(spare, w, window * inputs * groups * units * sizeof *w);
    for (size_t i = 0; i < inputs; i++) {
        for (size_t k = 0; k < window; k++) {
            for (size_t g = 0; g < groups; g++) {
                for (size_t u = 0; u < units; u++)
                    w[((g * inputs + i) * units + u) * window + k] = spare[from++];
            }
        }
    }
}

/* Its dimensions then. */
static void dims_of(const struct net *net, const struct layer *l, size_t dims[4])
{
    size_t inputs = (size_t)inputs_of(net, l), groups = (size_t)groups_of(l),
           units = (size_t)l->units;
    dims[0] = l->type == L_TCONV ? inputs * groups : units;
    dims[1] = l->type == L_TCONV ? units / groups : inputs;
    dims[2] = (size_t)l->kh;
    dims[3] = (size_t)l->kw;
}

/* --- ONNX ----------------------------------------------------------------------------------- */

static void to_onnx(struct onnx *g, int layer)
{
    const struct net *net = &g->o->model.net;
    const struct layer *l = &net->layer[layer];
    const char *x = graph_image(g, l->in[0]);
    size_t d[4];
    dims_of(net, l, d);
    const int64_t dims[] = {(int64_t)d[0], (int64_t)d[1], (int64_t)d[2], (int64_t)d[3]};
    struct onnx_name w = graph_param(g, layer, 0, 4, dims), bias = {""};
    if (l->bias)
        bias = graph_param(g, layer, 1, 1, (int64_t[]){l->units});
    graph_begin(g, l->type == L_TCONV ? "ConvTranspose" : "Conv",
                graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_in(g, w.s);
    if (l->bias)
        graph_in(g, bias.s);
    graph_attr_window(g, l);
    graph_attr_int(g, "group", groups_of(l));
    if (l->dh > 1 || l->dw > 1)
        graph_attr_ints(g, "dilations", 2, (int64_t[]){l->dh, l->dw});
    if (l->oh > 0 || l->ow > 0)
        graph_attr_ints(g, "output_padding", 2, (int64_t[]){l->oh, l->ow});
    graph_end(g);
}

/* --- PyTorch -------------------------------------------------------------------------------- */

/* Whether the padding is alike on both sides, which is all that PyTorch's layers know. */
static bool is_even(const struct layer *l)
{
    return l->pt == l->pb && l->pl == l->pr;
}

static void init(struct torch *t, int layer)
{
    const struct net *net = &t->o->model.net;
    const struct layer *l = &net->layer[layer];
    size_t dims[4];
    dims_of(net, l, dims);
    torch_init(t, layer, "nn.%s(%d, %d, (%d, %d)",
               l->type == L_TCONV ? "ConvTranspose2d" : "Conv2d", inputs_of(net, l) * groups_of(l),
               l->units, l->kh, l->kw);
    if (l->sh > 1 || l->sw > 1)
        torch_more(t, ", stride=(%d, %d)", l->sh, l->sw);
    if (is_even(l) && (l->pt > 0 || l->pl > 0))
        torch_more(t, ", padding=(%d, %d)", l->pt, l->pl);
    if (l->oh > 0 || l->ow > 0)
        torch_more(t, ", output_padding=(%d, %d)", l->oh, l->ow);
    if (l->dh > 1 || l->dw > 1)
        torch_more(t, ", dilation=(%d, %d)", l->dh, l->dw);
    if (groups_of(l) > 1)
        torch_more(t, ", groups=%d", groups_of(l));
    torch_more(t, "%s", l->bias ? ")\n" : ", bias=False)\n");
    torch_param(t, layer, 0, "weight", 4, dims);
    if (l->bias)
        torch_param(t, layer, 1, "bias", 1, (size_t[]){(size_t)l->units});
}

static void to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    init(t, layer);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "self.%s(", t->value[layer].id);
    if (is_even(l))
        torch_put_image(t, l->in[0]);
    else
        torch_put_padded(t, l->in[0], l, "0.0");
    torch_put(t, ")");
    torch_end(t);
}

/* Here the padding is cut off the output. */
static void transposed_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    init(t, layer);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "%sself.%s(", is_even(l) ? "" : "F.pad(", t->value[layer].id);
    torch_put_image(t, l->in[0]);
    torch_put(t, ")");
    if (!is_even(l))
        torch_put(t, ", (%d, %d, %d, %d))", -l->pl, -l->pr, -l->pt, -l->pb);
    torch_end(t);
}

const struct export_operator export_conv = {
    .reorder = reorder,
    .onnx = to_onnx,
    .torch = to_torch,
};
const struct export_operator export_tconv = {
    .reorder = reorder_transposed,
    .onnx = to_onnx,
    .torch = transposed_to_torch,
};
