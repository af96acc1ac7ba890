/* Where models and networks lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"
#include "util/share.h"

/* Whether folder, followed by below, holds the file; buf is then its path. */
static bool holds(const char *folder, const char *below, const char *name, char *buf, size_t n)
{
    int got = snprintf(buf, n, "%s%s/%s", folder, below, name);
    return folder[0] != '\0' && got > 0 && (size_t)got < n && access(buf, F_OK) == 0;
}

static bool in_cache(const char *name, char *buf, size_t n)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] != '\0')
        return holds(cache, "/mien", name, buf, n);
    return home != NULL && holds(home, "/.cache/mien", name, buf, n);
}

const char *model_find(const char *name, char *buf, size_t n)
{
    const char *folder = getenv("MIEN_MODELS");
    if (strchr(name, '/') != NULL || access(name, F_OK) == 0)
        return name;
    if (folder != NULL ? holds(folder, "", name, buf, n) : in_cache(name, buf, n))
        return buf;
    if (share_find("models", name, buf, n) != NULL || share_find("networks", name, buf, n) != NULL)
        return buf;
    return name;
}
