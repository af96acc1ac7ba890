/* The encoding of records alone: a body, without the header. Streams and packs use it. */
#ifndef MIEN_RECORD_ENCODING_H
#define MIEN_RECORD_ENCODING_H

#include "mien/buf.h"
#include "mien/record.h"

/* Appends a field's header, padded to 8 bytes. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int rec_field_head(const struct mien_field *f, struct mien_buf *out);

/* Room for the n bytes of body that a record is to be read from: the record's, aligned to 16, until
   this is called again or the record freed. NULL when out of memory. */
unsigned char *rec_body(struct mien_rec *r, size_t n);

/* Parses len bytes of body holding nfield fields; the record's fields point into body, which the
   caller keeps alive and aligned to 8. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int rec_decode(struct mien_rec *r, const void *body, size_t len, unsigned nfield,
                            struct mien_err *e);

/* The same for a body made by rec_encode with skip_data: that field's data are the dlen bytes at
   data, which the caller keeps alive and aligned to its elements. A field of another length is
   MIEN_ERR_FORMAT. */
MIEN_CHECKED int rec_decode_skipped(struct mien_rec *r, const void *body, size_t len,
                                    unsigned nfield, int skip_data, const void *data, size_t dlen,
                                    struct mien_err *e);

/* Appends the record's encoded fields to out, leaving out the data of field skip_data (its header
   stays, with its shape; 0 for none). Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int rec_encode(const struct mien_rec *r, int skip_data, struct mien_buf *out);

#endif
