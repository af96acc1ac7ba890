#include "op.h"

static int resize_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    if (l->size[0] < 1 || l->size[1] < 1)
        return op_bad(l, e, op_too_large);
    if (l->a < 0 || l->b < 0)
        return op_bad(l, e, "a scale can't be negative");
    l->shape = (struct shape){l->size[0], l->size[1], in.c};
    return 0;
}

const struct op op_resize = {
    .name = "resize",
    .has = HAS(EXTENT) | HAS(INTERPOLATION) | HAS(COORDS) | HAS(ROUND) | HAS(SCALE),
    .shape = resize_shape,
};
