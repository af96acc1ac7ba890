/*
 * Errors of the library: a negative code and a message in the caller's buffer.
 *
 *     struct mien_err e;
 *     if (mien_pack_open(&pack, path, &e) < 0)
 *         fprintf(stderr, "my-program: %s\n", e.msg);
 *
 * But for cli.h and filter.h, which are made for the main of a program, the library never prints
 * and never exits. A message is lower case, names the thing and the cause ("cannot open 'x.mien':
 * No such file or directory") and has no newline. It means something only after a failure. Whoever
 * doesn't want it may pass NULL for a struct mien_err.
 *
 * Threads: each has its own struct mien_err.
 */
#ifndef MIEN_ERR_H
#define MIEN_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MIEN_ERR_SYS = -1,    /* a system call failed; the message ends with its reason */
    MIEN_ERR_FORMAT = -2, /* the input breaks its format */
    MIEN_ERR_LIMIT = -3,  /* the input asks for more than a bound allows */
    MIEN_ERR_MEM = -4,    /* out of memory */
    MIEN_ERR_ARG = -5     /* the caller asked for something impossible */
};

/* Marks a function whose result must be looked at: it would be the only one to tell of an error. */
#define MIEN_CHECKED __attribute__((warn_unused_result))

struct mien_err {
    char msg[480]; /* zero-terminated */
};

/* Writes the message (cut to fit; what isn't UTF-8 and all that would drive a terminal becomes '?')
   and returns code. e may be NULL. */
int mien_err_set(struct mien_err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, followed by ": " and strerror(errno); returns MIEN_ERR_SYS. */
int mien_err_sys(struct mien_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory for BYTES bytes of WHAT"; returns MIEN_ERR_MEM. */
int mien_err_mem(struct mien_err *e, unsigned long long bytes, const char *what);

#ifdef __cplusplus
}
#endif

#endif
