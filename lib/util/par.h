/* Threads over an index range. */
#ifndef MIEN_UTIL_PAR_H
#define MIEN_UTIL_PAR_H

#include <stddef.h>

#include "mien/err.h"

/* A team of threads that wait between calls. j == 1 uses the caller alone. */
struct par;
struct par *par_new(int j, struct mien_err *e); /* NULL on failure */
void par_free(struct par *p);                   /* NULL is harmless */
int par_size(const struct par *p);              /* j; 1 for NULL */

/* Calls fn(ctx, worker, i) once for every i in 0..n-1 and returns when all are done. worker, in
   0..par_size-1, says which thread calls: it picks that thread's scratch memory. Indices are
   handed out in order, one at a time, so what a result depends on must be i alone. p may be
   NULL. */
void par_for(struct par *p, size_t n, void (*fn)(void *ctx, int worker, size_t i), void *ctx);

#endif
