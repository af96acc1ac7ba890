#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mien/buf.h"
#include "util/file.h"
#include "image/img.h"
#include "unarchive.h"
#include "walk.h"

#define HEAD ((size_t)512) /* bytes that a file is told by */

/* What was found so far in a path. */
struct source_count {
    uint64_t images;   /* those that can't be read among them */
    uint64_t archives; /* that, or compressed: they aren't looked into */
    uint64_t others;
};

struct source {
    const char *const *path; /* what is still to be opened: path[at..n) */
    size_t n, at;
    size_t limit;
    int fd;                     /* of the archive or the current loose file; -1 for none */
    struct unarchiver *archive; /* NULL outside of archives */
    bool walking;               /* within a folder */
    struct walk walk;
    struct mien_buf file_path; /* the current file's, zero-terminated */
    struct mien_buf bytes;     /* the current file's, as many as were loaded */
    bool whole;                /* all were loaded */
    struct mien_err why;       /* behind source_file.error */
    uint64_t skipped;
    struct source_count *count; /* n of them */
};

struct source *source_new(const char *const *path, size_t n, size_t limit, struct mien_err *e)
{
    struct source *s = calloc(1, sizeof *s);
    struct source_count *count = calloc(n + 1, sizeof *count);
    if (s == NULL || count == NULL) {
        mien_err_mem(e, sizeof *s + n * sizeof *count, "a source");
        free(s);
        free(count);
        return NULL;
    }
    *s = (struct source){.path = path, .n = n, .limit = limit, .fd = -1, .count = count};
    return s;
}

/* Leaves the current loose file or archive. */
static void leave(struct source *s)
{
    unarchive_free(s->archive);
    s->archive = NULL;
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    s->fd = -1;
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    leave(s);
    walk_free(&s->walk);
    mien_buf_free(&s->file_path);
    mien_buf_free(&s->bytes);
    free(s->count);
    free(s);
}

uint64_t source_skipped(const struct source *s)
{
    return s->skipped + s->walk.skipped;
}

size_t source_at(const struct source *s)
{
    return s->at - 1;
}

int source_empty(const struct source *s, size_t i, struct mien_buf *out, struct mien_err *e)
{
    const struct source_count *c = &s->count[i];
    const char *name = strcmp(s->path[i], "-") == 0 ? "standard input" : s->path[i];
    unsigned long long files = c->archives + c->others;
    int rc;
    if (c->images > 0)
        return 0;
    if (files == 0)
        rc = mien_buf_printf(out, "no image in '%s': it has no files", name);
    else if (c->archives > 0)
        rc = mien_buf_printf(out,
                             "no image in '%s': %llu of its files %s, and archives in an archive "
                             "or a folder aren't looked into",
                             name, (unsigned long long)c->archives,
                             c->archives == 1 ? "is an archive itself" : "are archives themselves");
    else
        rc = mien_buf_printf(out, "no image in '%s', but %llu other file%s", name, files,
                             files == 1 ? "" : "s");
    return rc < 0 ? mien_err_mem(e, out->len, "a message") : 1;
}

/* What the current path had. */
static struct source_count *counted(const struct source *s)
{
    return &s->count[s->at - 1];
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

/* Whether the current file is named as a photograph. */
static bool is_named_image(const struct source *s)
{
    static const char *const names[] = {"jpg", "jpeg", "jpe",  "jfif", "png",  "gif", "webp", "bmp",
                                        "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl"};
    const char *path = (const char *)s->file_path.data;
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(dot + 1, names[i]) == 0)
            return true;
    }
    return false;
}

/* Fills f from what is known of the current file; returns 1. */
static int describe(struct source *s, struct source_file *f)
{
    bool failed = s->why.msg[0] != '\0';
    const char *kind = failed ? NULL : img_kind(s->bytes.data, s->bytes.len);
    if (!failed && !is_image(kind) && is_named_image(s)) {
        failed = true;
        if (s->bytes.len == 0)
            mien_err_set(&s->why, MIEN_ERR_FORMAT, "an empty file");
        else
            mien_err_set(&s->why, MIEN_ERR_FORMAT, "%s%snot an image", kind != NULL ? kind : "",
                         kind != NULL ? ", " : "");
    }
    *f = (struct source_file){.path = (const char *)s->file_path.data,
                              .kind = kind,
                              .image = is_image(kind),
                              .error = failed ? s->why.msg : NULL};
    if (f->image || failed)
        counted(s)->images++;
    else if (unarchive_kind(s->bytes.data, s->bytes.len) != NULL)
        counted(s)->archives++;
    else
        counted(s)->others++;
    return 1;
}

static void too_large(struct source *s, int64_t size)
{
    mien_err_set(&s->why, MIEN_ERR_LIMIT, "the file has %lld bytes, more than the limit of %zu",
                 (long long)size, s->limit);
}

/* --- Archives ------------------------------------------------------------------------------ */

/* Begins with the archive at fd, of which bytes has the head. Returns 0; 1 with *f when it is a
   named file, but no archive; or a negative code. */
static int enter_archive(struct source *s, const char *name, struct source_file *f,
                         struct mien_err *e)
{
    int rc = unarchive_open(&s->archive, s->fd, s->bytes.data, s->bytes.len, name, e);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    bool named = s->fd != STDIN_FILENO;
    struct mien_err *why = named ? &s->why : e;
    const char *is = named ? "" : "standard input is ";
    const char *kind = unarchive_kind(s->bytes.data, s->bytes.len);
    if (kind != NULL && !unarchive_reads(kind))
        mien_err_set(
            why, MIEN_ERR_FORMAT,
            "%sa file of kind %s, which mien-images can't read; bsdtar may turn it into a tar: "
            "bsdtar -cf - @FILE | mien-images",
            is, kind);
    else
        mien_err_set(why, MIEN_ERR_FORMAT, "%s%s", is,
                     s->bytes.len == 0 ? "empty"
                     : s->bytes.len >= 4 && memcmp(s->bytes.data, "MIEN", 4) == 0
                         ? "a stream of records: join labels with --meta"
                         : "neither an image nor an archive: tar, zip, cpio, 7z, RAR or ISO 9660");
    leave(s);
    return named ? describe(s, f) : MIEN_ERR_FORMAT;
}

/* Appends the next piece of the current entry. Returns 1; 0 at its end or when it fails, with a
   message in s->why; or a negative code. */
static int read_piece(struct source *s, struct mien_err *e)
{
    struct mien_err why;
    int rc = unarchive_read(s->archive, &s->bytes, s->limit, &why);
    if (rc < 0)
        *e = why;
    if (rc == UNARCHIVE_BAD)
        s->why = why;
    s->whole = rc == UNARCHIVE_END;
    return rc < 0 ? rc : rc == UNARCHIVE_MORE;
}

/* The pieces may be small. */
static int read_head(struct source *s, struct mien_err *e)
{
    int rc = 1;
    while (rc > 0 && s->bytes.len < HEAD)
        rc = read_piece(s, e);
    return rc;
}

/* Moves on to the next entry. Returns 1 for a file; 0 for what is passed over, and at the end, when
   the archive is left; or a negative code. */
static int next_entry(struct source *s, struct source_file *f, struct mien_err *e)
{
    struct unarchived x;
    bool junk;
    int rc = unarchive_next(s->archive, &x, e);
    if (rc == 0)
        leave(s);
    if (rc <= 0)
        return rc;
    rc = set_path(s, x.path != NULL ? x.path : "(no name)", &junk, e);
    if (rc < 0)
        return rc;
    if (x.type == UNARCHIVED_FOLDER)
        return 0;
    if (junk || x.type == UNARCHIVED_OTHER) {
        s->skipped++;
        counted(s)->others++;
        return 0;
    }
    if (x.path == NULL)
        mien_err_set(&s->why, MIEN_ERR_FORMAT,
                     "its name isn't UTF-8, though the archive marks it so");
    else if (x.bad != NULL)
        mien_err_set(&s->why, MIEN_ERR_FORMAT, "cannot be read: %s", x.bad);
    else if (x.type == UNARCHIVED_LINK)
        mien_err_set(&s->why, MIEN_ERR_FORMAT,
                     "a hard link to '%s', whose bytes came earlier in the archive", x.link);
    else if (x.size >= 0 && (uint64_t)x.size > s->limit)
        too_large(s, x.size);
    else if ((rc = read_head(s, e)) < 0)
        return rc;
    return describe(s, f);
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
        too_large(s, (int64_t)size);
}

/* Whether errno is about this program rather than the file that it has met. */
static bool is_ours(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

/* What can't be read within a folder is a bad record; the rest goes on. */
static int next_in_folder(struct source *s, struct source_file *f, struct mien_err *e)
{
    const char *path;
    bool junk; /* the walk has seen to it */
    leave(s);
    int rc = walk_next(&s->walk, &path, &s->why);
    if (rc == 0) {
        s->walking = false;
        return 0;
    }
    if (rc > 0)
        rc = s->fd = file_open(path, &s->why);
    if (rc >= 0)
        rc = read_loose_head(s, path, &s->why);
    if (rc == MIEN_ERR_MEM || (rc == MIEN_ERR_SYS && is_ours())) {
        *e = s->why;
        return rc;
    }
    if (rc == 0)
        check_size(s);
    return set_path(s, path, &junk, e) < 0 ? MIEN_ERR_MEM : describe(s, f);
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

/* Opens the next path. Returns 1 when it is an image, 0 when images are to be looked for in it. */
static int open_path(struct source *s, struct source_file *f, struct mien_err *e)
{
    struct stat st;
    bool junk;
    const char *name = s->path[s->at++];
    if (strcmp(name, "-") != 0 && stat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
        s->walking = true;
        s->skipped += s->walk.skipped;
        return walk_start(&s->walk, name, e);
    }
    s->fd = file_open(name, e);
    if (s->fd < 0)
        return s->fd;
    int rc = read_loose_head(s, name, e);
    if (rc < 0 || (rc = set_path(s, name, &junk, e)) < 0)
        return rc;
    /* A name in a tar's first header may look like the head of an image. */
    const char *kind = unarchive_kind(s->bytes.data, s->bytes.len);
    if ((kind != NULL && strcmp(kind, "tar") == 0) ||
        !is_image(img_kind(s->bytes.data, s->bytes.len)))
        return enter_archive(s, name, f, e);
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
        if (s->archive != NULL) {
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
        rc = s->archive != NULL ? read_piece(s, e) : load_loose(s, e);
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
