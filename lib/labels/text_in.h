/*
 * The bytes of a text file, as UTF-8: what is UTF-16, by its byte order mark or by its zero bytes,
 * is converted on the way; anything else passes as it is, without a byte order mark.
 */
#ifndef MIEN_LABELS_TEXT_IN_H
#define MIEN_LABELS_TEXT_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mien/err.h"

#define TEXT_IN_CHUNK 65536

struct text_in {
    int fd;
    enum { TEXT_UNKNOWN, TEXT_BYTES, TEXT_UTF16_LE, TEXT_UTF16_BE } form;
    size_t len; /* bytes in raw[] that wait */
    unsigned char raw[TEXT_IN_CHUNK];
};

/* Whether n bytes begin a text in UTF-16. */
bool text_in_is_utf16(const void *head, size_t n);

/* Begins: head holds the n bytes, at most 4096, already read from fd, which the caller owns. */
void text_in_start(struct text_in *t, int fd, const void *head, size_t n);

/* Reads at most room bytes, at least 8, to out. Returns how many, 0 at the end, or MIEN_ERR_SYS. */
MIEN_CHECKED ssize_t text_in_read(struct text_in *t, void *out, size_t room, struct mien_err *e);

#endif
