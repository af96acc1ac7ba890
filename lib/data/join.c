/*
 * One sorted array answers all three questions. Each path has a key, which is the path itself or,
 * where the way to fit asks for it, what is left of it without case, extension and so on. Keys are
 * ordered by their components from the last to the first, and a key comes right before those that
 * it is the tail of; so a binary search finds a key itself and, behind the place where it would
 * stand, all that end in it. Several paths may have one key; those of one path lie together.
 */
#include "join.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/encoding.h"
#include "util/decompose.h"
#include "util/printable.h"

struct join_entry {
    const char *path, *key; /* valid from join_sort on, when the bodies move no more */
    size_t body;            /* where the encoded record begins among the bodies */
    uint32_t len;           /* of the encoded record */
    uint32_t path_at;       /* where in it the path is */
    uint16_t path_len, key_len, nfield;
    bool taken; /* an image has had it */
};

struct join {
    enum join_how how;
    struct mien_buf body;  /* encoded records, each a multiple of 8 bytes */
    struct mien_buf entry; /* struct join_entry[] */
    struct mien_buf keys;  /* those that aren't the paths themselves */
    struct mien_rec scratch;
    size_t depth; /* components of the deepest key */

    bool joined;     /* an image has found metadata */
    uint64_t missed; /* images that have found none, the first one, */
    char miss[200];
    struct mien_buf misses; /* and, while nothing was joined, the paths of nmisses: a zero behind */
    size_t nmisses;         /* each */
};

struct join *join_new(enum join_how how, struct mien_err *e)
{
    struct join *j = calloc(1, sizeof *j);
    if (j == NULL)
        mien_err_mem(e, sizeof *j, "a join");
    else
        j->how = how;
    return j;
}

void join_free(struct join *j)
{
    if (j == NULL)
        return;
    mien_buf_free(&j->body);
    mien_buf_free(&j->entry);
    mien_buf_free(&j->keys);
    mien_buf_free(&j->misses);
    mien_rec_free(&j->scratch);
    free(j);
}

static struct join_entry *entries(const struct join *j, size_t *n)
{
    *n = j->entry.len / sizeof(struct join_entry);
    return (struct join_entry *)(void *)j->entry.data;
}

/* --- Paths from their end ------------------------------------------------------------------ */

/* A component, and what lies in front of it. */
struct cursor {
    const char *s;
    size_t left; /* bytes in front of part */
    const char *part;
    size_t len;
};

/* Steps to the component in front; false when there is none. */
static bool step(struct cursor *w)
{
    assert(w->s != NULL || w->left == 0);
    for (;;) {
        while (w->left > 0 && w->s[w->left - 1] == '/')
            w->left--;
        size_t end = w->left;
        while (w->left > 0 && w->s[w->left - 1] != '/')
            w->left--;
        w->part = w->s + w->left;
        w->len = end - w->left;
        if (w->len == 0)
            return false;
        if (w->len != 1 || w->part[0] != '.')
            return true;
    }
}

static size_t components(const char *s, size_t len)
{
    struct cursor w = {.s = s, .left = len};
    size_t n = 0;
    while (step(&w))
        n++;
    return n;
}

/* Orders two paths as strcmp does strings. *tail tells whether a is the tail of b, or its equal. */
static int compare(const char *a, size_t alen, const char *b, size_t blen, bool *tail)
{
    struct cursor wa = {.s = a, .left = alen}, wb = {.s = b, .left = blen};
    for (;;) {
        bool more_a = step(&wa), more_b = step(&wb);
        *tail = !more_a;
        if (!more_a || !more_b)
            return (int)more_a - (int)more_b;
        int d = memcmp(wa.part, wb.part, wa.len < wb.len ? wa.len : wb.len);
        if (d != 0)
            return d;
        if (wa.len != wb.len)
            return wa.len < wb.len ? -1 : 1;
    }
}

/* --- Adding -------------------------------------------------------------------------------- */

int join_add(struct join *j, const struct mien_rec *r, struct mien_err *e)
{
    size_t len = 0, body = j->body.len;
    const char *path = mien_rec_text(r, MIEN_TAG_ID, &len);
    size_t depth = path == NULL ? 0 : components(path, len);
    if (depth == 0)
        return mien_err_set(e, MIEN_ERR_ARG, "no id to find its image by");
    if (len > JOIN_PATH_MAX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "its id is longer than %d bytes", JOIN_PATH_MAX);
    if (rec_encode(r, 0, &j->body) < 0)
        return mien_err_mem(e, j->body.len, "metadata");
    struct join_entry x = {
        .body = body, .len = (uint32_t)(j->body.len - body), .nfield = (uint16_t)r->nfield};
    int rc = rec_decode(&j->scratch, j->body.data + body, x.len, x.nfield, e);
    if (rc < 0)
        return rc;
    x.path = mien_rec_text(&j->scratch, MIEN_TAG_ID, &len);
    x.path_len = (uint16_t)len;
    x.path_at = (uint32_t)((const unsigned char *)x.path - (j->body.data + body));
    if (mien_buf_append(&j->entry, &x, sizeof x) < 0)
        return mien_err_mem(e, j->entry.len, "metadata");
    return 0;
}

/* --- Keys ---------------------------------------------------------------------------------- */

enum { KEY_MAX = DECOMPOSE_GROWTH * JOIN_PATH_MAX };

/* Where the last component begins. */
static size_t name_of(const char *s, size_t len)
{
    struct cursor w = {.s = s, .left = len};
    return step(&w) ? (size_t)(w.part - s) : len;
}

/* The key of a path: the path itself, or text in buf. */
static const char *key_of(enum join_how how, const char *path, size_t len, char buf[KEY_MAX],
                          size_t *key_len)
{
    bool ascii = true, slash = false, backslash = false;
    *key_len = len;
    for (size_t i = 0; i < len; i++) {
        ascii &= (unsigned char)path[i] < 0x80;
        slash |= path[i] == '/';
        backslash |= path[i] == '\\';
    }
    if (how == JOIN_EXACT || (how == JOIN_SUFFIX && ascii && (slash || !backslash)))
        return path;
    size_t n = decompose(path, len, buf);
    for (size_t i = 0; i < n; i++) {
        if (buf[i] == '\\' && !slash)
            buf[i] = '/';
        if (how == JOIN_NOCASE)
            buf[i] = (char)tolower((unsigned char)buf[i]);
    }
    size_t name = name_of(buf, n);
    const char *key = buf;
    if (how == JOIN_NAME) {
        key += name;
        n -= name;
    }
    if (how == JOIN_STEM) {
        size_t end = n;
        while (end > name + 1 && buf[end - 1] != '.')
            end--;
        if (end > name + 1)
            n = end - 1;
    }
    *key_len = n;
    return key;
}

static bool same_path(const struct join_entry *x, const struct join_entry *y)
{
    bool tail;
    return compare(x->path, x->path_len, y->path, y->path_len, &tail) == 0;
}

static int by_key(const void *a, const void *b)
{
    const struct join_entry *x = a, *y = b;
    bool tail;
    int d = compare(x->key, x->key_len, y->key, y->key_len, &tail);
    if (d == 0)
        d = compare(x->path, x->path_len, y->path, y->path_len, &tail);
    return d != 0 ? d : x->body < y->body ? -1 : 1;
}

/* Makes all keys and sorts. */
static int sort(struct join *j, struct mien_err *e)
{
    char buf[KEY_MAX];
    size_t n, len;
    struct join_entry *x = entries(j, &n);
    mien_buf_clear(&j->keys);
    j->depth = 0;
    for (size_t i = 0; i < n; i++) {
        x[i].path = (const char *)j->body.data + x[i].body + x[i].path_at;
        const char *key = key_of(j->how, x[i].path, x[i].path_len, buf, &len);
        x[i].key = key == x[i].path ? key : NULL; /* set below, when the keys move no more */
        x[i].key_len = (uint16_t)len;
        if (x[i].key == NULL && mien_buf_append(&j->keys, key, len) < 0)
            return mien_err_mem(e, j->keys.len, "keys of metadata");
        size_t depth = components(key, len);
        j->depth = depth > j->depth ? depth : j->depth;
    }
    const char *key = (const char *)j->keys.data;
    for (size_t i = 0; i < n; i++) {
        if (x[i].key != NULL)
            continue;
        x[i].key = key;
        key += x[i].key_len;
    }
    if (n > 0)
        qsort(x, n, sizeof *x, by_key);
    return 0;
}

int join_sort(struct join *j, struct mien_err *e)
{
    return sort(j, e);
}

/* --- Finding ------------------------------------------------------------------------------- */

/* The first entry that isn't before the key. */
static size_t lower_bound(const struct join_entry *x, size_t n, const char *key, size_t len)
{
    size_t lo = 0;
    while (n > 0) {
        bool tail;
        size_t mid = lo + n / 2;
        if (compare(x[mid].key, x[mid].key_len, key, len, &tail) < 0) {
            lo = mid + 1;
            n -= n / 2 + 1;
        } else {
            n /= 2;
        }
    }
    return lo;
}

/* How entry i, which isn't before the key, relates to it. */
enum relation { UNRELATED, LONGER, EXACT };
static enum relation relate(const struct join_entry *x, size_t n, size_t i, const char *key,
                            size_t len)
{
    bool tail;
    if (i == n)
        return UNRELATED;
    int d = compare(key, len, x[i].key, x[i].key_len, &tail);
    return !tail ? UNRELATED : d == 0 ? EXACT : LONGER;
}

/* The entry of the longest proper tail of the key, or n. */
static size_t longest_tail(const struct join *j, const struct join_entry *x, size_t n,
                           const char *key, size_t len)
{
    struct cursor w = {.s = key, .left = len};
    size_t best = n;
    for (size_t depth = 0; depth < j->depth && step(&w); depth++) {
        size_t rest = len - (size_t)(w.part - key), i = lower_bound(x, n, w.part, rest);
        if (relate(x, n, i, w.part, rest) == EXACT)
            best = i;
    }
    return best;
}

/* The first entry that fits the key, and how; n where none does. */
static size_t first_fit(const struct join *j, const char *key, size_t len, enum relation *how)
{
    size_t n;
    const struct join_entry *x = entries(j, &n);
    size_t i = lower_bound(x, n, key, len);
    *how = relate(x, n, i, key, len);
    if (j->how == JOIN_EXACT)
        return *how == EXACT ? i : n;
    return *how == UNRELATED ? longest_tail(j, x, n, key, len) : i;
}

/* The entries of the path of entry i. */
static size_t count_same(const struct join_entry *x, size_t n, size_t i)
{
    size_t end = i + 1;
    while (end < n && same_path(&x[i], &x[end]))
        end++;
    return end - i;
}

static int ambiguous(const struct join_entry *x, const struct join_entry *y, struct mien_err *e)
{
    return mien_err_set(e, MIEN_ERR_FORMAT, "the metadata of '%.*s' and '%.*s' fit equally well",
                        (int)x->path_len, x->path, (int)y->path_len, y->path);
}

/* Among the paths of entry i's key, the one that fits the image's as it is; or entry i's, where it
   is the only one. */
static int choose(const struct join *j, size_t *i, const char *path, size_t len, struct mien_err *e)
{
    size_t n, first = *i, paths = 0;
    const struct join_entry *x = entries(j, &n);
    bool tail;
    for (size_t k = first; relate(x, n, k, x[first].key, x[first].key_len) == EXACT;
         k += count_same(x, n, k)) {
        compare(x[k].path, x[k].path_len, path, len, &tail);
        if (tail) {
            *i = k;
            return 0;
        }
        if (paths++ > 0)
            return ambiguous(&x[first], &x[k], e);
    }
    return 0;
}

int join_find(struct join *j, const char *path, struct join_match *m, struct mien_err *e)
{
    char buf[KEY_MAX];
    size_t n, key_len, len = strlen(path);
    struct join_entry *x = entries(j, &n);
    if (len > JOIN_PATH_MAX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "its path is longer than %d bytes", JOIN_PATH_MAX);
    const char *key = key_of(j->how, path, len, buf, &key_len);
    if (components(key, key_len) == 0) /* the tail of everything */
        return 0;
    enum relation how;
    size_t i = first_fit(j, key, key_len, &how);
    if (i == n)
        return 0;
    int rc = how == LONGER ? 0 : choose(j, &i, path, len, e);
    if (rc < 0)
        return rc;
    if (x[i].taken)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an earlier image already used the metadata of '%.*s'",
                            (int)x[i].path_len, x[i].path);
    size_t same = count_same(x, n, i), next = i + same;
    if (how == LONGER && relate(x, n, next, key, key_len) != UNRELATED)
        return ambiguous(&x[i], &x[next], e);
    for (size_t k = i; k < next; k++)
        x[k].taken = true;
    j->joined = true;
    *m = (struct join_match){i, same};
    return 1;
}

int join_get(const struct join *j, size_t i, struct mien_rec *r, struct mien_err *e)
{
    size_t n;
    const struct join_entry *x = entries(j, &n) + i;
    mien_rec_clear(r);
    return rec_decode(r, j->body.data + x->body, x->len, x->nfield, e);
}

size_t join_count(const struct join *j)
{
    size_t n;
    entries(j, &n);
    return n;
}

size_t join_unmatched(const struct join *j, size_t *first)
{
    size_t n, count = 0;
    const struct join_entry *x = entries(j, &n);
    for (size_t i = n; i-- > 0;) {
        if (!x[i].taken) {
            *first = i;
            count++;
        }
    }
    return count;
}

/* --- What didn't fit ------------------------------------------------------------------------ */

enum { MISSES = 10000 };

void join_missed(struct join *j, const char *path)
{
    if (j->missed++ == 0)
        snprintf(j->miss, sizeof j->miss, "%s", path);
    if (!j->joined && j->nmisses < MISSES &&
        mien_buf_append(&j->misses, path, strlen(path) + 1) == 0)
        j->nmisses++;
}

int join_summary(struct join *j, struct mien_buf *out, struct mien_err *e)
{
    char text[200];
    size_t first, n = join_unmatched(j, &first);
    int rc = 0;
    if (n > 0 && join_get(j, first, &j->scratch, e) == 0)
        rc |= mien_buf_printf(out, "metadata without an image: %zu, such as '%s'\n", n,
                              mien_rec_id(&j->scratch, text, sizeof text));
    printable(text, sizeof text, j->miss, strlen(j->miss));
    if (j->missed > 0)
        rc |= mien_buf_printf(out, "images without metadata: %llu, such as '%s'\n",
                              (unsigned long long)j->missed, text);
    return rc < 0 ? mien_err_mem(e, out->len, "a message") : 0;
}

/* How many of the images would find metadata another way. */
static long long count_fits(struct join *j, enum join_how how, struct mien_err *e)
{
    char buf[KEY_MAX];
    size_t n, len;
    long long count = 0;
    const char *path = (const char *)j->misses.data;
    j->how = how;
    if (sort(j, e) < 0)
        return MIEN_ERR_MEM;
    entries(j, &n);
    for (size_t i = 0; i < j->nmisses; i++, path += strlen(path) + 1) {
        enum relation relation;
        const char *key = key_of(how, path, strlen(path), buf, &len);
        count += strlen(path) <= JOIN_PATH_MAX && components(key, len) > 0 &&
                 first_fit(j, key, len, &relation) < n;
    }
    return count;
}

/* Appends which other ways to fit would join some, and why. */
static int advise(struct join *j, struct mien_buf *out, struct mien_err *e)
{
    /* Those that ask for more come first; a laxer one is worth a word if it finds more. */
    static const struct {
        enum join_how how;
        const char *name, *cause;
    } ways[] = {{JOIN_SUFFIX, "suffix", "prefixes, backslashes or the form of accents differ"},
                {JOIN_NOCASE, "nocase", "upper and lower case differ"},
                {JOIN_STEM, "stem", "extensions differ or are missing"},
                {JOIN_NAME, "name", "folders differ"}};
    enum join_how asked = j->how;
    long long most = 0;
    int rc = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (ways[i].how == asked)
            continue;
        long long count = count_fits(j, ways[i].how, e);
        if (count < 0)
            return MIEN_ERR_MEM;
        if (count > most)
            rc |= mien_buf_printf(out, "%s--match %s would join %lld (%s)", most > 0 ? ", " : "",
                                  ways[i].name, count, ways[i].cause);
        most = count > most ? count : most;
    }
    if (most == 0)
        rc = mien_buf_printf(out, "no other --match would join any");
    return rc < 0 ? mien_err_mem(e, out->len, "a message") : 0;
}

int join_failed(struct join *j, struct mien_buf *out, struct mien_err *e)
{
    size_t n = join_count(j);
    if (j->joined || j->missed == 0)
        return 0;
    int rc = n == 0 ? mien_buf_printf(out, "nothing joined: the metadata have no records")
                    : mien_buf_printf(out, "nothing joined: %zu metadata records and %llu images; ",
                                      n, (unsigned long long)j->missed);
    if (rc < 0)
        return mien_err_mem(e, out->len, "a message");
    rc = n == 0 ? 0 : advise(j, out, e);
    return rc < 0 ? rc : 1;
}
