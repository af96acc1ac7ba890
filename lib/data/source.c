#include "source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mien/buf.h"
#include "util/file.h"
#include "image/img.h"
#include "walk.h"

#define BLOCK ((size_t)1 << 20) /* read from an archive at once */
#define HEAD  ((size_t)512)     /* what a file is told by */

struct source {
    char *const *path; /* what is still to be opened: path[at..n) */
    size_t n, at;
    size_t limit;
    const char *name;   /* the path being read, for messages */
    int fd;             /* of the archive or the current loose file; -1 for none */
    struct archive *ar; /* NULL outside of archives */
    bool walking;       /* within a folder */
    struct walk walk;
    struct mien_buf block;     /* of an archive that comes through a pipe */
    struct mien_buf file_path; /* the current file's, zero-terminated */
    struct mien_buf bytes;     /* the current file's, as many as were loaded */
    bool whole;                /* all were loaded */
    struct mien_err why;       /* behind source_file.error */
    uint64_t skipped;
};

struct source *source_new(char *const *path, size_t n, size_t limit, struct mien_err *e)
{
    struct source *s = calloc(1, sizeof *s);
    if (s == NULL)
        mien_err_mem(e, sizeof *s, "a source");
    else
        *s = (struct source){.path = path, .n = n, .limit = limit, .fd = -1};
    return s;
}

/* Leaves the current loose file or archive. */
static void leave(struct source *s)
{
    if (s->ar != NULL)
        archive_read_free(s->ar);
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    s->ar = NULL;
    s->fd = -1;
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    leave(s);
    walk_free(&s->walk);
    mien_buf_free(&s->block);
    mien_buf_free(&s->file_path);
    mien_buf_free(&s->bytes);
    free(s);
}

uint64_t source_skipped(const struct source *s)
{
    return s->skipped + s->walk.skipped;
}

/* --- The current file ---------------------------------------------------------------------- */

/* Takes a path, without its empty and "." components. *junk tells whether one of them is. */
static int set_path(struct source *s, const char *path, bool *junk, struct mien_err *e)
{
    struct mien_buf *b = &s->file_path;
    size_t n = strlen(path);
    mien_buf_clear(b);
    if (mien_buf_reserve(b, n + 2) < 0)
        return mien_err_mem(e, n, "a path");
    if (*path == '/')
        mien_buf_append(b, "/", 1);
    *junk = false;
    while (*path != '\0') {
        size_t k = strcspn(path, "/");
        if (k > 0 && !(k == 1 && *path == '.')) {
            *junk |= walk_junk(path, k);
            mien_buf_append(b, path, k);
            mien_buf_append(b, "/", 1);
        }
        path += k + (path[k] == '/');
    }
    b->len -= b->len > 1;
    b->data[b->len] = '\0';
    return 0;
}

/* Whether a kind holds a photograph; the others are documents that a data set may come with. */
static bool is_image(const char *kind)
{
    return kind != NULL && strcmp(kind, "html") != 0 && strcmp(kind, "svg") != 0 &&
           strcmp(kind, "pdf") != 0;
}

/* Fills f from what is known of the current file; returns 1. */
static int describe(struct source *s, struct source_file *f)
{
    bool failed = s->why.msg[0] != '\0';
    const char *kind = failed ? NULL : img_kind(s->bytes.data, s->bytes.len);
    *f = (struct source_file){.path = (const char *)s->file_path.data,
                              .kind = kind,
                              .image = is_image(kind),
                              .error = failed ? s->why.msg : NULL};
    return 1;
}

static int too_large(const struct source *s, long long size, struct mien_err *e)
{
    return mien_err_set(e, MIEN_ERR_LIMIT, "the file has %lld bytes, more than the limit of %zu",
                        size, s->limit);
}

/* --- Archives ------------------------------------------------------------------------------ */

static const char *why_not(struct archive *ar)
{
    const char *s = archive_error_string(ar);
    return s != NULL ? s : "it ends too early";
}

static int damaged(const struct source *s, struct mien_err *e)
{
    return mien_err_set(e, MIEN_ERR_FORMAT, "archive '%s' is damaged: %s", s->name, why_not(s->ar));
}

/* Hands libarchive what comes through a pipe, the head that was looked at first. */
static la_ssize_t read_pipe(struct archive *ar, void *client, const void **p)
{
    struct source *s = client;
    ssize_t n = (ssize_t)s->block.len;
    while (n == 0 || (n < 0 && errno == EINTR)) {
        n = read(s->fd, s->block.data, BLOCK);
        if (n == 0)
            break;
    }
    if (n < 0)
        archive_set_error(ar, errno, "cannot read");
    s->block.len = 0;
    *p = s->block.data;
    return n;
}

/* Formats and compressions that libarchive reads by itself, without running other programs. */
static struct archive *new_archive(void)
{
    struct archive *ar = archive_read_new();
    if (ar == NULL)
        return NULL;
    archive_read_support_filter_gzip(ar);
    archive_read_support_filter_bzip2(ar);
    archive_read_support_filter_xz(ar);
    archive_read_support_filter_lzma(ar);
    archive_read_support_filter_zstd(ar);
    archive_read_support_filter_lz4(ar);
    archive_read_support_filter_compress(ar);
    archive_read_support_format_tar(ar);
    archive_read_support_format_zip(ar);
    archive_read_support_format_cpio(ar);
    return ar;
}

/* Begins with the archive at fd, of which bytes has the head. Returns 0; 1 with *f when it is a
   named file, but no archive; or a negative code. */
static int enter_archive(struct source *s, struct source_file *f, struct mien_err *e)
{
    off_t here = lseek(s->fd, 0, SEEK_CUR);
    bool seekable = here >= 0 && lseek(s->fd, here - (off_t)s->bytes.len, SEEK_SET) >= 0;
    s->ar = new_archive();
    mien_buf_clear(&s->block);
    if (s->ar == NULL || mien_buf_reserve(&s->block, BLOCK) < 0)
        return mien_err_mem(e, BLOCK, "an archive");
    if (!seekable)
        mien_buf_append(&s->block, s->bytes.data, s->bytes.len);
    int rc = seekable ? archive_read_open_fd(s->ar, s->fd, BLOCK)
                      : archive_read_open(s->ar, s, NULL, read_pipe, NULL);
    if (rc >= ARCHIVE_WARN)
        return 0;
    /* A compression that can't be read leaves no filters. */
    if (archive_format(s->ar) != 0 || archive_filter_count(s->ar) == 0)
        return damaged(s, e);
    bool named = s->fd != STDIN_FILENO;
    mien_err_set(named ? &s->why : e, MIEN_ERR_FORMAT, "%s%s", named ? "" : "standard input is ",
                 s->bytes.len == 0 ? "empty" : "neither an image nor a tar, zip or cpio archive");
    leave(s);
    return named ? describe(s, f) : MIEN_ERR_FORMAT;
}

/* libarchive doesn't mind a tar that stops between two files, without the blocks of zeros that end
   it; but then there may have been more. */
static int leave_archive(struct source *s, struct mien_err *e)
{
    bool tar = (archive_format(s->ar) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    if (tar && archive_filter_bytes(s->ar, 0) == archive_read_header_position(s->ar))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "archive '%s' is cut short: its end marker is missing", s->name);
    leave(s);
    return 0;
}

/* Appends the next piece of the current entry. Returns 1; 0 at its end or when it fails, with a
   message in s->why; or a negative code. */
static int read_piece(struct source *s, struct mien_err *e)
{
    const void *p;
    size_t n;
    la_int64_t at; /* in the entry: a sparse file has holes */
    struct mien_buf *b = &s->bytes;
    int rc = archive_read_data_block(s->ar, &p, &n, &at);
    if (rc == ARCHIVE_EOF) {
        s->whole = true;
        return 0;
    }
    if (rc == ARCHIVE_FATAL)
        return damaged(s, e);
    if (rc != ARCHIVE_OK) {
        mien_err_set(&s->why, MIEN_ERR_FORMAT, "cannot be read: %s", why_not(s->ar));
        return 0;
    }
    if (at < (la_int64_t)b->len || (uint64_t)at > s->limit || n > s->limit - (size_t)at) {
        too_large(s, (long long)at + (long long)n, &s->why);
        return 0;
    }
    size_t hole = (size_t)at - b->len;
    if (mien_buf_reserve(b, hole + n) < 0)
        return mien_err_mem(e, hole + n, "a file");
    memset(b->data + b->len, 0, hole);
    b->len += hole;
    return mien_buf_append(b, p, n) < 0 ? mien_err_mem(e, n, "a file") : 1;
}

/* The pieces may be small. */
static int read_head(struct source *s, struct mien_err *e)
{
    int rc = 1;
    while (rc > 0 && s->bytes.len < HEAD)
        rc = read_piece(s, e);
    return rc;
}

/* Looks at an entry's header and its first bytes. Returns 1 for a file, 0 for what is passed over,
   or a negative code. */
static int look_at_entry(struct source *s, struct archive_entry *x, bool readable,
                         struct source_file *f, struct mien_err *e)
{
    const char *path = archive_entry_pathname(x);
    if (path == NULL) /* not in the locale's characters */
        path = archive_entry_pathname_utf8(x);
    bool junk;
    int rc = set_path(s, path != NULL ? path : "", &junk, e);
    if (rc < 0)
        return rc;
    if (archive_entry_filetype(x) == AE_IFDIR)
        return 0;
    bool link = archive_entry_hardlink(x) != NULL && archive_entry_size(x) == 0;
    if (junk || path == NULL || (archive_entry_filetype(x) != AE_IFREG && !link)) {
        s->skipped++;
        return 0;
    }
    if (!readable)
        mien_err_set(&s->why, MIEN_ERR_FORMAT, "cannot be read: %s", why_not(s->ar));
    else if (link)
        mien_err_set(&s->why, MIEN_ERR_FORMAT,
                     "a hard link to '%s', whose bytes came earlier in the archive",
                     archive_entry_hardlink(x));
    else if (archive_entry_size_is_set(x) && (uint64_t)archive_entry_size(x) > s->limit)
        too_large(s, archive_entry_size(x), &s->why);
    else if ((rc = read_head(s, e)) < 0)
        return rc;
    return describe(s, f);
}

static int next_entry(struct source *s, struct source_file *f, struct mien_err *e)
{
    struct archive_entry *x;
    int rc = archive_read_next_header(s->ar, &x);
    if (rc == ARCHIVE_EOF)
        return leave_archive(s, e);
    if (rc == ARCHIVE_FATAL || rc == ARCHIVE_RETRY)
        return damaged(s, e);
    return look_at_entry(s, x, rc != ARCHIVE_FAILED, f, e);
}

/* --- Loose files --------------------------------------------------------------------------- */

/* Reads the head of the file at fd. */
static int read_loose_head(struct source *s, const char *path, struct mien_err *e)
{
    if (mien_buf_reserve(&s->bytes, HEAD) < 0)
        return mien_err_mem(e, HEAD, "a file");
    ssize_t k = file_read(s->fd, s->bytes.data, HEAD);
    if (k < 0)
        return mien_err_sys(e, "cannot read '%s'", path);
    s->bytes.len = (size_t)k;
    return 0;
}

/* Refuses a loose file by its size, or by its head when that can't be told, as of a pipe. */
static void check_size(struct source *s)
{
    struct stat st;
    bool known = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
    uint64_t size = known ? (uint64_t)st.st_size : s->bytes.len;
    if (size > s->limit)
        too_large(s, (long long)size, &s->why);
}

/* What can't be read within a folder costs only itself. */
static int next_in_folder(struct source *s, struct source_file *f, struct mien_err *e)
{
    const char *path;
    bool junk; /* the walk has seen to it */
    leave(s);
    int rc = walk_next(&s->walk, &path, &s->why);
    if (rc == 0)
        s->walking = false;
    if (rc == 0 || rc == MIEN_ERR_MEM)
        return rc == 0 ? 0 : mien_err_set(e, rc, "%s", s->why.msg);
    if (set_path(s, path, &junk, e) < 0)
        return MIEN_ERR_MEM;
    if (rc > 0 && (s->fd = file_open(path, &s->why)) >= 0 && read_loose_head(s, path, &s->why) == 0)
        check_size(s);
    return describe(s, f);
}

static int load_loose(struct source *s, struct mien_err *e)
{
    int rc = file_slurp(s->fd, &s->bytes, s->limit - s->bytes.len, (const char *)s->file_path.data,
                        &s->why);
    s->whole = rc == 0;
    if (rc == MIEN_ERR_LIMIT)
        mien_err_set(&s->why, rc, "the file has more bytes than the limit of %zu", s->limit);
    return rc == MIEN_ERR_MEM ? mien_err_set(e, rc, "%s", s->why.msg) : 0;
}

/* --- All of them --------------------------------------------------------------------------- */

/* A name in a tar's first header may look like the head of an image. */
static bool is_tar(const struct source *s)
{
    return s->bytes.len >= 262 && memcmp(s->bytes.data + 257, "ustar", 5) == 0;
}

/* Opens the next path. Returns 1 when it is an image, 0 when it is to be gone through. */
static int open_path(struct source *s, struct source_file *f, struct mien_err *e)
{
    struct stat st;
    bool junk;
    s->name = s->path[s->at++];
    if (strcmp(s->name, "-") != 0 && stat(s->name, &st) == 0 && S_ISDIR(st.st_mode)) {
        s->walking = true;
        s->skipped += s->walk.skipped;
        return walk_start(&s->walk, s->name, e);
    }
    s->fd = file_open(s->name, e);
    if (s->fd < 0)
        return s->fd;
    int rc = read_loose_head(s, s->name, e);
    if (rc < 0 || (rc = set_path(s, s->name, &junk, e)) < 0)
        return rc;
    if (is_tar(s) || !is_image(img_kind(s->bytes.data, s->bytes.len)))
        return enter_archive(s, f, e);
    check_size(s);
    return describe(s, f);
}

int source_next(struct source *s, struct source_file *f, struct mien_err *e)
{
    int rc = 0;
    while (rc == 0) {
        mien_buf_clear(&s->bytes);
        s->whole = false;
        s->why.msg[0] = '\0';
        if (s->ar != NULL) {
            rc = next_entry(s, f, e);
        } else if (s->walking) {
            rc = next_in_folder(s, f, e);
        } else {
            leave(s);
            if (s->at == s->n)
                return 0;
            rc = open_path(s, f, e);
        }
    }
    return rc;
}

int source_load(struct source *s, const unsigned char **bytes, size_t *n, struct mien_err *e)
{
    int rc = 1;
    while (rc > 0 && !s->whole && s->why.msg[0] == '\0')
        rc = s->ar != NULL ? read_piece(s, e) : load_loose(s, e);
    if (rc < 0)
        return rc;
    if (!s->whole) {
        *e = s->why;
        return 0;
    }
    *bytes = s->bytes.data;
    *n = s->bytes.len;
    return 1;
}
