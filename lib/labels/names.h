/*
 * Labels in file names, told by a pattern.
 *
 * A pattern is text to be met as it is but for the case, with `*` for any characters (none, too)
 * but '/', and labels in braces: {age}, {band}, {gender}, {group}, {subject}, {birth}, {year},
 * {split}. {age} takes as many digits as it can, {band} (such as 20-29 or 60+) and {subject} as many
 * characters, the others as few, at least one; none takes a '/'. What stands in the place of an age,
 * a band, a gender, a date or a year must be one. A pattern of n components, separated by '/', is
 * held against the last n of a path. Patterns separated by '|' are tried in turn.
 *
 *   {age}_{gender}_{group}_*            UTKFace
 *   {subject}_rm*_{birth}_{year}.jpg    IMDB-WIKI's IMDb part
 *   {subject}A{age}*.JPG                FG-NET
 */
#ifndef MIEN_LABELS_NAMES_H
#define MIEN_LABELS_NAMES_H

#include <stddef.h>

#include "labels.h"
#include "mien/err.h"
#include "rule.h"

struct names;

/* Compiles patterns. The rule, which is borrowed, tells how names write gender and dates, and what
   groups and splits stand for; a text that stands for nothing then doesn't match. Returns NULL with
   MIEN_ERR_ARG's message, or when out of memory. */
struct names *names_new(const char *pattern, const struct rule *rule, struct mien_err *e);
void names_free(struct names *p); /* NULL is harmless */

/* Holds a path against the pattern and sets in l what it tells, borrowing from path; an age outside
   0-100 is kept in l. Returns 0, or MIEN_ERR_FORMAT when the path doesn't match, l being
   untouched. */
MIEN_CHECKED int names_match(const struct names *p, const char *path, size_t len, struct labels *l,
                             struct mien_err *e);

#endif
