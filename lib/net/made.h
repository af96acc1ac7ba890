/* Models that are made of descriptions or of other models, and what their files tell of that. */
#ifndef MIEN_NET_MADE_H
#define MIEN_NET_MADE_H

#include "model.h"

/* Reads a model, as model_load does, or a description, of at most 4 MiB, into a model without
   weights (m is zeroed by the caller). Returns 0, or a negative code with a message naming the
   file. */
MIEN_CHECKED int model_or_description(struct model *m, const char *name, struct mien_err *e);

/* Gives a description weights of at most max_bytes, random ones by a seed. Returns 0, MIEN_ERR_LIMIT
   or MIEN_ERR_MEM. */
MIEN_CHECKED int model_init(struct model *m, uint64_t seed, size_t max_bytes, struct mien_err *e);

/* Sets how m was made, and its history: of n models, m may be one of them, each with its digest and
   history. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int model_tell(struct model *m, const char *made, const struct model *of, int n,
                            struct mien_err *e);

/* Appends, for people, what a model tells of itself besides its network: its preprocessing and how it
   was made. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int model_about(const struct model *m, struct mien_buf *out);

#endif
