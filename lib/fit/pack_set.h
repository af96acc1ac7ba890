/* The packs of a training set, and how often an epoch has the records of each. */
#ifndef MIEN_FIT_PACK_SET_H
#define MIEN_FIT_PACK_SET_H

#include "mien/buf.h"
#include "mien/pack.h"

/* A weight of w: an epoch has each of the pack's records as many times as w has wholes, and of what
   is left of w that share of its records once more, drawn anew for each epoch. */
struct pack_set {
    size_t n;
    char **path;
    double *weight;
    size_t *records; /* of each, once they are open */
};

/* Adds one by its command line's word, "FILE" or "FILE:WEIGHT", where a file of the whole name
   comes first, to the struct pack_set at dst: made for MIEN_CLI_FUNC of cli.h. Returns 0,
   MIEN_ERR_ARG or MIEN_ERR_MEM. */
MIEN_CHECKED int pack_set_add(void *dst, const char *word, struct mien_err *e);
void pack_set_free(struct pack_set *s);

/* Opens them as one, to be closed by the caller: see mien_pack_open_all. */
MIEN_CHECKED int pack_set_open(struct pack_set *s, struct mien_pack *p, struct mien_err *e);

/* Whether a weight isn't 1. Here and below, s may be NULL: one pack of weight 1. */
bool pack_set_weighted(const struct pack_set *s);

/* The records that an epoch has of pack k, at least one; and of all, a set of n records. */
size_t pack_set_draws_of(const struct pack_set *s, size_t k);
size_t pack_set_draws(const struct pack_set *s, size_t n);

/* How often an epoch has a record at most, where records aren't drawn by chance. */
int pack_set_copies(const struct pack_set *s);

#endif
