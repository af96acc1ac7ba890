/*
 * What every program's main shares: options, usage, messages, exit status.
 *
 *     int main(int argc, char **argv)
 *     {
 *         int n = 10;
 *         const struct mien_option opts[] = {
 *             MIEN_OPT_INT('n', "number", "N", &n, 1, 1000, "how many records [10]"),
 *         };
 *         struct mien_cli cli = {
 *             .name = "first",
 *             .synopsis = "[options] FILE",
 *             .purpose = "Shows a file's first records.",
 *             .opts = opts,
 *             .nopts = MIEN_CLI_NOPTS(opts),
 *         };
 *         mien_cli_operands(&cli, mien_cli_parse(&cli, argc, argv), argv, 1, 1, "FILE");
 *         ... argv[1], n ...
 *     }
 *
 * This, with filter.h, is the one part of the library that prints and exits. A program describes
 * itself in a struct mien_cli and its options in a table; the same table parses the command line
 * and prints --help.
 *
 * Threads: mien_cli_warn, _note, _die and _die_output may be called from any; the others from one
 * at a time.
 */
#ifndef MIEN_CLI_H
#define MIEN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mien/err.h"
#include "mien/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exit statuses: all went well; some records were bad; the command line was wrong, or what is
   fatal. */
enum { MIEN_EXIT_OK = 0, MIEN_EXIT_BAD = 1, MIEN_EXIT_FATAL = 2 };

/* What an option takes, and what its dst points to. */
enum mien_option_kind {
    MIEN_CLI_FLAG,   /* bool *: set to true */
    MIEN_CLI_INT,    /* int *: a whole number in [lo, hi] */
    MIEN_CLI_REAL,   /* double *: a number in [lo, hi] */
    MIEN_CLI_SIZE,   /* size_t *: bytes with K, M, G, in [lo, hi] */
    MIEN_CLI_SEED,   /* uint64_t *: any 64-bit whole number */
    MIEN_CLI_STR,    /* const char **: any text, of argv */
    MIEN_CLI_CHOICE, /* int *: the index of a word in choices ("box|triangle|lanczos3") */
    MIEN_CLI_FUNC    /* whatever func(dst, arg, e) takes: 0, or a negative code and a message */
};

/* An option. The table's macros below make one. */
struct mien_option {
    char letter;      /* 0 for none */
    const char *name; /* long name */
    const char *arg;  /* the argument's name in --help; NULL for a flag */
    const char *help; /* one sentence, the default in brackets at its end; --help wraps it */
    enum mien_option_kind kind;
    void *dst;
    double lo, hi; /* MIEN_CLI_INT, MIEN_CLI_REAL, MIEN_CLI_SIZE */
    const char *choices;
    int (*func)(void *dst, const char *arg, struct mien_err *e);
    const char *alias; /* "target" or "target=value": another name of that option */
};

/* Which options go together. The macros below make one. */
struct mien_option_rule {
    const char *these, *those; /* long names, and "name=value" for an option with that value,
                                  separated by spaces */
    bool needs;                /* these need one of those; else these exclude those */
};

/* Options that programs have because of what they read and write. */
enum mien_cli_uses {
    MIEN_CLI_OUTPUT = 1,  /* -o FILE: standard output becomes that file, whole or not at all */
    MIEN_CLI_SEGMENT = 2, /* --segment N, for mien_filter_writer */
    MIEN_CLI_RANGE = 4,   /* --range OFFSET:BYTES, for mien_filter_reader */
    MIEN_CLI_MAX_BAD = 8, /* --max-bad N|P%, for mien_cli_end */
    MIEN_CLI_FILTER = 15  /* all of these */
};

/* A program. */
struct mien_cli {
    const char *name;     /* "mien-crop" */
    const char *synopsis; /* behind the name in --help: "[options] < images.mien > pixels.mien";
                             several lines for several ways to call it */
    const char *purpose;  /* one sentence */
    const struct mien_option *opts;
    size_t nopts;
    const char *examples;         /* command lines, one a line, for --help; may be NULL */
    int uses;                     /* options to add to the table: of enum mien_cli_uses */
    bool quiet;                   /* -q: no summaries, no progress; errors are still printed */
    struct mien_cli_state *state; /* their values; mien_cli_parse makes it where uses isn't 0 */
    const char *version;          /* for --version; NULL: mien's, of which the program is a part */
    const struct mien_option_rule *rules; /* may be NULL */
    size_t nrules;
    int rank; /* of several processes that run the program as one, this one's number. Messages of
                 those from 1 on name it, and mien_cli_die has them wait for two seconds: most often
                 process 0 has the same to tell, and ends all */
};

/* Rows of a table of options: a letter or 0, the long name, the argument's name in --help, where
   the value goes (of the type that enum mien_option_kind tells), bounds where there are any, and
   help: one sentence, the default in brackets at its end. */
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

/* A former or alternative name of another option of the table, which --help doesn't show: "box", or
   "format=json" for an option with that value. The letter may be 0, the name NULL. */
#define MIEN_OPT_ALIAS(letter_, name_, target_)                                                    \
    {                                                                                              \
        .letter = letter_, .name = name_, .alias = target_                                         \
    }

/* Not an option but a heading in --help, above the rows that follow. */
#define MIEN_OPT_GROUP(title_)                                                                     \
    {                                                                                              \
        .help = title_                                                                             \
    }

/* Rows of a table of rules, which mien_cli_parse checks in their order: at most one of these
   options can be given; none of these together with one of those; these only with at least one of
   those; at least one of those must be given.

       MIEN_RULE_EXCLUSIVE("count list format=json"),
       MIEN_RULE_EXCLUDES("count", "head select"),
       MIEN_RULE_NEEDS("full", "format=json"),
       MIEN_RULE_REQUIRES("output list"), */
#define MIEN_RULE_EXCLUSIVE(these_)                                                                \
    {                                                                                              \
        .these = these_                                                                            \
    }
#define MIEN_RULE_EXCLUDES(these_, those_)                                                         \
    {                                                                                              \
        .these = these_, .those = those_                                                           \
    }
#define MIEN_RULE_NEEDS(these_, those_)                                                            \
    {                                                                                              \
        .these = these_, .those = those_, .needs = true                                            \
    }
#define MIEN_RULE_REQUIRES(those_)                                                                 \
    {                                                                                              \
        .those = those_, .needs = true                                                             \
    }

/* The number of rows of a table, an array. */
#define MIEN_CLI_NOPTS(a) (sizeof(a) / sizeof((a)[0]))

/* Parses the command line: -x, -xVALUE, -x VALUE, bundled flags, --long, --long=VALUE,
   --long VALUE, long names only when whole; "--" ends the options, "-" is an operand. Options and
   operands may mix. -q, -h and -V are added to every table. Returns the number of operands, moved
   to argv[1..]. On --help or --version prints and exits 0; on an error prints one line and where
   to find help, and exits 2.

   Call it first: it also ignores SIGPIPE and SIGXFSZ, so that a closed pipe and a file that may not
   grow are failed writes, has SIGINT, SIGTERM, SIGHUP and SIGXCPU remove temporary files before
   they end the program, and opens descriptors 0 to 2 where they are closed, so that no file of the
   program's gets their numbers. */
int mien_cli_parse(struct mien_cli *c, int argc, char **argv);

/* Has the first of these four signals call this function instead, in whatever thread; the next one
   ends the program. The function may do what handlers of signals may. */
void mien_cli_on_signal(void (*call)(int number));

/* Checks that there are from min to max of the operands that mien_cli_parse left in argv[1..n];
   `what` names them for messages, such as "MODEL". Returns their number; exits 2 with one line
   otherwise. The second is for programs that read records from standard input: one "-" behind the
   other operands stands for it and isn't counted, and a file in its place is told apart. */
int mien_cli_operands(const struct mien_cli *c, int n, char **argv, int min, int max,
                      const char *what);
int mien_cli_filter_operands(const struct mien_cli *c, int n, char **argv, int min, int max,
                             const char *what);

/* One line on standard error, "NAME: MESSAGE". */
void mien_cli_warn(const struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same unless -q: for summaries. */
void mien_cli_note(const struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same as mien_cli_warn, then exit 2. */
void mien_cli_die(const struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Something bad that doesn't end the program: "NAME: WHERE: CAUSE" on standard error, where being
   such as "record 17 (00/x.jpg)". Those of one cause, numbers in it aside, are counted: five are
   named, then one in a thousand with the count. One at a time. */
void mien_cli_bad(const struct mien_cli *c, const char *where, const char *cause);

/* Ends a program that has such options or calls mien_cli_bad: prints how many more there were of
   each cause and how much damage was read on behind, and puts the file of -o in its place. total is
   what --max-bad P% is a share of. Exits 2 where the file can't be written. Returns MIEN_EXIT_BAD
   when there was damage, or more that was bad than --max-bad allows, by default anything, else
   MIEN_EXIT_OK. */
int mien_cli_end(struct mien_cli *c, uint64_t total);

/* Ends the program quietly with status 0 when errno says that the reader of our output has gone
   away (EPIPE), else as mien_cli_die with the message of e. For failures of writing. */
void mien_cli_die_output(const struct mien_cli *c, const struct mien_err *e)
    __attribute__((noreturn));

/* Refuses to write binary records to a terminal, or to read them from one, or from the file that
   standard output appends to, which would never end: exits 2. */
void mien_cli_check_output(const struct mien_cli *c, int fd);
void mien_cli_check_input(const struct mien_cli *c, int fd);

/* Flushes and closes a text stream (standard output), and dies when anything was not written. */
void mien_cli_close_stdout(const struct mien_cli *c);

/* Notes in the history of the records that are written, mien-record(5), that this program had a
   part in them: a line of its name, its version, the options that were given and that results
   depend on, and what more there is to tell (it may have further lines, which are to be indented;
   NULL: nothing). Files' names and numbers of threads aren't told: the same input has the same
   bytes. */
void mien_cli_history(struct mien_cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Progress on standard error, but not with -q: on a terminal one line, redrawn at most five times a
   second and cleared by mien_cli_progress_end; elsewhere a line every 30 seconds. Of a pipe's
   programs only one draws on the terminal, the last if it can. Call it as often as you like. done
   counts items, and begins anew when it falls; total is 0 when unknown; bytes may be 0. */
struct mien_progress {
    const struct mien_cli *cli;
    char stage[32]; /* "epoch 1/10: ", before the numbers; "" to begin with */
    char what[96];  /* "records", behind them */
    double start, last;
    uint64_t done, size; /* size: all bytes there are to read; 0 when unknown */
    bool on, redraws, drawn;
};
void mien_cli_progress_start(struct mien_progress *p, const struct mien_cli *c, const char *what);
/* Another stage, "epoch 1/10", begins anew; what it counts may change at any time. */
void mien_cli_progress_stage(struct mien_progress *p, const char *stage, const char *what);
/* The bytes are those read of fd from now on: the time left is told where that is a file. */
void mien_cli_progress_input(struct mien_progress *p, int fd);
void mien_cli_progress(struct mien_progress *p, uint64_t done, uint64_t total, uint64_t bytes);
void mien_cli_progress_end(struct mien_progress *p);

#ifdef __cplusplus
}
#endif

#endif
