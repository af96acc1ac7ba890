/* mien-net: shows what a network is made of and what it costs, makes a new model of one, or
   folds a model's batch normalisation. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "util/printable.h"
#include "fit/fit.h"
#include "image/img.h"
#include "input_options.h"

#define MAX_TEXT ((size_t)4 << 20)

struct options {
    const char *out;
    bool make, fold, text, tsv;
    int batch;
    struct mien_size size;
    double width;
    uint64_t seed;
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

/* Bytes in the unit that suits them. */
static const char *size_of(double bytes, char text[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    int k = 0;
    for (; bytes >= 1024 && k < 3; k++)
        bytes /= 1024;
    snprintf(text, 32, "%.*f %s", k > 0 ? 1 : 0, bytes, units[k]);
    return text;
}

static void print_tsv(const struct net *net)
{
    printf("layer\ttype\theight\twidth\tchannels\tparameters\tmultiply_adds\tbytes\n");
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        printf("%s\t%s\t%d\t%d\t%d\t%zu\t%.0f\t%zu\n", l->name, layer_type_name(l->type),
               l->shape.h, l->shape.w, l->shape.c, layer_params(l), layer_madds(net, i),
               shape_count(l->shape) * sizeof(float));
    }
}

static void print_memory(const struct mien_cli *cli, const struct net *net, int batch)
{
    struct fit_memory m;
    struct mien_err e;
    char all[32], outputs[32], work[32], weights[32];
    if (fit_memory(net, batch, &m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    printf("training every layer in batches of %d: %s (outputs %s; their gradients and work space "
           "%s; weights, gradients, moments and best copy %s)\n",
           batch, size_of((double)m.outputs + (double)m.work + (double)m.weights, all),
           size_of((double)m.outputs, outputs), size_of((double)m.work, work),
           size_of((double)m.weights, weights));
}

static void print_table(const struct mien_cli *cli, struct model *m, int batch)
{
    const struct net *net = &m->net;
    double madds = 0, acts = 0, params = 0;
    char a[32], b[32];
    int wide = (int)strlen("layer");
    for (int i = 0; i < net->n; i++) {
        int n = (int)strlen(net->layer[i].name);
        wide = n > wide ? n : wide;
    }
    printf("%-*s  %-8s %14s %12s %15s %11s\n", wide, "layer", "type", "output", "parameters",
           "multiply-adds", "memory");
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        double bytes = (double)shape_count(l->shape) * sizeof(float);
        snprintf(b, sizeof b, "%dx%dx%d", l->shape.h, l->shape.w, l->shape.c);
        printf("%-*s  %-8s %14s %12zu %15.0f %11s\n", wide, l->name, layer_type_name(l->type), b,
               layer_params(l), layer_madds(net, i), size_of(bytes, a));
        madds += layer_madds(net, i);
        acts += bytes;
        params += (double)layer_params(l);
    }
    printf("total: %d layers, %.0f parameters (%s), %.1f million multiply-adds, %s of outputs\n",
           net->n, params, size_of(params * sizeof(float), a), madds / 1e6, size_of(acts, b));
    if (batch > 0)
        print_memory(cli, net, batch);
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
        mien_cli_die(cli, "'%s' is a model: only a description can change its size or width", path);
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

/* Writes the model with its batch normalisation folded. */
static void fold(const struct mien_cli *cli, const struct options *o, const char *path,
                 struct model *m)
{
    struct model folded = {0};
    struct mien_err e;
    if (m->weights == NULL)
        mien_cli_die(cli, "'%s' is a description: --fold needs a model", path);
    if (model_fold(&folded, m, &e) < 0 || model_save(&folded, o->out, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    int before = count_bn(&m->net), after = count_bn(&folded.net);
    mien_cli_note(cli, "folded %d of %d bn layers", before - after, before);
    model_free(&folded);
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .width = 1};
    const struct mien_option opts[] = {
        MIEN_OPT_FLAG('t', "text", &o.text, "print the description"),
        MIEN_OPT_FLAG(0, "tsv", &o.tsv, "print the table as tab-separated values"),
        MIEN_OPT_INT('b', "batch", "N", &o.batch, 1, 65536,
                     "estimate the memory of training in batches of N"),
        MIEN_OPT_FUNC(0, "size", "SIZE", &o.size, mien_size_parse, "another input size, N or HxW"),
        MIEN_OPT_REAL(0, "width", "F", &o.width, 0.001, 100,
                      "so many times the units, in eights [1]"),
        MIEN_OPT_FLAG(0, "fold", &o.fold, "make a model with bn layers folded into those before"),
        MIEN_OPT_FLAG('n', "new", &o.make, "make a model with random weights"),
        MIEN_OPT_STR('o', "output", "MODEL", &o.out, "with --new or --fold: the model to write"),
        MIEN_OPT_SEED('s', "seed", "N", &o.seed, "with --new: of the random weights [1]"),
        INPUT_OPTIONS(o.prep),
    };
    struct mien_cli cli = {
        .name = "mien-net",
        .synopsis = "[options] MODEL|DESCRIPTION",
        .purpose = "Shows a network's layers and costs, makes a new one, or folds its bn layers.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct model m = {0};
    if (mien_cli_parse(&cli, argc, argv) != 1)
        mien_cli_die(&cli, "needs one model or description; see mien-net --help");
    if (o.make + o.fold != (o.out != NULL))
        mien_cli_die(&cli, "--new or --fold, and -o MODEL, go together");
    if (o.batch > 0 && (o.make || o.fold || o.text || o.tsv))
        mien_cli_die(&cli, "--batch adds to the table alone");

    load(&cli, argv[1], &m);
    if (o.size.h > 0 || o.width != 1)
        scale(&cli, &o, argv[1], &m);
    if (o.make)
        make(&cli, &o, argv[1], &m);
    else if (o.fold)
        fold(&cli, &o, argv[1], &m);
    else if (o.text) {
        struct mien_buf text = {0};
        if (net_print(&m.net, &text) < 0)
            mien_cli_die(&cli, "out of memory");
        fwrite(text.data, 1, text.len, stdout);
        mien_buf_free(&text);
    } else if (o.tsv)
        print_tsv(&m.net);
    else
        print_table(&cli, &m, o.batch);
    mien_cli_close_stdout(&cli);
    model_free(&m);
    return MIEN_EXIT_OK;
}
