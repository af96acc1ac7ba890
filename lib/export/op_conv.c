/* Convolutions; depthwise ones are elsewhere grouped ones of a channel a group. */
#include <string.h>

#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

static int groups_of(const struct layer *l)
{
    return l->type == L_DWCONV ? l->units : l->groups;
}

static int inputs_of(const struct net *net, int layer)
{
    const struct layer *l = &net->layer[layer];
    return net->layer[l->in[0]].shape.c / groups_of(l);
}

/* [kh, kw, inputs, units] to [units, inputs, kh, kw]; a depthwise one has one input a unit. */
static void reorder(const struct net *net, int layer, float *w, float *spare)
{
    const struct layer *l = &net->layer[layer];
    size_t window = (size_t)l->kh * (size_t)l->kw, inputs = (size_t)inputs_of(net, layer),
           units = (size_t)l->units, from = 0;
    memcpy(spare, w, window * inputs * units * sizeof *w);
    for (size_t k = 0; k < window; k++) {
        for (size_t i = 0; i < inputs; i++) {
            for (size_t u = 0; u < units; u++)
                w[(u * inputs + i) * window + k] = spare[from++];
        }
    }
}

static void to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    const int64_t dims[] = {l->units, inputs_of(&g->o->model.net, layer), l->kh, l->kw};
    struct onnx_name w = graph_param(g, layer, 0, 4, dims), bias = {""};
    if (l->bias)
        bias = graph_param(g, layer, 1, 1, dims);
    graph_begin(g, "Conv", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_in(g, w.s);
    if (l->bias)
        graph_in(g, bias.s);
    graph_attr_window(g, l);
    graph_attr_int(g, "group", groups_of(l));
    graph_end(g);
}

static void to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    int inputs = inputs_of(&t->o->model.net, layer);
    const size_t dims[] = {(size_t)l->units, (size_t)inputs, (size_t)l->kh, (size_t)l->kw};
    bool even = l->pt == l->pb && l->pl == l->pr; /* which is all that nn.Conv2d knows */
    torch_init(t, layer, "nn.Conv2d(%d, %d, (%d, %d)", inputs * groups_of(l), l->units, l->kh,
               l->kw);
    if (l->sh > 1 || l->sw > 1)
        torch_more(t, ", stride=(%d, %d)", l->sh, l->sw);
    if (even && (l->pt > 0 || l->pl > 0))
        torch_more(t, ", padding=(%d, %d)", l->pt, l->pl);
    if (groups_of(l) > 1)
        torch_more(t, ", groups=%d", groups_of(l));
    torch_more(t, "%s", l->bias ? ")\n" : ", bias=False)\n");
    torch_param(t, layer, 0, "weight", 4, dims);
    if (l->bias)
        torch_param(t, layer, 1, "bias", 1, dims);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "self.%s(", t->value[layer].id);
    if (even)
        torch_put_image(t, l->in[0]);
    else
        torch_put_padded(t, l->in[0], l, "0.0");
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_conv = {reorder, to_onnx, to_torch};
