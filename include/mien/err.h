/*
 * Errors of the library: a negative code and a message in the caller's buffer.
 *
 * The library never prints and never exits; a program turns the message into
 * one line on standard error. A message is lower case, names the thing and the
 * cause ("cannot open 'x.mien': No such file or directory") and has no newline.
 */
#ifndef MIEN_ERR_H
#define MIEN_ERR_H

enum {
    ERR_SYS = -1,    /* a system call failed; the message ends with its reason */
    ERR_FORMAT = -2, /* the input breaks its format */
    ERR_LIMIT = -3,  /* the input asks for more than a bound allows */
    ERR_MEM = -4,    /* out of memory */
    ERR_ARG = -5     /* the caller asked for something impossible */
};

struct err {
    char msg[480];
};

/* Writes the message (cut to fit, control characters replaced by '?', so that
   hostile input can't drive a terminal) and returns code. e may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same, followed by ": " and strerror(errno); returns ERR_SYS. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory for BYTES bytes of WHAT"; returns ERR_MEM. */
int err_mem(struct err *e, unsigned long long bytes, const char *what);

#endif
