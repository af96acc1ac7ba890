#include "share.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(char *buf, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void put(char *buf, size_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(buf, n, fmt, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= n)
        buf[0] = '\0';
}

static const char *set(const char *name)
{
    const char *s = getenv(name);
    return s != NULL && s[0] != '\0' ? s : NULL;
}

/* Folders beside the program: up is what leads from its own folder there. */
static void beside(const char *up, const char *below, char *buf, size_t n)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = NULL;
    if (len > 0) {
        self[len] = '\0';
        slash = strrchr(self, '/');
    }
    buf[0] = '\0';
    if (slash != NULL)
        put(buf, n, "%.*s/%s/%s", (int)(slash - self), self, up, below);
}

bool share_folder(int i, const char *below, char *buf, size_t n)
{
    const char *own = set("MIEN_SHARE"), *home = set("XDG_DATA_HOME");
    buf[0] = '\0';
    if (own != NULL) {
        put(buf, n, "%s/%s", own, below);
        return i == 0;
    }
    switch (i) {
    case 0:
        if (home != NULL)
            put(buf, n, "%s/mien/%s", home, below);
        else if ((home = set("HOME")) != NULL)
            put(buf, n, "%s/.local/share/mien/%s", home, below);
        return true;
    case 1:
        beside("../share/mien", below, buf, n);
        return true;
    case 2:
        beside("../..", below, buf, n);
        return true;
    }
    const char *s = set("XDG_DATA_DIRS");
    if (s == NULL)
        s = "/usr/local/share:/usr/share";
    for (int k = 3; k < i && *s != '\0'; k++) {
        s += strcspn(s, ":");
        s += *s == ':';
    }
    size_t len = strcspn(s, ":");
    if (len > 0)
        put(buf, n, "%.*s/mien/%s", (int)len, s, below);
    return *s != '\0';
}

const char *share_find(const char *below, const char *name, char *buf, size_t n)
{
    for (int i = 0; share_folder(i, below, buf, n); i++) {
        size_t len = strlen(buf);
        if (len == 0)
            continue;
        put(buf + len, n - len, "/%s", name);
        if (buf[len] != '\0' && access(buf, F_OK) == 0)
            return buf;
    }
    return NULL;
}
