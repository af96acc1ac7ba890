/* Reductions. */
#include "axes.h"
#include "operator.h"

/* In the order of enum reduction: ONNX's operator; Python of X, the image, and D, the axes. */
static const struct {
    const char *onnx, *torch;
} spelling[] = {
    {"ReduceMean", "X.mean(D, keepdim=True)"},
    {"ReduceSum", "X.sum(D, keepdim=True)"},
    {"ReduceMax", "X.amax(D, keepdim=True)"},
    {"ReduceMin", "X.amin(D, keepdim=True)"},
    {"ReduceProd", "X"}, /* which PyTorch has along one axis alone */
    {"ReduceL1", "X.abs().sum(D, keepdim=True)"},
    {"ReduceL2", "X.square().sum(D, keepdim=True).sqrt()"},
    {"ReduceSumSquare", "X.square().sum(D, keepdim=True)"},
    {"ReduceLogSum", "X.sum(D, keepdim=True).log()"},
    {"ReduceLogSumExp", "X.logsumexp(D, keepdim=True)"},
};

static void to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]), *op = spelling[l->kind].onnx;
    struct onnx_name name = graph_name(g, layer, "axes");
    int64_t axes[3];
    int n = axes_of(l->axes, 1, axes);
    if (l->kind == REDUCE_SUM) { /* the first that has its axes as an input */
        graph_ints(g, name.s, n, axes);
        graph_node(g, op, graph_makes(g, layer, FORM_IMAGE), x, name.s);
        return;
    }
    graph_reduce(g, op, graph_makes(g, layer, FORM_IMAGE), x, n, axes);
}

static void to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    int64_t axes[3];
    int n = axes_of(l->axes, 1, axes);
    torch_assign(t, layer, TORCH_IMAGE);
    for (const char *s = spelling[l->kind].torch; *s != '\0'; s++) {
        if (*s == 'X')
            torch_put_image(t, l->in[0]);
        else if (*s == 'D')
            torch_put_axes(t, l->axes, 1);
        else
            torch_put(t, "%c", *s);
    }
    for (int k = 0; l->kind == REDUCE_PROD && k < n; k++)
        torch_put(t, ".prod(%d, keepdim=True)", (int)axes[k]);
    torch_end(t);
}

const struct export_operator export_reduce = {.onnx = to_onnx, .torch = to_torch};
