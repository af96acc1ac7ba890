/* What a model's file tells of its making: nothing that differs when it is made again. */
#ifndef MIEN_FIT_HISTORY_H
#define MIEN_FIT_HISTORY_H

#include "fit_log.h"
#include "start.h"

/* Replaces m's history: a line for the model that its training starts from, for each that it learns
   from and for each pack, with its digest; below each, indented, how that was made. The files are
   read, before a training since it may replace them. Returns 0 or a negative code. */
MIEN_CHECKED int fit_note_sources(struct model *m, const struct fit_files *f,
                                  const struct fit_start *s, const struct fit_config *c,
                                  struct mien_err *e);

/* Replaces what m tells of its own training: the options, on how many records, and how the kept
   epoch did. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int fit_note_training(struct model *m, const struct fit_start *s,
                                   const struct fit_config *c, size_t records,
                                   const struct fit_epoch *kept, struct mien_err *e);

#endif
