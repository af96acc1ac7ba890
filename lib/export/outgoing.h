/*
 * What leaves the house: the layers of a model that its outputs need, the order of their weights
 * changed to that of programs whose images are channels first.
 *
 *   conv    weight [units, inputs / groups, kh, kw]
 *   dwconv  weight [channels, 1, kh, kw]
 *   dense   weight [units, inputs], the inputs of an image by channel, row, column
 *
 * The outputs are, in this order and with these names:
 *   of a model with heads   p_gender [N, 2]: the probabilities of female and male, as mien-predict
 *                           has them; p_age [N, 101]: of the years from 0 to 100; pred_age [N]: the
 *                           expected age
 *   with embed              features [N, n]: that layer's elements by row, column, channel, as
 *                           mien-embed has them
 *   else                    every layer that none reads, by its name
 */
#ifndef MIEN_EXPORT_OUTGOING_H
#define MIEN_EXPORT_OUTGOING_H

#include "net/heads.h"

/* The names of inputs and outputs. */
#define OUTGOING_INPUT    "input"
#define OUTGOING_PIXELS   "pixels"
#define OUTGOING_GENDER   "p_gender"
#define OUTGOING_AGES     "p_age"
#define OUTGOING_AGE      "pred_age"
#define OUTGOING_FEATURES "features"

struct export_options {
    const char *embed;  /* the layer whose output is wanted; NULL for the heads */
    bool preprocessing; /* the input is pixels, u8 [N, height, width, 3], RGB */
    bool fold;          /* each bn layer into the layer before it, where that can be */
};

enum outgoing_kind { OUT_HEADS, OUT_FEATURES, OUT_LAYERS };

struct outgoing {
    struct model model;
    struct model_input input;
    struct heads heads; /* OUT_HEADS */
    enum outgoing_kind kind;
    bool preprocessing;
    int features;       /* OUT_FEATURES: the layer */
    char embedded[128]; /* and mien-embed's name for what it makes */
    bool *needed; /* of each layer, whether an output needs it; those of OUT_LAYERS are told by
                           `read` */
    bool *read;   /* of each layer, whether a needed layer reads it */
};

/* Takes what is needed of a model, which is left empty, failure or not. The result is the caller's
   to free, also on failure; zeroed before. Returns 0, MIEN_ERR_MEM, or MIEN_ERR_ARG or
   MIEN_ERR_FORMAT: no such layer, heads or preprocessing that make no sense, or an operator that
   can't be exported, named with its layer. */
MIEN_CHECKED int outgoing_take(struct outgoing *o, struct model *m, const struct export_options *x,
                               struct mien_err *e);
void outgoing_free(struct outgoing *o);

/* The matrix [classes, 101] by which an age head's probabilities of classes become those of years,
   in y. Returns whether it is more than the identity. */
bool outgoing_years(const struct outgoing *o, float *y);

/* Appends lines on what the input is and what the outputs are, for people. Returns 0 or
   MIEN_ERR_MEM. */
int outgoing_describe_input(const struct outgoing *o, struct mien_buf *text);

#endif
