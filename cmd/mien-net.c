/* mien-net: shows what a network is made of and what it costs, makes a new model of one, folds a
   model's batch normalization, or averages models. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fit/fit.h"
#include "image/img.h"
#include "input_options.h"
#include "net/average.h"
#include "net/table.h"
#include "tensor/pack_origin.h"
#include "util/file.h"
#include "util/printable.h"

#define MAX_TEXT ((size_t)4 << 20)

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

/* Reads a model, or a description into a model without weights. A model starts with its header's
   length, in eight bytes, and a brace. */
static void load(const struct mien_cli *cli, const char *name, struct model *m)
{
    struct mien_buf text = {0};
    struct mien_err e;
    char head[9] = "", found[4096];
    const char *path = model_find(name, found, sizeof found);
    int fd = file_open(path, &e);
    if (fd < 0)
        mien_cli_die(cli, "%s", e.msg);
    ssize_t n = file_read(fd, head, sizeof head);
    bool described = !(n == sizeof head && head[7] == '\0' && head[8] == '{');
    int rc = n < 0 ? mien_err_sys(&e, "cannot read '%s'", path) : 0;
    if (strncmp(head, "MIEN", 4) == 0)
        mien_cli_die(cli, "'%s' is a stream of records, not a model or description", path);
    if (rc == 0 && described) {
        rc = mien_buf_append(&text, head, (size_t)n);
        if (rc == 0 && (rc = file_slurp(fd, &text, MAX_TEXT, path, &e)) == 0 &&
            (rc = net_parse(&m->net, (const char *)text.data, text.len, &e)) < 0)
            mien_cli_die(cli, "'%s': %s", path, e.msg);
    } else if (rc == 0) {
        rc = model_load(m, path, &e);
    }
    if (rc < 0)
        mien_cli_die(cli, "%s", e.msg);
    mien_buf_free(&text);
    close(fd);
}

static void print(const struct mien_cli *cli, int rc, struct mien_buf *text)
{
    if (rc < 0)
        mien_cli_die(cli, "out of memory");
    fwrite(text->data, 1, text->len, stdout);
    mien_buf_free(text);
}

static void print_memory(const struct mien_cli *cli, const struct net *net, int batch)
{
    struct fit_memory m;
    struct mien_err e;
    char all[NET_BYTES_TEXT], outputs[NET_BYTES_TEXT], work[NET_BYTES_TEXT],
        weights[NET_BYTES_TEXT];
    if (fit_memory(net, batch, &m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    printf("training every layer in batches of %d: %s (outputs %s; their gradients and work space "
           "%s; weights, gradients, moments and best copy %s)\n",
           batch, net_bytes((double)m.outputs + (double)m.work + (double)m.weights, all),
           net_bytes((double)m.outputs, outputs), net_bytes((double)m.work, work),
           net_bytes((double)m.weights, weights));
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

/* Prints the network as --format asks for. Cuts m->made into lines. */
static void show(const struct mien_cli *cli, const struct options *o, struct model *m)
{
    struct mien_buf text = {0};
    if (o->format == FORMAT_TEXT) {
        print(cli, net_print(&m->net, &text), &text);
        return;
    }
    if (o->format == FORMAT_TSV) {
        print(cli, net_table_tsv(&m->net, &text), &text);
        return;
    }
    print(cli, net_table(&m->net, &text), &text);
    if (o->batch > 0)
        print_memory(cli, &m->net, o->batch);
    if (m->prep.text[0] != '\0')
        printf("preprocessing: %s\n", m->prep.text);
    for (char *line = m->made, *next; line != NULL; line = next) {
        size_t n = strcspn(line, "\n");
        next = line[n] != '\0' ? line + n + 1 : NULL;
        printable(line, n + 1, line, n);
        printf("%s%s\n", line == m->made ? "made by: " : "", line);
    }
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
    struct mien_buf made = {0};
    int rc;
    if (m->weights != NULL)
        mien_cli_die(cli, "'%s' is a model already: --new needs a description", path);
    if (m->net.nweights > o->max_memory / sizeof *m->weights) {
        char need[NET_BYTES_TEXT], most[NET_BYTES_TEXT];
        mien_cli_die(cli, "'%s': the weights take %s of memory, more than the limit of %s", path,
                     net_bytes((double)m->net.nweights * sizeof *m->weights, need),
                     net_bytes((double)o->max_memory, most));
    }
    if (input_options_apply(&o->prep, m, &e) < 0 ||
        (m->weights = net_weights_new(&m->net, &e)) == NULL)
        mien_cli_die(cli, "%s", e.msg);
    net_init(&m->net, m->weights, o->seed);
    rc = mien_buf_printf(&made, "mien-net %s --new --seed %llu", MIEN_VERSION,
                         (unsigned long long)o->seed);
    if (o->size.h > 0)
        rc |= mien_buf_printf(&made, " --size %dx%d", o->size.h, o->size.w);
    if (o->width != 1)
        rc |= mien_buf_printf(&made, " --width %g", o->width);
    rc |= mien_buf_printf(&made, " of %s", slash != NULL ? slash + 1 : path) |
          mien_buf_append(&made, "", 1);
    if (rc < 0)
        mien_cli_die(cli, "out of memory");
    m->made = (char *)made.data;
    if (model_save(m, o->out, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
}

static int count_bn(const struct net *net)
{
    int n = 0;
    for (int i = 0; i < net->n; i++)
        n += net->layer[i].type == L_BN;
    return n;
}

/* How a model is told that was made of n others: by what, and of each its digest and history. */
struct told {
    struct mien_buf made, history;
};

static struct told tell(const struct mien_cli *cli, const char *how, const struct model *of, int n)
{
    struct told t = {0};
    int rc = mien_buf_printf(&t.made, "mien-net %s --%s\n", MIEN_VERSION, how);
    for (int i = 0; i < n; i++)
        rc |= mien_buf_printf(&t.history, "of ") | model_origin(&of[i], &t.history);
    rc |= mien_buf_append(&t.made, "", 1) | mien_buf_append(&t.history, "", 1);
    if (rc < 0)
        mien_cli_die(cli, "out of memory");
    return t;
}

/* Writes a model and how it was made, which it then owns. */
static void save(const struct mien_cli *cli, struct model *m, struct told t, const char *path)
{
    struct mien_err e;
    free(m->made);
    free(m->history);
    m->made = (char *)t.made.data;
    m->history = (char *)t.history.data;
    if (model_save(m, path, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
}

/* Writes the model with its batch normalization folded. */
static void fold(const struct mien_cli *cli, const struct options *o, const char *path,
                 struct model *m)
{
    struct model folded = {0};
    struct mien_err e;
    if (m->weights == NULL)
        mien_cli_die(cli, "'%s' is a description: --fold needs a model", path);
    if (model_fold(&folded, m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    save(cli, &folded, tell(cli, "fold", m, 1), o->out);
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
    struct told t = tell(cli, "average", m, n);
    if (model_average(&m[0], m + 1, n - 1, &which, &e) < 0)
        mien_cli_die(cli, "'%s' can't be averaged with '%s': %s", path[which + 1], path[0], e.msg);
    save(cli, &m[0], t, o->out);
    for (int i = 0; i < n; i++)
        model_free(&m[i]);
    free(m);
}

static void check_options(const struct mien_cli *cli, const struct options *o)
{
    const char *writes = o->make ? "new" : o->fold ? "fold" : o->average ? "average" : NULL;
    if (o->make + o->fold + o->average > 1)
        mien_cli_die(cli, "--new, --fold and --average each make a model: give one of them");
    if (writes != NULL && o->out == NULL)
        mien_cli_die(cli, "--%s needs -o MODEL", writes);
    if (o->out != NULL && writes == NULL)
        mien_cli_die(cli, "-o MODEL needs --new, --fold or --average");
    if (o->average && (o->size.h > 0 || o->width != 1))
        mien_cli_die(
            cli, "models can't be given another size or width: --average takes them as they are");
    if (o->batch > 0 && (writes != NULL || o->format != FORMAT_TABLE))
        mien_cli_die(cli, "--batch only adds to the table");
    if (o->history && (writes != NULL || o->batch > 0 || o->format != FORMAT_TABLE))
        mien_cli_die(cli, "--history shows nothing else");
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
                      "F times the units of each layer, in multiples of 8 [1]"),
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
    struct mien_cli cli = {
        .name = "mien-net",
        .synopsis = "[options] MODEL|DESCRIPTION\n"
                    "--average -o MODEL MODEL ...",
        .purpose = "Shows a network's layers and costs, makes a new model, folds its bn layers, or "
                   "averages models.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .examples = "mien-net face.model\n"
                    "mien-net --new --mean 127.5 --scale 0.0078431 -o my.model small-64.net",
    };
    struct model m = {0};
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_operands(&cli, n, argv, 1, o.average ? MAX_AVERAGED : 1, "MODEL or DESCRIPTION");
    check_options(&cli, &o);

    if (o.history) {
        show_history(&cli, argv[1]);
        mien_cli_close_stdout(&cli);
        return MIEN_EXIT_OK;
    }
    if (o.average) {
        average(&cli, &o, argv + 1, n);
        return MIEN_EXIT_OK;
    }
    load(&cli, argv[1], &m);
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
