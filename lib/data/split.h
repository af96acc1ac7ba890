/*
 * Splitting records into parts, such as train, val and test, by a hash of a seed and a key.
 *
 * A record's part depends on the seed, its key and the shares alone: not on the order of records,
 * on which others there are, or on the machine. Records of the same key share a part.
 */
#ifndef MIEN_DATA_SPLIT_H
#define MIEN_DATA_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "mien/record.h"

#define SPLIT_MAX  16
#define SPLIT_NAME 64
#define SPLIT_ONE  ((int64_t)1 << 30) /* shares are whole multiples of 1/SPLIT_ONE */

struct split {
    int n;
    int64_t upto[SPLIT_MAX]; /* the shares of the parts up to and with this one; the last: ONE */
    char name[SPLIT_MAX][SPLIT_NAME];
};

/* Takes weights such as "80/10/10", 1 to 16 numbers above 0, and names such as "a,b,c"; names may
   be NULL: train,test for two parts, train,val,test for three, else part1,part2,... Returns 0, or
   MIEN_ERR_ARG. */
MIEN_CHECKED int split_parse(struct split *s, const char *weights, const char *names,
                             struct mien_err *e);

/* What a record is split by. Its content is its image's bytes; without them its pixels; without
   those its features. */
enum split_by { SPLIT_BY_SUBJECT, SPLIT_BY_CONTENT, SPLIT_BY_ID, SPLIT_BY_DEFAULT };

/* Hashes the record's key under the seed; by default the subject where it has one, else the
   content. Returns what it was hashed by, or MIEN_ERR_ARG when the record has nothing of the kind
   or an error field. */
MIEN_CHECKED int split_key(const struct mien_rec *r, enum split_by by, uint64_t seed, uint64_t *key,
                           struct mien_err *e);

/* The part of a hashed key, 0 to n - 1. */
int split_part(const struct split *s, uint64_t key);

/* What a part has received. Zero-initialized it is nothing. */
struct split_tally {
    uint64_t n, nage, ngender, nmale;
    double age_sum;
};
void split_tally_add(struct split_tally *t, const struct mien_rec *r);

/* Appends "1865 records (9.98%), mean age 33.2, 52.3% male", of total records in all parts; what no
   record tells is left out. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int split_tally_text(const struct split_tally *t, uint64_t total,
                                  struct mien_buf *out);

/* What all parts have received, and what became of the rest. Zero-initialized it is nothing. */
struct split_counts {
    struct split_tally part[SPLIT_MAX];
    uint64_t keyed[SPLIT_BY_DEFAULT]; /* records by what their key was of */
    uint64_t left;                    /* records in no part, because of errors */
};

/* Appends that, line by line: the parts by name; where the key is SPLIT_BY_DEFAULT, what it was of;
   and how many records were left out. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int split_summary(const struct split *s, const struct split_counts *c,
                               enum split_by by, struct mien_buf *out, struct mien_err *e);

/* The age of a record for such sums: of a band its middle. Returns whether it has any. */
bool split_age(const struct mien_rec *r, double *age);

#endif
