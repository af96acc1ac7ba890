/* Windows that slide over an image, and pooling. */
#include "ops.h"

#include <string.h>

/* Two whole numbers, of rows and columns; one stands for the columns of a row of pixels. */
static int pair(struct build *b, const struct value *v, const char *key, int *y, int *x)
{
    int p[2], n = onnx_ints(b->node, key, p, 2);
    if (n < 0)
        return onnx_has(b->node, key) ? ob_fail(b, "its %s are not those of an image", key) : 0;
    if (n != v->rank - 2)
        return ob_fail(b, "its %s are not those of an image", key);
    *y = n == 2 ? p[0] : *y;
    *x = n == 2 ? p[1] : p[0];
    return 0;
}

/* The padding before where the larger half of it is in front. */
static void same_lower(int in, int k, int d, int s, int *before, int *after)
{
    int reach = (k - 1) * d + 1, total = ((in + s - 1) / s - 1) * s + reach - in;
    total = total < 0 ? 0 : total;
    *after = total / 2;
    *before = total - *after;
}

int onnx_window(struct build *b, const struct value *v, struct layer *l)
{
    int p[4], n = onnx_ints(b->node, "pads", p, 4);
    if (v->rank != 4 && v->rank != 3)
        return ob_fail(b, "only images and rows of pixels are supported");
    if (v->dim[0] != 1)
        return ob_fail(b, "it reads %d images at a time", v->dim[0]);
    if (pair(b, v, "strides", &l->sh, &l->sw) < 0 || pair(b, v, "dilations", &l->dh, &l->dw) < 0)
        return MIEN_ERR_FORMAT;
    if (l->sh < 1 || l->sw < 1 || l->dh < 1 || l->dw < 1 || l->sh > 1024 || l->sw > 1024 ||
        l->dh > 1024 || l->dw > 1024 || l->kh > 1024 || l->kw > 1024)
        return ob_fail(b, "its kernel, strides or dilations are not 1 to 1024");
    if (onnx_text_is(b->node, "auto_pad", "SAME_UPPER", "NOTSET")) {
        l->pad = PAD_SAME;
    } else if (onnx_text_is(b->node, "auto_pad", "SAME_LOWER", "NOTSET")) {
        l->pad = PAD_EXPLICIT;
        same_lower(v->rank == 4 ? v->dim[2] : 1, l->kh, l->dh, l->sh, &l->pt, &l->pb);
        same_lower(v->dim[v->rank - 1], l->kw, l->dw, l->sw, &l->pl, &l->pr);
    } else if (onnx_text_is(b->node, "auto_pad", "NOTSET", "NOTSET")) {
        if (n < 0 ? onnx_has(b->node, "pads") : n != 2 * (v->rank - 2))
            return ob_fail(b, "its pads are not those of an image");
        l->pad = n < 0 ? PAD_VALID : PAD_EXPLICIT;
        if (n == 4)
            l->pt = p[0], l->pl = p[1], l->pb = p[2], l->pr = p[3];
        if (n == 2)
            l->pl = p[0], l->pr = p[1];
    } else if (!onnx_text_is(b->node, "auto_pad", "VALID", "NOTSET")) {
        return ob_fail(b, "its padding is not supported");
    }
    return 0;
}

int op_pool(struct build *b)
{
    bool max = b->node->op[0] == 'M';
    struct layer l = layer_make("", max ? L_MAXPOOL : L_AVGPOOL);
    struct value v;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (b->node->nout > 1 && b->node->out[1] >= 0)
        return ob_fail(b, "the places of maxima are not supported");
    l.nin = 1;
    l.ceil = onnx_int(b->node, "ceil_mode", 0) != 0;
    l.count = onnx_int(b->node, "count_include_pad", 0) != 0;
    if (v.rank != 4 && v.rank != 3)
        return ob_fail(b, "only images and rows of pixels are supported");
    if (pair(b, &v, "kernel_shape", &l.kh, &l.kw) < 0)
        return MIEN_ERR_FORMAT;
    int rc = onnx_window(b, &v, &l);
    if (rc < 0 || (rc = ob_channels_last(b, &v)) < 0 || (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    return ob_emit_image(b, &v, ob_add(b, &l, -1));
}

int op_global_pool(struct build *b)
{
    bool max = strcmp(b->node->op, "GlobalMaxPool") == 0;
    struct value v;
    if (ob_tensor(b, 0, &v) < 0)
        return MIEN_ERR_FORMAT;
    if (v.rank < 3 || v.dim[0] != 1)
        return ob_fail(b, "it needs one image");
    struct layer l = layer_make("", max ? L_REDUCE : L_GAP);
    l.kind = max ? REDUCE_MAX : REDUCE_MEAN;
    l.axes = AXIS_H | AXIS_W;
    l.nin = 1;
    int rc = ob_channels_last(b, &v);
    if (rc < 0 || (rc = l.in[0] = ob_plain(b, &v)) < 0)
        return rc;
    for (int k = 2; k < v.rank; k++)
        v.dim[k] = 1;
    return ob_emit(b, &v, ob_add(b, &l, -1));
}
