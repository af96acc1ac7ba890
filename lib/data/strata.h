/*
 * Splitting so that every part gets its share of every stratum: of each age range, gender and group
 * and of their combinations.
 *
 * All keys and labels must be known before the first record can be given to a part, and a record's
 * part depends on which others there are; but still not on their order. Keys stay whole. They are
 * given out one after another, those of most records first and equal ones in the order of their
 * hash, each to the part that by then lags most behind its share of the records in the key's
 * strata: the minimisation of Pocock and Simon (Biometrics 31, 1975), who assign patients to the
 * arms of a trial this way. Takes 17 bytes a record, and 16 a key.
 */
#ifndef MIEN_DATA_STRATA_H
#define MIEN_DATA_STRATA_H

#include <stdbool.h>
#include <stdint.h>

#include "mien/err.h"
#include "mien/record.h"
#include "record/col.h"
#include "split.h"

/* By which labels: age in ranges of five years, gender, and groups: combinations of the values of
   any other columns. */
enum { STRATA_GROUPS = 8 };
struct strata_by {
    bool age, gender;
    struct column group[STRATA_GROUPS];
    size_t ngroup;
};

/* Takes "age,gender,camera" and the like, which is borrowed, into the struct strata_by at dst: a
   MIEN_CLI_FUNC of cli.h. Returns 0 or MIEN_ERR_ARG. */
MIEN_CHECKED int strata_by_parse(void *dst, const char *s, struct mien_err *e);

struct strata;
struct strata *strata_new(struct strata_by by, struct mien_err *e); /* NULL when out of memory */
void strata_free(struct strata *s);                                 /* NULL is harmless */

/* Adds the next record, of which key is the hashed key. Returns 0, MIEN_ERR_LIMIT when there are
   more than 255 groups or 2^32 - 1 records, or MIEN_ERR_MEM. */
MIEN_CHECKED int strata_add(struct strata *s, uint64_t key, const struct mien_rec *r,
                            struct mien_err *e);

/* Adds the records of the stream at fd that can be split (see split_key). Returns the descriptor to
   read them from once more: fd, gone back to where it was; or, where that can't be done, an unnamed
   temporary file that holds them, the caller's to close. ERR_* as strata_add and mien_read, or
   MIEN_ERR_SYS; MIEN_ERR_ARG when no record has one of the groups' fields. limit bounds a
   record. */
MIEN_CHECKED int strata_survey(struct strata *s, enum split_by by, uint64_t seed, int fd,
                               size_t limit, struct mien_err *e);

/* Gives every record to a part. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int strata_assign(struct strata *s, const struct split *parts, struct mien_err *e);

/* The part of the i-th record added, counted from 0; -1 when there was none. */
int strata_part(const struct strata *s, uint64_t i);

#endif
