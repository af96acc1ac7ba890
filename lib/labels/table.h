/*
 * Tables of labels, one image a row: text with a header or without (csv.h), JSON objects
 * (json_rows.h), or a .mat file's struct (mat_rows.h). rule.h says how columns are known and values
 * written.
 *
 * A path and a label are needed, or a path whose name tells the labels. Columns of no known role
 * are left out.
 */
#ifndef MIEN_LABELS_TABLE_H
#define MIEN_LABELS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "labels.h"
#include "mat_rows.h"
#include "mien/err.h"
#include "mien/record.h"
#include "names.h"
#include "rule.h"

struct table;

/* Reads the header from fd; head holds the n bytes already read, at most 4096. rule is borrowed, as
   is names, which may be NULL: patterns of the paths, for the labels that no column has. base are
   the labels that all rows share, such as the split, also borrowed; NULL for none. Returns NULL
   when the header can't be used or can't be read. */
struct table *table_new(int fd, const void *head, size_t n, const struct rule *rule,
                        const struct names *names, const struct labels *base, struct mien_err *e);

/* The same of a .mat file's rows, which the table takes over, also on failure. */
struct table *table_of_mat(struct mat_rows *mat, const struct rule *rule, const struct names *names,
                           const struct labels *base, struct mien_err *e);
void table_free(struct table *t); /* NULL is harmless */

/* The headers of the columns that are left out, joined by ", "; "" for none. */
const char *table_ignored(const struct table *t);

/* How many rows were skipped, for the path of the one before, by a rule of no_repeats. */
uint64_t table_repeats(const struct table *t);

/* How many rows so far had a path that isn't UTF-8. */
uint64_t table_foreign(const struct table *t);

/* The next row as a record, which is cleared first. Returns 1; 0 at the end; MIEN_ERR_FORMAT for a
   row in which something is bad, with the line in the message: r then has the labels that are good;
   or nothing, where the path can't be told. MIEN_ERR_LIMIT, MIEN_ERR_SYS and MIEN_ERR_MEM end the
   reading. */
MIEN_CHECKED int table_next(struct table *t, struct mien_rec *r, struct mien_err *e);

#endif
