/* mien-embed: runs a model up to a layer and adds that layer's output as features. */
#include <stdlib.h>

#include "infer/apply.h"
#include "mien/filter.h"

struct embed {
    struct apply apply;
    char name[128]; /* of the features, for the preprocessing */
    bool keep;
};

static int embed(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    struct embed *m = ctx;
    size_t used[256];
    float *out[1];
    (void)drop;
    int k = apply_run(&m->apply, worker, rec, n, used, out, e);
    uint32_t d = (uint32_t)(k < 0 ? 0 : m->apply.classes[0]);
    for (int i = 0; i < k; i++) {
        struct rec *r = rec[used[i]];
        struct prep prep = {""};
        size_t len = 0;
        const char *text = rec_text(r, TAG_PREP, &len);
        if (text != NULL && prep_parse(&prep, text, len, e) < 0)
            return ERR_FORMAT;
        if (prep_set(&prep, "features", "%s", m->name) < 0)
            return err_set(e, ERR_LIMIT, "the preprocessing's description grows too long");
        if (!m->keep)
            rec_del(r, TAG_PIXELS);
        if (rec_set_f32v(r, TAG_FEATURES, out[0] + (size_t)i * d, d) < 0 ||
            rec_set_str(r, TAG_PREP, prep.text) < 0)
            return err_mem(e, d * sizeof(float), "features");
    }
    return k < 0 ? k : 0;
}

int main(int argc, char **argv)
{
    struct embed m = {0};
    struct filter f = {.fn = embed, .ctx = &m};
    int batch = 32;
    const char *name = NULL;
    struct cli_opt opts[] = {
        {'l', "layer", "NAME", "layer to stop at [the model's features]", CLI_STR, &name, 0, 0, NULL,
         NULL},
        {'b', "batch", "N", "records computed together [32]", CLI_INT, &batch, 1, 256, NULL, NULL},
        {'k', "keep", NULL, "keep pixels in the records", CLI_FLAG, &m.keep, 0, 0, NULL, NULL},
        {0, "int8", NULL, "convolutions in eight bits: faster, almost as right", CLI_FLAG, &m.apply.int8,
         0, 0, NULL, NULL},
        FILTER_OPTIONS(f),
    };
    struct cli cli = {"mien-embed", "[options] MODEL < pixels.mien > features.mien",
                      "Turns faces into feature vectors.", opts, CLI_NOPTS(opts), false};
    struct err e;
    f.cli = &cli;
    if (cli_parse(&cli, argc, argv) != 1)
        cli_die(&cli, "needs one model; see mien-embed --help");
    f.batch = (size_t)batch;
    filter_prepare(&f);

    if (apply_load(&m.apply, argv[1], &e) < 0)
        cli_die(&cli, "%s", e.msg);
    int layer = model_features_layer(&m.apply.model, name, &e);
    if (layer < 0)
        cli_die(&cli, "%s", e.msg);
    if (apply_start(&m.apply, &layer, 1, f.jobs, batch, &e) < 0)
        cli_die(&cli, "%s", e.msg);
    model_features_name(&m.apply.model, layer, m.name, sizeof m.name);
    int status = filter_run(&f);
    apply_free(&m.apply);
    return status;
}
