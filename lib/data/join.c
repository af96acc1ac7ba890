/*
 * One sorted array answers all three questions. Paths are ordered by their components from the
 * last to the first, and a path comes right before those that it is the tail of; so a binary
 * search finds a path itself and, behind the place where it would stand, all that end in it.
 */
#include "join.h"
#include "record/encoding.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct join_entry {
    const char *path; /* valid from join_sort on, when the bodies move no more */
    size_t body;      /* where the encoded record begins among the bodies */
    uint32_t len;     /* of the encoded record */
    uint32_t path_at; /* where in it the path is */
    uint16_t path_len, nfield;
    bool taken; /* an image has had it */
};

struct join {
    struct mien_buf body;  /* encoded records, each a multiple of 8 bytes */
    struct mien_buf entry; /* struct join_entry[] */
    struct mien_rec scratch;
    size_t depth; /* components of the deepest path */
};

struct join *join_new(struct mien_err *e)
{
    struct join *j = calloc(1, sizeof *j);
    if (j == NULL)
        mien_err_mem(e, sizeof *j, "a join");
    return j;
}

void join_free(struct join *j)
{
    if (j == NULL)
        return;
    mien_buf_free(&j->body);
    mien_buf_free(&j->entry);
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
    if (depth > j->depth)
        j->depth = depth;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct join_entry *x = a, *y = b;
    bool tail;
    int d = compare(x->path, x->path_len, y->path, y->path_len, &tail);
    return d != 0 ? d : x->body < y->body ? -1 : 1;
}

void join_sort(struct join *j)
{
    size_t n;
    struct join_entry *x = entries(j, &n);
    for (size_t i = 0; i < n; i++)
        x[i].path = (const char *)j->body.data + x[i].body + x[i].path_at;
    if (n > 0)
        qsort(x, n, sizeof *x, by_path);
}

/* --- Finding ------------------------------------------------------------------------------- */

/* The first entry that isn't before the path. */
static size_t lower_bound(const struct join_entry *x, size_t n, const char *path, size_t len)
{
    size_t lo = 0;
    while (n > 0) {
        bool tail;
        size_t mid = lo + n / 2;
        if (compare(x[mid].path, x[mid].path_len, path, len, &tail) < 0) {
            lo = mid + 1;
            n -= n / 2 + 1;
        } else {
            n /= 2;
        }
    }
    return lo;
}

/* How entry i, which isn't before the path, relates to it. */
enum relation { UNRELATED, LONGER, EXACT };
static enum relation relate(const struct join_entry *x, size_t n, size_t i, const char *path,
                            size_t len)
{
    bool tail;
    if (i == n)
        return UNRELATED;
    int d = compare(path, len, x[i].path, x[i].path_len, &tail);
    return !tail ? UNRELATED : d == 0 ? EXACT : LONGER;
}

/* The entries of the same path as entry i. */
static size_t same_path(const struct join_entry *x, size_t n, size_t i)
{
    size_t end = i + 1;
    while (end < n && relate(x, n, end, x[i].path, x[i].path_len) == EXACT)
        end++;
    return end - i;
}

/* The entry of the longest proper tail of the path, or n. */
static size_t longest_tail(const struct join *j, const struct join_entry *x, size_t n,
                           const char *path, size_t len)
{
    struct cursor w = {.s = path, .left = len};
    size_t best = n;
    for (size_t depth = 0; depth < j->depth && step(&w); depth++) {
        size_t rest = len - (size_t)(w.part - path), i = lower_bound(x, n, w.part, rest);
        if (relate(x, n, i, w.part, rest) == EXACT)
            best = i;
    }
    return best;
}

int join_find(struct join *j, const char *path, struct join_match *m, struct mien_err *e)
{
    size_t n, len = strlen(path);
    struct join_entry *x = entries(j, &n);
    if (len > JOIN_PATH_MAX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "its path is longer than %d bytes", JOIN_PATH_MAX);
    if (components(path, len) == 0) /* the tail of everything */
        return 0;
    size_t i = lower_bound(x, n, path, len);
    enum relation f = relate(x, n, i, path, len);
    if (f == UNRELATED)
        i = longest_tail(j, x, n, path, len);
    if (i == n)
        return 0;
    if (x[i].taken)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an earlier image already used the metadata of '%.*s'",
                            (int)x[i].path_len, x[i].path);
    size_t same = same_path(x, n, i), next = i + same;
    if (f == LONGER && relate(x, n, next, path, len) != UNRELATED)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the metadata of '%.*s' and '%.*s' fit equally well",
                            (int)x[i].path_len, x[i].path, (int)x[next].path_len, x[next].path);
    for (size_t k = i; k < next; k++)
        x[k].taken = true;
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
