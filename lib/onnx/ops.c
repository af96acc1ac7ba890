/* Which function converts which operator. */
#include "ops.h"

#include <string.h>

static const struct {
    const char *op;
    int (*layers)(struct build *b); /* of a layer's value; NULL: only constants */
    int (*fold)(struct build *b);   /* of constants; NULL: it isn't folded */
} ops[] = {
    {"Abs", op_unary, fold_unary},
    {"Acos", op_unary, NULL},
    {"Acosh", op_unary, NULL},
    {"Add", op_binary, fold_binary},
    {"And", NULL, fold_compare},
    {"Asin", op_unary, NULL},
    {"Asinh", op_unary, NULL},
    {"Atan", op_unary, NULL},
    {"Atanh", op_unary, NULL},
    {"AveragePool", op_pool, NULL},
    {"BatchNormalization", op_batch_norm, NULL},
    {"Cast", op_identity, fold_cast},
    {"Ceil", op_unary, fold_unary},
    {"Celu", op_unary, NULL},
    {"Clip", op_clip_node, NULL},
    {"Concat", op_concat_node, fold_concat},
    {"Constant", onnx_constant, onnx_constant},
    {"ConstantOfShape", NULL, onnx_constant_of_shape},
    {"Conv", op_conv_node, NULL},
    {"ConvTranspose", op_conv_transpose, NULL},
    {"Cos", op_unary, NULL},
    {"Cosh", op_unary, NULL},
    {"DepthToSpace", op_depth_to_space, NULL},
    {"DequantizeLinear", NULL, fold_dequantize},
    {"Div", op_binary, fold_binary},
    {"Dropout", op_identity, fold_identity},
    {"Elu", op_unary, NULL},
    {"Equal", NULL, fold_compare},
    {"Erf", op_unary, fold_unary},
    {"Exp", op_unary, fold_unary},
    {"Expand", op_expand, fold_expand},
    {"Flatten", op_reshape_node, fold_reshape},
    {"Floor", op_unary, fold_unary},
    {"Gather", op_gather, fold_gather},
    {"Gemm", op_gemm, NULL},
    {"GlobalAveragePool", op_global_pool, NULL},
    {"GlobalMaxPool", op_global_pool, NULL},
    {"Greater", NULL, fold_compare},
    {"GreaterOrEqual", NULL, fold_compare},
    {"HardSigmoid", op_unary, NULL},
    {"HardSwish", op_unary, NULL},
    {"Identity", op_identity, fold_identity},
    {"InstanceNormalization", op_instance_norm, NULL},
    {"LRN", op_lrn_node, NULL},
    {"LayerNormalization", op_layer_norm, NULL},
    {"LeakyRelu", op_unary, NULL},
    {"Less", NULL, fold_compare},
    {"LessOrEqual", NULL, fold_compare},
    {"Log", op_unary, fold_unary},
    {"LogSoftmax", op_softmax_node, NULL},
    {"LpNormalization", op_lp_norm, NULL},
    {"MatMul", op_matmul_node, NULL},
    {"Max", op_binary, fold_binary},
    {"MaxPool", op_pool, NULL},
    {"Mean", op_binary, NULL},
    {"MeanVarianceNormalization", op_mean_variance_norm, NULL},
    {"Min", op_binary, fold_binary},
    {"Mish", op_unary, NULL},
    {"Mod", NULL, fold_binary},
    {"Mul", op_binary, fold_binary},
    {"Neg", op_unary, fold_unary},
    {"Not", NULL, fold_unary},
    {"Or", NULL, fold_compare},
    {"PRelu", op_prelu_node, NULL},
    {"Pad", op_pad_node, NULL},
    {"Pow", op_binary, fold_binary},
    {"Range", NULL, onnx_range},
    {"Reciprocal", op_unary, fold_unary},
    {"ReduceL1", op_reduce_node, NULL},
    {"ReduceL2", op_reduce_node, NULL},
    {"ReduceLogSum", op_reduce_node, NULL},
    {"ReduceLogSumExp", op_reduce_node, NULL},
    {"ReduceMax", op_reduce_node, fold_reduce},
    {"ReduceMean", op_reduce_node, fold_reduce},
    {"ReduceMin", op_reduce_node, fold_reduce},
    {"ReduceProd", op_reduce_node, fold_reduce},
    {"ReduceSum", op_reduce_node, fold_reduce},
    {"ReduceSumSquare", op_reduce_node, NULL},
    {"Relu", op_unary, fold_unary},
    {"Reshape", op_reshape_node, fold_reshape},
    {"Resize", op_resize_node, NULL},
    {"Round", op_unary, NULL},
    {"Selu", op_unary, NULL},
    {"Shape", onnx_shape, onnx_shape},
    {"Shrink", op_unary, NULL},
    {"Sigmoid", op_unary, fold_unary},
    {"Sign", op_unary, NULL},
    {"Sin", op_unary, NULL},
    {"Sinh", op_unary, NULL},
    {"Size", onnx_size, onnx_size},
    {"Slice", op_slice_node, fold_slice},
    {"Softmax", op_softmax_node, NULL},
    {"Softplus", op_unary, NULL},
    {"Softsign", op_unary, NULL},
    {"SpaceToDepth", op_space_to_depth, NULL},
    {"Split", op_split, NULL},
    {"Sqrt", op_unary, fold_unary},
    {"Squeeze", op_reshape_node, fold_reshape},
    {"Sub", op_binary, fold_binary},
    {"Sum", op_binary, fold_binary},
    {"Tan", op_unary, NULL},
    {"Tanh", op_unary, fold_unary},
    {"ThresholdedRelu", op_unary, NULL},
    {"Tile", op_tile, NULL},
    {"Transpose", op_transpose, fold_transpose},
    {"Unsqueeze", op_reshape_node, fold_reshape},
    {"Upsample", op_upsample, NULL},
    {"Where", NULL, fold_where},
};
enum { OPS_COUNT = sizeof ops / sizeof ops[0] };

static int find(const char *op)
{
    for (int k = 0; k < OPS_COUNT; k++) {
        if (strcmp(ops[k].op, op) == 0)
            return k;
    }
    return -1;
}

bool onnx_op_known(const char *op)
{
    return find(op) >= 0;
}

int onnx_convert(struct build *b)
{
    int k = find(b->node->op);
    bool constants = true;
    if (k < 0)
        return ob_fail(b, "the operator is not supported");
    for (int i = 0; i < b->node->nin; i++)
        constants = constants && (ob_in(b, i) == NULL || constant_is(&ob_in(b, i)->k));
    if (constants && ops[k].fold != NULL)
        return ops[k].fold(b);
    if (constants || ops[k].layers == NULL)
        return ob_fail(b, constants ? "it isn't supported for constants alone"
                                    : "it is supported for constants only");
    return ops[k].layers(b);
}
