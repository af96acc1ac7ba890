/* mien-embed: runs a model up to a layer and adds that layer's output as features. */
#include "mien/filter.h"
#include "mien/session.h"
#include "util/num.h"

enum { MAX_BATCH = 256 };

struct embed {
    struct mien_session *session;
    bool keep;
};

/* Gives a record its features, and their name to its preprocessing. */
static int store(const struct embed *m, struct mien_rec *r, const float *features,
                 struct mien_err *e)
{
    struct mien_prep prep;
    uint32_t n = (uint32_t)mien_session_outputs(m->session);
    if (!num_finite(features, n)) {
        mien_rec_fail(r, "the network's output is not a number");
        return 0;
    }
    if (mien_rec_get_prep(r, &prep, e) < 0)
        return MIEN_ERR_FORMAT;
    if (mien_prep_set(&prep, "features", "%s", mien_session_output_name(m->session)) < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the description of the preprocessing is too long");
    if (!m->keep)
        mien_rec_del(r, MIEN_TAG_PIXELS);
    if (mien_rec_set_f32v(r, MIEN_TAG_FEATURES, features, n) < 0 || mien_rec_set_prep(r, &prep) < 0)
        return mien_err_mem(e, n * sizeof(float), "features");
    return 0;
}

static int embed(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                 struct mien_err *e)
{
    struct embed *m = ctx;
    size_t used[MAX_BATCH];
    const void *in[MAX_BATCH];
    const float *out;
    (void)drop;
    int k = mien_session_records(m->session, rec, n, used, in, e);
    int rc = k < 0 ? k : mien_session_embed(m->session, worker, in, k, &out, e);
    for (int i = 0; rc == 0 && i < k; i++)
        rc = store(m, rec[used[i]], out + (size_t)i * mien_session_outputs(m->session), e);
    return rc;
}

int main(int argc, char **argv)
{
    struct embed m = {0};
    struct mien_session_options o = {.batch = 32};
    struct mien_filter f = {.fn = embed, .ctx = &m};
    const char *layer = NULL;
    const struct mien_option opts[] = {
        MIEN_OPT_STR(0, "layer", "NAME", &layer,
                     "take the output of this layer [the model's features]"),
        MIEN_OPT_INT('b', "batch", "N", &o.batch, 1, MAX_BATCH, "compute N records at a time [32]"),
        MIEN_OPT_FLAG('k', "keep", &m.keep, "keep the pixels in the records"),
        MIEN_OPT_FLAG(0, "int8", &o.int8,
                      "compute convolutions in 8 bits: faster, slightly less exact"),
        MIEN_OPT_FLAG(0, "bf16", &o.bf16,
                      "compute convolutions in bfloat16: faster, needs AVX512_BF16"),
        MIEN_OPT_SIZE(0, "max-memory", "SIZE", &o.max_memory, 1, 1e15,
                      "refuse networks that need more in a thread [1G]"),
        MIEN_FILTER_OPTIONS(f),
        MIEN_OPT_ALIAS('l', NULL, "layer"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUSIVE("int8 bf16"),
    };
    struct mien_cli cli = {
        .name = "mien-embed",
        .synopsis = "[options] MODEL < pixels.mien > features.mien",
        .purpose = "Turns faces into feature vectors.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-embed face.model < train.mien | mien-pack -o train.pack",
    };
    struct mien_err e;
    f.cli = &cli;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_filter_operands(&cli, n, argv, 1, 1, "MODEL");
    f.batch = (size_t)o.batch;
    mien_filter_prepare(&f);
    o.jobs = f.jobs;

    if ((m.session = mien_session_open(argv[1], &e)) == NULL ||
        (layer == NULL && (layer = mien_session_features_layer(m.session, &e)) == NULL) ||
        mien_session_start(m.session, layer, &o, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    struct mien_buf origin = {0};
    if (mien_session_origin(m.session, &origin) < 0)
        mien_cli_die(&cli, "out of memory");
    mien_cli_history(&cli, "%.*s", (int)origin.len, (const char *)origin.data);
    mien_buf_free(&origin);
    int status = mien_filter_run(&f);
    mien_session_close(m.session);
    return status;
}
