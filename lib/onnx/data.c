/* Files beside an ONNX file that have weights of it. */
/* realpath is of the X/Open part of POSIX. */
#define _XOPEN_SOURCE 700
#include "tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of `name`, links followed, in *inside, which the caller frees. Returns 0; MIEN_ERR_SYS
   or MIEN_ERR_MEM; or MIEN_ERR_FORMAT for one that doesn't lie in the folder of f. */
static int resolve(const struct onnx_file *f, const char *name, char **inside, struct mien_err *e)
{
    const char *slash = strrchr(f->path, '/');
    int prefix = slash == NULL ? 0 : (int)(slash - f->path + 1);
    size_t n = strlen(name) + strlen(f->path) + 3;
    char *path = malloc(n), *folder;
    int rc = 0;
    *inside = NULL;
    if (path == NULL)
        return mien_err_mem(e, n, "a path");
    snprintf(path, n, "%.*s", prefix > 0 ? prefix : 1, prefix > 0 ? f->path : ".");
    folder = realpath(path, NULL);
    snprintf(path, n, "%.*s%s", prefix, f->path, name);
    *inside = realpath(path, NULL);
    if (folder == NULL || *inside == NULL) {
        rc = mien_err_sys(e, "cannot open '%s'", path);
    } else {
        size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
        if (strncmp(folder, *inside, len) != 0 || (*inside)[len] != '/')
            rc = mien_err_set(e, MIEN_ERR_FORMAT, "its weights lie in '%.200s', outside its folder",
                              name);
    }
    free(folder);
    free(path);
    return rc;
}

/* The file of that path, which is mapped once. */
static int map_data(struct onnx_file *f, const char *path, struct onnx_data **out,
                    struct mien_err *e)
{
    for (int k = 0; k < f->ndata; k++) {
        if (strcmp(f->data[k]->map.path, path) == 0) {
            *out = f->data[k];
            return 0;
        }
    }
    if (f->ndata == ONNX_MAX_FILES)
        return mien_err_set(e, MIEN_ERR_LIMIT, "its weights lie in more than %d files",
                            ONNX_MAX_FILES);
    struct onnx_data *d = calloc(1, sizeof *d);
    int rc = d == NULL ? mien_err_mem(e, sizeof *d, "a file") : file_map(path, &d->map, e);
    if (rc < 0)
        free(d);
    else
        *out = f->data[f->ndata++] = d;
    return rc;
}

static int open_data(struct onnx_file *f, struct span location, struct onnx_data **out,
                     struct mien_err *e)
{
    char *name = span_copy(location), *inside = NULL;
    int rc;
    if (name == NULL)
        return mien_err_mem(e, location.n, "a name");
    if (strlen(name) != location.n || location.n == 0 || location.n > 4096 || name[0] == '/' ||
        strstr(name, "..") != NULL)
        rc = mien_err_set(e, MIEN_ERR_FORMAT, "its weights lie in '%.200s', outside its folder",
                          name);
    else if ((rc = resolve(f, name, &inside, e)) == 0)
        rc = map_data(f, inside, out, e);
    free(name);
    free(inside);
    return rc;
}

int onnx_data_locate(struct onnx_file *f, struct onnx_proto *p, struct mien_err *e)
{
    int rc = open_data(f, p->location, &p->data, e);
    if (rc < 0)
        return rc;
    const struct file_map *m = &p->data->map;
    if (p->offset > m->len || (p->has_length && p->length > m->len - p->offset))
        return mien_err_set(e, MIEN_ERR_FORMAT, "weights lie beyond the %zu bytes of '%s'", m->len,
                            m->path);
    p->raw = (struct span){m->data + p->offset,
                           p->has_length ? (size_t)p->length : m->len - (size_t)p->offset};
    p->has_raw = true;
    return 0;
}

int onnx_data_take(struct onnx_data *d, size_t bytes, struct mien_err *e)
{
    if (bytes > d->map.len - d->taken)
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "weights name more bytes of '%s' than the %zu that it has", d->map.path,
                            d->map.len);
    d->taken += bytes;
    return 0;
}
