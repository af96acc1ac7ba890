/*
 * A model applied to records: what mien-embed and mien-predict share, made for the filter loop.
 */
#ifndef MIEN_INFER_APPLY_H
#define MIEN_INFER_APPLY_H

#include "net/model.h"
#include "mien/record.h"

struct apply_worker;

struct apply {
    struct model model;
    struct model_input input;
    struct plan *plan;
    struct apply_worker *worker; /* jobs of them */
    int jobs, batch, nout;
    int *classes; /* elements of each output for one record */
    bool int8;    /* convolutions in eight bits (plan.h); set before start, as the next */
    bool mirror;  /* outputs are means over the pixels and their mirror image */
};

/* Loads a model (a is zeroed by the caller). Returns 0 or a negative code. */
int apply_load(struct apply *a, const char *path, struct err *e);

/* Prepares to compute `out`, nout layer indices, for up to batch records a call from jobs threads.
   Returns 0; ERR_ARG when features are to be mirrored; or ERR_MEM. */
int apply_start(struct apply *a, const int *out, int nout, int jobs, int batch, struct err *e);

/* Runs the model on the records that have what it reads: pixels of its size, or features of its
   length. The others are failed. used[] receives the n_used records' indices into rec, and out[k]
   (nout of them) points to their results, row after row, in the worker's memory until its next
   call. Returns the number of records used; ERR_FORMAT when a record's preprocessing is not what
   the model expects, which is the whole stream's fault and ends the program. */
int apply_run(struct apply *a, int worker, struct rec **rec, size_t n, size_t *used, float **out,
              struct err *e);

void apply_free(struct apply *a);

#endif
