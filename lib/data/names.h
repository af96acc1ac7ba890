/*
 * Labels in file names, told by a pattern.
 *
 * A pattern is text to be met as it is, with `*` for any characters (none, too) but '/', and labels
 * in braces: {age}, {gender}, {group}, {subject}, {birth} (YYYY-M-D), {year}, {split}. {age} takes
 * as many digits as it can, the others as few characters as they can, at least one; none takes a
 * '/'. What stands in the place of an age, a gender, a date or a year must be one. A pattern of n
 * components, separated by '/', is held against the last n of a path.
 *
 *   utkface    UTKFace's own: {age}_{gender}_{group}_*, with 0 male, 1 female, and the groups
 *              White, Black, Asian, Indian, Other for 0 to 4
 *   {subject}_rm*_{birth}_{year}.jpg    IMDB-WIKI's IMDb part
 *   {subject}A{age}*.JPG                FG-NET
 */
#ifndef MIEN_DATA_NAMES_H
#define MIEN_DATA_NAMES_H

#include <stddef.h>

#include "mien/err.h"
#include "labels.h"

struct names;

/* Compiles a pattern, or takes a known one by its name. codes tells how names write gender; a known
   pattern has its own. Returns NULL with MIEN_ERR_ARG's message, or when out of memory. codes is
   copied, the texts that it points to are borrowed. */
struct names *names_new(const char *pattern, const struct label_codes *codes, struct mien_err *e);
void names_free(struct names *p); /* NULL is harmless */

/* Holds a path against the pattern and sets in l what it tells, borrowing from path; an age outside
   0-100 is kept in l. Returns 0, or MIEN_ERR_FORMAT when the path doesn't match, l being
   untouched. */
MIEN_CHECKED int names_match(const struct names *p, const char *path, size_t len, struct labels *l,
                             struct mien_err *e);

#endif
