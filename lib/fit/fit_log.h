/* What a training leaves behind in words: its log, and a line for people. */
#ifndef MIEN_FIT_FIT_LOG_H
#define MIEN_FIT_FIT_LOG_H

#include <stdbool.h>

#include "start.h"

/* The log: tab-separated values, a line with the columns' names and one for each epoch. The same
   training leaves the same log: how long it took is said by fit_epoch_line. NULL with a
   message on failure. With resume an old log is gone on with: the first epoch that is written takes
   the place of that epoch and all later ones, which a training that was killed had got to after its
   last checkpoint. */
struct fit_log;
struct fit_log *fit_log_open(const char *path, bool resume, struct mien_err *e);

/* Writes an epoch's line through to the file. Returns 0 or, once, MIEN_ERR_SYS: then the log writes
   no more. NULL is harmless. */
MIEN_CHECKED int fit_log_write(struct fit_log *l, const struct fit_epoch *epoch,
                               struct mien_err *e);

/* Closes it; NULL is harmless. Returns 0 or MIEN_ERR_SYS. */
int fit_log_close(struct fit_log *l, struct mien_err *e);

/* "1/10: loss 3.2, validation loss 3.1, gender 94%, ..., 1.2 s, 900 images/s, 80 MiB *" in line,
   for an epoch of so many; 80 MiB is the most memory that was resident so far. */
void fit_epoch_line(const struct fit_epoch *epoch, int epochs, char *line, size_t size);

/* "loss 3.2, gender 94%, MAE 6.1", of what has been trained on so far. */
void fit_metrics_line(const struct metrics *m, char *line, size_t size);

/* A warning that a head of the kept epoch, which may have been chosen by the other one's figures,
   is hardly better than guessing: it makes more than nine tenths of the errors of naming the
   validation pack's most frequent gender, or its median age, every time. Returns whether there is
   one in text. */
bool fit_weak_head(const struct fit_epoch *kept, const struct mien_pack *val, char *text,
                   size_t size);

#endif
