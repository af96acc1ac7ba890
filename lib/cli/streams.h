/* What programs share that read records from files named on the command line and print text. */
#ifndef MIEN_CLI_STREAMS_H
#define MIEN_CLI_STREAMS_H

#include "mien/buf.h"
#include "mien/cli.h"
#include "mien/record.h"

/* A file of records being read; cli_input_open fills it. */
struct cli_input {
    const char *path; /* the caller's; "-" is standard input */
    int fd;
    struct mien_reader *reader;
};

/* Opens it; limit bounds a record's size, 0 for the default. Refuses a terminal. Returns 0 or a
   negative code. */
int cli_input_open(struct cli_input *in, const struct mien_cli *c, const char *path, size_t limit,
                   struct mien_err *e);

/* The next record, as mien_read; but messages name the file unless it is standard input. */
int cli_input_read(struct cli_input *in, struct mien_rec *r, struct mien_err *e);

void cli_input_close(struct cli_input *in);

/* Writes text to standard output and empties it. Ends the program where it can't be written. */
void cli_print(const struct mien_cli *c, struct mien_buf *text);

#endif
