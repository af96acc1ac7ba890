/* Which function converts which op. */
#include "ops.h"

#include <string.h>

static const struct {
    const char *op;
    int (*convert)(struct import *c, int i);
} ops[] = {
    {"Const", imp_identity},
    {"Placeholder", imp_placeholder},
    {"Identity", imp_identity},
    {"StopGradient", imp_identity},
    {"Conv2D", imp_conv},
    {"_FusedConv2D", imp_conv},
    {"DepthwiseConv2dNative", imp_conv},
    {"FusedDepthwiseConv2dNative", imp_conv},
    {"_FusedDepthwiseConv2dNative", imp_conv},
    {"MatMul", imp_matmul},
    {"_FusedMatMul", imp_matmul},
    {"FusedBatchNorm", imp_batch_norm},
    {"FusedBatchNormV2", imp_batch_norm},
    {"FusedBatchNormV3", imp_batch_norm},
    {"Add", imp_arithmetic},
    {"AddV2", imp_arithmetic},
    {"BiasAdd", imp_arithmetic},
    {"Sub", imp_arithmetic},
    {"Mul", imp_arithmetic},
    {"RealDiv", imp_arithmetic},
    {"AddN", imp_add_n},
    {"ConcatV2", imp_concat},
    {"Relu", imp_activation},
    {"Relu6", imp_activation},
    {"Sigmoid", imp_activation},
    {"Prelu", imp_activation},
    {"Abs", imp_unary},
    {"Neg", imp_unary},
    {"Tanh", imp_unary},
    {"Sqrt", imp_unary},
    {"Rsqrt", imp_unary},
    {"Square", imp_unary},
    {"Minimum", imp_bound},
    {"Maximum", imp_bound},
    {"ClipByValue", imp_clip},
    {"Softmax", imp_softmax},
    {"MaxPool", imp_pool},
    {"AvgPool", imp_pool},
    {"Mean", imp_reduce},
    {"Max", imp_reduce},
    {"Sum", imp_reduce},
    {"Pad", imp_pad},
    {"PadV2", imp_pad},
    {"Reshape", imp_reshape},
    {"Squeeze", imp_squeeze},
    {"ExpandDims", imp_expand},
    {"StridedSlice", imp_slice},
};

int imp_node(struct import *c, int i)
{
    for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
        if (strcmp(ops[k].op, c->g->node[i].op) == 0)
            return ops[k].convert(c, i);
    }
    return imp_fail(c, i, "the op is not supported");
}
