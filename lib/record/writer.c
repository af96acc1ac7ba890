/* Writing streams of records. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <libdeflate.h>

#include "encoding.h"
#include "mien/buf.h"
#include "mien/record.h"
#include "stream.h"
#include "util/bytes.h"
#include "util/file.h"

#define BIG ((size_t)4096) /* data from here on are written from where they lie */

struct mien_writer {
    int fd;
    uint64_t count; /* records, and those of the segment that isn't ended */
    uint64_t inside;
    uint64_t segment; /* records of a segment; 0: all */
    struct history history;
    unsigned char *buf; /* IO_SIZE bytes, of which len are held back */
    size_t len;
    struct mien_buf head; /* the parts of a record that are not written from where they lie */
    struct mien_buf
        pieces; /* struct iovec[]: the record in order, pointing into head and its fields */
};

struct mien_writer *mien_writer_new(int fd, struct mien_err *e)
{
    struct mien_writer *w = calloc(1, sizeof *w);
    if (w == NULL || (w->buf = malloc(IO_SIZE)) == NULL) {
        free(w);
        mien_err_mem(e, IO_SIZE, "a write buffer");
        return NULL;
    }
    w->fd = fd;
    file_widen_pipe(fd);
    return w;
}

void mien_writer_free(struct mien_writer *w)
{
    if (w == NULL)
        return;
    mien_buf_free(&w->head);
    mien_buf_free(&w->pieces);
    free(w->buf);
    free(w);
}

uint64_t mien_writer_count(const struct mien_writer *w)
{
    return w->count;
}

int mien_writer_flush(struct mien_writer *w, struct mien_err *e)
{
    if (file_write(w->fd, w->buf, w->len) < 0)
        return mien_err_sys(e, "cannot write");
    w->len = 0;
    return 0;
}

static int add_piece(struct mien_writer *w, const void *data, size_t len)
{
    struct iovec v = {(void *)data, len};
    return len == 0 ? 0 : mien_buf_append(&w->pieces, &v, sizeof v);
}

/* Lays the record out as pieces behind a header that is still blank. Returns its body's length,
   or MIEN_ERR_MEM. */
static long long gather(struct mien_writer *w, const struct mien_rec *r)
{
    static const unsigned char zero[HEADER];
    size_t need = HEADER, big = 0;
    for (size_t i = 0; i < r->nfield; i++)
        need += 32 + (r->field[i].len < BIG ? (size_t)r->field[i].len : 0);
    mien_buf_clear(&w->head);
    mien_buf_clear(&w->pieces);
    if (mien_buf_reserve(&w->head, need) < 0) /* so that head stays where it is */
        return MIEN_ERR_MEM;
    mien_buf_append(&w->head, zero, HEADER);
    size_t from = 0; /* where in head the piece being made begins */
    for (size_t i = 0; i < r->nfield; i++) {
        const struct mien_field *f = &r->field[i];
        if (rec_field_head(f, &w->head) < 0)
            return MIEN_ERR_MEM;
        if (f->len < BIG) {
            mien_buf_append(&w->head, f->data, f->len);
        } else {
            if (add_piece(w, w->head.data + from, w->head.len - from) < 0 ||
                add_piece(w, f->data, f->len) < 0)
                return MIEN_ERR_MEM;
            from = w->head.len;
            big += f->len;
        }
        mien_buf_append(&w->head, zero, (8 - f->len % 8) % 8);
    }
    if (add_piece(w, w->head.data + from, w->head.len - from) < 0)
        return MIEN_ERR_MEM;
    return (long long)(big + w->head.len - HEADER);
}

/* Writes n vectors whole. */
static int write_vectors(int fd, struct iovec *v, size_t n)
{
    while (n > 0) {
        ssize_t k = writev(fd, v, n < 64 ? (int)n : 64);
        if (k < 0 && file_again(fd, POLLOUT))
            continue;
        if (k < 0)
            return MIEN_ERR_SYS;
        for (; n > 0 && (size_t)k >= v->iov_len; v++, n--)
            k -= (ssize_t)v->iov_len;
        if (n > 0) {
            v->iov_base = (char *)v->iov_base + k;
            v->iov_len -= (size_t)k;
        }
    }
    return 0;
}

static int write_record(struct mien_writer *w, const struct mien_rec *r, struct mien_err *e)
{
    long long body = gather(w, r);
    if (body < 0)
        return mien_err_mem(e, w->head.cap, "a record");
    if (body > UINT32_MAX - HEADER)
        return mien_err_set(e, MIEN_ERR_LIMIT, "a record of %lld bytes is too large for the format",
                            body);
    unsigned char *head = w->head.data;
    memcpy(head, "MIEN", 4);
    head[4] = VERSION;
    head[5] = KIND_RECORD;
    put_le16(head + 6, (uint16_t)r->nfield);
    put_le32(head + 8, (uint32_t)body);

    struct iovec *v = (struct iovec *)(void *)w->pieces.data;
    size_t n = w->pieces.len / sizeof *v, total = HEADER + (size_t)body;
    uint32_t crc = libdeflate_crc32(0, head, 12);
    for (size_t i = 0; i < n; i++) {
        size_t skip = i == 0 ? HEADER : 0;
        crc =
            libdeflate_crc32(crc, (const unsigned char *)v[i].iov_base + skip, v[i].iov_len - skip);
    }
    put_le32(head + 12, crc);

    if (total > IO_SIZE - w->len && mien_writer_flush(w, e) < 0)
        return MIEN_ERR_SYS;
    if (total <= IO_SIZE / 4) {
        for (size_t i = 0; i < n; i++) {
            memcpy(w->buf + w->len, v[i].iov_base, v[i].iov_len);
            w->len += v[i].iov_len;
        }
        return 0;
    }
    if (mien_writer_flush(w, e) < 0)
        return MIEN_ERR_SYS;
    return write_vectors(w->fd, v, n) < 0 ? mien_err_sys(e, "cannot write") : 0;
}

size_t stream_end_record(uint64_t records, const struct history *h, unsigned char out[END_RECORD])
{
    size_t text = strlen(h->text), len = HEADER + 16;
    memset(out, 0, END_RECORD);
    memcpy(out, "MIEN", 4);
    out[4] = VERSION;
    out[5] = KIND_END;
    put_le16(out + HEADER, MIEN_TAG_COUNT);
    out[HEADER + 2] = MIEN_U64;
    put_le32(out + HEADER + 4, 8);
    put_le64(out + HEADER + 8, records);
    if (text > 0) {
        put_le16(out + len, MIEN_TAG_HISTORY);
        out[len + 2] = MIEN_TEXT;
        put_le32(out + len + 4, (uint32_t)text);
        memcpy(out + len + 8, h->text, text);
        len += 8 + (text + 7) / 8 * 8;
    }
    put_le16(out + 6, text > 0 ? 2 : 1);
    put_le32(out + 8, (uint32_t)(len - HEADER));
    uint32_t crc = libdeflate_crc32(0, out, 12);
    put_le32(out + 12, libdeflate_crc32(crc, out + HEADER, len - HEADER));
    return len;
}

static int end_segment(struct mien_writer *w, struct mien_err *e)
{
    if (END_RECORD > IO_SIZE - w->len && mien_writer_flush(w, e) < 0)
        return MIEN_ERR_SYS;
    w->len += stream_end_record(w->inside, &w->history, w->buf + w->len);
    w->inside = 0;
    return 0;
}

void mien_writer_history(struct mien_writer *w, const char *history, const char *step)
{
    w->history.text[0] = '\0';
    history_merge(&w->history, history, strlen(history));
    if (step[0] != '\0')
        history_step(&w->history, step);
}

void mien_writer_segment(struct mien_writer *w, uint64_t records)
{
    w->segment = records;
}

int mien_write(struct mien_writer *w, const struct mien_rec *r, struct mien_err *e)
{
    if (r->failed && !mien_rec_has(r, MIEN_TAG_ERROR))
        return mien_err_mem(e, sizeof e->msg, "what is wrong with a record");
    int rc = write_record(w, r, e);
    if (rc < 0)
        return rc;
    w->count++;
    w->inside++;
    return w->inside == w->segment ? end_segment(w, e) : 0;
}

int mien_writer_end(struct mien_writer *w, struct mien_err *e)
{
    bool whole = w->segment != 0 && w->count > 0 && w->inside == 0; /* no empty segment behind it */
    int rc = whole ? 0 : end_segment(w, e);
    return rc < 0 ? rc : mien_writer_flush(w, e);
}
