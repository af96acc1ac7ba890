#include "shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/aligned.h"
#include "util/file.h"

#define BUFFERS  ((size_t)56 << 20)
#define SMALLEST ((size_t)4 << 10)
#define LARGEST  ((size_t)256 << 10)
_Static_assert(END_RECORD <= SMALLEST, "an end record fits a buffer");

#define NO_SHARD UINT32_MAX

/* Files at once, at most, and descriptors that are left for others: 1000 shards are open at once
   where the system allows 1024. */
enum { OPEN = 10000, SPARE = 16 };

/* A size in the heap is a shard's bytes, fewer than 2^47, and its number, which decides between
   shards of the same bytes. */
enum { NUMBER_BITS = 17 };
_Static_assert(SHARDS_MAX <= 1 << NUMBER_BITS, "a number fits");

struct shard {
    unsigned char *buf;
    size_t len;               /* bytes in it */
    bool made;                /* its file */
    uint64_t records, inside; /* inside: the segment that isn't ended */
};

/* A slot of the table of keys. */
struct key {
    uint64_t key;
    uint32_t shard; /* NO_SHARD: the slot is free */
};

struct shards {
    const char *path;
    size_t n, size; /* size: of a buffer */
    uint64_t segment;
    struct history history;
    bool rests; /* files are too many to be open at once */
    unsigned char *bufs;
    struct shard *shard;
    struct file_out *out;
    uint64_t *heap;  /* of sizes: none is less than the one at (i - 1) / 2 */
    uint32_t *place; /* of each shard's size in it */
    struct key *keys;
    size_t nkey, nslot; /* nslot: a power of two */
};

static bool too_many_to_open(size_t n)
{
    long most = sysconf(_SC_OPEN_MAX); /* -1: no limit */
    return n > OPEN || (most >= 0 && n + SPARE > (size_t)most);
}

struct shards *shards_new(const char *path, int n, uint64_t segment, struct mien_err *e)
{
    struct shards *s = calloc(1, sizeof *s);
    if (s == NULL)
        goto no_memory;
    size_t each = BUFFERS / (size_t)n;
    s->path = path;
    s->n = (size_t)n;
    s->size = each > LARGEST ? LARGEST : each < SMALLEST ? SMALLEST : each;
    s->segment = segment;
    s->rests = too_many_to_open(s->n);
    s->bufs = aligned_new(s->n, s->size);
    s->shard = calloc(s->n, sizeof *s->shard);
    s->out = calloc(s->n, sizeof *s->out);
    s->heap = calloc(s->n, sizeof *s->heap);
    s->place = calloc(s->n, sizeof *s->place);
    if (s->bufs == NULL || s->shard == NULL || s->out == NULL || s->heap == NULL ||
        s->place == NULL)
        goto no_memory;
    for (size_t i = 0; i < s->n; i++) {
        s->shard[i].buf = s->bufs + i * s->size;
        s->out[i].fd = -1;
        s->heap[i] = s->place[i] = (uint32_t)i;
    }
    return s;
no_memory:
    mien_err_mem(e, BUFFERS, "shards");
    shards_free(s);
    return NULL;
}

void shards_free(struct shards *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->out != NULL && i < s->n; i++)
        file_abort(&s->out[i]);
    free(s->bufs);
    free(s->shard);
    free(s->out);
    free(s->heap);
    free(s->place);
    free(s->keys);
    free(s);
}

/* --- Files --------------------------------------------------------------------------------- */

static int make(struct shards *s, size_t i, struct mien_err *e)
{
    const char *slash = strrchr(s->path, '/'), *dot = strrchr(s->path, '.');
    size_t all = strlen(s->path), stem = all, size = all + 16;
    if (dot != NULL && dot > (slash != NULL ? slash + 1 : s->path))
        stem = (size_t)(dot - s->path);
    char *name = malloc(size);
    if (name == NULL)
        return mien_err_mem(e, size, "a file name");
    snprintf(name, size, "%.*s-%0*zu%s", (int)stem, s->path, snprintf(NULL, 0, "%zu", s->n), i + 1,
             s->path + stem);
    int rc = file_create(&s->out[i], name, e);
    free(name);
    s->shard[i].made = rc == 0;
    return rc;
}

/* Writes the buffer of a shard and, behind it, n bytes of two parts. */
static int write_out(struct shards *s, size_t i, const struct reader_raw *r, struct mien_err *e)
{
    struct shard *x = &s->shard[i];
    struct file_out *o = &s->out[i];
    int rc = x->made ? file_wake(o, e) : make(s, i, e);
    if (rc < 0)
        return rc;
    if (file_write(o->fd, x->buf, x->len) < 0 ||
        (r != NULL &&
         (file_write(o->fd, r->head, HEADER) < 0 || file_write(o->fd, r->body, r->len) < 0)))
        return mien_err_sys(e, "cannot write '%s'", o->path);
    x->len = 0;
    return s->rests ? file_rest(o, e) : 0;
}

static int end_segment(struct shards *s, size_t i, struct mien_err *e)
{
    struct shard *x = &s->shard[i];
    int rc = s->size - x->len < END_RECORD ? write_out(s, i, NULL, e) : 0;
    if (rc < 0)
        return rc;
    x->len += stream_end_record(x->inside, &s->history, x->buf + x->len);
    x->inside = 0;
    return 0;
}

int shards_end(struct shards *s, const struct mien_reader *rd, struct mien_err *e)
{
    history_merge(&s->history, mien_reader_history(rd), strlen(mien_reader_history(rd)));
    struct mien_err why;
    size_t done = 0;
    int rc = 0;
    for (size_t i = 0; i < s->n && rc == 0; i++) {
        if (s->shard[i].inside > 0 || s->shard[i].records == 0)
            rc = end_segment(s, i, e);
        if (rc == 0)
            rc = write_out(s, i, NULL, e);
    }
    if (rc < 0)
        return rc;
    rc = file_commit_all(s->out, s->n, &done, &why);
    if (rc < 0 && done > 0)
        return mien_err_set(e, rc, "%s; %zu of %zu shards are new", why.msg, done, s->n);
    return rc < 0 ? mien_err_set(e, rc, "%s", why.msg) : 0;
}

/* --- Balance ------------------------------------------------------------------------------- */

static uint32_t number(uint64_t size)
{
    return (uint32_t)size & ((1u << NUMBER_BITS) - 1);
}

/* Adds n bytes to shard x, and moves its size to where it belongs. */
static void enlarge(struct shards *s, uint32_t x, size_t n)
{
    uint64_t *heap = s->heap;
    size_t i = s->place[x];
    uint64_t size = heap[i] + ((uint64_t)n << NUMBER_BITS);
    for (size_t child; (child = 2 * i + 1) < s->n; i = child) {
        child += child + 1 < s->n && heap[child + 1] < heap[child];
        if (size < heap[child])
            break;
        heap[i] = heap[child];
        s->place[number(heap[i])] = (uint32_t)i;
    }
    heap[i] = size;
    s->place[x] = (uint32_t)i;
}

/* Makes room for another key. */
static int grow(struct shards *s, struct mien_err *e)
{
    size_t nslot = s->nslot > 0 ? 2 * s->nslot : 1024;
    struct key *keys = malloc(nslot * sizeof *keys);
    if (keys == NULL)
        return mien_err_mem(e, nslot * sizeof *keys, "keys");
    for (size_t i = 0; i < nslot; i++)
        keys[i].shard = NO_SHARD;
    for (size_t i = 0; i < s->nslot; i++) {
        size_t at = (size_t)s->keys[i].key & (nslot - 1); /* a power of two */
        /* NOLINTNEXTLINE(clang-analyzer-core.*): all slots have a shard since the loop above */
        while (s->keys[i].shard != NO_SHARD && keys[at].shard != NO_SHARD)
            at = (at + 1) & (nslot - 1);
        if (s->keys[i].shard != NO_SHARD)
            keys[at] = s->keys[i];
    }
    free(s->keys);
    s->keys = keys;
    s->nslot = nslot;
    return 0;
}

/* The shard of a key, or a negative code. */
static long long shard_of(struct shards *s, uint64_t key, struct mien_err *e)
{
    if (3 * s->nkey >= 2 * s->nslot && grow(s, e) < 0)
        return MIEN_ERR_MEM;
    size_t at = (size_t)key & (s->nslot - 1);
    /* NOLINTNEXTLINE(clang-analyzer-core.*): as grow has made them */
    while (s->keys[at].shard != NO_SHARD && s->keys[at].key != key)
        at = (at + 1) & (s->nslot - 1);
    if (s->keys[at].shard == NO_SHARD) {
        s->keys[at] = (struct key){key, number(s->heap[0])};
        s->nkey++;
    }
    return s->keys[at].shard;
}

/* Fetches the place in a buffer where a small record will go: of many buffers it isn't in the
   cache, and meanwhile the record is read. */
static void prefetch(const struct shard *x)
{
    enum { LINE = 64, LINES = 3 };
    for (size_t i = 0; i < LINES; i++)
        __builtin_prefetch(x->buf + x->len + i * LINE, 1);
}

int shards_add(struct shards *s, const struct reader_raw *r, const uint64_t *key,
               struct mien_err *e)
{
    long long i = key != NULL ? shard_of(s, *key, e) : (long long)number(s->heap[0]);
    if (i < 0)
        return (int)i;
    struct shard *x = &s->shard[i];
    size_t n = HEADER + r->len;
    bool fits = n <= s->size - x->len;
    int rc = 0;
    if (!fits)
        rc = write_out(s, (size_t)i, n > s->size / 2 ? r : NULL, e);
    if (rc < 0)
        return rc;
    if (fits || n <= s->size / 2) {
        memcpy(x->buf + x->len, r->head, HEADER);
        memcpy(x->buf + x->len + HEADER, r->body, r->len);
        x->len += n;
    }
    enlarge(s, (uint32_t)i, n);
    prefetch(&s->shard[number(s->heap[0])]);
    x->records++;
    x->inside++;
    return x->inside == s->segment ? end_segment(s, (size_t)i, e) : 0;
}

struct shards_range shards_range(const struct shards *s)
{
    struct shards_range g = {{UINT64_MAX, 0}, {UINT64_MAX, 0}};
    for (size_t i = 0; i < s->n; i++) {
        const struct shard *x = &s->shard[i];
        uint64_t bytes = s->heap[s->place[i]] >> NUMBER_BITS;
        g.records[0] = x->records < g.records[0] ? x->records : g.records[0];
        g.records[1] = x->records > g.records[1] ? x->records : g.records[1];
        g.bytes[0] = bytes < g.bytes[0] ? bytes : g.bytes[0];
        g.bytes[1] = bytes > g.bytes[1] ? bytes : g.bytes[1];
    }
    return g;
}
