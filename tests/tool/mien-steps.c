/*
 * The loss of every step of a training, one a line, for comparison with another implementation: all
 * layers are trained on the records of a pack in their order. The last line is the loss over the
 * whole pack afterwards, as at inference.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mien/cli.h"
#include "fit/fit.h"

struct steps {
    int n, epoch;
    size_t done; /* records of the epoch so far */
    double sum;  /* of their losses */
};

/* The batch's own loss, from the mean over the epoch so far: all records have both labels. */
static void on_progress(void *ctx, const struct fit_progress *p)
{
    struct steps *s = ctx;
    if (p->epoch == 0)
        return;
    double sum = p->so_far->loss * (double)p->done;
    if (p->epoch != s->epoch)
        *s = (struct steps){.n = s->n, .epoch = p->epoch};
    printf("%d\t%.9g\n", ++s->n, (sum - s->sum) / (double)(p->done - s->done));
    s->done = p->done;
    s->sum = sum;
}

int main(int argc, char **argv)
{
    struct fit_config c = fit_defaults();
    const struct mien_option opts[] = {
        MIEN_OPT_INT('e', "epochs", "N", &c.epochs, 1, 10000, "passes over the pack [10]"),
        MIEN_OPT_INT('b', "batch", "N", &c.batch, 1, 1024, "records a step [32]"),
        MIEN_OPT_INT('j', "jobs", "N", &c.jobs, 1, 256, "threads [1]"),
        MIEN_OPT_CHOICE('o', "optimiser", "NAME", &c.optim.kind, "adam|adamw|sgd",
                        "adam or sgd [adam]"),
        MIEN_OPT_REAL('l', "lr", "F", &c.lr, 0, 1000, "learning rate [0.001]"),
    };
    struct mien_cli cli = {.name = "mien-steps",
                           .synopsis = "[options] MODEL PACK",
                           .purpose = "Prints the loss of every step of a training.",
                           .opts = opts,
                           .nopts = MIEN_CLI_NOPTS(opts)};
    struct model m = {0};
    struct mien_pack pack;
    struct fit_epoch kept;
    struct mien_err e;
    struct steps steps = {0};
    if (mien_cli_parse(&cli, argc, argv) != 2)
        mien_cli_die(&cli, "give a model and a pack");
    if (model_load(&m, argv[1], &e) < 0 || mien_pack_open(&pack, argv[2], &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    c.last = 0;
    c.in_order = true;
    c.best = FIT_LAST;
    c.on_progress = on_progress;
    c.ctx = &steps;
    if (fit(&m, &pack, &pack, &c, &kept, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    printf("after\t%.9g\n", kept.val.loss);
    mien_cli_close_stdout(&cli);
    model_free(&m);
    mien_pack_close(&pack);
    return MIEN_EXIT_OK;
}
