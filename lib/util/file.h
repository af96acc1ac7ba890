/* Files: whole reads and writes, mapped input, and output that appears whole or not at all. */
#ifndef MIEN_UTIL_FILE_H
#define MIEN_UTIL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mien/buf.h"
#include "mien/err.h"

/* Of a call that failed, whether it is to be made again: a signal came, or the descriptor doesn't wait,
   which whoever shares it may have asked for. Then this waits for events, POLLIN or POLLOUT. */
bool file_again(int fd, short events);

/* Reads up to n bytes, as many as are there, waiting for at least one; goes on after EINTR. Returns
   them, 0 at the end of input, or MIEN_ERR_SYS with errno set. */
MIEN_CHECKED ssize_t file_read_some(int fd, void *p, size_t n);

/* Reads up to n bytes, going on after short reads and EINTR. Returns the bytes read (fewer than
   n only at the end of input) or MIEN_ERR_SYS with errno set. */
MIEN_CHECKED ssize_t file_read(int fd, void *p, size_t n);

/* Writes all n bytes. Returns 0 or MIEN_ERR_SYS with errno set (EPIPE for a closed pipe). */
MIEN_CHECKED int file_write(int fd, const void *p, size_t n);

/* Lets a pipe hold more, where the system can, so that two filters take turns less often. Anything
   else stays as it is. */
void file_widen_pipe(int fd);

/* Opens path for reading, "-" being standard input. Returns a descriptor or MIEN_ERR_SYS. */
MIEN_CHECKED int file_open(const char *path, struct mien_err *e);

/* Appends all of fd to b, up to limit bytes (then MIEN_ERR_LIMIT). name is for messages. */
MIEN_CHECKED int file_slurp(int fd, struct mien_buf *b, size_t limit, const char *name,
                            struct mien_err *e);

/* A read-only mapping of a whole regular file. Zero-initialized it is empty; the mapping lives
   until file_unmap, and this struct stays where it is. An empty file maps to data NULL, len 0.
   Where another process cuts the file short meanwhile, reading it raises SIGBUS: see file_watch. */
struct file_map {
    const unsigned char *data;
    size_t len;
    char *path;
};
MIEN_CHECKED int file_map(const char *path, struct file_map *m, struct mien_err *e);
void file_unmap(struct file_map *m);

/* An output file, which has no name until file_commit syncs it and puts it in its target's place:
   so nothing is left of it whatever ends the program. Where a folder takes no such files, it has a
   temporary name beside its target, which file_abort removes. The target is what symbolic links
   lead to; a file that is there gives its mode to the new one and, where this process may, its
   owner and group. One that isn't a regular file (/dev/full, a named pipe) is opened and written
   directly; "-" is refused. */
struct file_out {
    int fd;              /* for writing, reading back and seeking */
    char *path, *target; /* as it was given, and what it leads to */
    char *tmp;           /* the temporary name; NULL while there is none */
    bool direct;         /* written directly */
    bool fresh;          /* its target wasn't there */
};
MIEN_CHECKED int file_create(struct file_out *o, const char *path, struct mien_err *e);

/* Whether two paths are one and the same regular file, or will be. */
bool file_same(const char *a, const char *b);

/* Whether file_create would make path, which is left as it is: for programs that write at the end
   of long work. Returns 0 or file_create's errors; what isn't a regular file isn't tried. */
MIEN_CHECKED int file_try(const char *path, struct mien_err *e);

/* Syncs what was written to the disk. Returns 0 or MIEN_ERR_SYS. After it file_commit can hardly
   fail: for several files of which all or none should appear. */
MIEN_CHECKED int file_sync(struct file_out *o, struct mien_err *e);

MIEN_CHECKED int file_commit(struct file_out *o, struct mien_err *e);

/* file_commit without waiting for the disk, for many small files: each appears whole or not at all,
   unless the machine itself stops. */
MIEN_CHECKED int file_place(struct file_out *o, struct mien_err *e);

/* For more files than may be open at once: closes the descriptor (fd is -1 then) of one that goes
   on later, under its temporary name; and opens it again, to write at its end. Harmless for one
   that is closed, or open, already. Return 0, MIEN_ERR_SYS or MIEN_ERR_MEM. */
MIEN_CHECKED int file_rest(struct file_out *o, struct mien_err *e);
MIEN_CHECKED int file_wake(struct file_out *o, struct mien_err *e);

/* file_commit for n files in one folder, whether they rest or not: all are synced before the first
   is put in its place. Where that fails for one, those that were in theirs are removed again, unless
   they have replaced a file: *done tells how many stay. */
MIEN_CHECKED int file_commit_all(struct file_out *o, size_t n, size_t *done, struct mien_err *e);

/* Harmless after file_commit, or on a zeroed struct with fd -1. */
void file_abort(struct file_out *o);

/* Told of each temporary name before it comes into being, and once it is gone, for a program that a
   signal ends; and of each mapping and before its end, for one that meets SIGBUS. The functions, of
   which each may be NULL, may be called by several threads. For the whole process, as signals are:
   set it before there are threads; names and mappings stay the caller's of made and mapped until
   gone and unmapped. */
struct file_watch {
    void (*made)(const char *tmp);
    void (*gone)(const char *tmp);
    void (*mapped)(const struct file_map *m);
    void (*unmapped)(const struct file_map *m);
};
void file_watch(const struct file_watch *w);

/* An unnamed temporary file in $TMPDIR or /tmp, gone when closed. Returns a descriptor or
   MIEN_ERR_SYS. */
MIEN_CHECKED int file_temp(struct mien_err *e);

#endif
