/* mien-predict: runs a model on pixels or features and adds the distributions of age and gender. */
#include <stdlib.h>
#include <string.h>

#include "net/age_head.h"
#include "infer/apply.h"
#include "mien/filter.h"
#include "util/num.h"
#include "record/pred.h"

/* The confidences below which a gender and an age are left unsaid. */
struct reject {
    double gender, age;
};

struct predict {
    struct apply apply;
    struct age_head years;
    int age, gender; /* outputs' positions, or -1 */
    bool keep, raw;
    struct reject reject;
};

/* Sets a distribution and its confidence; below `least` the distribution is left out. */
static int set_prediction(struct rec *r, int tag, const float *p, uint32_t n, int conf_tag,
                          double confidence, double least)
{
    int rc = 0;
    if (confidence < least)
        rec_del(r, tag);
    else
        rc |= rec_set_f32v(r, tag, p, n);
    return rc | rec_set_f32(r, conf_tag, (float)confidence);
}

static int set_gender(const struct predict *p, struct rec *r, const float *out)
{
    const struct model_input *in = &p->apply.input;
    float g[MIEN_GENDERS];
    model_gender(out, p->apply.classes[p->gender], g);
    if (!p->raw && in->temp_gender != 1) {
        g[1] = (float)pred_temper(g[1], in->temp_gender);
        g[0] = 1 - g[1];
    }
    return set_prediction(r, TAG_P_GENDER, g, MIEN_GENDERS, TAG_CONF_GENDER,
                          g[pred_mode(g, MIEN_GENDERS)], p->reject.gender);
}

static int set_age(const struct predict *p, struct rec *r, const float *out)
{
    const struct model_input *in = &p->apply.input;
    float a[MIEN_AGES];
    age_head_distribution(&p->years, out, a);
    double confidence = pred_age_close(a);
    if (!p->raw)
        confidence = pred_temper(confidence, in->temp_age);
    return set_prediction(r, TAG_P_AGE, a, MIEN_AGES, TAG_CONF_AGE, confidence, p->reject.age);
}

static int predict(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    struct predict *p = ctx;
    size_t used[256];
    float *out[2];
    (void)drop;
    int k = apply_run(&p->apply, worker, rec, n, used, out, e), rc = 0;
    for (int i = 0; i < k; i++) {
        struct rec *r = rec[used[i]];
        if (!p->keep) {
            rec_del(r, TAG_PIXELS);
            rec_del(r, TAG_FEATURES);
        }
        if (p->gender >= 0)
            rc |= set_gender(p, r, out[p->gender] + i * p->apply.classes[p->gender]);
        if (p->age >= 0)
            rc |= set_age(p, r, out[p->age] + i * p->apply.classes[p->age]);
    }
    if (rc < 0)
        return err_mem(e, MIEN_AGES * sizeof(float), "a prediction");
    return k < 0 ? k : 0;
}

/* "P", or "P,Q": P for genders and Q for ages. */
static int parse_reject(void *dst, const char *arg, struct err *e)
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
    struct predict p = {.age = -1, .gender = -1};
    struct filter f = {.fn = predict, .ctx = &p};
    int batch = 32;
    struct cli_opt opts[] = {
        {'t', "tta", NULL, "average over the pixels and their mirror image", CLI_FLAG,
         &p.apply.mirror, 0, 0, NULL, NULL},
        {0, "int8", NULL, "convolutions in eight bits: faster, almost as right", CLI_FLAG, &p.apply.int8,
         0, 0, NULL, NULL},
        {0, "reject", "P[,Q]", "leave unsaid what is less sure: a gender P, an age Q [0]", CLI_FUNC,
         &p.reject, 0, 0, NULL, parse_reject},
        {0, "raw", NULL, "confidences as the network has them, without the model's temperatures",
         CLI_FLAG, &p.raw, 0, 0, NULL, NULL},
        {'b', "batch", "N", "records computed together [32]", CLI_INT, &batch, 1, 256, NULL, NULL},
        {'k', "keep", NULL, "keep pixels and features in the records", CLI_FLAG, &p.keep, 0, 0, NULL,
         NULL},
        FILTER_OPTIONS(f),
    };
    struct cli cli = {"mien-predict", "[options] MODEL < pixels.mien > predictions.mien",
                      "Predicts the distributions of age and gender of faces.", opts,
                      CLI_NOPTS(opts), false};
    struct err e;
    f.cli = &cli;
    if (cli_parse(&cli, argc, argv) != 1)
        cli_die(&cli, "needs one model; see mien-predict --help");
    f.batch = (size_t)batch;
    filter_prepare(&f);

    if (apply_load(&p.apply, argv[1], &e) < 0)
        cli_die(&cli, "%s", e.msg);
    if (age_head_of(&p.years, &p.apply.model, &e) < 0)
        cli_die(&cli, "'%s': %s", argv[1], e.msg);
    int out[2], nout = 0, gender = net_find(&p.apply.model.net, "gender"),
        age = net_find(&p.apply.model.net, "age");
    if (gender >= 0) {
        out[nout] = gender;
        p.gender = nout++;
    }
    if (age >= 0) {
        out[nout] = age;
        p.age = nout++;
    }
    if (nout == 0)
        cli_die(&cli, "'%s' has neither a head named gender nor one named age", argv[1]);
    if (apply_start(&p.apply, out, nout, f.jobs, batch, &e) < 0)
        cli_die(&cli, "%s", e.msg);
    int status = filter_run(&f);
    apply_free(&p.apply);
    return status;
}
