/*
 * Rows: what the trained layers read, a row for each record of a pack. They are made of the records
 * when they are asked for, or, where layers before are frozen, computed once and kept.
 */
#ifndef MIEN_FIT_ROWS_H
#define MIEN_FIT_ROWS_H

#include <signal.h>
#include <stdbool.h>

#include "train/loss.h"
#include "util/par.h"
#include "infer/plan.h"
#include "decoded.h"

/* The layers whose output the rows hold: n indices into the model's net. */
struct boundary {
    int *layer, n;
    size_t width; /* elements of all of them for one record */
};

struct inputs {
    const struct model *m;
    const struct mien_pack *pack;
    struct model_input input;
    struct boundary at;
    struct decoded images; /* of a pack that doesn't hold features */
    unsigned char **buf;   /* memory for pictures, one a thread */
    int jobs;
    int views;   /* rows kept of each record, differently augmented; at least 1 */
    float *data; /* views x pack->n x at.width, or NULL: made of the pack each time */
    bool mapped; /* data is a mapping of a temporary file, not malloc's */
};

/* How rows are made: of pictures as they are with augment NULL, else each of them changed in as
   many ways as there are epochs, or views, where layers are frozen. */
struct inputs_how {
    const struct augment *augment; /* must outlive the rows */
    uint64_t seed;
    int views;
    size_t cache_mem; /* bytes kept in memory, more in a temporary file */
    void (*on_frozen)(void *ctx, size_t done, size_t total); /* told how far it is; may be NULL */
    const volatile sig_atomic_t *stop;                       /* when not 0: return; may be NULL */
    void *ctx;
};

/* Prepares the rows of a pack (r zeroed by the caller); at stays the caller's. Returns 0, 1 when
   stopped, or a negative code. */
MIEN_CHECKED int inputs_make(struct inputs *r, const struct model *m, const struct mien_pack *p,
                             const struct boundary *at, const struct inputs_how *how,
                             struct par *par, struct mien_err *e);
void inputs_free(struct inputs *r);

/* Writes record k's row of an epoch, counted from 1: x[b] is where the output of boundary layer b
   goes. A picture that can't be used leaves zeros. Threads may call it. */
void inputs_load(const struct inputs *r, int worker, size_t k, int epoch, float *const *x);

/* Record k's labels, with weights of 1; none when its picture was found to be of no use. */
struct label inputs_label(const struct inputs *r, size_t k);

#endif
