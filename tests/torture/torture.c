/*
 * Runs programs again and again, each time with another call failing, and judges what comes of it:
 *
 *     torture [-j N] [-p 1/20] [-s SEED] [-t SECONDS] [-c CASE] [-f FUNCTION] [-k N] [-n]
 *             BUILD CASES DIR
 *
 * BUILD is the build folder, with the programs; DIR has what tests/torture/inputs makes. -p makes a
 * part of the runs, drawn by SEED; -c and -f those of cases whose names begin with CASE, and of one
 * function. -k sends five signals instead, each at N moments, drawn by SEED too. -n has folders refuse
 * files without a name. Prints a table, then each finding with the command that shows it; ends with 1
 * when there is one.
 *
 * A line of the file CASES is a run, or tells of a library that crashes, waits for ever or speaks for
 * itself where FUNCTION fails in runs whose names begin with NAME: that is counted, but isn't a finding.
 * Output that is wrong is one even there, but behind "!!".
 *
 *     NAME [=STATUS] [+FILE]... [~FILE]... [@WORD]: COMMAND [<FILE or |FILE]
 *     !|!! NAME FUNCTION: WHY
 *
 * The run is made in a folder of its own beside DIR/in. STATUS is what it ends with when nothing
 * fails [0]; +FILE is copied there from DIR/in before; ~FILE grows line by line, so that its
 * beginning may stay, and ~- stands for standard output where that reports on all that could be
 * read. @WORD: whatever has ended the run, COMMAND with WORD behind it does what is left to do, so
 * that a FILE may hold anything before. |FILE is standard input through a pipe.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inject.h"

enum { CASES = 200, WORDS = 60, FILES = 32, SANITIZER_STATUS = 86 };

/* What a run comes to; from CRASH on findings. */
enum verdict {
    NOT_RUN,
    NOT_REACHED, /* there were fewer calls this time */
    ABSORBED,    /* all is as if nothing had failed */
    CLEAN,       /* a message, a status, and nothing that looks whole and isn't */
    KNOWN,       /* a fault within a library, which we can't mend */
    CRASH,
    HANG,
    WRONG,
    SILENT,
    UNSIGNED,
    BLAMED,
    FALSE,
    LEFT,
    LOST
};
static const char *const finding[] = {
    [CRASH] = "a crash",
    [HANG] = "no end within the time",
    [WRONG] = "status 0, but the output is another",
    [SILENT] = "no message",
    [UNSIGNED] = "a message without the program's name",
    [BLAMED] = "records are blamed for a want of memory or descriptors",
    [FALSE] = "an output looks whole and isn't",
    [LEFT] = "a file is left behind",
    [LOST] = "it can't be resumed to the same end",
};

struct bytes {
    char *p;
    size_t n;
};

struct file {
    char *name;
    struct bytes bytes;
};

/* What a run leaves: standard output, standard error, and the files in its folder. */
struct result {
    int status; /* as waitpid has it; -1 when it had to be killed */
    struct bytes out, err;
    struct file file[FILES];
    int n, ntemp;  /* ntemp: left in TMPDIR */
    unsigned took; /* microseconds */
    struct inject_shared calls;
};

struct test {
    char *name, *in, *argv[WORDS];
    struct bytes piped; /* in, where a pipe holds all of it */
    bool pipe;
    char *copied[FILES], *grows[FILES], *again; /* again: what resumes it, or NULL */
    int ncopied, ngrows, status;
    struct result right;
    struct bytes before[FILES]; /* of what is copied */
};

struct job {
    short test, function;
    char fault[12];
    bool on;
    unsigned n; /* the call that fails; or microseconds from the start to the signal */
};

static struct test test[CASES];
static struct {
    char *name, *function;
    bool wrong; /* it may also give another output */
} known[CASES];
static int ntest, nknown;
static const char *build, *dir;
static struct {
    char *calls, *temp, *out, *err;
} side;                /* where this process has what lies beside the folder that programs run in */
static int limit = 10; /* seconds */
static bool named;     /* folders refuse files without a name */

/* The signals that -k sends count as functions behind the others. */
enum { SIGNALS = 5, FUNCTIONS = INJECT_FUNCTION_COUNT + SIGNALS };
static const int signals[SIGNALS] = {SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGXCPU};

static const char *const function_name[] = {
#define X(name, faults) #name,
    INJECT_FUNCTIONS(X)
#undef X
        "SIGKILL",
    "SIGINT",
    "SIGTERM",
    "SIGHUP",
    "SIGXCPU",
};
static const char *const function_faults[] = {
#define X(name, faults) faults,
    INJECT_FUNCTIONS(X)
#undef X
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "torture: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *must(void *p)
{
    if (p == NULL)
        die("out of memory");
    return p;
}

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *fmt, ...)
{
    char *s;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    return s;
}

static struct bytes slurp(const char *path)
{
    struct bytes b = {0};
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0)
        die(path);
    b.p = must(malloc((size_t)st.st_size + 1));
    while (b.n < (size_t)st.st_size) {
        ssize_t k = read(fd, b.p + b.n, (size_t)st.st_size - b.n);
        if (k <= 0)
            break;
        b.n += (size_t)k;
    }
    b.p[b.n] = '\0';
    close(fd);
    return b;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool begins(struct bytes part, struct bytes whole)
{
    return part.n <= whole.n && memcmp(part.p, whole.p, part.n) == 0;
}

/* --- Runs ---------------------------------------------------------------------------------- */

static int remove_below(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind;
    return at->level == 0 ? 0 : remove(path);
}

static void empty_folder(const char *path)
{
    if (nftw(path, remove_below, 16, FTW_DEPTH | FTW_PHYS) != 0)
        die(path);
}

static void copy_in(const struct test *t)
{
    for (int i = 0; i < t->ncopied; i++) {
        int fd = open(t->copied[i], O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd < 0 || write(fd, t->before[i].p, t->before[i].n) != (ssize_t)t->before[i].n)
            die(t->copied[i]);
        close(fd);
    }
}

/* Waits for the program. Returns its status, or -1 after having killed it. */
static int wait_for(pid_t pid)
{
    sigset_t child;
    int status;
    struct timespec left = {limit, 0};
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (sigtimedwait(&child, NULL, &left) < 0 && errno == EAGAIN) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return -1;
        }
    }
    return status;
}

/* Collects the files of a folder and of those in it, path being "" or ending in a slash. */
static void collect(struct result *r, const char *path)
{
    DIR *d = opendir(*path != '\0' ? path : ".");
    for (struct dirent *x; d != NULL && (x = readdir(d)) != NULL;) {
        struct stat st;
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0)
            continue;
        char *name = text("%s%s", path, x->d_name), *folder = text("%s/", name);
        if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
            collect(r, folder);
        else if (r->n < FILES)
            r->file[r->n++] = (struct file){text("%s", name), slurp(name)};
        free(name);
        free(folder);
    }
    closedir(d);
}

static int count_files(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    while (d != NULL && readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

/* The read end of a pipe that has all of it already. */
static int filled_pipe(struct bytes b)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0 || fcntl(fd[1], F_SETPIPE_SZ, (int)b.n + 1) < 0 ||
        write(fd[1], b.p, b.n) != (ssize_t)b.n)
        die("pipe");
    close(fd[1]);
    return fd[0];
}

/* The number of the signal that a job sends, or 0. */
static int signal_of(const struct job *j)
{
    bool sends = j != NULL && j->function >= INJECT_FUNCTION_COUNT;
    return sends ? signals[j->function - INJECT_FUNCTION_COUNT] : 0;
}

/* The standard descriptor that a job closes, or -1. */
static int closed_by(const struct job *j)
{
    return j != NULL && j->function == F_descriptor ? (int)j->n - 1 : -1;
}

/* A job as INJECT takes it, or NULL. */
static char *fault_of(const struct job *j)
{
    if (j == NULL || signal_of(j) != 0 || closed_by(j) >= 0)
        return NULL;
    return text("INJECT=%s:%s:%u%s", function_name[j->function], j->fault, j->n, j->on ? "+" : "");
}

/* Starts a test in the folder we are in; see run. */
static pid_t start(const struct test *t, const struct job *j, bool again)
{
    char *argv[WORDS + 1] = {0};
    for (int i = 0; t->argv[i] != NULL; i++)
        argv[i + (again && i > 0)] = t->argv[i];
    if (again)
        argv[1] = t->again;
    char *env[] = {text("LD_PRELOAD=../inject.so"),
                   text("INJECT_FILE=%s", side.calls),
                   text("TMPDIR=%s", side.temp),
                   text("ASAN_OPTIONS=allocator_may_return_null=1:verify_asan_link_order=0:"
                        "detect_leaks=0:exitcode=%d",
                        SANITIZER_STATUS),
                   text("UBSAN_OPTIONS=print_stacktrace=1:exitcode=%d", SANITIZER_STATUS),
                   text("OPENBLAS_NUM_THREADS=1"),
                   text(named ? "INJECT_NAMED=1" : "_="),
                   fault_of(j),
                   NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    pid_t pid;
    int in = t->pipe ? filled_pipe(t->piped) : -1;
    posix_spawn_file_actions_init(&files);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&files, in, 0);
    else
        posix_spawn_file_actions_addopen(&files, 0, t->in ? t->in : "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, side.out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_addopen(&files, 2, side.err, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (closed_by(j) >= 0)
        posix_spawn_file_actions_addclose(&files, closed_by(j));
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    /* Shells ignore signals for what they run in the background, and nohup does. */
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *program = text("%s/bin/%s", build, t->argv[0]);
    errno = posix_spawn(&pid, program, &files, &attr, argv, env);
    if (errno != 0)
        die(program);
    free(program);
    if (in >= 0)
        close(in);
    for (int i = 0; env[i] != NULL; i++)
        free(env[i]);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return pid;
}

static unsigned microseconds_since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)((now.tv_sec - from->tv_sec) * 1000000 + (now.tv_nsec - from->tv_nsec) / 1000);
}

/* Runs a test as j says, which may be NULL. again: as it is resumed, in the folder as it stands. */
static struct result run(const struct test *t, const struct job *j, bool again)
{
    int fd = open(side.calls, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || ftruncate(fd, sizeof(struct inject_shared)) < 0)
        die(side.calls);
    close(fd);
    empty_folder(side.temp);
    if (!again) {
        empty_folder(".");
        copy_in(t);
    }
    struct result r = {0};
    struct timespec from;
    clock_gettime(CLOCK_MONOTONIC, &from);
    pid_t pid = start(t, j, again);
    if (signal_of(j) != 0) {
        usleep(j->n);
        kill(pid, signal_of(j)); /* where it has ended, it still waits for us */
    }
    r.status = wait_for(pid);
    r.took = microseconds_since(&from);
    r.out = slurp(side.out);
    r.err = slurp(side.err);
    r.ntemp = count_files(side.temp);
    collect(&r, "");
    struct bytes calls = slurp(side.calls);
    memcpy(&r.calls, calls.p, sizeof r.calls);
    free(calls.p);
    return r;
}

static void result_free(struct result *r)
{
    free(r->out.p);
    free(r->err.p);
    for (int i = 0; i < r->n; i++) {
        free(r->file[i].name);
        free(r->file[i].bytes.p);
    }
}

/* --- Judgement ----------------------------------------------------------------------------- */

static const struct file *find_file(const struct result *r, const char *name)
{
    for (int i = 0; i < r->n; i++) {
        if (strcmp(r->file[i].name, name) == 0)
            return &r->file[i];
    }
    return NULL;
}

static bool all_same(const struct result *a, const struct result *b)
{
    bool equal =
        a->status == b->status && a->n == b->n && a->ntemp == b->ntemp && same(a->out, b->out);
    for (int i = 0; equal && i < a->n; i++) {
        const struct file *f = find_file(b, a->file[i].name);
        equal = f != NULL && same(a->file[i].bytes, f->bytes);
    }
    return equal;
}

/* Whether each line of standard error begins with the program's name, but for the one that libarchive
   prints before it ends a program that is short of memory. */
static bool all_signed(const struct test *t, struct bytes err)
{
    static const char foreign[] = "Fatal Internal Error in libarchive";
    size_t n = strlen(t->argv[0]), lines = 0;
    for (char *s = err.p; *s != '\0'; s = strchrnul(s, '\n'), s += *s == '\n') {
        bool own = strncmp(s, t->argv[0], n) == 0 && s[n] == ':';
        if (!own && strncmp(s, foreign, strlen(foreign)) != 0)
            return false;
        lines += own;
    }
    return lines > 0 || err.n == 0;
}

static int index_of(char *const *list, int n, const char *name)
{
    int i = 0;
    while (i < n && strcmp(list[i], name) != 0)
        i++;
    return i < n ? i : -1;
}

/* A file may be as it was before, as it ought to be, or the beginning of one that grows. */
static enum verdict judge_file(const struct test *t, const struct file *f)
{
    const struct file *right = find_file(&t->right, f->name);
    int before = index_of(t->copied, t->ncopied, f->name);
    if (right == NULL && before < 0)
        return LEFT;
    if ((right != NULL && same(f->bytes, right->bytes)) ||
        (before >= 0 && same(f->bytes, t->before[before])))
        return CLEAN;
    bool grows = index_of(t->grows, t->ngrows, f->name) >= 0;
    return grows && right != NULL && begins(f->bytes, right->bytes) ? CLEAN : FALSE;
}

/* Whether a failed run's standard output tells that it isn't whole: records by the end record, of
   32 bytes, that isn't there; text, a page of mien-montage and the like by being the beginning of
   the right one. */
static bool tells_cut(struct bytes out, struct bytes right)
{
    if (begins(out, right))
        return true;
    return out.n >= 32 && memcmp(out.p, "MIEN", 4) == 0 &&
           memcmp(out.p + out.n - 32, "MIEN\1\1", 6) != 0;
}

/* Whether a file is a whole new one under the name that it has for a moment before it is renamed over
   the old one. What one that grows is then, as a checkpoint is, is for the resumed run to judge. */
static bool is_renamed(const struct test *t, const struct file *f)
{
    for (int i = 0; i < t->right.n; i++) {
        const struct file *right = &t->right.file[i];
        size_t n = strlen(right->name);
        if (strncmp(f->name, right->name, n) == 0 && f->name[n] == '.' &&
            strlen(f->name) == n + 7 && same(f->bytes, right->bytes))
            return true;
    }
    for (int i = 0; t->again != NULL && i < t->ngrows; i++) {
        size_t n = strlen(t->grows[i]);
        if (strncmp(f->name, t->grows[i], n) == 0 && f->name[n] == '.' && strlen(f->name) == n + 7)
            return true;
    }
    return false;
}

/* The files that a run leaves. Those that grow may have anything in them where any is true. */
static enum verdict judge_files(const struct test *t, const struct result *r, bool any)
{
    enum verdict v = CLEAN;
    for (int i = 0; i < r->n && v == CLEAN; i++) {
        v = judge_file(t, &r->file[i]);
        if (v == FALSE && any && index_of(t->grows, t->ngrows, r->file[i].name) >= 0)
            v = CLEAN;
        bool killed = WIFSIGNALED(r->status) && WTERMSIG(r->status) == SIGKILL;
        if (v == LEFT && killed && is_renamed(t, &r->file[i]))
            v = CLEAN;
    }
    return v == CLEAN && r->ntemp > 0 ? LEFT : v;
}

/* A signal ends the program, and says so, or has it end with status 3, as mien-train does. */
static enum verdict judge_signal(const struct test *t, const struct result *r, int number)
{
    if (r->status < 0)
        return HANG;
    if (all_same(r, &t->right))
        return NOT_REACHED;
    bool stopped = WIFEXITED(r->status) && WEXITSTATUS(r->status) == 3 && r->err.n > 0;
    if (!stopped && !(WIFSIGNALED(r->status) && WTERMSIG(r->status) == number))
        return CRASH;
    if (number == SIGKILL && named)
        return CLEAN; /* nothing can remove the name */
    return judge_files(t, r, t->again != NULL);
}

static bool is_known(const struct test *t, const struct job *j, enum verdict v)
{
    int i = 0;
    while (i < nknown && (strncmp(t->name, known[i].name, strlen(known[i].name)) != 0 ||
                          strcmp(function_name[j->function], known[i].function) != 0))
        i++;
    if (i == nknown)
        return false;
    return v == CRASH || v == HANG || v == UNSIGNED || v == BLAMED ||
           (v == WRONG && known[i].wrong);
}

static enum verdict judge_call(const struct test *t, const struct result *r, const struct job *j)
{
    bool exited = r->status >= 0 && WIFEXITED(r->status);
    int status = exited ? WEXITSTATUS(r->status) : -1;
    if (r->status < 0)
        return HANG;
    if (!exited || status == SANITIZER_STATUS)
        return CRASH;
    /* Standard error is a file here, which may be cut short as any other. */
    if (j->function != F_file_size && !all_signed(t, r->err))
        return UNSIGNED;
    if (all_same(r, &t->right))
        return r->calls.fired || closed_by(j) >= 0 ? ABSORBED : NOT_REACHED;
    enum verdict v = judge_files(t, r, t->again != NULL);
    if (v != CLEAN && !(status == 1 && v == FALSE)) /* without the bad records it is another */
        return v;
    if (status == 0)
        return WRONG;
    if (status > 2)
        return CRASH;
    if (r->err.n == 0)
        return SILENT;
    if (status == 1 && (strcmp(j->fault, "ENOMEM") == 0 || strcmp(j->fault, "EMFILE") == 0))
        return BLAMED;
    bool reports = index_of(t->grows, t->ngrows, "-") >= 0;
    return status == 2 && !reports && !tells_cut(r->out, t->right.out) ? FALSE : CLEAN;
}

static enum verdict judge(const struct test *t, const struct result *r, const struct job *j)
{
    if (signal_of(j) != 0)
        return judge_signal(t, r, signal_of(j));
    enum verdict v = judge_call(t, r, j);
    return is_known(t, j, v) ? KNOWN : v;
}

/* --- Cases --------------------------------------------------------------------------------- */

static void add_test(char *line)
{
    char *colon = strstr(line, ": "), *save = NULL;
    int n = 0;
    if (*line == '#' || *line == '\n' || *line == '\0')
        return;
    if (colon == NULL || ntest == CASES || nknown == CASES)
        die(line);
    *colon = '\0';
    if (*line == '!') {
        known[nknown].wrong = strcmp(strtok_r(line, " ", &save), "!!") == 0;
        known[nknown].name = must(strtok_r(NULL, " ", &save));
        known[nknown++].function = must(strtok_r(NULL, " ", &save));
        return;
    }
    struct test *t = &test[ntest++];
    t->name = strtok_r(line, " ", &save);
    for (char *s; (s = strtok_r(NULL, " ", &save)) != NULL;) {
        if (*s == '=')
            t->status = atoi(s + 1);
        else if (*s == '+' && t->ncopied < FILES)
            t->copied[t->ncopied++] = s + 1;
        else if (*s == '@')
            t->again = s + 1;
        else if (*s == '~' && t->ngrows < FILES)
            t->grows[t->ngrows++] = s + 1;
        else
            die(s);
    }
    for (char *s = strtok_r(colon + 2, " \n", &save); s != NULL; s = strtok_r(NULL, " \n", &save)) {
        if (*s == '<' || *s == '|') {
            t->in = s + 1;
            t->pipe = *s == '|';
        } else if (n < WORDS - 1) {
            t->argv[n++] = s;
        }
    }
}

static void read_tests(const char *path)
{
    struct bytes b = slurp(path);
    char *save = NULL;
    for (char *s = strtok_r(b.p, "\n", &save); s != NULL; s = strtok_r(NULL, "\n", &save))
        add_test(s);
}

/* Goes to the folder where worker w runs programs. */
static void go_to(int w)
{
    char *at = text("%s/run%d", dir, w), *beside = text("%s/side%d", dir, w);
    side.calls = text("%s/calls", beside);
    side.temp = text("%s/tmp", beside);
    side.out = text("%s/out", beside);
    side.err = text("%s/err", beside);
    mkdir(at, 0777);
    mkdir(beside, 0777);
    mkdir(side.temp, 0777);
    if (chdir(at) < 0)
        die(at);
    free(at);
    free(beside);
}

/* The size of the largest file that a run leaves. */
static size_t largest(const struct result *r)
{
    size_t most = r->out.n;
    for (int i = 0; i < r->n; i++)
        most = r->file[i].bytes.n > most ? r->file[i].bytes.n : most;
    return most;
}

/* Runs a test twice without a fault. Returns whether it does what it ought to, twice the same. */
static bool learn(struct test *t)
{
    for (int i = 0; i < t->ncopied; i++) {
        char *from = text("../in/%s", t->copied[i]);
        t->before[i] = slurp(from);
        free(from);
    }
    if (t->pipe)
        t->piped = slurp(t->in);
    t->right = run(t, NULL, false);
    struct result again = run(t, NULL, false);
    bool ok = t->right.status >= 0 && WIFEXITED(t->right.status) &&
              WEXITSTATUS(t->right.status) == t->status && t->right.ntemp == 0;
    if (!ok)
        printf("%s: doesn't work even when nothing fails: status %d\n%s", t->name, t->right.status,
               t->right.err.p);
    else if (!all_same(&t->right, &again))
        printf("%s: two runs differ when nothing fails\n", t->name);
    ok = ok && all_same(&t->right, &again);
    t->right.took = again.took; /* its files are in memory */
    t->right.calls.calls[F_file_size] = largest(&t->right) / INJECT_STEP;
    t->right.calls.calls[F_descriptor] = 3;
    result_free(&again);
    return ok;
}

/* --- All of them --------------------------------------------------------------------------- */

static struct job *job;
static size_t njob, cjob;

static uint64_t mix(uint64_t x) /* splitmix64 */
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void add_job(struct job j, const char *fault)
{
    if (njob == cjob) {
        cjob = cjob > 0 ? 2 * cjob : 4096;
        job = must(realloc(job, cjob * sizeof *job));
    }
    snprintf(j.fault, sizeof j.fault, "%s", fault);
    job[njob++] = j;
}

static void add_jobs(int k, int f, const char *fault, bool on)
{
    for (unsigned n = 1; n <= test[k].right.calls.calls[f]; n++)
        add_job((struct job){.test = (short)k, .function = (short)f, .on = on, .n = n}, fault);
}

/* So many moments for each signal, drawn from the whole run. */
static void list_signals(unsigned moments, uint64_t seed)
{
    for (int k = 0; k < ntest; k++) {
        for (int f = INJECT_FUNCTION_COUNT; f < FUNCTIONS; f++) {
            for (unsigned i = 0; i < moments; i++) {
                struct job j = {.test = (short)k, .function = (short)f};
                j.n = (unsigned)(mix(seed ^ mix(njob)) % (test[k].right.took + 1));
                add_job(j, "");
            }
        }
    }
}

static void list_jobs(const char *only)
{
    for (int k = 0; k < ntest; k++) {
        for (int f = 0; f < INJECT_FUNCTION_COUNT; f++) {
            char faults[80], *save = NULL;
            snprintf(faults, sizeof faults, "%s", function_faults[f]);
            if (only != NULL && strcmp(only, function_name[f]) != 0)
                continue;
            for (char *s = strtok_r(faults, " ", &save); s != NULL;
                 s = strtok_r(NULL, " ", &save)) {
                add_jobs(k, f, s + (*s == '+'), false);
                if (*s == '+')
                    add_jobs(k, f, s + 1, true);
            }
        }
    }
}

/* Keeps one in so many. */
static void choose_jobs(unsigned one_in, uint64_t seed)
{
    size_t n = 0;
    for (size_t i = 0; i < njob; i++) {
        if (mix(seed ^ mix(i)) % one_in == 0)
            job[n++] = job[i];
    }
    njob = n;
}

static void tell(FILE *to, const struct job *j, const struct result *r, enum verdict v)
{
    const struct test *t = &test[j->test];
    fprintf(to, "%s: %s: %.*s\n    cd '%s/run0' &&", t->name, finding[v],
            (int)strcspn(r->err.p, "\n"), r->err.p, dir);
    for (int i = 0; i < t->ncopied; i++)
        fprintf(to, " cp ../in/%s . &&", t->copied[i]);
    char *fault = fault_of(j);
    fprintf(to, " LD_PRELOAD=../inject.so %s%s '%s'/bin/", named ? "INJECT_NAMED=1 " : "",
            fault != NULL ? fault : "", build);
    free(fault);
    for (int i = 0; t->argv[i] != NULL; i++)
        fprintf(to, "%s ", t->argv[i]);
    if (t->in != NULL)
        fprintf(to, t->pipe ? "< <(cat %s)" : "<%s", t->in);
    if (signal_of(j) != 0)
        fprintf(to, " # and %s after %u microseconds", function_name[j->function], j->n);
    if (closed_by(j) >= 0)
        fprintf(to, " %d>&-", closed_by(j));
    fputs("\n", to);
    fflush(to);
}

struct shared {
    _Atomic size_t next;
    _Atomic unsigned char verdict[];
};

/* Not where the run has gone to its end, having said that it couldn't do all of it; nor where SIGKILL
   has left a name that stays. */
static bool to_resume(const struct test *t, const struct result *r)
{
    bool ended = WIFEXITED(r->status) && WEXITSTATUS(r->status) == 1, left = false;
    for (int i = 0; i < r->n; i++)
        left |= find_file(&t->right, r->file[i].name) == NULL;
    return t->again != NULL && !ended && !left;
}

static void work(int w, struct shared *s, FILE *findings)
{
    go_to(w);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* signals come when they should */
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < njob;) {
        const struct job *j = &job[i];
        const struct test *t = &test[j->test];
        struct result r = run(t, j, false);
        enum verdict v = judge(t, &r, j);
        if (v == CLEAN && to_resume(t, &r)) {
            struct result again = run(t, NULL, true);
            v = all_same(&again, &t->right) ? CLEAN : LOST;
            result_free(&again);
        }
        if (v >= CRASH)
            tell(findings, j, &r, v);
        s->verdict[i] = (unsigned char)v;
        result_free(&r);
    }
}

/* Prints program, function, runs, and what became of them. Returns how many findings. */
static size_t print_table(const struct shared *s)
{
    enum { COLUMNS = 5 };
    static const char format[] = "%-14s %-16s %8zu %9zu %8zu %8zu %9zu\n";
    size_t total[COLUMNS] = {0};
    printf("%-14s %-16s %8s %9s %8s %8s %9s\n", "program", "function", "runs", "absorbed", "clean",
           "known", "findings");
    for (int k = 0; k < ntest; k++) {
        const char *program = test[k].argv[0];
        if (k > 0 && strcmp(test[k - 1].argv[0], program) == 0)
            continue;
        for (int f = 0; f < FUNCTIONS; f++) {
            size_t n[COLUMNS] = {0};
            for (size_t i = 0; i < njob; i++) {
                enum verdict v = s->verdict[i];
                if (job[i].function != f || strcmp(test[job[i].test].argv[0], program) != 0)
                    continue;
                n[0]++;
                n[v >= CRASH ? 4 : v == KNOWN ? 3 : v == CLEAN ? 2 : 1]++;
            }
            if (n[0] > 0)
                printf(format, program, function_name[f], n[0], n[1], n[2], n[3], n[4]);
            for (int i = 0; i < COLUMNS; i++)
                total[i] += n[i];
        }
    }
    printf(format, "all", "", total[0], total[1], total[2], total[3], total[4]);
    return total[COLUMNS - 1];
}

/* Runs the jobs in several processes, which write what they find to a file. Returns how many findings
   there are. */
static size_t run_jobs(int workers)
{
    struct shared *s =
        mmap(NULL, sizeof *s + njob, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *path = text("%s/findings", dir);
    FILE *findings = fopen(path, "w");
    if (s == MAP_FAILED || findings == NULL)
        die(path);
    time_t from = time(NULL);
    for (int w = 0; w < workers; w++) {
        pid_t pid = fork();
        if (pid < 0)
            die("cannot fork");
        if (pid == 0) {
            work(w, s, findings);
            _exit(0);
        }
    }
    for (int status; wait(&status) > 0;) {
        if (status != 0)
            die("a worker failed");
    }
    size_t found = print_table(s);
    printf("%ld s, %s\n", (long)(time(NULL) - from), found > 0 ? "findings:" : "no findings");
    struct bytes list = slurp(path);
    fwrite(list.p, 1, list.n, stdout);
    return found;
}

/* Learns what the cases do whose names begin so, and forgets the others. Returns how many don't do what
   they ought to. */
static int learn_all(const char *only)
{
    int good = 0, bad = 0;
    for (int k = 0; k < ntest; k++) {
        if (only != NULL && strncmp(test[k].name, only, strlen(only)) != 0)
            continue;
        if (test[k].in != NULL && access(test[k].in, R_OK) < 0) /* it can't be made here */
            printf("%s: left out, as %s isn't there\n", test[k].name, test[k].in);
        else if (learn(&test[k]))
            test[good++] = test[k];
        else
            bad++;
    }
    ntest = good;
    return bad;
}

int main(int argc, char **argv)
{
    int opt, workers = 2;
    unsigned one_in = 1, moments = 0;
    unsigned long long seed = 0;
    const char *only_case = NULL, *only_function = NULL;
    while ((opt = getopt(argc, argv, "j:p:s:t:c:f:k:n")) != -1) {
        if (opt == 'j')
            workers = atoi(optarg);
        else if (opt == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (opt == 't')
            limit = atoi(optarg);
        else if (opt == 'c')
            only_case = optarg;
        else if (opt == 'f')
            only_function = optarg;
        else if (opt == 'k')
            moments = (unsigned)atoi(optarg);
        else if (opt == 'n')
            named = true;
        else if (opt != 'p' || sscanf(optarg, "1/%u", &one_in) != 1 || one_in < 1)
            return 2;
    }
    if (argc - optind != 3) {
        fputs("usage: torture [options] BUILD CASES DIR\n", stderr);
        return 2;
    }
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL); /* wait_for waits for it */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    build = must(realpath(argv[optind], NULL));
    dir = must(realpath(argv[optind + 2], NULL));
    read_tests(argv[optind + 1]);
    go_to(0);
    int bad = learn_all(only_case);
    if (moments > 0)
        list_signals(moments, seed);
    else
        list_jobs(only_function);
    choose_jobs(one_in, seed);
    printf("%d runs without a fault, %zu with one, seed %llu\n", ntest, njob, seed);
    fflush(stdout);
    return (njob > 0 && run_jobs(workers) > 0) || bad > 0;
}
