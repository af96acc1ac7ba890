/* Operators that change an image's resolution. */
#include "ops.h"

#include <assert.h>
#include <limits.h>
#include <math.h>

/* --- Depth and space ------------------------------------------------------------------------ */

int op_depth_to_space(struct build *b)
{
    struct value v;
    int s = (int)onnx_int(b->node, "blocksize", 0);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4 || s < 1 || s > 1024 || v.dim[1] % (s * s) != 0)
        return ob_fail(b, "it needs an image whose channels are a multiple of its blocks");
    int n = v.dim[0], c = v.dim[1] / (s * s), h = v.dim[2], w = v.dim[3];
    bool crd = onnx_text_is(b->node, "mode", "CRD", "DCR");
    const int dcr_dim[6] = {n, s, s, c, h, w}, dcr_order[6] = {0, 3, 4, 1, 5, 2};
    const int crd_dim[6] = {n, c, s, s, h, w}, crd_order[6] = {0, 1, 4, 2, 5, 3};
    const int last[4] = {n, c, h * s, w * s};
    int rc = ob_reshape(b, &v, crd ? crd_dim : dcr_dim, 6);
    if (rc < 0 || (rc = ob_transpose(b, &v, crd ? crd_order : dcr_order, 6)) < 0)
        return rc;
    const int mem[6] = {0, 2, 3, 4, 5, 1}; /* of N, C, H, b, W, b */
    if ((rc = ob_arrange(b, &v, mem)) < 0 || (rc = ob_reshape(b, &v, last, 4)) < 0)
        return rc;
    return ob_out(b, 0, &v);
}

int op_space_to_depth(struct build *b)
{
    struct value v;
    int s = (int)onnx_int(b->node, "blocksize", 0);
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4 || s < 1 || s > 1024 || v.dim[2] % s != 0 || v.dim[3] % s != 0 ||
        (double)v.dim[1] * s * s > INT_MAX)
        return ob_fail(b, "it needs an image whose sides are a multiple of its blocks");
    int n = v.dim[0], c = v.dim[1], h = v.dim[2] / s, w = v.dim[3] / s;
    const int middle[6] = {n, c, h, s, w, s}, order[6] = {0, 3, 5, 1, 2, 4};
    const int last[4] = {n, c * s * s, h, w}, mem[6] = {0, 4, 5, 1, 2, 3};
    int rc = ob_reshape(b, &v, middle, 6);
    if (rc < 0 || (rc = ob_transpose(b, &v, order, 6)) < 0)
        return rc;
    if ((rc = ob_arrange(b, &v, mem)) < 0 || (rc = ob_reshape(b, &v, last, 4)) < 0)
        return rc;
    return ob_out(b, 0, &v);
}

/* --- Resolution ----------------------------------------------------------------------------- */

/* A resize layer of v, an image [n, c, h, w], with scales or, where scale is NULL, to a size. */
static int resized(struct build *b, struct value *v, struct layer *l, const double *scale,
                   const int *size)
{
    assert(scale != NULL || size != NULL);
    for (int k = 0; k < 4; k++) {
        /* cppcheck-suppress nullPointer ; one of the two is given */
        double extent = scale != NULL ? floor(v->dim[k] * scale[k]) : size[k];
        if (k < 2 ? extent != v->dim[k] : !(extent >= 1 && extent <= NET_MAX_EXTENT))
            return ob_fail(b, "only images can be resized, to 1 to %d pixels", NET_MAX_EXTENT);
        if (k >= 2)
            l->size[k - 2] = (int)extent;
    }
    if (scale != NULL) {
        l->a = (float)scale[2];
        l->b = (float)scale[3];
    }
    int rc = ob_channels_last(b, v);
    if (rc < 0 || (rc = l->in[0] = ob_plain(b, v)) < 0)
        return rc;
    v->dim[2] = l->size[0];
    v->dim[3] = l->size[1];
    return ob_emit(b, v, ob_add(b, l, -1));
}

static int scales_of(struct build *b, const struct constant *t, double scale[4])
{
    if (t == NULL || t->count != 4)
        return ob_fail(b, "it needs 4 constant scales or sizes");
    for (size_t k = 0; k < 4; k++)
        scale[k] = constant_get(t, k);
    return 0;
}

/* Which of a list's words an attribute is, or -1. */
static int word_of(const struct onnx_node *n, const char *key, const char *absent,
                   const char *const *words, int count)
{
    for (int k = 0; k < count; k++) {
        if (onnx_text_is(n, key, words[k], absent))
            return k;
    }
    return -1;
}

int op_resize_node(struct build *b)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const coords[] = {"half_pixel", "asymmetric", "align_corners",
                                         "pytorch_half_pixel"};
    static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                         "ceil"};
    struct value v;
    double scale[4] = {0};
    int size[4];
    bool old = b->f->opset < 11;
    const struct constant *scales = ob_constant(b, old ? 1 : 2), *sizes = ob_constant(b, 3);
    struct layer l = layer_make("", L_RESIZE);
    l.nin = 1;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4)
        return ob_fail(b, "only images can be resized");
    l.kind = word_of(b->node, "mode", "nearest", modes, 3);
    l.coords = old ? COORDS_ASYMMETRIC
                   : word_of(b->node, "coordinate_transformation_mode", "half_pixel", coords, 4);
    l.rounding =
        old ? ROUND_FLOOR : word_of(b->node, "nearest_mode", "round_prefer_floor", rounds, 4);
    if (l.kind < 0 || l.coords < 0 || l.rounding < 0)
        return ob_fail(b, "its coordinates, mode or rounding are not supported");
    if (l.kind == INTERPOLATE_CUBIC && (onnx_real(b->node, "cubic_coeff_a", -0.75) != -0.75 ||
                                        onnx_int(b->node, "exclude_outside", 0) != 0))
        return ob_fail(
            b,
            "cubic interpolation is only supported with a coefficient of -0.75 and pixels outside");
    if (sizes != NULL && sizes->count == 4) {
        for (size_t k = 0; k < 4; k++)
            size[k] = constant_int(sizes, k);
        return resized(b, &v, &l, NULL, size);
    }
    return scales_of(b, scales, scale) < 0 ? MIEN_ERR_FORMAT : resized(b, &v, &l, scale, NULL);
}

int op_upsample(struct build *b)
{
    struct value v;
    double scale[4] = {0};
    float given[4];
    struct layer l = layer_make("", L_RESIZE);
    l.nin = 1;
    l.coords = COORDS_ASYMMETRIC;
    l.rounding = ROUND_FLOOR;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank != 4)
        return ob_fail(b, "only images can be resized");
    l.kind = onnx_text_is(b->node, "mode", "nearest", "nearest") ? INTERPOLATE_NEAREST
                                                                 : INTERPOLATE_LINEAR;
    if (onnx_reals(b->node, "scales", given, 4) == 4) {
        for (int k = 0; k < 4; k++)
            scale[k] = (double)given[k];
        return resized(b, &v, &l, scale, NULL);
    }
    return scales_of(b, ob_constant(b, 1), scale) < 0 ? MIEN_ERR_FORMAT
                                                      : resized(b, &v, &l, scale, NULL);
}
