/* What programs share that have a loop of their own instead of mien_filter_run: records read from
   files named on the command line, records written to standard output, and text. */
#ifndef MIEN_CLI_STREAMS_H
#define MIEN_CLI_STREAMS_H

#include "mien/buf.h"
#include "mien/cli.h"
#include "mien/record.h"

/* The files of records that operands name; where there are none, "-", and *n becomes 1. */
const char *const *cli_paths(int *n, char **argv);

/* A file of records being read; cli_input_open fills it. */
struct cli_input {
    const char *path; /* the caller's; "-" is standard input */
    int fd;
    struct mien_reader *reader;
    const struct mien_cli *cli;
    bool resync;
};

/* Opens it; limit bounds a record's size, 0 for the default. Refuses a terminal. Returns 0 or a
   negative code. */
int cli_input_open(struct cli_input *in, const struct mien_cli *c, const char *path, size_t limit,
                   struct mien_err *e);

/* Before the first record: reading goes on behind damage, as mien_reader_resync has it, which is
   warned of. mien_cli_end then tells how much there was of all inputs, and returns
   MIEN_EXIT_BAD. */
void cli_input_resync(struct cli_input *in);

/* The next record, as mien_read; but messages name the file unless it is standard input. */
int cli_input_read(struct cli_input *in, struct mien_rec *r, struct mien_err *e);

void cli_input_close(struct cli_input *in);

/* Opens a file, hands its records to fn, until that returns a negative code, and closes it, with
   progress. Returns 0 at its end, or a negative code. */
int cli_input_each(const struct mien_cli *c, const char *path, size_t limit,
                   int (*fn)(void *ctx, const struct mien_rec *r, struct mien_err *e), void *ctx,
                   struct mien_err *e);

/* What became of record `number`: reports it as bad where rc is MIEN_ERR_FORMAT, and ends the
   program where it is another negative code. */
void cli_check_record(const struct mien_cli *c, uint64_t number, const struct mien_rec *r, int rc,
                      const struct mien_err *e);

/* Records on their way to standard output; cli_output_open fills it. */
struct cli_output {
    const struct mien_cli *cli;
    struct mien_writer *writer;
    bool strict;    /* the first bad record ends the program */
    uint64_t count; /* records put so far */
};

/* Refuses a terminal. This and what follows end the program where the output can't be written. */
void cli_output_open(struct cli_output *o, const struct mien_cli *c, bool strict);
void cli_output_put(struct cli_output *o, const struct mien_rec *r);

/* Reports a bad record, as mien_filter_report, or another thing by name, as mien_cli_bad; ends the
   program if the output is strict. */
void cli_output_report(struct cli_output *o, uint64_t number, const struct mien_rec *r,
                       const char *cause);
void cli_output_bad(struct cli_output *o, const char *where, const char *cause);

/* Ends the program with a message, behind the records that were put before. */
_Noreturn void cli_output_die(struct cli_output *o, const char *why);

/* Ends the stream. */
void cli_output_end(struct cli_output *o);

/* Notes, a line each, as mien_cli_note; frees them. */
void cli_note_lines(const struct mien_cli *c, struct mien_buf *lines);

/* Writes text to standard output and empties it. Ends the program where it can't be written. */
void cli_print(const struct mien_cli *c, struct mien_buf *text);

#endif
