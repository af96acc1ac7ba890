#include "mien/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "printable.h"
#include "utf8.h"

/* Sets the message, which leaves room for n more bytes. */
static void vset(struct mien_err *e, size_t n, const char *fmt, va_list ap)
{
    size_t size = n < sizeof e->msg ? sizeof e->msg - n : 1;
    printable(e->msg, size, e->msg, utf8_vprintf(e->msg, size, fmt, ap));
}

int mien_err_set(struct mien_err *e, int code, const char *fmt, ...)
{
    if (e != NULL) {
        va_list ap;
        va_start(ap, fmt);
        vset(e, 0, fmt, ap);
        va_end(ap);
    }
    return code;
}

int mien_err_sys(struct mien_err *e, const char *fmt, ...)
{
    int saved = errno;
    if (e != NULL) {
        const char *reason = strerror(saved);
        va_list ap;
        va_start(ap, fmt);
        vset(e, strlen(reason) + 2, fmt, ap);
        va_end(ap);
        size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n, ": %s", reason);
    }
    errno = saved;
    return MIEN_ERR_SYS;
}

int mien_err_mem(struct mien_err *e, unsigned long long bytes, const char *what)
{
    return mien_err_set(e, MIEN_ERR_MEM, "out of memory for %llu bytes of %s", bytes, what);
}
