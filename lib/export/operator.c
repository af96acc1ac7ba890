#include "operator.h"

/* X(TYPE, name): layers of L_TYPE are exported by export_name. */
#define EXPORTED(X)                                                                                \
    X(CONV, conv)                                                                                  \
    X(DWCONV, conv)                                                                                \
    X(TCONV, tconv)                                                                                \
    X(DENSE, dense)                                                                                \
    X(CORAL, coral)                                                                                \
    X(MATMUL, matmul)                                                                              \
    X(BN, bn)                                                                                      \
    X(NORM, norm)                                                                                  \
    X(LRN, lrn)                                                                                    \
    X(L2NORM, l2norm)                                                                              \
    X(SOFTMAX, softmax)                                                                            \
    X(LOGSOFTMAX, softmax)                                                                         \
    X(MAXPOOL, maxpool)                                                                            \
    X(AVGPOOL, avgpool)                                                                            \
    X(GAP, gap)                                                                                    \
    X(REDUCE, reduce)                                                                              \
    X(RESIZE, resize)                                                                              \
    X(FLATTEN, reshape)                                                                            \
    X(RESHAPE, reshape)                                                                            \
    X(PERMUTE, permute)                                                                            \
    X(SLICE, slice)                                                                                \
    X(CONCAT, concat)                                                                              \
    X(PAD, pad)                                                                                    \
    X(DROPOUT, dropout)                                                                            \
    X(PRELU, prelu)                                                                                \
    X(ADD, arith)                                                                                  \
    X(SUB, arith)                                                                                  \
    X(MUL, arith)                                                                                  \
    X(DIV, arith)                                                                                  \
    X(MIN, arith)                                                                                  \
    X(MAX, arith)                                                                                  \
    X(POW, arith)                                                                                  \
    X(RELU, unary)                                                                                 \
    X(RELU6, unary)                                                                                \
    X(SIGMOID, unary)                                                                              \
    X(TANH, unary)                                                                                 \
    X(HSWISH, unary)                                                                               \
    X(SWISH, unary)                                                                                \
    X(GELU, unary)                                                                                 \
    X(SOFTPLUS, unary)                                                                             \
    X(SOFTSIGN, unary)                                                                             \
    X(MISH, unary)                                                                                 \
    X(EXP, unary)                                                                                  \
    X(LOG, unary)                                                                                  \
    X(SQRT, unary)                                                                                 \
    X(ABS, unary)                                                                                  \
    X(NEG, unary)                                                                                  \
    X(ERF, unary)                                                                                  \
    X(RECIPROCAL, unary)                                                                           \
    X(SIGN, unary)                                                                                 \
    X(FLOOR, unary)                                                                                \
    X(CEIL, unary)                                                                                 \
    X(ROUND, unary)                                                                                \
    X(SIN, unary)                                                                                  \
    X(COS, unary)                                                                                  \
    X(TAN, unary)                                                                                  \
    X(ASIN, unary)                                                                                 \
    X(ACOS, unary)                                                                                 \
    X(ATAN, unary)                                                                                 \
    X(SINH, unary)                                                                                 \
    X(COSH, unary)                                                                                 \
    X(ASINH, unary)                                                                                \
    X(ACOSH, unary)                                                                                \
    X(ATANH, unary)                                                                                \
    X(LEAKY, unary)                                                                                \
    X(ELU, unary)                                                                                  \
    X(SELU, unary)                                                                                 \
    X(CELU, unary)                                                                                 \
    X(CLIP, unary)                                                                                 \
    X(HSIGMOID, unary)                                                                             \
    X(THRESHOLD, unary)                                                                            \
    X(SHRINK, unary)

#define ENTRY(type, name) [L_##type] = &export_##name,
static const struct export_operator *const operators[LAYER_TYPES] = {EXPORTED(ENTRY)};

const struct export_operator *export_operator(enum layer_type type)
{
    return operators[type];
}
