/* Operators that move elements, or leave them where they are. */
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"
#include "util/num.h"

/* An element's place in the row is its own, wherever it came from. */
static void flatten_to_onnx(struct onnx *g, int layer)
{
    const char *x = graph_row(g, g->o->model.net.layer[layer].in[0]);
    graph_node(g, "Identity", graph_makes(g, layer, FORM_ROW), x, NULL);
}

static void flatten_to_torch(struct torch *t, int layer)
{
    torch_assign(t, layer, TORCH_ROW);
    torch_put_row(t, t->o->model.net.layer[layer].in[0]);
    torch_end(t);
}

const struct export_operator export_flatten = {NULL, flatten_to_onnx, flatten_to_torch};

/* A graph is for predicting, where dropout does nothing. */
static void dropout_to_onnx(struct onnx *g, int layer)
{
    enum onnx_form form;
    const char *x = graph_as_is(g, g->o->model.net.layer[layer].in[0], &form);
    graph_node(g, "Identity", graph_makes(g, layer, form), x, NULL);
}

static void dropout_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    char rate[NUM_TEXT];
    num_print_float(rate, l->rate);
    torch_init(t, layer, "nn.Dropout(%s)\n", rate);
    torch_assign(t, layer, t->value[l->in[0]].form);
    torch_put(t, "self.%s(", t->value[layer].id);
    torch_put_as_is(t, l->in[0]);
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_dropout = {NULL, dropout_to_onnx, dropout_to_torch};

/* Channels follow one another, as images. */
static void concat_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x[NET_MAX_IN];
    for (int k = 0; k < l->nin; k++)
        x[k] = graph_image(g, l->in[k]);
    graph_begin(g, "Concat", graph_makes(g, layer, FORM_IMAGE));
    for (int k = 0; k < l->nin; k++)
        graph_in(g, x[k]);
    graph_attr_int(g, "axis", 1);
    graph_end(g);
}

static void concat_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "torch.cat((");
    for (int k = 0; k < l->nin; k++) {
        torch_put(t, "%s", k > 0 ? ", " : "");
        torch_put_image(t, l->in[k]);
    }
    torch_put(t, "), 1)");
    torch_end(t);
}

const struct export_operator export_concat = {NULL, concat_to_onnx, concat_to_torch};

static void pad_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    struct onnx_name border = graph_name(g, layer, "border");
    graph_ints(g, border.s, 8, (int64_t[]){0, l->cb, l->pt, l->pl, 0, l->ca, l->pb, l->pr});
    graph_node(g, "Pad", graph_makes(g, layer, FORM_IMAGE), x, border.s);
}

static void pad_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.pad(");
    torch_put_image(t, l->in[0]);
    torch_put(t, ", (%d, %d, %d, %d, %d, %d))", l->pl, l->pr, l->pt, l->pb, l->cb, l->ca);
    torch_end(t);
}

const struct export_operator export_pad = {NULL, pad_to_onnx, pad_to_torch};
