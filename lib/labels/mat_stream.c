#include "mat_stream.h"

#include <string.h>

#include "util/file.h"

/* --- The file ------------------------------------------------------------------------------- */

/* Makes in[] hold at least one byte. Returns 1, or 0 at the end of the file. */
static int fill_in(struct mat_stream *s, struct mien_err *e)
{
    if (s->in_pos < s->in_len)
        return 1;
    ssize_t n = file_read(s->fd, s->in, sizeof s->in);
    if (n < 0)
        return mien_err_sys(e, "cannot read");
    s->in_pos = 0;
    s->in_len = (size_t)n;
    return n > 0;
}

static int cut_short(const struct mat_stream *s, const char *where, struct mien_err *e)
{
    return mien_err_set(e, MIEN_ERR_FORMAT, "the file is cut short: it ends at byte %llu, in a %s",
                        (unsigned long long)s->file_pos, where);
}

/* The file's bytes of this variable that were read, at least one; none when it has no more. */
static int raw(struct mat_stream *s, const unsigned char **p, size_t *n, struct mien_err *e)
{
    *n = 0;
    if (s->raw_left == 0)
        return 0;
    int rc = fill_in(s, e);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return cut_short(s, "variable", e);
    *p = s->in + s->in_pos;
    *n = s->in_len - s->in_pos;
    if (*n > s->raw_left)
        *n = (size_t)s->raw_left;
    return 0;
}

static void raw_take(struct mat_stream *s, size_t n)
{
    s->in_pos += n;
    s->file_pos += n;
    s->raw_left -= n;
}

/* --- A variable's bytes --------------------------------------------------------------------- */

/* Copies n of those bytes, or as many as there is room for, to out[]. Returns 1, or 0 for none. */
static int copy(struct mat_stream *s, const unsigned char *p, size_t n)
{
    size_t room = sizeof s->out - s->out_len;
    if (n > room)
        n = room;
    if (n == 0)
        return 0;
    memcpy(s->out + s->out_len, p, n);
    raw_take(s, n);
    s->out_len += n;
    return 1;
}

/* Inflates n of those bytes into out[]. Returns 1, or 0 when nothing has come out yet. */
static int inflate_some(struct mat_stream *s, const unsigned char *p, size_t n, struct mien_err *e)
{
    size_t room = sizeof s->out - s->out_len;
    s->z.next_in = (unsigned char *)p;
    s->z.avail_in = (uInt)n;
    s->z.next_out = s->out + s->out_len;
    s->z.avail_out = (uInt)room;
    int rc = inflate(&s->z, Z_NO_FLUSH);
    raw_take(s, n - s->z.avail_in);
    s->inflated = rc == Z_STREAM_END;
    if (rc != Z_STREAM_END && rc != Z_OK)
        return mien_err_set(e, rc == Z_MEM_ERROR ? MIEN_ERR_MEM : MIEN_ERR_FORMAT,
                            "cannot inflate near byte %llu: %s", (unsigned long long)s->file_pos,
                            rc == Z_BUF_ERROR ? "the compressed data are cut short"
                            : s->z.msg        ? s->z.msg
                                              : "the compressed data are damaged");
    s->out_len += room - s->z.avail_out;
    return s->z.avail_out < room;
}

/* Appends more of the variable to out[], at least one byte. Returns 1, or 0 at its end. */
static int fill_out(struct mat_stream *s, struct mien_err *e)
{
    if (s->out_pos > 0) {
        memmove(s->out, s->out + s->out_pos, s->out_len - s->out_pos);
        s->out_len -= s->out_pos;
        s->out_pos = 0;
    }
    for (;;) {
        const unsigned char *p = NULL;
        size_t n;
        if (s->inflating && s->inflated)
            return 0;
        int rc = raw(s, &p, &n, e);
        if (rc < 0)
            return rc;
        if (!s->inflating)
            return copy(s, p, n);
        rc = inflate_some(s, p, n, e);
        if (rc != 0)
            return rc;
    }
}

int mat_stream_fill(struct mat_stream *s, size_t n, struct mien_err *e)
{
    while (s->out_len - s->out_pos < n) {
        int rc = fill_out(s, e);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return mien_err_set(
                e, MIEN_ERR_FORMAT,
                "a variable's data end at byte %llu of the file, before its arrays do",
                (unsigned long long)s->file_pos);
    }
    return 0;
}

int mat_stream_skip(struct mat_stream *s, uint64_t end, struct mien_err *e)
{
    while (s->pos < end) {
        size_t have = s->out_len - s->out_pos;
        const unsigned char *p;
        int rc;
        if (have > end - s->pos)
            have = (size_t)(end - s->pos);
        mat_stream_take(s, have);
        if (s->pos < end && (rc = mat_stream_need(s, 1, &p, e)) < 0)
            return rc;
    }
    return 0;
}

/* --- From variable to variable -------------------------------------------------------------- */

void mat_stream_end(struct mat_stream *s)
{
    if (s->inflating)
        inflateEnd(&s->z);
    s->inflating = s->inflated = false;
}

/* Leaves the current variable: what is left of its inflated bytes, then of the file's. Running to
   the end of a deflate stream also checks its checksum. */
static int leave_variable(struct mat_stream *s, struct mien_err *e)
{
    int rc;
    do {
        s->pos += s->out_len - s->out_pos;
        s->out_pos = s->out_len = 0;
    } while ((rc = fill_out(s, e)) > 0);
    if (rc < 0)
        return rc;
    mat_stream_end(s);
    while (s->raw_left > 0) {
        const unsigned char *p;
        size_t n;
        if ((rc = raw(s, &p, &n, e)) < 0)
            return rc;
        raw_take(s, n);
    }
    return 0;
}

int mat_stream_next(struct mat_stream *s, struct mien_err *e)
{
    unsigned char t[8];
    int rc = leave_variable(s, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof t; i++) {
        if ((rc = fill_in(s, e)) < 0)
            return rc;
        if (rc == 0)
            return i == 0 ? 0 : cut_short(s, "tag", e);
        t[i] = s->in[s->in_pos++];
        s->file_pos++;
    }
    uint32_t type = mat_get32(s, t);
    s->raw_left = mat_get32(s, t + 4);
    if (type == MI_COMPRESSED) {
        s->z = (z_stream){0};
        if (inflateInit(&s->z) != Z_OK)
            return mien_err_mem(e, MAT_CHUNK, "zlib");
        s->inflating = true;
    } else if (type == MI_MATRIX) {
        /* Its tag goes before its data, as it would come out of a deflate stream. */
        memcpy(s->out, t, sizeof t);
        s->out_len = sizeof t;
    } else {
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an element of type %u at byte %llu, not a variable", type,
                            (unsigned long long)(s->file_pos - 8));
    }
    return 1;
}
