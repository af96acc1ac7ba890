/* Pooling. */
#include "op.h"

static int pool_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    return op_slide(l, in, e);
}

const struct op op_maxpool = {
    .name = "maxpool",
    .has = HAS_WINDOW,
    .shape = pool_shape,
};
const struct op op_avgpool = {
    .name = "avgpool",
    .has = HAS_WINDOW,
    .shape = pool_shape,
};

static int gap_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)e;
    l->shape = (struct shape){1, 1, in.c};
    return 0;
}

const struct op op_gap = {.name = "gap", .shape = gap_shape};
