/*
 * Metadata records by the path of their image, and the search that joins an archive with them.
 *
 * Metadata and archive rarely agree on where paths begin: the labels say "01/x.jpg", the archive
 * "imdb_crop/01/x.jpg". Two paths fit when one is the tail of the other, counted in whole
 * components from the last one; empty components and "." don't count. In a path without a '/',
 * backslashes separate; and a letter with an accent is the same in one character or in two. Other
 * ways to fit can be asked for. The records are held encoded, one after another, so that half a
 * million of them take about 130 MB.
 */
#ifndef MIEN_DATA_JOIN_H
#define MIEN_DATA_JOIN_H

#include <stddef.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "mien/record.h"

#define JOIN_PATH_MAX 4096 /* longer paths, in bytes, are refused */

/* When two paths fit. */
enum join_how {
    JOIN_SUFFIX, /* one is the tail of the other */
    JOIN_EXACT,  /* they are the same, byte for byte */
    JOIN_NAME,   /* their last components are the same */
    JOIN_NOCASE, /* as JOIN_SUFFIX, without regard to the case of ASCII's letters */
    JOIN_STEM,   /* as JOIN_SUFFIX, without the extension */
    JOIN_HOWS
};
#define JOIN_HOW_NAMES "suffix|exact|name|nocase|stem"

struct join;
struct join *join_new(enum join_how how, struct mien_err *e); /* NULL when out of memory */
void join_free(struct join *j);                               /* NULL is harmless */

/* Takes a copy of a record with an id. Returns 0, MIEN_ERR_ARG when the id is absent,
   MIEN_ERR_LIMIT when it is longer than JOIN_PATH_MAX, or MIEN_ERR_MEM. */
MIEN_CHECKED int join_add(struct join *j, const struct mien_rec *r, struct mien_err *e);

/* Ends the adding: sorts the records by path. Call it once, before what follows. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int join_sort(struct join *j, struct mien_err *e);

/* Records first .. first + n - 1 of the sorted ones: those of one path, in the order they came. */
struct join_match {
    size_t first, n;
};

/* Finds the metadata of the image at path: those of the very path; else those of the path that it
   is the tail of; else those of its longest tail. Each path serves one image, the first that asks.
   Returns 1 and sets *m; 0 when there are none; MIEN_ERR_FORMAT when several paths fit equally well
   or an earlier image has had them; MIEN_ERR_LIMIT when the path is too long. */
MIEN_CHECKED int join_find(struct join *j, const char *path, struct join_match *m,
                           struct mien_err *e);

/* Sets r to one of the sorted records; its fields point into the join's memory. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int join_get(const struct join *j, size_t i, struct mien_rec *r, struct mien_err *e);

/* The number of records, and of those that no image has found; *first is the first of them, if
   any. */
size_t join_count(const struct join *j);
size_t join_unmatched(const struct join *j, size_t *first);

/* --- What didn't fit ------------------------------------------------------------------------ */

/* Notes the path of an image that has found no metadata. As long as none has, as many are kept as
   are worth a look; what there is no memory for is left out. */
void join_missed(struct join *j, const char *path);

/* Appends what is to be said at the end, line by line: how many metadata found no image, and images
   no metadata, with one of each. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int join_summary(struct join *j, struct mien_buf *out, struct mien_err *e);

/* Where there were images and none has found metadata: appends a text that says so, how many of
   them another way to fit would join, and the likely cause that lies in; j is used up by that,
   except for join_free. Returns 1; 0 where there is nothing to say; or MIEN_ERR_MEM. */
MIEN_CHECKED int join_failed(struct join *j, struct mien_buf *out, struct mien_err *e);

#endif
