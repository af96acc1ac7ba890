/* Names of imported layers. */
#ifndef MIEN_GRAPH_NAMES_H
#define MIEN_GRAPH_NAMES_H

#include "net/net.h"

/* Copies n characters, those that a name can't have replaced, and cut to leave room for a suffix of
   15 characters. */
void name_clean(const char *s, size_t n, char out[NET_NAME]);

/* Makes it one that isn't taken, by a number behind it. */
void name_free(const struct net *net, char name[NET_NAME]);

#endif
