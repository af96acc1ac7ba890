/* Layers of units that read all of their input, and products of two inputs (matmul). */
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

static int matmul_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    struct shape b = net->layer[l->in[1]].shape;
    int rows = l->ta ? in.c : in.w, inner = l->ta ? in.w : in.c;
    int columns = l->tb ? b.w : b.c, inner2 = l->tb ? b.c : b.w;
    if (inner != inner2 || (in.h != b.h && in.h != 1 && b.h != 1))
        return op_bad(l, e, "its inputs' matrices don't fit");
    l->shape = (struct shape){in.h > b.h ? in.h : b.h, rows, columns};
    return 0;
}

static double matmul_madds(const struct layer *l, struct shape in)
{
    return (double)shape_count(l->shape) * (l->ta ? in.w : in.c);
}

const struct op op_matmul = {
    .name = "matmul",
    .has = HAS(TA) | HAS(TB),
    .least = 2,
    .most = 2,
    .shape = matmul_shape,
    .madds = matmul_madds,
};
