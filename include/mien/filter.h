/*
 * The loop of a filter: records from standard input through a function to standard output, over
 * several threads, in input order.
 *
 *     static int fn(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
 *                   struct mien_err *e)
 *     {
 *         for (size_t i = 0; i < n; i++)
 *             drop[i] = !mien_rec_has(rec[i], MIEN_TAG_AGE);
 *         return 0;
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct mien_filter f = {.fn = fn};
 *         const struct mien_option opts[] = {MIEN_FILTER_OPTIONS(f)};
 *         struct mien_cli cli = {.name = "aged", .synopsis = "[options] < in.mien > out.mien",
 *                                .purpose = "Keeps the records that have an age.",
 *                                .opts = opts, .nopts = MIEN_CLI_NOPTS(opts),
 *                                .uses = MIEN_CLI_FILTER};
 *         f.cli = &cli;
 *         int n = mien_cli_parse(&cli, argc, argv);
 *         mien_cli_filter_operands(&cli, n, argv, 0, 0, NULL);
 *         return mien_filter_run(&f);
 *     }
 *
 * A record that already has an error field passes through untouched. A record that the function
 * fails (mien_rec_fail) is reported on standard error, counted, and passed on with its error field;
 * with --strict it ends the program. So is a record that the function makes larger than the limit,
 * beyond which the next program would not read on. A broken input ends the program with status 2
 * after every whole record before it was delivered; the output then has no end record either.
 *
 * libmien(3) has a complete filter with an option, workers and errors.
 */
#ifndef MIEN_FILTER_H
#define MIEN_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/cli.h"
#include "mien/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A filter. Zeros are good values but for cli and fn. */
struct mien_filter {
    struct mien_cli *cli;

    /* Works on n records, 1 <= n <= batch, none of which has an error field. worker is the calling
       thread, 0..jobs-1, and picks what it may write to; ctx is shared by all. Sets drop[i] to
       leave record i out of the output. Results must depend on each record alone, not on which
       records share a batch. Returns 0, or a negative code and a message for what ends the program
       (out of memory). */
    int (*fn)(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
              struct mien_err *e);
    void *ctx;
    size_t batch; /* records a call, the last one fewer; 0: one, and a few more that have arrived */

    /* With batch 0, whether the record that follows r is to be waited for, to share r's call: where
       they have work in common. NULL: none is. */
    bool (*another)(const struct mien_rec *r);

    /* Set by the options of MIEN_FILTER_OPTIONS. */
    int jobs;     /* -j; 0: as many as there are cores */
    bool strict;  /* a bad record ends the program */
    size_t limit; /* --max-record, in bytes; 0: MIEN_RECORD_LIMIT */

    /* Results: records read, written, and failed. */
    uint64_t nin, nout, nbad;

    /* The loop's own. */
    bool as_there;
    struct mien_ring *ring;
};

/* The option that bounds a record's size; dst is a size_t, as the limit of mien_filter_reader. */
#define MIEN_OPT_MAX_RECORD(dst_)                                                                  \
    MIEN_OPT_SIZE(0, "max-record", "SIZE", dst_, 1, 4294967295.0, "refuse larger records [64M]")

/* The options that every parallel filter has. f is a struct mien_filter. */
#define MIEN_FILTER_OPTIONS(f)                                                                     \
    MIEN_OPT_INT('j', "jobs", "N", &(f).jobs, 1, 256, "worker threads [all cores]"),               \
        MIEN_OPT_FLAG(0, "strict", &(f).strict, "stop at the first bad record"),                   \
        MIEN_OPT_MAX_RECORD(&(f).limit)

/* Sets f->jobs and f->batch to their final values. Called between mien_cli_parse and making what
   each worker has of its own; a filter without that needn't. */
void mien_filter_prepare(struct mien_filter *f);

/* For a function that makes several records of one, called by it: an empty record for it to fill,
   written behind record i of the batch (in its place when drop[i] is set) and behind those added
   before. i may not be smaller than in the call before for the same batch. It is the filter's and
   valid until the next call; it may share data with the batch's records, see mien_rec_share. NULL
   when there is no memory. */
struct mien_rec *mien_filter_add(struct mien_filter *f, int worker, size_t i);

/* Runs the loop over file descriptors 0 and 1. Returns the program's exit status, mien_cli_end's:
   MIEN_EXIT_OK, or MIEN_EXIT_BAD when more records were failed than --max-bad allows. What is fatal
   is printed and ends the program. */
int mien_filter_run(struct mien_filter *f);

/* For programs with a loop of their own, which ends with mien_cli_end: a reader of the descriptor,
   of its --range if one was asked for (NULL also where it can't be); a writer, in segments of
   --segment; and mien_cli_bad for a record, "record 17 (00/x.jpg): CAUSE", number counting from 1.
   */
struct mien_reader *mien_filter_reader(const struct mien_cli *c, int fd, size_t limit,
                                       struct mien_err *e);
struct mien_writer *mien_filter_writer(const struct mien_cli *c, int fd, struct mien_err *e);
/* The history of what is written, for loops of one's own: notes that of a reader (unless NULL) that has
   been read, and hands the writer (unless NULL), before mien_writer_end, what was noted so far and
   mien_cli_history's line. */
void mien_filter_history(const struct mien_cli *c, const struct mien_reader *rd,
                         struct mien_writer *w);
void mien_filter_report(const struct mien_cli *c, uint64_t number, const struct mien_rec *r,
                        const char *cause);

#ifdef __cplusplus
}
#endif

#endif
