/*
 * A source of encoded images, one at a time: archives (unarchive.h), folders (all files below,
 * sorted) and single files.
 *
 * Files come with their kind, read off their first bytes; the rest is loaded only when asked for.
 * Links within archives, hidden files and such (see walk_junk) are passed over and counted.
 */
#ifndef MIEN_DATA_SOURCE_H
#define MIEN_DATA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"

/* A file of the source. The pointers are valid until the next call of source_next. */
struct source_file {
    const char *path;  /* as given or as the archive has it, without "." and empty components */
    const char *kind;  /* as img_kind tells; NULL when unknown */
    bool image;        /* of a kind that holds one photograph */
    const char *error; /* why it can't be read, or isn't a photograph in spite of its name; NULL
                          when nothing is known against it */
};

struct source;

/* Over n paths in turn, "-" being an archive or image on standard input. limit is the size in bytes
   above which a file is refused. The paths stay the caller's and are used until source_free.
   Returns NULL when out of memory. */
struct source *source_new(const char *const *path, size_t n, size_t limit, struct mien_err *e);
void source_free(struct source *s); /* NULL is harmless */

/* Moves on to the next file. Returns 1; 0 at the end; or MIEN_ERR_SYS, MIEN_ERR_FORMAT,
   MIEN_ERR_LIMIT or MIEN_ERR_MEM when a path can't be opened, an archive is damaged or costs too
   much (unarchive.h), or this program may open no more files: there is no going on then, since what
   would have followed is unknown. */
MIEN_CHECKED int source_next(struct source *s, struct source_file *f, struct mien_err *e);

/* Loads the current file's bytes, valid until the next call of source_next. Returns 1; 0 when this
   file's can't be read, e telling why; or a negative code as source_next. */
MIEN_CHECKED int source_load(struct source *s, const unsigned char **bytes, size_t *n,
                             struct mien_err *e);

/* Files passed over so far. */
uint64_t source_skipped(const struct source *s);

/* The path of source_new's that the current file is from, counted from 0. */
size_t source_at(const struct source *s);

/* At the end: where path i of source_new's had no image, appends a text that says so and what it
   had instead. Returns 1; 0 where it had one; or MIEN_ERR_MEM. */
MIEN_CHECKED int source_empty(const struct source *s, size_t i, struct mien_buf *out,
                              struct mien_err *e);

#endif
