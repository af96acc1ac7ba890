#include "walk.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64 /* folders within folders */

struct walk_level {
    struct dirent **entry; /* sorted; those before at are freed */
    int n, at;
    size_t prefix; /* bytes of the folder's path, the last slash included */
};

bool walk_junk(const char *name, size_t len)
{
    bool dots = (len == 1 || len == 2) && memcmp(name, "..", len) == 0;
    return (len > 0 && name[0] == '.' && !dots) || (len == 8 && memcmp(name, "__MACOSX", 8) == 0);
}

static int not_self(const struct dirent *d)
{
    return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Cuts the path to prefix bytes and appends a name. */
static int set_path(struct walk *w, size_t prefix, const char *name, struct mien_err *e)
{
    size_t n = strlen(name);
    w->path.len = prefix;
    if (mien_buf_append(&w->path, name, n + 1) < 0)
        return mien_err_mem(e, n, "a path");
    w->path.len = prefix + n;
    return 0;
}

/* Goes into the folder at path. */
static int enter(struct walk *w, struct mien_err *e)
{
    struct walk_level *l = &w->level[w->depth];
    const char *path = (const char *)w->path.data;
    *l = (struct walk_level){0};
    l->n = scandir(path, &l->entry, not_self, by_name);
    if (l->n < 0)
        return mien_err_sys(e, "cannot read folder '%s'", path);
    w->depth++;
    if (w->path.len > 0 && path[w->path.len - 1] != '/') {
        if (set_path(w, w->path.len, "/", e) < 0)
            return MIEN_ERR_MEM;
    }
    l->prefix = w->path.len;
    return 0;
}

int walk_start(struct walk *w, const char *dir, struct mien_err *e)
{
    walk_free(w);
    w->level = calloc(DEPTH_MAX, sizeof *w->level);
    if (w->level == NULL)
        return mien_err_mem(e, DEPTH_MAX * sizeof *w->level, "a walk");
    int rc = set_path(w, 0, dir, e);
    return rc < 0 ? rc : enter(w, e);
}

/* Looks at the entry at path. Returns 1 for a file, 0 for what is passed over or gone into. */
static int look(struct walk *w, struct mien_err *e)
{
    const char *path = (const char *)w->path.data;
    struct stat st;
    if (lstat(path, &st) < 0)
        return mien_err_sys(e, "cannot look at '%s'", path);
    if (S_ISDIR(st.st_mode) && w->depth < DEPTH_MAX)
        return enter(w, e);
    /* A link to a file is that file; one to a folder might lead round in a circle. */
    if (S_ISLNK(st.st_mode) && stat(path, &st) < 0)
        return mien_err_sys(e, "cannot follow link '%s'", path);
    if (S_ISREG(st.st_mode))
        return 1;
    w->skipped++;
    return 0;
}

int walk_next(struct walk *w, const char **path, struct mien_err *e)
{
    while (w->depth > 0) {
        struct walk_level *l = &w->level[w->depth - 1];
        if (l->at == l->n) {
            free(l->entry);
            w->depth--;
            continue;
        }
        struct dirent *d = l->entry[l->at++];
        bool junk = walk_junk(d->d_name, strlen(d->d_name));
        int rc = set_path(w, l->prefix, d->d_name, e);
        free(d);
        w->skipped += junk;
        if (rc == 0 && !junk)
            rc = look(w, e);
        *path = (const char *)w->path.data;
        if (rc != 0)
            return rc;
    }
    return 0;
}

void walk_free(struct walk *w)
{
    for (; w->depth > 0; w->depth--) {
        struct walk_level *l = &w->level[w->depth - 1];
        while (l->at < l->n)
            free(l->entry[l->at++]);
        free(l->entry);
    }
    free(w->level);
    mien_buf_free(&w->path);
    *w = (struct walk){0};
}
