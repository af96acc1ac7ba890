#include "parts.h"

#include <stdlib.h>

#include "util/file.h"

struct parts {
    int n;
    struct part {
        struct file_out file;
        struct mien_writer *writer;
    } part[];
};

static int check_paths(char *const *path, int n, struct mien_err *e)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) {
            if (file_same(path[i], path[k]))
                return mien_err_set(e, MIEN_ERR_ARG, "two parts can't both go to '%s'", path[i]);
        }
    }
    return 0;
}

struct parts *parts_new(char *const *path, int n, uint64_t segment, struct mien_err *e)
{
    if (check_paths(path, n, e) < 0)
        return NULL;
    struct parts *p = calloc(1, sizeof *p + (size_t)n * sizeof p->part[0]);
    if (p == NULL) {
        mien_err_mem(e, (size_t)n * sizeof p->part[0], "parts");
        return NULL;
    }
    p->n = n;
    for (int i = 0; i < n; i++)
        p->part[i].file.fd = -1;
    for (int i = 0; i < n; i++) {
        struct part *part = &p->part[i];
        if (file_create(&part->file, path[i], e) < 0 ||
            (part->writer = mien_writer_new(part->file.fd, e)) == NULL) {
            parts_free(p);
            return NULL;
        }
        mien_writer_segment(part->writer, segment);
    }
    return p;
}

void parts_free(struct parts *p)
{
    for (int i = 0; p != NULL && i < p->n; i++) {
        file_abort(&p->part[i].file);
        mien_writer_free(p->part[i].writer);
    }
    free(p);
}

/* What failed, by the name of the file. */
static int name_it(const struct part *part, int rc, const struct mien_err *why, struct mien_err *e)
{
    return rc < 0 ? mien_err_set(e, rc, "'%s': %s", part->file.path, why->msg) : 0;
}

int parts_put(struct parts *p, int i, const struct mien_rec *r, struct mien_err *e)
{
    struct mien_err why;
    return name_it(&p->part[i], mien_write(p->part[i].writer, r, &why), &why, e);
}

void parts_history(struct parts *p, const char *history, const char *step)
{
    for (int i = 0; i < p->n; i++)
        mien_writer_history(p->part[i].writer, history, step);
}

int parts_end(struct parts *p, struct mien_err *e)
{
    struct mien_err why;
    int rc = 0;
    for (int i = 0; i < p->n && rc == 0; i++)
        rc = name_it(&p->part[i], mien_writer_end(p->part[i].writer, &why), &why, e);
    /* What is likely to fail, such as a full disk, does so before the first is in its place. */
    for (int i = 0; i < p->n && rc == 0; i++)
        rc = file_sync(&p->part[i].file, e);
    for (int i = 0; i < p->n && rc == 0; i++) {
        rc = file_commit(&p->part[i].file, &why);
        if (rc < 0 && i > 0)
            mien_err_set(e, rc, "%s; %d of %d parts are new", why.msg, i, p->n);
        else if (rc < 0)
            *e = why;
    }
    return rc;
}
