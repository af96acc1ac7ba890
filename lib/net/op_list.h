/*
 * The operators, X(TYPE, word) each: L_TYPE is a layer's type, `word` the one that a description
 * has for it. In each room that knows it an operator is a struct, op_word (net/op.h), infer_word
 * (infer/op.h), train_word (train/op.h), in the file op_FAMILY.c of its family; the rooms' tables
 * are made of this list. The order means nothing.
 */
#ifndef MIEN_NET_OP_LIST_H
#define MIEN_NET_OP_LIST_H

/* One value in, one out, elements apart; those with numbers of their own (alpha, ...). */
#define PLAIN_UNARY_OPS(X)                                                                         \
    X(SIGMOID, sigmoid)                                                                            \
    X(TANH, tanh)                                                                                  \
    X(HSWISH, hswish)                                                                              \
    X(SWISH, swish)                                                                                \
    X(GELU, gelu)                                                                                  \
    X(SOFTPLUS, softplus)                                                                          \
    X(SOFTSIGN, softsign)                                                                          \
    X(MISH, mish)                                                                                  \
    X(EXP, exp)                                                                                    \
    X(LOG, log)                                                                                    \
    X(SQRT, sqrt)                                                                                  \
    X(ABS, abs)                                                                                    \
    X(NEG, neg)                                                                                    \
    X(ERF, erf)                                                                                    \
    X(RECIPROCAL, reciprocal)                                                                      \
    X(SIGN, sign)                                                                                  \
    X(FLOOR, floor)                                                                                \
    X(CEIL, ceil)                                                                                  \
    X(ROUND, round)                                                                                \
    X(SIN, sin)                                                                                    \
    X(COS, cos)                                                                                    \
    X(TAN, tan)                                                                                    \
    X(ASIN, asin)                                                                                  \
    X(ACOS, acos)                                                                                  \
    X(ATAN, atan)                                                                                  \
    X(SINH, sinh)                                                                                  \
    X(COSH, cosh)                                                                                  \
    X(ASINH, asinh)                                                                                \
    X(ACOSH, acosh)                                                                                \
    X(ATANH, atanh)

#define UNARY_OPS(X)                                                                               \
    PLAIN_UNARY_OPS(X)                                                                             \
    X(LEAKY, leaky)                                                                                \
    X(ELU, elu)                                                                                    \
    X(SELU, selu)                                                                                  \
    X(CELU, celu)                                                                                  \
    X(CLIP, clip)                                                                                  \
    X(HSIGMOID, hsigmoid)                                                                          \
    X(THRESHOLD, threshold)                                                                        \
    X(SHRINK, shrink)

/* Two values, or one and a constant. */
#define BINARY_OPS(X)                                                                              \
    X(ADD, add)                                                                                    \
    X(SUB, sub)                                                                                    \
    X(MUL, mul)                                                                                    \
    X(DIV, div)                                                                                    \
    X(MIN, min)                                                                                    \
    X(MAX, max)                                                                                    \
    X(POW, pow)

#define OPS(X)                                                                                     \
    UNARY_OPS(X)                                                                                   \
    BINARY_OPS(X)                                                                                  \
    X(INPUT, input)                                                                                \
    X(CONV, conv)                                                                                  \
    X(DWCONV, dwconv)                                                                              \
    X(TCONV, tconv)                                                                                \
    X(DENSE, dense)                                                                                \
    X(CORAL, coral)                                                                                \
    X(BN, bn)                                                                                      \
    X(RELU, relu)                                                                                  \
    X(RELU6, relu6)                                                                                \
    X(PRELU, prelu)                                                                                \
    X(SOFTMAX, softmax)                                                                            \
    X(LOGSOFTMAX, logsoftmax)                                                                      \
    X(NORM, norm)                                                                                  \
    X(LRN, lrn)                                                                                    \
    X(REDUCE, reduce)                                                                              \
    X(RESIZE, resize)                                                                              \
    X(MATMUL, matmul)                                                                              \
    X(L2NORM, l2norm)                                                                              \
    X(RESHAPE, reshape)                                                                            \
    X(PERMUTE, permute)                                                                            \
    X(SLICE, slice)                                                                                \
    X(FLATTEN, flatten)                                                                            \
    X(MAXPOOL, maxpool)                                                                            \
    X(AVGPOOL, avgpool)                                                                            \
    X(GAP, gap)                                                                                    \
    X(DROPOUT, dropout)                                                                            \
    X(CONCAT, concat)                                                                              \
    X(PAD, pad)

#endif
