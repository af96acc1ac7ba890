/* Pooling. */
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

static void pool_to_onnx(struct onnx *g, int layer, const char *op)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    graph_begin(g, op, graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_attr_window(g, l);
    graph_end(g);
}

static void put_window(struct torch *t, const struct layer *l)
{
    torch_put(t, ", (%d, %d), (%d, %d))", l->kh, l->kw, l->sh, l->sw);
}

static void maxpool_to_onnx(struct onnx *g, int layer)
{
    pool_to_onnx(g, layer, "MaxPool");
}

static void maxpool_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.max_pool2d(");
    torch_put_padded(t, l->in[0], l, "-torch.inf");
    put_window(t, l);
    torch_end(t);
}

const struct export_operator export_maxpool = {NULL, maxpool_to_onnx, maxpool_to_torch};

/* ONNX doesn't count the padding either, by default. */
static void avgpool_to_onnx(struct onnx *g, int layer)
{
    pool_to_onnx(g, layer, "AveragePool");
}

/* PyTorch's own way not to count the padding knows no asymmetric ones. */
static void avgpool_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.avg_pool2d(");
    torch_put_padded(t, l->in[0], l, "0.0");
    put_window(t, l);
    if (l->pt > 0 || l->pb > 0 || l->pl > 0 || l->pr > 0) {
        torch_put(t, " / F.avg_pool2d(F.pad(torch.ones_like(");
        torch_put_image(t, l->in[0]);
        torch_put(t, "), (%d, %d, %d, %d))", l->pl, l->pr, l->pt, l->pb);
        put_window(t, l);
    }
    torch_end(t);
}

const struct export_operator export_avgpool = {NULL, avgpool_to_onnx, avgpool_to_torch};

static void gap_to_onnx(struct onnx *g, int layer)
{
    const char *x = graph_image(g, g->o->model.net.layer[layer].in[0]);
    graph_node(g, "GlobalAveragePool", graph_makes(g, layer, FORM_IMAGE), x, NULL);
}

static void gap_to_torch(struct torch *t, int layer)
{
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put_image(t, t->o->model.net.layer[layer].in[0]);
    torch_put(t, ".mean((2, 3), keepdim=True)");
    torch_end(t);
}

const struct export_operator export_gap = {NULL, gap_to_onnx, gap_to_torch};
