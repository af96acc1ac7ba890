#include "start.h"

#include "util/file.h"

int fit_check_files(const struct fit_files *f, struct mien_err *e)
{
    char init[4096];
    const char *const path[] = {
        f->train, f->val,        f->init != NULL ? model_find(f->init, init, sizeof init) : NULL,
        f->out,   f->checkpoint, f->log};
    enum { INIT = 2, OUT = 3, PATHS = sizeof path / sizeof *path };
    for (int i = OUT; i < PATHS; i++) {
        for (int k = 0; path[i] != NULL && k < i; k++) {
            if (path[k] != NULL && (k != INIT || i != OUT) && file_same(path[i], path[k]))
                return mien_err_set(e, MIEN_ERR_ARG, "'%s' would be overwritten by an output",
                                    path[k]);
        }
        int rc = path[i] != NULL && path[i] != f->log ? file_try(path[i], e) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Whether options about heads and the network go together. */
static int check(const struct fit_start *s, const struct mien_pack *train,
                 const struct fit_config *c, struct mien_err *e)
{
    if (s->keep_heads && s->heads.list != NULL)
        return mien_err_set(
            e, MIEN_ERR_ARG,
            "--heads makes new heads, --keep-heads keeps the model's: give one of them");
    if (s->keep_heads && (s->heads.hidden > 0 || s->heads.dropout > 0 || s->embed != NULL))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "--hidden, --dropout and --embed are for new heads, not --keep-heads");
    if (s->init != NULL)
        return 0;
    if (train->kind != MIEN_PACK_FEATURES)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "pixels need a network to start from: give --init MODEL");
    if (s->keep_heads || s->embed != NULL)
        return mien_err_set(e, MIEN_ERR_ARG, "--%s needs --init MODEL",
                            s->keep_heads ? "keep-heads" : "embed");
    if (c->lr_backbone > 0)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "--lr-backbone needs --init MODEL, whose layers learn at that rate");
    return 0;
}

int fit_start(struct model *m, const struct fit_start *s, const struct mien_pack *train,
              struct fit_config *c, struct mien_err *e)
{
    struct model init = {0};
    int added = 0, rc = check(s, train, c, e);
    if (rc < 0 || (s->init != NULL && (rc = model_load(&init, s->init, e)) < 0))
        return rc;
    if (s->keep_heads) {
        *m = init;
        added = (net_find(&init.net, "gender") >= 0) + (net_find(&init.net, "age") >= 0);
    } else {
        rc = added = fit_new_heads(m, s->init != NULL ? &init : NULL, s->embed, train->dim,
                                   &train->prep, &s->heads, c->seed, e);
        model_free(&init);
        if (rc < 0 || (rc = fit_check_labels(m, train, e)) < 0)
            return rc;
    }
    c->last = c->last == FIT_NEW ? added : c->last;
    return 0;
}
