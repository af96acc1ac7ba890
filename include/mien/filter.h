/*
 * The loop of a filter: records from standard input through a function to standard output, over
 * several threads, in input order.
 *
 * A record that already has an error field passes through untouched. A record that the function
 * fails (rec_fail) is reported on standard error, counted, and passed on with its error field;
 * with --strict it ends the program. A broken input ends the program with status 2 after every
 * whole record before it was delivered; the output then has no end record either.
 */
#ifndef MIEN_FILTER_H
#define MIEN_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/cli.h"
#include "mien/record.h"

struct ring; /* filter_run's own */

struct filter {
    const struct cli *cli;

    /* Works on n records, 1 <= n <= batch, none of which has an error field. worker is the calling
       thread, 0..jobs-1. Sets drop[i] to leave record i out of the output. Results must depend on
       each record alone, not on which records share a batch. Returns 0, or a negative code for
       what ends the program (out of memory). */
    int (*fn)(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e);
    void *ctx;
    size_t batch; /* records a call, the last one fewer; 0: one, and a few more that have arrived */

    /* With batch 0, whether the record that follows r is to be waited for, to share r's call: where
       they have work in common. NULL: none is. */
    bool (*another)(const struct rec *r);

    /* Set by the options of FILTER_OPTIONS. */
    int jobs;     /* -j; 0: as many as there are cores */
    bool strict;
    size_t limit; /* --max-record; 0: REC_DEFAULT_LIMIT */

    /* Results. */
    uint64_t nin, nout, nbad;

    /* The filter's own. */
    bool as_there;
    struct ring *ring;
};

/* The options that every parallel filter has. f is a struct filter. */
#define FILTER_OPTIONS(f)                                                                          \
    {'j', "jobs", "N", "worker threads [all cores]", CLI_INT, &(f).jobs, 1, 256, NULL, NULL},      \
    {0, "strict", NULL, "stop at the first bad record", CLI_FLAG, &(f).strict, 0, 0, NULL, NULL},  \
    {0, "max-record", "SIZE", "refuse larger records [64M]", CLI_SIZE, &(f).limit, 1, 4294967295.0,\
     NULL, NULL}

/* Sets f->jobs and f->batch to their final values; call it between cli_parse and making per-worker state. */
void filter_prepare(struct filter *f);

/* For a function that makes several records of one: an empty record for it to fill, written behind
   record i of the batch (in its place when drop[i] is set) and behind those added before. i may not
   be smaller than in the call before for the same batch. It is the filter's and valid until the next
   call; it may share data with the batch's records, rec_share in rec.h. NULL when there is no
   memory. */
struct rec *filter_add(struct filter *f, int worker, size_t i);

/* Runs the loop over file descriptors 0 and 1. Returns the program's exit status: EXIT_OK or
   EXIT_BAD_RECORDS. What is fatal is printed and ends the program. */
int filter_run(struct filter *f);

/* One line for a bad record, "NAME: record 17 (00/x.jpg): CAUSE". number counts from 1. */
void filter_report(const struct cli *c, uint64_t number, const struct rec *r, const char *cause);

#endif
