/*
 * Records: the stream that the programs pass between them, mien-record(5).
 *
 *     struct mien_reader *in = mien_reader_new(STDIN_FILENO, 0, &e);
 *     struct mien_rec r = {0};
 *     int age, rc = MIEN_ERR_MEM;
 *     while (in != NULL && (rc = mien_read(in, &r, &e)) > 0) {
 *         if (mien_rec_int(&r, MIEN_TAG_AGE, &age))
 *             printf("%d\n", age);
 *     }
 *     if (rc < 0)
 *         fprintf(stderr, "ages: %s\n", e.msg);
 *     mien_rec_free(&r);
 *     mien_reader_free(in);
 *
 * A stream is one or more segments; a segment is records and an end record with their count. A
 * record is a header and typed fields. In memory a record is a list of fields that point either
 * into the bytes it was read from or into storage of its own; struct mien_rec is reused from record
 * to record, so that a filter in steady state allocates nothing.
 *
 * A filter changes the fields it knows and passes the others on, unknown tags included.
 *
 * Threads: several may read a record, a reader or a writer is one thread's at a time.
 */
#ifndef MIEN_RECORD_H
#define MIEN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a field means. The numbers are the format's; new ones are appended. */
enum mien_tag {
    MIEN_TAG_ID = 1,           /* text: the image's path */
    MIEN_TAG_SUBJECT = 2,      /* text: who is shown */
    MIEN_TAG_AGE = 3,          /* u8: whole years, 0-100 */
    MIEN_TAG_AGE_BAND = 4,     /* u8[2]: youngest and oldest age, inclusive */
    MIEN_TAG_GENDER = 5,       /* u8: 0 female, 1 male, as in IMDB-WIKI */
    MIEN_TAG_GROUP = 6,        /* text: race, or another group that results are reported by */
    MIEN_TAG_BIRTH = 7,        /* text: date of birth, YYYY-MM-DD */
    MIEN_TAG_YEAR = 8,         /* i32: the year in which the photograph was taken */
    MIEN_TAG_BOX = 9,          /* f32[4]: face box x1 y1 x2 y2 in pixels, 0-based, half-open */
    MIEN_TAG_SCORE = 10,       /* f32: the detector's score of the face */
    MIEN_TAG_SCORE2 = 11,      /* f32: its score of the second face */
    MIEN_TAG_SPLIT = 12,       /* text: the part a record belongs to, such as train */
    MIEN_TAG_IMAGE = 13,       /* u8[n]: the encoded image file */
    MIEN_TAG_IMAGE_KIND = 14,  /* text: jpeg, png, ... as the bytes say */
    MIEN_TAG_PIXELS = 15,      /* u8[height, width, 3]: RGB */
    MIEN_TAG_FEATURES = 16,    /* f32[d] */
    MIEN_TAG_P_GENDER = 17,    /* f32[2]: probability of female, of male */
    MIEN_TAG_P_AGE = 18,       /* f32[101]: probability of each age 0-100 */
    MIEN_TAG_ERROR = 19,       /* text: why the record's image could not be used */
    MIEN_TAG_PREP = 20,        /* text: the preprocessing of pixels or features, see prep.h */
    MIEN_TAG_LANDMARKS = 21,   /* f32[n, 2]: x y in pixels, in the order of enum mien_face_point */
    MIEN_TAG_COUNT = 22,       /* u64: records in the segment; only in an end record */
    MIEN_TAG_FACES = 23,       /* i32: faces found in the photograph that the record comes from */
    MIEN_TAG_CONF_GENDER = 24, /* f32: probability that the more probable gender is right */
    MIEN_TAG_CONF_AGE = 25,    /* f32: probability that the age is within 5 years of the expected */
    MIEN_TAG_FIELDS = 26,      /* text: fields of other names, a line NAME=VALUE each */
    MIEN_TAG_HISTORY = 27      /* text: of an end record, how the segment's records were made */
};

/* Ages are whole years from 0 to MIEN_AGE_MAX, MIEN_AGES of them; genders are two. */
enum { MIEN_AGE_MAX = 100, MIEN_AGES = MIEN_AGE_MAX + 1, MIEN_GENDERS = 2 };

/* The order of landmarks; right and left are the person's own. Others may follow. */
enum mien_face_point {
    MIEN_FACE_RIGHT_EYE,
    MIEN_FACE_LEFT_EYE,
    MIEN_FACE_NOSE,
    MIEN_FACE_MOUTH,
    MIEN_FACE_RIGHT_EAR,
    MIEN_FACE_LEFT_EAR,
    MIEN_FACE_POINTS
};

/* Types of a field's elements. The numbers are the format's. */
enum mien_type {
    MIEN_U8 = 1,
    MIEN_I32 = 2,
    MIEN_U64 = 3,
    MIEN_F32 = 4,
    MIEN_F64 = 5,
    MIEN_TEXT = 6
};

#define MIEN_MAX_DIMS 4

/* The most bytes of a record, unless a program is told otherwise. */
#define MIEN_RECORD_LIMIT ((size_t)64 << 20)

/* One field. A scalar has no dimensions. Text has none either; its len counts its bytes (UTF-8, no
   terminating zero). data is aligned to 8 bytes and in the host's byte order. A field of a type
   that this version doesn't know is kept as raw bytes. */
struct mien_field {
    uint16_t tag;
    uint8_t type, ndim;
    uint32_t dim[MIEN_MAX_DIMS];
    uint32_t len; /* bytes */
    const void *data;
};

/* A record. Zero-initialized it is empty. Its members are set by the functions below only. */
struct mien_rec {
    struct mien_field *field; /* nfield of them, in the order of the stream */
    size_t nfield;
    bool failed; /* by mien_rec_fail, since it was read or cleared */
    struct mien_rec_memory *memory;
};

/* Drops the fields, keeps the memory. */
void mien_rec_clear(struct mien_rec *r);

/* Frees the memory; the record is empty and usable again. */
void mien_rec_free(struct mien_rec *r);

/* Deep-copies src into dst (cleared first). Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int mien_rec_copy(struct mien_rec *dst, const struct mien_rec *src);

/* The same without copying data: dst's fields lie where src's do, which must stay as they are as
   long as dst is read. Setting a field of dst leaves src alone. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int mien_rec_share(struct mien_rec *dst, const struct mien_rec *src);

/* The field's tag as mien-view names it ("age"), or NULL; and back, or 0. */
const char *mien_tag_name(int tag);
int mien_tag_of(const char *name);

/* --- Reading fields ------------------------------------------------------------------------ */

/*
 * A getter finds a field only when its type and shape are those that the tag prescribes: a foreign
 * stream can't make a caller read past a field's end. What a getter returns is the record's, and
 * valid until it is read into, cleared or freed; a field that is replaced keeps its old data until
 * then.
 */

/* The field, or NULL when absent. */
const struct mien_field *mien_rec_find(const struct mien_rec *r, int tag);
bool mien_rec_has(const struct mien_rec *r, int tag);

/* A text of *len bytes, not zero-terminated; NULL when absent, and then *len stays as it was. */
const char *mien_rec_text(const struct mien_rec *r, int tag, size_t *len);

/* A scalar: u8 or i32; and f32 or those. Whether it is there; where it isn't, *out stays. */
bool mien_rec_int(const struct mien_rec *r, int tag, int *out);
bool mien_rec_real(const struct mien_rec *r, int tag, double *out);

/* Whether it is of a photograph in which no face was found, as mien-detect --keep-empty passes it
   on: faces is 0, and nothing was made of the whole photograph either. What works on faces passes
   it on as well. */
bool mien_rec_faceless(const struct mien_rec *r);

/* The pixels, u8[height, width, 3], both sides 1 to 65535; NULL when absent. */
const unsigned char *mien_rec_pixels(const struct mien_rec *r, int *height, int *width);

/* Whether all values of a field of floats, such as features, are finite numbers. */
bool mien_rec_finite(const struct mien_field *f);

/* What the limit of a reader bounds: the length of the record in a stream, without its header. */
size_t mien_rec_bytes(const struct mien_rec *r);

/* The id for a message, as a string in buf, n bytes (always terminated, cut to fit, printable); ""
   if none. Returns buf. */
const char *mien_rec_id(const struct mien_rec *r, char *buf, size_t n);

/* --- Setting fields ------------------------------------------------------------------------ */

/* Each replaces the field in its place, or appends it, with a copy of the data. Returns 0 or
   MIEN_ERR_MEM. */
int mien_rec_set_text(struct mien_rec *r, int tag, const char *s, size_t len);
int mien_rec_set_str(struct mien_rec *r, int tag, const char *s);
int mien_rec_set_u8(struct mien_rec *r, int tag, int v);
int mien_rec_set_i32(struct mien_rec *r, int tag, int32_t v);
int mien_rec_set_f32(struct mien_rec *r, int tag, float v);
int mien_rec_set_f32v(struct mien_rec *r, int tag, const float *v, uint32_t n);

/* As the setters, for any type of enum mien_type and any shape (scalars: ndim 0). Returns where to
   write the data, as many bytes as the shape says, valid until the record is read into, cleared or
   freed; or NULL when out of memory. Contents undefined. */
void *mien_rec_alloc(struct mien_rec *r, int tag, int type, int ndim, const uint32_t *dim);

/* Drops a field; harmless when absent. */
void mien_rec_del(struct mien_rec *r, int tag);

/* Marks the record as bad: sets the error field to the message and drops the pixels. Where there is
   no memory for that, mien_write fails. */
void mien_rec_fail(struct mien_rec *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- Streams ------------------------------------------------------------------------------- */

/* Reads a stream from a descriptor, which the caller owns. limit bounds one record's bytes; 0:
   MIEN_RECORD_LIMIT. NULL when out of memory. */
struct mien_reader;
struct mien_reader *mien_reader_new(int fd, size_t limit, struct mien_err *e);
void mien_reader_free(struct mien_reader *rd); /* NULL is harmless */

/* Reads the next record into r. Returns 1; 0 after the last end record at the end of input; or
   MIEN_ERR_FORMAT, MIEN_ERR_LIMIT, MIEN_ERR_SYS or MIEN_ERR_MEM with the byte offset in the
   message: an empty input, a bad magic or CRC, a wrong count, or a stream that stops without its
   end record. */
MIEN_CHECKED int mien_read(struct mien_reader *rd, struct mien_rec *r, struct mien_err *e);

/* From the next mien_read on, goes on behind damage: what can't be read is skipped up to the next
   whole record, with a right checksum. mien_read then returns MIEN_ERR_FORMAT once for each run of
   bytes skipped, with how many they are and where, for an end record with another count, and for
   the lack of one; and goes on with the next call. Its other errors end the reading, as ever. */
void mien_reader_resync(struct mien_reader *rd);
uint64_t mien_reader_skipped(const struct mien_reader *rd); /* bytes, so far */

/* Before the first mien_read: reads only the bytes from offset on, counted from the start of the
   file, which must be able to seek. They are whole segments, as mien_reader_on_segment tells; a
   range that ends in the midst of one is MIEN_ERR_FORMAT, one that has none an empty input. Returns
   0 or MIEN_ERR_SYS. */
MIEN_CHECKED int mien_reader_range(struct mien_reader *rd, uint64_t offset, uint64_t bytes,
                                   struct mien_err *e);

/* Has fn called at the end of each whole segment, by mien_read. */
struct mien_segment {
    uint64_t offset, bytes; /* in the stream, with its end record */
    uint64_t records;
};
void mien_reader_on_segment(struct mien_reader *rd,
                            void (*fn)(void *ctx, const struct mien_segment *s), void *ctx);

/* Whether the next record has arrived, so that reading it won't wait. It may have and this be
   false: what is too large for the reader's buffer doesn't wait there. */
bool mien_reader_has_one(const struct mien_reader *rd);

/* Records, segments (whole ones, with their end record) and bytes read so far. */
uint64_t mien_reader_count(const struct mien_reader *rd);
uint64_t mien_reader_segments(const struct mien_reader *rd);
uint64_t mien_reader_bytes(const struct mien_reader *rd);

/* How the records of the segments that have ended were made, as their end records tell: lines, the
   first program's first; where they differ, several such texts, with an empty line between them. ""
   where nothing is known. It is the reader's and valid until the next mien_read. */
const char *mien_reader_history(const struct mien_reader *rd);

/* Writes one segment to a descriptor, which the caller owns, or segments of so many records, the
   last of fewer: the stream can be cut between segments. NULL when out of memory. */
struct mien_writer;
struct mien_writer *mien_writer_new(int fd, struct mien_err *e);
void mien_writer_segment(struct mien_writer *w, uint64_t records); /* before the first record */
void mien_writer_free(struct mien_writer *w); /* NULL is harmless; doesn't write */

/* Writes a record, or holds it back to be written with others. Returns 0; MIEN_ERR_SYS, with errno
   EPIPE when nobody reads any more (SIGPIPE must be ignored, as mien_cli_parse does); or
   MIEN_ERR_LIMIT or MIEN_ERR_MEM, and then nothing of the record was written: MIEN_ERR_MEM also for
   a record that lacks its error field, see mien_rec_fail. */
MIEN_CHECKED int mien_write(struct mien_writer *w, const struct mien_rec *r, struct mien_err *e);

/* What the end records from now on tell of how their records were made: history as a reader gives it,
   and a line or several ending in '\n' that are added to it; either may be "". */
void mien_writer_history(struct mien_writer *w, const char *history, const char *step);

/* Writes what is held back. Returns 0 or MIEN_ERR_SYS. */
int mien_writer_flush(struct mien_writer *w, struct mien_err *e);

/* Writes the end record and everything still held back. Without it the stream is cut short. Errors
   as mien_write's. */
MIEN_CHECKED int mien_writer_end(struct mien_writer *w, struct mien_err *e);

/* Records written so far. */
uint64_t mien_writer_count(const struct mien_writer *w);

#ifdef __cplusplus
}
#endif

#endif
