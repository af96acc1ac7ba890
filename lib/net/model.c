#include "model.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age_head.h"
#include "calibrate.h"
#include "record/history.h"
#include "util/aligned.h"
#include "util/num.h"
#include "mien/safetensors.h"
#include "util/half.h"
#include "util/hash.h"
#include "tensor/st_writer.h"

#define FORMAT  "mien-model"
#define VERSION "1"

/* The tensor of the ages that the model was trained on. No layer has such a parameter. */
#define AGE_COUNT "age.count"

enum { TENSOR_NAME = NET_NAME + 16 };

float *net_weights_new(const struct net *net, struct mien_err *e)
{
    float *w = aligned_zeros(net->nweights, sizeof *w);
    if (w == NULL)
        mien_err_mem(e, net->nweights * sizeof *w, "weights");
    return w;
}

void model_free(struct model *m)
{
    net_free(&m->net);
    free(m->weights);
    free(m->made);
    free(m->history);
    *m = (struct model){0};
}

static void tensor_name(char name[TENSOR_NAME], const struct layer *l, const struct param *p)
{
    snprintf(name, TENSOR_NAME, "%s.%s", l->name, p->name);
}

/* --- Reading ------------------------------------------------------------------------------- */

/* The tensor of a parameter, after checking its type and shape. */
static const struct mien_tensor *find_tensor(const struct mien_safetensors *s,
                                             const struct layer *l, const struct param *p,
                                             struct mien_err *e)
{
    char name[TENSOR_NAME];
    tensor_name(name, l, p);
    const struct mien_tensor *t = mien_st_find(s, name);
    if (t == NULL) {
        mien_err_set(e, MIEN_ERR_FORMAT, "weight '%s' is missing", name);
        return NULL;
    }
    bool fits = t->ndim == p->ndim && (t->dtype == MIEN_ST_F32 || t->dtype == MIEN_ST_F16);
    for (int i = 0; fits && i < p->ndim; i++)
        fits = t->shape[i] == p->dim[i];
    if (!fits) {
        mien_err_set(e, MIEN_ERR_FORMAT,
                     "weight '%s' doesn't have the type and shape that its layer needs", name);
        return NULL;
    }
    return t;
}

static int read_weights(struct model *m, const struct mien_safetensors *s, struct mien_err *e)
{
    /* Memory is taken only once the file is known to hold as much. */
    for (int i = 0; i < m->net.n; i++) {
        const struct layer *l = &m->net.layer[i];
        for (int k = 0; k < l->nparam; k++) {
            if (find_tensor(s, l, &l->param[k], e) == NULL)
                return MIEN_ERR_FORMAT;
        }
    }
    m->weights = net_weights_new(&m->net, e);
    if (m->weights == NULL)
        return MIEN_ERR_MEM;
    for (int i = 0; i < m->net.n; i++) {
        const struct layer *l = &m->net.layer[i];
        for (int k = 0; k < l->nparam; k++) {
            const struct param *p = &l->param[k];
            const struct mien_tensor *t = find_tensor(s, l, p, e);
            assert(t != NULL); /* check_tensors has found each */
            float *w = m->weights + p->at;
            if (t->dtype == MIEN_ST_F16)
                half_to_floats(t->data, w, p->count);
            else
                memcpy(w, t->data, t->bytes);
            if (!num_finite(w, p->count))
                return mien_err_set(e, MIEN_ERR_FORMAT,
                                    "weight '%s' has a value that isn't a number", t->name);
        }
    }
    return 0;
}

/* The ages that the model was trained on, if it has them. */
static int read_ages(struct model *m, const struct mien_safetensors *s, struct mien_err *e)
{
    const struct mien_tensor *t = mien_st_find(s, AGE_COUNT);
    if (t == NULL)
        return 0;
    if (t->dtype != MIEN_ST_F32 || t->ndim != 1 || t->count != MIEN_AGES)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'" AGE_COUNT "' is not %d floats", MIEN_AGES);
    memcpy(m->age_count, t->data, sizeof m->age_count);
    for (int y = 0; y < MIEN_AGES; y++) {
        if (!(m->age_count[y] >= 0 && isfinite(m->age_count[y])))
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "'" AGE_COUNT "' has a value that isn't a count");
    }
    return 0;
}

static int read_model(struct model *m, const struct mien_safetensors *s, struct mien_err *e)
{
    const char *format = mien_st_meta(s, "format"), *version = mien_st_meta(s, "version");
    const char *net = mien_st_meta(s, "net"), *prep = mien_st_meta(s, "prep"),
               *made = mien_st_meta(s, "made"), *history = mien_st_meta(s, "history");
    struct mien_err cause;
    if (format == NULL || strcmp(format, FORMAT) != 0 || net == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "not a mien model");
    if (version == NULL || strcmp(version, VERSION) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "it has version %s, this program reads " VERSION,
                            version != NULL ? version : "(none)");
    int rc = net_parse(&m->net, net, strlen(net), &cause);
    if (rc < 0)
        return mien_err_set(e, rc == MIEN_ERR_ARG ? MIEN_ERR_FORMAT : rc, "its description, %s",
                            cause.msg);
    if (prep != NULL && (rc = mien_prep_parse(&m->prep, prep, strlen(prep), e)) < 0)
        return rc;
    if (made != NULL && (m->made = strdup(made)) == NULL)
        return mien_err_mem(e, strlen(made), "text");
    if (history != NULL && (m->history = strdup(history)) == NULL)
        return mien_err_mem(e, strlen(history), "text");
    rc = read_ages(m, s, e);
    return rc < 0 ? rc : read_weights(m, s, e);
}

int model_load(struct model *m, const char *name, struct mien_err *e)
{
    char found[4096];
    struct mien_err cause;
    const char *path = model_find(name, found, sizeof found);
    struct mien_safetensors *s = mien_st_open(path, e);
    if (s == NULL)
        return MIEN_ERR_FORMAT;
    int rc = read_model(m, s, &cause);
    mien_st_close(s);
    if (rc < 0) {
        model_free(m);
        return mien_err_set(e, rc, "'%s': %s", path, cause.msg);
    }
    return 0;
}

/* --- Where it comes from ------------------------------------------------------------------- */

/* A digest of what a model computes. Returns 0 or MIEN_ERR_MEM. */
static int digest(const struct model *m, uint64_t *out)
{
    struct mien_buf net = {0};
    int rc = net_print(&m->net, &net);
    uint64_t h = rc == 0 ? hash_bytes(0, net.data, net.len) : 0;
    mien_buf_free(&net);
    h = hash_mix(h ^ hash_bytes(1, m->prep.text, strlen(m->prep.text)));
    h = hash_mix(h ^ hash_bytes(2, m->age_count, sizeof m->age_count));
    *out = hash_mix(h ^ hash_bytes(3, m->weights, m->net.nweights * sizeof *m->weights));
    return rc < 0 ? MIEN_ERR_MEM : 0;
}

int model_origin(const struct model *m, struct mien_buf *out)
{
    uint64_t what;
    int rc = digest(m, &what);
    rc |= mien_buf_printf(out, "model %016llx\n", (unsigned long long)what);
    rc |= history_indent(out, m->made != NULL ? m->made : "unknown\n");
    rc |= history_indent(out, m->history != NULL ? m->history : "");
    return rc < 0 ? MIEN_ERR_MEM : 0;
}

/* --- Writing ------------------------------------------------------------------------------- */

/* What the heads' outputs mean, for people who look into the file. */
static void classes(const struct model *m, char *text, size_t size)
{
    struct age_head h;
    struct mien_err unused;
    int gender = net_find(&m->net, "gender"), n = 0;
    const char *g = gender < 0                                     ? ""
                    : shape_count(m->net.layer[gender].shape) == 1 ? "gender: male"
                                                                   : "gender: female, male";
    n = snprintf(text, size, "%s", g);
    if (age_head_of(&h, m, &unused) == 0 && h.n > 0)
        snprintf(text + n, size - (size_t)n, "%sage: %s%d %s from %d", gender < 0 ? "" : "; ",
                 h.ordinal ? "ordinal, " : "", h.n, age_head_binned(&h) ? "bins" : "years",
                 h.from[0]);
}

static int add_weights(struct st_writer *w, const struct model *m, struct mien_err *e)
{
    for (int i = 0; i < m->net.n; i++) {
        const struct layer *l = &m->net.layer[i];
        for (int k = 0; k < l->nparam; k++) {
            const struct param *p = &l->param[k];
            char name[TENSOR_NAME];
            tensor_name(name, l, p);
            int rc = st_add(w, name, MIEN_ST_F32, p->ndim, p->dim, m->weights + p->at, e);
            if (rc < 0)
                return rc;
        }
    }
    for (int y = 0; y < MIEN_AGES; y++) {
        if (m->age_count[y] > 0)
            return st_add(w, AGE_COUNT, MIEN_ST_F32, 1, (size_t[]){MIEN_AGES}, m->age_count, e);
    }
    return 0;
}

/* Fills a new file and writes it; net is the description. */
static int write_model(struct st_writer *w, const struct model *m, const char *net,
                       const char *path, struct mien_err *e)
{
    char text[128];
    int rc;
    classes(m, text, sizeof text);
    if ((rc = st_add_meta(w, "format", FORMAT, e)) < 0 ||
        (rc = st_add_meta(w, "version", VERSION, e)) < 0 ||
        (rc = st_add_meta(w, "net", net, e)) < 0 ||
        (rc = st_add_meta(w, "prep", m->prep.text, e)) < 0 ||
        (rc = st_add_meta(w, "classes", text, e)) < 0)
        return rc;
    if (m->made != NULL && (rc = st_add_meta(w, "made", m->made, e)) < 0)
        return rc;
    if (m->history != NULL && (rc = st_add_meta(w, "history", m->history, e)) < 0)
        return rc;
    rc = add_weights(w, m, e);
    return rc < 0 ? rc : st_save(w, path, e);
}

int model_save(const struct model *m, const char *path, struct mien_err *e)
{
    struct mien_buf net = {0};
    int rc;
    struct st_writer *w = st_writer_new(e);
    if (w == NULL)
        return MIEN_ERR_MEM;
    if (net_print(&m->net, &net) < 0 || mien_buf_append(&net, "", 1) < 0)
        rc = mien_err_mem(e, net.len, "text");
    else
        rc = write_model(w, m, (const char *)net.data, path, e);
    mien_buf_free(&net);
    st_writer_free(w);
    return rc;
}

/* --- Inputs and outputs -------------------------------------------------------------------- */

void model_gender(const float *p, int n, float out[2])
{
    out[0] = n == 1 ? 1 - p[0] : p[0];
    out[1] = n == 1 ? p[0] : p[1];
}

/* Three numbers with commas, or one for all. */
static int parse_mean(char *text, float mean[3], struct mien_err *e)
{
    char *save, *s = strtok_r(text, ",", &save);
    int n = 0;
    for (; s != NULL && n < 3; s = strtok_r(NULL, ",", &save)) {
        double v;
        if (num_real(s, -1e6, 1e6, &v, e) < 0)
            return MIEN_ERR_FORMAT;
        mean[n++] = (float)v;
    }
    if (s != NULL || (n != 1 && n != 3))
        return mien_err_set(e, MIEN_ERR_FORMAT, "it is not three numbers");
    if (n == 1)
        mean[1] = mean[2] = mean[0];
    return 0;
}

/* A number of the preprocessing; *x stays when the model has none. */
static int parse_within(const struct model *m, const char *key, double lo, double hi, double *x,
                        struct mien_err *e)
{
    char value[MIEN_PREP_MAX];
    struct mien_err cause;
    if (mien_prep_get(&m->prep, key, value, sizeof value) != NULL &&
        num_real(value, lo, hi, x, &cause) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s: %s", key, cause.msg);
    return 0;
}

/* How confidences are scaled. */
static int parse_scaling(const struct model *m, struct model_input *in, struct mien_err *e)
{
    const double lo = CALIBRATE_MIN, hi = CALIBRATE_MAX, shift = CALIBRATE_SHIFT;
    int rc = parse_within(m, "temp_gender", lo, hi, &in->temp_gender, e);
    if (rc == 0)
        rc = parse_within(m, "temp_age", lo, hi, &in->temp_age, e);
    return rc < 0 ? rc : parse_within(m, "shift_age", -shift, shift, &in->shift_age, e);
}

int model_input(const struct model *m, struct model_input *in, struct mien_err *e)
{
    struct shape s = m->net.layer[0].shape;
    char value[MIEN_PREP_MAX], size[64];
    struct mien_err cause;
    double scale;
    *in = (struct model_input){.scale = 1, .temp_gender = 1, .temp_age = 1};
    if (s.h > 1 || s.w > 1) {
        in->h = s.h;
        in->w = s.w;
        if (s.c != 3)
            return mien_err_set(e, MIEN_ERR_FORMAT, "the input has %d channels, pixels have 3",
                                s.c);
        snprintf(size, sizeof size, "%dx%d", s.h, s.w);
        if (mien_prep_get(&m->prep, "size", value, sizeof value) != NULL &&
            strcmp(value, size) != 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "size=%s, but the network's input is %s", value,
                                size);
    }
    if (mien_prep_get(&m->prep, "color", value, sizeof value) != NULL) {
        in->bgr = strcmp(value, "bgr") == 0;
        if (!in->bgr && strcmp(value, "rgb") != 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "color=%s is neither rgb nor bgr", value);
    }
    if (mien_prep_get(&m->prep, "mean", value, sizeof value) != NULL &&
        parse_mean(value, in->mean, &cause) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "mean: %s", cause.msg);
    if (mien_prep_get(&m->prep, "scale", value, sizeof value) != NULL) {
        if (num_real(value, -1e6, 1e6, &scale, &cause) < 0 || scale == 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "scale=%s is 0, too large or not a number",
                                value);
        in->scale = (float)scale;
    }
    return parse_scaling(m, in, e);
}
