/* Where files that are installed with the programs lie. */
#ifndef MIEN_UTIL_SHARE_H
#define MIEN_UTIL_SHARE_H

#include <stdbool.h>
#include <stddef.h>

/* The i-th folder that may hold what is installed as share/mien/BELOW, in the order in which they
   are looked through: $MIEN_SHARE alone, where that is set; else mien/BELOW in $XDG_DATA_HOME (or
   ~/.local/share), beside the program (../share/mien, and two folders up, where it was built), and
   in $XDG_DATA_DIRS (or /usr/local/share:/usr/share). Writes its path to buf, n bytes. Returns
   false when there are no more; a path that doesn't fit is "". */
bool share_folder(int i, const char *below, char *buf, size_t n);

/* The first file of this name in those folders. Returns buf, or NULL. */
const char *share_find(const char *below, const char *name, char *buf, size_t n);

#endif
