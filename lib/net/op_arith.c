/* Arithmetic of two values, or a value and a constant. */
#include "op.h"

/* The extent of what two extents are combined to: they are the same, or one is 1 and repeated; 0
   where they differ. */
static int broadcast(int a, int b)
{
    return a == b || b == 1 ? a : a == 1 ? b : 0;
}

/* Widens s to what it and b are combined to. */
static int widen(struct layer *l, struct shape b, struct mien_err *e)
{
    struct shape s = l->shape;
    l->shape = (struct shape){broadcast(s.h, b.h), broadcast(s.w, b.w), broadcast(s.c, b.c)};
    if (l->shape.h == 0 || l->shape.w == 0 || l->shape.c == 0)
        return op_bad(l, e, "its inputs differ in shape");
    return 0;
}

static int arith_shape(const struct net *net, struct layer *l, struct shape in, struct mien_err *e)
{
    bool constant = l->size[0] != 0 || l->size[1] != 0 || l->size[2] != 0;
    struct shape value = {l->size[0], l->size[1], l->size[2]};
    (void)in;
    if (constant == (l->nin > 1))
        return op_bad(l, e,
                      constant           ? "it has a value and more than one input"
                      : l->type == L_ADD ? "it needs 2 to 8 inputs, or one and a value"
                                         : "it needs 2 inputs, or one and a value");
    if (!constant) {
        for (int i = 1; i < l->nin; i++) {
            if (widen(l, net->layer[l->in[i]].shape, e) < 0)
                return MIEN_ERR_ARG;
        }
        return 0;
    }
    if (value.h < 1 || value.w < 1 || value.c < 1 || value.h > NET_MAX_EXTENT ||
        value.w > NET_MAX_EXTENT ||
        (double)shape_count((struct shape){value.h, value.w, 1}) * value.c > MAX_OUTPUT)
        return op_bad(l, e, "its value is empty or too large");
    bool neutral = l->type == L_MUL || l->type == L_DIV || l->type == L_POW;
    op_param(l, "value", 3, (size_t)value.h, (size_t)value.w, (size_t)value.c, 1)->init = neutral;
    return widen(l, value, e);
}

const struct op op_add = {
    .name = "add",
    .has = HAS(VALUE),
    .is = OP_SIDE,
    .least = 1,
    .most = NET_MAX_IN,
    .shape = arith_shape,
};

#define BINARY(word)                                                                               \
    const struct op op_##word = {                                                                  \
        .name = #word,                                                                             \
        .has = HAS(VALUE) | HAS(SWAP),                                                             \
        .is = OP_SIDE,                                                                             \
        .least = 1,                                                                                \
        .most = 2,                                                                                 \
        .shape = arith_shape,                                                                      \
    };
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(min)
BINARY(max)
BINARY(pow)
