#include "mien/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "image/img.h"
#include "net/heads.h"
#include "plan.h"
#include "record/pred.h"

enum { MOST_OUTPUTS = 2 };

struct worker {
    struct plan_work *work;
    const void **in;          /* a batch of them, and their mirror images behind */
    unsigned char *mirrored;  /* the pixels of these */
    float *out[MOST_OUTPUTS]; /* results for as many */
};

struct mien_session {
    struct model model;
    struct model_input input;
    struct heads heads;
    struct mien_session_options o;
    struct plan *plan;
    struct worker *worker;       /* jobs of them */
    int nout, out[MOST_OUTPUTS]; /* layers */
    size_t width[MOST_OUTPUTS];  /* numbers of each for one input */
    int gender, age;             /* which of the outputs these are, or -1 */
    char output_name[128];
};

struct mien_session *mien_session_open(const char *model, struct mien_err *e)
{
    struct mien_session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        mien_err_mem(e, sizeof *s, "a session");
        return NULL;
    }
    if (model_load(&s->model, model, e) == 0 && model_input(&s->model, &s->input, e) == 0)
        return s;
    mien_session_close(s);
    return NULL;
}

void mien_session_close(struct mien_session *s)
{
    if (s == NULL)
        return;
    for (int j = 0; s->worker != NULL && j < s->o.jobs; j++) {
        struct worker *w = &s->worker[j];
        for (int k = 0; k < s->nout; k++)
            free(w->out[k]);
        free(w->in);
        free(w->mirrored);
        plan_work_free(w->work);
    }
    free(s->worker);
    plan_free(s->plan);
    model_free(&s->model);
    free(s);
}

int mien_session_origin(const struct mien_session *s, struct mien_buf *out)
{
    return model_origin(&s->model, out);
}

struct mien_size mien_session_size(const struct mien_session *s)
{
    return (struct mien_size){s->input.h, s->input.w};
}

size_t mien_session_inputs(const struct mien_session *s)
{
    return shape_count(s->model.net.layer[0].shape);
}

const char *mien_session_features_layer(const struct mien_session *s, struct mien_err *e)
{
    int layer = model_features_layer(&s->model, NULL, e);
    return layer < 0 ? NULL : s->model.net.layer[layer].name;
}

size_t mien_session_outputs(const struct mien_session *s)
{
    return s->width[0];
}

const char *mien_session_output_name(const struct mien_session *s)
{
    return s->output_name;
}

/* --- Starting ------------------------------------------------------------------------------- */

static int choose_outputs(struct mien_session *s, const char *layer, struct mien_err *e)
{
    s->gender = s->age = -1;
    if (layer != NULL) {
        s->out[s->nout++] = model_features_layer(&s->model, layer, e);
        if (s->out[0] < 0)
            return MIEN_ERR_ARG;
        model_features_name(&s->model, s->out[0], s->output_name, sizeof s->output_name);
        return 0;
    }
    int rc = heads_find(&s->heads, &s->model, e);
    if (rc < 0)
        return rc;
    if (s->heads.gender >= 0) {
        s->gender = s->nout;
        s->out[s->nout++] = s->heads.gender;
    }
    if (s->heads.age >= 0) {
        s->age = s->nout;
        s->out[s->nout++] = s->heads.age;
    }
    return 0;
}

static int start_worker(const struct mien_session *s, struct worker *w, size_t inputs,
                        struct mien_err *e)
{
    size_t mirrored = s->o.mirror ? (size_t)s->o.batch * mien_session_inputs(s) : 0;
    w->work = plan_work_new(s->plan, e);
    if (w->work == NULL)
        return MIEN_ERR_MEM;
    w->in = calloc(inputs, sizeof *w->in);
    w->mirrored = malloc(mirrored + 1);
    if (w->in == NULL || w->mirrored == NULL)
        return mien_err_mem(e, inputs * sizeof *w->in + mirrored, "workers");
    for (int k = 0; k < s->nout; k++) {
        size_t floats = inputs * s->width[k];
        w->out[k] = malloc(floats * sizeof **w->out);
        if (w->out[k] == NULL)
            return mien_err_mem(e, floats * sizeof **w->out, "results");
    }
    return 0;
}

int mien_session_start(struct mien_session *s, const char *layer,
                       const struct mien_session_options *o, struct mien_err *e)
{
    assert(s->plan == NULL && o->jobs > 0 && o->batch > 0);
    int inputs = o->mirror ? 2 * o->batch : o->batch, rc = choose_outputs(s, layer, e);
    if (rc < 0)
        return rc;
    if (o->mirror && s->input.h == 0)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the model reads features, which have no mirror image");
    if (o->int8 && o->bf16)
        return mien_err_set(e, MIEN_ERR_ARG, "int8 and bf16 exclude each other");
    enum precision precision = o->int8   ? PRECISION_INT8
                               : o->bf16 ? PRECISION_BF16
                                         : PRECISION_FLOAT;
    if ((rc = plan_check(precision, e)) < 0)
        return rc;
    s->o = *o;
    s->plan = plan_new(&s->model, s->out, s->nout, inputs, precision, e);
    if (s->plan == NULL)
        return MIEN_ERR_MEM;
    rc = plan_bound(s->plan, o->max_memory > 0 ? o->max_memory : PLAN_MAX_BYTES, e);
    if (rc < 0)
        return rc;
    for (int k = 0; k < s->nout; k++)
        s->width[k] = plan_out_count(s->plan, k);
    s->worker = calloc((size_t)o->jobs, sizeof *s->worker);
    if (s->worker == NULL)
        return mien_err_mem(e, (size_t)o->jobs * sizeof *s->worker, "workers");
    for (int j = 0; j < o->jobs; j++) {
        rc = start_worker(s, &s->worker[j], (size_t)inputs, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- Running -------------------------------------------------------------------------------- */

/* Puts the mirror images of n inputs behind them. */
static void add_mirrored(const struct mien_session *s, struct worker *w, int n)
{
    unsigned char *px = w->mirrored;
    for (int i = 0; i < n; i++, px += mien_session_inputs(s)) {
        img_upright(w->in[i], s->input.h, s->input.w, IMG_MIRRORED, px);
        w->in[n + i] = px;
    }
}

/* The means of n inputs' results and those of their mirror images. */
static void average(const struct mien_session *s, struct worker *w, int n)
{
    for (int k = 0; k < s->nout; k++) {
        float *y = w->out[k];
        size_t count = (size_t)n * s->width[k];
        for (size_t i = 0; i < count; i++)
            y[i] = (y[i] + y[count + i]) / 2;
    }
}

static struct worker *run(struct mien_session *s, int worker, const void *const *in, int n)
{
    struct worker *w = &s->worker[worker];
    assert(worker < s->o.jobs && n <= s->o.batch);
    if (!s->o.mirror) {
        plan_run(s->plan, w->work, in, n, w->out);
        return w;
    }
    memcpy(w->in, in, (size_t)n * sizeof *in);
    add_mirrored(s, w, n);
    plan_run(s->plan, w->work, w->in, 2 * n, w->out);
    average(s, w, n);
    return w;
}

/* Both read a head's outputs. False when they are no probabilities. */
static bool read_gender(const struct mien_session *s, const float *out, struct mien_prediction *p)
{
    float *g = p->p_gender;
    model_gender(out, s->heads.genders, g);
    if (!pred_valid(g, MIEN_GENDERS))
        return false;
    if (!s->o.raw && s->input.temp_gender != 1) {
        g[1] = (float)pred_temper(g[1], s->input.temp_gender, 0);
        g[0] = 1 - g[1];
    }
    p->conf_gender = g[pred_mode(g, MIEN_GENDERS)];
    return true;
}

static bool read_age(const struct mien_session *s, const float *out, struct mien_prediction *p)
{
    age_head_distribution(&s->heads.years, out, p->p_age);
    if (!pred_valid(p->p_age, MIEN_AGES))
        return false;
    struct pred_age a = pred_age(p->p_age);
    p->age = a.mean;
    p->conf_age = pred_age_close(p->p_age, &a);
    if (!s->o.raw)
        p->conf_age = pred_temper(p->conf_age, s->input.temp_age, s->input.shift_age);
    return true;
}

int mien_session_predict(struct mien_session *s, int worker, const void *const *in, int n,
                         struct mien_prediction *out, struct mien_err *e)
{
    if (s->gender < 0 && s->age < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "the session was started for a layer, not for heads");
    const struct worker *w = n > 0 ? run(s, worker, in, n) : NULL;
    for (int i = 0; i < n; i++) {
        struct mien_prediction *p = &out[i];
        *p = (struct mien_prediction){.has_gender = s->gender >= 0, .has_age = s->age >= 0};
        p->valid = (!p->has_gender ||
                    read_gender(s, w->out[s->gender] + (size_t)i * s->width[s->gender], p)) &&
                   (!p->has_age || read_age(s, w->out[s->age] + (size_t)i * s->width[s->age], p));
    }
    return 0;
}

int mien_session_embed(struct mien_session *s, int worker, const void *const *in, int n,
                       const float **out, struct mien_err *e)
{
    if (s->gender >= 0 || s->age >= 0)
        return mien_err_set(e, MIEN_ERR_ARG, "the session was started for heads, not for a layer");
    *out = n > 0 ? run(s, worker, in, n)->out[0] : NULL;
    return 0;
}

/* What the model reads of a record, or NULL after failing the record. */
static const void *input_of(const struct mien_session *s, struct mien_rec *r)
{
    if (s->input.h > 0) {
        int h, w;
        const unsigned char *p = mien_rec_pixels(r, &h, &w);
        if (p == NULL) {
            mien_rec_fail(r, "no pixels: pipe images through mien-crop and mien-resize first");
            return NULL;
        }
        if (h != s->input.h || w != s->input.w) {
            mien_rec_fail(r, "pixels of %dx%d, the model takes %dx%d", h, w, s->input.h,
                          s->input.w);
            return NULL;
        }
        return p;
    }
    const struct mien_field *f = mien_rec_find(r, MIEN_TAG_FEATURES);
    size_t want = mien_session_inputs(s);
    const void *in = NULL;
    if (f == NULL)
        mien_rec_fail(r, "no features: pipe pixels through mien-embed first");
    else if (f->dim[0] != want)
        mien_rec_fail(r, "%u features, the model takes %zu", f->dim[0], want);
    else if (!mien_rec_finite(f))
        mien_rec_fail(r, "a feature isn't a number");
    else
        in = f->data;
    return in;
}

int mien_session_records(const struct mien_session *s, struct mien_rec **rec, size_t n,
                         size_t *used, const void **in, struct mien_err *e)
{
    int k = 0;
    for (size_t i = 0; i < n; i++) {
        struct mien_prep prep;
        struct mien_err why;
        if (mien_rec_faceless(rec[i]))
            continue;
        if (mien_rec_get_prep(rec[i], &prep, e) < 0)
            return MIEN_ERR_FORMAT;
        const char *differs = mien_prep_differs(&prep, &s->model.prep);
        if (differs != NULL && !s->o.force) {
            (void)mien_prep_check(&prep, &s->model.prep, &why);
            return mien_err_set(e, MIEN_ERR_FORMAT, "the records don't fit the model: %s", why.msg);
        }
        if (differs != NULL && mien_prep_set(&prep, "forced", "%s", differs) < 0)
            return mien_err_set(e, MIEN_ERR_LIMIT,
                                "the description of the preprocessing is too long");
        if (differs != NULL && mien_rec_set_prep(rec[i], &prep) < 0)
            return mien_err_mem(e, sizeof prep, "a record's preprocessing");
        in[k] = input_of(s, rec[i]);
        if (in[k] != NULL)
            used[k++] = i;
    }
    return k;
}
