#include "start.h"

#include <assert.h>

#include "teacher.h"
#include "util/file.h"

/* Whether an output is another file than `path`, which may be NULL. */
static int check_apart(const char *out, const char *path, struct mien_err *e)
{
    if (path == NULL || !file_same(out, path))
        return 0;
    return mien_err_set(e, MIEN_ERR_ARG, "'%s' would be overwritten by an output", path);
}

/* Whether an output is none of the models that a training begins with and learns from. */
static int check_models(const char *out, const struct fit_start *s, const struct fit_config *c,
                        struct mien_err *e)
{
    char name[4096], path[4096];
    int rc = s->init == NULL ? 0 : check_apart(out, model_find(s->init, path, sizeof path), e);
    for (size_t k = 0; rc == 0 && teacher_name(c->teacher, k, name, sizeof name) != NULL; k++)
        rc = check_apart(out, model_find(name, path, sizeof path), e);
    return rc;
}

int fit_check_files(const struct fit_files *f, const struct fit_start *s,
                    const struct fit_config *c, struct mien_err *e)
{
    const char *const out[] = {f->out, c->checkpoint, f->log};
    int rc = 0;
    for (int i = 0; rc == 0 && i < 3; i++) {
        if (out[i] == NULL)
            continue;
        for (size_t k = 0; rc == 0 && k < f->train.n; k++)
            rc = check_apart(out[i], f->train.path[k], e);
        if (rc == 0)
            rc = check_apart(out[i], f->val, e);
        if (rc == 0 && out[i] != f->out)
            rc = check_models(out[i], s, c, e);
        for (int k = 0; rc == 0 && k < i; k++)
            rc = check_apart(out[i], out[k], e);
        if (rc == 0 && out[i] != f->log)
            rc = file_try(out[i], e);
    }
    return rc;
}

int fit_start(struct model *m, const struct fit_start *s, const struct mien_pack *train,
              struct fit_config *c, struct mien_err *e)
{
    struct model init = {0};
    int added = 0, rc = 0;
    assert(s->init != NULL || (!s->keep_heads && s->embed == NULL));
    if (s->init == NULL && train->kind != MIEN_PACK_FEATURES)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "pixels need a network to start from: give --init MODEL");
    if (s->init != NULL && (rc = model_load(&init, s->init, e)) < 0)
        return rc;
    if (s->keep_heads) {
        *m = init;
        added = (net_find(&init.net, "gender") >= 0) + (net_find(&init.net, "age") >= 0);
    } else {
        rc = added = fit_new_heads(m, s->init != NULL ? &init : NULL, s->embed, train->dim,
                                   &train->prep, &s->heads, c->seed, e);
        model_free(&init);
        /* Teachers may tell what labels don't: see fitter_set_up. */
        if (rc < 0 || (c->teacher == NULL && (rc = fit_check_labels(m, train, e)) < 0))
            return rc;
    }
    c->last = c->last == FIT_NEW ? added : c->last;
    return 0;
}
