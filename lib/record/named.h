/*
 * Fields of names that only a stream knows, such as a table's column "camera": the field `fields`
 * holds them as text, a line NAME=VALUE each. A name is letters, digits, '_', '-', '.' and whatever
 * isn't ASCII, and doesn't begin with a digit. A value has no line ends; an empty one is absent.
 */
#ifndef MIEN_RECORD_NAMED_H
#define MIEN_RECORD_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include "mien/buf.h"
#include "mien/record.h"

struct named {
    const char *name, *value; /* name_len and len bytes of the text */
    size_t name_len, len;
};

/* Whether the text can be such a name. */
bool named_is_name(const char *s, size_t len);

/* Appends a line. In the name, what can't be there becomes '_'; in the value, controls become
   blanks. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int named_add(struct mien_buf *text, const char *name, size_t name_len,
                           const char *value, size_t len);

/* The line at *at, which moves behind it; false at the end. What isn't such a line is stepped
   over. */
bool named_next(const char **at, const char *end, struct named *out);

/* The value of this name; false where it is absent or empty. */
bool named_find(const struct mien_rec *r, const char *name, size_t name_len, struct named *out);

#endif
