/* Reading streams of records: segments with a checksum a record and an end record each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libdeflate.h> /* its CRC-32 is the one of zlib, three times faster */

#include "encoding.h"
#include "mien/buf.h"
#include "mien/record.h"
#include "stream.h"
#include "util/bytes.h"
#include "util/file.h"

/* Fields of a record that is read: programs that add some can write it still. */
enum { MOST_FIELDS = 65000 };

/* Bytes of false records among damage, beyond four times what was read, that are worth a look. */
#define WASTE ((uint64_t)1 << 30)

struct mien_reader {
    int fd;
    size_t limit;
    unsigned char *buf; /* IO_SIZE bytes, of which [at, end) are unread */
    size_t at, end;
    uint64_t offset;   /* of the next unread byte in the stream */
    uint64_t start;    /* where reading began: not 0 for a range */
    uint64_t left;     /* bytes of the range that weren't asked for yet */
    uint64_t total;    /* records so far */
    uint64_t segment;  /* records since the last end record */
    uint64_t segments; /* end records so far */
    bool ended;        /* an end record was the last thing read */
    struct history history;

    struct reader_raw raw; /* the last record */
    void (*segment_read)(void *ctx, const struct mien_segment *s);
    void *ctx;
    uint64_t segment_start; /* its offset */

    /* Going on behind damage, what is read goes through here: it may have to be read again. */
    bool resync;
    struct mien_buf held; /* from held_at on */
    size_t held_at;
    uint64_t skipped; /* bytes */
    uint64_t wasted;  /* bytes whose checksum was wrong */
};

struct mien_reader *mien_reader_new(int fd, size_t limit, struct mien_err *e)
{
    struct mien_reader *rd = calloc(1, sizeof *rd);
    if (rd == NULL || (rd->buf = malloc(IO_SIZE)) == NULL) {
        free(rd);
        mien_err_mem(e, IO_SIZE, "a read buffer");
        return NULL;
    }
    rd->fd = fd;
    rd->limit = limit == 0 ? MIEN_RECORD_LIMIT : limit;
    rd->left = UINT64_MAX;
    file_widen_pipe(fd);
    return rd;
}

void mien_reader_free(struct mien_reader *rd)
{
    if (rd == NULL)
        return;
    mien_buf_free(&rd->held);
    free(rd->buf);
    free(rd);
}

int mien_reader_range(struct mien_reader *rd, uint64_t offset, uint64_t bytes, struct mien_err *e)
{
    if (offset > INT64_MAX || lseek(rd->fd, (off_t)offset, SEEK_SET) < 0)
        return mien_err_sys(e, "cannot seek to byte %llu of the input", (unsigned long long)offset);
    rd->offset = rd->start = rd->segment_start = offset;
    rd->left = bytes;
    return 0;
}

void mien_reader_on_segment(struct mien_reader *rd,
                            void (*fn)(void *ctx, const struct mien_segment *s), void *ctx)
{
    rd->segment_read = fn;
    rd->ctx = ctx;
}

const struct reader_raw *reader_raw(const struct mien_reader *rd)
{
    return &rd->raw;
}

/* Reads up to n bytes of what the range has left. */
static ssize_t read_some(struct mien_reader *rd, void *p, size_t n)
{
    if (n > rd->left)
        n = (size_t)rd->left;
    ssize_t k = n > 0 ? file_read_some(rd->fd, p, n) : 0;
    if (k > 0)
        rd->left -= (uint64_t)k;
    return k;
}

void reader_begin_with(struct mien_reader *rd, const void *head, size_t n)
{
    memcpy(rd->buf, head, n);
    rd->at = 0;
    rd->end = n;
}

/* Copies the next n bytes to p. Returns how many there were before the input ended, or
   MIEN_ERR_SYS. */
static ssize_t take(struct mien_reader *rd, void *p, size_t n)
{
    unsigned char *out = p;
    size_t done = 0;
    while (done < n) {
        if (rd->at < rd->end) {
            size_t k = rd->end - rd->at < n - done ? rd->end - rd->at : n - done;
            memcpy(out + done, rd->buf + rd->at, k);
            rd->at += k;
            done += k;
            continue;
        }
        /* A large remainder goes straight to its place; a small one through the buffer. */
        bool direct = n - done >= IO_SIZE / 2;
        ssize_t k = direct ? read_some(rd, out + done, n - done) : read_some(rd, rd->buf, IO_SIZE);
        if (k < 0)
            return k;
        if (k == 0)
            break;
        if (direct) {
            done += (size_t)k;
        } else {
            rd->at = 0;
            rd->end = (size_t)k;
        }
    }
    rd->offset += done;
    return (ssize_t)done;
}

static int cannot_read(const struct mien_reader *rd, struct mien_err *e)
{
    return mien_err_sys(e, "cannot read at byte %llu", (unsigned long long)rd->offset);
}

static int broken(struct mien_err *e, int code, uint64_t offset, const char *why)
{
    return mien_err_set(e, code, "broken stream at byte %llu: %s", (unsigned long long)offset, why);
}

static int cut_short(const struct mien_reader *rd, struct mien_err *e)
{
    if (rd->left == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the range ends at byte %llu, in the middle of a segment",
                            (unsigned long long)rd->offset);
    return mien_err_set(e, MIEN_ERR_FORMAT,
                        "the stream is cut short at byte %llu, after %llu whole records: "
                        "no end record, so the program that wrote it has failed",
                        (unsigned long long)rd->offset, (unsigned long long)rd->total);
}

/* Where the first byte of what is held, or else the next one, stands in the stream. */
static uint64_t held_offset(const struct mien_reader *rd)
{
    return rd->offset - (rd->held.len - rd->held_at);
}

/* The end record's count must be that of the records before it. */
static int end_segment(struct mien_reader *rd, const struct mien_rec *r, uint64_t offset,
                       struct mien_err *e)
{
    const struct mien_field *f = mien_rec_find(r, MIEN_TAG_COUNT);
    if (f == NULL)
        return broken(e, MIEN_ERR_FORMAT, offset, "an end record without its count");
    uint64_t count = get_le64(f->data), segment = rd->segment;
    rd->segment = 0;
    rd->ended = true;
    if (count != segment)
        return mien_err_set(
            e, MIEN_ERR_FORMAT,
            "broken stream at byte %llu: the end record counts %llu records, not %llu",
            (unsigned long long)offset, (unsigned long long)count, (unsigned long long)segment);
    size_t len;
    const char *history = mien_rec_text(r, MIEN_TAG_HISTORY, &len);
    if (history != NULL)
        history_merge(&rd->history, history, len);
    rd->segments++;
    uint64_t end = held_offset(rd);
    if (rd->segment_read != NULL)
        rd->segment_read(rd->ctx,
                         &(struct mien_segment){rd->segment_start, end - rd->segment_start, count});
    rd->segment_start = end;
    return 0;
}

/* Checks the n bytes, fewer than HEADER only at the end of input, of the header at offset. */
static int check_head(const struct mien_reader *rd, const unsigned char *head, size_t n,
                      uint64_t offset, struct mien_err *e)
{
    if (memcmp(head, "MIEN", n < 4 ? n : 4) != 0)
        return broken(e, MIEN_ERR_FORMAT, offset,
                      offset == 0 ? "this is not a stream of mien records"
                                  : "no record begins here");
    if (n < HEADER)
        return cut_short(rd, e);
    if (head[4] != VERSION)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "record at byte %llu has version %u, this program reads %d",
                            (unsigned long long)offset, head[4], VERSION);
    if (head[5] > KIND_END)
        return broken(e, MIEN_ERR_FORMAT, offset, "a record of an unknown kind");
    size_t len = get_le32(head + 8);
    unsigned nfield = get_le16(head + 6);
    if (len > rd->limit)
        return mien_err_set(
            e, MIEN_ERR_LIMIT, "record %llu at byte %llu has %zu bytes, more than the limit of %zu",
            (unsigned long long)rd->total + 1, (unsigned long long)offset, len, rd->limit);
    if (nfield > MOST_FIELDS)
        return mien_err_set(
            e, MIEN_ERR_LIMIT, "record %llu at byte %llu has %u fields, more than the limit of %d",
            (unsigned long long)rd->total + 1, (unsigned long long)offset, nfield, MOST_FIELDS);
    return 0;
}

static bool right_checksum(const unsigned char *head, const unsigned char *body)
{
    uint32_t crc = libdeflate_crc32(0, head, 12);
    return libdeflate_crc32(crc, body, get_le32(head + 8)) == get_le32(head + 12);
}

static int wrong_checksum(uint64_t offset, struct mien_err *e)
{
    return broken(e, MIEN_ERR_FORMAT, offset, "a record's checksum is wrong");
}

/* Finds the fields of the body, which rec_body gave. */
static int decode(struct mien_rec *r, const unsigned char *head, const unsigned char *body,
                  uint64_t offset, struct mien_err *e)
{
    struct mien_err why = {{0}};
    int rc = rec_decode(r, body, get_le32(head + 8), get_le16(head + 6), &why);
    return rc < 0 ? broken(e, rc, offset, why.msg) : 0;
}

/* Reads the body announced by a header into r and checks it. */
static int read_body(struct mien_reader *rd, const unsigned char *head, struct mien_rec *r,
                     uint64_t offset, struct mien_err *e)
{
    size_t len = get_le32(head + 8);
    unsigned char *body = rec_body(r, len);
    if (body == NULL)
        return mien_err_mem(e, len, "a record");
    ssize_t k = take(rd, body, len);
    if (k < 0)
        return cannot_read(rd, e);
    if ((size_t)k < len)
        return cut_short(rd, e);
    memcpy(rd->raw.head, head, HEADER);
    rd->raw.body = body;
    rd->raw.len = len;
    return right_checksum(head, body) ? decode(r, head, body, offset, e)
                                      : wrong_checksum(offset, e);
}

/* Counts a record that was read. Returns 1 for one to deliver, 0 for an end record, or a negative
   code. */
static int arrive(struct mien_reader *rd, int kind, const struct mien_rec *r, uint64_t offset,
                  struct mien_err *e)
{
    if (kind == KIND_END)
        return end_segment(rd, r, offset, e);
    rd->ended = false;
    rd->segment++;
    rd->total++;
    return 1;
}

static int empty(const struct mien_reader *rd, struct mien_err *e)
{
    if (rd->start > 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the input has no byte %llu, where the range begins",
                            (unsigned long long)rd->start);
    return mien_err_set(e, MIEN_ERR_FORMAT,
                        "no input: the program that should have written it has probably failed");
}

/* --- Going on behind damage ---------------------------------------------------------------- */

void mien_reader_resync(struct mien_reader *rd)
{
    rd->resync = true;
}

uint64_t mien_reader_skipped(const struct mien_reader *rd)
{
    return rd->skipped;
}

/* Holds the next n bytes in one piece, and what else has arrived. Returns how many are held, fewer
   than n only at the end of input, or a negative code. */
static ssize_t hold(struct mien_reader *rd, size_t n, struct mien_err *e)
{
    struct mien_buf *b = &rd->held;
    size_t have = b->len - rd->held_at, arrived = rd->end - rd->at;
    if (have >= n)
        return (ssize_t)have;
    if (rd->held_at > 0)
        memmove(b->data, b->data + rd->held_at, have);
    b->len = have;
    rd->held_at = 0;
    size_t want = n - have > arrived ? n - have : arrived;
    if (mien_buf_reserve(b, want) < 0)
        return mien_err_mem(e, n, "a record");
    ssize_t k = take(rd, b->data + have, want);
    if (k < 0)
        return cannot_read(rd, e);
    b->len += (size_t)k;
    return (ssize_t)b->len;
}

/* Looks for a whole record at this very place. Returns its bytes, with the record in r, still held;
   0 at the end of input; MIEN_ERR_FORMAT when none begins here; or another negative code. */
static ssize_t look(struct mien_reader *rd, struct mien_rec *r, struct mien_err *e)
{
    uint64_t offset = held_offset(rd);
    ssize_t n = hold(rd, HEADER, e);
    if (n <= 0)
        return n;
    if (check_head(rd, rd->held.data + rd->held_at, (size_t)n, offset, e) < 0)
        return MIEN_ERR_FORMAT;
    size_t len = get_le32(rd->held.data + rd->held_at + 8);
    n = hold(rd, HEADER + len, e);
    if (n < 0)
        return n;
    if ((size_t)n < HEADER + len)
        return cut_short(rd, e);
    const unsigned char *head = rd->held.data + rd->held_at;
    if (!right_checksum(head, head + HEADER)) {
        rd->wasted += len;
        return wrong_checksum(offset, e);
    }
    mien_rec_clear(r);
    unsigned char *body = rec_body(r, len);
    if (body == NULL)
        return mien_err_mem(e, len, "a record");
    memcpy(body, head + HEADER, len);
    int rc = decode(r, head, body, offset, e);
    return rc < 0 ? rc : (ssize_t)(HEADER + len);
}

/* Skips to the next byte that a record may begin with, or to the end of input. */
static int skip(struct mien_reader *rd, struct mien_err *e)
{
    rd->held_at++;
    for (;;) {
        ssize_t n = hold(rd, 1, e);
        if (n <= 0)
            return (int)n;
        const unsigned char *p = rd->held.data + rd->held_at, *m = memchr(p, 'M', (size_t)n);
        rd->held_at += m != NULL ? (size_t)(m - p) : (size_t)n;
        if (m != NULL)
            return 0;
    }
}

/* What was skipped, from a place on, and why. */
static int say_skipped(struct mien_reader *rd, uint64_t from, const struct mien_err *why,
                       struct mien_err *e)
{
    uint64_t to = held_offset(rd);
    rd->skipped += to - from;
    return mien_err_set(e, MIEN_ERR_FORMAT, "skipped %llu bytes, up to byte %llu: %s",
                        (unsigned long long)(to - from), (unsigned long long)to, why->msg);
}

/* mien_read, going on behind damage. */
static int read_resync(struct mien_reader *rd, struct mien_rec *r, struct mien_err *e)
{
    struct mien_err why, later;
    uint64_t from = held_offset(rd);
    bool damaged = false;
    for (;;) {
        ssize_t n = look(rd, r, damaged ? &later : &why);
        if (n == MIEN_ERR_FORMAT) {
            damaged = true;
            int rc = skip(rd, e);
            if (rc < 0)
                return rc;
            if (rd->wasted > WASTE + 4 * rd->offset)
                return mien_err_set(e, MIEN_ERR_LIMIT, "too many false records up to byte %llu",
                                    (unsigned long long)held_offset(rd));
            continue;
        }
        if (n < 0)
            return mien_err_set(e, (int)n, "%s", damaged ? later.msg : why.msg);
        if (n == 0 && !damaged && rd->ended)
            return 0;
        if (n == 0)
            rd->ended = true;
        if (damaged)
            return say_skipped(rd, from, &why, e);
        if (n == 0)
            return from == rd->start ? empty(rd, e) : cut_short(rd, e);
        int kind = rd->held.data[rd->held_at + 5];
        rd->held_at += (size_t)n;
        int rc = arrive(rd, kind, r, from, e);
        if (rc != 0)
            return rc;
        from = held_offset(rd);
    }
}

/* ------------------------------------------------------------------------------------------- */

int mien_read(struct mien_reader *rd, struct mien_rec *r, struct mien_err *e)
{
    while (!rd->resync) {
        unsigned char head[HEADER];
        uint64_t offset = rd->offset;
        mien_rec_clear(r);
        ssize_t k = take(rd, head, HEADER);
        if (k < 0)
            return cannot_read(rd, e);
        if (k == 0 && rd->ended)
            return 0;
        if (k == 0 && offset == rd->start)
            return empty(rd, e);
        int rc;
        if ((rc = check_head(rd, head, (size_t)k, offset, e)) < 0 ||
            (rc = read_body(rd, head, r, offset, e)) < 0 ||
            (rc = arrive(rd, head[5], r, offset, e)) != 0)
            return rc;
    }
    return read_resync(rd, r, e);
}

bool mien_reader_has_one(const struct mien_reader *rd)
{
    const unsigned char *head = rd->buf + rd->at;
    size_t n = rd->end - rd->at;
    return n >= HEADER && head[5] == KIND_RECORD && n - HEADER >= get_le32(head + 8);
}

const char *mien_reader_history(const struct mien_reader *rd)
{
    return rd->history.text;
}

uint64_t mien_reader_count(const struct mien_reader *rd)
{
    return rd->total;
}

uint64_t mien_reader_segments(const struct mien_reader *rd)
{
    return rd->segments;
}

uint64_t mien_reader_bytes(const struct mien_reader *rd)
{
    return held_offset(rd) - rd->start;
}
