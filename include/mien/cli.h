/*
 * What every program's main shares: options, usage, messages, exit status.
 *
 * This is the one part of the library that prints. A program describes itself in a struct mien_cli
 * and its options in a table; the same table parses the command line and prints --help.
 */
#ifndef MIEN_CLI_H
#define MIEN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mien/err.h"

/* Exit statuses. */
enum { MIEN_EXIT_OK = 0, MIEN_EXIT_BAD = 1, MIEN_EXIT_FATAL = 2 };

enum mien_option_kind {
    MIEN_CLI_FLAG,   /* bool *: set to true */
    MIEN_CLI_INT,    /* int *: a whole number in [lo, hi] */
    MIEN_CLI_REAL,   /* double *: a number in [lo, hi] */
    MIEN_CLI_SIZE,   /* size_t *: bytes with K, M, G, in [lo, hi] */
    MIEN_CLI_SEED,   /* uint64_t *: any 64-bit whole number */
    MIEN_CLI_STR,    /* const char **: any text */
    MIEN_CLI_CHOICE, /* int *: the index of a word in choices ("box|triangle|lanczos3") */
    MIEN_CLI_FUNC    /* int (*func)(void *dst, const char *arg, struct mien_err *) */
};

struct mien_option {
    char letter;      /* 0 for none */
    const char *name; /* long name */
    const char *arg;  /* the argument's name in --help; NULL for a flag */
    const char *help; /* one line, the default in brackets at its end */
    enum mien_option_kind kind;
    void *dst;
    double lo, hi; /* MIEN_CLI_INT, MIEN_CLI_REAL, MIEN_CLI_SIZE */
    const char *choices;
    int (*func)(void *dst, const char *arg, struct mien_err *e);
};

struct mien_cli {
    const char *name;     /* "mien-crop" */
    const char *synopsis; /* behind the name in --help: "[options] < images.mien > pixels.mien" */
    const char *purpose;  /* one sentence */
    const struct mien_option *opts;
    size_t nopts;
    bool quiet; /* -q: no summaries, no progress; errors are still said */
};

/* Rows of a table of options: a letter or 0, the long name, the argument's name in --help, where
   the value goes (of the type that enum mien_option_kind tells), bounds where there are any, and
   help: one line, the default in brackets at its end. */
#define MIEN_OPT_FLAG(letter_, name_, dst_, help_)                                                 \
    {                                                                                              \
        .letter = letter_, .name = name_, .help = help_, .kind = MIEN_CLI_FLAG, .dst = dst_        \
    }
#define MIEN_OPT_INT(letter_, name_, arg_, dst_, lo_, hi_, help_)                                  \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_INT,        \
        .dst = dst_, .lo = lo_, .hi = hi_                                                          \
    }
#define MIEN_OPT_REAL(letter_, name_, arg_, dst_, lo_, hi_, help_)                                 \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_REAL,       \
        .dst = dst_, .lo = lo_, .hi = hi_                                                          \
    }
#define MIEN_OPT_SIZE(letter_, name_, arg_, dst_, lo_, hi_, help_)                                 \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_SIZE,       \
        .dst = dst_, .lo = lo_, .hi = hi_                                                          \
    }
#define MIEN_OPT_SEED(letter_, name_, arg_, dst_, help_)                                           \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_SEED,       \
        .dst = dst_                                                                                \
    }
#define MIEN_OPT_STR(letter_, name_, arg_, dst_, help_)                                            \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_STR,        \
        .dst = dst_                                                                                \
    }
#define MIEN_OPT_CHOICE(letter_, name_, arg_, dst_, choices_, help_)                               \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_CHOICE,     \
        .dst = dst_, .choices = choices_                                                           \
    }
#define MIEN_OPT_FUNC(letter_, name_, arg_, dst_, func_, help_)                                    \
    {                                                                                              \
        .letter = letter_, .name = name_, .arg = arg_, .help = help_, .kind = MIEN_CLI_FUNC,       \
        .dst = dst_, .func = func_                                                                 \
    }

#define MIEN_CLI_NOPTS(a) (sizeof(a) / sizeof((a)[0]))

/* Parses the command line: -x, -xVALUE, -x VALUE, bundled flags, --long, --long=VALUE,
   --long VALUE, unambiguous only when whole; "--" ends the options, "-" is an argument. Options
   and arguments may mix. -h, -V and -q are added to every table. Returns the number of arguments,
   moved to argv[1..]. On --help or --version prints and exits 0; on an error prints one line and
   where to find help, and exits 2. */
int mien_cli_parse(struct mien_cli *c, int argc, char **argv);

/* One line on standard error, "NAME: MESSAGE". */
void mien_cli_warn(const struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same unless -q: for summaries. */
void mien_cli_note(const struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same as mien_cli_warn, then exit 2. */
_Noreturn void mien_cli_die(const struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the program quietly with status 0 when errno says that the reader of our output has gone
   away (EPIPE), else as mien_cli_die with the message of e. For failures of writing. */
_Noreturn void mien_cli_die_output(const struct mien_cli *c, const struct mien_err *e);

/* Refuses to write binary records to a terminal, or to read them from one: exits 2. */
void mien_cli_check_output(const struct mien_cli *c, int fd);
void mien_cli_check_input(const struct mien_cli *c, int fd);

/* Flushes and closes a text stream (standard output), and dies when anything was not written. */
void mien_cli_close_stdout(const struct mien_cli *c);

/* Puts SIGPIPE aside, so that a closed pipe is an error of write. Called by mien_cli_parse. */

/* Progress on standard error, only when that is a terminal and not -q: call as often as you like,
   it redraws at most five times a second. done counts items; total is 0 when unknown; bytes may
   be 0. mien_cli_progress_end clears the line. */
struct mien_progress {
    const struct mien_cli *cli;
    const char *what; /* "records" */
    double start, last;
    bool on, drawn;
};
void mien_cli_progress_start(struct mien_progress *p, const struct mien_cli *c, const char *what);
void mien_cli_progress(struct mien_progress *p, uint64_t done, uint64_t total, uint64_t bytes);
void mien_cli_progress_end(struct mien_progress *p);

#endif
