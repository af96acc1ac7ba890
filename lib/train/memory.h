/*
 * What training a network needs in memory, planned before any is taken.
 *
 * Outputs are kept from the forward to the backward pass. Gradients of outputs are needed for a
 * short while only: they share slots. A relu whose input nothing else reads takes its place: the
 * layer before writes what the relu makes of it, and their gradient is one array.
 *
 * Layers of large outputs and few weights that follow each other are a fused run: they are gone
 * through image by image, while what one writes is in the cache for the next, and a gradient within
 * the run is that of one image.
 *
 * For example all layers of this network, in batches of 32; the loss reads f:
 *
 *              c1        r1      p1       c2       b2        r2      g       f
 *   input      conv 16   relu    maxpool  conv 32  bn        relu    gap     dense 10
 *   32x32x3    3x3               2x2      3x3
 *
 *   output     -> r1     16384   4096     8192     -> r2     8192    32      10 floats an image
 *   gradient   -> r1     slot 3  slot 2   slot 1   -> r2     slot 0  slot 1  slot 0
 *
 *             |- a fused run, image by image ----|
 *              16 parts of 2 images                16 parts each             4 parts of 8 images
 *
 * Backward, f's gradient is in slot 0. g's is made of it in slot 1, and r2's of that in slot 0,
 * which f doesn't need any more; b2's is the same array. c2's goes to slot 1, for the whole batch,
 * since a bn needs all images at once. From there each worker takes the images of its part through
 * the run, one by one: slots 2 and 3 have room for one image of each worker.
 *
 * With bfloat16 outputs and gradients between layers that take it (needs.h) are bfloat16.
 *
 * A part of the batch is a task for a worker: (n / parts, h, w, c) of a layer's input and output.
 * Where gradients of parameters are summed, parts are the leaves of a tree (tree.h), and each has
 * its own, (leaves, span).
 */
#ifndef MIEN_TRAIN_MEMORY_H
#define MIEN_TRAIN_MEMORY_H

#include <stdbool.h>

#include "net/net.h"
#include "kernel/gemm.h"
#include "layers/layers.h"

enum role { ABSENT, GIVEN, COMPUTED };

struct layer_use {
    enum role role;
    bool train; /* its parameters are trained */
    bool flow;  /* its output's gradient is needed on the way to a trained parameter */
    int holder; /* the layer that holds its output: itself, or the relu behind it */
    int below;  /* of a relu that holds another layer's output: that layer; else -1 */
    int slot;   /* of a holder: where its gradient goes; -1: nowhere */
    int run;    /* the fused run that the layer belongs to, or -1 */
    bool inner; /* its output and gradient are read within that fused run alone */
    bool bf16;  /* they are bfloat16 */
};

/* Where gradients go: of a batch, or of one image for each worker. */
struct gradient_slot {
    size_t count; /* elements for one image */
    bool inner, bf16;
};

/* Layers first to last, each of which reads the one before; the gradients of their parameters are
   `span` elements from element `at`. */
struct fused_run {
    int first, last;
    size_t at, span;
};

struct train_memory {
    const struct net *net;
    int batch, jobs;
    struct layer_use *use; /* net->n of them */
    int slots, runs;
    struct gradient_slot *slot;
    struct fused_run *run;
    size_t patch;   /* elements of scratch for each worker */
    size_t part;    /* of gradients of one layer's parameters, for all parts of a batch */
    size_t block;   /* of one block of a layer's weights */
    size_t extra;   /* for one image: a second gradient of an output that several layers read */
    size_t zeros;   /* the longest row of pixels under a depthwise filter */
    size_t weights; /* elements that gradients have */
    size_t bytes;   /* of all that a trainer takes, weights and their optimizer apart */
};

/* Plans training with these trained layers, outputs given from outside, and `ends`, layers whose
   gradient the loss gives; bf16: outputs are bfloat16 where they can be. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int train_memory_make(struct train_memory *p, const struct net *net, const bool *train,
                                   const int *given, int ngiven, const int *ends, int nends,
                                   int batch, int jobs, bool bf16);
void train_memory_free(struct train_memory *p);

/* The relu that layer i computes itself before it stores its output. */
enum act train_tail(const struct train_memory *p, int i);

/* Images of a batch of n, where no gradient is summed, are cut into so many parts. */
size_t train_image_parts(const struct layer *l, int n);

/* How a layer's gradient of its parameters is summed over the batch. Leaves are those of tree.h. */
enum train_sum {
    SUM_LEAVES, /* each leaf's apart, then by the tree */
    SUM_BLOCKS, /* the same for one block of rows and columns after the other, of weights so many that
                   leaves' gradients would leave the cache */
    SUM_WHOLE   /* by blocks as well, each in one product over all images: of these there is less to
                   move, between processes and from memory, than of weights */
};
enum train_sum train_sum_of(const struct layer *l, struct shape in, int batch);

/* Whether a layer is made of products of matrices. */
bool train_is_product(const struct layer *l);

/* Whether a layer's input is the left side of its product: a row a pixel, or an image. */
bool train_is_plain(const struct layer *l);

/* Of `rows` rows and `columns` columns each, the last ones of fewer. */
struct weight_blocks {
    size_t rows, columns;
    size_t down, across; /* so many of them */
};
struct weight_blocks train_weight_blocks(const struct layer *l);

/* Rows of a product that are made floats at once where they become bfloat16, and elements of scratch
   that a convolution needs for that, behind its patches. */
enum { TRAIN_ROWS = GEMM_ROWS };
size_t train_rows_scratch(const struct layer *l, struct shape in);

/* Elements from a layer's first parameter to the end of its last. */
size_t train_params_span(const struct layer *l);

#endif
