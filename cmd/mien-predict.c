/* mien-predict: runs a model on pixels or features and adds the distributions of age and gender. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mien/filter.h"
#include "mien/session.h"
#include "util/num.h"

enum { MAX_BATCH = 256 };

/* The confidences below which a gender and an age are withheld. */
struct reject {
    double gender, age;
};

struct predict {
    struct mien_filter filter;
    struct mien_session *session;
    struct mien_session_options run;
    struct reject reject;
    bool keep;
    struct mien_prediction *out; /* of each worker's batch; a thread's stack can be small */
    atomic_ullong forced;        /* records */
};

/* Sets a distribution and its confidence; below `least` the distribution is withheld. */
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

static bool is_forced(const struct mien_rec *r)
{
    struct mien_prep prep;
    struct mien_err e;
    char key[16];
    return mien_rec_get_prep(r, &prep, &e) == 0 &&
           mien_prep_get(&prep, "forced", key, sizeof key) != NULL;
}

static int predict(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                   struct mien_err *e)
{
    struct predict *p = ctx;
    size_t used[MAX_BATCH];
    const void *in[MAX_BATCH];
    struct mien_prediction *out = p->out + (size_t)worker * p->filter.batch;
    (void)drop;
    int k = mien_session_records(p->session, rec, n, used, in, e);
    int rc = k < 0 ? k : mien_session_predict(p->session, worker, in, k, out, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < k; i++) {
        p->forced += p->run.force && is_forced(rec[used[i]]);
        if (!out[i].valid)
            mien_rec_fail(rec[used[i]], "the network's output is not a number");
        else if (store(p, rec[used[i]], &out[i]) < 0)
            return mien_err_mem(e, sizeof *out, "a prediction");
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

static void start(struct predict *p, const char *model)
{
    const struct mien_cli *cli = p->filter.cli;
    struct mien_err e;
    p->filter.batch = (size_t)p->run.batch;
    mien_filter_prepare(&p->filter);
    p->run.jobs = p->filter.jobs;
    p->out = calloc((size_t)p->run.jobs * p->filter.batch, sizeof *p->out);
    if (p->out == NULL)
        mien_cli_die(cli, "out of memory");
    if ((p->session = mien_session_open(model, &e)) == NULL)
        mien_cli_die(cli, "%s", e.msg);
    if (mien_session_start(p->session, NULL, &p->run, &e) < 0)
        mien_cli_die(cli, "'%s': %s", model, e.msg);
    struct mien_buf origin = {0};
    if (mien_session_origin(p->session, &origin) < 0)
        mien_cli_die(cli, "out of memory");
    mien_cli_history(p->filter.cli, "%.*s", (int)origin.len, (const char *)origin.data);
    mien_buf_free(&origin);
}

/* Says which records were taken though they weren't made as the model expects. */
static void tell_forced(const struct predict *p)
{
    if (p->forced > 0)
        mien_cli_warn(
            p->filter.cli,
            "warning: %llu records weren't made as the model expects, and are marked with "
            "forced= in their prep",
            (unsigned long long)p->forced);
}

int main(int argc, char **argv)
{
    struct predict p = {.filter.fn = predict, .run.batch = 32};
    const struct mien_option opts[] = {
        MIEN_OPT_FLAG('k', "keep", &p.keep, "keep pixels and features in the records"),
        MIEN_OPT_FUNC(0, "reject", "P[,Q]", &p.reject, parse_reject,
                      "withhold genders of confidence below P and ages below Q, or P without Q "
                      "[0]"),
        MIEN_OPT_FLAG(0, "tta", &p.run.mirror,
                      "average over the pixels and their mirror image; twice as slow"),
        MIEN_OPT_FLAG(0, "int8", &p.run.int8,
                      "compute convolutions in 8-bit integers: faster, almost as accurate"),
        MIEN_OPT_FLAG(0, "bf16", &p.run.bf16,
                      "compute convolutions in bfloat16: faster, needs AVX512_BF16"),
        MIEN_OPT_FLAG(
            0, "raw", &p.run.raw,
            "leave confidences as the network gives them, without the model's temperatures"),
        MIEN_OPT_FLAG(0, "force", &p.run.force,
                      "also predict what wasn't cropped or resized as the model expects"),
        MIEN_OPT_INT('b', "batch", "N", &p.run.batch, 1, MAX_BATCH,
                     "number of records computed together [32]"),
        MIEN_OPT_SIZE(0, "max-memory", "SIZE", &p.run.max_memory, 1, 1e15,
                      "refuse networks that need more in a thread [1G]"),
        MIEN_FILTER_OPTIONS(p.filter),
        MIEN_OPT_ALIAS('t', NULL, "tta"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUSIVE("int8 bf16"),
    };
    struct mien_cli cli = {
        .name = "mien-predict",
        .synopsis = "[options] MODEL < pixels.mien > predictions.mien",
        .purpose = "Predicts the distributions of age and gender of faces.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-predict face.model < faces.mien | mien-view -c id,pred_age,pred_gender\n"
                    "mien-predict --reject 0.9,0.6 agegender.model < test.mien | mien-score",
    };
    p.filter.cli = &cli;
    p.filter.ctx = &p;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_filter_operands(&cli, n, argv, 1, 1, "MODEL");
    start(&p, argv[1]);
    int status = mien_filter_run(&p.filter);
    tell_forced(&p);
    mien_session_close(p.session);
    free(p.out);
    return status;
}
