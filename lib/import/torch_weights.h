/*
 * Weights written by PyTorch for a network whose description is given: a safetensors file of a
 * state_dict, its tensors of any alignment, in floats of 16, 32 or 64 bits or bfloat16.
 *
 * A layer's tensors are PREFIX.weight, PREFIX.bias, PREFIX.running_mean, and so on. PREFIX is the
 * layer's name, or one that becomes it when its dots become underscores, unless a map names it:
 * lines of "layer = prefix", in which '#' starts a comment.
 *
 * Weights change their order from PyTorch's to that of net.h:
 *   conv    [units, inputs / groups, kh, kw]
 *   dwconv  [channels, 1, kh, kw]
 *   tconv   [inputs, units / groups, kh, kw]
 *   dense   [units, inputs], the inputs of an image by channel, row, column
 */
#ifndef MIEN_IMPORT_TORCH_WEIGHTS_H
#define MIEN_IMPORT_TORCH_WEIGHTS_H

#include "mien/buf.h"
#include "mien/safetensors.h"
#include "net/model.h"

/* Fills m->weights, which it makes, for m->net from the open file, with `map` of `len` bytes or
   NULL. The names of tensors that no layer took are appended to `left`, a few of them and how many
   there are; counts of batches, which don't matter to a prediction, aren't among them. Returns 0;
   MIEN_ERR_ARG with "line N: CAUSE" for the map; MIEN_ERR_FORMAT where a tensor is missing, has
   another shape or an element that isn't finite, or belongs to a layer that has no place for it;
   or MIEN_ERR_MEM. */
MIEN_CHECKED int torch_weights(struct model *m, const struct mien_safetensors *file,
                               const char *map, size_t len, struct mien_buf *left,
                               struct mien_err *e);

#endif
