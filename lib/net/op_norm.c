/* Normalization. */
#include "op.h"

static int bn_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    size_t c = (size_t)in.c;
    (void)net;
    (void)e;
    op_param(l, "gamma", 1, c, 1, 1, 1)->init = 1;
    op_param(l, "beta", 1, c, 1, 1, 1);
    op_param(l, "mean", 1, c, 1, 1, 1)->trained = false;
    struct param *var = op_param(l, "var", 1, c, 1, 1, 1);
    var->init = 1;
    var->trained = false;
    return 0;
}

const struct op op_bn = {
    .name = "bn",
    .has = HAS(EPS),
    .is = OP_SIDE,
    .rate = 0.001f,
    .shape = bn_shape,
};

const struct op op_l2norm = {.name = "l2norm", .has = HAS(OVER)};

static int norm_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    size_t c = (size_t)in.c;
    (void)net;
    if (l->groups < 1 || in.c % l->groups != 0 || (l->groups > 1 && !(l->axes & AXIS_C)))
        return op_bad(l, e, "its groups don't fit its input's channels");
    if (l->bias) {
        op_param(l, "gamma", 1, c, 1, 1, 1)->init = 1;
        op_param(l, "beta", 1, c, 1, 1, 1);
    }
    return 0;
}

const struct op op_norm = {
    .name = "norm",
    .has = HAS(AXES) | HAS(EPS) | HAS(GROUPS) | HAS(AFFINE),
    .is = OP_SIDE,
    .rate = 1e-5f,
    .shape = norm_shape,
};

static int lrn_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    (void)net;
    (void)in;
    return l->units >= 1 ? 0 : op_bad(l, e, "its size must be at least 1");
}

const struct op op_lrn = {
    .name = "lrn",
    .has = HAS(UNITS) | HAS(ALPHA) | HAS(BETA) | HAS(K),
    .a = 1e-4f,
    .b = 0.75f,
    .shape = lrn_shape,
};
