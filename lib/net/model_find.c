/* Where models lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"

/* Whether folder, its first len bytes, followed by below, holds the file; buf is then its path. */
static bool holds(const char *folder, size_t len, const char *below, const char *name, char *buf,
                  size_t n)
{
    int got = snprintf(buf, n, "%.*s%s/%s", (int)len, folder, below, name);
    return len > 0 && got > 0 && (size_t)got < n && access(buf, F_OK) == 0;
}

static bool in_cache(const char *name, char *buf, size_t n)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] != '\0')
        return holds(cache, strlen(cache), "/mien", name, buf, n);
    return home != NULL && holds(home, strlen(home), "/.cache/mien", name, buf, n);
}

/* In the folders of the machine's data, separated by colons. */
static bool in_data(const char *name, char *buf, size_t n)
{
    const char *s = getenv("XDG_DATA_DIRS");
    if (s == NULL || s[0] == '\0')
        s = "/usr/local/share:/usr/share";
    for (;; s++) {
        size_t len = strcspn(s, ":");
        if (holds(s, len, "/mien", name, buf, n))
            return true;
        s += len;
        if (*s == '\0')
            return false;
    }
}

const char *model_find(const char *name, char *buf, size_t n)
{
    const char *folder = getenv("MIEN_MODELS");
    if (strchr(name, '/') != NULL || access(name, F_OK) == 0)
        return name;
    if (folder != NULL ? holds(folder, strlen(folder), "", name, buf, n) : in_cache(name, buf, n))
        return buf;
    return in_data(name, buf, n) ? buf : name;
}
