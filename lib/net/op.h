/*
 * Operators as the room net knows them: how a layer's line is written, what its output's shape and
 * its parameters are, what it costs. Each is described in the file op_FAMILY.c of its family and
 * has one line in the table of ops.c. The other rooms have files of the same names.
 */
#ifndef MIEN_NET_OP_H
#define MIEN_NET_OP_H

#include "net.h"

/* What a line has behind its type: words in this order, then options in any order. describe.c has
   the table of how each is written and which fields of struct layer it sets. */
enum attribute {
    A_SHAPE, /* words */
    A_UNITS,
    A_KERNEL,
    A_SIZE,
    A_EXTENT,
    A_RATE,
    A_BORDER,
    A_RANGE,
    A_KIND,
    A_AXES,
    A_STRIDE, /* options */
    A_DILATION,
    A_PAD,
    A_OUTPAD,
    A_GROUPS,
    A_BIAS,
    A_EPS,
    A_CHANNELS,
    A_CEIL,
    A_COUNT,
    A_MODE,
    A_FILL,
    A_VALUE,
    A_SWAP,
    A_ALPHA,
    A_BETA,
    A_K,
    A_AFFINE,
    A_OVER,
    A_AXIS,
    A_AT,
    A_STEP,
    A_VIEW,
    A_ORDER,
    A_INTERPOLATION,
    A_COORDS,
    A_ROUND,
    A_SCALE,
    A_TA,
    A_TB
};
#define HAS(name)  (UINT64_C(1) << A_##name)
#define HAS_WINDOW (HAS(KERNEL) | HAS(STRIDE) | HAS(PAD))

/* What other layers, and other rooms, ask about an operator. */
enum trait {
    OP_SUMS = 1,  /* sums of products with weights, the channels last: what scales and shifts the
                    channels behind it can be folded into its weights and bias */
    OP_RELU = 2,  /* it is linear on both sides of 0 */
    OP_PASS = 4,  /* at inference it hands its input on as it is */
    OP_SIDE = 8,  /* its parameters go with those of the layer that it scales or shifts */
    OP_UNARY = 16 /* it makes an element of each element of its one input, which can be in place */
};

struct op {
    const char *name; /* its word in a description */
    uint64_t has;     /* of enum attribute */
    unsigned is;      /* of enum trait */
    float rate, a, b; /* what these fields of a layer have without options */
    int least, most;  /* inputs; both 0: one */
    /* The output's shape and the parameters, of the shape of the first input, which l->shape has
       already. NULL: that, and none. Returns 0, or op_bad's. */
    int (*shape)(const struct net *net, struct layer *l, struct shape in, struct mien_err *e);
    /* Multiply-adds for one image that reads `in` first; NULL: none. */
    double (*madds)(const struct layer *l, struct shape in);
};

const struct op *op_of(enum layer_type type);

/* --- For shape rules ------------------------------------------------------------------------ */

/* Elements that an output has at most, and what a layer may add to one side of it: sums of these
   don't overflow. */
enum { MAX_OUTPUT = 1 << 30, MAX_PADDING = 1 << 20 };
extern const char op_too_large[];

/* Says what is wrong with a layer: returns MIEN_ERR_ARG. */
int op_bad(const struct layer *l, struct mien_err *e, const char *what);

/* Gives a layer one more parameter of ndim dimensions, which begins as zeros. */
struct param *op_param(struct layer *l, const char *name, int ndim, size_t a, size_t b, size_t c,
                       size_t d);

/* The weights, of whose products one output sums fan_in, and of which an input feeds fan_out
   outputs; and the bias, of l->units. */
void op_weight(struct layer *l, double fan_in, double fan_out, int ndim, size_t a, size_t b,
               size_t c, size_t d);
void op_bias(struct layer *l);

/* The rows or columns that a kernel of k reaches over. */
int op_reach(int k, int dilation);

/* The output of a layer that slides a window over its input. */
int op_slide(struct layer *l, struct shape in, struct mien_err *e);

#endif
