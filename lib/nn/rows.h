/*
 * Rows: what the trained layers read, a row for each record of a pack. They are made of the records
 * when they are asked for, or, where layers before are frozen, computed once and kept.
 */
#ifndef MIEN_NN_ROWS_H
#define MIEN_NN_ROWS_H

#include <stdbool.h>

#include "loss.h"
#include "mien/par.h"
#include "mien/plan.h"

/* The layers whose output the rows hold: n indices into the model's net. */
struct boundary {
    int *layer, n;
    size_t width; /* elements of all of them for one record */
};

struct rows {
    const struct model *m;
    const struct pack *pack;
    struct model_input input;
    struct boundary at;
    float *data; /* pack->n x at.width, or NULL: made of the pack each time */
    bool mapped; /* data is a mapping of a temporary file, not malloc's */
};

/* Prepares the rows of a pack (r zeroed by the caller); at stays the caller's. Up to cache_mem bytes
   are kept in memory, more in a temporary file. on_frozen, which may be NULL, is told how far it is.
   Returns 0 or a negative code. */
int rows_make(struct rows *r, const struct model *m, const struct pack *p,
              const struct boundary *at, size_t cache_mem, struct par *par,
              void (*on_frozen)(void *ctx, size_t done, size_t total), void *ctx, struct err *e);
void rows_free(struct rows *r);

/* Writes record k's row: x[b] is where the output of boundary layer b goes. Threads may call it. */
void rows_load(const struct rows *r, size_t k, float *const *x);

/* Record k's labels, with weights of 1. */
struct label rows_label(const struct rows *r, size_t k);

#endif
