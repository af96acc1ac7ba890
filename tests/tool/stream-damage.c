/*
 * Damages a stream of one segment again and again, and checks that it is noticed each time: by the
 * library's reader, whose records before the damage must be those of the whole stream; or by a
 * program, which must end with status 2 and say at which byte or record.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mien/cli.h"
#include "mien/record.h"
#include "record/encoding.h"
#include "util/file.h"
#include "util/hash.h"

extern char **environ;

struct damage {
    const struct mien_cli *cli;
    int cut, alter, random; /* options */
    uint64_t seed;
    char **program; /* NULL: the library's reader */

    struct mien_buf whole, now; /* the stream, and what was made of it */
    struct mien_buf ends;       /* uint64_t[]: where each record of the stream ends */
    int in, err;                /* files for what was made of it, and for a program's messages */
    long tried, missed;
};

static void need(const struct damage *d, bool ok, const char *what)
{
    if (!ok)
        mien_cli_die(d->cli, "%s", what);
}

static void rewrite(const struct damage *d, int fd, const void *p, size_t n)
{
    need(d,
         ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 && file_write(fd, p, n) == 0 &&
             lseek(fd, 0, SEEK_SET) == 0,
         "cannot write a temporary file");
}

/* Reads the file `in`, up to the first record that isn't the whole stream's. Returns the reader's
   last code, with its message. */
static int read_stream(struct damage *d, bool first, struct mien_err *e)
{
    struct mien_rec r = {0};
    struct mien_reader *rd = mien_reader_new(d->in, 0, e);
    struct mien_buf body = {0};
    int rc;
    need(d, rd != NULL, e->msg);
    while ((rc = mien_read(rd, &r, e)) > 0) {
        uint64_t end = mien_reader_bytes(rd), n = mien_reader_count(rd);
        const uint64_t *ends = (const uint64_t *)(void *)d->ends.data;
        mien_buf_clear(&body);
        need(d, rec_encode(&r, 0, &body) == 0, "out of memory");
        if (first)
            need(d, mien_buf_append(&d->ends, &end, sizeof end) == 0, "out of memory");
        else if (n * sizeof end > d->ends.len || ends[n - 1] != end ||
                 memcmp(d->whole.data + end - body.len, body.data, body.len) != 0)
            break;
    }
    mien_buf_free(&body);
    mien_reader_free(rd);
    mien_rec_free(&r);
    return rc;
}

/* Whether a message tells a place. */
static bool tells(const char *text, size_t n)
{
    return n == 0 ? strstr(text, "no input") != NULL
                  : strstr(text, "byte ") != NULL || strstr(text, "record ") != NULL;
}

static bool program_notices(const struct damage *d)
{
    posix_spawn_file_actions_t files;
    char text[512];
    pid_t pid;
    int status = 0;
    rewrite(d, d->err, "", 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, d->in, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, d->err, STDERR_FILENO);
    need(d, posix_spawnp(&pid, d->program[0], &files, NULL, d->program, environ) == 0,
         "cannot run the program");
    posix_spawn_file_actions_destroy(&files);
    need(d, waitpid(pid, &status, 0) == pid, "cannot wait for the program");
    lseek(d->err, 0, SEEK_SET);
    ssize_t n = file_read(d->err, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return WIFEXITED(status) && WEXITSTATUS(status) == MIEN_EXIT_FATAL && tells(text, d->now.len);
}

static bool reader_notices(struct damage *d)
{
    struct mien_err e = {{0}};
    return read_stream(d, false, &e) < 0 && tells(e.msg, d->now.len);
}

static void try(struct damage *d, const char *how, size_t at)
{
    if (d->now.len == d->whole.len && memcmp(d->now.data, d->whole.data, d->now.len) == 0)
        return; /* no damage at all */
    rewrite(d, d->in, d->now.data, d->now.len);
    d->tried++;
    if (d->program != NULL ? program_notices(d) : reader_notices(d))
        return;
    if (++d->missed <= 10)
        mien_cli_warn(d->cli, "%s at byte %zu isn't noticed", how, at);
}

static void restore(struct damage *d, size_t n)
{
    mien_buf_clear(&d->now);
    need(d, mien_buf_append(&d->now, d->whole.data, n) == 0, "out of memory");
}

static void every_byte(struct damage *d)
{
    for (size_t at = 0; d->cut > 0 && at < d->whole.len; at += (size_t)d->cut) {
        restore(d, at);
        try(d, "a cut", at);
    }
    for (size_t at = 0; d->alter > 0 && at < d->whole.len; at += (size_t)d->alter) {
        restore(d, d->whole.len);
        d->now.data[at] ^= (unsigned char)(1 + at % 255);
        try(d, "another byte", at);
    }
}

/* Bits, bytes, runs of bytes: changed, zeroed, left out, doubled, exchanged, or the end cut off. */
static void damage_at_random(struct damage *d, struct rng *rng)
{
    unsigned char *p = d->now.data;
    size_t len = d->now.len, at = (size_t)rng_below(rng, len);
    size_t n = 1 + (size_t)rng_below(rng, len - at < 5000 ? len - at : 5000);
    size_t to = (size_t)rng_below(rng, len - n + 1);
    switch (rng_below(rng, 7)) {
    case 0:
        p[at] ^= (unsigned char)(1u << rng_below(rng, 8));
        break;
    case 1:
        for (size_t i = 0; i < n; i++)
            p[at + i] = (unsigned char)rng_next(rng);
        break;
    case 2:
        memset(p + at, 0, n);
        break;
    case 3:
        memmove(p + at, p + at + n, len - at - n);
        d->now.len -= n;
        break;
    case 4:
        need(d, mien_buf_reserve(&d->now, n) == 0, "out of memory");
        p = d->now.data;
        memmove(p + at + n, p + at, len - at);
        d->now.len += n;
        break;
    case 5:
        memmove(p + to, p + at, n);
        break;
    default:
        d->now.len = at;
    }
}

int main(int argc, char **argv)
{
    struct damage d = {.seed = 1};
    const struct mien_option opts[] = {
        MIEN_OPT_INT('c', "cut", "STEP", &d.cut, 1, 1 << 30, "cut at every STEP bytes"),
        MIEN_OPT_INT('a', "alter", "STEP", &d.alter, 1, 1 << 30, "alter a byte every STEP bytes"),
        MIEN_OPT_INT('r', "random", "N", &d.random, 1, 1 << 30, "damage it N times at random"),
        MIEN_OPT_SEED('s', "seed", "N", &d.seed, "of that [1]"),
    };
    struct mien_cli cli = {.name = "stream-damage",
                           .synopsis = "[options] [--] STREAM [PROGRAM [ARGUMENT ...]]",
                           .purpose = "Checks that damage to a stream is noticed.",
                           .opts = opts,
                           .nopts = MIEN_CLI_NOPTS(opts)};
    struct mien_err e;
    int args = mien_cli_parse(&cli, argc, argv);
    d.cli = &cli;
    need(&d, args > 0, "needs a stream");
    argv[args + 1] = NULL;
    d.program = args > 1 ? argv + 2 : NULL;
    int fd = file_open(argv[1], &e);
    if (fd < 0 || file_slurp(fd, &d.whole, MIEN_RECORD_LIMIT, argv[1], &e) < 0 ||
        (d.in = file_temp(&e)) < 0 || (d.err = file_temp(&e)) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    rewrite(&d, d.in, d.whole.data, d.whole.len);
    if (read_stream(&d, true, &e) < 0)
        mien_cli_die(&cli, "'%s' is damaged already: %s", argv[1], e.msg);

    every_byte(&d);
    struct rng rng = {hash_mix(d.seed)};
    for (int i = 0; i < d.random; i++) {
        restore(&d, d.whole.len);
        damage_at_random(&d, &rng);
        try(&d, "random damage, number", (size_t)i);
    }
    printf("%ld of %ld noticed\n", d.tried - d.missed, d.tried);
    mien_cli_close_stdout(&cli);
    mien_buf_free(&d.whole);
    mien_buf_free(&d.now);
    mien_buf_free(&d.ends);
    return d.missed > 0 ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}
