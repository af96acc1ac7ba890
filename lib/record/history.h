/*
 * Histories: how the records of a stream were made, as text; mien-record(5).
 *
 * A line for each program that had a part in it, the first one first; further lines of a program are
 * indented. Records that came about in several ways have several such chains, with an empty line
 * between them. Every line ends with '\n'; there is none where nothing is known.
 */
#ifndef MIEN_RECORD_HISTORY_H
#define MIEN_RECORD_HISTORY_H

#include <stddef.h>

#include "mien/buf.h"
#include "mien/err.h"

/* Bytes of a history, its terminating zero included: what has no room is left out, and a line "..."
   takes its place. */
enum { HISTORY_MAX = 3000 };

struct history {
    char text[HISTORY_MAX]; /* zero-terminated */
};

/* Adds the chains of the n bytes of text that h doesn't have. */
void history_merge(struct history *h, const char *text, size_t n);

/* Appends a history to out, indented, so that it can be a part of another one's step: between its
   chains there is a line "and". Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int history_indent(struct mien_buf *out, const char *text);

/* Adds a step, a line or several, to every chain, or makes it the only one. */
void history_step(struct history *h, const char *step);

#endif
