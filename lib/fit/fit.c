/*
 * Fitting. The network falls into three parts: frozen layers, whose output at the boundary is
 * computed once for every record and kept; the layers from there on, which a trainer runs; and
 * layers that nothing needs.
 */
#include "fit.h"

#include <errno.h>

#include "agree.h"
#include "fitter.h"

/* Goes on from the checkpoint that rank 0 finds, if it finds one. Returns 0 or a negative code. */
static int resume(struct fitter *f, struct mien_err *e)
{
    struct ranks *r = f->c->ranks;
    struct arrays *a = &f->arrays;
    float *const arrays[] = {a->weights, a->best, a->m, a->v, a->ema};
    int rc = 0;
    bool none = false;
    if (ranks_rank(r) == 0) {
        rc = checkpoint_load(f->c->checkpoint, f->about, &f->now, a, e);
        none = rc == MIEN_ERR_SYS && errno == ENOENT; /* nothing to go on from: begin */
    }
    if (agree_any(r, rc < 0 && !none))
        return rc < 0 ? rc : mien_err_set(e, MIEN_ERR_FORMAT, "rank 0 can't resume");
    if (agree_any(r, none))
        return 0;
    ranks_spread(r, &f->now, sizeof f->now);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        if (arrays[i] != NULL)
            ranks_spread(r, arrays[i], a->n * sizeof(float));
    }
    return 0;
}

static int run(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
               struct mien_err *e)
{
    int rc = fitter_set_up(f, train, val, e);
    if (rc != 0)
        return rc;
    if (f->c->resume && (rc = resume(f, e)) < 0)
        return rc;
    rc = fitter_run_epochs(f, e);
    return rc != 0 ? rc : fitter_find_temperatures(f, e);
}

/* No epochs. What the training part would be is not of interest. */
static int measure(struct fitter *f, const struct mien_pack *val, struct mien_err *e)
{
    if (val == NULL)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "0 epochs measure a model and its confidences: give a validation set");
    int rc = fitter_set_up(f, NULL, val, e);
    if (rc == 0)
        rc = fitter_measure(f, e);
    return rc != 0 ? rc : fitter_find_temperatures(f, e);
}

int fit(struct model *m, const struct mien_pack *train, const struct mien_pack *val,
        const struct fit_config *c, struct fit_epoch *kept, struct mien_err *e)
{
    struct fitter f = {.m = m, .c = c};
    int rc = c->epochs > 0 ? run(&f, train, val, e) : measure(&f, val, e);
    *kept = f.now.kept;
    fitter_free(&f);
    return rc;
}
