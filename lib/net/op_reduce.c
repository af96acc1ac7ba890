#include "op.h"

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
