/* mien-predict: runs a model on pixels or features and adds the distributions of age and gender. */
#include <string.h>

#include "mien/filter.h"
#include "mien/session.h"
#include "util/num.h"

enum { MAX_BATCH = 256 };

/* The confidences below which a gender and an age are left unsaid. */
struct reject {
    double gender, age;
};

struct predict {
    struct mien_session *session;
    bool keep;
    struct reject reject;
};

/* Sets a distribution and its confidence; below `least` the distribution is left out. */
static int set(struct mien_rec *r, int tag, const float *p, uint32_t n, int conf_tag,
               double confidence, double least)
{
    int rc = 0;
    if (confidence < least)
        mien_rec_del(r, tag);
    else
        rc |= mien_rec_set_f32v(r, tag, p, n);
    return rc | mien_rec_set_f32(r, conf_tag, (float)confidence);
}

static int store(const struct predict *p, struct mien_rec *r, const struct mien_prediction *q)
{
    int rc = 0;
    if (!p->keep) {
        mien_rec_del(r, MIEN_TAG_PIXELS);
        mien_rec_del(r, MIEN_TAG_FEATURES);
    }
    if (q->has_gender)
        rc |= set(r, MIEN_TAG_P_GENDER, q->p_gender, MIEN_GENDERS, MIEN_TAG_CONF_GENDER,
                  q->conf_gender, p->reject.gender);
    if (q->has_age)
        rc |= set(r, MIEN_TAG_P_AGE, q->p_age, MIEN_AGES, MIEN_TAG_CONF_AGE, q->conf_age,
                  p->reject.age);
    return rc;
}

static int predict(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                   struct mien_err *e)
{
    struct predict *p = ctx;
    size_t used[MAX_BATCH];
    const void *in[MAX_BATCH];
    struct mien_prediction out[MAX_BATCH];
    (void)drop;
    int k = mien_session_records(p->session, rec, n, used, in, e);
    int rc = k < 0 ? k : mien_session_predict(p->session, worker, in, k, out, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < k; i++) {
        if (store(p, rec[used[i]], &out[i]) < 0)
            return mien_err_mem(e, sizeof out[i], "a prediction");
    }
    return 0;
}

/* "P", or "P,Q": P for genders and Q for ages. */
static int parse_reject(void *dst, const char *arg, struct mien_err *e)
{
    struct reject *r = dst;
    size_t n = strcspn(arg, ",");
    char first[32];
    snprintf(first, sizeof first, "%.*s", (int)n, arg);
    int rc = num_real(first, 0, 1, &r->gender, e);
    r->age = r->gender;
    return rc < 0 || arg[n] == '\0' ? rc : num_real(arg + n + 1, 0, 1, &r->age, e);
}

int main(int argc, char **argv)
{
    struct predict p = {0};
    struct mien_session_options o = {.batch = 32};
    struct mien_filter f = {.fn = predict, .ctx = &p};
    struct mien_option opts[] = {
        MIEN_OPT_FLAG('t', "tta", &o.mirror, "average over the pixels and their mirror image"),
        MIEN_OPT_FLAG(0, "int8", &o.int8, "convolutions in eight bits: faster, almost as right"),
        MIEN_OPT_FUNC(0, "reject", "P[,Q]", &p.reject, parse_reject,
                      "leave unsaid what is less sure: a gender P, an age Q [0]"),
        MIEN_OPT_FLAG(0, "raw", &o.raw,
                      "confidences as the network has them, without the model's temperatures"),
        MIEN_OPT_INT('b', "batch", "N", &o.batch, 1, MAX_BATCH, "records computed together [32]"),
        MIEN_OPT_FLAG('k', "keep", &p.keep, "keep pixels and features in the records"),
        MIEN_FILTER_OPTIONS(f),
    };
    struct mien_cli cli = {
        .name = "mien-predict",
        .synopsis = "[options] MODEL < pixels.mien > predictions.mien",
        .purpose = "Predicts the distributions of age and gender of faces.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct mien_err e;
    f.cli = &cli;
    if (mien_cli_parse(&cli, argc, argv) != 1)
        mien_cli_die(&cli, "needs one model; see mien-predict --help");
    f.batch = (size_t)o.batch;
    mien_filter_prepare(&f);
    o.jobs = f.jobs;

    if ((p.session = mien_session_open(argv[1], &e)) == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    if (mien_session_start(p.session, NULL, &o, &e) < 0)
        mien_cli_die(&cli, "'%s': %s", argv[1], e.msg);
    int status = mien_filter_run(&f);
    mien_session_close(p.session);
    return status;
}
