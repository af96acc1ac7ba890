/* The regular files below a directory, folder by folder, names sorted by their bytes. */
#ifndef MIEN_DATA_WALK_H
#define MIEN_DATA_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"

/* Zero-initialized it is empty. */
struct walk {
    struct mien_buf path; /* of the current file or folder, zero-terminated */
    struct walk_level *level;
    size_t depth;
    uint64_t skipped; /* entries passed over: junk, devices, links to folders, folders too deep */
};

/* Begins with the directory dir, which paths are to start with. Returns 0, MIEN_ERR_SYS or
   MIEN_ERR_MEM. */
MIEN_CHECKED int walk_start(struct walk *w, const char *dir, struct mien_err *e);

/* Moves on. Returns 1 with the next file's path in *path, valid until the next call; 0 at the end;
   MIEN_ERR_SYS when a folder or file can't be looked at, whose path is then in *path too: the walk
   may go on; MIEN_ERR_MEM. */
MIEN_CHECKED int walk_next(struct walk *w, const char **path, struct mien_err *e);

void walk_free(struct walk *w);

/* Whether a file isn't part of a data set, by its name: hidden files, which the companions "._x"
   that macOS puts in archives are too, and its folder __MACOSX. "." and ".." are not meant. */
bool walk_junk(const char *name, size_t len);

#endif
