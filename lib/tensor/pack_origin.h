/* Where a pack of one file comes from: a digest of what it holds and its records' history. */
#ifndef MIEN_TENSOR_PACK_ORIGIN_H
#define MIEN_TENSOR_PACK_ORIGIN_H

#include <stdint.h>

#include "mien/buf.h"
#include "mien/pack.h"

/* The digest of a pack that this or another program has written, of what a training reads, in order:
   each record's data and labels. The pack may hold it in its metadata; else all is read. */
uint64_t pack_digest(const struct mien_pack *p);

/* The digest so far, 0 to begin with, with another record: its data, age, gender and band, unknown
   ones as in a pack. */
uint64_t pack_digest_add(uint64_t digest, const void *data, size_t n, int age, int gender,
                         const uint8_t band[2]);

/* Appends "pack 0123456789abcdef, 100 records", a line, and the history of its records, indented by
   two spaces. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int pack_origin(const struct mien_pack *p, struct mien_buf *out);

/* The history of its records as mien-record(5) describes it, "" when it doesn't tell. */
const char *pack_history(const struct mien_pack *p);

#endif
