/* Convolutions. */
#include "op.h"

static int check_groups(const struct layer *l, struct shape in, struct mien_err *e)
{
    if (l->units < 1 || l->groups < 1 || in.c % l->groups != 0 || l->units % l->groups != 0)
        return op_bad(l, e, "units and groups don't fit its input's channels");
    return 0;
}

static int conv_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    if (check_groups(l, in, e) < 0)
        return MIEN_ERR_ARG;
    if (op_slide(l, in, e) < 0)
        return MIEN_ERR_ARG;
    l->shape.c = l->units;
    double window = (double)l->kh * l->kw;
    size_t inputs = (size_t)(in.c / l->groups);
    op_weight(l, window * (double)inputs, window * l->units / l->groups, 4, (size_t)l->kh,
              (size_t)l->kw, inputs, (size_t)l->units);
    if (l->bias)
        op_bias(l);
    return 0;
}

static double conv_madds(const struct layer *l, struct shape in)
{
    return (double)shape_count(l->shape) * l->kh * l->kw * in.c / l->groups;
}

const struct op op_conv = {
    .name = "conv",
    .has = HAS(UNITS) | HAS_WINDOW | HAS(DILATION) | HAS(GROUPS) | HAS(BIAS),
    .is = OP_SUMS,
    .shape = conv_shape,
    .madds = conv_madds,
};

static int dwconv_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    l->units = in.c;
    if (op_slide(l, in, e) < 0)
        return MIEN_ERR_ARG;
    double window = (double)l->kh * l->kw;
    op_weight(l, window, window, 3, (size_t)l->kh, (size_t)l->kw, (size_t)in.c, 1);
    if (l->bias)
        op_bias(l);
    return 0;
}

static double dwconv_madds(const struct layer *l, struct shape in)
{
    (void)in;
    return (double)shape_count(l->shape) * l->kh * l->kw;
}

const struct op op_dwconv = {
    .name = "dwconv",
    .has = HAS_WINDOW | HAS(DILATION) | HAS(BIAS),
    .is = OP_SUMS,
    .shape = dwconv_shape,
    .madds = dwconv_madds,
};

/* One dimension of a transposed convolution's output, and its padding; 0: there is none. */
static int stretch(int in, int k, int s, int more, enum pad_mode mode, int *before, int *after)
{
    int64_t full = (int64_t)(in - 1) * s + k + more;
    if (mode == PAD_SAME) { /* the input's extent times the stride */
        int total = k + more - s;
        if (total < 0)
            return 0;
        *before = total / 2;
        *after = total - *before;
    }
    full -= (int64_t)*before + *after;
    return full < 1 || full > MAX_OUTPUT ? 0 : (int)full;
}

static int tconv_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    struct layer window = *l;
    (void)net;
    if (check_groups(l, in, e) < 0)
        return MIEN_ERR_ARG;
    window.pad = PAD_SAME; /* checks kernel, stride and dilation */
    if (op_slide(&window, in, e) < 0)
        return MIEN_ERR_ARG;
    int kh = op_reach(l->kh, l->dh), kw = op_reach(l->kw, l->dw);
    if (l->pad == PAD_VALID)
        l->pt = l->pb = l->pl = l->pr = 0;
    if (l->pt >= kh || l->pb >= kh || l->pl >= kw || l->pr >= kw)
        return op_bad(l, e, "the padding is as large as the kernel");
    if (l->oh < 0 || l->ow < 0 || l->oh > 1024 || l->ow > 1024)
        return op_bad(l, e, "outpad must be 0 to 1024");
    l->shape.h = stretch(in.h, kh, l->sh, l->oh, l->pad, &l->pt, &l->pb);
    l->shape.w = stretch(in.w, kw, l->sw, l->ow, l->pad, &l->pl, &l->pr);
    l->shape.c = l->units;
    if (l->shape.h == 0 || l->shape.w == 0)
        return op_bad(l, e, op_too_large);
    size_t inputs = (size_t)(in.c / l->groups);
    double share = (double)l->kh * l->kw / ((double)l->sh * l->sw);
    op_weight(l, share * (double)inputs, (double)l->kh * l->kw * l->units / l->groups, 4, inputs,
              (size_t)l->kh, (size_t)l->kw, (size_t)l->units);
    if (l->bias)
        op_bias(l);
    return 0;
}

static double tconv_madds(const struct layer *l, struct shape in)
{
    return (double)shape_count(in) * l->kh * l->kw * l->units / l->groups;
}

const struct op op_tconv = {
    .name = "tconv",
    .has = HAS(UNITS) | HAS_WINDOW | HAS(DILATION) | HAS(OUTPAD) | HAS(GROUPS) | HAS(BIAS),
    .is = OP_SUMS,
    .shape = tconv_shape,
    .madds = tconv_madds,
};
