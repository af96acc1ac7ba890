#include "operator.h"

static const struct export_operator *const operators[LAYER_TYPES] = {
    [L_CONV] = &export_conv,        [L_DWCONV] = &export_conv,     [L_TCONV] = &export_tconv,
    [L_DENSE] = &export_dense,      [L_CORAL] = &export_coral,     [L_BN] = &export_bn,
    [L_SOFTMAX] = &export_softmax,  [L_L2NORM] = &export_l2norm,   [L_MAXPOOL] = &export_maxpool,
    [L_AVGPOOL] = &export_avgpool,  [L_GAP] = &export_gap,         [L_FLATTEN] = &export_reshape,
    [L_RESHAPE] = &export_reshape,  [L_PERMUTE] = &export_permute, [L_SLICE] = &export_slice,
    [L_CONCAT] = &export_concat,    [L_PAD] = &export_pad,         [L_DROPOUT] = &export_dropout,
    [L_PRELU] = &export_prelu,      [L_ADD] = &export_arith,       [L_SUB] = &export_arith,
    [L_MUL] = &export_arith,        [L_DIV] = &export_arith,       [L_MIN] = &export_arith,
    [L_MAX] = &export_arith,        [L_POW] = &export_arith,       [L_RELU] = &export_unary,
    [L_RELU6] = &export_unary,      [L_SIGMOID] = &export_unary,   [L_TANH] = &export_unary,
    [L_HSWISH] = &export_unary,     [L_SWISH] = &export_unary,     [L_GELU] = &export_unary,
    [L_SOFTPLUS] = &export_unary,   [L_SOFTSIGN] = &export_unary,  [L_MISH] = &export_unary,
    [L_EXP] = &export_unary,        [L_LOG] = &export_unary,       [L_SQRT] = &export_unary,
    [L_ABS] = &export_unary,        [L_NEG] = &export_unary,       [L_ERF] = &export_unary,
    [L_RECIPROCAL] = &export_unary, [L_SIGN] = &export_unary,      [L_FLOOR] = &export_unary,
    [L_CEIL] = &export_unary,       [L_ROUND] = &export_unary,     [L_SIN] = &export_unary,
    [L_COS] = &export_unary,        [L_TAN] = &export_unary,       [L_ASIN] = &export_unary,
    [L_ACOS] = &export_unary,       [L_ATAN] = &export_unary,      [L_SINH] = &export_unary,
    [L_COSH] = &export_unary,       [L_ASINH] = &export_unary,     [L_ACOSH] = &export_unary,
    [L_ATANH] = &export_unary,      [L_LEAKY] = &export_unary,     [L_ELU] = &export_unary,
    [L_SELU] = &export_unary,       [L_CELU] = &export_unary,      [L_CLIP] = &export_unary,
    [L_HSIGMOID] = &export_unary,   [L_THRESHOLD] = &export_unary, [L_SHRINK] = &export_unary,
};

const struct export_operator *export_operator(enum layer_type type)
{
    return operators[type];
}
