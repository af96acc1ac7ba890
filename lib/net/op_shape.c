/* Layers that move values and compute none. */
#include "op.h"

static int flatten_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    (void)net;
    (void)e;
    l->shape = (struct shape){1, 1, (int)shape_count(in)};
    return 0;
}

const struct op op_flatten = {.name = "flatten", .is = OP_PASS, .shape = flatten_shape};

static int concat_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    size_t channels = (size_t)in.c;
    for (int i = 1; i < l->nin; i++) {
        struct shape b = net->layer[l->in[i]].shape;
        if (in.h != b.h || in.w != b.w)
            return op_bad(l, e, "its inputs differ in shape");
        channels += (size_t)b.c;
        if (channels > MAX_OUTPUT)
            return op_bad(l, e, op_too_large);
    }
    l->shape.c = (int)channels;
    return 0;
}

const struct op op_concat = {
    .name = "concat",
    .least = 2,
    .most = NET_MAX_IN,
    .shape = concat_shape,
};

static int pad_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    const int side[] = {l->pt, l->pb, l->pl, l->pr, l->cb, l->ca};
    (void)net;
    for (size_t i = 0; i < sizeof side / sizeof side[0]; i++) {
        if (side[i] < 0)
            return op_bad(l, e, "a padding can't be negative");
        if (side[i] > MAX_PADDING)
            return op_bad(l, e, op_too_large);
    }
    l->shape = (struct shape){in.h + l->pt + l->pb, in.w + l->pl + l->pr, in.c + l->cb + l->ca};
    return 0;
}

const struct op op_pad = {.name = "pad", .has = HAS(BORDER) | HAS(CHANNELS), .shape = pad_shape};
