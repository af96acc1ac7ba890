#include "cli/help.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"
#include "cli/rules.h"
#include "cli/signals.h"
#include "cli/state.h"
#include "util/num.h"
#include "util/printable.h"
#include "util/utf8.h"
#include "util/version.h"

/* --- Messages ------------------------------------------------------------------------------ */

/* One write a line, so that the lines of programs in a pipe don't mix. */
static void print_line(const struct mien_cli *c, const char *fmt, va_list ap)
{
    char line[1024];
    const char *clear = cli_progress_clear();
    size_t before = strlen(clear);
    memcpy(line, clear, before);
    char *text = line + before;
    size_t room = sizeof line - before - 1; /* and one for the newline */
    int n = c->rank > 0 ? snprintf(text, room, "%s: rank %d: ", c->name, c->rank)
                        : snprintf(text, room, "%s: ", c->name);
    size_t len = (size_t)n + utf8_vprintf(text + n, room - (size_t)n, fmt, ap);
    len = printable(text, room, text, len); /* a name may hold anything */
    text[len] = '\n';
    text[len + 1] = '\0';
    fputs(line, stderr);
}

void mien_cli_warn(const struct mien_cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_line(c, fmt, ap);
    va_end(ap);
}

void mien_cli_note(const struct mien_cli *c, const char *fmt, ...)
{
    if (c->quiet)
        return;
    va_list ap;
    va_start(ap, fmt);
    print_line(c, fmt, ap);
    va_end(ap);
}

_Noreturn void mien_cli_die(const struct mien_cli *c, const char *fmt, ...)
{
    va_list ap;
    if (c->rank > 0)
        nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    va_start(ap, fmt);
    print_line(c, fmt, ap);
    va_end(ap);
    cli_state_abort(c);
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
    struct stat in, out;
    bool elsewhere = c->state != NULL && c->state->output != NULL;
    if (!elsewhere && fstat(fd, &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
        S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
        mien_cli_die(c, "standard output is the file that is read");
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

static _Noreturn void unknown_option(const struct mien_cli *c, const char *shown, const char *word)
{
    const char *near = cli_nearest_option(c, word);
    if (near != NULL)
        mien_cli_die(c, "unknown option '%s'; did you mean '--%s'? see %s --help", shown, near,
                     c->name);
    usage_error(c, "unknown option '%s'", shown);
}

static void print_version(const struct mien_cli *c)
{
    if (c->version != NULL)
        printf("%s %s\n", c->name, c->version);
    else
        printf("%s (mien) %s\nimages: %s\n", c->name, MIEN_VERSION, version_images());
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

static int store(const struct mien_cli *c, const struct mien_option *o, const char *arg,
                 struct mien_err *e)
{
    long long i;
    uint64_t u;
    int rc = 0;
    assert(arg != NULL || o->kind == MIEN_CLI_FLAG);
    assert(o->dst != NULL || o->kind == MIEN_CLI_FUNC);
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
        rc = num_u64(arg, o->dst, e);
        break;
    case MIEN_CLI_STR:
        *(const char **)o->dst = arg;
        break;
    case MIEN_CLI_CHOICE:
        if (choice(o->choices, arg) < 0)
            return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not one of %s", arg, o->choices);
        *(int *)o->dst = choice(o->choices, arg);
        break;
    case MIEN_CLI_FUNC:
        rc = o->func(o->dst != NULL ? o->dst : c->state, arg, e);
        break;
    }
    return rc;
}

/* The option that o stands for, and the value that it stands for, NULL for none. */
static const struct mien_option *resolve(const struct mien_cli *c, const struct mien_option *o,
                                         const char **value)
{
    *value = NULL;
    if (o->alias == NULL)
        return o;
    size_t n = strcspn(o->alias, "=");
    if (o->alias[n] == '=')
        *value = o->alias + n + 1;
    o = cli_find_option(c, 0, o->alias, n);
    assert(o != NULL && o->alias == NULL);
    return o;
}

static void apply(struct mien_cli *c, const struct mien_option *o, const char *shown,
                  const char *arg)
{
    struct mien_err e;
    bool common = o->dst == NULL && o->kind == MIEN_CLI_FLAG;
    if (common && o->letter == 'q') {
        c->quiet = true;
    } else if (common) {
        (o->letter == 'h' ? cli_help : o->letter == 'V' ? print_version : cli_list_options)(c);
        mien_cli_close_stdout(c);
        exit(MIEN_EXIT_OK);
    } else if (store(c, o, arg, &e) < 0) {
        usage_error(c, "%s: %s", shown, e.msg);
    } else {
        struct cli_given *given = cli_given(c, o);
        given->value = arg != NULL ? arg : "";
        snprintf(given->typed, sizeof given->typed, "%s", shown);
    }
}

/* Handles "--name[=value]"; returns how many further words it took. */
static int parse_long(struct mien_cli *c, const char *word, const char *next)
{
    size_t n = strcspn(word + 2, "=");
    const char *value = word[2 + n] == '=' ? word + 3 + n : NULL, *fixed;
    char shown[64];
    snprintf(shown, sizeof shown, "--%.*s", (int)n, word + 2);
    const struct mien_option *o = cli_find_option(c, 0, word + 2, n);
    if (o == NULL)
        unknown_option(c, shown, shown + 2);
    o = resolve(c, o, &fixed);
    bool takes = o->arg != NULL && fixed == NULL;
    if (!takes && value != NULL)
        usage_error(c, "option '%s' takes no value", shown);
    if (takes && value == NULL && next == NULL)
        usage_error(c, "option '%s' needs a value", shown);
    apply(c, o, shown, !takes ? fixed : value != NULL ? value : next);
    return takes && value == NULL;
}

/* Handles "-abc", "-j4" and "-j 4"; returns how many further words it took. */
static int parse_short(struct mien_cli *c, const char *word, const char *next)
{
    for (const char *s = word + 1; *s != '\0'; s++) {
        char shown[3] = {'-', *s, '\0'};
        const char *fixed;
        const struct mien_option *o = cli_find_option(c, *s, NULL, 0);
        if (o == NULL)
            unknown_option(c, shown, word + 1); /* may be a long name behind one dash */
        o = resolve(c, o, &fixed);
        if (o->arg == NULL || fixed != NULL) {
            apply(c, o, shown, fixed);
            continue;
        }
        if (s[1] == '\0' && next == NULL)
            usage_error(c, "option '%s' needs a value", shown);
        apply(c, o, shown, s[1] != '\0' ? s + 1 : next);
        return s[1] == '\0';
    }
    return 0;
}

/* Opens descriptors 0 to 2 that are closed, in a mode that fails when they are used as standard
   input and output: an output file that got number 2 would have messages in its midst. */
static void open_standard_descriptors(void)
{
    static const int mode[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode[fd]) != fd)
            _exit(MIEN_EXIT_FATAL); /* and nowhere to tell it */
    }
}

int mien_cli_parse(struct mien_cli *c, int argc, char **argv)
{
    open_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of write, EPIPE */
    cli_catch_signals(c->name);
    cli_state_make(c);
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
    cli_check_rules(c);
    cli_state_open(c);
    cli_progress_claim();
    return n;
}

/* --- Operands ------------------------------------------------------------------------------ */

int mien_cli_operands(const struct mien_cli *c, int n, char **argv, int min, int max,
                      const char *what)
{
    if (n < min)
        usage_error(c, "missing operand: %s", what);
    if (n > max)
        usage_error(c, "unexpected operand '%s'", argv[max + 1]);
    return n;
}

int mien_cli_filter_operands(const struct mien_cli *c, int n, char **argv, int min, int max,
                             const char *what)
{
    if (n > min && strcmp(argv[n], "-") == 0)
        n--;
    if (n > max)
        usage_error(c, "unexpected operand '%s': records are read from standard input (< %s)",
                    argv[max + 1], argv[max + 1]);
    for (int i = 1; i <= n; i++) {
        if (strcmp(argv[i], "-") == 0)
            usage_error(c, "'-' can't be %s: records are read from standard input", what);
    }
    return mien_cli_operands(c, n, argv, min, max, what);
}
