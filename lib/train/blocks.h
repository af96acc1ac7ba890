/* Gradients of layers of many weights, whose weights are cut into blocks: enum train_sum, memory.h. */
#ifndef MIEN_TRAIN_BLOCKS_H
#define MIEN_TRAIN_BLOCKS_H

#include "pass.h"

/* Room for packed operands of such layers and for blocks' sums. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int blocks_make(struct trainer *t);
void blocks_free(struct trainer *t);

/* The current layer, whose input's gradient goes to t->dx, unless that is nowhere. */
void blocks_backward(struct trainer *t);

/* The input of layer i where its r-th row of blocks begins. */
size_t blocks_row(const struct trainer *t, int i, size_t r);

/* Rows [from, to) of blocks of layer i, of SUM_WHOLE, and all biases, by all images, whose gradients
   of outputs are dy. */
void blocks_whole(struct trainer *t, int i, struct reals dy, size_t from, size_t to);

#endif
