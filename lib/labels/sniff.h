/* What a file is that isn't a table, by its first bytes. */
#ifndef MIEN_LABELS_SNIFF_H
#define MIEN_LABELS_SNIFF_H

#include <stddef.h>

/* What the n bytes, 128 are enough, begin, and what to do about it: "an Excel workbook: save it as
   CSV". NULL for what may be a table of text. */
const char *sniff_other(const void *head, size_t n);

#endif
