/* Files of records, a part of a stream each, of which all appear, whole, or none. */
#ifndef MIEN_DATA_PARTS_H
#define MIEN_DATA_PARTS_H

#include <stdint.h>

#include "mien/err.h"
#include "mien/record.h"

struct parts;

/* Begins n files, at different paths, in segments of so many records; 0: one. The paths stay the
   caller's and must live. NULL when it can't. */
struct parts *parts_new(char *const *path, int n, uint64_t segment, struct mien_err *e);
void parts_free(struct parts *p); /* without parts_end nothing is left; NULL is harmless */

/* Adds a record to file i. Returns 0 or a negative code. */
MIEN_CHECKED int parts_put(struct parts *p, int i, const struct mien_rec *r, struct mien_err *e);

/* What the end records from now on tell, as mien_writer_history has it. */
void parts_history(struct parts *p, const char *history, const char *step);

/* Ends the files and puts them in their places. Returns 0 or a negative code. */
MIEN_CHECKED int parts_end(struct parts *p, struct mien_err *e);

#endif
