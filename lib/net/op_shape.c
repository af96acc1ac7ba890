/* Layers that move values or hand them on: input, too, and dropout, which computes in training. */
#include "op.h"

const struct op op_input = {.name = "input", .has = HAS(SHAPE)};

static int flatten_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    (void)net;
    (void)e;
    l->shape = (struct shape){1, 1, (int)shape_count(in)};
    return 0;
}

const struct op op_flatten = {.name = "flatten", .is = OP_PASS, .shape = flatten_shape};

/* The shape that l->size asks for. */
static int size_of(struct layer *l, struct mien_err *e)
{
    const int *s = l->size;
    if (s[0] < 1 || s[1] < 1 || s[2] < 1 || s[0] > NET_MAX_EXTENT || s[1] > NET_MAX_EXTENT ||
        (double)s[0] * s[1] * s[2] > MAX_OUTPUT)
        return op_bad(l, e, op_too_large);
    l->shape = (struct shape){s[0], s[1], s[2]};
    return 0;
}

static int reshape_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    (void)net;
    if (size_of(l, e) < 0)
        return MIEN_ERR_ARG;
    return shape_count(l->shape) == shape_count(in)
               ? 0
               : op_bad(l, e, "its shape has more or fewer elements than its input");
}

const struct op op_reshape = {
    .name = "reshape",
    .has = HAS(SIZE),
    .is = OP_PASS,
    .shape = reshape_shape,
};

/* The view has as many elements as the input, and the order has each of its axes once. */
static int permute_shape(const struct net *net, struct layer *l, struct shape in,
                         struct mien_err *e)
{
    unsigned seen = 0;
    double count = 1;
    int n = 0;
    for (; n < NET_MAX_VIEW && l->view[n] > 0; n++)
        count *= l->view[n];
    if (n == 0 || count != (double)shape_count(in))
        return op_bad(l, e, "its view has more or fewer elements than its input");
    for (int k = 0; k < NET_MAX_VIEW; k++) {
        if (k < n ? l->order[k] < 0 || l->order[k] >= n : l->order[k] >= 0)
            return op_bad(l, e, "its order isn't one of its view's axes");
        seen |= k < n ? 1U << l->order[k] : 0;
    }
    if (seen != (1U << n) - 1)
        return op_bad(l, e, "its order has an axis twice");
    return reshape_shape(net, l, in, e);
}

const struct op op_permute = {
    .name = "permute",
    .has = HAS(SIZE) | HAS(VIEW) | HAS(ORDER),
    .shape = permute_shape,
};

static int slice_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    const int extent[] = {in.h, in.w, in.c};
    (void)net;
    if (size_of(l, e) < 0)
        return MIEN_ERR_ARG;
    for (int k = 0; k < 3; k++) {
        int64_t last = l->at[k] + (int64_t)(l->size[k] - 1) * l->step[k];
        if (l->step[k] == 0 || l->at[k] < 0 || l->at[k] >= extent[k] || last < 0 ||
            last >= extent[k])
            return op_bad(l, e, "it reaches beyond its input");
    }
    return 0;
}

const struct op op_slice = {
    .name = "slice",
    .has = HAS(SIZE) | HAS(AT) | HAS(STEP),
    .shape = slice_shape,
};

/* The extents before, along and behind an axis are those of all inputs but for the one along. */
static int concat_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    int64_t sum[] = {in.h, in.w, in.c};
    for (int i = 1; i < l->nin; i++) {
        struct shape b = net->layer[l->in[i]].shape;
        const int64_t more[] = {b.h, b.w, b.c};
        for (int k = 0; k < 3; k++) {
            if (k != l->axis && more[k] != sum[k])
                return op_bad(l, e, "its inputs differ in shape");
        }
        sum[l->axis] += more[l->axis];
        if (sum[l->axis] > MAX_OUTPUT)
            return op_bad(l, e, op_too_large);
    }
    l->shape = (struct shape){(int)sum[0], (int)sum[1], (int)sum[2]};
    return 0;
}

const struct op op_concat = {
    .name = "concat",
    .has = HAS(AXIS),
    .least = 2,
    .most = NET_MAX_IN,
    .shape = concat_shape,
};

/* What an axis of this extent has less of than is padded with. */
static bool too_short(int kind, int extent, int before, int after)
{
    int most = kind == PAD_REFLECT ? extent - 1 : kind == PAD_WRAP ? extent : MAX_PADDING;
    return before > most || after > most;
}

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
    if (too_short(l->kind, in.h, l->pt, l->pb) || too_short(l->kind, in.w, l->pl, l->pr) ||
        too_short(l->kind, in.c, l->cb, l->ca))
        return op_bad(l, e, "the padding is larger than its input");
    l->shape = (struct shape){in.h + l->pt + l->pb, in.w + l->pl + l->pr, in.c + l->cb + l->ca};
    return 0;
}

const struct op op_pad = {
    .name = "pad",
    .has = HAS(BORDER) | HAS(CHANNELS) | HAS(MODE) | HAS(FILL),
    .shape = pad_shape,
};

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
