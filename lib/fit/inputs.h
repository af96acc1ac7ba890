/*
 * What the trained layers read for each record of a pack: made of the record when it is asked for,
 * or, where layers before are frozen, computed once and kept.
 */
#ifndef MIEN_FIT_INPUTS_H
#define MIEN_FIT_INPUTS_H

#include <signal.h>
#include <stdbool.h>

#include "train/loss.h"
#include "util/par.h"
#include "infer/plan.h"
#include "decoded.h"

/* The layers whose output that is: n indices into the model's net. */
struct boundary {
    int *layer, n;
    size_t width; /* elements of all of them for one record */
};

/* Elements of the output of its layer b for one record. */
static inline size_t boundary_count(const struct model *m, const struct boundary *at, int b)
{
    return shape_count(m->net.layer[at->layer[b]].shape);
}

struct inputs {
    const struct model *m;
    const struct mien_pack *pack;
    struct model_input input;
    struct boundary at;
    struct decoded images; /* of a pack that doesn't hold features */
    unsigned char **buf;   /* memory for images, one a thread */
    int jobs;
    int views;   /* kept of each record, differently augmented; at least 1 */
    int copies;  /* that an epoch has of a record, at most */
    float *data; /* (views, pack->n, at.width), or NULL: made of the pack each time */
    bool mapped; /* data is a mapping of a temporary file, not malloc's */
};

/* How they are made: of images as they are with augment NULL, else of each of them changed in as
   many ways as there are epochs, or views, where layers are frozen. */
struct inputs_how {
    const struct augment *augment; /* must outlive the inputs */
    uint64_t seed;
    int views, copies;
    size_t cache_mem;  /* bytes kept in memory, more in a temporary file */
    size_t max_memory; /* bound of the bytes that frozen layers take */
    void (*on_frozen)(void *ctx, size_t done, size_t total); /* told how far it is; may be NULL */
    const volatile sig_atomic_t *stop;                       /* when not 0: return; may be NULL */
    void *ctx;
    struct ranks *ranks; /* that compute a part each; may be NULL */
};

/* Prepares those of a pack (inputs zeroed by the caller); at stays the caller's. Returns 0, 1 when
   stopped, or a negative code. */
MIEN_CHECKED int inputs_make(struct inputs *inputs, const struct model *m,
                             const struct mien_pack *p, const struct boundary *at,
                             const struct inputs_how *how, struct par *par, struct mien_err *e);
void inputs_free(struct inputs *inputs);

/* Writes what is read for record k, changed as in this epoch, counted from 1, when it comes for the
   copy-th time, counted from 0. x[b] is where the output of boundary layer b goes. An image that
   can't be used leaves zeros. Threads may call it. */
void inputs_load(const struct inputs *inputs, int worker, size_t k, int epoch, int copy,
                 float *const *x);

/* Record k's labels, with weights of 1; none when its image was found to be of no use. */
struct label inputs_label(const struct inputs *inputs, size_t k);

#endif
