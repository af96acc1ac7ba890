/* mien-predict: runs a model on pixels or features and adds the distributions of age and gender. */
#include <stdlib.h>

#include "mien/age_head.h"
#include "mien/apply.h"
#include "mien/filter.h"

struct predict {
    struct apply apply;
    struct age_head years;
    int age, gender; /* outputs' positions, or -1 */
    bool keep;
};

static int predict(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    struct predict *p = ctx;
    size_t used[256];
    float *out[2];
    (void)drop;
    int k = apply_run(&p->apply, worker, rec, n, used, out, e);
    for (int i = 0; i < k; i++) {
        struct rec *r = rec[used[i]];
        if (!p->keep) {
            rec_del(r, TAG_PIXELS);
            rec_del(r, TAG_FEATURES);
        }
        if (p->gender >= 0) {
            int classes = p->apply.classes[p->gender];
            float g[2];
            model_gender(out[p->gender] + i * classes, classes, g);
            if (rec_set_f32v(r, TAG_P_GENDER, g, 2) < 0)
                return err_mem(e, sizeof g, "a prediction");
        }
        if (p->age >= 0) {
            int classes = p->apply.classes[p->age];
            float a[MODEL_CLASSES_AGE];
            age_head_distribution(&p->years, out[p->age] + i * classes, a);
            if (rec_set_f32v(r, TAG_P_AGE, a, MODEL_CLASSES_AGE) < 0)
                return err_mem(e, sizeof a, "a prediction");
        }
    }
    return k < 0 ? k : 0;
}

int main(int argc, char **argv)
{
    struct predict p = {.age = -1, .gender = -1};
    struct filter f = {.fn = predict, .ctx = &p};
    int batch = 32;
    struct cli_opt opts[] = {
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
    filter_prepare(&f);
    f.batch = (size_t)batch;

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
