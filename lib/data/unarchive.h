/*
 * The files in an archive, one after another: tar, zip, cpio, 7z, RAR and ISO 9660, also compressed
 * as a whole. Through libarchive, by what it reads itself, without running other programs; nothing
 * is extracted to disk.
 *
 * Names are bytes, whatever the locale: those that the archive has, or UTF-8 where it holds other
 * characters (7z, RAR, ISO 9660, and zip files from a pipe, whose UTF-8 becomes form C).
 *
 * An archive is a stranger's, so what it can cost is bounded. A zip file's directory may have
 * UNARCHIVE_MAX_ENTRIES entries in UNARCHIVE_MAX_DIRECTORY bytes: libarchive holds all of it in
 * memory, some 160 bytes an entry (from a pipe a zip is read without it, whatever its size). And
 * what is compressed as a whole may become UNARCHIVE_MAX_RATIO times as long, not counting the
 * first UNARCHIVE_FREE bytes: images are compressed already, so that data sets stay far below it.
 */
#ifndef MIEN_DATA_UNARCHIVE_H
#define MIEN_DATA_UNARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"

#define UNARCHIVE_MAX_ENTRIES   500000
#define UNARCHIVE_MAX_DIRECTORY ((uint64_t)64 << 20)
#define UNARCHIVE_MAX_RATIO     50
#define UNARCHIVE_FREE          ((uint64_t)64 << 20)

enum unarchived_type { UNARCHIVED_FILE, UNARCHIVED_FOLDER, UNARCHIVED_LINK, UNARCHIVED_OTHER };

/* An entry, as the archive describes it. Texts are valid until the next one. */
struct unarchived {
    enum unarchived_type type;
    const char *path; /* NULL when it can't be told */
    const char *link; /* of a hard link: the path of the file, which came before; else NULL */
    int64_t size;     /* in bytes; -1 when the archive doesn't say */
    const char *bad;  /* why its bytes can't be read; NULL when they may be */
};

/* The kind of archive, or of compression, by a file's first bytes; its first 262 tell. NULL when
   unknown, as of an ISO 9660 image. */
const char *unarchive_kind(const void *head, size_t n);

/* Whether such a kind is read. */
bool unarchive_reads(const char *kind);

struct unarchiver;

/* Begins with the archive at fd, of which the n bytes at head were just read; name is for messages.
   All but fd are used until unarchive_free, which leaves fd open. Returns 1; 0 when it isn't
   an archive; or MIEN_ERR_FORMAT, MIEN_ERR_LIMIT, MIEN_ERR_SYS or MIEN_ERR_MEM. */
MIEN_CHECKED int unarchive_open(struct unarchiver **a, int fd, const void *head, size_t n,
                                const char *name, struct mien_err *e);
void unarchive_free(struct unarchiver *a); /* NULL is harmless */

/* Moves on to the next entry. Returns 1; 0 at the end of the archive; or a negative code as above:
   nothing can be read any more. */
MIEN_CHECKED int unarchive_next(struct unarchiver *a, struct unarchived *x, struct mien_err *e);

/* Appends the next piece of the current entry to b, which may grow to limit bytes. Returns
   UNARCHIVE_MORE; UNARCHIVE_END when there was no more; UNARCHIVE_BAD when the entry can't be read,
   e telling why; or a negative code as unarchive_next. */
enum { UNARCHIVE_END, UNARCHIVE_MORE, UNARCHIVE_BAD };
MIEN_CHECKED int unarchive_read(struct unarchiver *a, struct mien_buf *b, size_t limit,
                                struct mien_err *e);

#endif
