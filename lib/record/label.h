/* Labels of age: a record has its age as a year or as a band of years. */
#ifndef MIEN_RECORD_LABEL_H
#define MIEN_RECORD_LABEL_H

#include <stdbool.h>

#include "mien/record.h"

/* The ages that a record is labelled with, *from to *to inclusive: its age if it has one, otherwise
   its band. Neither is checked. Returns false, leaving both as they are, without such a
   label. */
bool rec_label_ages(const struct mien_rec *r, int *from, int *to);

/* Sets the band. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int rec_set_age_band(struct mien_rec *r, int from, int to);

#endif
