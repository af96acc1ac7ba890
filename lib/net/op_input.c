#include "op.h"

const struct op op_input = {.name = "input", .has = HAS(SHAPE)};
