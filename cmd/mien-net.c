/* mien-net: shows what a network is made of and what it costs, makes a new model of one, folds a
   model's batch normalization, or averages models. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit/fit.h"
#include "image/img.h"
#include "input_options.h"
#include "net/average.h"
#include "net/made.h"
#include "net/table.h"
#include "tensor/pack_origin.h"

enum { MAX_AVERAGED = 1000 };
enum { FORMAT_TABLE, FORMAT_TSV, FORMAT_TEXT };

struct options {
    const char *out;
    bool make, fold, average, history;
    int format, batch;
    struct mien_size size;
    double width;
    uint64_t seed;
    size_t max_memory;
    struct input_options prep;
};

static void print(const struct mien_cli *cli, int rc, struct mien_buf *text)
{
    if (rc < 0)
        mien_cli_die(cli, "out of memory");
    fwrite(text->data, 1, text->len, stdout);
    mien_buf_free(text);
}

/* Prints where a model or a pack comes from. */
static void show_history(const struct mien_cli *cli, const char *name)
{
    struct mien_buf text = {0};
    struct mien_pack p;
    struct model m = {0};
    struct mien_err e;
    int rc;
    if (mien_pack_open(&p, name, &e) == 0) {
        rc = pack_origin(&p, &text);
        mien_pack_close(&p);
    } else {
        if (model_load(&m, name, &e) < 0)
            mien_cli_die(cli, "%s", e.msg);
        rc = model_origin(&m, &text);
        model_free(&m);
    }
    print(cli, rc, &text);
}

/* Prints the network as --format asks for. */
static void show(const struct mien_cli *cli, const struct options *o, const struct model *m)
{
    struct mien_buf text = {0};
    struct fit_memory memory;
    struct mien_err e;
    int rc;
    if (o->format == FORMAT_TEXT)
        rc = net_print(&m->net, &text);
    else if (o->format == FORMAT_TSV)
        rc = net_table_tsv(&m->net, &text);
    else
        rc = net_table(&m->net, &text);
    if (o->batch > 0) {
        if (fit_memory(&m->net, o->batch, &memory, &e) < 0)
            mien_cli_die(cli, "%s", e.msg);
        rc |= fit_memory_print(&memory, o->batch, &text);
    }
    if (o->format == FORMAT_TABLE)
        rc |= model_about(m, &text);
    print(cli, rc, &text);
}

/* Gives the network another input size and width. */
static void scale(const struct mien_cli *cli, const struct options *o, const char *path,
                  struct model *m)
{
    struct net net = {0};
    struct mien_err e;
    if (m->weights != NULL)
        mien_cli_die(cli, "'%s' is a model: only a description can be given another size or width",
                     path);
    if (net_scale(&net, &m->net, o->size.h, o->size.w, o->width, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    net_free(&m->net);
    m->net = net;
}

/* Writes a model of the description with random weights. */
static void make(const struct mien_cli *cli, const struct options *o, const char *path,
                 struct model *m)
{
    struct mien_err e;
    const char *slash = strrchr(path, '/');
    struct mien_buf how = {0};
    int rc;
    if (m->weights != NULL)
        mien_cli_die(cli, "'%s' is a model already: --new needs a description", path);
    if (input_options_apply(&o->prep, m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    if (model_init(m, o->seed, o->max_memory, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    rc = mien_buf_printf(&how, "mien-net %s --new --seed %llu", MIEN_VERSION,
                         (unsigned long long)o->seed);
    if (o->size.h > 0)
        rc |= mien_buf_printf(&how, " --size %dx%d", o->size.h, o->size.w);
    if (o->width != 1)
        rc |= mien_buf_printf(&how, " --width %g", o->width);
    rc |= mien_buf_printf(&how, " of %s", slash != NULL ? slash + 1 : path) |
          mien_buf_append(&how, "", 1);
    if (rc < 0)
        mien_cli_die(cli, "out of memory");
    if (model_tell(m, (const char *)how.data, NULL, 0, &e) < 0 || model_save(m, o->out, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    mien_buf_free(&how);
}

static int count_bn(const struct net *net)
{
    int n = 0;
    for (int i = 0; i < net->n; i++)
        n += net->layer[i].type == L_BN;
    return n;
}

/* Writes the model with its batch normalization folded. */
static void fold(const struct mien_cli *cli, const struct options *o, const char *path,
                 struct model *m)
{
    struct model folded = {0};
    struct mien_err e;
    if (m->weights == NULL)
        mien_cli_die(cli, "'%s' is a description: --fold needs a model", path);
    if (model_fold(&folded, m, &e) < 0 ||
        model_tell(&folded, "mien-net " MIEN_VERSION " --fold\n", m, 1, &e) < 0 ||
        model_save(&folded, o->out, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    int before = count_bn(&m->net), after = count_bn(&folded.net);
    mien_cli_note(cli, "folded %d of %d bn layers", before - after, before);
    model_free(&folded);
}

/* Writes the mean of n models. */
static void average(const struct mien_cli *cli, const struct options *o, char **path, int n)
{
    struct model *m = calloc((size_t)n, sizeof *m);
    struct mien_err e;
    int which = 0;
    if (m == NULL)
        mien_cli_die(cli, "out of memory");
    for (int i = 0; i < n; i++) {
        if (model_load(&m[i], path[i], &e) < 0)
            mien_cli_die(cli, "%s", e.msg);
    }
    if (model_tell(&m[0], "mien-net " MIEN_VERSION " --average\n", m, n, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    if (model_average(&m[0], m + 1, n - 1, &which, &e) < 0)
        mien_cli_die(cli, "'%s' can't be averaged with '%s': %s", path[which + 1], path[0], e.msg);
    if (model_save(&m[0], o->out, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    for (int i = 0; i < n; i++)
        model_free(&m[i]);
    free(m);
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .width = 1, .max_memory = (size_t)4 << 30};
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Showing"),
        MIEN_OPT_CHOICE('f', "format", "FORMAT", &o.format, "table|tsv|text",
                        "table; tsv, for programs; or text, the network's description [table]"),
        MIEN_OPT_INT('b', "batch", "N", &o.batch, 1, 65536,
                     "add the memory that training in batches of N needs"),
        MIEN_OPT_FLAG(0, "history", &o.history,
                      "show how a model or a pack was made, and what it was made of"),
        MIEN_OPT_GROUP("Changing a description"),
        MIEN_OPT_FUNC(0, "size", "SIZE", &o.size, mien_size_parse, "another input size, N or HxW"),
        MIEN_OPT_REAL(0, "width", "F", &o.width, 0.001, 100,
                      "multiply the units of each layer by F, in multiples of 8 [1]"),
        MIEN_OPT_GROUP("Making a model"),
        MIEN_OPT_FLAG(0, "new", &o.make, "make a model with random weights"),
        MIEN_OPT_FLAG(0, "fold", &o.fold, "fold a model's bn layers into the layers before them"),
        MIEN_OPT_FLAG(0, "average", &o.average, "average the weights of models of one network"),
        MIEN_OPT_STR('o', "output", "MODEL", &o.out, "write the model to this file"),
        MIEN_OPT_SEED('s', "seed", "N", &o.seed, "with --new: seed of the random weights [1]"),
        MIEN_OPT_SIZE(0, "max-memory", "SIZE", &o.max_memory, 1, 1e15,
                      "with --new: refuse larger models [4G]"),
        MIEN_OPT_GROUP("Input and output of a new model"),
        INPUT_OPTIONS(o.prep),
        MIEN_OPT_GROUP("Other"),
        MIEN_OPT_ALIAS('t', "text", "format=text"),
        MIEN_OPT_ALIAS(0, "tsv", "format=tsv"),
        MIEN_OPT_ALIAS('n', NULL, "new"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUSIVE("new fold average batch history"),
        MIEN_RULE_EXCLUDES("batch history", "format=tsv format=text"),
        MIEN_RULE_EXCLUDES("average", "size width"),
        MIEN_RULE_NEEDS("new fold average", "output"),
        MIEN_RULE_NEEDS("output", "new fold average"),
    };
    struct mien_cli cli = {
        .name = "mien-net",
        .synopsis = "[options] MODEL|DESCRIPTION\n"
                    "--average -o MODEL MODEL ...",
        .purpose = "Shows a network's layers and costs, makes a new model, folds its bn layers, or "
                   "averages models.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .examples = "mien-net face.model\n"
                    "mien-net --new --mean 127.5 --scale 0.0078431 -o my.model small-64.net",
    };
    struct model m = {0};
    struct mien_err e;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_operands(&cli, n, argv, 1, o.average ? MAX_AVERAGED : 1, "MODEL or DESCRIPTION");

    if (o.history) {
        show_history(&cli, argv[1]);
        mien_cli_close_stdout(&cli);
        return MIEN_EXIT_OK;
    }
    if (o.average) {
        average(&cli, &o, argv + 1, n);
        return MIEN_EXIT_OK;
    }
    if (model_or_description(&m, argv[1], &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (o.size.h > 0 || o.width != 1)
        scale(&cli, &o, argv[1], &m);
    if (o.make)
        make(&cli, &o, argv[1], &m);
    else if (o.fold)
        fold(&cli, &o, argv[1], &m);
    else
        show(&cli, &o, &m);
    mien_cli_close_stdout(&cli);
    model_free(&m);
    return MIEN_EXIT_OK;
}
