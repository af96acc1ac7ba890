/*
 * Records to the pages of a contact sheet: every record's face, or its whole photograph with the
 * faces' boxes, and what is labeled and predicted of it beside the boxes and below. mien-montage(1)
 * describes it.
 *
 * Memory is bounded by one page, one photograph and the faces that follow each other in one.
 */
#ifndef MIEN_MONTAGE_MONTAGE_H
#define MIEN_MONTAGE_MONTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "mien/record.h"
#include "image/sheet.h"

struct montage_options {
    int columns, rows, size; /* of struct sheet; no rows: as many as make a sensible page */
    double tolerance;        /* an expected age that is further off, in years, is wrong */

    /* Takes a finished page, whose pixels stay the montage's; last when no other follows. Returns 0
       or a negative code, which montage_add and montage_end pass on. */
    int (*page)(void *ctx, const unsigned char *px, struct mien_size size, bool last,
                struct mien_err *e);
    void *ctx;
};

struct montage_counts {
    uint64_t faces; /* records, those with an error included */
    uint64_t cells, pages;
    uint64_t judged; /* faces with a prediction of what they are labeled with */
    uint64_t wrong;  /* those whose prediction is wrong */
};

struct montage;

/* Returns NULL on failure: out of memory, or a page that would be too wide. */
struct montage *montage_new(const struct montage_options *o, struct mien_err *e);
void montage_free(struct montage *m); /* NULL is harmless */

/* Draws a record. When there is nothing in it to draw, its cell says why and *bad is set, with the
   reason in e. Returns 0, MIEN_ERR_MEM or what page returned. */
MIEN_CHECKED int montage_add(struct montage *m, const struct mien_rec *r, bool *bad,
                             struct mien_err *e);

/* Hands over the last page, if there is any. Errors as montage_add. */
MIEN_CHECKED int montage_end(struct montage *m, struct mien_err *e);

const struct montage_counts *montage_counts(const struct montage *m);

#endif
