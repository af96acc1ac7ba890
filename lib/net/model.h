/*
 * Models: a network, its weights, and what it needs to know of its inputs and outputs; a
 * safetensors file, see mien-pack(5).
 *
 * The preprocessing (prep.h) tells how pixels become the input and outputs become years:
 *   size=HxW      pixels of the input        margin=F   crop margin it was trained with
 *   color=rgb|bgr order of its channels      mean=A,B,C subtracted, in the input's channel order
 *   scale=F       multiplied afterwards      embed=LAYER  where mien-embed stops by default
 *   age0=N        the age that class 0 of `age` means, where each class is a year
 *   ages=A:B:...  the first years of its classes, where these are bins; the last ends at 100
 *   temp_gender=T, temp_age=T, shift_age=F   how the heads' confidences are scaled: calibrate.h
 *   features=NAME the features that a model without a network of its own was trained on
 *
 * Heads are the layers named `gender` and `age`. gender has two classes, female and male, or is a
 * sigmoid of one unit, the probability of male. age is a softmax over years or bins, or sigmoids,
 * the probabilities of more than so many: see age_head.h.
 */
#ifndef MIEN_NET_MODEL_H
#define MIEN_NET_MODEL_H

#include "net.h"
#include "mien/prep.h"
#include "mien/record.h"

struct model {
    struct net net;
    float *weights; /* net.nweights of them, 64-byte aligned */
    struct mien_prep prep;
    char *made;                 /* how it was made: text lines, or NULL */
    char *history;              /* what it was made of, likewise; see model_origin */
    float age_count[MIEN_AGES]; /* records of each age that it was trained on, where its
                                           age head needs to know; else zeros */
};

/* Zeroed weights for the net; NULL and MIEN_ERR_MEM's message when there is no memory. The caller
   frees them with free. */
float *net_weights_new(const struct net *net, struct mien_err *e);

/* Where the model or network of that name lies: a path, or a file of the current folder, is taken as
   it is; another name is looked for in $MIEN_MODELS or, where that is not set, in the folder mien of
   the user's cache (XDG's, $HOME/.cache by default), and then where share_find finds models and
   networks. Returns a path in buf, or the name itself when it is nowhere else. */
const char *model_find(const char *name, char *buf, size_t n);

/* Reads a model, which model_find finds; m is zeroed by the caller. Returns 0, or a negative code
   with a message naming the file; m is then empty. F16 weights are widened. Every weight must be
   there and finite. */
MIEN_CHECKED int model_load(struct model *m, const char *name, struct mien_err *e);

/* Writes a model, whole or not at all. Same model, same bytes. */
MIEN_CHECKED int model_save(const struct model *m, const char *path, struct mien_err *e);

void model_free(struct model *m);

/* Appends "model 0123456789abcdef", a line with a digest of its network, weights and preprocessing;
   and, indented by two spaces, how it was made and what of: models and packs, each with its own line
   and history (record/history.h). Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int model_origin(const struct model *m, struct mien_buf *out);

/* Copies src to dst (zeroed by the caller) with each bn layer that stands alone behind a conv,
   dwconv or dense layer folded into that layer's weights and bias: the same function of its input
   with fewer layers, for programs that know no bn. Layers keep their names; what read the bn, and
   an embed layer that it was, is now the layer before. Returns 0, or net_add's errors or
   MIEN_ERR_MEM, dst being empty. */
MIEN_CHECKED int model_fold(struct model *dst, const struct model *src, struct mien_err *e);

/* The probabilities of female and male from the n outputs, 1 or 2, of layer `gender`. */
void model_gender(const float *p, int n, float out[2]);

/* The layer that makes a model's features: the one of this name, with NULL the one that its
   preprocessing names (embed), else what its heads read, else its last. MIEN_ERR_ARG when there is
   no such layer, or the heads read different ones. */
MIEN_CHECKED int model_features_layer(const struct model *m, const char *name, struct mien_err *e);

/* A name for the features that a layer makes: its own and a hash of all weights that they depend
   on, "global_pooling@1f2e3d4c". Features of the same name are interchangeable. */
void model_features_name(const struct model *m, int layer, char *buf, size_t n);

/* How pixels become the input, taken from the preprocessing. Returns 0, or MIEN_ERR_FORMAT for
   values that make no sense. */
struct model_input {
    int h, w; /* 0, 0 for a model whose input is features */
    bool bgr;
    float mean[3], scale;
    double temp_gender, temp_age; /* of confidences, 1 where the model names none */
    double shift_age;             /* 0 likewise */
};
MIEN_CHECKED int model_input(const struct model *m, struct model_input *in, struct mien_err *e);

#endif
