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
    char *what = r->progress.what;
    const size_t size = sizeof r->progress.what;
    if (epoch != r->epoch) {
        mien_cli_progress_end(&r->progress);
        mien_cli_progress_start(&r->progress, r->cli, "");
        r->epoch = epoch;
    }
    int n =
        snprintf(what, size, "records of epoch %d/%d, loss %.3f", epoch, r->o->fit.epochs, m->loss);
    if (m->n_gender > 0)
        n += snprintf(what + n, size - (size_t)n, ", gender %.1f%%", 100 * m->gender_accuracy);
    if (m->n_age > 0)
        snprintf(what + n, size - (size_t)n, ", MAE %.2f", m->age_mae);
    mien_cli_progress(&r->progress, done, total, 0);
}

static void say_epoch(const struct mien_cli *c, const char *lead, const struct fit_epoch *e,
                      int epochs)
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
        mien_cli_die(c,
                     "--heads makes new heads, --keep-heads keeps the model's: give one of them");
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

/* Dies where an output is a pack or another output, or can't be written: better now than after
   hours of training. */
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
    MIEN_OPT_FLAG(0, "flip", &(a).flip, "mirror half of the images"),                              \
        MIEN_OPT_REAL(0, "shift", "F", &(a).shift, 0, 0.5,                                         \
                      "move images by up to this share of their sides [0]"),                       \
        MIEN_OPT_REAL(0, "zoom", "F", &(a).zoom, 0, 1,                                             \
                      "enlarge or reduce them by up to a factor of 1 + F [0]"),                    \
        MIEN_OPT_REAL(0, "rotate", "DEG", &(a).rotate, 0, 180,                                     \
                      "turn them by up to DEG degrees [0]"),                                       \
        MIEN_OPT_REAL(0, "brightness", "F", &(a).brightness, 0, 1,                                 \
                      "change their brightness by up to this share [0]"),                          \
        MIEN_OPT_REAL(0, "contrast", "F", &(a).contrast, 0, 1,                                     \
                      "change their contrast by up to this share [0]"),                            \
        MIEN_OPT_REAL(0, "saturation", "F", &(a).saturation, 0, 1,                                 \
                      "change their colours by up to this share [0]"),                             \
        MIEN_OPT_REAL(0, "grey", "P", &(a).grey, 0, 1,                                             \
                      "take the colours from this share of them [0]"),                             \
        MIEN_OPT_REAL(0, "erase", "P", &(a).erase, 0, 1,                                           \
                      "fill a rectangle with noise in this share of them [0]")

int main(int argc, char **argv)
{
    blas_without_threads(argv);
    struct options o = {.last = -1, .fit = fit_defaults()};
    struct fit_config *f = &o.fit;
    f->jobs = 0;
    struct mien_option opts[] = {
        MIEN_OPT_STR('t', "train", "PACK", &o.train, "the training part"),
        MIEN_OPT_STR('v', "val", "PACK", &o.val, "the validation part"),
        MIEN_OPT_STR('o', "output", "MODEL", &o.out, "where the trained model goes"),
        MIEN_OPT_STR('i', "init", "MODEL", &o.init, "network to start from"),
        MIEN_OPT_STR(0, "embed", "LAYER", &o.embed,
                     "layer of it that the heads read [its own choice]"),
        MIEN_OPT_FLAG(0, "keep-heads", &o.keep_heads, "go on training the heads that it has"),
        MIEN_OPT_FUNC('l', "last", "N|all", &o.last, parse_last,
                      "train the last N layers with weights [the new ones]"),
        MIEN_OPT_STR(0, "heads", "LIST", &o.heads.list, "new heads [gender=2,age=101]"),
        MIEN_OPT_INT(0, "hidden", "N", &o.heads.hidden, 0, 65536,
                     "a dense layer of N units before the heads [0: none]"),
        MIEN_OPT_REAL(0, "dropout", "F", &o.heads.dropout, 0, 0.99,
                      "drop this share before the heads [0]"),
        MIEN_OPT_INT('e', "epochs", "N", &f->epochs, 1, 100000,
                     "passes over the training part [10]"),
        MIEN_OPT_INT('b', "batch", "N", &f->batch, 1, FIT_MAX_BATCH, "records a step [32]"),
        MIEN_OPT_CHOICE(0, "optimiser", "adam|adamw|sgd", &f->optim.kind, "adam|adamw|sgd",
                        "[adam]"),
        MIEN_OPT_REAL(0, "lr", "F", &f->lr, 1e-12, 1000, "learning rate [0.001]"),
        MIEN_OPT_REAL(0, "lr-backbone", "F", &f->lr_backbone, 0, 1000,
                      "learning rate of what was pretrained [--lr]"),
        MIEN_OPT_REAL(0, "layer-decay", "F", &f->layer_decay, 0.01, 1,
                      "share of the next layer's rate that a layer has [1]"),
        MIEN_OPT_REAL(0, "beta1", "F", &f->optim.beta1, 0, 0.999999,
                      "Adam's decay of the first moment [0.9]"),
        MIEN_OPT_REAL(0, "beta2", "F", &f->optim.beta2, 0, 0.999999999,
                      "Adam's decay of the second moment [0.999]"),
        MIEN_OPT_REAL(0, "epsilon", "F", &f->optim.epsilon, 1e-15, 1, "Adam's epsilon [1e-7]"),
        MIEN_OPT_REAL(0, "momentum", "F", &f->optim.momentum, 0, 0.999999, "of SGD [0.9]"),
        MIEN_OPT_REAL(0, "decay", "F", &f->decay, 0, 1000, "weight decay [0]"),
        MIEN_OPT_REAL(0, "clip", "F", &f->clip, 0, 1e9, "cut the gradient's norm to this [0: not]"),
        MIEN_OPT_REAL(0, "ema", "F", &f->ema, 0, 0.999999,
                      "average weights over steps, with this decay [0: not]"),
        MIEN_OPT_CHOICE(0, "schedule", "constant|step|cosine|plateau", &f->schedule.kind,
                        "constant|step|cosine|plateau", "of the learning rate [constant]"),
        MIEN_OPT_REAL(0, "warmup", "F", &f->schedule.warmup, 0, 100000,
                      "epochs over which the rate grows from 0 [0]"),
        MIEN_OPT_INT(0, "step-epochs", "N", &f->schedule.step_epochs, 1, 100000,
                     "epochs between drops, or without gain [5]"),
        MIEN_OPT_REAL(0, "drop", "F", &f->schedule.drop, 0, 1,
                      "what the rate is multiplied by then [0.1]"),
        MIEN_OPT_INT(0, "patience", "N", &f->patience, 0, 100000,
                     "stop after N epochs without gain [0: never]"),
        MIEN_OPT_REAL(0, "sigma", "F", &f->loss.sigma, 0, 50,
                      "ages are Gaussians of this deviation, in years [0]"),
        MIEN_OPT_REAL(0, "l1", "F", &f->loss.l1, 0, 1000,
                      "weight of the expected age's absolute error [0]"),
        MIEN_OPT_REAL(0, "smoothing", "F", &f->loss.smoothing, 0, 0.99,
                      "share of a label spread over all classes [0]"),
        AUGMENT_OPTIONS(f->augment),
        MIEN_OPT_INT(0, "views", "N", &f->views, 1, 1000,
                     "changes of an image kept before frozen layers [4]"),
        MIEN_OPT_REAL(0, "mixup", "F", &f->mixup, 0, 100, "alpha of mixing records [0: not]"),
        MIEN_OPT_FLAG(0, "in-order", &f->in_order,
                      "take the records in the pack's order, not shuffled"),
        MIEN_OPT_REAL(0, "balance", "F", &f->balance, 0, 1,
                      "sample by (1/frequency)^F of age and gender [0]"),
        MIEN_OPT_REAL(0, "class-weights", "F", &f->class_weights, 0, 1,
                      "weigh losses by (1/frequency)^F [0]"),
        MIEN_OPT_CHOICE(0, "best", "mae|loss|gender|last", &f->best, "mae|loss|gender|last",
                        "by what the best epoch is kept [mae]"),
        MIEN_OPT_SIZE(0, "cache-mem", "SIZE", &f->cache_mem, 0, 1e15,
                      "frozen output kept in memory, more in a file [8G]"),
        MIEN_OPT_STR('c', "checkpoint", "FILE", &f->checkpoint,
                     "where to keep what a training can go on from"),
        MIEN_OPT_INT(0, "every", "N", &f->every, 1, 100000, "epochs between checkpoints [1]"),
        MIEN_OPT_FLAG('r', "resume", &f->resume, "go on from the checkpoint, if there is one"),
        MIEN_OPT_STR(0, "log", "FILE", &o.log, "a line of tab-separated values for each epoch"),
        MIEN_OPT_SEED('s', "seed", "N", &f->seed, "of weights, order, dropout and mixing [0]"),
        MIEN_OPT_INT('j', "jobs", "N", &f->jobs, 1, 256, "threads [all cores]"),
    };
    struct mien_cli cli = {
        .name = "mien-train",
        .synopsis = "[options] --train PACK [--val PACK] [--init MODEL] -o MODEL",
        .purpose = "Trains classifiers of age and gender.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
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

    if (mien_pack_open(&train, o.train, &e) < 0 ||
        (o.val != NULL && mien_pack_open(&val, o.val, &e) < 0))
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
