#define _GNU_SOURCE /* O_TMPFILE, F_SETPIPE_SZ */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"

bool file_again(int fd, short events)
{
    if (errno != EAGAIN)
        return errno == EINTR;
    return poll(&(struct pollfd){.fd = fd, .events = events}, 1, -1) >= 0 || errno == EINTR;
}

ssize_t file_read_some(int fd, void *p, size_t n)
{
    ssize_t k;
    do
        k = read(fd, p, n);
    while (k < 0 && file_again(fd, POLLIN));
    return k < 0 ? MIEN_ERR_SYS : k;
}

ssize_t file_read(int fd, void *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t k = file_read_some(fd, (char *)p + done, n - done);
        if (k < 0)
            return k;
        if (k == 0)
            break;
        done += (size_t)k;
    }
    return (ssize_t)done;
}

int file_write(int fd, const void *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = write(fd, (const char *)p + done, n - done);
        if (k < 0 && !file_again(fd, POLLOUT))
            return MIEN_ERR_SYS;
        if (k > 0)
            done += (size_t)k;
    }
    return 0;
}

void file_widen_pipe(int fd)
{
#ifdef F_SETPIPE_SZ /* Linux's */
    enum { PIPE_SIZE = 1 << 20 };
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* not a pipe, or not allowed: works all the same */
#else
    (void)fd;
#endif
}

int file_open(const char *path, struct mien_err *e)
{
    if (strcmp(path, "-") == 0)
        return STDIN_FILENO;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : mien_err_sys(e, "cannot open '%s'", path);
}

int file_slurp(int fd, struct mien_buf *b, size_t limit, const char *name, struct mien_err *e)
{
    size_t start = b->len;
    for (;;) {
        if (mien_buf_reserve(b, 65536) < 0)
            return mien_err_mem(e, b->len + 65536, name);
        ssize_t k = file_read(fd, b->data + b->len, b->cap - b->len);
        if (k < 0)
            return mien_err_sys(e, "cannot read '%s'", name);
        if (k == 0)
            return 0;
        b->len += (size_t)k;
        if (b->len - start > limit)
            return mien_err_set(e, MIEN_ERR_LIMIT, "'%s' is larger than %zu bytes", name, limit);
    }
}

/* --- Mapped input ----------------------------------------------------------------------------- */

static const struct file_watch *watch;

void file_watch(const struct file_watch *w)
{
    watch = w;
}

/* Maps an open file. Returns 0 or a negative code. */
static int map_open(int fd, const char *path, struct file_map *m, struct mien_err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return mien_err_sys(e, "cannot read '%s'", path);
    if (!S_ISREG(st.st_mode))
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a regular file, so it can't be mapped",
                            path);
    if (st.st_size == 0)
        return 0;
    m->path = strdup(path);
    if (m->path == NULL)
        return mien_err_mem(e, strlen(path) + 1, "a file name");
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return mien_err_sys(e, "cannot map '%s'", path);
    m->data = p;
    m->len = (size_t)st.st_size;
    if (watch != NULL && watch->mapped != NULL)
        watch->mapped(m);
    return 0;
}

int file_map(const char *path, struct file_map *m, struct mien_err *e)
{
    *m = (struct file_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* nor is a pipe waited for */
    if (fd < 0)
        return mien_err_sys(e, "cannot open '%s'", path);
    int rc = map_open(fd, path, m, e);
    close(fd);
    if (rc < 0)
        file_unmap(m);
    return rc;
}

void file_unmap(struct file_map *m)
{
    if (m->data != NULL) {
        if (watch != NULL && watch->unmapped != NULL)
            watch->unmapped(m);
        munmap((void *)m->data, m->len);
    }
    free(m->path);
    *m = (struct file_map){0};
}

/* --- Output -------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The folder that a path's last part lies in, the caller's to free; NULL when out of memory. */
static char *folder_of(const char *path)
{
    size_t n = (size_t)(last_part(path) - path);
    return n > 0 ? strndup(path, n) : strdup(".");
}

/* What a symbolic link at path leads to; NULL where there isn't one or, with errno ENOMEM, no
   memory. */
static char *step(const char *path)
{
    char link[4096], *folder = NULL, *to = NULL;
    ssize_t n = readlink(path, link, sizeof link - 1);
    if (n < 0)
        return NULL;
    link[n] = '\0';
    if (link[0] == '/')
        return strdup(link);
    folder = folder_of(path);
    size_t size = folder != NULL ? strlen(folder) + 1 + (size_t)n + 1 : 0;
    if (folder != NULL && (to = malloc(size)) != NULL)
        snprintf(to, size, "%s/%s", folder, link);
    free(folder);
    return to;
}

/* The path of what path leads to, through links, whether that is there or not; the caller's to
   free, NULL when out of memory. Links in a circle were found by stat. */
static char *follow(const char *path)
{
    char *at = strdup(path);
    for (int links = 0; at != NULL && links < 40; links++) {
        errno = 0;
        char *next = step(at);
        if (next == NULL && errno != ENOMEM)
            return at;
        free(at);
        at = next;
    }
    return at;
}

static void tell_made(const char *tmp)
{
    if (watch != NULL && watch->made != NULL)
        watch->made(tmp);
}

static void tell_gone(const char *tmp)
{
    if (watch != NULL && watch->gone != NULL)
        watch->gone(tmp);
}

/* Makes room for a temporary name of o, and tells of it. Returns 0 or MIEN_ERR_MEM. */
static int take_name(struct file_out *o, struct mien_err *e)
{
    size_t n = strlen(o->target) + sizeof ".XXXXXX";
    o->tmp = malloc(n);
    if (o->tmp == NULL)
        return mien_err_mem(e, n, "a file name");
    snprintf(o->tmp, n, "%s.XXXXXX", o->target);
    tell_made(o->tmp);
    return 0;
}

static void drop_name(struct file_out *o)
{
    if (o->tmp != NULL)
        tell_gone(o->tmp);
    free(o->tmp);
    o->tmp = NULL;
}

/* Gives a file that has no name this one: by its descriptor or, where this process may not, by the
   file that the system shows it as, which takes longer. Returns 0, or -1 with errno. */
static int name_file(int fd, const char *path)
{
#ifdef AT_EMPTY_PATH /* Linux's */
    if (linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno == EEXIST)
        return -1;
#endif
    char shown[40];
    snprintf(shown, sizeof shown, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, shown, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/* Opens a file without a name in a folder. Returns its descriptor, or -1 where that can't be. */
static int open_unnamed(const char *dir, int flags)
{
#ifdef O_TMPFILE
    return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0666);
#else
    (void)dir;
    (void)flags;
    return -1;
#endif
}

/* The same in path's folder, if it can be named later. */
static int open_in_folder_of(const char *path)
{
    char *dir = folder_of(path);
    int fd = dir != NULL ? open_unnamed(dir, 0) : -1;
    free(dir);
    if (fd < 0 || access("/proc/self/fd", F_OK) == 0)
        return fd;
    close(fd);
    return -1;
}

static int create_named(struct file_out *o, struct mien_err *e)
{
    if (take_name(o, e) < 0)
        return MIEN_ERR_MEM;
    o->fd = mkstemp(o->tmp);
    if (o->fd < 0) {
        int rc = mien_err_sys(e, "cannot create '%s'", o->path);
        drop_name(o);
        return rc;
    }
    /* mkstemp makes private files; the result gets the permissions that open would give. */
    mode_t mask = umask(0);
    umask(mask);
    fchmod(o->fd, 0666 & ~mask);
    fcntl(o->fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Gives a new file the mode of the one that it replaces, and its owner and group where this process
   may. */
static void take_after(int fd, const struct stat *old)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) < 0 && fchown(fd, (uid_t)-1, old->st_gid) < 0)
        return; /* its mode was meant for others */
    fchmod(fd, old->st_mode & 0777);
}

int file_create(struct file_out *o, const char *path, struct mien_err *e)
{
    *o = (struct file_out){.fd = -1};
    struct stat st;
    if (strcmp(path, "-") == 0)
        return mien_err_set(e, MIEN_ERR_ARG, "can't write to standard output; name a file");
    if (*path == '\0')
        return mien_err_set(e, MIEN_ERR_ARG, "the name of an output file is empty");
    int rc = lstat(path, &st);
    bool link = rc == 0 && S_ISLNK(st.st_mode);
    if (link)
        rc = stat(path, &st);
    if (rc < 0 && errno != ENOENT)
        return mien_err_sys(e, "cannot create '%s'", path);
    bool replaces = rc == 0;
    o->direct = replaces && !S_ISREG(st.st_mode);
    o->fresh = !replaces;
    o->path = strdup(path);
    o->target = link ? follow(path) : strdup(path);
    if (o->path == NULL || o->target == NULL) {
        rc = mien_err_mem(e, strlen(path) + 1, "a file name");
    } else if (o->direct) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        rc = o->fd < 0 ? mien_err_sys(e, "cannot create '%s'", path) : 0;
    } else {
        o->fd = open_in_folder_of(o->target);
        rc = o->fd < 0 ? create_named(o, e) : 0;
        if (rc == 0 && replaces)
            take_after(o->fd, &st);
    }
    if (rc < 0)
        file_abort(o);
    return rc;
}

/* Whether two paths, without links at their ends, are one name in one folder. */
static bool same_name(const char *a, const char *b)
{
    char *x = folder_of(a), *y = folder_of(b);
    struct stat sx, sy;
    bool same = strcmp(last_part(a), last_part(b)) == 0 && x != NULL && y != NULL &&
                stat(x, &sx) == 0 && stat(y, &sy) == 0 && sx.st_dev == sy.st_dev &&
                sx.st_ino == sy.st_ino;
    free(x);
    free(y);
    return same;
}

bool file_same(const char *a, const char *b)
{
    struct stat sa, sb;
    bool is = stat(a, &sa) == 0, too = stat(b, &sb) == 0;
    if (is && too)
        return S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
    if (is || too)
        return false;
    char *x = follow(a), *y = follow(b);
    bool same = strcmp(a, b) == 0 || (x != NULL && y != NULL && same_name(x, y));
    free(x);
    free(y);
    return same;
}

int file_try(const char *path, struct mien_err *e)
{
    struct file_out o;
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return 0; /* such as a pipe, whose reader would see an end */
    int rc = file_create(&o, path, e);
    if (rc == 0)
        file_abort(&o);
    return rc;
}

int file_sync(struct file_out *o, struct mien_err *e)
{
    return o->direct || fsync(o->fd) == 0 ? 0 : mien_err_sys(e, "cannot write '%s'", o->path);
}

/* Gives an unnamed file a temporary name. */
static int link_named(struct file_out *o, struct mien_err *e)
{
    int rc = take_name(o, e), tries = 100;
    if (rc < 0)
        return rc;
    char *end = o->tmp + strlen(o->target);
    struct rng rng = {hash_mix((uint64_t)getpid()) ^ (uint64_t)o->fd};
    do {
        snprintf(end, sizeof ".XXXXXX", ".%06x", (unsigned)rng_below(&rng, 1u << 24));
        rc = name_file(o->fd, o->tmp);
    } while (rc < 0 && errno == EEXIST && --tries > 0);
    if (rc == 0)
        return 0;
    rc = mien_err_sys(e, "cannot create '%s'", o->tmp);
    drop_name(o);
    return rc;
}

/* Puts the file in its target's place: linkat alone can't where that has a file. */
static int put_in_place(struct file_out *o, struct mien_err *e)
{
    if (o->direct)
        return 0;
    if (o->tmp == NULL) {
        if (name_file(o->fd, o->target) == 0)
            return 0;
        if (errno != EEXIST)
            return mien_err_sys(e, "cannot create '%s'", o->path);
        int rc = link_named(o, e);
        if (rc < 0)
            return rc;
    }
    if (rename(o->tmp, o->target) < 0)
        return mien_err_sys(e, "cannot rename '%s' to '%s'", o->tmp, o->path);
    drop_name(o);
    return 0;
}

/* Syncs the folder, so that the file's new name is on the disk too; where the folder can't be read,
   or has no disk, it isn't. */
static int sync_folder(const struct file_out *o, struct mien_err *e)
{
    char *dir = o->direct ? NULL : folder_of(o->target);
    int fd = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(dir);
    if (fd < 0)
        return 0;
    int rc = fsync(fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP
                 ? mien_err_sys(e, "cannot sync the folder of '%s'", o->path)
                 : 0;
    close(fd);
    return rc;
}

static int commit(struct file_out *o, bool sync, struct mien_err *e)
{
    int rc = sync ? file_sync(o, e) : 0;
    if (rc == 0)
        rc = put_in_place(o, e);
    if (close(o->fd) < 0 && rc == 0)
        rc = mien_err_sys(e, "cannot write '%s'", o->path);
    o->fd = -1;
    if (rc == 0 && sync)
        rc = sync_folder(o, e);
    file_abort(o);
    return rc;
}

int file_commit(struct file_out *o, struct mien_err *e)
{
    return commit(o, true, e);
}

int file_place(struct file_out *o, struct mien_err *e)
{
    return commit(o, false, e);
}

int file_rest(struct file_out *o, struct mien_err *e)
{
    if (o->direct || o->fd < 0)
        return 0;
    int rc = o->tmp == NULL ? link_named(o, e) : 0;
    if (rc == 0 && close(o->fd) < 0)
        rc = mien_err_sys(e, "cannot write '%s'", o->path);
    if (rc == 0)
        o->fd = -1;
    return rc;
}

int file_wake(struct file_out *o, struct mien_err *e)
{
    if (o->fd < 0)
        o->fd = open(o->tmp, O_WRONLY | O_APPEND | O_CLOEXEC);
    return o->fd < 0 ? mien_err_sys(e, "cannot open '%s'", o->tmp) : 0;
}

/* Syncs n files of one folder. Each by itself takes milliseconds; of many, the file system is
   synced once, where the system can. */
static int sync_all(struct file_out *o, size_t n, struct mien_err *e)
{
#ifdef __linux__
    enum { MANY = 32 };
    for (size_t i = 0; i < n && n >= MANY; i++) {
        int rc = o[i].direct ? 0 : file_wake(&o[i], e);
        if (rc == 0 && !o[i].direct)
            return syncfs(o[i].fd) == 0 ? 0 : mien_err_sys(e, "cannot write '%s'", o[i].path);
        if (rc < 0)
            return rc;
    }
#endif
    for (size_t i = 0; i < n; i++) {
        bool rests = o[i].fd < 0;
        int rc = file_wake(&o[i], e);
        if (rc == 0)
            rc = file_sync(&o[i], e);
        if (rc == 0 && rests)
            rc = file_rest(&o[i], e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int file_commit_all(struct file_out *o, size_t n, size_t *done, struct mien_err *e)
{
    size_t placed = 0;
    int rc = sync_all(o, n, e);
    while (rc == 0 && placed < n && (rc = put_in_place(&o[placed], e)) == 0)
        placed++;
    *done = placed;
    for (size_t i = 0; i < placed && placed < n; i++)
        *done -= o[i].fresh && unlink(o[i].target) == 0;
    if (rc == 0 && n > 0)
        rc = sync_folder(&o[0], e);
    for (size_t i = 0; i < n; i++)
        file_abort(&o[i]);
    return rc;
}

void file_abort(struct file_out *o)
{
    if (o->fd >= 0)
        close(o->fd);
    if (o->tmp != NULL)
        unlink(o->tmp);
    drop_name(o);
    free(o->path);
    free(o->target);
    *o = (struct file_out){.fd = -1};
}

int file_temp(struct mien_err *e)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    if (dir == NULL || *dir == '\0')
        dir = "/tmp";
    if ((size_t)snprintf(path, sizeof path, "%s/mien.XXXXXX", dir) >= sizeof path)
        return mien_err_set(e, MIEN_ERR_ARG, "TMPDIR is too long");
    int fd = open_unnamed(dir, O_EXCL); /* which is never named */
    if (fd >= 0)
        return fd;
    tell_made(path);
    fd = mkstemp(path);
    int rc = fd < 0 ? mien_err_sys(e, "cannot create a temporary file in '%s'", dir) : 0;
    if (fd >= 0)
        unlink(path);
    tell_gone(path);
    if (rc < 0)
        return rc;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}
