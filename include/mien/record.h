/*
 * Records: the stream that the programs pass between them, mien-record(5).
 *
 * A stream is one or more segments; a segment is records and an end record with their count. A
 * record is a header and typed fields. In memory a record is a list of fields that point either
 * into the bytes it was read from or into storage of its own; struct rec is reused from record to
 * record, so that a filter in steady state allocates nothing.
 *
 * A filter changes the fields it knows and passes the others on, unknown tags included.
 */
#ifndef MIEN_RECORD_H
#define MIEN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"

/* What a field means. The numbers are the format's; new ones are appended. */
enum rec_tag {
    TAG_ID = 1,         /* text: the image's path */
    TAG_SUBJECT = 2,    /* text: who is shown */
    TAG_AGE = 3,        /* u8: whole years, 0-100 */
    TAG_AGE_BAND = 4,   /* u8[2]: youngest and oldest age, inclusive */
    TAG_GENDER = 5,     /* u8: 0 female, 1 male, as in IMDB-WIKI */
    TAG_GROUP = 6,      /* text: race, or another group that results are reported by */
    TAG_BIRTH = 7,      /* text: date of birth, YYYY-MM-DD */
    TAG_YEAR = 8,       /* i32: the year in which the photograph was taken */
    TAG_BOX = 9,        /* f32[4]: face box x1 y1 x2 y2 in pixels, 0-based, half-open */
    TAG_SCORE = 10,     /* f32: the detector's score of the face */
    TAG_SCORE2 = 11,    /* f32: its score of the second face */
    TAG_SPLIT = 12,     /* text: the part a record belongs to, such as train */
    TAG_IMAGE = 13,     /* u8[n]: the encoded image file */
    TAG_IMAGE_KIND = 14, /* text: jpeg, png, ... as the bytes say */
    TAG_PIXELS = 15,    /* u8[height, width, 3]: RGB */
    TAG_FEATURES = 16,  /* f32[d] */
    TAG_P_GENDER = 17,  /* f32[2]: probability of female, of male */
    TAG_P_AGE = 18,     /* f32[101]: probability of each age 0-100 */
    TAG_ERROR = 19,     /* text: why the record's image could not be used */
    TAG_PREP = 20,      /* text: the preprocessing that pixels or features went through, see prep.h */
    TAG_LANDMARKS = 21, /* f32[n, 2]: points x y in pixels, in the order of enum face_point */
    TAG_COUNT = 22,     /* u64: records in the segment; only in an end record */
    TAG_FACES = 23,     /* i32: faces found in the photograph that the record comes from */
    TAG_CONF_GENDER = 24, /* f32: probability that the more probable gender is right */
    TAG_CONF_AGE = 25   /* f32: probability that the age is within 5 years of the expected one */
};

/* Ages are whole years from 0 to MIEN_AGE_MAX, MIEN_AGES of them; genders are two. */
enum { MIEN_AGE_MAX = 100, MIEN_AGES = MIEN_AGE_MAX + 1, MIEN_GENDERS = 2 };

/* The order of landmarks; right and left are the person's own. Others may follow. */
enum face_point {
    FACE_RIGHT_EYE,
    FACE_LEFT_EYE,
    FACE_NOSE,
    FACE_MOUTH,
    FACE_RIGHT_EAR,
    FACE_LEFT_EAR,
    FACE_POINTS
};

enum rec_type { REC_U8 = 1, REC_I32 = 2, REC_U64 = 3, REC_F32 = 4, REC_F64 = 5, REC_TEXT = 6 };

#define REC_MAX_DIMS 4
#define REC_DEFAULT_LIMIT ((size_t)64 << 20)

/* One field. A scalar has no dimensions. Text has none either; its len counts its bytes (UTF-8, no
   terminating zero). data is aligned to 8 bytes and in the host's byte order. A field of a type
   that this version doesn't know is kept as raw bytes. */
struct rec_field {
    uint16_t tag;
    uint8_t type, ndim;
    uint32_t dim[REC_MAX_DIMS];
    uint32_t len; /* bytes */
    const void *data;
};

/* A record. Zero-initialised it is empty. Members are read-only outside lib/record. */
struct rec {
    struct rec_field *field;
    size_t nfield, cap;
    struct buf body;  /* the bytes it was read from */
    struct buf *own;  /* storage of fields that were set */
    size_t nown, cown;
    bool fresh_error; /* this program set the error field */
};

/* Drops the fields, keeps the memory. */
void rec_clear(struct rec *r);
void rec_free(struct rec *r);

/* Deep-copies src into dst (cleared first). Returns 0 or ERR_MEM. */
int rec_copy(struct rec *dst, const struct rec *src);

/* The same without copying data: dst's fields lie where src's do, which must stay as they are as
   long as dst is read. Setting a field of dst leaves src alone. Returns 0 or ERR_MEM. */
int rec_share(struct rec *dst, const struct rec *src);

/* The field's tag as mien-view names it ("age"), or NULL; and back, or 0. */
const char *rec_tag_name(int tag);
int rec_tag_of(const char *name);

/* Reading. A getter finds a field only when its type and shape are those that the tag prescribes:
   a foreign stream can't make a caller read past a field's end. Text isn't zero-terminated. */
const struct rec_field *rec_find(const struct rec *r, int tag); /* NULL when absent or misshapen */
bool rec_has(const struct rec *r, int tag);
const char *rec_text(const struct rec *r, int tag, size_t *len); /* NULL when absent */
bool rec_int(const struct rec *r, int tag, int *out);            /* u8 and i32 scalars */
bool rec_real(const struct rec *r, int tag, double *out);        /* f32 scalars, and the above */

/* The pixels and their size; NULL when absent. */
const unsigned char *rec_pixels(const struct rec *r, int *height, int *width);

/* Whether all values of a field of floats, such as features, are finite numbers. */
bool rec_finite(const struct rec_field *f);

/* The id for a message, as a string in buf (always terminated, cut to fit, printable); "" if none. */
const char *rec_id(const struct rec *r, char *buf, size_t n);

/* Writing: replaces the field in its place, or appends it. Each returns 0 or ERR_MEM. */
int rec_set_text(struct rec *r, int tag, const char *s, size_t len);
int rec_set_str(struct rec *r, int tag, const char *s);
int rec_set_u8(struct rec *r, int tag, int v);
int rec_set_i32(struct rec *r, int tag, int32_t v);
int rec_set_f32(struct rec *r, int tag, float v);
int rec_set_f32v(struct rec *r, int tag, const float *v, uint32_t n);

/* As the setters, for any shape (scalars: ndim 0): returns where to write the data, valid until
   the field is set again or the record cleared, or NULL when out of memory. Contents undefined. */
void *rec_alloc(struct rec *r, int tag, int type, int ndim, const uint32_t *dim);

/* Drops a field; harmless when absent. */
void rec_del(struct rec *r, int tag);

/* Marks the record as bad: sets the error field and drops pixels. */
void rec_fail(struct rec *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- The encoding alone: a record's body, without the header; used by packs --------------- */

/* Parses len bytes of body holding nfield fields; the record's fields point into body, which the
   caller keeps alive and aligned to 8. Returns 0 or ERR_FORMAT. */
int rec_decode(struct rec *r, const void *body, size_t len, unsigned nfield, struct err *e);

/* The same for a body made by rec_encode with skip_data: that field's data are the dlen bytes at
   data, which the caller keeps alive and aligned to its elements. A field of another length is
   ERR_FORMAT. */
int rec_decode_skipped(struct rec *r, const void *body, size_t len, unsigned nfield, int skip_data,
                       const void *data, size_t dlen, struct err *e);

/* Appends the record's encoded fields to out, leaving out the data of field skip_data (its header
   stays, with its shape; 0 for none). Returns 0 or ERR_MEM. */
int rec_encode(const struct rec *r, int skip_data, struct buf *out);

/* --- Streams ------------------------------------------------------------------------------- */

/* Reads a stream from a descriptor, which the caller owns. limit bounds one record's size. */
struct rec_reader;
struct rec_reader *rec_reader_new(int fd, size_t limit, struct err *e);
void rec_reader_free(struct rec_reader *rd); /* NULL is harmless */

/* Reads the next record into r. Returns 1; 0 after the last end record at the end of input; or
   ERR_FORMAT, ERR_LIMIT or ERR_SYS with the byte offset in the message: an empty input, a bad
   magic or CRC, a wrong count, or a stream that stops without its end record. */
int rec_read(struct rec_reader *rd, struct rec *r, struct err *e);

/* Whether the next record has arrived, so that reading it won't wait. It may have and this be false:
   what is too large for the reader's buffer doesn't wait there. */
bool rec_reader_has_one(const struct rec_reader *rd);

/* Records, segments (whole ones, with their end record) and bytes read so far. */
uint64_t rec_reader_count(const struct rec_reader *rd);
uint64_t rec_reader_segments(const struct rec_reader *rd);
uint64_t rec_reader_bytes(const struct rec_reader *rd);

/* Writes one segment to a descriptor, which the caller owns. */
struct rec_writer;
struct rec_writer *rec_writer_new(int fd, struct err *e);
int rec_write(struct rec_writer *w, const struct rec *r, struct err *e);
int rec_writer_flush(struct rec_writer *w, struct err *e);
/* Writes the end record and everything still held back. Without it the stream is cut short. */
int rec_writer_end(struct rec_writer *w, struct err *e);
uint64_t rec_writer_count(const struct rec_writer *w);
void rec_writer_free(struct rec_writer *w); /* NULL is harmless; does not write */

#endif
