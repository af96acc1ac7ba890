#include "apply.h"

#include <stdlib.h>
#include <string.h>

#include "image/img.h"
#include "plan.h"

struct apply_worker {
    struct plan_work *work;
    const void **in;         /* a batch of them, and their mirror images behind */
    unsigned char *mirrored; /* the pixels of these */
    float **out;             /* nout arrays for as many */
};

int apply_load(struct apply *a, const char *path, struct err *e)
{
    int rc = model_load(&a->model, path, e);
    return rc < 0 ? rc : model_input(&a->model, &a->input, e);
}

static int start_worker(const struct apply *a, struct apply_worker *w, size_t rows, struct err *e)
{
    size_t mirrored = a->mirror ? (size_t)a->batch * (size_t)a->input.h * (size_t)a->input.w * 3 : 0;
    w->work = plan_work_new(a->plan, e);
    if (w->work == NULL)
        return ERR_MEM;
    w->in = calloc(rows, sizeof *w->in);
    w->out = calloc((size_t)a->nout, sizeof *w->out);
    w->mirrored = malloc(mirrored + 1);
    if (w->in == NULL || w->out == NULL || w->mirrored == NULL)
        return err_mem(e, rows * sizeof *w->in + mirrored, "workers");
    for (int k = 0; k < a->nout; k++) {
        size_t floats = rows * plan_out_count(a->plan, k);
        w->out[k] = malloc(floats * sizeof **w->out);
        if (w->out[k] == NULL)
            return err_mem(e, floats * sizeof **w->out, "results");
    }
    return 0;
}

int apply_start(struct apply *a, const int *out, int nout, int jobs, int batch, struct err *e)
{
    int rows = a->mirror ? 2 * batch : batch;
    if (a->mirror && a->input.h == 0)
        return err_set(e, ERR_ARG, "the model reads features, which have no mirror image");
    a->jobs = jobs;
    a->batch = batch;
    a->nout = nout;
    a->plan = plan_new(&a->model, out, nout, rows, a->int8 ? PRECISION_INT8 : PRECISION_FLOAT, e);
    if (a->plan == NULL)
        return ERR_MEM;
    a->worker = calloc((size_t)jobs, sizeof *a->worker);
    a->classes = calloc((size_t)nout, sizeof *a->classes);
    if (a->worker == NULL || a->classes == NULL)
        return err_mem(e, (size_t)jobs * sizeof *a->worker, "workers");
    for (int k = 0; k < nout; k++)
        a->classes[k] = (int)plan_out_count(a->plan, k);
    int rc = 0;
    for (int j = 0; j < jobs && rc == 0; j++)
        rc = start_worker(a, &a->worker[j], (size_t)rows, e);
    return rc;
}

/* What the model reads of a record, or NULL after failing the record. */
static const void *input_of(const struct apply *a, struct rec *r)
{
    if (a->input.h > 0) {
        int h, w;
        const unsigned char *p = rec_pixels(r, &h, &w);
        if (p == NULL) {
            rec_fail(r, "no pixels: pipe images through mien-crop and mien-resize first");
        } else if (h != a->input.h || w != a->input.w) {
            rec_fail(r, "pixels of %dx%d, the model takes %dx%d", h, w, a->input.h, a->input.w);
            p = NULL;
        }
        return p;
    }
    const struct rec_field *f = rec_find(r, TAG_FEATURES);
    size_t want = shape_count(a->model.net.layer[0].shape);
    const void *in = NULL;
    if (f == NULL)
        rec_fail(r, "no features: pipe pixels through mien-embed first");
    else if (f->dim[0] != want)
        rec_fail(r, "%u features, the model takes %zu", f->dim[0], want);
    else if (!rec_finite(f))
        rec_fail(r, "a feature is no number");
    else
        in = f->data;
    return in;
}

/* Puts the mirror images of k records' pixels behind them. */
static void add_mirrored(const struct apply *a, struct apply_worker *w, int k)
{
    int height = a->input.h, width = a->input.w;
    unsigned char *px = w->mirrored;
    for (int i = 0; i < k; i++, px += (size_t)height * (size_t)width * 3) {
        img_upright(w->in[i], height, width, IMG_MIRRORED, px);
        w->in[k + i] = px;
    }
}

/* The means of k records' results and those of their mirror images. */
static void average(const struct apply *a, struct apply_worker *w, int k)
{
    for (int o = 0; o < a->nout; o++) {
        float *y = w->out[o];
        size_t n = (size_t)k * (size_t)a->classes[o];
        for (size_t i = 0; i < n; i++)
            y[i] = (y[i] + y[n + i]) / 2;
    }
}

int apply_run(struct apply *a, int worker, struct rec **rec, size_t n, size_t *used, float **out,
              struct err *e)
{
    struct apply_worker *w = &a->worker[worker];
    int k = 0;
    for (size_t i = 0; i < n; i++) {
        struct prep prep;
        struct err why;
        size_t len;
        const char *text = rec_text(rec[i], TAG_PREP, &len);
        if (text != NULL) {
            if (prep_parse(&prep, text, len, e) < 0)
                return ERR_FORMAT;
            if (prep_check(&prep, &a->model.prep, &why) < 0)
                return err_set(e, ERR_FORMAT, "the records don't fit the model: %s", why.msg);
        }
        const void *in = input_of(a, rec[i]);
        if (in == NULL)
            continue;
        w->in[k] = in;
        used[k++] = i;
    }
    if (k > 0 && a->mirror) {
        add_mirrored(a, w, k);
        plan_run(a->plan, w->work, w->in, 2 * k, w->out);
        average(a, w, k);
    } else if (k > 0) {
        plan_run(a->plan, w->work, w->in, k, w->out);
    }
    for (int o = 0; o < a->nout; o++)
        out[o] = w->out[o];
    return k;
}

void apply_free(struct apply *a)
{
    for (int j = 0; a->worker != NULL && j < a->jobs; j++) {
        struct apply_worker *w = &a->worker[j];
        for (int k = 0; w->out != NULL && k < a->nout; k++)
            free(w->out[k]);
        free(w->out);
        free(w->in);
        free(w->mirrored);
        plan_work_free(w->work);
    }
    free(a->worker);
    free(a->classes);
    plan_free(a->plan);
    model_free(&a->model);
    *a = (struct apply){0};
}
