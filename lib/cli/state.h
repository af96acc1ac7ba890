/* The values of the options that programs have because of what they read and write, and what became
   of them. */
#ifndef MIEN_CLI_STATE_H
#define MIEN_CLI_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/cli.h"
#include "record/history.h"
#include "util/file.h"

/* Causes that are told apart; the records of further ones are counted together. */
enum { CLI_CAUSES = 32 };

/* How often something was bad for one cause. */
struct cli_cause {
    char text[400]; /* as it was met first */
    uint64_t n, named;
};

/* What cli_input_resync has read on behind: places, and bytes of all that were read. */
struct cli_damage {
    uint64_t places, skipped, of;
};

/* How an option was given. */
struct cli_given {
    const char *value; /* the last one, "" for a flag; NULL: the option wasn't given */
    char typed[40];    /* the option as it was typed: "-k", "--keep" */
};

struct mien_cli_state {
    const char *output;  /* -o; NULL for standard output */
    struct file_out out; /* what standard output is then */
    uint64_t segment;    /* --segment; 0: one */
    bool ranged;         /* --range */
    bool range_read;     /* an input was opened, of which it is */
    uint64_t offset, bytes;
    double most, percent; /* --max-bad, of which one is 0 */
    uint64_t bad;
    struct cli_damage damage;
    size_t ncause;
    struct cli_cause cause[CLI_CAUSES + 1]; /* the last: all others */
    struct cli_given *given;                /* by the options' numbers in cli_option */
    struct history from, step;              /* of what was read; mien_cli_history's */
};

/* The options' functions: dst is the state. */
int cli_set_output(void *dst, const char *arg, struct mien_err *e);
int cli_set_segment(void *dst, const char *arg, struct mien_err *e);
int cli_set_range(void *dst, const char *arg, struct mien_err *e);
int cli_set_max_bad(void *dst, const char *arg, struct mien_err *e);

/* Makes the state; then, with the options known, has standard output be the file of -o, or frees
   the state of a program that doesn't use it. Both are parts of mien_cli_parse and end the program
   on failure. */
void cli_state_make(struct mien_cli *c);
void cli_state_open(struct mien_cli *c);

/* The same for a program with a -o of its own: standard output becomes the file, which mien_cli_end
   puts in its place. */
void cli_output_to(struct mien_cli *c, const char *path);

/* How an option of cli_option was given. */
struct cli_given *cli_given(const struct mien_cli *c, const struct mien_option *o);

/* Appends the history of the records that were read, or notes that they have none. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int cli_history_text(const struct mien_cli *c, struct mien_buf *out);

/* Before the program ends by failure, in whatever thread: nothing is left of that file. */
void cli_state_abort(const struct mien_cli *c);

#endif
