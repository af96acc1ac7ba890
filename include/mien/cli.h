/*
 * What every program's main shares: options, usage, messages, exit status.
 *
 * This is the one part of the library that prints. A program describes itself in a struct cli and
 * its options in a table; the same table parses the command line and prints --help.
 */
#ifndef MIEN_CLI_H
#define MIEN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mien/err.h"

/* Exit statuses. */
enum { EXIT_OK = 0, EXIT_BAD_RECORDS = 1, EXIT_FATAL = 2 };

enum cli_kind {
    CLI_FLAG,   /* bool *: set to true */
    CLI_INT,    /* int *: a whole number in [lo, hi] */
    CLI_REAL,   /* double *: a number in [lo, hi] */
    CLI_SIZE,   /* size_t *: bytes with K, M, G, in [lo, hi] */
    CLI_SEED,   /* uint64_t *: any 64-bit whole number */
    CLI_STR,    /* const char **: any text */
    CLI_CHOICE, /* int *: the index of a word in choices ("box|triangle|lanczos3") */
    CLI_FUNC    /* int (*func)(void *dst, const char *arg, struct err *): 0 or a negative code */
};

struct cli_opt {
    char letter;        /* 0 for none */
    const char *name;   /* long name */
    const char *arg;    /* the argument's name in --help; NULL for a flag */
    const char *help;   /* one line, the default in brackets at its end */
    enum cli_kind kind;
    void *dst;
    double lo, hi;      /* CLI_INT, CLI_REAL, CLI_SIZE */
    const char *choices;
    int (*func)(void *dst, const char *arg, struct err *e);
};

struct cli {
    const char *name;     /* "mien-crop" */
    const char *synopsis; /* behind the name in --help: "[options] < images.mien > pixels.mien" */
    const char *purpose;  /* one sentence */
    const struct cli_opt *opts;
    size_t nopts;
    bool quiet;           /* -q: no summaries, no progress; errors are still said */
};

#define CLI_NOPTS(a) (sizeof(a) / sizeof((a)[0]))

/* Parses the command line: -x, -xVALUE, -x VALUE, bundled flags, --long, --long=VALUE,
   --long VALUE, unambiguous only when whole; "--" ends the options, "-" is an argument. Options
   and arguments may mix. -h, -V and -q are added to every table. Returns the number of arguments,
   moved to argv[1..]. On --help or --version prints and exits 0; on an error prints one line and
   where to find help, and exits 2. */
int cli_parse(struct cli *c, int argc, char **argv);

/* One line on standard error, "NAME: MESSAGE". */
void cli_warn(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same unless -q: for summaries. */
void cli_note(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same as cli_warn, then exit 2. */
_Noreturn void cli_die(const struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the program quietly with status 0 when errno says that the reader of our output has gone
   away (EPIPE), else as cli_die with the message of e. For failures of writing. */
_Noreturn void cli_die_output(const struct cli *c, const struct err *e);

/* Refuses to write binary records to a terminal, or to read them from one: exits 2. */
void cli_check_output(const struct cli *c, int fd);
void cli_check_input(const struct cli *c, int fd);

/* Flushes and closes a text stream (standard output), and dies when anything was not written. */
void cli_close_stdout(const struct cli *c);

/* For programs that multiply matrices, the first thing that they do. OpenBLAS starts a thread for
   each core before main begins, and these spin for a while, though mien has threads of its own; what
   prevents it is a variable of the environment. This sets it and begins the program anew, unless it
   is set. */
void cli_without_blas_threads(char **argv);

/* Puts SIGPIPE aside, so that a closed pipe is an error of write. Called by cli_parse. */

/* Progress on standard error, only when that is a terminal and not -q: call as often as you like,
   it redraws at most five times a second. done counts items; total is 0 when unknown; bytes may
   be 0. cli_progress_end clears the line. */
struct cli_progress {
    const struct cli *cli;
    const char *what; /* "records" */
    double start, last;
    bool on, drawn;
};
void cli_progress_start(struct cli_progress *p, const struct cli *c, const char *what);
void cli_progress(struct cli_progress *p, uint64_t done, uint64_t total, uint64_t bytes);
void cli_progress_end(struct cli_progress *p);

/* Seconds of a clock that only goes forward. */
double cli_seconds(void);

#endif
