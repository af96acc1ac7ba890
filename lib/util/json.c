#include "json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* jansson's lexer takes no notice of an allocation that fails, and goes on to an assertion of its
   own. So none fails as it sees things: the first that does is served from memory set aside before,
   as are those after it, and the text ends there, at the next byte. What follows can ask for a token
   and one doubling of a table or a string, each bounded by the text.

   Its functions take no context, so that this can lie nowhere else. */
static _Thread_local struct reserve {
    char *mem; /* NULL outside json_read */
    size_t size, used;
    size_t left; /* of JSON_MAX_MEMORY */
    bool over;   /* an allocation would have gone beyond it */
    bool taken;  /* an allocation has failed, or would have gone beyond the limit */
} reserve;

static void *allocate(size_t n)
{
    const size_t overhead = 16; /* of malloc, about */
    bool fits = reserve.mem == NULL || n + overhead <= reserve.left;
    void *p = reserve.taken || !fits ? NULL : malloc(n);
    if (p != NULL && reserve.mem != NULL)
        reserve.left -= n + overhead; /* what is given back again is little */
    if (p != NULL || reserve.mem == NULL)
        return p;
    reserve.over = reserve.over || !fits;
    reserve.taken = true;
    n = (n + 15) & ~(size_t)15;
    if (n > reserve.size - reserve.used)
        return NULL;
    reserve.used += n;
    return reserve.mem + reserve.used - n;
}

static void release(void *p)
{
    uintptr_t at = (uintptr_t)p, mem = (uintptr_t)reserve.mem;
    if (at < mem || at >= mem + reserve.size) /* what is in the reserve goes with it */
        free(p);
}

struct text {
    const char *next, *end;
};

/* A byte at a time, so that nothing is read on once an allocation has failed. */
static size_t next_byte(void *buf, size_t n, void *data)
{
    struct text *t = data;
    (void)n;
    if (t->next == t->end || reserve.taken)
        return 0;
    *(char *)buf = *t->next++;
    return 1;
}

json_t *json_read(const void *text, size_t len, size_t flags, int *rc, struct mien_err *e)
{
    json_error_t why;
    int code = 0;
    struct text t = {text, (const char *)text + len};
    json_t *root = NULL;
    json_set_alloc_funcs(allocate, release); /* the same each time */
    reserve = (struct reserve){.size = 16 * len + 4096, .left = JSON_MAX_MEMORY};
    reserve.mem = malloc(reserve.size);
    if (reserve.mem != NULL)
        root = json_load_callback(next_byte, &t, flags, &why);
    if (reserve.over)
        code = mien_err_set(e, MIEN_ERR_LIMIT, "JSON over the limit of %zu MB of memory",
                            JSON_MAX_MEMORY >> 20);
    else if (reserve.mem == NULL || reserve.taken)
        code = mien_err_mem(e, len, "JSON");
    else if (root == NULL)
        code = mien_err_set(e, MIEN_ERR_FORMAT, "line %d, byte %d: %s", why.line, why.position,
                            why.text);
    if (code < 0) {
        json_decref(root);
        root = NULL;
    }
    free(reserve.mem);
    reserve = (struct reserve){.mem = NULL};
    if (rc != NULL)
        *rc = code;
    return root;
}
