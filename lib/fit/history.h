/* What a model's file tells of its making: nothing that differs when it is made again. */
#ifndef MIEN_FIT_HISTORY_H
#define MIEN_FIT_HISTORY_H

#include "fit_log.h"
#include "start.h"

/* What a training is made of, as named on the command line. */
struct fit_source {
    const struct fit_start *start;
    const struct pack_set *train;
    size_t records;      /* of train */
    const char *val;     /* a file, or NULL */
    const char *teacher; /* names by commas, or NULL */
};

/* Replaces m's history: a line for the model that its training starts from, for each that it learns
   from and for each pack, with its digest; below each, indented, how that was made. The files are
   read, before a training since it may replace them. Returns 0 or a negative code. */
MIEN_CHECKED int fit_note_sources(struct model *m, const struct fit_source *from,
                                  struct mien_err *e);

/* Replaces what m tells of its own training: the options, and how the kept epoch did. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int fit_note_training(struct model *m, const struct fit_config *c,
                                   const struct fit_source *from, const struct fit_epoch *kept,
                                   struct mien_err *e);

#endif
