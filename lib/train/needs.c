#include "needs.h"

#include "layers/patches.h"

static size_t conv_scratch(const struct layer *l, struct shape in)
{
    return 2 * k_conv_scratch(l, in);
}

const struct train_needs *train_needs_of(enum layer_type type)
{
#define UNARY(type, word) [L_##type] = {.is = TRAIN_ONE_IMAGE},
    static const struct train_needs needs[LAYER_TYPES] = {
        UNARY_OPS(UNARY)[L_CONV] = {.is = TRAIN_ONE_IMAGE | TRAIN_TAIL | TRAIN_BFLOATS,
                                    .scratch = conv_scratch},
        [L_DWCONV] = {.is = TRAIN_ONE_IMAGE | TRAIN_TAIL | TRAIN_BFLOATS | TRAIN_ONE_KIND},
        [L_TCONV] = {.is = TRAIN_ONE_IMAGE | TRAIN_TAIL},
        [L_DENSE] = {.is = TRAIN_TAIL},
        [L_BN] = {.is = TRAIN_TAIL | TRAIN_BFLOATS | TRAIN_ONE_KIND, .channel = 7 * sizeof(real)},
        [L_RELU] = {.is = TRAIN_ONE_IMAGE | TRAIN_IN_PLACE | TRAIN_BFLOATS | TRAIN_ONE_KIND},
        [L_RELU6] = {.is = TRAIN_ONE_IMAGE | TRAIN_IN_PLACE | TRAIN_BFLOATS | TRAIN_ONE_KIND},
        [L_PRELU] = {.is = TRAIN_ONE_IMAGE},
        [L_MAXPOOL] = {.is = TRAIN_ONE_IMAGE, .element = sizeof(uint32_t)},
        [L_AVGPOOL] = {.is = TRAIN_ONE_IMAGE},
        [L_PAD] = {.is = TRAIN_ONE_IMAGE},
        [L_DROPOUT] = {.element = 1},
    };
    return &needs[type];
}

bool train_takes_bfloats(const struct layer *l)
{
    enum { LEAST = 16 }; /* channels: a vector of any variant */
    if (!(train_needs_of(l->type)->is & TRAIN_BFLOATS))
        return false;
    if (l->type == L_CONV)
        return l->groups == 1;
    if (l->type == L_BN)
        return l->shape.c >= LEAST;
    if (l->type == L_DWCONV)
        return l->kh == 3 && l->kw == 3 && l->dh == 1 && l->dw == 1 && l->shape.c >= LEAST;
    return true;
}

size_t train_kept(const struct layer *l, int batch)
{
    const struct train_needs *needs = train_needs_of(l->type);
    return (size_t)batch * shape_count(l->shape) * needs->element +
           (size_t)l->shape.c * needs->channel;
}
