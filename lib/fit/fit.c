/*
 * Fitting. The network falls into three parts: frozen layers, whose output at the boundary is
 * computed once for every record and kept; the layers from there on, which a trainer runs; and
 * layers that nothing needs.
 */
#include "fit.h"

#include <errno.h>

#include "fitter.h"

static int run(struct fitter *f, const struct mien_pack *train, const struct mien_pack *val,
               struct mien_err *e)
{
    int rc = fitter_set_up(f, train, val, e);
    if (rc != 0)
        return rc;
    if (f->c->resume) {
        rc = checkpoint_load(f->c->checkpoint, f->about, &f->now, &f->arrays, e);
        bool none = rc == MIEN_ERR_SYS && errno == ENOENT; /* nothing to go on from: begin */
        if (rc < 0 && !none)
            return rc;
    }
    rc = fitter_run_epochs(f, e);
    return rc != 0 ? rc : fitter_find_temperatures(f, e);
}

int fit(struct model *m, const struct mien_pack *train, const struct mien_pack *val,
        const struct fit_config *c, struct fit_epoch *kept, struct mien_err *e)
{
    struct fitter f = {.m = m, .c = c};
    int rc = run(&f, train, val, e);
    *kept = f.now.kept;
    fitter_free(&f);
    return rc;
}
