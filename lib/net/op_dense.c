/* Layers of units that read all of their input. */
#include "op.h"

static const char no_units[] = "it needs at least one unit";

static int dense_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    if (l->units < 1)
        return op_bad(l, e, no_units);
    l->shape = (struct shape){1, 1, l->units};
    op_weight(l, (double)shape_count(in), l->units, 2, shape_count(in), (size_t)l->units, 1, 1);
    if (l->bias)
        op_bias(l);
    return 0;
}

static double dense_madds(const struct layer *l, struct shape in)
{
    return (double)l->units * (double)shape_count(in);
}

const struct op op_dense = {
    .name = "dense",
    .has = HAS(UNITS) | HAS(BIAS),
    .is = OP_SUMS,
    .shape = dense_shape,
    .madds = dense_madds,
};

static int coral_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    if (l->units < 1)
        return op_bad(l, e, no_units);
    l->shape = (struct shape){1, 1, l->units};
    op_weight(l, (double)shape_count(in), 1, 1, shape_count(in), 1, 1, 1);
    op_bias(l);
    l->param[1].ranks = true;
    return 0;
}

static double coral_madds(const struct layer *l, struct shape in)
{
    (void)l;
    return (double)shape_count(in);
}

const struct op op_coral = {
    .name = "coral",
    .has = HAS(UNITS),
    .shape = coral_shape,
    .madds = coral_madds,
};
