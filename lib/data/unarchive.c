#include "unarchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/file.h"

#define BLOCK    ((size_t)1 << 20) /* read from a file at once */
#define ZIP_BACK 4096 /* bytes before a zip entry's data that its header is looked for in */

struct unarchiver {
    const char *name;
    struct archive *files;    /* the entries */
    struct archive *inflater; /* what decompresses for it; NULL where nothing is compressed */

    int fd;
    bool seekable;
    struct mien_buf block; /* of the file; at first the head that was looked at */
    uint64_t in, out;      /* bytes read, and made of them by the inflater */

    /* What libarchive reads for the first header: of a zip file the whole directory. */
    bool begun;
    uint64_t head_bytes, head_entries;

    locale_t characters; /* that names may have; 0 for the thread's own */
    unsigned char header[ZIP_BACK + 1];

    bool has_data; /* of the current entry there may be some left */
    int rc;        /* what a callback has stopped libarchive for */
    struct mien_err why;
};

/* Sets e from what made a call for ar fail. */
static int failed(const struct unarchiver *a, struct archive *ar, struct mien_err *e)
{
    const char *why = archive_error_string(ar);
    if (a->rc < 0)
        return mien_err_set(e, a->rc, "%s", a->why.msg);
    if (archive_errno(ar) == ENOMEM)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for archive '%s'", a->name);
    const char *how = why != NULL && strstr(why, "encrypted") ? "can't be read" : "is damaged";
    return mien_err_set(e, MIEN_ERR_FORMAT, "archive '%s' %s: %s", a->name, how,
                        why != NULL ? why : "it ends too early");
}

/* --- What libarchive reads ------------------------------------------------------------------ */

/* Makes libarchive's call fail for what a->why says. */
static la_ssize_t stop(struct unarchiver *a, struct archive *ar, int rc)
{
    a->rc = rc;
    archive_set_error(ar, EIO, "%s", a->why.msg);
    return -1;
}

/* Counts what the first header takes. The entries of a zip file's directory are counted by their
   signature, however libarchive comes to read them; one that lies across two blocks is missed. */
static bool affordable(struct unarchiver *a, const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;
    a->head_bytes += n;
    while (end - p >= 4 && (p = memchr(p, 'P', (size_t)(end - p) - 3)) != NULL)
        a->head_entries += memcmp(p++, "PK\1\2", 4) == 0;
    return a->head_bytes <= UNARCHIVE_MAX_DIRECTORY + BLOCK &&
           a->head_entries <= UNARCHIVE_MAX_ENTRIES;
}

static la_ssize_t read_file(struct archive *ar, void *client, const void **p)
{
    struct unarchiver *a = client;
    ssize_t n = (ssize_t)a->block.len;
    if (n == 0)
        n = file_read_some(a->fd, a->block.data, BLOCK);
    a->block.len = 0;
    if (n < 0) {
        mien_err_sys(&a->why, "cannot read '%s'", a->name);
        return stop(a, ar, MIEN_ERR_SYS);
    }
    a->in += (uint64_t)n;
    *p = a->block.data;
    if (!a->begun && !affordable(a, a->block.data, (size_t)n)) {
        mien_err_set(&a->why, MIEN_ERR_LIMIT,
                     "the directory of archive '%s' is over the limit of %d entries or %d MB; "
                     "through a pipe a zip file is read without it",
                     a->name, UNARCHIVE_MAX_ENTRIES, (int)(UNARCHIVE_MAX_DIRECTORY >> 20));
        return stop(a, ar, MIEN_ERR_LIMIT);
    }
    return n;
}

/* Whole blocks only: the rest is read, so that the end of a file that is cut short is met. */
static la_int64_t skip_in_file(struct archive *ar, void *client, la_int64_t n)
{
    const struct unarchiver *a = client;
    (void)ar;
    n -= n % (la_int64_t)BLOCK;
    if (!a->seekable || n == 0 || lseek(a->fd, (off_t)n, SEEK_CUR) < 0)
        return 0;
    return n;
}

static la_int64_t seek_in_file(struct archive *ar, void *client, la_int64_t offset, int whence)
{
    const struct unarchiver *a = client;
    off_t at = lseek(a->fd, (off_t)offset, whence);
    if (at < 0)
        archive_set_error(ar, errno, "cannot seek");
    return at < 0 ? ARCHIVE_FATAL : at;
}

static la_ssize_t read_inflated(struct archive *ar, void *client, const void **p)
{
    struct unarchiver *a = client;
    size_t n;
    la_int64_t at;
    int rc = archive_read_data_block(a->inflater, p, &n, &at);
    if (rc == ARCHIVE_EOF)
        return 0;
    if (rc < ARCHIVE_WARN)
        return stop(a, ar, a->rc < 0 ? a->rc : failed(a, a->inflater, &a->why));
    a->out += n;
    if (a->out > UNARCHIVE_FREE && (a->out - UNARCHIVE_FREE) / UNARCHIVE_MAX_RATIO > a->in) {
        mien_err_set(&a->why, MIEN_ERR_LIMIT,
                     "archive '%s' unpacks to more than %d times its size, the limit", a->name,
                     UNARCHIVE_MAX_RATIO);
        return stop(a, ar, MIEN_ERR_LIMIT);
    }
    return (la_ssize_t)n;
}

/* --- Opening -------------------------------------------------------------------------------- */

enum form { UNKNOWN, PLAIN, REFUSED, COMPRESSED, MAYBE_COMPRESSED };

static const struct kind {
    const char *name;
    enum form form;
    size_t at, n;
    const char *magic;
} kinds[] = {
    {"tar", PLAIN, 257, 5, "ustar"}, /* its first bytes are a name, which may be any */
    {"zip", PLAIN, 0, 4, "PK\3\4"},
    {"7z", PLAIN, 0, 6, "7z\xbc\xaf\x27\x1c"},
    {"RAR", PLAIN, 0, 6, "Rar!\x1a\7"},
    {"cpio", PLAIN, 0, 5, "07070"},
    {"gzip", COMPRESSED, 0, 2, "\x1f\x8b"},
    {"bzip2", COMPRESSED, 0, 3, "BZh"},
    {"xz", COMPRESSED, 0, 6, "\xfd\x37zXZ\0"},
    {"zstd", COMPRESSED, 0, 4, "\x28\xb5\x2f\xfd"},
    {"lz4", COMPRESSED, 0, 4, "\x04\x22\x4d\x18"},
    {"lz4", COMPRESSED, 0, 4, "\x02\x21\x4c\x18"}, /* as it was */
    {"lzip", COMPRESSED, 0, 4, "LZIP"},
    {"compress", COMPRESSED, 0, 2, "\x1f\x9d"},
    {"lzma", MAYBE_COMPRESSED, 0, 3, "\x5d\0\0"}, /* it has no magic number */
    {"lzop", REFUSED, 0, 4, "\x89LZO"},
    {"ar", REFUSED, 0, 8, "!<arch>\n"},
    {"cab", REFUSED, 0, 4, "MSCF"},
    {"xar", REFUSED, 0, 4, "xar!"},
    {"LHA", REFUSED, 2, 3, "-lh"},
    {"WARC", REFUSED, 0, 5, "WARC/"},
    {"mtree", REFUSED, 0, 6, "#mtree"},
};

static const struct kind *kind_of(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kind *k = &kinds[i];
        if (n >= k->at + k->n && memcmp(head + k->at, k->magic, k->n) == 0)
            return k;
    }
    return NULL;
}

const char *unarchive_kind(const void *head, size_t n)
{
    const struct kind *k = kind_of(head, n);
    return k != NULL && k->form != MAYBE_COMPRESSED ? k->name : NULL;
}

bool unarchive_reads(const char *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, kind) == 0)
            return kinds[i].form != REFUSED;
    }
    return false;
}

/* A reader for which each of the n calls has succeeded; a warning isn't a failure. NULL when out of
   memory. */
static struct archive *new_reader(int (*const *support)(struct archive *), size_t n)
{
    struct archive *ar = archive_read_new();
    for (size_t i = 0; ar != NULL && i < n; i++) {
        if (support[i](ar) < ARCHIVE_WARN) {
            archive_read_free(ar);
            return NULL;
        }
    }
    return ar;
}

static struct archive *new_inflater(void)
{
    static int (*const support[])(struct archive *) = {
        archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
        archive_read_support_filter_xz,   archive_read_support_filter_lzma,
        archive_read_support_filter_zstd, archive_read_support_filter_lz4,
        archive_read_support_filter_lzip, archive_read_support_filter_compress,
        archive_read_support_format_raw};
    return new_reader(support, sizeof support / sizeof support[0]);
}

static struct archive *new_files(void)
{
    static int (*const support[])(struct archive *) = {
        archive_read_support_format_tar,    archive_read_support_format_zip,
        archive_read_support_format_cpio,   archive_read_support_format_7zip,
        archive_read_support_format_rar,    archive_read_support_format_rar5,
        archive_read_support_format_iso9660};
    return new_reader(support, sizeof support / sizeof support[0]);
}

/* Whether opening has failed because it isn't an archive, rather than a damaged one: a compression
   that can't be read leaves no filters. */
static bool is_unknown(const struct unarchiver *a, struct archive *ar)
{
    return a->rc == 0 && archive_errno(ar) != ENOMEM && archive_format(ar) == 0 &&
           archive_filter_count(ar) > 0;
}

/* Makes ar read the file. Returns as archive_read_open1. */
static int read_from_file(struct unarchiver *a, struct archive *ar)
{
    int rc = archive_read_set_callback_data(ar, a);
    if (rc == ARCHIVE_OK)
        rc = archive_read_set_read_callback(ar, read_file);
    if (rc == ARCHIVE_OK)
        rc = archive_read_set_skip_callback(ar, skip_in_file);
    if (rc == ARCHIVE_OK && a->seekable)
        rc = archive_read_set_seek_callback(ar, seek_in_file);
    return rc == ARCHIVE_OK ? archive_read_open1(ar) : rc;
}

/* Returns as unarchive_open. */
static int open_inflated(struct unarchiver *a, struct mien_err *e)
{
    struct archive_entry *x;
    a->inflater = new_inflater();
    if (a->inflater == NULL)
        return mien_err_mem(e, BLOCK, "an archive");
    if (read_from_file(a, a->inflater) < ARCHIVE_WARN ||
        archive_read_next_header(a->inflater, &x) < ARCHIVE_WARN)
        return is_unknown(a, a->inflater) ? 0 : failed(a, a->inflater, e);
    if (archive_filter_code(a->inflater, 0) == ARCHIVE_FILTER_NONE) /* it only looked like one */
        return 0;
    if (archive_read_open(a->files, a, NULL, read_inflated, NULL) >= ARCHIVE_WARN)
        return 1;
    return is_unknown(a, a->files) ? 0 : failed(a, a->files, e);
}

static int open_plain(struct unarchiver *a, struct mien_err *e)
{
    if (read_from_file(a, a->files) >= ARCHIVE_WARN)
        return 1;
    return is_unknown(a, a->files) ? 0 : failed(a, a->files, e);
}

/* Sets up a zeroed unarchiver. Returns as unarchive_open. */
static int begin(struct unarchiver *a, const void *head, size_t n, struct mien_err *e)
{
    const struct kind *kind = kind_of(head, n);
    enum form form = kind != NULL ? kind->form : UNKNOWN;
    if (form == REFUSED)
        return 0;
    /* libarchive takes a name in Unicode for lost where the locale lacks its characters; a tar's
       name then is taken as it is. */
    if (form < COMPRESSED && (kind == NULL || strcmp(kind->name, "tar") != 0))
        a->characters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    off_t here = lseek(a->fd, 0, SEEK_CUR);
    a->seekable = here >= 0 && lseek(a->fd, here - (off_t)n, SEEK_SET) >= 0;
    if (!a->seekable && kind != NULL && strcmp(kind->name, "7z") == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "a 7z archive can't be read from a pipe; name its file");
    a->files = new_files();
    if (a->files == NULL || mien_buf_reserve(&a->block, BLOCK) < 0)
        return mien_err_mem(e, BLOCK, "an archive");
    if (!a->seekable) {
        memcpy(a->block.data, head, n);
        a->block.len = n;
    }
    int rc = form >= COMPRESSED ? open_inflated(a, e) : open_plain(a, e);
    /* libarchive may not know it because it lacked memory to look. */
    if (rc == 0 && form == COMPRESSED)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "'%s' is compressed with %s, but no archive is in it, or its beginning "
                            "is damaged; unpack it first",
                            a->name, kind->name);
    if (rc == 0 && form == PLAIN)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "archive '%s' is damaged: its beginning can't be read", a->name);
    a->head_bytes = a->head_entries = 0; /* the end of a directory was looked at, too */
    return rc;
}

int unarchive_open(struct unarchiver **out, int fd, const void *head, size_t n, const char *name,
                   struct mien_err *e)
{
    struct unarchiver *a = calloc(1, sizeof *a);
    *out = a;
    if (a == NULL)
        return mien_err_mem(e, sizeof *a, "an archive");
    a->name = name;
    a->fd = fd;
    int rc = begin(a, head, n, e);
    if (rc <= 0) {
        unarchive_free(a);
        *out = NULL;
    }
    return rc;
}

void unarchive_free(struct unarchiver *a)
{
    if (a == NULL)
        return;
    if (a->files != NULL)
        archive_read_free(a->files);
    if (a->inflater != NULL)
        archive_read_free(a->inflater);
    if (a->characters != (locale_t)0)
        freelocale(a->characters);
    mien_buf_free(&a->block);
    free(a);
}

/* --- Entries -------------------------------------------------------------------------------- */

/* libarchive doesn't mind a tar that stops between two files, without the blocks of zeros that end
   it; but then there may have been more. */
static int at_end(const struct unarchiver *a, struct mien_err *e)
{
    bool tar = (archive_format(a->files) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    if (tar && archive_filter_bytes(a->files, 0) == archive_read_header_position(a->files))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "archive '%s' is cut short: its end marker is missing", a->name);
    return 0;
}

/* The name of a zip entry as the file has it, where that says that it is UTF-8: libarchive has
   brought it to the locale's characters and to form C, or failed to. It stands in the header before
   the entry's data, where libarchive is now. NULL when it isn't found. */
static const char *name_in_zip(struct unarchiver *a)
{
    enum { FLAGS = 6, NAME = 26, EXTRA = 28, HEADER = 30, UTF8 = 0x800 };
    unsigned char *p = a->header;
    int64_t data = archive_filter_bytes(a->files, 0);
    int64_t back = data < ZIP_BACK ? data : ZIP_BACK;
    if (!a->seekable || pread(a->fd, p, (size_t)back, (off_t)(data - back)) != (ssize_t)back)
        return NULL;
    for (size_t n = (size_t)back, at = n; at-- > 0;) {
        if (n - at < HEADER || memcmp(p + at, "PK\3\4", 4) != 0)
            continue;
        size_t name = get_le16(p + at + NAME), extra = get_le16(p + at + EXTRA);
        if (at + HEADER + name + extra != n)
            continue;
        p[at + HEADER + name] = '\0';
        return get_le16(p + at + FLAGS) & UTF8 ? (const char *)p + at + HEADER : NULL;
    }
    return NULL;
}

static bool is_ascii(const char *s)
{
    while (*s != '\0' && (unsigned char)*s < 0x80)
        s++;
    return *s == '\0';
}

/* Takes the entry's path. Returns 0 or MIEN_ERR_MEM. */
static int find_path(struct unarchiver *a, struct archive_entry *entry, const char **path,
                     struct mien_err *e)
{
    const char *name = NULL;
    errno = 0;
    *path = archive_entry_pathname(entry);
    if (*path == NULL)
        *path = archive_entry_pathname_utf8(entry);
    if (*path == NULL && errno == ENOMEM)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for archive '%s'", a->name);
    bool zip = (archive_format(a->files) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
    if (zip && (*path == NULL || !is_ascii(*path)))
        name = name_in_zip(a);
    if (name != NULL)
        *path = name;
    return 0;
}

static int next_entry(struct unarchiver *a, struct unarchived *x, struct mien_err *e)
{
    struct archive_entry *entry;
    if (a->has_data && archive_read_data_skip(a->files) == ARCHIVE_FATAL)
        return failed(a, a->files, e);
    int rc = archive_read_next_header(a->files, &entry);
    a->begun = true;
    a->has_data = rc == ARCHIVE_OK || rc == ARCHIVE_WARN;
    if (rc == ARCHIVE_EOF)
        return at_end(a, e);
    if (rc == ARCHIVE_FATAL || rc == ARCHIVE_RETRY || archive_errno(a->files) == ENOMEM)
        return failed(a, a->files, e);
    *x = (struct unarchived){.link = archive_entry_hardlink(entry), .size = -1};
    if (find_path(a, entry, &x->path, e) < 0)
        return MIEN_ERR_MEM;
    if (archive_entry_size_is_set(entry))
        x->size = archive_entry_size(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR)
        x->type = UNARCHIVED_FOLDER;
    else if (x->link != NULL && archive_entry_size(entry) == 0)
        x->type = UNARCHIVED_LINK;
    else if (archive_entry_filetype(entry) == AE_IFREG)
        x->type = UNARCHIVED_FILE;
    else
        x->type = UNARCHIVED_OTHER;
    if (rc == ARCHIVE_FAILED)
        x->bad = archive_error_string(a->files);
    return 1;
}

int unarchive_next(struct unarchiver *a, struct unarchived *x, struct mien_err *e)
{
    locale_t was = uselocale(a->characters);
    int rc = next_entry(a, x, e);
    uselocale(was);
    return rc;
}

int unarchive_read(struct unarchiver *a, struct mien_buf *b, size_t limit, struct mien_err *e)
{
    const void *p;
    size_t n;
    la_int64_t at; /* in the entry: a sparse file has holes */
    int rc = archive_read_data_block(a->files, &p, &n, &at);
    if (rc == ARCHIVE_EOF)
        return UNARCHIVE_END;
    if (rc == ARCHIVE_FATAL || (rc != ARCHIVE_OK && archive_errno(a->files) == ENOMEM))
        return failed(a, a->files, e);
    if (rc != ARCHIVE_OK) {
        const char *why = archive_error_string(a->files);
        mien_err_set(e, MIEN_ERR_FORMAT, "cannot be read: %s", why != NULL ? why : "it is damaged");
        return UNARCHIVE_BAD;
    }
    if (at < (la_int64_t)b->len || (uint64_t)at > limit || n > limit - (size_t)at) {
        mien_err_set(e, MIEN_ERR_LIMIT, "the file has %lld bytes, more than the limit of %zu",
                     (long long)at + (long long)n, limit);
        return UNARCHIVE_BAD;
    }
    size_t hole = (size_t)at - b->len;
    if (mien_buf_reserve(b, hole + n) < 0)
        return mien_err_mem(e, hole + n, "a file");
    if (hole > 0)
        memset(b->data + b->len, 0, hole);
    b->len += hole;
    return mien_buf_append(b, p, n) < 0 ? mien_err_mem(e, n, "a file") : UNARCHIVE_MORE;
}
