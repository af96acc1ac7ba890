/*
 * Reading JSON with jansson, whose lexer goes on when it can't grow a buffer: a string then lacks a
 * letter, and nobody is told. What is read here is either whole or an error.
 */
#ifndef MIEN_UTIL_JSON_H
#define MIEN_UTIL_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "mien/err.h"

/* What the values of one text may take, in bytes: "{}," takes two hundred. */
#define JSON_MAX_MEMORY ((size_t)64 << 20)

/* The value that len bytes of text are; flags are json_loadb's. The caller gives it back by
   json_decref. NULL with MIEN_ERR_MEM's, MIEN_ERR_LIMIT's or MIEN_ERR_FORMAT's message ("line 1, byte
   17: ...") on failure, and *rc, which may be NULL, that code. Threads may call it. */
MIEN_CHECKED json_t *json_read(const void *text, size_t len, size_t flags, int *rc,
                               struct mien_err *e);

#endif
