/*
 * Networks: a list of layers described by text, and what they need and produce.
 *
 * A description has one layer a line, in order of computation:
 *
 *   input 224x224x3
 *   conv1 conv 32 3x3 stride=2 pad=same bias=no
 *   bn1 bn
 *   relu1 relu6
 *   dw1 dwconv 3x3 pad=same
 *   pool gap
 *   gender_logits dense 2
 *   gender softmax
 *   age_logits dense 101 from=pool
 *   age softmax
 *
 * A line is a name, a type, the type's own words and options; "from=A" or "from=A,B" names the
 * inputs where they are not the layer above. '#' starts a comment.
 *
 * mien-operators(7) lists the types.
 *
 * Tensors are channels last: height x width x channels; a dense layer's output is 1x1xUNITS.
 * "same" pads as TensorFlow does: the output is the input over the stride, rounded up, and an odd
 * padding has its larger half behind. coral is the last layer of ordinal regression (Cao, Mirjalili,
 * Raschka 2020): output k is w x + b[k], the logit of a rank beyond k; the weights are shared, so
 * that the answers don't contradict each other.
 *
 * Parameters lie in one array of floats, each starting at a multiple of 16 elements (64 bytes):
 *   conv    weight [kh, kw, inputs / groups, units], bias [units]
 *   dwconv  weight [kh, kw, channels], bias [channels]
 *   tconv   weight [inputs / groups, kh, kw, units], bias [units]
 *   dense   weight [inputs, units], bias [units]
 *   coral   weight [inputs], bias [units]
 *   bn      gamma, beta, mean, var [channels]; mean and var are statistics, not trained
 *   norm    gamma, beta [channels]
 *   prelu   slope [channels]
 *   add and other arithmetic with a constant: value [h, w, c]
 */
#ifndef MIEN_NET_NET_H
#define MIEN_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "op_list.h"

#define LAYER_TYPE(type, word) L_##type,
enum layer_type { OPS(LAYER_TYPE) LAYER_TYPES };
#undef LAYER_TYPE

enum pad_mode { PAD_VALID, PAD_SAME, PAD_EXPLICIT };

enum { NET_NAME = 64, NET_MAX_IN = 8, NET_MAX_LAYERS = 4096, NET_MAX_EXTENT = 1 << 16 };
enum { NET_MAX_PARAMS = 4, NET_MAX_VIEW = 6 };

enum axes { AXIS_H = 1, AXIS_W = 2, AXIS_C = 4 };
/* In the order of their words. */
enum reduction {
    REDUCE_MEAN,
    REDUCE_SUM,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_SUMSQ,
    REDUCE_LOGSUM,
    REDUCE_LOGSUMEXP
};
enum pad_kind { PAD_VALUE, PAD_EDGE, PAD_REFLECT, PAD_WRAP };
enum interpolation { INTERPOLATE_NEAREST, INTERPOLATE_LINEAR, INTERPOLATE_CUBIC };
enum coords { COORDS_HALF, COORDS_ASYMMETRIC, COORDS_CORNERS, COORDS_PYTORCH };
enum rounding { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, ROUND_FLOOR, ROUND_CEIL };

struct shape {
    int h, w, c;
};

struct param {
    const char *name; /* "weight"; a constant string */
    int ndim;
    size_t dim[4];
    size_t count; /* elements */
    size_t at;    /* the first element's index in the array of all parameters */
    bool trained; /* false for statistics */
    /* How it begins: at random, as weights are of whose products an output sums fan_in and of which
       an input feeds fan_out outputs; at biases of ranks; or at init. */
    double fan_in, fan_out;
    bool ranks;
    float init;
};

struct layer {
    char name[NET_NAME];
    enum layer_type type;
    int nin, in[NET_MAX_IN]; /* indices of the layers it reads, all smaller than its own */
    int kh, kw, sh, sw;      /* kernel and stride; 1 where a type has none */
    enum pad_mode pad;
    int pt, pb, pl, pr; /* padding in rows and columns, resolved */
    int cb, ca;         /* pad layers: channels before and after */
    int units, groups;
    bool bias;  /* norm: whether it has gamma and beta */
    float rate; /* dropout: the share dropped; normalization: epsilon */
    float a, b; /* alpha and beta; clip: the bounds; pad: a is the value; resize: the scales or 0 */
    float k;    /* lrn */
    int dh, dw; /* dilation */
    int oh, ow; /* tconv: rows and columns more */
    bool ceil;  /* pooling: windows that reach beyond the padding count too */
    bool count; /* avgpool: an average counts the padding */
    int size[3];   /* of the output, or of arithmetic's constant, which is 0 where there is none */
    bool swap;     /* arithmetic: the constant is the left side */
    unsigned axes; /* AXIS_H, ...: those normalized or reduced */
    int axis;      /* concat: 0 rows, 1 columns, 2 channels */
    int kind;      /* enum reduction, enum pad_kind, enum interpolation */
    int coords, rounding;                        /* resize: enum coords, enum rounding */
    int at[3], step[3];                          /* slice */
    int view[NET_MAX_VIEW], order[NET_MAX_VIEW]; /* permute; the unused are 0 and -1 */
    bool ta, tb;                                 /* matmul: a side is transposed */
    /* Filled by net_add: */
    struct shape shape; /* of the output */
    int nparam;
    struct param param[NET_MAX_PARAMS];
};

struct net {
    struct layer *layer;
    int n;
    size_t cap;
    size_t nweights; /* length of the array of all parameters, gaps included */
};

/* Elements of a shape. */
static inline size_t shape_count(struct shape s)
{
    return (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

/* A layer with the type's defaults: kernel and stride 1, one group, bias, no padding. */
struct layer layer_make(const char *name, enum layer_type type);

/* The type's name in a description. */
const char *layer_type_name(enum layer_type t);

/* Appends a copy of l, whose in, nin and attributes are set, after working out its padding, output
   shape and parameters; an input layer's shape is given in l->shape. Returns the new index, or
   MIEN_ERR_ARG with what is wrong ("layer 'x': ..."), or MIEN_ERR_MEM. The net is unchanged on
   failure. */
MIEN_CHECKED int net_add(struct net *net, const struct layer *l, struct mien_err *e);

/* The index of the layer of this name, or -1. */
int net_find(const struct net *net, const char *name);

void net_free(struct net *net);

/* Reads a description of len bytes into net (zeroed by the caller). Returns 0 or MIEN_ERR_ARG with
   "line N: ...", or MIEN_ERR_MEM; the net is empty on failure. */
MIEN_CHECKED int net_parse(struct net *net, const char *text, size_t len, struct mien_err *e);

/* Appends the description, one that net_parse reads back to the same net. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int net_print(const struct net *net, struct mien_buf *out);

/* Copies to dst (zeroed by the caller) the layers that layer `last` of src depends on, itself
   included, in order. map, of src->n elements, receives each layer's index in dst or -1; it may
   be NULL. Returns last's index in dst, or MIEN_ERR_MEM. */
MIEN_CHECKED int net_ancestors(struct net *dst, const struct net *src, int last, int *map,
                               struct mien_err *e);

/* Copies src to dst (zeroed by the caller) for another input, h x w, or the same where they are 0,
   and at another width (Howard et al. 2017): every conv and dense layer gets `width` times its
   units, rounded to a multiple of 8 that is at least 8 and no more than a tenth too few, as
   TensorFlow's MobileNet has them. The layers whose output is a result keep theirs: those that a
   softmax or sigmoid reads, or nothing. Returns 0, or net_add's errors, dst being empty. */
MIEN_CHECKED int net_scale(struct net *dst, const struct net *src, int h, int w, double width,
                           struct mien_err *e);

/* The same at its own width for a net that has weights, which the copy shares. Returns 0; net_add's
   errors; or MIEN_ERR_FORMAT where a layer has more or fewer weights for an input of that size, as
   a dense one has that reads an image. */
MIEN_CHECKED int net_resize(struct net *dst, const struct net *src, int h, int w,
                            struct mien_err *e);

/* Multiply-adds of one layer for one image. */
double layer_madds(const struct net *net, int i);

/* Trained and untrained parameters, counted without gaps. */
size_t layer_params(const struct layer *l);

/* Fills w (net->nweights floats) at random, the same for the same seed whatever the order of
   layers: He's normal initialization (2015) for a conv, dwconv or dense layer whose output a relu
   follows, directly or behind a bn, Glorot's uniform one (2010) for the others; biases and beta 0,
   gamma and var 1, mean 0, slope 0.25. A coral layer's biases make all ranks equally likely. */
void net_init(const struct net *net, float *w, uint64_t seed);

#endif
