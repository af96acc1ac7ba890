#include "mien/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void vset(struct mien_err *e, const char *fmt, va_list ap)
{
    if (vsnprintf(e->msg, sizeof e->msg, fmt, ap) < 0)
        e->msg[0] = '\0';
    for (char *s = e->msg; *s != '\0'; s++) {
        if (iscntrl((unsigned char)*s))
            *s = '?';
    }
}

int mien_err_set(struct mien_err *e, int code, const char *fmt, ...)
{
    if (e != NULL) {
        va_list ap;
        va_start(ap, fmt);
        vset(e, fmt, ap);
        va_end(ap);
    }
    return code;
}

int mien_err_sys(struct mien_err *e, const char *fmt, ...)
{
    int saved = errno;
    if (e != NULL) {
        va_list ap;
        va_start(ap, fmt);
        vset(e, fmt, ap);
        va_end(ap);
        size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(saved));
    }
    errno = saved;
    return MIEN_ERR_SYS;
}

int mien_err_mem(struct mien_err *e, unsigned long long bytes, const char *what)
{
    return mien_err_set(e, MIEN_ERR_MEM, "out of memory for %llu bytes of %s", bytes, what);
}
