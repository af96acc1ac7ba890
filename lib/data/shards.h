/*
 * Shards: a stream's records in many files of about as many bytes each, in one pass.
 *
 * A record goes to the shard with the fewest bytes so far, or to that of the first record of its
 * key, as it came, byte for byte. So the shards depend on the stream alone. Takes a buffer a shard,
 * 56 MB for all of them or 4 kB each, and 24 bytes a key. Files that are more than may be open at
 * once have temporary names, and are opened to write a buffer and closed again.
 */
#ifndef MIEN_DATA_SHARDS_H
#define MIEN_DATA_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "record/stream.h"

enum { SHARDS_MAX = 99999 };

/* n shards, whose files are named after path, with their numbers from 1 on: out/faces.mien is
   out/faces-0001.mien, as many digits as the last number has. Each is in segments of so many
   records; 0: one. NULL when out of memory. */
struct shards;
struct shards *shards_new(const char *path, int n, uint64_t segment, struct mien_err *e);
void shards_free(struct shards *s); /* without shards_end nothing is left; NULL is harmless */

/* Adds a record; key, NULL for none, is the hash of its key. Returns 0 or a negative code. */
MIEN_CHECKED int shards_add(struct shards *s, const struct reader_raw *r, const uint64_t *key,
                            struct mien_err *e);

/* Puts all files in their places. Segments that aren't ended yet get the history of their
   reader. Returns 0 or a negative code. */
MIEN_CHECKED int shards_end(struct shards *s, const struct mien_reader *rd, struct mien_err *e);

/* The records and bytes of the smallest and the largest shard. */
struct shards_range {
    uint64_t records[2], bytes[2];
};
struct shards_range shards_range(const struct shards *s);

#endif
