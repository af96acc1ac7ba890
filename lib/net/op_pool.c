/* Pooling, and reductions along axes. */
#include "op.h"

static int avgpool_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    (void)net;
    return op_slide(l, in, e);
}

const struct op op_avgpool = {
    .name = "avgpool",
    .has = HAS_WINDOW | HAS(CEIL) | HAS(COUNT),
    .shape = avgpool_shape,
};

/* Whether a window of k taps that begins at `at` has one inside of the extent. */
static bool meets(int at, int k, int dilation, int extent)
{
    int first = at < 0 ? (dilation - -at % dilation) % dilation : at;
    return first < extent && first < at + op_reach(k, dilation);
}

static int maxpool_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    bool all = true;
    (void)net;
    if (op_slide(l, in, e) < 0)
        return MIEN_ERR_ARG;
    for (int i = 0; i < l->shape.h; i++)
        all = all && meets(i * l->sh - l->pt, l->kh, l->dh, in.h);
    for (int i = 0; i < l->shape.w; i++)
        all = all && meets(i * l->sw - l->pl, l->kw, l->dw, in.w);
    return all ? 0 : op_bad(l, e, "a window has no element of its input");
}

const struct op op_maxpool = {
    .name = "maxpool",
    .has = HAS_WINDOW | HAS(DILATION) | HAS(CEIL),
    .shape = maxpool_shape,
};

static int gap_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)e;
    l->shape = (struct shape){1, 1, in.c};
    return 0;
}

const struct op op_gap = {.name = "gap", .shape = gap_shape};

static int reduce_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)e;
    l->shape.h = l->axes & AXIS_H ? 1 : in.h;
    l->shape.w = l->axes & AXIS_W ? 1 : in.w;
    l->shape.c = l->axes & AXIS_C ? 1 : in.c;
    return 0;
}

const struct op op_reduce = {
    .name = "reduce",
    .has = HAS(KIND) | HAS(AXES),
    .shape = reduce_shape,
};
