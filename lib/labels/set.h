/*
 * Sets by name: how a public data set writes its labels, in a text file, mien-set(5).
 *
 * A line is a key and its value; '#' begins a comment. title, source, license and crop are for
 * people; the others are those of struct rule.
 */
#ifndef MIEN_LABELS_SET_H
#define MIEN_LABELS_SET_H

#include "mien/buf.h"
#include "mien/err.h"
#include "rule.h"

struct set {
    char *text;                                  /* what the rest points into */
    const char *title, *source, *license, *crop; /* "" where they aren't told */
    struct rule rule;
};

/* Reads the set of this name: a file NAME.set in the folders of share_folder("sets"), or the file
   itself where the name has a '/' or ends in ".set". Returns 0, or a negative code with a message
   that names the file. */
MIEN_CHECKED int set_read(const char *name, struct set *s, struct mien_err *e);
void set_free(struct set *s);

/* Appends a line for each set that is found, by name: its name, license and source. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int set_list(struct mien_buf *out, struct mien_err *e);

#endif
