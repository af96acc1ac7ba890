#include "op.h"

/* plan.c has what runs: it alone sees the images. */
const struct infer_op infer_input = {0};
