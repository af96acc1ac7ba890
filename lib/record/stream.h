/* A stream's records as bytes: what their reader and their writer share. record.h describes it. */
#ifndef MIEN_RECORD_STREAM_H
#define MIEN_RECORD_STREAM_H

#include <stddef.h>

#include "history.h"
#include "mien/record.h"

/* A record's header: "MIEN", the version, the kind, the number of fields (16 bits), the length of
   the body and the CRC-32 of all but itself. */
enum { HEADER = 16, VERSION = 1, KIND_RECORD = 0, KIND_END = 1 };

/* The bytes of the record that mien_read returned last, without mien_reader_resync: its header and
   the len bytes of its body, which is the record's and valid until that is read into or freed. For
   who passes records on as they are. */
struct reader_raw {
    unsigned char head[HEADER];
    const unsigned char *body;
    size_t len;
};
const struct reader_raw *reader_raw(const struct mien_reader *rd);

/* Writes the end record of a segment of so many records, with its history, to out. Returns its
   length. */
enum { END_RECORD = HEADER + 16 + 8 + HISTORY_MAX };
size_t stream_end_record(uint64_t records, const struct history *h, unsigned char out[END_RECORD]);

#define IO_SIZE ((size_t)256 << 10) /* bytes held back before a write, read at once at most */

struct mien_reader;

/* Gives a reader that hasn't read yet the n bytes, at most 4096, that were read from its descriptor
   before. */
void reader_begin_with(struct mien_reader *rd, const void *head, size_t n);

#endif
