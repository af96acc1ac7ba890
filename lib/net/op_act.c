/* Activations. */
#include "op.h"

const struct op op_relu = {.name = "relu", .is = OP_RELU};
const struct op op_relu6 = {.name = "relu6", .is = OP_RELU};
const struct op op_softmax = {.name = "softmax", .has = HAS(OVER)};
const struct op op_logsoftmax = {.name = "logsoftmax", .has = HAS(OVER)};

static int prelu_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)e;
    op_param(l, "slope", 1, (size_t)in.c, 1, 1, 1)->init = 0.25f;
    return 0;
}

const struct op op_prelu = {.name = "prelu", .is = OP_RELU, .shape = prelu_shape};

/* --- Functions of one number ---------------------------------------------------------------- */

#define PLAIN(type, word) const struct op op_##word = {.name = #word, .is = OP_UNARY};
PLAIN_UNARY_OPS(PLAIN)

const struct op op_leaky = {
    .name = "leaky",
    .has = HAS(ALPHA),
    .is = OP_UNARY | OP_RELU,
    .a = 0.01f,
};
const struct op op_elu = {.name = "elu", .has = HAS(ALPHA), .is = OP_UNARY | OP_RELU, .a = 1};
const struct op op_celu = {.name = "celu", .has = HAS(ALPHA), .is = OP_UNARY | OP_RELU, .a = 1};
/* Klambauer et al. 2017 */
const struct op op_selu = {
    .name = "selu",
    .has = HAS(ALPHA) | HAS(BETA),
    .is = OP_UNARY | OP_RELU,
    .a = 1.67326324f,
    .b = 1.05070099f,
};
const struct op op_hsigmoid = {
    .name = "hsigmoid",
    .has = HAS(ALPHA) | HAS(BETA),
    .is = OP_UNARY,
    .a = 0.2f,
    .b = 0.5f,
};
const struct op op_threshold = {.name = "threshold", .has = HAS(ALPHA), .is = OP_UNARY, .a = 1};
const struct op op_shrink = {
    .name = "shrink",
    .has = HAS(ALPHA) | HAS(BETA),
    .is = OP_UNARY,
    .a = 0.5f,
};

static int clip_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)in;
    return l->a <= l->b ? 0 : op_bad(l, e, "the lower bound is above the upper one");
}

const struct op op_clip = {
    .name = "clip",
    .has = HAS(RANGE),
    .is = OP_UNARY,
    .shape = clip_shape,
};
