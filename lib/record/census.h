/* A census of a stream: which fields its records have, of what type and shape, and how many. */
#ifndef MIEN_RECORD_CENSUS_H
#define MIEN_RECORD_CENSUS_H

#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "mien/record.h"

struct census_field {
    uint64_t count;             /* records that have it */
    struct mien_field first;    /* the first one seen, without its data */
    bool mixed;                 /* others had another type or number of dimensions */
    bool varies[MIEN_MAX_DIMS]; /* dimensions in which they differ */
};

/* Zero-initialized it is empty. */
struct census {
    uint64_t records, errors;   /* all, and those with an error field */
    uint64_t segments, bytes;   /* of streams that have been read */
    struct census_field *field; /* in the order of their first appearance */
    size_t nfield, cap;
    uint32_t *index; /* of a tag's field, counted from 1; by tag */
};

/* Counts a record. Returns 0; MIEN_ERR_MEM; or, having counted it, MIEN_ERR_FORMAT when a field's
   type or shape isn't what its tag prescribes. */
MIEN_CHECKED int census_add(struct census *c, const struct mien_rec *r, struct mien_err *e);

/* Counts the segments and bytes of a stream that has been read. */
void census_add_stream(struct census *c, const struct mien_reader *rd);

/* Appends a line of what was counted and a table, one field a line. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int census_table(const struct census *c, struct mien_buf *out);

void census_free(struct census *c);

#endif
