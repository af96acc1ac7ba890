/*
 * Processes that train one model together, by MPI (mpi.c) where it is built in, `make MPI=1`.
 *
 * All of them call the same functions in the same order, within a lane: messages of different lanes
 * pass each other. A process that fails ends all of them. One thread of a process calls all of it.
 * NULL stands for a process that is alone: then nothing is sent.
 */
#ifndef MIEN_RANKS_RANKS_H
#define MIEN_RANKS_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

struct ranks;

/* What carries the messages. A request is under way until it has been waited for, or test has found
   it done. Arrays `at` have an element a rank and one more: rank r's bytes are [at[r], at[r + 1]). */
struct ranks_carrier {
    void *(*gather)(struct ranks *r, int lane, void *data, const size_t *at);
    void *(*swap)(struct ranks *r, int lane, const void *send, const size_t *send_at, void *receive,
                  const size_t *receive_at);
    bool (*test)(struct ranks *r, void *request);
    void (*wait)(struct ranks *r, void *request);
    void (*close)(struct ranks *r);
};

struct ranks {
    int rank, size; /* this one of so many */
    const struct ranks_carrier *carrier;
    uint64_t sent; /* bytes so far, to each of the others counted */
    void *state;   /* the carrier's */
};

/* The processes that mpirun or srun started with this one; NULL where nothing did, or MPI isn't built
   in. Until ranks_close an exit of the process ends all of them. Returns 0 or a negative code. */
MIEN_CHECKED int ranks_open(struct ranks **r, struct mien_err *e);
void ranks_close(struct ranks *r); /* waits for the others; NULL is harmless */

static inline int ranks_rank(const struct ranks *r)
{
    return r != NULL ? r->rank : 0;
}

static inline int ranks_size(const struct ranks *r)
{
    return r != NULL ? r->size : 1;
}

/* Bytes sent so far. */
static inline uint64_t ranks_sent(const struct ranks *r)
{
    return r != NULL ? r->sent : 0;
}

enum ranks_lane { RANKS_STEP, RANKS_SUMS, RANKS_RESULTS, RANKS_LANES };

/* Starts to hand each rank's bytes of data to all; at and data must stay until it is done. */
void *ranks_start_gather(struct ranks *r, int lane, void *data, const size_t *at);

/* Starts to send rank q bytes [send_at[q], send_at[q + 1]) and to receive from it
   [receive_at[q], receive_at[q + 1]). */
void *ranks_start_swap(struct ranks *r, int lane, const void *send, const size_t *send_at,
                       void *receive, const size_t *receive_at);

/* Whether a request, which may be NULL, is done; and the same after waiting for it. */
bool ranks_test(struct ranks *r, void *request);
void ranks_wait(struct ranks *r, void *request);

/* A gather that is waited for, by the lane RANKS_STEP. */
void ranks_gather(struct ranks *r, void *data, const size_t *at);

/* The same where each rank has the element of its number, of `bytes`. */
void ranks_gather_each(struct ranks *r, void *data, size_t bytes);

/* Hands rank 0's bytes to all. */
void ranks_spread(struct ranks *r, void *data, size_t bytes);

enum { RANKS_MOST = 64 };

#endif
