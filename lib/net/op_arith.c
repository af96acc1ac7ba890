/* Arithmetic of several values. */
#include "op.h"

static int add_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    for (int i = 1; i < l->nin; i++) {
        struct shape b = net->layer[l->in[i]].shape;
        if (in.h != b.h || in.w != b.w || in.c != b.c)
            return op_bad(l, e, "its inputs differ in shape");
    }
    return 0;
}

const struct op op_add = {.name = "add", .least = 2, .most = NET_MAX_IN, .shape = add_shape};
