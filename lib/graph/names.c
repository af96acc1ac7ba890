#include "names.h"

#include <stdio.h>
#include <string.h>

void name_clean(const char *s, size_t n, char out[NET_NAME])
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = 0;
    for (; len < n && len < NET_NAME - 16; len++)
        out[len] = strchr(good, s[len]) != NULL ? s[len] : '_';
    out[len] = '\0';
    if (len == 0)
        strcpy(out, "layer");
}

void name_free(const struct net *net, char name[NET_NAME])
{
    size_t n = strlen(name);
    n = n < NET_NAME - 16 ? n : NET_NAME - 16;
    /* Beyond a few it begins at what is hardly taken: names of many nodes may be the same. */
    for (int k = 2; net_find(net, name) >= 0; k += k == 9 ? net->n : 1)
        snprintf(name + n, NET_NAME - n, "_%d", k);
}
