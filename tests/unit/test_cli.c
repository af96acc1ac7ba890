/* The command line: what a table of options makes of it, and progress on a terminal. What ends a
   program is in tests/cmd/cli.t. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/help.h"
#include "cli/progress.h"

enum { BOX_FACE, BOX_WHOLE };

struct values {
    double margin;
    int box;
    bool keep;
    uint64_t seed;
};

/* Parses the words, of which the last is NULL; returns the number of operands. */
static int parse(struct values *v, struct mien_cli *c, char **words)
{
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Cutting"),
        MIEN_OPT_REAL(0, "margin", "F", &v->margin, 0, 10, "margin [0.4]"),
        MIEN_OPT_CHOICE(0, "box", "BOX", &v->box, "face|whole", "what to cut out [face]"),
        MIEN_OPT_FLAG('k', "keep", &v->keep, "keep the images"),
        MIEN_OPT_SEED('s', "seed", "N", &v->seed, "seed [0]"),
        MIEN_OPT_ALIAS('m', NULL, "margin"),
        MIEN_OPT_ALIAS('w', "whole", "box=whole"),
        MIEN_OPT_ALIAS(0, "retain", "keep"),
    };
    int n = 0;
    while (words[n] != NULL)
        n++;
    *v = (struct values){0};
    *c = (struct mien_cli){.name = "test", .opts = opts, .nopts = MIEN_CLI_NOPTS(opts)};
    return mien_cli_parse(c, n, words);
}

static void aliases(void **state)
{
    (void)state;
    struct values v;
    struct mien_cli c;
    assert_int_equal(parse(&v, &c, (char *[]){"test", "-m", "0.5", "-w", "x", NULL}), 1);
    assert_true(v.margin == 0.5 && v.box == BOX_WHOLE && !v.keep);
    assert_int_equal(parse(&v, &c, (char *[]){"test", "-km.25", "--retain", NULL}), 0);
    assert_true(v.margin == 0.25 && v.box == BOX_FACE && v.keep && !c.quiet);
    assert_int_equal(parse(&v, &c, (char *[]){"test", "-qw", "--", "-m", NULL}), 1);
    assert_true(v.margin == 0 && v.box == BOX_WHOLE && c.quiet);
    parse(&v, &c, (char *[]){"test", "--seed", "18446744073709551615", NULL});
    assert_true(v.seed == UINT64_MAX);
}

static void typos(void **state)
{
    (void)state;
    double margin;
    bool flag;
    const struct mien_option opts[] = {
        MIEN_OPT_REAL(0, "margin", "F", &margin, 0, 10, "margin"),
        MIEN_OPT_FLAG(0, "max-pixels", &flag, "pixels"),
        MIEN_OPT_FLAG(0, "max-record", &flag, "record"),
        MIEN_OPT_ALIAS(0, "columns", "across"),
        MIEN_OPT_GROUP("Nothing"),
    };
    static const struct {
        const char *word, *meant;
    } typo[] = {{"marign", "margin"},
                {"margins", "margin"},
                {"mar", "margin"},
                {"column", "across"},
                {"max_pixels", "max-pixels"},
                {"hlep", "help"},
                {"verison", "version"},
                {"maxrecord", "max-record"},
                {"color", NULL},
                {"x", NULL},
                {"no-such-option", NULL}};
    struct mien_cli c = {.name = "test", .opts = opts, .nopts = MIEN_CLI_NOPTS(opts)};
    for (size_t i = 0; i < sizeof typo / sizeof typo[0]; i++) {
        const char *near = cli_nearest_option(&c, typo[i].word);
        if (typo[i].meant == NULL)
            assert_null(near);
        else
            assert_string_equal(near, typo[i].meant);
    }
}

/* Parses a command line, whose last word is NULL, in another process, and keeps the first line that
   is printed to fd. Returns the exit status, 9 where parsing returned, or 128 and a signal. */
static int run(struct mien_cli *c, char **words, int fd, char *line, size_t size)
{
    int end[2], argc = 0, status = 1;
    assert_int_equal(pipe(end), 0);
    while (words[argc] != NULL)
        argc++;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka has a handler */
        dup2(end[1], fd);
        mien_cli_parse(c, argc, words);
        _exit(9);
    }
    close(end[1]);
    ssize_t n = read(end[0], line, size - 1);
    close(end[0]);
    waitpid(child, &status, 0);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void versions(void **state)
{
    (void)state;
    char line[100];
    char *argv[] = {"test", "--version", NULL};
    struct mien_cli own = {.name = "test", .version = "7.3"}, ours = {.name = "test"};
    assert_int_equal(run(&own, argv, STDOUT_FILENO, line, sizeof line), 0);
    assert_string_equal(line, "test 7.3");
    assert_int_equal(run(&ours, argv, STDOUT_FILENO, line, sizeof line), 0);
    assert_string_equal(line, "test (mien) " MIEN_VERSION);
}

/* Options that exclude or need each other; of -o and --range, which aren't in the table, too. */
static void rules(void **state)
{
    (void)state;
    bool flag;
    int format, head;
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Something"),
        MIEN_OPT_CHOICE('f', "format", "FORMAT", &format, "tsv|json", "format"),
        MIEN_OPT_FLAG('c', "count", &flag, "count"),
        MIEN_OPT_FLAG(0, "list", &flag, "list"),
        MIEN_OPT_FLAG(0, "full", &flag, "full"),
        MIEN_OPT_INT('n', "head", "N", &head, 0, 9, "head"),
        MIEN_OPT_ALIAS(0, "json", "format=json"),
        MIEN_OPT_ALIAS(0, "limit", "head"),
    };
    const struct mien_option_rule rule[] = {
        MIEN_RULE_EXCLUSIVE("format=json count list"),
        MIEN_RULE_EXCLUDES("count list", "head range"),
        MIEN_RULE_NEEDS("full", "format=json"),
        MIEN_RULE_NEEDS("head", "output format=json list"),
        MIEN_RULE_REQUIRES("format count list output"),
    };
    static const struct {
        char *words[6];
        const char *message; /* NULL: they go together */
    } line[] = {
        {{"test", "--count"}, NULL},
        {{"test", "--format=tsv", "-c"}, NULL},
        {{"test", "--full", "--format", "json", "-n0"}, NULL},
        {{"test", "-n", "1", "-o", "/dev/null"}, NULL},
        {{"test", "--json", "-f", "tsv", "-c"}, NULL}, /* the last one counts */
        {{"test", "-cfjson"}, "test: --format json and -c exclude each other"},
        {{"test", "--list", "--count"}, "test: --count and --list exclude each other"},
        {{"test", "--json", "--list"}, "test: --format json and --list exclude each other"},
        {{"test", "-c", "--limit", "3"}, "test: -c and --limit exclude each other"},
        {{"test", "--list", "--range=1:2"}, "test: --list and --range exclude each other"},
        {{"test", "--full", "-ftsv"}, "test: --full needs --format json"},
        {{"test", "-n2", "-ftsv"}, "test: -n needs --output FILE, --format json or --list"},
        {{"test"},
         "test: missing option: --format FORMAT, --count, --list or --output FILE; see test "
         "--help"},
    };
    struct mien_cli c = {.name = "test",
                         .opts = opts,
                         .nopts = MIEN_CLI_NOPTS(opts),
                         .uses = MIEN_CLI_OUTPUT | MIEN_CLI_RANGE,
                         .rules = rule,
                         .nrules = MIEN_CLI_NOPTS(rule)};
    char text[200];
    for (size_t i = 0; i < sizeof line / sizeof line[0]; i++) {
        const char *message = line[i].message != NULL ? line[i].message : "";
        int status = run(&c, (char **)line[i].words, STDERR_FILENO, text, sizeof text);
        assert_string_equal(text, message);
        assert_int_equal(status, line[i].message != NULL ? MIEN_EXIT_FATAL : 9);
    }
}

/* A rule that names no option is found at once, whatever options are given. */
static void wrong_rules(void **state)
{
    (void)state;
    bool flag;
    const struct mien_option opts[] = {
        MIEN_OPT_FLAG('c', "count", &flag, "count"),
        MIEN_OPT_FLAG('l', "list", &flag, "list"),
        MIEN_OPT_ALIAS(0, "number", "count"),
    };
    const struct mien_option_rule wrong[] = {
        MIEN_RULE_EXCLUSIVE("count liste"),     MIEN_RULE_EXCLUDES("list", "output"),
        MIEN_RULE_NEEDS("list", "count coun"),  MIEN_RULE_NEEDS("l", "count"),
        MIEN_RULE_REQUIRES("count list -list"), MIEN_RULE_EXCLUDES("number", "list"),
    };
    char text[200];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct mien_cli c = {.name = "test",
                             .opts = opts,
                             .nopts = MIEN_CLI_NOPTS(opts),
                             .rules = &wrong[i],
                             .nrules = 1};
        char *words[] = {"test", "-c", NULL};
        assert_int_equal(run(&c, words, STDERR_FILENO, text, sizeof text), 128 + SIGABRT);
    }
}

/* What progress is of is kept: the caller's text may be gone by the next call. */
static void progress_keeps_its_text(void **state)
{
    (void)state;
    const struct mien_cli c = {.name = "test", .quiet = true};
    struct mien_progress p;
    char what[] = "records";
    mien_cli_progress_start(&p, &c, what);
    memset(what, 'x', sizeof what - 1);
    assert_string_equal(p.what, "records");
}

/* Draws progress on the terminal fd, 40 columns wide. */
static void draw(int fd)
{
    struct winsize size = {.ws_row = 24, .ws_col = 40};
    const struct mien_cli c = {.name = "test"};
    struct mien_progress p;
    ioctl(fd, TIOCSWINSZ, &size);
    dup2(fd, STDERR_FILENO);
    setenv("TERM", "xterm", 1);
    mien_cli_progress_start(&p, &c, "records");
    mien_cli_progress_stage(&p, "epoch 1/10", "records, loss 4.321, gender 51.2%");
    nanosleep(&(struct timespec){.tv_nsec = 250000000}, NULL);
    mien_cli_progress(&p, 7, 100, 0);
    mien_cli_progress_end(&p);
    _exit(0);
}

/* What was written to a terminal, which may come in pieces: at least n bytes, within five seconds. */
static void read_terminal(int master, char *text, size_t size, size_t n)
{
    size_t len = 0;
    struct pollfd p = {.fd = master, .events = POLLIN};
    while (len < n && poll(&p, 1, 5000) > 0) {
        ssize_t got = read(master, text + len, size - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    text[len] = '\0';
}

/* A line fits the terminal, and is cleared whole. */
static void progress(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
        fprintf(stderr, "# no pseudo-terminals: progress on a terminal is not tested\n");
        return; // cmocka prints skip() as a failure of TAP
    }
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        draw(slave);
    waitpid(child, NULL, 0);
    char text[200];
    const char *wanted = "\rtest: epoch 1/10: 7/100 records, loss 4\033[K\r\033[K";
    read_terminal(master, text, sizeof text, strlen(wanted));
    assert_string_equal(text, wanted);
    close(slave);
    close(master);
}

/* Of two programs in a pipe the last draws, also when it draws later; and the other one if the last
   isn't ours. What the other one has to tell takes the line away. */
static void one_line_for_a_pipe(void **state)
{
    (void)state;
    for (int last_is_ours = 0; last_is_ours < 2; last_is_ours++) {
        int master = posix_openpt(O_RDWR | O_NOCTTY), out[2], in[2];
        if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
            fprintf(stderr, "# no pseudo-terminals: progress of pipes is not tested\n");
            return;
        }
        int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
        assert_true(slave >= 0 && pipe(out) == 0 && pipe(in) == 0);
        pid_t last = fork();
        if (last == 0) { /* claims the line, and draws nothing yet */
            char c;
            close(out[1]);
            dup2(slave, STDERR_FILENO);
            dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
            setenv("TERM", "xterm", 1);
            if (last_is_ours)
                cli_progress_claim();
            (void)!write(in[1], "", 1);
            _exit(read(out[0], &c, 1) != 0);
        }
        char c, text[200];
        assert_int_equal(read(in[0], &c, 1), 1);
        pid_t first = fork();
        if (first == 0) {
            dup2(out[1], STDOUT_FILENO);
            dup2(slave, STDERR_FILENO);
            setenv("TERM", "xterm", 1);
            mien_cli_warn(&(struct mien_cli){.name = "test"}, "told");
            draw(slave);
        }
        close(out[1]);
        int status;
        waitpid(first, &status, 0);
        waitpid(last, &status, 0);
        assert_int_equal(status, 0);
        const char *wanted = last_is_ours ? "\r\033[Ktest: told\r\n"
                                          : "test: told\r\n\rtest: epoch 1/10: 7/100 records, "
                                            "loss 4\033[K\r\033[K";
        read_terminal(master, text, sizeof text, strlen(wanted));
        assert_string_equal(text, wanted);
        close(out[0]);
        close(in[0]);
        close(in[1]);
        close(slave);
        close(master);
    }
}

/* Without a terminal, such as in a log file, there is a line every half minute. */
static void progress_in_a_file(void **state)
{
    (void)state;
    const struct mien_cli c = {.name = "test"}, quiet = {.name = "test", .quiet = true};
    struct mien_progress p, none;
    FILE *file = tmpfile();
    assert_non_null(file);
    FILE *input = tmpfile();
    assert_non_null(input);
    int saved = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    mien_cli_progress_start(&p, &c, "records");
    mien_cli_progress_start(&none, &quiet, "records");
    mien_cli_progress(&p, 1, 200, 0);
    p.start -= 50; /* as if it had been a while */
    p.last -= 31;
    none.last -= 31;
    mien_cli_progress(&p, 100, 200, 3000000);
    mien_cli_progress(&p, 101, 200, 3000000);
    mien_cli_progress(&none, 100, 200, 0);
    /* Of a file whose size is known; then of a second one, which is counted anew. */
    assert_int_equal(ftruncate(fileno(input), 8000000), 0);
    assert_int_equal(lseek(fileno(input), 2000000, SEEK_SET), 2000000);
    mien_cli_progress_input(&p, fileno(input));
    p.start -= 250;
    p.last -= 31;
    mien_cli_progress(&p, 600, 0, 3000000);
    p.last -= 31;
    p.start -= 60000;
    mien_cli_progress(&p, 601, 0, 3000000);
    mien_cli_progress(&p, 0, 0, 0);
    p.start -= 10;
    p.last -= 31;
    mien_cli_progress(&p, 100, 0, 1000000);
    mien_cli_progress_end(&p);
    fflush(stderr);
    fclose(input);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char text[500];
    rewind(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    assert_string_equal(text, "test: 100/200 records, 2/s, 3.0 MB, 50 s left\n"
                              "test: 600 records, 2/s, 3.0 MB, 5 min left\n"
                              "test: 601 records, 0/s, 3.0 MB, 16.8 h left\n"
                              "test: 100 records, 10/s, 1.0 MB, 50 s left\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aliases),
        cmocka_unit_test(typos),
        cmocka_unit_test(versions),
        cmocka_unit_test(rules),
        cmocka_unit_test(wrong_rules),
        cmocka_unit_test(progress_keeps_its_text),
        cmocka_unit_test(progress),
        cmocka_unit_test(one_line_for_a_pipe),
        cmocka_unit_test(progress_in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
