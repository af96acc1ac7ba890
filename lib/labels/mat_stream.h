/*
 * The bytes of a MATLAB 5 file, variable by variable: inside mat.c.
 *
 * A variable is a matrix element as it stands in the file, or one that a deflate stream holds;
 * either way its bytes come out here, the element's tag first, as many at a time as are asked for.
 */
#ifndef MIEN_LABELS_MAT_STREAM_H
#define MIEN_LABELS_MAT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "mien/err.h"
#include "util/bytes.h"

#define MAT_CHUNK 65536 /* bytes that are read and inflated at a time */

/* The format's codes for how data are stored. */
enum {
    MI_INT8 = 1,
    MI_UINT8 = 2,
    MI_INT16 = 3,
    MI_UINT16 = 4,
    MI_INT32 = 5,
    MI_UINT32 = 6,
    MI_SINGLE = 7,
    MI_DOUBLE = 9,
    MI_INT64 = 12,
    MI_UINT64 = 13,
    MI_MATRIX = 14,
    MI_COMPRESSED = 15,
    MI_UTF8 = 16,
    MI_UTF16 = 17,
    MI_UTF32 = 18
};

/* Zeroed but for fd and big, the file's header having been read, it is at the first variable. */
struct mat_stream {
    int fd;
    bool big;          /* big-endian */
    uint64_t file_pos; /* bytes taken from the file */
    uint64_t pos;      /* bytes of variables consumed: positions count in these */

    /* The rest is mat_stream.c's. */
    uint64_t raw_left; /* bytes of the file left to the variable */
    bool inflating;
    bool inflated; /* the variable's deflate stream has come to its end */
    z_stream z;
    size_t in_pos, in_len;
    size_t out_pos, out_len;
    unsigned char in[MAT_CHUNK];
    unsigned char out[2 * MAT_CHUNK]; /* MAT_CHUNK bytes can always lie in one piece */
};

/* Leaves the current variable and comes to the next one's tag. Returns 1, 0 at the end of the file,
   MIEN_ERR_FORMAT, MIEN_ERR_SYS or MIEN_ERR_MEM, as the others do. */
MIEN_CHECKED int mat_stream_next(struct mat_stream *s, struct mien_err *e);

/* Has at least the next n bytes of the variable, at most MAT_CHUNK, in out. Returns 0 or a negative
   code, also when there are fewer. */
MIEN_CHECKED int mat_stream_fill(struct mat_stream *s, size_t n, struct mien_err *e);

/* Makes the next n bytes of the variable, at most MAT_CHUNK, contiguous: *p points to them, until
   the next call. They are not consumed. Returns as mat_stream_fill. Inline, as the next one: they
   are called several times a number. */
MIEN_CHECKED static inline int mat_stream_need(struct mat_stream *s, size_t n,
                                               const unsigned char **p, struct mien_err *e)
{
    int rc = s->out_len - s->out_pos >= n ? 0 : mat_stream_fill(s, n, e);
    *p = s->out + s->out_pos;
    return rc;
}

/* Consumes n bytes, which mat_stream_need has shown. */
static inline void mat_stream_take(struct mat_stream *s, size_t n)
{
    s->out_pos += n;
    s->pos += n;
}

/* Consumes what there is up to position end. Returns as mat_stream_need. */
MIEN_CHECKED int mat_stream_skip(struct mat_stream *s, uint64_t end, struct mien_err *e);

void mat_stream_end(struct mat_stream *s);

/* Numbers in the file's byte order. */
static inline uint16_t mat_get16(const struct mat_stream *s, const unsigned char *p)
{
    return s->big ? __builtin_bswap16(get_le16(p)) : get_le16(p);
}

static inline uint32_t mat_get32(const struct mat_stream *s, const unsigned char *p)
{
    return s->big ? __builtin_bswap32(get_le32(p)) : get_le32(p);
}

static inline uint64_t mat_get64(const struct mat_stream *s, const unsigned char *p)
{
    return s->big ? __builtin_bswap64(get_le64(p)) : get_le64(p);
}

#endif
