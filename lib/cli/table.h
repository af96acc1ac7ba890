/* Records as text on standard output: on a terminal as they come, elsewhere in blocks. */
#ifndef MIEN_CLI_TABLE_H
#define MIEN_CLI_TABLE_H

#include "mien/buf.h"
#include "mien/cli.h"
#include "mien/record.h"
#include "record/text.h"

/* cli_table_begin makes it empty; then the caller may set the text's form and columns. These
   functions end the program where there is no memory or the output can't be written. */
struct cli_table {
    const struct mien_cli *cli;
    struct text_table text;
    struct mien_buf out; /* to be printed: of the table, and what the caller appends */

    /* The rest is the table's own. */
    bool at_once;          /* standard output is a terminal */
    uint64_t rows, errors; /* records added, and those with an error */
    double began;          /* when the first one was */
};

void cli_table_begin(struct cli_table *t, const struct mien_cli *c);
void cli_table_add(struct cli_table *t, const struct mien_rec *r);

/* The caller has appended to t->out, with the result rc: prints it, if it is time to. */
void cli_table_appended(struct cli_table *t, int rc);

/* Prints all that there is. */
void cli_table_print(struct cli_table *t);

/* Prints all that there is, and notes what of the records the table couldn't show; frees it. */
void cli_table_end(struct cli_table *t);

#endif
