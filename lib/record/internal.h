/* What lib/record's files share and the rest of the library doesn't see. */
#ifndef MIEN_RECORD_INTERNAL_H
#define MIEN_RECORD_INTERNAL_H

#include "mien/record.h"

/* Appends a field's header, padded to 8 bytes. Returns 0 or ERR_MEM. */
int rec_field_head(const struct rec_field *f, struct buf *out);

#endif
