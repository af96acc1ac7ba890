/* mien-train: trains age and gender heads, and the layers before them, on packs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fit/fit_log.h"
#include "mien/cli.h"
#include "train/blas.h"
#include "util/file.h"
#include "util/num.h"
#include "util/cores.h"
#include "train_options.h"

enum { EXIT_STOPPED = 3 };

struct options {
    const char *init, *train, *val, *out, *log, *embed;
    struct fit_heads heads;
    bool keep_heads;
    struct fit_config fit;
    int last; /* -1: not given */
};

/* A training, from its packs to its model; also what the callbacks of fit get. */
struct training {
    struct mien_cli *cli;
    struct options o;
    struct mien_pack train, val; /* val: with --val only */
    struct model model;
    struct fit_log *log; /* NULL: none */
    bool log_lost;
    struct mien_progress progress;
    int epoch;  /* under way */
    size_t bad; /* records whose image can't be used */
};

/* --- Options -------------------------------------------------------------------------------- */

/* The number of last layers: a count, or all. */
static int parse_last(void *dst, const char *arg, struct mien_err *e)
{
    long long n = 0;
    int rc = strcmp(arg, "all") == 0 ? 0 : num_int(arg, 1, NET_MAX_LAYERS, &n, e);
    if (rc == 0)
        *(int *)dst = (int)n;
    return rc;
}

static void parse(struct training *t, int argc, char **argv)
{
    struct options *o = &t->o;
    struct fit_config *f = &o->fit;
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Files"),
        MIEN_OPT_STR('t', "train", "PACK", &o->train, "training set"),
        MIEN_OPT_STR('v', "val", "PACK", &o->val, "validation set"),
        MIEN_OPT_STR('i', "init", "MODEL", &o->init, "network to start from"),
        MIEN_OPT_STR('o', "output", "MODEL", &o->out, "where to write the trained model"),
        MIEN_OPT_STR(0, "log", "FILE", &o->log,
                     "write a line of tab-separated values for each epoch"),

        MIEN_OPT_GROUP("Network"),
        MIEN_OPT_FUNC(0, "last", "N|all", &o->last, parse_last,
                      "train the last N layers with weights, or all [the new ones]"),
        MIEN_OPT_STR(0, "heads", "LIST", &o->heads.list, "new heads [gender=2,age=101]"),
        MIEN_OPT_FLAG(0, "keep-heads", &o->keep_heads, "continue training the network's own heads"),
        MIEN_OPT_STR(0, "embed", "LAYER", &o->embed,
                     "layer of the network that new heads read [the network's choice]"),
        MIEN_OPT_INT(0, "hidden", "N", &o->heads.hidden, 0, 65536,
                     "dense layer of N units before the heads [0: none]"),
        MIEN_OPT_REAL(0, "dropout", "F", &o->heads.dropout, 0, 0.99,
                      "drop this share of the heads' inputs [0]"),

        LEARNING_OPTIONS(f),

        MIEN_OPT_GROUP("Running"),
        MIEN_OPT_STR(0, "checkpoint", "FILE", &f->checkpoint,
                     "save the state of the training here"),
        MIEN_OPT_INT(0, "every", "N", &f->every, 1, 100000, "epochs between checkpoints [1]"),
        MIEN_OPT_FLAG(0, "resume", &f->resume, "continue from the checkpoint, if it exists"),
        MIEN_OPT_SIZE(0, "cache-mem", "SIZE", &f->cache_mem, 0, 1e15,
                      "output of frozen layers kept in memory, the rest in a file [8G]"),
        MIEN_OPT_SEED('s', "seed", "N", &f->seed, "seed of all random choices [0]"),
        MIEN_OPT_INT('j', "jobs", "N", &f->jobs, 1, 256, "threads [all cores]"),

        MIEN_OPT_ALIAS('l', NULL, "last"),
        MIEN_OPT_ALIAS('c', NULL, "checkpoint"),
        MIEN_OPT_ALIAS('r', NULL, "resume"),
        MIEN_OPT_ALIAS(0, "optimiser", "optimizer"),
        MIEN_OPT_ALIAS(0, "grey", "gray"),
    };
    struct mien_err e;
    t->cli->opts = opts;
    t->cli->nopts = MIEN_CLI_NOPTS(opts);
    int n = mien_cli_parse(t->cli, argc, argv);
    mien_cli_operands(t->cli, n, argv, 0, 0, NULL);
    t->cli->opts = NULL; /* the table ends with this function */
    t->cli->nopts = 0;
    if (o->train == NULL || o->out == NULL)
        mien_cli_die(t->cli, "needs --train PACK and -o MODEL; see mien-train --help");
    if (fit_check(f, &e) < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    if (f->jobs == 0)
        f->jobs = cores_usable();
    f->precision = (int)train_precision_of((enum train_precision)f->precision);
}

/* --- Before training ------------------------------------------------------------------------ */

static void open_packs(struct training *t)
{
    struct mien_err e;
    if (mien_pack_open(&t->train, t->o.train, &e) < 0 ||
        (t->o.val != NULL && mien_pack_open(&t->val, t->o.val, &e) < 0))
        mien_cli_die(t->cli, "%s", e.msg);
}

/* Dies where an output is an input or another output, or can't be written: better now than after
   hours of training. The model that is started from may be replaced by its successor, which appears
   whole, but not by a log or a checkpoint. */
static void check_outputs(const struct training *t)
{
    const struct options *o = &t->o;
    char init[4096];
    const char *const path[] = {o->train,
                                o->val,
                                o->init != NULL ? model_find(o->init, init, sizeof init) : NULL,
                                o->out,
                                o->fit.checkpoint,
                                o->log};
    enum { INIT = 2, OUT = 3, PATHS = sizeof path / sizeof *path };
    for (int i = OUT; i < PATHS; i++) {
        struct mien_err e;
        for (int k = 0; path[i] != NULL && k < i; k++) {
            if (path[k] != NULL && (k != INIT || i != OUT) && file_same(path[i], path[k]))
                mien_cli_die(t->cli, "'%s' would be overwritten by an output", path[k]);
        }
        if (path[i] != NULL && path[i] != o->log && file_try(path[i], &e) < 0)
            mien_cli_die(t->cli, "%s", e.msg);
    }
}

/* The model to be trained: an old one as it is, or with new heads. */
static void make_model(struct training *t)
{
    struct options *o = &t->o;
    struct mien_err e;
    struct model init = {0};
    int added = 0; /* layers with weights; or those of the heads that are kept */
    if (o->init == NULL && t->train.kind != MIEN_PACK_FEATURES)
        mien_cli_die(t->cli, "pixels need a network to start from: give --init MODEL");
    if (o->keep_heads && o->heads.list != NULL)
        mien_cli_die(t->cli,
                     "--heads makes new heads, --keep-heads keeps the model's: give one of them");
    if (o->keep_heads && (o->heads.hidden > 0 || o->heads.dropout > 0 || o->embed != NULL))
        mien_cli_die(t->cli, "--hidden, --dropout and --embed are for new heads, not --keep-heads");
    if (o->init == NULL && (o->keep_heads || o->embed != NULL))
        mien_cli_die(t->cli, "--%s needs --init MODEL", o->keep_heads ? "keep-heads" : "embed");
    if (o->init == NULL && o->fit.lr_backbone > 0)
        mien_cli_die(t->cli, "--lr-backbone needs --init MODEL, whose layers learn at that rate");
    if (o->init != NULL && model_load(&init, o->init, &e) < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    if (o->keep_heads) {
        t->model = init;
        added = (net_find(&init.net, "gender") >= 0) + (net_find(&init.net, "age") >= 0);
    } else {
        added = fit_new_heads(&t->model, o->init != NULL ? &init : NULL, o->embed, t->train.dim,
                              &t->train.prep, &o->heads, o->fit.seed, &e);
        if (added < 0 || fit_check_labels(&t->model, &t->train, &e) < 0)
            mien_cli_die(t->cli, "%s", e.msg);
        model_free(&init);
    }
    o->fit.last = o->last < 0 ? added : o->last;
}

/* --- While training ------------------------------------------------------------------------- */

/* Set by SIGINT, SIGTERM, SIGHUP and SIGXCPU: the batch under way is finished, a checkpoint written. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    stop = number;
}

static void on_frozen(void *ctx, size_t done, size_t total)
{
    struct training *t = ctx;
    mien_cli_progress(&t->progress, done < total ? done : total, total, 0);
}

static void on_bad(void *ctx, const struct mien_pack *p, size_t k, const struct mien_err *why)
{
    struct training *t = ctx;
    size_t len;
    const char *id = mien_pack_id(p, k, &len);
    mien_cli_progress_end(&t->progress);
    mien_cli_warn(t->cli, "record %zu (%.*s): %s", k + 1, (int)len, id, why->msg);
    t->bad++;
}

static void on_batch(void *ctx, int epoch, size_t done, size_t total, const struct metrics *m)
{
    struct training *t = ctx;
    char *what = t->progress.what;
    const size_t size = sizeof t->progress.what;
    if (epoch != t->epoch) {
        mien_cli_progress_end(&t->progress);
        mien_cli_progress_start(&t->progress, t->cli, "");
        snprintf(t->progress.stage, sizeof t->progress.stage, "epoch %d/%d: ", epoch,
                 t->o.fit.epochs);
        t->epoch = epoch;
    }
    int n = snprintf(what, size, "records, loss %.3f", m->loss);
    if (m->n_gender > 0)
        n += snprintf(what + n, size - (size_t)n, ", gender %.1f%%", 100 * m->gender_accuracy);
    if (m->n_age > 0)
        snprintf(what + n, size - (size_t)n, ", MAE %.2f", m->age_mae);
    mien_cli_progress(&t->progress, done, total, 0);
}

static void print_epoch(const struct training *t, const char *lead, const struct fit_epoch *epoch)
{
    char line[256];
    fit_epoch_line(epoch, t->o.fit.epochs, line, sizeof line);
    mien_cli_note(t->cli, "%s %s", lead, line);
}

/* A log that can't be written is no reason to lose hours of training. */
static void lose_log(struct training *t, const struct mien_err *why)
{
    struct mien_err e;
    mien_cli_warn(t->cli, "%s; training continues without a log", why->msg);
    (void)fit_log_close(t->log, &e);
    t->log = NULL;
    t->log_lost = true;
}

static void on_epoch(void *ctx, const struct fit_epoch *epoch)
{
    struct training *t = ctx;
    struct mien_err e;
    mien_cli_progress_end(&t->progress);
    print_epoch(t, "epoch", epoch);
    if (t->log != NULL && fit_log_write(t->log, epoch, &e) < 0)
        lose_log(t, &e);
}

/* --- After training ------------------------------------------------------------------------- */

static void report_stop(const struct training *t)
{
    const struct fit_config *f = &t->o.fit;
    bool saved = t->epoch > 0 || (f->resume && access(f->checkpoint, F_OK) == 0);
    if (f->checkpoint != NULL && saved)
        mien_cli_warn(t->cli, "stopped by a signal; --resume continues from %s", f->checkpoint);
    else
        mien_cli_warn(t->cli, "stopped by a signal; nothing was saved");
}

static void save_model(struct training *t, const struct fit_epoch *kept)
{
    const struct options *o = &t->o;
    const struct fit_source from = {.init = o->init,
                                    .train = o->train,
                                    .val = o->val,
                                    .records = t->train.n,
                                    .heads = o->keep_heads ? NULL : &o->heads,
                                    .embed = o->embed};
    struct mien_err e;
    free(t->model.made);
    t->model.made = fit_provenance(&o->fit, &from, kept);
    if (t->model.made == NULL)
        mien_cli_die(t->cli, "out of memory for the model's origin");
    if (model_save(&t->model, o->out, &e) < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    print_epoch(t, "kept epoch", kept);
}

/* A choice by one head's figures may keep an epoch in which the other one has learned nothing. */
static void warn_of_weak_head(const struct training *t, const struct fit_epoch *kept)
{
    char weak[120];
    if (t->o.val != NULL && fit_weak_head(kept, &t->val, weak, sizeof weak))
        mien_cli_note(t->cli, "warning: in the kept epoch %s; see --best", weak);
}

/* Whoever compares times or bytes wants to know what ran. */
static void print_kernels(const struct training *t)
{
    struct train_kernels k;
    struct mien_err e;
    char name[TRAIN_KERNELS_TEXT];
    if (train_kernels_choose(&k, (enum train_precision)t->o.fit.precision, &e) < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    train_kernels_name(&k, name);
    mien_cli_note(t->cli, "precision %s, products by %s",
                  t->o.fit.precision == TRAIN_BF16 ? "bf16" : "float", name);
}

/* Returns the program's exit status. */
static int train(struct training *t)
{
    struct fit_config *f = &t->o.fit;
    struct fit_epoch kept;
    struct mien_err e;
    if (t->o.log != NULL && (t->log = fit_log_open(t->o.log, f->resume, &e)) == NULL)
        mien_cli_die(t->cli, "%s", e.msg);
    print_kernels(t);
    f->on_frozen = on_frozen;
    f->on_bad = on_bad;
    f->on_batch = on_batch;
    f->on_epoch = on_epoch;
    f->ctx = t;
    f->stop = &stop;
    mien_cli_on_signal(on_signal);
    mien_cli_progress_start(&t->progress, t->cli, "records");
    snprintf(t->progress.stage, sizeof t->progress.stage, "frozen layers: ");
    int rc = fit(&t->model, &t->train, t->o.val != NULL ? &t->val : NULL, f, &kept, &e);
    mien_cli_progress_end(&t->progress);
    if (rc < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    if (fit_log_close(t->log, &e) < 0) {
        mien_cli_warn(t->cli, "%s", e.msg);
        t->log_lost = true;
    }
    if (rc > 0) {
        report_stop(t);
        return EXIT_STOPPED;
    }
    warn_of_weak_head(t, &kept);
    save_model(t, &kept);
    return t->bad > 0 || t->log_lost ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}

int main(int argc, char **argv)
{
    struct mien_cli cli = {
        .name = "mien-train",
        .synopsis = "[options] --train PACK [--val PACK] [--init MODEL] -o MODEL",
        .purpose = "Trains classifiers of age and gender.",
        .examples = "mien-train --init face.model --train train.pack --val val.pack -o a.model\n"
                    "mien-train --init a.model --keep-heads --last all --optimizer adamw \\\n"
                    "    --lr 0.0002 --train train.pack --val val.pack -o fine.model",
    };
    struct training t = {.cli = &cli, .o = {.last = -1, .fit = fit_defaults()}};

    blas_without_threads(argv);
    t.o.fit.jobs = 0; /* all cores */
    parse(&t, argc, argv);
    open_packs(&t);
    check_outputs(&t);
    make_model(&t);
    int status = train(&t);
    model_free(&t.model);
    mien_pack_close(&t.train);
    if (t.o.val != NULL)
        mien_pack_close(&t.val);
    return status;
}
