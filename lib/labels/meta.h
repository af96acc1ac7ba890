/*
 * Labels from a file of any kind, as records: IMDB-WIKI's .mat files (imdb.h), tables and JSON
 * (table.h), and records whose names tell the labels (names.h). The first bytes tell which it is.
 */
#ifndef MIEN_LABELS_META_H
#define MIEN_LABELS_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imdb.h"
#include "mien/buf.h"
#include "mien/err.h"
#include "mien/record.h"
#include "names.h"
#include "rule.h"

/* How to read. names and file_names may be NULL. */
struct meta_rule {
    struct imdb_rule keep;
    struct rule rule;
    struct names *names;      /* of images */
    struct names *file_names; /* of the files themselves, such as train.csv */
    size_t limit;             /* of a record's bytes; 0: as usual */
    /* Makes the reader of a stream of records, with a message where it can't; NULL for
       mien_reader_new. */
    struct mien_reader *(*new_reader)(void *ctx, int fd, size_t limit, struct mien_err *e);
    void *ctx;
};

/* Compiles the patterns of the rule. Returns 0, MIEN_ERR_ARG or MIEN_ERR_MEM. */
MIEN_CHECKED int meta_compile(struct meta_rule *r, struct mien_err *e);
void meta_rule_free(struct meta_rule *r);

struct meta;

/* Opens the file at fd, which is the caller's, as are the rule and the name. NULL when it can't be
   used. */
struct meta *meta_open(int fd, const char *name, const struct meta_rule *rule, struct mien_err *e);
void meta_close(struct meta *m); /* NULL is harmless */

/* The next record. Returns 1; 0 at the end; MIEN_ERR_FORMAT when something in it is bad, and r then
   has what is good, without an id where it isn't worth a record; other negative codes end the
   reading. */
MIEN_CHECKED int meta_next(struct meta *m, struct mien_rec *r, struct mien_err *e);

/* Whether the file is a stream of records; how many were read of it, and how many bytes. */
bool meta_is_stream(const struct meta *m);
uint64_t meta_count(const struct meta *m);
uint64_t meta_bytes(const struct meta *m);
/* Its reader, where it is one, or NULL. */
const struct mien_reader *meta_stream(const struct meta *m);

/* What is to be said before the first record, "" for nothing; and, line by line, at the end. bad is
   how many were. Returns 0 or MIEN_ERR_MEM. */
const char *meta_ignored(const struct meta *m);
MIEN_CHECKED int meta_summary(const struct meta *m, uint64_t bad, struct mien_buf *out);

#endif
