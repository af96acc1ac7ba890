/*
 * What processes that train together exchange of a batch: each has computed its own images, a row of
 * the leaves of tree.h. A layer's message goes out when its gradient is computed, and comes in while
 * the layers before it are.
 *
 * SUM_LEAVES, SUM_BLOCKS   the elements of the gradient are cut into as many slices as there are ranks.
 *                          Each rank sends each other one its roots' sums of that one's slice, which
 *                          joins all of them, and hands the sum of the batch to all.
 * SUM_WHOLE                each rank hands its images' inputs and gradients of outputs to all, computes
 *                          some rows of blocks over the whole batch, and hands these to all.
 */
#ifndef MIEN_TRAIN_EXCHANGE_H
#define MIEN_TRAIN_EXCHANGE_H

#include "pass.h"

/* Sets what this process has of a batch of t->n images. */
void exchange_share(struct trainer *t);

/* Makes t->exchange; with one process that stays NULL. Returns 0, MIEN_ERR_MEM, or MIEN_ERR_LIMIT for
   a layer whose messages are too long for MPI. */
MIEN_CHECKED int exchange_make(struct trainer *t, struct mien_err *e);
void exchange_free(struct exchange *x);

/* The bytes of messages that it takes for a trainer whose memory is p; 0 with one process. */
size_t exchange_bytes(const struct train_memory *p, const struct ranks *ranks);

/* The sums, of len elements, that pass_sum_leaves left, of the whole batch: at once. */
const real *exchange_sums_now(struct trainer *t, size_t len);

/* Begins a backward pass. */
void exchange_begin(struct trainer *t);

/* Sends the sums of the roots, each of len elements from root[k] on, of the gradient from element
   `at` on; they may change then. */
void exchange_sums(struct trainer *t, const real *const *root, size_t at, size_t len);

/* Room for the sums, of len elements each, of a layer that is summed by blocks. */
real *exchange_roots(struct trainer *t, size_t len, int root);

/* Sends what the current layer, of SUM_WHOLE, needs of all images. */
void exchange_images(struct trainer *t);

/* Takes in what has arrived; and waits for all of it: then t->grad is the batch's. */
void exchange_progress(struct trainer *t);
void exchange_finish(struct trainer *t);

#endif
