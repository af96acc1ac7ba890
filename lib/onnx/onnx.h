/*
 * ONNX files to models of mien: operators of version 7 to 17, in floats of 32 or 16 bits, or with
 * weights in whole numbers that DequantizeLinear turns into floats; weights in the file, or in other
 * files of its folder.
 *
 * The batch, the first axis of the input, is one image. Shapes are computed at import, and so is
 * all that depends on constants alone. What an exporter took apart, such as swish or layer
 * normalization, becomes one layer. Layers are named after their weights, "features_0" for
 * features.0.weight, or after their nodes.
 */
#ifndef MIEN_ONNX_ONNX_H
#define MIEN_ONNX_ONNX_H

#include <stdbool.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "net/model.h"

/* Reads the file. NULL, with a message naming it, on failure. */
struct onnx;
struct onnx *onnx_open(const char *path, struct mien_err *e);
void onnx_close(struct onnx *o); /* NULL is harmless */

/* Whose program made it, NULL when the file doesn't tell; and, of one that mien-export wrote, the
   model's preprocessing and history. */
const char *onnx_made_by(const struct onnx *o);
const char *onnx_prep(const struct onnx *o);
const char *onnx_history(const struct onnx *o);

/* Whether a node makes a value of this name. */
bool onnx_has_value(const struct onnx *o, const char *name);

/* What the file doesn't tell. */
struct onnx_options {
    const char *gender, *age; /* outputs, or other values or layers, that are heads; or NULL */
    bool heads_only;          /* other outputs are left out */
    bool male_first;          /* the gender's classes are male and female */
    double years, years0;     /* an age of one number is years * number + years0 */
    float scale[3];           /* of the input's channels, after the one of all; or zeros */
    int h, w;                 /* of the input, instead of the graph's; or 0 */
    bool pixels;              /* an image of one channel is made of one of three */
    bool batch_is_data;       /* the first axis is one like any other: for tests of operators */
};

/* Fills the net and weights of m, zeroed by the caller. gender is made of a softmax or sigmoid, or
   the numbers that go into one, age of a softmax or what goes into it, or of one number, which
   becomes a softmax over the years from 0 to 100 with that mean. Returns 0, or a negative code with
   a message naming node and operator; m is then empty. */
MIEN_CHECKED int onnx_import(struct onnx *o, struct model *m, const struct onnx_options *options,
                             struct mien_err *e);

/* Appends the graph's outputs and their shapes: "'fc1' 1x2, 'fc2' 1x101". Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int onnx_outputs(const struct onnx *o, struct mien_buf *text);

/* For tests: how many outputs the last import had, the layer of each, its axes as the graph has
   them, and which of them, the slowest first, the layer's elements go through. Returns the layer. */
struct onnx_layout {
    int rank, dim[8], mem[8];
};
int onnx_output(const struct onnx *o, int k, struct onnx_layout *l);
int onnx_output_count(const struct onnx *o);
void onnx_input(const struct onnx *o, struct onnx_layout *l);

#endif
