/* mien-train: trains age and gender heads, and the layers before them, on packs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mien/cli.h"
#include "util/file.h"
#include "fit/fit_log.h"
#include "util/num.h"
#include "util/par.h"
#include "train/blas.h"

enum { EXIT_STOPPED = 3 };

struct options {
    const char *init, *train, *val, *out, *log, *embed;
    struct fit_heads heads;
    bool keep_heads;
    struct fit_config fit;
    int last; /* -1: not given */
};

/* What the callbacks share. */
struct report {
    const struct mien_cli *cli;
    const struct options *o;
    struct mien_progress progress;
    int epoch;
    size_t bad; /* records whose image can't be used */
    struct fit_log *log;
};

/* Set by SIGINT and SIGTERM: the batch under way is finished, a checkpoint written. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    stop = number;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND}; /* twice means now */
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

static void on_frozen(void *ctx, size_t done, size_t total)
{
    struct report *r = ctx;
    mien_cli_progress(&r->progress, done < total ? done : total, total, 0);
}

static void on_bad(void *ctx, const struct mien_pack *p, size_t k, const struct mien_err *why)
{
    struct report *r = ctx;
    size_t len;
    const char *id = mien_pack_id(p, k, &len);
    mien_cli_progress_end(&r->progress);
    mien_cli_warn(r->cli, "record %zu (%.*s): %s", k + 1, (int)len, id, why->msg);
    r->bad++;
}

static void on_batch(void *ctx, int epoch, size_t done, size_t total, const struct metrics *m)
{
    struct report *r = ctx;
    char what[120];
    if (epoch != r->epoch) {
        mien_cli_progress_end(&r->progress);
        mien_cli_progress_start(&r->progress, r->cli, "");
        r->epoch = epoch;
    }
    int n = snprintf(what, sizeof what, "records of epoch %d/%d, loss %.3f", epoch, r->o->fit.epochs,
                     m->loss);
    if (m->n_gender > 0)
        n += snprintf(what + n, sizeof what - (size_t)n, ", gender %.1f%%", 100 * m->gender_accuracy);
    if (m->n_age > 0)
        snprintf(what + n, sizeof what - (size_t)n, ", MAE %.2f", m->age_mae);
    r->progress.what = what;
    mien_cli_progress(&r->progress, done, total, 0);
}

static void say_epoch(const struct mien_cli *c, const char *lead, const struct fit_epoch *e, int epochs)
{
    char line[256];
    fit_epoch_line(e, epochs, line, sizeof line);
    mien_cli_note(c, "%s %s", lead, line);
}

static void on_epoch(void *ctx, const struct fit_epoch *epoch)
{
    struct report *r = ctx;
    struct mien_err e;
    mien_cli_progress_end(&r->progress);
    say_epoch(r->cli, "epoch", epoch, r->o->fit.epochs);
    if (r->log != NULL && fit_log_write(r->log, epoch, &e) < 0)
        mien_cli_die(r->cli, "%s", e.msg);
}

/* The model to be trained: an old one as it is, or with new heads. */
static void make_model(const struct mien_cli *c, struct options *o, const struct mien_pack *train,
                       struct model *m)
{
    struct mien_err e;
    struct model init = {0};
    int added = 0; /* layers with weights; or those of the heads that are kept */
    if (o->init == NULL && train->kind != MIEN_PACK_FEATURES)
        mien_cli_die(c, "pixels need a network to start from: give --init MODEL");
    if (o->keep_heads && o->heads.list != NULL)
        mien_cli_die(c, "--heads makes new heads, --keep-heads keeps the model's: give one of them");
    if (o->init == NULL && (o->keep_heads || o->embed != NULL))
        mien_cli_die(c, "--%s needs --init MODEL", o->keep_heads ? "keep-heads" : "embed");
    if (o->init == NULL && o->fit.lr_backbone > 0)
        mien_cli_die(c, "--lr-backbone needs --init MODEL, whose layers learn at that rate");
    if (o->init != NULL && model_load(&init, o->init, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    if (o->keep_heads) {
        *m = init;
        added = (net_find(&m->net, "gender") >= 0) + (net_find(&m->net, "age") >= 0);
    } else {
        added = fit_new_heads(m, o->init != NULL ? &init : NULL, o->embed, train->dim, &train->prep,
                              &o->heads, o->fit.seed, &e);
        if (added < 0 || fit_check_labels(m, train, &e) < 0)
            mien_cli_die(c, "%s", e.msg);
        model_free(&init);
    }
    o->fit.last = o->last < 0 ? added : o->last;
}

/* Dies where an output is a pack or another output, or can't be written: better now than after hours
   of training. */
static void check_outputs(const struct mien_cli *c, const struct options *o)
{
    const char *const path[] = {o->train, o->val, o->out, o->fit.checkpoint, o->log};
    enum { OUTPUTS = 2, PATHS = sizeof path / sizeof *path };
    for (int i = OUTPUTS; i < PATHS; i++) {
        struct mien_err e;
        for (int k = 0; path[i] != NULL && k < i; k++) {
            if (path[k] != NULL && file_same(path[i], path[k]))
                mien_cli_die(c, "'%s' would be overwritten by an output", path[k]);
        }
        if (path[i] != NULL && path[i] != o->log && file_try(path[i], &e) < 0)
            mien_cli_die(c, "%s", e.msg);
    }
}

/* The number of last layers: a count, or all. */
static int parse_last(void *dst, const char *arg, struct mien_err *e)
{
    long long n = 0;
    int rc = strcmp(arg, "all") == 0 ? 0 : num_int(arg, 1, NET_MAX_LAYERS, &n, e);
    if (rc == 0)
        *(int *)dst = (int)n;
    return rc;
}

/* Rows for a program's table of options. a is a struct augment. */
#define AUGMENT_OPTIONS(a)                                                                         \
    {0, "flip", NULL, "mirror half of the images", MIEN_CLI_FLAG, &(a).flip, 0, 0, NULL, NULL},         \
        {0, "shift", "F", "move images by up to this share of their sides [0]", MIEN_CLI_REAL,          \
         &(a).shift, 0, 0.5, NULL, NULL},                                                          \
        {0, "zoom", "F", "enlarge or reduce them by up to a factor of 1 + F [0]", MIEN_CLI_REAL,        \
         &(a).zoom, 0, 1, NULL, NULL},                                                             \
        {0, "rotate", "DEG", "turn them by up to DEG degrees [0]", MIEN_CLI_REAL, &(a).rotate, 0, 180,  \
         NULL, NULL},                                                                              \
        {0, "brightness", "F", "change their brightness by up to this share [0]", MIEN_CLI_REAL,        \
         &(a).brightness, 0, 1, NULL, NULL},                                                       \
        {0, "contrast", "F", "change their contrast by up to this share [0]", MIEN_CLI_REAL,            \
         &(a).contrast, 0, 1, NULL, NULL},                                                         \
        {0, "saturation", "F", "change their colours by up to this share [0]", MIEN_CLI_REAL,           \
         &(a).saturation, 0, 1, NULL, NULL},                                                       \
        {0, "grey", "P", "take the colours from this share of them [0]", MIEN_CLI_REAL, &(a).grey, 0,   \
         1, NULL, NULL},                                                                           \
    {                                                                                              \
        0, "erase", "P", "fill a rectangle with noise in this share of them [0]", MIEN_CLI_REAL,        \
            &(a).erase, 0, 1, NULL, NULL                                                           \
    }

#define TEXT(letter, name, arg, help, dst) {letter, name, arg, help, MIEN_CLI_STR, dst, 0, 0, NULL, NULL}
#define WHOLE(letter, name, help, dst, lo, hi)                                                     \
    {letter, name, "N", help, MIEN_CLI_INT, dst, lo, hi, NULL, NULL}
#define REAL(name, help, dst, lo, hi) {0, name, "F", help, MIEN_CLI_REAL, dst, lo, hi, NULL, NULL}
#define WORD(name, words, help, dst) {0, name, words, help, MIEN_CLI_CHOICE, dst, 0, 0, words, NULL}

int main(int argc, char **argv)
{
    blas_without_threads(argv);
    struct options o = {.last = -1, .fit = fit_defaults()};
    struct fit_config *f = &o.fit;
    f->jobs = 0;
    struct mien_option opts[] = {
        TEXT('t', "train", "PACK", "the training part", &o.train),
        TEXT('v', "val", "PACK", "the validation part", &o.val),
        TEXT('o', "output", "MODEL", "where the trained model goes", &o.out),
        TEXT('i', "init", "MODEL", "network to start from", &o.init),
        TEXT(0, "embed", "LAYER", "layer of it that the heads read [its own choice]", &o.embed),
        {0, "keep-heads", NULL, "go on training the heads that it has", MIEN_CLI_FLAG, &o.keep_heads, 0, 0,
         NULL, NULL},
        {'l', "last", "N|all", "train the last N layers with weights [the new ones]", MIEN_CLI_FUNC,
         &o.last, 0, 0, NULL, parse_last},
        TEXT(0, "heads", "LIST", "new heads [gender=2,age=101]", &o.heads.list),
        WHOLE(0, "hidden", "a dense layer of N units before the heads [0: none]", &o.heads.hidden, 0, 65536),
        REAL("dropout", "drop this share before the heads [0]", &o.heads.dropout, 0, 0.99),
        WHOLE('e', "epochs", "passes over the training part [10]", &f->epochs, 1, 100000),
        WHOLE('b', "batch", "records a step [32]", &f->batch, 1, FIT_MAX_BATCH),
        WORD("optimiser", "adam|adamw|sgd", "[adam]", &f->optim.kind),
        REAL("lr", "learning rate [0.001]", &f->lr, 1e-12, 1000),
        REAL("lr-backbone", "learning rate of what was pretrained [--lr]", &f->lr_backbone, 0, 1000),
        REAL("layer-decay", "share of the next layer's rate that a layer has [1]", &f->layer_decay, 0.01, 1),
        REAL("beta1", "Adam's decay of the first moment [0.9]", &f->optim.beta1, 0, 0.999999),
        REAL("beta2", "Adam's decay of the second moment [0.999]", &f->optim.beta2, 0, 0.999999999),
        REAL("epsilon", "Adam's epsilon [1e-7]", &f->optim.epsilon, 1e-15, 1),
        REAL("momentum", "of SGD [0.9]", &f->optim.momentum, 0, 0.999999),
        REAL("decay", "weight decay [0]", &f->decay, 0, 1000),
        REAL("clip", "cut the gradient's norm to this [0: not]", &f->clip, 0, 1e9),
        REAL("ema", "average weights over steps, with this decay [0: not]", &f->ema, 0, 0.999999),
        WORD("schedule", "constant|step|cosine|plateau", "of the learning rate [constant]", &f->schedule.kind),
        REAL("warmup", "epochs over which the rate grows from 0 [0]", &f->schedule.warmup, 0, 100000),
        WHOLE(0, "step-epochs", "epochs between drops, or without gain [5]", &f->schedule.step_epochs, 1, 100000),
        REAL("drop", "what the rate is multiplied by then [0.1]", &f->schedule.drop, 0, 1),
        WHOLE(0, "patience", "stop after N epochs without gain [0: never]", &f->patience, 0, 100000),
        REAL("sigma", "ages are Gaussians of this deviation, in years [0]", &f->loss.sigma, 0, 50),
        REAL("l1", "weight of the expected age's absolute error [0]", &f->loss.l1, 0, 1000),
        REAL("smoothing", "share of a label spread over all classes [0]", &f->loss.smoothing, 0, 0.99),
        AUGMENT_OPTIONS(f->augment),
        WHOLE(0, "views", "changes of an image kept before frozen layers [4]", &f->views, 1, 1000),
        REAL("mixup", "alpha of mixing records [0: not]", &f->mixup, 0, 100),
        {0, "in-order", NULL, "take the records in the pack's order, not shuffled", MIEN_CLI_FLAG,
         &f->in_order, 0, 0, NULL, NULL},
        REAL("balance", "sample by (1/frequency)^F of age and gender [0]", &f->balance, 0, 1),
        REAL("class-weights", "weigh losses by (1/frequency)^F [0]", &f->class_weights, 0, 1),
        WORD("best", "mae|loss|gender|last", "by what the best epoch is kept [mae]", &f->best),
        {0, "cache-mem", "SIZE", "frozen output kept in memory, more in a file [8G]", MIEN_CLI_SIZE,
         &f->cache_mem, 0, 1e15, NULL, NULL},
        TEXT('c', "checkpoint", "FILE", "where to keep what a training can go on from", &f->checkpoint),
        WHOLE(0, "every", "epochs between checkpoints [1]", &f->every, 1, 100000),
        {'r', "resume", NULL, "go on from the checkpoint, if there is one", MIEN_CLI_FLAG, &f->resume, 0, 0,
         NULL, NULL},
        TEXT(0, "log", "FILE", "a line of tab-separated values for each epoch", &o.log),
        {'s', "seed", "N", "of weights, order, dropout and mixing [0]", MIEN_CLI_SEED, &f->seed, 0, 0, NULL, NULL},
        WHOLE('j', "jobs", "threads [all cores]", &f->jobs, 1, 256),
    };
    struct mien_cli cli = {"mien-train", "[options] --train PACK [--val PACK] [--init MODEL] -o MODEL",
                      "Trains classifiers of age and gender.", opts, MIEN_CLI_NOPTS(opts), false};
    struct mien_err e;
    struct mien_pack train, val;
    struct model model = {0};
    struct fit_epoch kept;
    if (mien_cli_parse(&cli, argc, argv) > 0)
        mien_cli_die(&cli, "unexpected argument '%s'; see mien-train --help", argv[1]);
    if (o.train == NULL || o.out == NULL)
        mien_cli_die(&cli, "needs --train PACK and -o MODEL; see mien-train --help");
    if (fit_check(f, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (f->jobs == 0)
        f->jobs = par_cores();

    if (mien_pack_open(&train, o.train, &e) < 0 || (o.val != NULL && mien_pack_open(&val, o.val, &e) < 0))
        mien_cli_die(&cli, "%s", e.msg);
    check_outputs(&cli, &o);
    make_model(&cli, &o, &train, &model);
    struct report report = {.cli = &cli, .o = &o};
    if (o.log != NULL && (report.log = fit_log_open(o.log, f->resume, &e)) == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    f->on_frozen = on_frozen;
    f->on_bad = on_bad;
    f->on_batch = on_batch;
    f->on_epoch = on_epoch;
    f->ctx = &report;
    f->stop = &stop;
    catch_signals();
    mien_cli_progress_start(&report.progress, &cli, "records frozen");
    int rc = fit(&model, &train, o.val != NULL ? &val : NULL, f, &kept, &e);
    mien_cli_progress_end(&report.progress);
    if (rc < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (fit_log_close(report.log, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (rc > 0) {
        bool saved = report.epoch > 0 || (f->resume && access(f->checkpoint, F_OK) == 0);
        bool goes_on = f->checkpoint != NULL && saved;
        mien_cli_warn(&cli, "stopped by a signal; %s%s",
                 goes_on ? "--resume goes on from " : "nothing is kept",
                 goes_on ? f->checkpoint : "");
    } else {
        free(model.made);
        model.made = fit_provenance(f, o.init, o.train, train.n, o.val, &kept);
        if (model_save(&model, o.out, &e) < 0)
            mien_cli_die(&cli, "%s", e.msg);
        say_epoch(&cli, "kept epoch", &kept, f->epochs);
    }
    model_free(&model);
    mien_pack_close(&train);
    if (o.val != NULL)
        mien_pack_close(&val);
    return rc > 0 ? EXIT_STOPPED : report.bad > 0 ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}
