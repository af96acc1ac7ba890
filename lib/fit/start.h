/* What stands before a training: its files, and the model that it begins with. */
#ifndef MIEN_FIT_START_H
#define MIEN_FIT_START_H

#include "fit.h"

/* The model that a training begins with. */
struct fit_start {
    const char *init;       /* a model's file or name; NULL: there are heads on features alone */
    bool keep_heads;        /* those of init, which is given then */
    struct fit_heads heads; /* else new ones */
    const char *embed;      /* the layer of init, which is given then, that new heads read; NULL:
                               init's choice */
};

/* The files of a training but for its models to start from and to learn from, and its checkpoint;
   NULL: it has none of that kind. */
struct fit_files {
    struct pack_set train;
    const char *val;       /* read, too */
    const char *out, *log; /* written */
};

/* Whether no output is an input or another output, and all can be written: better known now than
   after hours. The models that are started from and learned from may be replaced by their
   successor, which appears whole, but not by a log or a checkpoint. Returns 0, MIEN_ERR_ARG or
   file_try's errors. */
MIEN_CHECKED int fit_check_files(const struct fit_files *f, const struct fit_start *s,
                                 const struct fit_config *c, struct mien_err *e);

/* Makes the model that a training begins with (m zeroed by the caller), for a pack. c->last, where
   that is FIT_NEW, becomes the number of new layers with weights, or of the heads that are kept.
   Returns 0, or a negative code. */
MIEN_CHECKED int fit_start(struct model *m, const struct fit_start *s,
                           const struct mien_pack *train, struct fit_config *c, struct mien_err *e);

#endif
