/* mien-train: trains age and gender heads, and the layers before them, on packs. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mien/cli.h"
#include "mien/fit.h"
#include "mien/num.h"
#include "mien/par.h"

struct options {
    const char *init, *train, *val, *out, *log, *embed;
    struct fit_heads heads;
    bool keep_heads;
    struct fit_config fit;
    int best, last;
};

/* What the callbacks share. */
struct report {
    const struct cli *cli;
    const struct options *o;
    struct cli_progress progress;
    int epoch;
    FILE *log;
};

static void on_frozen(void *ctx, size_t done, size_t total)
{
    struct report *r = ctx;
    cli_progress(&r->progress, done < total ? done : total, total, 0);
}

static void on_batch(void *ctx, int epoch, size_t done, size_t total, double loss)
{
    struct report *r = ctx;
    (void)loss;
    if (epoch != r->epoch) {
        cli_progress_end(&r->progress);
        cli_progress_start(&r->progress, r->cli, "records");
        r->epoch = epoch;
    }
    cli_progress(&r->progress, done, total, 0);
}

static void write_log(struct report *r, const struct fit_epoch *e)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    if (e->epoch == 1)
        fputs("epoch\ttrain_loss\tval_loss\tval_gender_accuracy\tval_age_exact\tval_age_mae\tval_age_cs5\t"
              "lr\tseconds\timages_per_second\tpeak_mb\tbest\n", r->log);
    fprintf(r->log, "%d\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%g\t%.3f\t%.1f\t%.1f\t%d\n", e->epoch,
            e->train_loss, e->val.loss, e->val.gender_accuracy, e->val.age_exact, e->val.age_mae,
            e->val.age_cs5, r->o->fit.lr, e->seconds, e->images_per_second,
            (double)u.ru_maxrss / 1024, e->best);
    if (fflush(r->log) != 0)
        cli_die(r->cli, "cannot write '%s'", r->o->log);
}

static void say_epoch(const struct cli *c, const char *lead, const struct fit_epoch *e, int epochs)
{
    char text[200] = "";
    if (e->val.n_gender + e->val.n_age > 0)
        snprintf(text, sizeof text,
                 ", validation loss %.4f, gender %.2f%%, age exact %.2f%%, MAE %.3f, CS(5) %.2f%%",
                 e->val.loss, 100 * e->val.gender_accuracy, 100 * e->val.age_exact, e->val.age_mae,
                 100 * e->val.age_cs5);
    cli_note(c, "%s %d/%d: loss %.4f%s, %.1f s%s", lead, e->epoch, epochs, e->train_loss, text,
             e->seconds, e->best ? " *" : "");
}

static void on_epoch(void *ctx, const struct fit_epoch *e)
{
    struct report *r = ctx;
    cli_progress_end(&r->progress);
    say_epoch(r->cli, "epoch", e, r->o->fit.epochs);
    if (r->log != NULL)
        write_log(r, e);
}

/* The model to be trained: an old one as it is, or with new heads. */
static void make_model(const struct cli *c, struct options *o, const struct pack *train,
                       struct model *m)
{
    struct err e;
    struct model init = {0};
    if (o->init == NULL && train->kind != PACK_FEATURES)
        cli_die(c, "pixels need a network to start from: give --init MODEL");
    if (o->init != NULL && model_load(&init, o->init, &e) < 0)
        cli_die(c, "%s", e.msg);
    if (o->keep_heads) {
        if (o->init == NULL)
            cli_die(c, "--keep-heads needs --init");
        *m = init;
        o->fit.last = o->last < 0 ? 2 : o->last;
        return;
    }
    int added = fit_new_heads(m, o->init != NULL ? &init : NULL, o->embed, train->dim,
                              &train->prep, &o->heads, o->fit.seed, &e);
    if (added < 0)
        cli_die(c, "%s", e.msg);
    model_free(&init);
    o->fit.last = o->last < 0 ? added : o->last;
}

/* How the model came about, for its file. */
static char *provenance(int argc, char **argv, const struct options *o, const struct pack *train,
                        const struct fit_epoch *kept)
{
    struct buf b = {0};
    for (int i = 0; i < argc; i++)
        buf_printf(&b, "%s%s", i > 0 ? " " : "", argv[i]);
    buf_printf(&b, "\nmien %s, seed %llu, %zu records, epoch %d of %d kept\n", MIEN_VERSION,
               (unsigned long long)o->fit.seed, train->n, kept->epoch, o->fit.epochs);
    if (kept->val.n_gender + kept->val.n_age > 0)
        buf_printf(&b, "validation: loss %.6g, gender accuracy %.6g, age exact %.6g, MAE %.6g\n",
                   kept->val.loss, kept->val.gender_accuracy, kept->val.age_exact, kept->val.age_mae);
    buf_append(&b, "", 1);
    return (char *)b.data;
}

/* The number of last layers: a count, or all. */
static int parse_last(void *dst, const char *arg, struct err *e)
{
    long long n = 0;
    int rc = strcmp(arg, "all") == 0 ? 0 : num_int(arg, 1, NET_MAX_LAYERS, &n, e);
    if (rc == 0)
        *(int *)dst = (int)n;
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {.last = -1};
    o.fit = (struct fit_config){.epochs = 10, .batch = 32, .lr = 0.001, .beta1 = 0.9, .beta2 = 0.999,
                                .epsilon = 1e-7, .cache_mem = (size_t)8 << 30};
    struct cli_opt opts[] = {
        {'t', "train", "PACK", "the training part", CLI_STR, &o.train, 0, 0, NULL, NULL},
        {'v', "val", "PACK", "the validation part", CLI_STR, &o.val, 0, 0, NULL, NULL},
        {'o', "output", "MODEL", "where the trained model goes", CLI_STR, &o.out, 0, 0, NULL, NULL},
        {'i', "init", "MODEL", "network to start from", CLI_STR, &o.init, 0, 0, NULL, NULL},
        {0, "embed", "LAYER", "layer of it that the heads read [its own choice]", CLI_STR, &o.embed, 0, 0,
         NULL, NULL},
        {0, "keep-heads", NULL, "go on training the heads that it has", CLI_FLAG, &o.keep_heads, 0, 0,
         NULL, NULL},
        {'l', "last", "N|all", "train the last N layers with weights [the new ones]", CLI_FUNC, &o.last,
         0, 0, NULL, parse_last},
        {0, "hidden", "N", "a dense layer of N units before the heads [0: none]", CLI_INT,
         &o.heads.hidden, 0, 65536, NULL, NULL},
        {0, "dropout", "RATE", "drop this share before the heads [0]", CLI_REAL, &o.heads.dropout, 0,
         0.99, NULL, NULL},
        {'e', "epochs", "N", "passes over the training part [10]", CLI_INT, &o.fit.epochs, 1, 100000,
         NULL, NULL},
        {'b', "batch", "N", "records a step [32]", CLI_INT, &o.fit.batch, 1, 1024, NULL, NULL},
        {0, "lr", "RATE", "Adam's learning rate [0.001]", CLI_REAL, &o.fit.lr, 1e-12, 1000, NULL, NULL},
        {0, "beta1", "B", "Adam's decay of the first moment [0.9]", CLI_REAL, &o.fit.beta1, 0, 0.999999,
         NULL, NULL},
        {0, "beta2", "B", "Adam's decay of the second moment [0.999]", CLI_REAL, &o.fit.beta2, 0,
         0.999999999, NULL, NULL},
        {0, "epsilon", "E", "Adam's epsilon [1e-7]", CLI_REAL, &o.fit.epsilon, 1e-15, 1, NULL, NULL},
        {0, "l2", "F", "weight decay added to the gradient [0]", CLI_REAL, &o.fit.l2, 0, 1000, NULL,
         NULL},
        {0, "best", "BY", "keep the best epoch by mae|loss|gender|last [mae]", CLI_CHOICE, &o.best, 0,
         0, "mae|loss|gender|last", NULL},
        {0, "cache-mem", "SIZE", "frozen output kept in memory, the rest in a file [8G]", CLI_SIZE,
         &o.fit.cache_mem, 0, 1e15, NULL, NULL},
        {0, "log", "FILE", "a line of tab-separated values for each epoch", CLI_STR, &o.log, 0, 0, NULL,
         NULL},
        {'s', "seed", "N", "of weights, order and dropout [0]", CLI_SEED, &o.fit.seed, 0, 0, NULL, NULL},
        {'j', "jobs", "N", "threads [all cores]", CLI_INT, &o.fit.jobs, 1, 256, NULL, NULL},
    };
    struct cli cli = {"mien-train", "[options] --train PACK [--val PACK] [--init MODEL] -o MODEL",
                      "Trains classifiers of age and gender.", opts, CLI_NOPTS(opts), false};
    struct err e;
    struct pack train, val;
    struct model model = {0};
    struct fit_epoch kept;
    if (cli_parse(&cli, argc, argv) > 0)
        cli_die(&cli, "unexpected argument '%s'; see mien-train --help", argv[1]);
    if (o.train == NULL || o.out == NULL)
        cli_die(&cli, "needs --train PACK and -o MODEL; see mien-train --help");
    if (o.fit.jobs == 0)
        o.fit.jobs = par_cores();
    o.fit.best = (enum fit_best)o.best;

    if (pack_open(&train, o.train, &e) < 0 || (o.val != NULL && pack_open(&val, o.val, &e) < 0))
        cli_die(&cli, "%s", e.msg);
    make_model(&cli, &o, &train, &model);
    struct report report = {.cli = &cli, .o = &o};
    if (o.log != NULL && (report.log = fopen(o.log, "w")) == NULL)
        cli_die(&cli, "cannot create '%s'", o.log);
    o.fit.on_frozen = on_frozen;
    o.fit.on_batch = on_batch;
    o.fit.on_epoch = on_epoch;
    o.fit.ctx = &report;
    cli_progress_start(&report.progress, &cli, "records frozen");
    if (fit(&model, &train, o.val != NULL ? &val : NULL, &o.fit, &kept, &e) < 0)
        cli_die(&cli, "%s", e.msg);

    free(model.made);
    model.made = provenance(argc, argv, &o, &train, &kept);
    if (model_save(&model, o.out, &e) < 0)
        cli_die(&cli, "%s", e.msg);
    say_epoch(&cli, "kept epoch", &kept, o.fit.epochs);
    if (report.log != NULL && fclose(report.log) != 0)
        cli_die(&cli, "cannot write '%s'", o.log);
    model_free(&model);
    pack_close(&train);
    if (o.val != NULL)
        pack_close(&val);
    return EXIT_OK;
}
