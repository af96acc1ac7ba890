/* Saved scores in files. */
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "util/file.h"

/* Bytes of a saved score: of 65536 slices with all their histograms, and more. */
#define SAVED_LIMIT ((size_t)256 << 20)

int score_run_write(struct score_run *run, const char *path, struct mien_err *e)
{
    struct file_out out;
    struct mien_buf text = {0};
    int rc = score_run_save(run, &text);
    if (rc < 0)
        mien_err_mem(e, text.len, "a score");
    if (rc == 0)
        rc = file_create(&out, path, e);
    if (rc == 0 && file_write(out.fd, text.data, text.len) < 0) {
        rc = mien_err_sys(e, "cannot write '%s'", path);
        file_abort(&out);
    }
    if (rc == 0)
        rc = file_commit(&out, e);
    mien_buf_free(&text);
    return rc;
}

static int load(struct score_run *run, struct score_saved *s, const struct mien_buf *text,
                struct mien_err *e)
{
    int rc = 0;
    if (run->rule == NULL) {
        rc = score_saved_rule(text->data, text->len, &s->rule, s->by, e);
        if (rc == 0 && *s->by != '\0')
            rc = score_keys(s->by, s->keys, &run->nkeys, e);
        run->rule = &s->rule;
        run->keys = s->keys;
    }
    return rc < 0 ? rc : score_run_load(run, text->data, text->len, e);
}

static int merge(struct score_run *run, struct score_saved *s, const char *path, struct mien_err *e)
{
    struct mien_buf text = {0};
    struct mien_err why;
    int fd = file_open(path, e), rc = fd < 0 ? fd : file_slurp(fd, &text, SAVED_LIMIT, path, e);
    if (rc == 0 && (rc = load(run, s, &text, &why)) < 0)
        mien_err_set(e, rc, "%s: %s", path, why.msg);
    if (fd >= 0 && fd != STDIN_FILENO)
        close(fd);
    mien_buf_free(&text);
    return rc;
}

int score_run_merge(struct score_run *run, struct score_saved *s, const char *const *paths,
                    size_t n, struct mien_err *e)
{
    for (size_t i = 0; i < n; i++) {
        int rc = merge(run, s, paths[i], e);
        if (rc < 0)
            return rc;
    }
    if (run->nslice == 1 && strcmp(run->slice[0].name, "(none)") == 0 && strcmp(s->by, "bin") != 0)
        return mien_err_set(e, MIEN_ERR_ARG, "--by: no record has '%s'", s->by);
    score_run_sort(run);
    return 0;
}
