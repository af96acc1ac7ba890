/* mien-train: trains age and gender heads, and the layers before them, on packs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fit/fit_log.h"
#include "fit/history.h"
#include "fit/preview.h"
#include "mien/filter.h"
#include "train/blas.h"
#include "util/cores.h"
#include "util/memory.h"
#include "util/num.h"
#include "train_options.h"

enum { EXIT_STOPPED = 3 };

struct options {
    struct pack_set train;
    const char *val, *out, *log;
    struct fit_start start;
    struct fit_config fit;
    int preview; /* records; 0: train */
};

/* A training, from its packs to its model; also what the callbacks of fit get. */
struct training {
    struct mien_cli *cli;
    struct options o;
    struct mien_pack train, val; /* val: with --val only */
    struct model model;
    struct ranks
        *ranks; /* processes that train together, each with a training of its own; or NULL */
    struct fit_log *log; /* NULL: none */
    bool log_lost;
    struct mien_progress progress;
    int epoch;        /* under way */
    size_t bad;       /* records whose image can't be used */
    uint64_t traffic; /* bytes that all processes sent in a step of the last epoch */
};

/* --- Options -------------------------------------------------------------------------------- */

static int parse_train(void *dst, const char *arg, struct mien_err *e)
{
    return pack_set_add(dst, arg, e);
}

static void parse(struct training *t, int argc, char **argv)
{
    struct options *o = &t->o;
    struct fit_start *start = &o->start;
    struct fit_config *f = &o->fit;
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Files"),
        MIEN_OPT_FUNC('t', "train", "PACK[:F]", &o->train, parse_train,
                      "training set; repeated: of several packs, each with a weight of F [1]"),
        MIEN_OPT_STR('v', "val", "PACK", &o->val, "validation set"),
        MIEN_OPT_STR('i', "init", "MODEL", &start->init, "network to start from"),
        MIEN_OPT_STR('o', "output", "MODEL", &o->out, "where to write the trained model"),
        MIEN_OPT_STR(0, "log", "FILE", &o->log,
                     "write a line of tab-separated values for each epoch"),

        NETWORK_OPTIONS(start, f),
        LEARNING_OPTIONS(f),

        RUNNING_OPTIONS(f),
        MIEN_OPT_INT(0, "preview", "N", &o->preview, 1, 1000000,
                     "don't train: write N records as training would see them"),

        MIEN_OPT_ALIAS('l', NULL, "last"),
        MIEN_OPT_ALIAS('c', NULL, "checkpoint"),
        MIEN_OPT_ALIAS('r', NULL, "resume"),
        MIEN_OPT_ALIAS(0, "optimiser", "optimizer"),
        MIEN_OPT_ALIAS(0, "grey", "gray"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_REQUIRES("train"),
        MIEN_RULE_REQUIRES("output preview"),
        MIEN_RULE_NEEDS("keep-heads embed lr-backbone", "init"),
        MIEN_RULE_NEEDS("resume", "checkpoint"),
        MIEN_RULE_EXCLUDES("keep-heads", "heads embed hidden dropout"),
        MIEN_RULE_EXCLUDES("in-order", "balance"),
    };
    struct mien_err e;
    t->cli->opts = opts;
    t->cli->nopts = MIEN_CLI_NOPTS(opts);
    t->cli->rules = rules;
    t->cli->nrules = MIEN_CLI_NOPTS(rules);
    int n = mien_cli_parse(t->cli, argc, argv);
    mien_cli_operands(t->cli, n, argv, 0, 0, NULL);
    t->cli->opts = NULL; /* the tables end with this function */
    t->cli->rules = NULL;
    t->cli->nopts = t->cli->nrules = 0;
    if (fit_check(f, &e) < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    if (f->jobs == 0)
        f->jobs = cores_usable();
    f->precision = (int)train_precision_of((enum train_precision)f->precision);
}

/* --- Several processes ---------------------------------------------------------------------- */

/* Rank 0 tells how the training goes; the others tell only why they can't go on. */
static bool is_first(const struct training *t)
{
    return ranks_rank(t->ranks) == 0;
}

static void die(const struct training *t, const struct mien_err *e) __attribute__((noreturn));
static void die(const struct training *t, const struct mien_err *e)
{
    /* Most often rank 0 has the same to tell, and ends all. */
    if (!is_first(t))
        nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    mien_cli_die(t->cli, "%s", e->msg);
}

static void join(struct training *t)
{
    static char name[40];
    struct mien_err e;
    if (ranks_open(&t->ranks, &e) < 0)
        mien_cli_die(t->cli, "%s", e.msg);
    if (is_first(t))
        return;
    snprintf(name, sizeof name, "mien-train: rank %d", ranks_rank(t->ranks));
    t->cli->name = name;
    t->cli->quiet = true;
}

/* --- Before training ------------------------------------------------------------------------ */

static void prepare(struct training *t)
{
    struct options *o = &t->o;
    const struct fit_files files = {.init = o->start.init,
                                    .train = &o->train,
                                    .val = o->val,
                                    .out = o->out,
                                    .checkpoint = o->fit.checkpoint,
                                    .log = o->log};
    struct mien_err e;
    if (pack_set_open(&o->train, &t->train, &e) < 0 ||
        (o->val != NULL && mien_pack_open(&t->val, o->val, &e) < 0) ||
        (is_first(t) && o->preview == 0 && fit_check_files(&files, &e) < 0) ||
        fit_start(&t->model, &o->start, &t->train, &o->fit, &e) < 0)
        die(t, &e);
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

static void on_teacher(void *ctx, size_t done, size_t total)
{
    struct training *t = ctx;
    snprintf(t->progress.stage, sizeof t->progress.stage, "teacher: ");
    mien_cli_progress(&t->progress, done, total, 0);
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
    struct mien_progress *p = &t->progress;
    if (epoch != t->epoch) {
        mien_cli_progress_end(p);
        mien_cli_progress_start(p, t->cli, "");
        snprintf(p->stage, sizeof p->stage, "epoch %d/%d: ", epoch, t->o.fit.epochs);
        t->epoch = epoch;
    }
    char line[80];
    fit_metrics_line(m, line, sizeof line);
    snprintf(p->what, sizeof p->what, "records, %s", line);
    mien_cli_progress(p, done, total, 0);
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
    t->traffic = epoch->traffic;
    if (t->log != NULL && fit_log_write(t->log, epoch, &e) < 0)
        lose_log(t, &e);
}

/* --- Instead of training ---------------------------------------------------------------------- */

/* Returns the program's exit status. */
static int preview(struct training *t)
{
    struct mien_err e;
    mien_cli_check_output(t->cli, STDOUT_FILENO);
    struct mien_writer *w = mien_filter_writer(t->cli, STDOUT_FILENO, &e);
    t->o.fit.on_bad = on_bad;
    t->o.fit.ctx = t;
    if (w == NULL ||
        fit_preview(&t->model, &t->train, &t->o.fit, (size_t)t->o.preview, w, &e) < 0 ||
        mien_writer_end(w, &e) < 0)
        mien_cli_die_output(t->cli, &e);
    mien_writer_free(w);
    return t->bad > 0 ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
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

static void save_model(struct training *t, const struct fit_source *from,
                       const struct fit_epoch *kept)
{
    struct mien_err e;
    if (fit_note_training(&t->model, &t->o.fit, from, kept, &e) < 0 ||
        model_save(&t->model, t->o.out, &e) < 0)
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

/* Returns the program's exit status. */
static int train(struct training *t)
{
    struct fit_config *f = &t->o.fit;
    const struct fit_source from = {.start = &t->o.start,
                                    .train = &t->o.train,
                                    .records = t->train.n,
                                    .val = t->o.val,
                                    .teacher = f->teacher};
    struct fit_epoch kept;
    char kernels[TRAIN_KERNELS_TEXT];
    struct mien_err e;
    if (t->o.log != NULL && is_first(t) && (t->log = fit_log_open(t->o.log, f->resume, &e)) == NULL)
        mien_cli_die(t->cli, "%s", e.msg);
    if (train_kernels_describe((enum train_precision)f->precision, kernels, &e) < 0 ||
        fit_note_sources(&t->model, &from, &e) < 0)
        die(t, &e);
    mien_cli_note(t->cli, "%s", kernels);
    f->set = &t->o.train;
    f->ranks = t->ranks;
    if (is_first(t)) {
        f->on_frozen = on_frozen;
        f->on_teacher = on_teacher;
        f->on_bad = on_bad;
        f->on_batch = on_batch;
        f->on_epoch = on_epoch;
    }
    f->ctx = t;
    f->stop = &stop;
    mien_cli_on_signal(on_signal);
    mien_cli_progress_start(&t->progress, t->cli, "records");
    snprintf(t->progress.stage, sizeof t->progress.stage, "frozen layers: ");
    int rc = fit(&t->model, &t->train, t->o.val != NULL ? &t->val : NULL, f, &kept, &e);
    mien_cli_progress_end(&t->progress);
    if (rc < 0)
        die(t, &e);
    if (!is_first(t))
        return rc > 0 ? EXIT_STOPPED : MIEN_EXIT_OK;
    if (fit_log_close(t->log, &e) < 0) {
        mien_cli_warn(t->cli, "%s", e.msg);
        t->log_lost = true;
    }
    if (rc > 0) {
        report_stop(t);
        return EXIT_STOPPED;
    }
    warn_of_weak_head(t, &kept);
    save_model(t, &from, &kept);
    if (t->traffic > 0)
        mien_cli_note(t->cli, "%d processes sent %llu bytes a step", ranks_size(t->ranks),
                      (unsigned long long)t->traffic);
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
    struct training t = {.cli = &cli, .o.fit = fit_defaults()};
    t.o.fit.max_memory = memory_installed() / 4 * 3;

    blas_without_threads(argv);
    t.o.fit.jobs = 0; /* all cores */
    t.o.fit.last = FIT_NEW;
    parse(&t, argc, argv);
    join(&t);
    prepare(&t);
    int status = t.o.preview > 0 ? preview(&t) : train(&t);
    model_free(&t.model);
    mien_pack_close(&t.train);
    if (t.o.val != NULL)
        mien_pack_close(&t.val);
    pack_set_free(&t.o.train);
    ranks_close(t.ranks);
    return status;
}
