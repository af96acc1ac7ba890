#include "op.h"

static int dropout_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    (void)net;
    (void)in;
    if (!(l->rate >= 0 && l->rate < 1))
        return op_bad(l, e, "the rate must be at least 0 and less than 1");
    return 0;
}

const struct op op_dropout = {
    .name = "dropout",
    .has = HAS(RATE),
    .is = OP_PASS,
    .shape = dropout_shape,
};
