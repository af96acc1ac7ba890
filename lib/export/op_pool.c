/*
 * Pooling, and reductions along axes. Windows that reach beyond the padding (ceil=yes) are had by
 * padding more, which is what the rounding up of other programs means, but for its corner cases.
 */
#include <math.h>

#include "axes.h"
#include "net/op.h"
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

/* The layer with as much padding behind as its last windows reach for. */
static struct layer reaching(const struct net *net, const struct layer *l)
{
    struct shape in = net->layer[l->in[0]].shape;
    struct layer r = *l;
    int h = (l->shape.h - 1) * l->sh + op_reach(l->kh, l->dh) - in.h - l->pt;
    int w = (l->shape.w - 1) * l->sw + op_reach(l->kw, l->dw) - in.w - l->pl;
    r.pb = h > l->pb ? h : l->pb;
    r.pr = w > l->pr ? w : l->pr;
    return r;
}

static bool is_padded(const struct layer *l)
{
    return l->pt > 0 || l->pb > 0 || l->pl > 0 || l->pr > 0;
}

/* The name of x with the layer's padding of this value around it, which is the layer's no more. */
static struct onnx_name surround(struct onnx *g, int layer, struct layer *l, const char *x, float v)
{
    struct onnx_name out = graph_name(g, layer, "padded"), border = graph_name(g, layer, "border"),
                     value = graph_name(g, layer, "value");
    graph_ints(g, border.s, 8, (int64_t[]){0, 0, l->pt, l->pl, 0, 0, l->pb, l->pr});
    graph_floats(g, value.s, 0, NULL, &v);
    graph_begin(g, "Pad", out.s);
    graph_in(g, x);
    graph_in(g, border.s);
    graph_in(g, value.s);
    graph_end(g);
    l->pt = l->pb = l->pl = l->pr = 0;
    return out;
}

static void put_window(struct torch *t, const struct layer *l)
{
    torch_put(t, ", (%d, %d), (%d, %d)", l->kh, l->kw, l->sh, l->sw);
}

/* --- Maxima --------------------------------------------------------------------------------- */

static void maxpool_to_onnx(struct onnx *g, int layer)
{
    const struct net *net = &g->o->model.net;
    struct layer l = reaching(net, &net->layer[layer]);
    const char *x = graph_image(g, l.in[0]);
    struct onnx_name padded;
    /* A padding as large as the kernel is refused. */
    if (l.pt >= l.kh || l.pb >= l.kh || l.pl >= l.kw || l.pr >= l.kw) {
        padded = surround(g, layer, &l, x, -INFINITY);
        x = padded.s;
    }
    graph_begin(g, "MaxPool", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_attr_window(g, &l);
    if (l.dh > 1 || l.dw > 1)
        graph_attr_ints(g, "dilations", 2, (int64_t[]){l.dh, l.dw});
    graph_end(g);
}

static void maxpool_to_torch(struct torch *t, int layer)
{
    const struct net *net = &t->o->model.net;
    struct layer l = reaching(net, &net->layer[layer]);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.max_pool2d(");
    torch_put_padded(t, l.in[0], &l, "-torch.inf");
    put_window(t, &l);
    if (l.dh > 1 || l.dw > 1)
        torch_put(t, ", dilation=(%d, %d)", l.dh, l.dw);
    torch_put(t, ")");
    torch_end(t);
}

const struct export_operator export_maxpool = {
    .onnx = maxpool_to_onnx,
    .torch = maxpool_to_torch,
};

/* --- Averages ------------------------------------------------------------------------------- */

/* What counts is inside the image or, where the layer counts its padding, inside that; what lies
   beyond doesn't. ONNX's default is not to count the padding, so one that counts becomes part of
   the image. */
static void avgpool_to_onnx(struct onnx *g, int layer)
{
    const struct net *net = &g->o->model.net;
    struct layer all = reaching(net, &net->layer[layer]), l = net->layer[layer];
    const char *x = graph_image(g, l.in[0]);
    struct onnx_name padded;
    if (l.count && is_padded(&l)) {
        all.pt = all.pl = 0;
        all.pb -= l.pb;
        all.pr -= l.pr;
        padded = surround(g, layer, &l, x, 0);
        x = padded.s;
    }
    graph_begin(g, "AveragePool", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_attr_window(g, &all);
    graph_end(g);
}

static const char *avgpool_onnx_lacks(const struct net *net, const struct layer *l)
{
    struct layer r = reaching(net, l);
    return r.pb >= l->kh || r.pr >= l->kw
               ? "averages of windows that reach so far beyond their input"
               : NULL;
}

/* The mean over the padded image, by the share of it that counts. */
static void avgpool_to_torch(struct torch *t, int layer)
{
    const struct net *net = &t->o->model.net;
    const struct layer *l = &net->layer[layer];
    struct layer all = reaching(net, l);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.avg_pool2d(");
    torch_put_padded(t, l->in[0], &all, "0.0");
    put_window(t, l);
    torch_put(t, ")");
    bool beyond = all.pb > l->pb || all.pr > l->pr;
    if (beyond || (is_padded(l) && !l->count)) {
        torch_put(t, " / F.avg_pool2d(F.pad(F.pad(torch.ones_like(");
        torch_put_image(t, l->in[0]);
        torch_put(t, "), (%d, %d, %d, %d), value=%s), (0, %d, 0, %d))", l->pl, l->pr, l->pt, l->pb,
                  l->count ? "1.0" : "0.0", all.pr - l->pr, all.pb - l->pb);
        put_window(t, l);
        torch_put(t, ")");
    }
    torch_end(t);
}

const struct export_operator export_avgpool = {
    .onnx = avgpool_to_onnx,
    .torch = avgpool_to_torch,
    .onnx_lacks = avgpool_onnx_lacks,
};

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

const struct export_operator export_gap = {.onnx = gap_to_onnx, .torch = gap_to_torch};

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

static void reduce_to_onnx(struct onnx *g, int layer)
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

static void reduce_to_torch(struct torch *t, int layer)
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

const struct export_operator export_reduce = {.onnx = reduce_to_onnx, .torch = reduce_to_torch};
