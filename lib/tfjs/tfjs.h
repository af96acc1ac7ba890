/*
 * TensorFlow.js graph models to models of mien.
 *
 * A graph model is a JSON file and weight files in its folder, as tensorflowjs_converter writes
 * them. What the graph computes at inference becomes layers: convolutions (also depthwise), matrix
 * products, biases, the usual activations, pooling, means over the image, padding, sums and
 * concatenations of channels. Constants that are added to or multiplied with a channel, batch
 * normalization among them, are folded into the weights of the layer before. Reshapes that leave
 * the order of elements become `flatten` or nothing. Only what the graph's outputs need is read;
 * anything else that it needs is refused, naming the node.
 *
 * Layers are named after the graph's nodes, shortened to the Keras layer that a node came from:
 * "conv_dw_1/depthwise" is conv_dw_1. A convolution with its activation in one node becomes
 * NAME_linear and NAME. The outputs keep the names of the nodes that only reshaped them.
 */
#ifndef MIEN_TFJS_TFJS_H
#define MIEN_TFJS_TFJS_H

#include <stdbool.h>

#include "mien/err.h"
#include "net/model.h"

/* Reads the graph at path and its weights. NULL, with a message naming the file, on failure. */
struct tfjs;
struct tfjs *tfjs_open(const char *path, struct mien_err *e);
void tfjs_close(struct tfjs *t); /* NULL is harmless */

/* Whether a node of this name is one of the graph's outputs. */
bool tfjs_has_output(const struct tfjs *t, const char *node);

/* Who made the graph and who converted it, as the file says; NULL when it doesn't. */
const char *tfjs_made_by(const struct tfjs *t);
const char *tfjs_converted_by(const struct tfjs *t);

/* Fills the net and weights of m, zeroed by the caller. gender and age name the nodes (or, as
   imported, the layers) that become the heads, softmax or sigmoid; a dense layer that feeds one
   becomes gender_logits or age_logits. Either may be NULL. h and w replace the size of the graph's
   input when they aren't 0. Returns 0, or a negative code with a message naming node and op; m is
   then empty. */
MIEN_CHECKED int tfjs_import(const struct tfjs *t, struct model *m, const char *gender,
                             const char *age, int h, int w, struct mien_err *e);

#endif
