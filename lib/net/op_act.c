/* Activations. */
#include "op.h"

const struct op op_relu = {.name = "relu", .is = OP_RELU};
const struct op op_relu6 = {.name = "relu6", .is = OP_RELU};
const struct op op_sigmoid = {.name = "sigmoid"};
const struct op op_softmax = {.name = "softmax"};

static int prelu_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)e;
    op_param(l, "slope", 1, (size_t)in.c, 1, 1, 1)->init = 0.25f;
    return 0;
}

const struct op op_prelu = {.name = "prelu", .is = OP_RELU, .shape = prelu_shape};
