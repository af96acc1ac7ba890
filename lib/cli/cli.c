#include "mien/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/num.h"

/* --- Messages ------------------------------------------------------------------------------ */

/* One write a line, so that the lines of programs in a pipe don't mix. */
static void say(const struct mien_cli *c, const char *fmt, va_list ap)
{
    char line[1024];
    int n = snprintf(line, sizeof line - 1, "%s: ", c->name);
    int k = vsnprintf(line + n, sizeof line - 1 - (size_t)n, fmt, ap);
    if (k < 0)
        return;
    size_t len = (size_t)n + (size_t)k;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    for (size_t i = 0; i < len; i++) {
        if (iscntrl((unsigned char)line[i]))
            line[i] = '?'; /* such as a name's newline */
    }
    line[len] = '\n';
    line[len + 1] = '\0';
    fputs(line, stderr);
}

void mien_cli_warn(const struct mien_cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(c, fmt, ap);
    va_end(ap);
}

void mien_cli_note(const struct mien_cli *c, const char *fmt, ...)
{
    if (c->quiet)
        return;
    va_list ap;
    va_start(ap, fmt);
    say(c, fmt, ap);
    va_end(ap);
}

_Noreturn void mien_cli_die(const struct mien_cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(c, fmt, ap);
    va_end(ap);
    exit(MIEN_EXIT_FATAL);
}

_Noreturn void mien_cli_die_output(const struct mien_cli *c, const struct mien_err *e)
{
    if (errno == EPIPE)
        exit(MIEN_EXIT_OK);
    mien_cli_die(c, "%s", e->msg);
}

void mien_cli_check_output(const struct mien_cli *c, int fd)
{
    if (isatty(fd))
        mien_cli_die(c,
                     "records are binary and not for a terminal; send them to a file or a program "
                     "such as mien-view");
}

void mien_cli_check_input(const struct mien_cli *c, int fd)
{
    if (isatty(fd))
        mien_cli_die(c, "records are read from standard input, which is a terminal; see %s --help",
                     c->name);
}

void mien_cli_close_stdout(const struct mien_cli *c)
{
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return;
    if (errno == EPIPE)
        exit(MIEN_EXIT_OK);
    mien_cli_die(c, "cannot write: %s", errno != 0 ? strerror(errno) : "an earlier write failed");
}

/* --- Options ------------------------------------------------------------------------------- */

static _Noreturn void usage_error(const struct mien_cli *c, const char *fmt, ...)
{
    va_list ap;
    char text[700];
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    mien_cli_die(c, "%s; see %s --help", text, c->name);
}

static void help_option(char letter, const char *name, const char *arg, const char *help)
{
    char left[64], shrt[4] = "";
    if (letter != 0)
        snprintf(shrt, sizeof shrt, "-%c,", letter);
    snprintf(left, sizeof left, "%-3s --%s%s%s", shrt, name, arg != NULL ? " " : "",
             arg != NULL ? arg : "");
    if (strlen(left) > 26)
        printf("  %s\n  %-26s %s\n", left, "", help);
    else
        printf("  %-26s %s\n", left, help);
}

static _Noreturn void help(const struct mien_cli *c)
{
    printf("usage: %s %s\n%s\n\n", c->name, c->synopsis, c->purpose);
    for (size_t i = 0; i < c->nopts; i++)
        help_option(c->opts[i].letter, c->opts[i].name, c->opts[i].arg, c->opts[i].help);
    help_option('q', "quiet", NULL, "no summary and no progress, only errors");
    help_option('h', "help", NULL, "show this text");
    help_option('V', "version", NULL, "show the version");
    mien_cli_close_stdout(c);
    exit(MIEN_EXIT_OK);
}

static _Noreturn void version(const struct mien_cli *c)
{
    printf("%s (mien) %s\n", c->name, MIEN_VERSION);
    mien_cli_close_stdout(c);
    exit(MIEN_EXIT_OK);
}

/* The index of word in "a|b|c", or -1. */
static int choice(const char *choices, const char *word)
{
    size_t n = strlen(word);
    for (int i = 0; *choices != '\0'; i++) {
        size_t k = strcspn(choices, "|");
        if (k == n && strncmp(choices, word, n) == 0)
            return i;
        choices += k + (choices[k] == '|');
    }
    return -1;
}

static int store(const struct mien_option *o, const char *arg, struct mien_err *e)
{
    long long i;
    uint64_t u;
    int rc = 0;
    switch (o->kind) {
    case MIEN_CLI_FLAG:
        *(bool *)o->dst = true;
        break;
    case MIEN_CLI_INT:
        if ((rc = num_int(arg, (long long)o->lo, (long long)o->hi, &i, e)) == 0)
            *(int *)o->dst = (int)i;
        break;
    case MIEN_CLI_REAL:
        rc = num_real(arg, o->lo, o->hi, o->dst, e);
        break;
    case MIEN_CLI_SIZE:
        if ((rc = num_size(arg, (uint64_t)o->hi, &u, e)) == 0 && u < (uint64_t)o->lo)
            rc = mien_err_set(e, MIEN_ERR_ARG, "'%s' is less than %.0f", arg, o->lo);
        if (rc == 0)
            *(size_t *)o->dst = (size_t)u;
        break;
    case MIEN_CLI_SEED:
        if ((rc = num_int(arg, INT64_MIN, INT64_MAX, &i, e)) == 0)
            *(uint64_t *)o->dst = (uint64_t)i;
        break;
    case MIEN_CLI_STR:
        *(const char **)o->dst = arg;
        break;
    case MIEN_CLI_CHOICE:
        if (choice(o->choices, arg) < 0)
            return mien_err_set(e, MIEN_ERR_ARG, "'%s' is none of %s", arg, o->choices);
        *(int *)o->dst = choice(o->choices, arg);
        break;
    case MIEN_CLI_FUNC:
        rc = o->func(o->dst, arg, e);
        break;
    }
    return rc;
}

static const struct mien_option *find(const struct mien_cli *c, char letter, const char *name,
                                      size_t n)
{
    static const struct mien_option quiet = MIEN_OPT_FLAG('q', "quiet", NULL, NULL);
    const struct mien_option *o = c->opts;
    for (size_t i = 0; i <= c->nopts; i++, o++) {
        if (i == c->nopts)
            o = &quiet;
        if (name == NULL ? o->letter == letter
                         : strlen(o->name) == n && strncmp(o->name, name, n) == 0)
            return o;
    }
    return NULL;
}

static void apply(struct mien_cli *c, const struct mien_option *o, const char *shown,
                  const char *arg)
{
    struct mien_err e;
    if (o->dst == NULL) /* -q is the only option of the table's own */
        c->quiet = true;
    else if (store(o, arg, &e) < 0)
        usage_error(c, "%s: %s", shown, e.msg);
}

/* Handles "--name[=value]"; returns how many further words it took. */
static int parse_long(struct mien_cli *c, const char *word, const char *next)
{
    size_t n = strcspn(word + 2, "=");
    const char *value = word[2 + n] == '=' ? word + 3 + n : NULL;
    char shown[64];
    snprintf(shown, sizeof shown, "--%.*s", (int)n, word + 2);
    if (strcmp(word, "--help") == 0)
        help(c);
    if (strcmp(word, "--version") == 0)
        version(c);
    const struct mien_option *o = find(c, 0, word + 2, n);
    if (o == NULL)
        usage_error(c, "unknown option '%s'", shown);
    if (o->arg == NULL && value != NULL)
        usage_error(c, "option '%s' takes no value", shown);
    bool take = o->arg != NULL && value == NULL;
    if (take && next == NULL)
        usage_error(c, "option '%s' needs a value", shown);
    apply(c, o, shown, take ? next : value);
    return take;
}

/* Handles "-abc", "-j4" and "-j 4"; returns how many further words it took. */
static int parse_short(struct mien_cli *c, const char *word, const char *next)
{
    for (const char *s = word + 1; *s != '\0'; s++) {
        char shown[3] = {'-', *s, '\0'};
        if (*s == 'h')
            help(c);
        if (*s == 'V')
            version(c);
        const struct mien_option *o = find(c, *s, NULL, 0);
        if (o == NULL)
            usage_error(c, "unknown option '%s'", shown);
        if (o->arg == NULL) {
            apply(c, o, shown, NULL);
            continue;
        }
        if (s[1] == '\0' && next == NULL)
            usage_error(c, "option '%s' needs a value", shown);
        apply(c, o, shown, s[1] != '\0' ? s + 1 : next);
        return s[1] == '\0';
    }
    return 0;
}

int mien_cli_parse(struct mien_cli *c, int argc, char **argv)
{
    /* A reader that goes away is an error of write, EPIPE, and no signal. */
    signal(SIGPIPE, SIG_IGN);
    int n = 0;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(word, "--") == 0) {
            while (++i < argc)
                argv[++n] = argv[i];
        } else if (word[0] != '-' || word[1] == '\0') {
            argv[++n] = word;
        } else {
            i += word[1] == '-' ? parse_long(c, word, next) : parse_short(c, word, next);
        }
    }
    return n;
}

/* --- Progress ------------------------------------------------------------------------------ */

void mien_cli_progress_start(struct mien_progress *p, const struct mien_cli *c, const char *what)
{
    double now = clock_seconds();
    *p = (struct mien_progress){c, what, now, now, !c->quiet && isatty(STDERR_FILENO) == 1, false};
}

void mien_cli_progress(struct mien_progress *p, uint64_t done, uint64_t total, uint64_t bytes)
{
    if (!p->on)
        return;
    double now = clock_seconds(), spent = now - p->start;
    if (now - p->last < 0.2)
        return;
    p->last = now;
    p->drawn = true;
    double rate = spent > 0 ? (double)done / spent : 0;
    fprintf(stderr, "\r%s: %llu", p->cli->name, (unsigned long long)done);
    if (total > 0)
        fprintf(stderr, "/%llu", (unsigned long long)total);
    fprintf(stderr, " %s, %.0f/s", p->what, rate);
    if (bytes > 0)
        fprintf(stderr, ", %.1f MB", (double)bytes / 1e6);
    if (total > done && rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(total - done) / rate);
    fputs("   ", stderr);
}

void mien_cli_progress_end(struct mien_progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\r%72s\r", "");
    p->drawn = false;
}
