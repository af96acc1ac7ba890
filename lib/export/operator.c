#include "operator.h"

static const struct export_operator *const operators[] = {
    [L_CONV] = &export_conv,       [L_DWCONV] = &export_conv,     [L_DENSE] = &export_dense,
    [L_CORAL] = &export_coral,     [L_BN] = &export_bn,           [L_RELU] = &export_relu,
    [L_RELU6] = &export_relu6,     [L_PRELU] = &export_prelu,     [L_SIGMOID] = &export_sigmoid,
    [L_SOFTMAX] = &export_softmax, [L_L2NORM] = &export_l2norm,   [L_FLATTEN] = &export_flatten,
    [L_MAXPOOL] = &export_maxpool, [L_AVGPOOL] = &export_avgpool, [L_GAP] = &export_gap,
    [L_DROPOUT] = &export_dropout, [L_ADD] = &export_add,         [L_CONCAT] = &export_concat,
    [L_PAD] = &export_pad,
};

const struct export_operator *export_operator(enum layer_type type)
{
    return (size_t)type < sizeof operators / sizeof operators[0] ? operators[type] : NULL;
}
