/* What the injector and the driver share: the functions that can fail, and the counts of their
   calls, which lie in a file that both map. */
#ifndef INJECT_H
#define INJECT_H

#include <stdatomic.h>
#include <stdint.h>

/* A function, and the faults it is given: those behind '+' also from one call on, the others only
   once (a read that is interrupted for ever is no fault that a system has). */
#define INJECT_FUNCTIONS(X)                                                                        \
    X(malloc, "+ENOMEM")                                                                           \
    X(calloc, "+ENOMEM")                                                                           \
    X(realloc, "+ENOMEM")                                                                          \
    X(aligned_alloc, "+ENOMEM")                                                                    \
    X(posix_memalign, "+ENOMEM")                                                                   \
    X(open, "+EMFILE +EACCES EINTR")                                                               \
    X(fopen, "+EMFILE +EACCES")                                                                    \
    X(mkstemp, "+EMFILE +ENOSPC")                                                                  \
    X(scandir, "+EMFILE +EACCES")                                                                  \
    X(opendir, "+EMFILE +EACCES")                                                                  \
    X(readdir, "+EIO")                                                                             \
    X(read, "+EIO EINTR EAGAIN +short")                                                            \
    X(pread, "+EIO EINTR +short")                                                                  \
    X(write, "+EIO +ENOSPC EINTR EAGAIN +short")                                                   \
    X(pwrite, "+EIO +ENOSPC EINTR +short")                                                         \
    X(writev, "+EIO +ENOSPC EINTR EAGAIN +short")                                                  \
    X(lseek, "+EIO")                                                                               \
    X(fstat, "+EIO")                                                                               \
    X(stat, "+EIO")                                                                                \
    X(lstat, "+EIO")                                                                               \
    X(close, "+EIO")                                                                               \
    X(fclose, "+EIO")                                                                              \
    X(fflush, "+ENOSPC")                                                                           \
    X(fsync, "+EIO")                                                                               \
    X(rename, "+EIO")                                                                              \
    X(linkat, "+EIO")                                                                              \
    X(unlink, "+EIO")                                                                              \
    X(fchmod, "+EPERM")                                                                            \
    X(mmap, "+ENOMEM")                                                                             \
    X(ftruncate, "+EIO")                                                                           \
    X(posix_fallocate, "+ENOSPC")                                                                  \
    X(pthread_create, "+EAGAIN")                                                                   \
    X(clock_gettime, "+jump")                                                                      \
    X(file_size, "limit")   /* no function: files can't become larger than N times INJECT_STEP */  \
    X(descriptor, "closed") /* nor this: descriptor N - 1 is closed when the program starts */

enum { INJECT_STEP = 512 };

enum inject_function {
#define X(name, faults) F_##name,
    INJECT_FUNCTIONS(X)
#undef X
        INJECT_FUNCTION_COUNT
};

struct inject_shared {
    _Atomic uint64_t calls[INJECT_FUNCTION_COUNT]; /* since main began */
    _Atomic uint32_t fired;                        /* a call was made to fail */
};

#endif
