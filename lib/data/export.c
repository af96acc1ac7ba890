#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/img.h"
#include "image/jpeg.h"
#include "image/png_write.h"
#include "util/file.h"
#include "util/hash.h"

enum { BLOCK = 512, FLUSH = 1 << 20, NAME_MAX_BYTES = 200, SHARD = 1 << 30, QUALITY = 95 };

struct exporter {
    const struct export_to *to;
    uint64_t shard_size;
    struct mien_buf name, path, image, json, tar;
    struct mien_buf made; /* the folder that was made last */
    struct mien_rec labels;
    uint64_t *seen; /* hashes of names, an open table: 0 is free */
    size_t nseen, cseen;
    struct file_out out; /* the shard; fd -1 for none */
    bool open;
    unsigned shard;
    uint64_t written; /* bytes of the shard */
};

/* --- Names ---------------------------------------------------------------------------------- */

/* Whether the name is new; it is noted. */
static int note_name(struct exporter *x, const struct mien_buf *name, bool *is_new,
                     struct mien_err *e)
{
    if (2 * (x->nseen + 1) > x->cseen) {
        size_t cap = x->cseen > 0 ? 2 * x->cseen : 1024;
        uint64_t *seen = calloc(cap, sizeof *seen);
        if (seen == NULL)
            return mien_err_mem(e, cap * sizeof *seen, "names");
        for (size_t i = 0; i < x->cseen; i++) {
            size_t at = x->seen[i] & (cap - 1);
            while (x->seen[i] != 0 && seen[at] != 0)
                at = (at + 1) & (cap - 1);
            if (x->seen[i] != 0)
                seen[at] = x->seen[i];
        }
        free(x->seen);
        x->seen = seen;
        x->cseen = cap;
    }
    unsigned char lower[4 * NAME_MAX_BYTES];
    size_t n = name->len < sizeof lower ? name->len : sizeof lower;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = name->data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
    }
    uint64_t h = hash_bytes(name->len, lower, n) | 1;
    size_t at = h & (x->cseen - 1);
    while (x->seen[at] != 0 && x->seen[at] != h)
        at = (at + 1) & (x->cseen - 1);
    *is_new = x->seen[at] == 0;
    x->nseen += *is_new;
    x->seen[at] = h;
    return 0;
}

static bool is_image_name(const char *s, size_t n)
{
    static const char *const all[] = {"jpg", "jpeg", "png", "webp", "heic", "heif", "avif"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strlen(all[i]) == n && strncasecmp(s, all[i], n) == 0)
            return true;
    }
    return false;
}

/* Where a name's extension stands, without the number of a face behind it, when it is that of an
   image: from *at, *n bytes with its dot. */
static bool find_extension(const char *s, size_t len, size_t *at, size_t *n)
{
    size_t end = len;
    while (end > 0 && s[end - 1] >= '0' && s[end - 1] <= '9')
        end--;
    end = end > 0 && end < len && s[end - 1] == '#' ? end - 1 : len;
    for (*at = end; *at > 0 && s[*at - 1] != '.' && s[*at - 1] != '/'; --*at)
        continue;
    if (*at < 2 || s[*at - 1] != '.' || s[*at - 2] == '/' || !is_image_name(s + *at, end - *at))
        return false;
    --*at;
    *n = end - *at;
    return true;
}

static int put_byte(struct mien_buf *b, unsigned char c, bool escape)
{
    return escape ? mien_buf_printf(b, "%%%02X", c) : mien_buf_append(b, &c, 1);
}

/* One part of a path. last: the file's, which in an archive has no dot. */
static int put_part(struct mien_buf *b, const char *s, size_t n, bool no_dots)
{
    int rc = 0;
    size_t before = b->len, i;
    for (i = 0; i < n && b->len - before < NAME_MAX_BYTES; i++) {
        unsigned char c = (unsigned char)s[i];
        bool first = i == 0 && (c == '.' || c == '-' || c == '~');
        bool odd = c < 0x20 || c == 0x7f || strchr("\\:*?\"<>|%", c) != NULL;
        rc |= put_byte(b, c, first || odd || (c == '.' && (no_dots || i + 1 == n)));
    }
    if (i < n) /* cut off, and told apart by the rest */
        rc |= mien_buf_printf(b, "~%016llx", (unsigned long long)hash_bytes(0, s, n));
    return rc;
}

/* Makes the record's name, without an extension. */
static int make_name(struct exporter *x, const struct mien_rec *r, struct mien_err *e)
{
    size_t len = 0, at, n = 0;
    const char *id = mien_rec_text(r, MIEN_TAG_ID, &len);
    struct mien_buf *b = &x->name, *plain = &x->path;
    int rc = 0;
    mien_buf_clear(b);
    mien_buf_clear(plain);
    bool has_extension = find_extension(id != NULL ? id : "", len, &at, &n);
    if (has_extension)
        rc |= mien_buf_append(plain, id, at) | mien_buf_append(plain, id + at + n, len - at - n);
    else
        rc |= mien_buf_append(plain, id, len);
    for (size_t from = 0, to; rc == 0 && from < plain->len; from = to + 1) {
        const char *s = (const char *)plain->data + from;
        for (to = from; to < plain->len && plain->data[to] != '/'; to++)
            continue;
        if (to == from || (to == from + 1 && *s == '.'))
            continue;
        rc |= b->len > 0 ? mien_buf_append(b, "/", 1) : 0;
        rc |= put_part(b, s, to - from, to == plain->len && x->to->tar != NULL);
    }
    if (b->len == 0)
        rc |= mien_buf_append(b, "image", 5);
    size_t base = b->len;
    bool is_new = false;
    for (int k = 2; rc == 0 && !is_new; k++) {
        if (note_name(x, b, &is_new, e) < 0)
            return MIEN_ERR_MEM;
        if (is_new)
            break;
        b->len = base;
        rc = mien_buf_printf(b, "~%d", k);
    }
    return rc < 0 ? mien_err_mem(e, len, "a name") : 0;
}

/* --- Folders -------------------------------------------------------------------------------- */

static int cannot(struct mien_err *e, const char *do_what, const char *path)
{
    return mien_err_sys(e, "cannot %s '%s'", do_what, path);
}

/* Makes the folders above a path, but those that were made for the one before. */
static int make_folders(struct exporter *x, char *path, struct mien_err *e)
{
    char *last = strrchr(path, '/');
    size_t n = (size_t)(last - path);
    if (n == x->made.len && memcmp(path, x->made.data, n) == 0)
        return 0;
    for (char *s = strchr(path + 1, '/'); s != NULL; s = strchr(s + 1, '/')) {
        *s = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return cannot(e, "make folder", path);
        *s = '/';
    }
    mien_buf_clear(&x->made);
    return mien_buf_append(&x->made, path, n) < 0 ? mien_err_mem(e, n, "a path") : 0;
}

/* Writes a file anew: never into one that is there, to which links may lead. */
static int write_file(struct exporter *x, const char *extension, const void *p, size_t n,
                      struct mien_err *e)
{
    struct mien_buf *b = &x->path;
    mien_buf_clear(b);
    if (mien_buf_printf(b, "%s/%.*s.%s", x->to->dir, (int)x->name.len, (char *)x->name.data,
                        extension) < 0 ||
        mien_buf_append(b, "", 1) < 0)
        return mien_err_mem(e, n, "a path");
    char *path = (char *)b->data;
    int rc = make_folders(x, path, e);
    if (rc < 0)
        return rc;
    unlink(path);
    struct file_out out;
    rc = file_create(&out, path, e);
    if (rc < 0)
        return rc;
    if (file_write(out.fd, p, n) == 0)
        return file_place(&out, e);
    rc = cannot(e, "write", path);
    file_abort(&out);
    return rc;
}

/* --- Archives ------------------------------------------------------------------------------- */

/* Whether a name has one %d, or %06d, and no other %. -1 when it has others. */
static int numbered(const char *name)
{
    const char *s = strchr(name, '%');
    if (s == NULL)
        return 0;
    s++;
    size_t digits = strspn(s, "0123456789");
    bool width = digits == 0 || (digits == 2 && *s == '0');
    return width && s[digits] == 'd' && strchr(s + digits, '%') == NULL ? 1 : -1;
}

static int shard_name(struct exporter *x, struct mien_err *e)
{
    const char *name = x->to->tar, *s = strchr(name, '%');
    mien_buf_clear(&x->path);
    int width = s != NULL && s[1] == '0' ? s[2] - '0' : 0;
    int rc = s == NULL ? mien_buf_printf(&x->path, "%s", name)
                       : mien_buf_printf(&x->path, "%.*s%0*u%s", (int)(s - name), name, width,
                                         x->shard, strchr(s, 'd') + 1);
    return rc < 0 || mien_buf_append(&x->path, "", 1) < 0 ? mien_err_mem(e, 1, "a name") : 0;
}

static bool is_standard(const struct exporter *x)
{
    return strcmp(x->to->tar, "-") == 0;
}

static int open_shard(struct exporter *x, struct mien_err *e)
{
    int rc = shard_name(x, e);
    if (rc == 0 && !is_standard(x))
        rc = file_create(&x->out, (char *)x->path.data, e);
    if (rc == 0 && is_standard(x))
        x->out.fd = STDOUT_FILENO;
    x->open = rc == 0;
    x->written = 0;
    return rc;
}

static int flush(struct exporter *x, struct mien_err *e)
{
    int rc = file_write(x->out.fd, x->tar.data, x->tar.len);
    mien_buf_clear(&x->tar);
    return rc < 0 ? mien_err_sys(e, "cannot write '%s'", x->to->tar) : 0;
}

static int pad(struct mien_buf *b, size_t n)
{
    static const char zeros[2 * BLOCK];
    return mien_buf_append(b, zeros, n);
}

/* A ustar header (POSIX.1-2008, pax). The time is 0: the same records give the same bytes. */
static int put_header(struct mien_buf *b, const char *name, size_t len, char type, size_t size)
{
    unsigned char h[BLOCK] = {0};
    unsigned sum = 0;
    memcpy(h, name, len < 100 ? len : 100);
    memcpy(h + 100, "0000644\0000000000\0000000000", 24);
    snprintf((char *)h + 124, 12, "%011zo", size);
    memcpy(h + 136, "00000000000\0        ", 20);
    h[156] = (unsigned char)type;
    memcpy(h + 257, "ustar\00000", 8);
    for (int i = 0; i < BLOCK; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
    return mien_buf_append(b, h, BLOCK);
}

/* A file's long name, as a pax record: its length counts its own digits. */
static int put_long_name(struct mien_buf *b, const char *name, size_t len)
{
    size_t digits = 1, n = len + 8, power = 10;
    for (; n >= power; power *= 10) {
        digits++;
        n = len + 7 + digits;
    }
    return put_header(b, "pax", 3, 'x', n) |
           mien_buf_printf(b, "%zu path=%.*s\n", n, (int)len, name) |
           pad(b, (BLOCK - n % BLOCK) % BLOCK);
}

static int put_entry(struct exporter *x, const char *extension, const void *p, size_t n)
{
    struct mien_buf *b = &x->path;
    mien_buf_clear(b);
    int rc = mien_buf_printf(b, "%.*s.%s", (int)x->name.len, (char *)x->name.data, extension) < 0;
    const char *name = (const char *)b->data;
    if (b->len > 100)
        rc |= put_long_name(&x->tar, name, b->len);
    return rc | put_header(&x->tar, name, b->len, '0', n) | mien_buf_append(&x->tar, p, n) |
           pad(&x->tar, (BLOCK - n % BLOCK) % BLOCK);
}

static int end_shard(struct exporter *x, struct mien_err *e)
{
    if (pad(&x->tar, 2 * BLOCK) < 0)
        return mien_err_mem(e, 2 * BLOCK, "an archive");
    int rc = flush(x, e);
    if (rc == 0 && !is_standard(x))
        rc = file_commit(&x->out, e);
    if (rc == 0)
        x->open = false;
    return rc;
}

static int write_sample(struct exporter *x, const char *extension, const void *p, size_t n,
                        struct mien_err *e)
{
    uint64_t size = n + x->json.len + 6 * BLOCK;
    bool full = x->open && numbered(x->to->tar) > 0 && x->written + size > x->shard_size;
    int rc = full ? end_shard(x, e) : 0;
    if (rc == 0 && !x->open) {
        rc = open_shard(x, e);
        x->shard++;
    }
    if (rc < 0)
        return rc;
    size_t before = x->tar.len;
    if (put_entry(x, extension, p, n) != 0 || put_entry(x, "json", x->json.data, x->json.len) != 0)
        return mien_err_mem(e, n, "an archive");
    x->written += x->tar.len - before;
    return x->tar.len >= FLUSH ? flush(x, e) : 0;
}

/* --- Records -------------------------------------------------------------------------------- */

struct exporter *export_new(const struct export_to *to, struct mien_err *e)
{
    if (to->tar != NULL && numbered(to->tar) < 0) {
        mien_err_set(e, MIEN_ERR_ARG, "'%s': the number of a shard is %%d or, with zeros, %%06d",
                     to->tar);
        return NULL;
    }
    if (to->tar != NULL && to->tar_size > 0 && numbered(to->tar) == 0) {
        mien_err_set(e, MIEN_ERR_ARG,
                     "'%s': shards need a number in their names, as in out-%%06d.tar", to->tar);
        return NULL;
    }
    struct exporter *x = calloc(1, sizeof *x);
    if (x == NULL) {
        mien_err_mem(e, sizeof *x, "files");
        return NULL;
    }
    x->to = to;
    x->shard_size = to->tar_size > 0 ? to->tar_size : SHARD;
    x->out.fd = -1;
    return x;
}

void export_free(struct exporter *x)
{
    if (x == NULL)
        return;
    if (x->open && !is_standard(x))
        file_abort(&x->out);
    mien_buf_free(&x->name);
    mien_buf_free(&x->path);
    mien_buf_free(&x->image);
    mien_buf_free(&x->json);
    mien_buf_free(&x->tar);
    mien_buf_free(&x->made);
    mien_rec_free(&x->labels);
    free(x->seen);
    free(x);
}

/* The extension of a kind of image, and in *p and *n its bytes; NULL without an image or memory. */
static const char *encode(struct exporter *x, const struct mien_rec *r, const void **p, size_t *n,
                          int *rc, struct mien_err *e)
{
    int h, w;
    const unsigned char *px = mien_rec_pixels(r, &h, &w);
    const struct mien_field *image = mien_rec_find(r, MIEN_TAG_IMAGE);
    *rc = 0;
    if (px != NULL) {
        mien_buf_clear(&x->image);
        bool jpeg = x->to->encoding == EXPORT_JPEG;
        *rc = jpeg ? img_jpeg_encode(px, h, w, QUALITY, &x->image, e)
                   : img_png_encode(px, h, w, &x->image, e);
        *p = x->image.data;
        *n = x->image.len;
        return *rc < 0 ? NULL : jpeg ? "jpg" : "png";
    }
    if (image == NULL) {
        *rc = mien_err_set(e, MIEN_ERR_FORMAT, "no image in the record");
        return NULL;
    }
    *p = image->data;
    *n = image->len;
    const char *name = img_kind(image->data, image->len);
    return name == NULL ? "bin" : strcmp(name, "jpeg") == 0 ? "jpg" : name;
}

/* Makes the JSON of the chosen fields, without the image. */
static int make_labels(struct exporter *x, const struct mien_rec *r,
                       const struct text_table *chosen, struct mien_err *e)
{
    static const int bulky[] = {MIEN_TAG_IMAGE, MIEN_TAG_IMAGE_KIND, MIEN_TAG_PIXELS};
    int rc = mien_rec_share(&x->labels, r);
    for (size_t i = 0; i < sizeof bulky / sizeof bulky[0]; i++)
        mien_rec_del(&x->labels, bulky[i]);
    text_table_keep(chosen, &x->labels);
    mien_buf_clear(&x->json);
    if (rc < 0 || text_json(&x->json, &x->labels, NULL, 0, false) < 0)
        return mien_err_mem(e, 1, "labels");
    return 0;
}

int export_put(struct exporter *x, const struct mien_rec *r, const struct text_table *chosen,
               struct mien_err *e)
{
    const void *p = NULL;
    size_t n = 0;
    int rc;
    if (mien_rec_has(r, MIEN_TAG_ERROR))
        return 0;
    const char *extension = encode(x, r, &p, &n, &rc, e);
    if (extension == NULL || (rc = make_name(x, r, e)) < 0)
        return rc;
    if (x->to->dir != NULL)
        rc = write_file(x, extension, p, n, e);
    else if ((rc = make_labels(x, r, chosen, e)) == 0)
        rc = write_sample(x, extension, p, n, e);
    return rc < 0 ? rc : 1;
}

int export_end(struct exporter *x, struct mien_err *e)
{
    int rc = 0;
    if (x->to->tar != NULL && !x->open && x->shard == 0)
        rc = open_shard(x, e); /* an archive without a record is one all the same */
    return rc == 0 && x->open ? end_shard(x, e) : rc;
}
