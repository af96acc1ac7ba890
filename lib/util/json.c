#include "json.h"

#include <stdbool.h>
#include <stdlib.h>

/* Whether an allocation has failed in this thread since its last json_read began. jansson takes
   functions without a context, so that this can lie nowhere else. */
static _Thread_local bool failed;

static void *allocate(size_t n)
{
    void *p = malloc(n);
    failed = failed || p == NULL;
    return p;
}

json_t *json_read(const void *text, size_t len, size_t flags, int *rc, struct mien_err *e)
{
    json_error_t why;
    int code = 0;
    json_set_alloc_funcs(allocate, free); /* the same each time */
    failed = false;
    json_t *root = json_loadb(text, len, flags, &why);
    if (failed)
        code = mien_err_mem(e, len, "JSON");
    else if (root == NULL)
        code = mien_err_set(e, MIEN_ERR_FORMAT, "line %d, byte %d: %s", why.line, why.position,
                            why.text);
    if (code < 0) {
        json_decref(root);
        root = NULL;
    }
    if (rc != NULL)
        *rc = code;
    return root;
}
