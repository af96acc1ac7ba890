/* mien-train: trains age and gender heads, and the layers before them, on packs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
    struct fit_files files;
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
    struct ranks *ranks; /* processes with a training each, as one; or NULL */
    struct fit_log *log; /* NULL: none */
    struct mien_progress progress;
    int epoch;        /* under way */
    size_t bad;       /* records whose image can't be used, and a log that can't be written */
    uint64_t traffic; /* bytes that all processes sent in a step of the last epoch */
};

static _Noreturn void die(const struct training *t, const struct mien_err *e)
{
    mien_cli_die(t->cli, "%s", e->msg);
}

/* Process 0 tells how the training goes; the others tell only why they can't go on. */
static bool is_first(const struct training *t)
{
    return t->cli->rank == 0;
}

/* --- Before training ------------------------------------------------------------------------ */

static void prepare(struct training *t)
{
    struct options *o = &t->o;
    struct fit_config *f = &o->fit;
    struct mien_err e;
    if (f->jobs == 0)
        f->jobs = cores_usable();
    f->precision = (int)train_precision_of((enum train_precision)f->precision);
    if (fit_check(f, &e) < 0 || ranks_open(&t->ranks, &e) < 0)
        die(t, &e);
    t->cli->rank = ranks_rank(t->ranks);
    t->cli->quiet |= !is_first(t);
    if (pack_set_open(&o->files.train, &t->train, &e) < 0 ||
        (o->files.val != NULL && mien_pack_open(&t->val, o->files.val, &e) < 0) ||
        (is_first(t) && o->preview == 0 && fit_check_files(&o->files, &o->start, f, &e) < 0) ||
        fit_start(&t->model, &o->start, &t->train, f, &e) < 0)
        die(t, &e);
}

/* --- While training ------------------------------------------------------------------------- */

/* Set by SIGINT, SIGTERM, SIGHUP and SIGXCPU: the batch under way is finished, a checkpoint
   written. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    stop = number;
}

static void on_progress(void *ctx, const struct fit_progress *p)
{
    struct training *t = ctx;
    t->epoch = p->epoch;
    mien_cli_progress_stage(&t->progress, p->stage, p->what);
    mien_cli_progress(&t->progress, p->done, p->total, 0);
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

static void print_epoch(const struct training *t, const char *lead, const struct fit_epoch *epoch)
{
    char line[256];
    fit_epoch_line(epoch, t->o.fit.epochs, line, sizeof line);
    mien_cli_note(t->cli, "%s %s", lead, line);
}

static void on_epoch(void *ctx, const struct fit_epoch *epoch)
{
    struct training *t = ctx;
    struct mien_err e;
    mien_cli_progress_end(&t->progress);
    print_epoch(t, "epoch", epoch);
    t->traffic = epoch->traffic;
    if (fit_log_write(t->log, epoch, &e) < 0) { /* no reason to lose hours of training */
        mien_cli_warn(t->cli, "%s; training continues without a log", e.msg);
        t->bad++;
    }
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

static void save_model(struct training *t, const struct fit_epoch *kept)
{
    struct options *o = &t->o;
    struct mien_err e;
    if (fit_note_training(&t->model, &o->start, &o->fit, t->train.n, kept, &e) < 0 ||
        model_save(&t->model, o->files.out, &e) < 0)
        die(t, &e);
    print_epoch(t, "kept epoch", kept);
}

/* Returns the program's exit status. */
static int finish(struct training *t, const struct fit_epoch *kept)
{
    char weak[120];
    /* A choice by one head's figures may keep an epoch in which the other one has learned
       nothing. */
    if (t->o.files.val != NULL && fit_weak_head(kept, &t->val, weak, sizeof weak))
        mien_cli_note(t->cli, "warning: in the kept epoch %s; see --best", weak);
    save_model(t, kept);
    if (t->traffic > 0)
        mien_cli_note(t->cli, "%d processes sent %llu bytes a step", ranks_size(t->ranks),
                      (unsigned long long)t->traffic);
    return t->bad > 0 ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}

/* Returns the program's exit status. */
static int train(struct training *t)
{
    struct options *o = &t->o;
    struct fit_config *f = &o->fit;
    const bool logs = o->files.log != NULL && is_first(t);
    struct fit_epoch kept;
    char kernels[TRAIN_KERNELS_TEXT];
    struct mien_err e;
    if ((logs && (t->log = fit_log_open(o->files.log, f->resume, &e)) == NULL) ||
        train_kernels_describe((enum train_precision)f->precision, kernels, &e) < 0 ||
        fit_note_sources(&t->model, &o->files, &o->start, f, &e) < 0)
        die(t, &e);
    mien_cli_note(t->cli, "%s", kernels);
    f->set = &o->files.train;
    f->ranks = t->ranks;
    f->stop = &stop;
    f->ctx = t;
    if (is_first(t)) {
        f->on_progress = on_progress;
        f->on_bad = on_bad;
        f->on_epoch = on_epoch;
    }
    mien_cli_on_signal(on_signal);
    mien_cli_progress_start(&t->progress, t->cli, "records");
    int rc = fit(&t->model, &t->train, o->files.val != NULL ? &t->val : NULL, f, &kept, &e);
    mien_cli_progress_end(&t->progress);
    if (rc < 0)
        die(t, &e);
    if (fit_log_close(t->log, &e) < 0) {
        mien_cli_warn(t->cli, "%s", e.msg);
        t->bad++;
    }
    if (rc > 0 && is_first(t))
        report_stop(t);
    return rc > 0 ? EXIT_STOPPED : is_first(t) ? finish(t, &kept) : MIEN_EXIT_OK;
}

int main(int argc, char **argv)
{
    struct training t = {.o.fit = fit_defaults()};
    struct options *o = &t.o;
    struct fit_files *files = &o->files;
    struct fit_config *f = &o->fit;
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Files"),
        MIEN_OPT_FUNC('t', "train", "PACK[:F]", &files->train, pack_set_add,
                      "training set; repeated: of several packs, each with a weight of F [1]"),
        MIEN_OPT_STR('v', "val", "PACK", &files->val, "validation set"),
        MIEN_OPT_STR('i', "init", "MODEL", &o->start.init, "network to start from"),
        MIEN_OPT_STR('o', "output", "MODEL", &files->out, "where to write the trained model"),
        MIEN_OPT_STR(0, "log", "FILE", &files->log,
                     "write a line of tab-separated values for each epoch"),

        NETWORK_OPTIONS(&o->start, f),
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
        MIEN_RULE_NEEDS("teacher-share", "teacher"),
        MIEN_RULE_EXCLUDES("keep-heads", "heads embed hidden dropout"),
        MIEN_RULE_EXCLUDES("in-order", "balance"),
    };
    struct mien_cli cli = {
        .name = "mien-train",
        .synopsis = "[options] --train PACK [--val PACK] [--init MODEL] -o MODEL",
        .purpose = "Trains classifiers of age and gender.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .examples = "mien-train --init face.model --train train.pack --val val.pack -o a.model\n"
                    "mien-train --init a.model --keep-heads --last all --optimizer adamw \\\n"
                    "    --lr 0.0002 --train train.pack --val val.pack -o fine.model",
    };
    t.cli = &cli;
    f->max_memory = memory_installed() / 4 * 3;
    f->jobs = 0; /* all cores */
    f->last = FIT_NEW;

    blas_without_threads(argv);
    mien_cli_operands(&cli, mien_cli_parse(&cli, argc, argv), argv, 0, 0, NULL);
    prepare(&t);
    int status = o->preview > 0 ? preview(&t) : train(&t);
    model_free(&t.model);
    mien_pack_close(&t.train);
    if (files->val != NULL)
        mien_pack_close(&t.val);
    pack_set_free(&files->train);
    ranks_close(t.ranks);
    return status;
}
