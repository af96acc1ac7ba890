/* What a model was trained on and started from, for its file. */
#ifndef MIEN_FIT_HISTORY_H
#define MIEN_FIT_HISTORY_H

#include "fit_log.h"

/* Appends a line for the model that a training starts from, for each that it learns from (teacher: names
   by commas, or NULL) and for each pack, with its digest; below each, indented, how that was made. The
   files are read, before a training since it may replace them. Returns 0 or a negative code. */
MIEN_CHECKED int fit_history(const struct fit_source *from, const char *teacher,
                             struct mien_buf *out, struct mien_err *e);

#endif
