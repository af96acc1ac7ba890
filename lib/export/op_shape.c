/* Operators that move elements, or leave them where they are. */
#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"
#include "util/num.h"

/* The axis of a [N, channels, height, width] that is mien's axis 0, 1 or 2. */
static const int axis_of[] = {2, 3, 1};

/* --- The same row, seen as another image ---------------------------------------------------- */

static void reshape_to_onnx(struct onnx *g, int layer)
{
    const char *x = graph_row(g, g->o->model.net.layer[layer].in[0]);
    graph_node(g, "Identity", graph_makes(g, layer, FORM_ROW), x, NULL);
}

static void reshape_to_torch(struct torch *t, int layer)
{
    torch_assign(t, layer, TORCH_ROW);
    torch_put_row(t, t->o->model.net.layer[layer].in[0]);
    torch_end(t);
}

const struct export_operator export_reshape = {
    .onnx = reshape_to_onnx,
    .torch = reshape_to_torch,
};

/* --- The axes of a view in another order ----------------------------------------------------- */

static int view_of(const struct layer *l, int64_t view[NET_MAX_VIEW + 1],
                   int64_t perm[NET_MAX_VIEW + 1])
{
    int n = 0;
    view[0] = perm[0] = 0; /* the images */
    for (; n < NET_MAX_VIEW && l->view[n] > 0; n++) {
        view[n + 1] = l->view[n];
        perm[n + 1] = l->order[n] + 1;
    }
    return n + 1;
}

static void permute_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_row(g, l->in[0]);
    struct onnx_name shape = graph_name(g, layer, "view_shape"),
                     seen = graph_name(g, layer, "view"), turned = graph_name(g, layer, "turned");
    int64_t view[NET_MAX_VIEW + 1], perm[NET_MAX_VIEW + 1];
    int n = view_of(l, view, perm);
    graph_ints(g, shape.s, n, view);
    graph_node(g, "Reshape", seen.s, x, shape.s);
    graph_transpose(g, turned.s, seen.s, n, perm);
    graph_begin(g, "Flatten", graph_makes(g, layer, FORM_ROW));
    graph_in(g, turned.s);
    graph_attr_int(g, "axis", 1);
    graph_end(g);
}

static void permute_to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    int64_t view[NET_MAX_VIEW + 1], perm[NET_MAX_VIEW + 1];
    int n = view_of(l, view, perm);
    torch_assign(t, layer, TORCH_ROW);
    torch_put_row(t, l->in[0]);
    torch_put(t, ".reshape(-1");
    for (int k = 1; k < n; k++)
        torch_put(t, ", %d", (int)view[k]);
    torch_put(t, ").permute(0");
    for (int k = 1; k < n; k++)
        torch_put(t, ", %d", (int)perm[k]);
    torch_put(t, ").flatten(1)");
    torch_end(t);
}

const struct export_operator export_permute = {
    .onnx = permute_to_onnx,
    .torch = permute_to_torch,
};

/* --- Slices --------------------------------------------------------------------------------- */

static void slice_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    struct onnx_name p[] = {graph_name(g, layer, "starts"), graph_name(g, layer, "ends"),
                            graph_name(g, layer, "axes"), graph_name(g, layer, "steps")};
    int64_t v[4][3];
    for (int k = 0; k < 3; k++) {
        int last = l->at[k] + (l->size[k] - 1) * l->step[k], end = last + (l->step[k] > 0 ? 1 : -1);
        v[0][k] = l->at[k];
        v[1][k] = end >= 0 ? end : INT32_MIN; /* -1 would be the last one */
        v[2][k] = axis_of[k];
        v[3][k] = l->step[k];
    }
    for (int k = 0; k < 4; k++)
        graph_ints(g, p[k].s, 3, v[k]);
    graph_begin(g, "Slice", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    for (int k = 0; k < 4; k++)
        graph_in(g, p[k].s);
    graph_end(g);
}

/* PyTorch steps forward only: what goes back is turned around. */
static void slice_to_torch(struct torch *t, int layer)
{
    static const int order[] = {2, 0, 1}; /* channels first */
    const struct layer *l = &t->o->model.net.layer[layer];
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put_image(t, l->in[0]);
    torch_put(t, "[:");
    for (int i = 0; i < 3; i++) {
        int k = order[i], last = l->at[k] + (l->size[k] - 1) * l->step[k];
        bool back = l->step[k] < 0;
        torch_put(t, ", %d:%d:%d", back ? last : l->at[k], (back ? l->at[k] : last) + 1,
                  back ? -l->step[k] : l->step[k]);
    }
    torch_put(t, "]");
    for (int k = 0; k < 3; k++) {
        if (l->step[k] < 0)
            torch_put(t, ".flip(%d)", axis_of[k]);
    }
    torch_end(t);
}

const struct export_operator export_slice = {.onnx = slice_to_onnx, .torch = slice_to_torch};

/* --- One behind the other ------------------------------------------------------------------- */

static void concat_to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x[NET_MAX_IN];
    for (int k = 0; k < l->nin; k++)
        x[k] = graph_image(g, l->in[k]);
    graph_begin(g, "Concat", graph_makes(g, layer, FORM_IMAGE));
    for (int k = 0; k < l->nin; k++)
        graph_in(g, x[k]);
    graph_attr_int(g, "axis", axis_of[l->axis]);
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
    torch_put(t, "), %d)", axis_of[l->axis]);
    torch_end(t);
}

const struct export_operator export_concat = {.onnx = concat_to_onnx, .torch = concat_to_torch};

/* --- Borders -------------------------------------------------------------------------------- */

static const char *pad_onnx_lacks(const struct net *net, const struct layer *l)
{
    (void)net;
    return l->kind == PAD_WRAP ? "borders with mode=wrap" : NULL;
}

static void pad_to_onnx(struct onnx *g, int layer)
{
    static const char *const mode[] = {"constant", "edge", "reflect"};
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *x = graph_image(g, l->in[0]);
    struct onnx_name border = graph_name(g, layer, "border"), value = graph_name(g, layer, "value");
    graph_ints(g, border.s, 8, (int64_t[]){0, l->cb, l->pt, l->pl, 0, l->ca, l->pb, l->pr});
    graph_floats(g, value.s, 0, NULL, &l->a);
    graph_begin(g, "Pad", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_in(g, border.s);
    graph_in(g, value.s);
    graph_attr_string(g, "mode", mode[l->kind]);
    graph_end(g);
}

/* All but constants take the channels for part of a volume. */
static void pad_to_torch(struct torch *t, int layer)
{
    static const char *const mode[] = {"constant", "replicate", "reflect", "circular"};
    const struct layer *l = &t->o->model.net.layer[layer];
    char value[NUM_TEXT];
    num_print_float(value, l->a);
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.pad(");
    torch_put_image(t, l->in[0]);
    torch_put(t, "%s, (%d, %d, %d, %d, %d, %d)", l->kind == PAD_VALUE ? "" : "[:, None]", l->pl,
              l->pr, l->pt, l->pb, l->cb, l->ca);
    if (l->kind == PAD_VALUE)
        torch_put(t, ", value=%s)", value);
    else
        torch_put(t, ", \"%s\")[:, 0]", mode[l->kind]);
    torch_end(t);
}

const struct export_operator export_pad = {
    .onnx = pad_to_onnx,
    .torch = pad_to_torch,
    .onnx_lacks = pad_onnx_lacks,
};

/* --- Dropout -------------------------------------------------------------------------------- */

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

const struct export_operator export_dropout = {
    .onnx = dropout_to_onnx,
    .torch = dropout_to_torch,
};
