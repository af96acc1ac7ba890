/* Arithmetic of several values, or of a value and a constant, broadcast. */
#include <stdio.h>
#include <string.h>

#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

/* How each is spelled: ONNX's operator; Python's, or, with a parenthesis, its function. */
static const struct spelling {
    const char *onnx, *torch;
} spelling[LAYER_TYPES] = {
    [L_ADD] = {"Add", " + "},
    [L_SUB] = {"Sub", " - "},
    [L_MUL] = {"Mul", " * "},
    [L_DIV] = {"Div", " / "},
    [L_MIN] = {"Min", "torch.minimum("},
    [L_MAX] = {"Max", "torch.maximum("},
    [L_POW] = {"Pow", "torch.pow("},
};

/* The constant, [h, w, c], becomes [c, h, w]. */
static void reorder(const struct net *net, int layer, float *w, float *spare)
{
    const struct param *p = &net->layer[layer].param[0];
    size_t area = p->dim[0] * p->dim[1], channels = p->dim[2];
    memcpy(spare, w, p->count * sizeof *w);
    for (size_t k = 0; k < area; k++) {
        for (size_t c = 0; c < channels; c++)
            w[c * area + k] = spare[k * channels + c];
    }
}

static bool is_pixel(struct shape s)
{
    return s.h == 1 && s.w == 1;
}

/* Images are broadcast as here. Rows are only where all of them are of one pixel: otherwise their
   elements would meet others. */
static enum onnx_form onnx_form_of(const struct onnx *g, const struct layer *l)
{
    for (int k = 0; k < l->nin; k++) {
        if (g->value[l->in[k]].form != FORM_ROW)
            return FORM_IMAGE;
    }
    return is_pixel(l->shape) ? FORM_ROW : FORM_IMAGE;
}

static const char *onnx_operand(struct onnx *g, int layer, enum onnx_form form)
{
    return form == FORM_ROW ? graph_row(g, layer) : graph_image(g, layer);
}

static void to_onnx(struct onnx *g, int layer)
{
    const struct layer *l = &g->o->model.net.layer[layer];
    const char *op = spelling[l->type].onnx, *x = NULL;
    enum onnx_form form = onnx_form_of(g, l);
    struct onnx_name part[NET_MAX_IN], value;
    x = onnx_operand(g, l->in[0], form);
    if (l->nparam > 0) {
        const size_t *d = l->param[0].dim;
        int64_t dims[] = {(int64_t)d[2], (int64_t)d[0], (int64_t)d[1]};
        value = graph_param(g, layer, 0, form == FORM_ROW ? 1 : 3, dims);
        const char *y = graph_makes(g, layer, form);
        graph_node(g, op, y, l->swap ? value.s : x, l->swap ? x : value.s);
        return;
    }
    for (int k = 1; k < l->nin; k++) {
        const char *y = onnx_operand(g, l->in[k], form);
        char suffix[16];
        snprintf(suffix, sizeof suffix, "part%d", k);
        part[k] = graph_name(g, layer, suffix);
        const char *out = k == l->nin - 1 ? graph_makes(g, layer, form) : part[k].s;
        graph_node(g, op, out, x, y);
        x = out;
    }
}

static enum torch_form torch_form_of(const struct torch *t, const struct layer *l)
{
    for (int k = 0; k < l->nin; k++) {
        if (t->value[l->in[k]].form != TORCH_ROW)
            return TORCH_IMAGE;
    }
    return is_pixel(l->shape) ? TORCH_ROW : TORCH_IMAGE;
}

static void torch_operand(struct torch *t, int layer, enum torch_form form)
{
    if (form == TORCH_ROW)
        torch_put_row(t, layer);
    else
        torch_put_image(t, layer);
}

/* The k-th operand: an input, or the constant behind it or before it. */
static void torch_side(struct torch *t, int layer, int k, enum torch_form form)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    bool constant = l->nparam > 0 && (k == 0) == l->swap;
    if (constant)
        torch_put(t, "self.%s", t->value[layer].id);
    else
        torch_operand(t, l->in[l->nparam > 0 ? 0 : k], form);
}

static void to_torch(struct torch *t, int layer)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    const char *word = spelling[l->type].torch;
    bool function = strchr(word, '(') != NULL;
    enum torch_form form = torch_form_of(t, l);
    if (l->nparam > 0) {
        const size_t *d = l->param[0].dim;
        size_t dims[] = {d[2], d[0], d[1]};
        if (form == TORCH_ROW)
            torch_init(t, layer, "nn.Parameter(torch.zeros(%zu))\n", d[2]);
        else
            torch_init(t, layer, "nn.Parameter(torch.zeros(%zu, %zu, %zu))\n", d[2], d[0], d[1]);
        torch_param(t, layer, 0, NULL, form == TORCH_ROW ? 1 : 3, dims);
    }
    torch_assign(t, layer, form);
    torch_put(t, "%s", function ? word : "");
    for (int k = 0; k < (l->nparam > 0 ? 2 : l->nin); k++) {
        torch_put(t, "%s", k == 0 ? "" : function ? ", " : word);
        torch_side(t, layer, k, form);
    }
    torch_put(t, "%s", function ? ")" : "");
    torch_end(t);
}

const struct export_operator export_arith = {
    .reorder = reorder,
    .onnx = to_onnx,
    .torch = to_torch,
};
