/* Convolutions. */
#include "op.h"

static int conv_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    if (l->units < 1 || l->groups < 1 || in.c % l->groups != 0 || l->units % l->groups != 0)
        return op_bad(l, e, "units and groups don't fit its input's channels");
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
    .has = HAS(UNITS) | HAS_WINDOW | HAS(GROUPS) | HAS(BIAS),
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
    .has = HAS_WINDOW | HAS(BIAS),
    .is = OP_SUMS,
    .shape = dwconv_shape,
    .madds = dwconv_madds,
};
