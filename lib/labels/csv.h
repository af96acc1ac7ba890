/*
 * Tables of text, read as a stream: CSV by RFC 4180, and its relatives.
 *
 * The separator is a comma, a semicolon, a tab, a bar or any run of blanks. Fields may be quoted,
 * and then hold separators, line ends and doubled quotes; but in a tab-separated table a quote is a
 * character like any other. Lines end with LF, CR LF or a lone CR; empty ones don't count. UTF-16
 * becomes UTF-8, and a byte order mark is skipped, and so is a first line that is but the number of
 * rows. A row is at most 1 MiB.
 */
#ifndef MIEN_LABELS_CSV_H
#define MIEN_LABELS_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

struct csv_cell {
    const char *s; /* zero-terminated for convenience; may hold zero bytes of its own */
    size_t len;
};

struct csv;

/* Reads from fd, which the caller owns; head holds the n bytes already read from it, at most 4096.
   sep is the separator, ' ' for blanks; 0 finds it in the first lines. NULL when out of memory. */
struct csv *csv_new(int fd, const void *head, size_t n, int sep, struct mien_err *e);
void csv_free(struct csv *c); /* NULL is harmless */

/* The next row: *cell points to its *n cells, which last until the next call. Returns 1; 0 at the
   end; MIEN_ERR_FORMAT for a malformed row, after which reading goes on with the next one;
   MIEN_ERR_LIMIT, MIEN_ERR_SYS or MIEN_ERR_MEM, after which it can't. */
MIEN_CHECKED int csv_read(struct csv *c, const struct csv_cell **cell, size_t *n,
                          struct mien_err *e);

/* The line on which the last row began, counted from 1. */
uint64_t csv_line(const struct csv *c);

/* The separator, once the first row was read. */
int csv_separator(const struct csv *c);

#endif
