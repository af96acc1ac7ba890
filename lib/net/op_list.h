/*
 * The operators, X(TYPE, word) each: L_TYPE is a layer's type, `word` the one that a description
 * has for it. In each room that knows it an operator is a struct, op_word (net/op.h), infer_word
 * (infer/op.h), train_word (train/op.h), in the file op_FAMILY.c of its family; the rooms' tables
 * are made of this list. The order means nothing.
 */
#ifndef MIEN_NET_OP_LIST_H
#define MIEN_NET_OP_LIST_H

#define OPS(X)                                                                                     \
    X(INPUT, input)                                                                                \
    X(CONV, conv)                                                                                  \
    X(DWCONV, dwconv)                                                                              \
    X(DENSE, dense)                                                                                \
    X(CORAL, coral)                                                                                \
    X(BN, bn)                                                                                      \
    X(RELU, relu)                                                                                  \
    X(RELU6, relu6)                                                                                \
    X(PRELU, prelu)                                                                                \
    X(SIGMOID, sigmoid)                                                                            \
    X(SOFTMAX, softmax)                                                                            \
    X(L2NORM, l2norm)                                                                              \
    X(FLATTEN, flatten)                                                                            \
    X(MAXPOOL, maxpool)                                                                            \
    X(AVGPOOL, avgpool)                                                                            \
    X(GAP, gap)                                                                                    \
    X(DROPOUT, dropout)                                                                            \
    X(ADD, add)                                                                                    \
    X(CONCAT, concat)                                                                              \
    X(PAD, pad)

#endif
