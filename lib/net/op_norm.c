/* Normalisation. */
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

const struct op op_bn = {.name = "bn", .has = HAS(EPS), .rate = 0.001f, .shape = bn_shape};

const struct op op_l2norm = {.name = "l2norm"};
