#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mien/version.h"
#include "net/model.h"
#include "tensor/pack_origin.h"
#include "util/num.h"

static int add_model(const char *lead, const char *name, struct mien_buf *out, struct mien_err *e)
{
    struct model m = {0};
    int rc = model_load(&m, name, e);
    if (rc < 0)
        return rc;
    if (mien_buf_printf(out, "%s ", lead) < 0 || model_origin(&m, out) < 0)
        rc = mien_err_mem(e, out->len, "a history");
    model_free(&m);
    return rc;
}

static int add_pack(const char *lead, const char *path, double weight, struct mien_buf *out,
                    struct mien_err *e)
{
    struct mien_pack p;
    char number[NUM_TEXT], with[NUM_TEXT + 32] = "";
    int rc = mien_pack_open(&p, path, e);
    if (rc < 0)
        return rc;
    num_print(number, weight);
    if (weight != 1)
        snprintf(with, sizeof with, ", %s times,", number);
    if (mien_buf_printf(out, "%s%s ", lead, with) < 0 || pack_origin(&p, out) < 0)
        rc = mien_err_mem(e, out->len, "a history");
    mien_pack_close(&p);
    return rc;
}

static int add_sources(const struct fit_files *f, const struct fit_start *s,
                       const struct fit_config *c, struct mien_buf *out, struct mien_err *e)
{
    int rc = s->init != NULL ? add_model("from", s->init, out, e) : 0;
    for (const char *t = c->teacher; rc == 0 && t != NULL && *t != '\0';) {
        size_t n = strcspn(t, ",");
        char name[4096];
        snprintf(name, sizeof name, "%.*s", (int)n, t);
        rc = add_model("taught by", name, out, e);
        t += n + (t[n] == ',');
    }
    for (size_t k = 0; rc == 0 && k < f->train.n; k++)
        rc = add_pack("trained on", f->train.path[k], f->train.weight[k], out, e);
    if (rc == 0 && f->val != NULL)
        rc = add_pack("validated on", f->val, 1, out, e);
    return rc;
}

int fit_note_sources(struct model *m, const struct fit_files *f, const struct fit_start *s,
                     const struct fit_config *c, struct mien_err *e)
{
    struct mien_buf text = {0};
    int rc = add_sources(f, s, c, &text, e);
    if (rc == 0 && mien_buf_append(&text, "", 1) < 0)
        rc = mien_err_mem(e, text.len, "a history");
    if (rc < 0) {
        mien_buf_free(&text);
        return rc;
    }
    free(m->history);
    m->history = (char *)text.data;
    return 0;
}

/* Appends the options of the heads that aren't at their defaults. */
static int describe_heads(const struct fit_start *s, struct mien_buf *out)
{
    const struct fit_heads *h = &s->heads;
    char number[NUM_TEXT];
    if (s->keep_heads)
        return mien_buf_printf(out, " keep-heads");
    int rc = s->embed != NULL ? mien_buf_printf(out, " embed=%s", s->embed) : 0;
    if (h->list != NULL)
        rc |= mien_buf_printf(out, " heads=%s", h->list);
    if (h->hidden > 0)
        rc |= mien_buf_printf(out, " hidden=%d", h->hidden);
    if (h->dropout > 0) {
        num_print(number, h->dropout);
        rc |= mien_buf_printf(out, " dropout=%s", number);
    }
    return rc;
}

int fit_note_training(struct model *m, const struct fit_start *s, const struct fit_config *c,
                      size_t records, const struct fit_epoch *kept, struct mien_err *e)
{
    struct mien_buf b = {0};
    struct fit_config unnamed = *c;
    char share[NUM_TEXT];
    unnamed.teacher = NULL; /* a file's name */
    int rc = mien_buf_printf(&b, "mien-train %s: ", MIEN_VERSION);
    rc |= fit_describe(&unnamed, &b);
    num_print(share, c->loss.teacher);
    if (c->teacher != NULL)
        rc |= mien_buf_printf(&b, " teacher-share=%s", share);
    rc |= describe_heads(s, &b);
    rc |= mien_buf_printf(&b, "\n%zu records, epoch %d kept", records, kept->epoch);
    if (kept->val.n_gender + kept->val.n_age > 0)
        rc |= mien_buf_printf(&b, "\nvalidation: loss %.6g", kept->val.loss);
    if (kept->val.n_gender > 0)
        rc |= mien_buf_printf(&b, ", gender accuracy %.6g", kept->val.gender_accuracy);
    if (kept->val.n_age > 0)
        rc |= mien_buf_printf(&b, ", age exact %.6g, MAE %.6g", kept->val.age_exact,
                              kept->val.age_mae);
    rc |= mien_buf_append(&b, "\n", 2);
    if (rc < 0) {
        rc = mien_err_mem(e, b.len, "the model's origin");
        mien_buf_free(&b);
        return rc;
    }
    free(m->made);
    m->made = (char *)b.data;
    return 0;
}
