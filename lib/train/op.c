#include "op.h"

#define DECLARE(type, word) extern const struct train_op train_##word;
OPS(DECLARE)

const struct train_op *train_op_of(enum layer_type type)
{
#define ENTRY(type, word) [L_##type] = &train_##word,
    static const struct train_op *const ops[] = {OPS(ENTRY)};
    return ops[type];
}
