/* Resizing. */
#include <math.h>

#include "onnx_graph.h"
#include "operator.h"
#include "torch_module.h"

/* A factor by which `in` becomes `out` exactly: ONNX rounds down, and its sizes would fix the number
   of images. */
static float factor(int in, int out, float given)
{
    float f = given != 0 ? given : (float)out / (float)in;
    while (given == 0 && floorf(f * (float)in) < (float)out)
        f = nextafterf(f, INFINITY);
    return f;
}

static struct shape input_of(const struct net *net, const struct layer *l)
{
    return net->layer[l->in[0]].shape;
}

static void to_onnx(struct onnx *g, int layer)
{
    static const char *const mode[] = {"nearest", "linear", "cubic"};
    static const char *const coords[] = {"half_pixel", "asymmetric", "align_corners",
                                         "pytorch_half_pixel"};
    static const char *const rounding[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                           "ceil"};
    const struct layer *l = &g->o->model.net.layer[layer];
    struct shape in = input_of(&g->o->model.net, l);
    const char *x = graph_image(g, l->in[0]);
    struct onnx_name scales = graph_name(g, layer, "scales");
    const float by[] = {1, 1, factor(in.h, l->shape.h, l->a), factor(in.w, l->shape.w, l->b)};
    graph_floats(g, scales.s, 1, (int64_t[]){4}, by);
    graph_begin(g, "Resize", graph_makes(g, layer, FORM_IMAGE));
    graph_in(g, x);
    graph_in(g, ""); /* no region */
    graph_in(g, scales.s);
    graph_attr_string(g, "mode", mode[l->kind]);
    graph_attr_string(g, "coordinate_transformation_mode", coords[l->coords]);
    if (l->kind == INTERPOLATE_NEAREST)
        graph_attr_string(g, "nearest_mode", rounding[l->rounding]);
    if (l->kind == INTERPOLATE_CUBIC)
        graph_attr_float(g, "cubic_coeff_a", -0.75f);
    graph_end(g);
}

/* Whether its scale, if it has one, leads to its size. */
static bool is_whole(const struct net *net, const struct layer *l)
{
    struct shape in = input_of(net, l);
    return (l->a == 0 || l->a * (float)in.h == (float)l->shape.h) &&
           (l->b == 0 || l->b * (float)in.w == (float)l->shape.w);
}

static const char *onnx_lacks(const struct net *net, const struct layer *l)
{
    struct shape in = input_of(net, l);
    if (floorf(factor(in.h, l->shape.h, l->a) * (float)in.h) != (float)l->shape.h ||
        floorf(factor(in.w, l->shape.w, l->b) * (float)in.w) != (float)l->shape.w)
        return "resizing to another size than its scale leads to";
    /* ONNX's reference takes the size as it is, ONNX Runtime rounds it first. */
    return l->coords == COORDS_CORNERS && !is_whole(net, l) ? "corners of a size that isn't whole"
                                                            : NULL;
}

/* PyTorch's name of it, and whether the corners are aligned; NULL where it has none. */
static const char *torch_mode(const struct net *net, const struct layer *l)
{
    bool half = l->coords == COORDS_HALF ||
                (l->coords == COORDS_PYTORCH && l->shape.h > 1 && l->shape.w > 1);
    if (!is_whole(net, l))
        return NULL;
    if (l->kind == INTERPOLATE_NEAREST) {
        if (l->coords == COORDS_ASYMMETRIC && l->rounding == ROUND_FLOOR)
            return "nearest";
        return half && l->rounding == ROUND_PREFER_CEIL ? "nearest-exact" : NULL;
    }
    if (!half && l->coords != COORDS_CORNERS)
        return NULL;
    return l->kind == INTERPOLATE_LINEAR ? "bilinear" : "bicubic";
}

static void to_torch(struct torch *t, int layer)
{
    const struct net *net = &t->o->model.net;
    const struct layer *l = &net->layer[layer];
    torch_assign(t, layer, TORCH_IMAGE);
    torch_put(t, "F.interpolate(");
    torch_put_image(t, l->in[0]);
    torch_put(t, ", (%d, %d), mode=\"%s\"", l->shape.h, l->shape.w, torch_mode(net, l));
    torch_put(t, l->coords == COORDS_CORNERS ? ", align_corners=True)" : ")");
    torch_end(t);
}

static const char *torch_lacks(const struct net *net, const struct layer *l)
{
    return torch_mode(net, l) != NULL ? NULL : "resizing with these coordinates";
}

const struct export_operator export_resize = {
    .onnx = to_onnx,
    .torch = to_torch,
    .onnx_lacks = onnx_lacks,
    .torch_lacks = torch_lacks,
};
