/* Ranks by MPI. Where it isn't built in, a process is alone. */
#include "ranks.h"

#include <stdlib.h>

#ifndef MIEN_MPI

/* Several processes that know nothing of each other would each train the whole model, and write it to
   the same file. */
int ranks_open(struct ranks **r, struct mien_err *e)
{
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    *r = NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *size = getenv(sizes[i]);
        if (size != NULL && strtol(size, NULL, 10) > 1)
            return mien_err_set(e, MIEN_ERR_ARG,
                                "one of %s processes, but built without MPI: see mien-train(1), "
                                "Several processes",
                                size);
    }
    return 0;
}

#else

#include <assert.h>
#include <limits.h>
#include <mpi.h>
#include <string.h>
#include <time.h>

struct request {
    MPI_Request mpi;
    int count[2][RANKS_MOST], at[2][RANKS_MOST]; /* sent, received */
};

struct state {
    MPI_Comm lane[RANKS_LANES];
};

/* Errors of MPI end all processes, with a message of its own: that is the default. So does this. */
static struct request *new_request(void)
{
    struct request *q = malloc(sizeof *q);
    if (q == NULL)
        MPI_Abort(MPI_COMM_WORLD, 2);
    return q;
}

/* Counts and places as MPI wants them, from the first byte on. */
static void set_parts(const struct ranks *r, struct request *q, int side, const size_t *at)
{
    for (int i = 0; i < r->size; i++) {
        assert(at[i + 1] - at[0] <= INT_MAX);
        q->count[side][i] = (int)(at[i + 1] - at[i]);
        q->at[side][i] = (int)(at[i] - at[0]);
    }
}

/* More bytes than a number of MPI's counts: rank after rank, in pieces. */
static void gather_many(struct ranks *r, MPI_Comm comm, unsigned char *data, const size_t *at)
{
    for (int q = 0; q < r->size; q++) {
        for (size_t from = at[q]; from < at[q + 1];) {
            size_t left = at[q + 1] - from, n = left < INT_MAX ? left : INT_MAX;
            MPI_Bcast(data + from, (int)n, MPI_BYTE, q, comm);
            from += n;
        }
    }
}

static void *gather(struct ranks *r, int lane, void *data, const size_t *at)
{
    const struct state *s = r->state;
    if (at[r->size] - at[0] > INT_MAX) {
        gather_many(r, s->lane[lane], data, at);
        return NULL;
    }
    struct request *q = new_request();
    set_parts(r, q, 0, at);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, (unsigned char *)data + at[0], q->count[0],
                    q->at[0], MPI_BYTE, s->lane[lane], &q->mpi);
    return q;
}

static void *swap(struct ranks *r, int lane, const void *send, const size_t *send_at, void *receive,
                  const size_t *receive_at)
{
    const struct state *s = r->state;
    struct request *q = new_request();
    set_parts(r, q, 0, send_at);
    set_parts(r, q, 1, receive_at);
    MPI_Ialltoallv((const unsigned char *)send + send_at[0], q->count[0], q->at[0], MPI_BYTE,
                   (unsigned char *)receive + receive_at[0], q->count[1], q->at[1], MPI_BYTE,
                   s->lane[lane], &q->mpi);
    return q;
}

static bool test(struct ranks *r, void *request)
{
    struct request *q = request;
    int done;
    (void)r;
    MPI_Test(&q->mpi, &done, MPI_STATUS_IGNORE);
    if (done)
        free(q);
    return done;
}

static void wait(struct ranks *r, void *request)
{
    struct request *q = request;
    (void)r;
    MPI_Wait(&q->mpi, MPI_STATUS_IGNORE);
    free(q);
}

static void close_mpi(struct ranks *r)
{
    struct state *s = r->state;
    for (int i = 0; i < RANKS_LANES; i++)
        MPI_Comm_free(&s->lane[i]);
    MPI_Finalize();
    free(s);
    free(r);
}

/* A process that exits before ranks_close leaves the others waiting for ever, but for this. First,
   what it has told is passed on: MPICH's mpiexec drops what it hasn't read by then. */
static void end_all(void)
{
    int begun, over;
    MPI_Initialized(&begun);
    MPI_Finalized(&over);
    if (!begun || over)
        return;
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    MPI_Abort(MPI_COMM_WORLD, 2);
}

/* Whether something started this process that knows of others: Open MPI's mpirun, MPICH's, or
   SLURM's srun by either's interface. MPI_Init alone would take a tenth of a second. */
static bool is_launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK",
                                        "PMIX_RANK"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found = found || getenv(names[i]) != NULL;
    return found;
}

int ranks_open(struct ranks **out, struct mien_err *e)
{
    static const struct ranks_carrier carrier = {gather, swap, test, wait, close_mpi};
    int level;
    *out = NULL;
    if (!is_launched())
        return 0;
    struct ranks *r = calloc(1, sizeof *r);
    struct state *s = calloc(1, sizeof *s);
    if (r == NULL || s == NULL || MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != 0) {
        free(r);
        free(s);
        return mien_err_set(e, MIEN_ERR_SYS, "MPI failed to start");
    }
    atexit(end_all);
    r->carrier = &carrier;
    r->state = s;
    MPI_Comm_rank(MPI_COMM_WORLD, &r->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r->size);
    for (int i = 0; i < RANKS_LANES; i++)
        MPI_Comm_dup(MPI_COMM_WORLD, &s->lane[i]);
    *out = r;
    return r->size <= RANKS_MOST ? 0
                                 : mien_err_set(e, MIEN_ERR_LIMIT, "%d processes are more than %d",
                                                r->size, RANKS_MOST);
}

#endif
