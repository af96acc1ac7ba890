#include "op.h"

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
