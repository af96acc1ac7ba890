/*
 * Makes the n-th call of a function fail. Preloaded into a program:
 *
 *     LD_PRELOAD=build/tests/inject.so INJECT=read:EIO:3 mien-view x.mien
 *
 * INJECT is FUNCTION:FAULT:N, or N+ for the N-th call and all later ones; without it nothing fails.
 * INJECT_TRACE prints where the first call that fails comes from, as addr2line reads it.
 * INJECT_NAMED has folders refuse files without a name.
 * INJECT_FILE names a file of a struct inject_shared, where calls are counted. Calls before main
 * are the system's, and those that write to standard error tell the tester what happened: neither
 * counts.
 *
 * The C library's streams don't call its functions by names that can be replaced. So standard
 * output becomes a stream that writes through write here; of other streams fopen, fflush and fclose
 * fail.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "inject.h"

enum { SHORT = -1, JUMP = -2, LIMIT = -3 };

static const struct {
    const char *name;
    int number;
} faults[] = {{"ENOMEM", ENOMEM}, {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
              {"EAGAIN", EAGAIN}, {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"EPERM", EPERM},
              {"short", SHORT},   {"jump", JUMP},     {"limit", LIMIT}};

static struct inject_shared *shared;
/* Whether this thread is the program's, within main or what was given to pthread_create; what the
   C library and a sanitizer do around it doesn't count. */
static _Thread_local bool counting __attribute__((tls_model("initial-exec")));
static int function = -1, fault;
static uint64_t first;
static bool on; /* all calls from the first one on */
static bool trace, named;

static void *find(const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);
    if (p == NULL)
        abort();
    return p;
}

/* The function that one of these replaces, or the sanitizer's that is before it. */
#define REAL(name)                                                                                 \
    static __typeof__(name) *_Atomic real;                                                         \
    if (real == NULL)                                                                              \
    real = (__typeof__(name) *)find(#name)

/* Counts a call. Returns what is wrong with it: 0, SHORT, or an error number. */
static int wrong(enum inject_function f)
{
    if (!counting)
        return 0;
    uint64_t n = atomic_fetch_add(&shared->calls[f], 1) + 1;
    if ((int)f != function || !(n == first || (on && n > first)))
        return 0;
    if (atomic_exchange(&shared->fired, 1) == 0 && trace) {
        void *frame[30];
        backtrace_symbols_fd(frame, backtrace(frame, 30), STDERR_FILENO);
    }
    return fault;
}

/* The same for a function that tells errors by errno. */
static bool fails(enum inject_function f)
{
    int number = wrong(f);
    if (number != 0)
        errno = number;
    return number != 0;
}

/* The same for one that moves *n bytes: a short call moves half of them. */
static bool fails_moving(enum inject_function f, size_t *n)
{
    int number = wrong(f);
    if (number == SHORT) {
        *n = *n > 1 ? *n / 2 : *n;
        return false;
    }
    if (number != 0)
        errno = number;
    return number != 0;
}

/* --- Starting ------------------------------------------------------------------------------ */

/* As the C library's own streams do it. */
static ssize_t write_cookie(void *cookie, const char *p, size_t n)
{
    size_t done = 0;
    (void)cookie;
    while (done < n) {
        ssize_t k = write(STDOUT_FILENO, p + done, n - done);
        if (k < 0)
            break;
        done += (size_t)k;
    }
    return (ssize_t)done;
}

static int close_cookie(void *cookie)
{
    (void)cookie;
    return close(STDOUT_FILENO);
}

/* Takes FUNCTION:FAULT:N[+]. */
static void choose(const char *what)
{
    static const char *const names[] = {
#define X(name, faults) #name,
        INJECT_FUNCTIONS(X)
#undef X
    };
    char name[32], kind[16], plus = 0;
    unsigned long long n = 0;
    if (sscanf(what, "%31[^:]:%15[^:]:%llu%c", name, kind, &n, &plus) < 3)
        _exit(99);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            function = (int)i;
    }
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (strcmp(kind, faults[i].name) == 0)
            fault = faults[i].number;
    }
    if (function < 0 || fault == 0)
        _exit(99);
    first = n;
    on = plus == '+';
    if (fault == LIMIT) {
        rlim_t most = (rlim_t)n * INJECT_STEP;
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, most});
    }
}

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **env)
{
    static struct inject_shared unshared;
    const char *path = getenv("INJECT_FILE"), *what = getenv("INJECT");
    shared = &unshared;
    if (path != NULL) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (shared == MAP_FAILED)
            _exit(99);
        close(fd);
    }
    if (what != NULL)
        choose(what);
    trace = getenv("INJECT_TRACE") != NULL;
    named = getenv("INJECT_NAMED") != NULL;
    stdout = fopencookie(NULL, "w",
                         (cookie_io_functions_t){.write = write_cookie, .close = close_cookie});
    counting = true;
    return real_main(argc, argv, env);
}

int __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                      void (*)(void), void *);
int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*ld_fini)(void), void *stack)
{
    REAL(__libc_start_main);
    real_main = program;
    return real(counted_main, argc, argv, init, fini, ld_fini, stack);
}

/* --- Memory -------------------------------------------------------------------------------- */

void *malloc(size_t n)
{
    REAL(malloc);
    return fails(F_malloc) ? NULL : real(n);
}

void *calloc(size_t n, size_t size)
{
    REAL(calloc);
    return fails(F_calloc) ? NULL : real(n, size);
}

void *realloc(void *p, size_t n)
{
    REAL(realloc);
    return fails(F_realloc) ? NULL : real(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    REAL(aligned_alloc);
    return fails(F_aligned_alloc) ? NULL : real(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
    REAL(posix_memalign);
    int number = wrong(F_posix_memalign);
    return number != 0 ? number : real(p, align, n);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    REAL(mmap);
    return fails(F_mmap) ? MAP_FAILED : real(at, n, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    return mmap(at, n, prot, flags, fd, offset);
}

/* --- Files --------------------------------------------------------------------------------- */

static mode_t mode_of(int flags, va_list ap)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

static bool refused(int flags)
{
    bool unnamed = named && (flags & O_TMPFILE) == O_TMPFILE;
    if (unnamed)
        errno = EOPNOTSUPP;
    return unnamed;
}

#define OPEN(name, aliased)                                                                        \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        REAL(aliased);                                                                             \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return fails(F_open) || refused(flags) ? -1 : real(path, flags, mode);                     \
    }
OPEN(open, open)
OPEN(open64, open)

#define OPENAT(name, aliased)                                                                      \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        REAL(aliased);                                                                             \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return fails(F_open) ? -1 : real(dir, path, flags, mode);                                  \
    }
OPENAT(openat, openat)
OPENAT(openat64, openat)

/* What the headers make of open and read where the compiler fortifies. */
int __open_2(const char *, int);
int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

int __open64_2(const char *, int);
int __open64_2(const char *path, int flags)
{
    return open(path, flags);
}

int __openat_2(int, const char *, int);
int __openat_2(int dir, const char *path, int flags)
{
    return openat(dir, path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen);
    return fails(F_fopen) ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

/* A failed flush may have written nothing, a failed close all. */
int fflush(FILE *f)
{
    REAL(fflush);
    return f != NULL && f != stdout && f != stderr && fails(F_fflush) ? EOF : real(f);
}

int fclose(FILE *f)
{
    REAL(fclose);
    if (f == stdout || f == stderr)
        return real(f);
    int number = wrong(F_fclose), rc = real(f);
    if (number == 0)
        return rc;
    errno = number;
    return EOF;
}

int mkstemp(char *template)
{
    REAL(mkstemp);
    return fails(F_mkstemp) ? -1 : real(template);
}

int mkstemp64(char *template)
{
    return mkstemp(template);
}

int scandir(const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    REAL(scandir);
    return fails(F_scandir) ? -1 : real(path, list, filter, compare);
}

DIR *opendir(const char *path)
{
    REAL(opendir);
    return fails(F_opendir) ? NULL : real(path);
}

struct dirent *readdir(DIR *d)
{
    REAL(readdir);
    return fails(F_readdir) ? NULL : real(d);
}

ssize_t read(int fd, void *p, size_t n)
{
    REAL(read);
    return fails_moving(F_read, &n) ? -1 : real(fd, p, n);
}

ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
    return n > room ? (abort(), -1) : read(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    REAL(pread);
    return fails_moving(F_pread, &n) ? -1 : real(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    return pread(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(write);
    return fd != STDERR_FILENO && fails_moving(F_write, &n) ? -1 : real(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    REAL(pwrite);
    return fails_moving(F_pwrite, &n) ? -1 : real(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n, at);
}

/* A short one writes half of the first vector. */
ssize_t writev(int fd, const struct iovec *v, int n)
{
    REAL(writev);
    struct iovec half = n > 0 ? v[0] : (struct iovec){0};
    size_t whole = half.iov_len;
    if (fails_moving(F_writev, &half.iov_len))
        return -1;
    return half.iov_len < whole ? real(fd, &half, 1) : real(fd, v, n);
}

off_t lseek(int fd, off_t at, int whence)
{
    REAL(lseek);
    return fails(F_lseek) ? -1 : real(fd, at, whence);
}

off_t lseek64(int fd, off_t at, int whence)
{
    return lseek(fd, at, whence);
}

int fstat(int fd, struct stat *st)
{
    REAL(fstat);
    return fails(F_fstat) ? -1 : real(fd, st);
}

int stat(const char *path, struct stat *st)
{
    REAL(stat);
    return fails(F_stat) ? -1 : real(path, st);
}

int lstat(const char *path, struct stat *st)
{
    REAL(lstat);
    return fails(F_lstat) ? -1 : real(path, st);
}

/* The descriptor is closed all the same, as on Linux. */
int close(int fd)
{
    REAL(close);
    int number = fd != STDERR_FILENO ? wrong(F_close) : 0, rc = real(fd);
    if (number == 0)
        return rc;
    errno = number;
    return -1;
}

/* Isn't done: these files need not outlive the machine, and a disk is slow. */
int fsync(int fd)
{
    (void)fd;
    return fails(F_fsync) ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return fails(F_rename) ? -1 : real(from, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    REAL(linkat);
    return fails(F_linkat) ? -1 : real(from_dir, from, to_dir, to, flags);
}

int unlink(const char *path)
{
    REAL(unlink);
    return fails(F_unlink) ? -1 : real(path);
}

int fchmod(int fd, mode_t mode)
{
    REAL(fchmod);
    return fails(F_fchmod) ? -1 : real(fd, mode);
}

int ftruncate(int fd, off_t n)
{
    REAL(ftruncate);
    return fails(F_ftruncate) ? -1 : real(fd, n);
}

int ftruncate64(int fd, off_t n)
{
    return ftruncate(fd, n);
}

int posix_fallocate(int fd, off_t at, off_t n)
{
    REAL(posix_fallocate);
    int number = wrong(F_posix_fallocate);
    return number != 0 ? number : real(fd, at, n);
}

int posix_fallocate64(int fd, off_t at, off_t n)
{
    return posix_fallocate(fd, at, n);
}

/* --- Time ---------------------------------------------------------------------------------- */

/* A jump leads 34 years ahead; where it is but one, the next call leads back. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    REAL(clock_gettime);
    int number = wrong(F_clock_gettime), rc = real(clock, t);
    if (number != 0 && rc == 0)
        t->tv_sec += (time_t)1 << 30;
    return rc;
}

/* --- Threads ------------------------------------------------------------------------------- */

struct start {
    void *(*run)(void *);
    void *arg;
    bool counting; /* not in threads of before main */
};

static void *counted_thread(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    counting = s.counting;
    void *result = s.run(s.arg);
    counting = false;
    return result;
}

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    REAL(pthread_create);
    int number = wrong(F_pthread_create);
    if (number != 0)
        return number;
    bool here = counting;
    counting = false;
    struct start *s = malloc(sizeof *s);
    counting = here;
    if (s == NULL)
        abort();
    *s = (struct start){run, arg, here};
    number = real(t, attr, counted_thread, s);
    if (number != 0)
        free(s);
    return number;
}
