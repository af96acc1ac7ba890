/*
 * How the work of a training step can be shared by threads, told on any machine: runs steps of a
 * model on one thread and times each item that threads would take. For every layer it prints its
 * items forward and backward, their time and the longest one's, in milliseconds; then what is left
 * outside of items, and how much faster 2 to 32 threads would be that take items in order, were
 * memory no limit. The optimizer, which is cut by weights, and decoding aren't part of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mien/cli.h"
#include "net/model.h"
#include "train/trainer_state.h"
#include "util/hash.h"
#include "util/par.h"

enum { MOST_THREADS = 32, ROUNDS = 3 };
static const int threads_of[] = {2, 4, 8, 16, 32};
enum { COLUMNS = sizeof threads_of / sizeof *threads_of };

struct tally {
    size_t items;
    double all, longest;
};

/* In place of the library's threads: the caller does all, and what each item takes is noted. */
struct par {
    const struct trainer *t; /* whose pass is under way */
    bool backward;
    struct tally of[NET_MAX_LAYERS][2];
    double parallel, with[COLUMNS]; /* all items' time, and that of so many threads */
};

struct par *par_new(int j, struct mien_err *e)
{
    (void)j;
    (void)e;
    return calloc(1, sizeof(struct par));
}

void par_free(struct par *p)
{
    free(p);
}

int par_size(const struct par *p)
{
    (void)p;
    return 1;
}

/* Of the processor, so that other programs don't count. */
static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The item goes to the thread that is free first. */
static void assign(double busy[COLUMNS][MOST_THREADS], double took)
{
    for (int c = 0; c < COLUMNS; c++) {
        int first = 0;
        for (int k = 1; k < threads_of[c]; k++)
            first = busy[c][k] < busy[c][first] ? k : first;
        busy[c][first] += took;
    }
}

void par_for(struct par *p, size_t n, void (*fn)(void *ctx, int worker, size_t i), void *ctx)
{
    const struct trainer *t = p->t;
    double busy[COLUMNS][MOST_THREADS] = {{0}};
    int layer = t->cur >= 0 && t->cur < t->net->n ? t->cur : 0;
    struct tally *tally = &p->of[layer][p->backward];
    for (size_t i = 0; i < n; i++) {
        double from = cpu_seconds();
        fn(ctx, 0, i);
        double took = cpu_seconds() - from;
        assign(busy, took);
        tally->items++;
        tally->all += took;
        tally->longest = took > tally->longest ? took : tally->longest;
        p->parallel += took;
    }
    for (int c = 0; c < COLUMNS; c++) {
        double last = 0;
        for (int k = 0; k < threads_of[c]; k++)
            last = busy[c][k] > last ? busy[c][k] : last;
        p->with[c] += last;
    }
}

static double step(struct trainer *t, struct par *p, int batch, const int *ends, int nends)
{
    double from = cpu_seconds();
    memset(p, 0, sizeof *p);
    p->t = t;
    trainer_forward(t, batch, true, 1);
    p->backward = true;
    for (int k = 0; k < nends; k++) {
        size_t count = (size_t)batch * shape_count(t->net->layer[ends[k]].shape);
        for (size_t i = 0; i < count; i++)
            trainer_dact(t, ends[k])[i] = (float)(i % 3) - 1;
    }
    trainer_backward(t, batch);
    return cpu_seconds() - from;
}

static void print(const struct net *net, const struct par *p, double all)
{
    printf("layer\tforward items\tms\tlongest\tbackward items\tms\tlongest\n");
    for (int i = 0; i < net->n; i++) {
        const struct tally *t = p->of[i];
        if (t[0].items + t[1].items > 0)
            printf("%s\t%zu\t%.2f\t%.2f\t%zu\t%.2f\t%.2f\n", net->layer[i].name, t[0].items,
                   1e3 * t[0].all, 1e3 * t[0].longest, t[1].items, 1e3 * t[1].all,
                   1e3 * t[1].longest);
    }
    double serial = all - p->parallel;
    printf("serial: %.2f of %.2f ms, %.2f%%\n", 1e3 * serial, 1e3 * all, 100 * serial / all);
    for (int c = 0; c < COLUMNS; c++)
        printf("%d threads: %.1f times as fast\n", threads_of[c], all / (serial + p->with[c]));
}

int main(int argc, char **argv)
{
    int batch = 32, precision = TRAIN_FLOAT;
    const struct mien_option opts[] = {
        MIEN_OPT_INT('b', "batch", "N", &batch, 1, 1024, "images in a batch [32]"),
        MIEN_OPT_CHOICE(0, "precision", "NAME", &precision, "float|bf16|auto",
                        "float, bf16 or auto [float]"),
    };
    struct mien_cli cli = {.name = "work",
                           .synopsis = "[options] MODEL",
                           .purpose = "Shows how a training step can be shared by threads.",
                           .opts = opts,
                           .nopts = MIEN_CLI_NOPTS(opts)};
    struct mien_err e;
    struct model m = {0};
    int operand = mien_cli_parse(&cli, argc, argv), ends[2], nends = 0;
    mien_cli_operands(&cli, operand, argv, 1, 1, "a model");
    if (model_load(&m, argv[operand], &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    const char *const heads[] = {"gender", "age"};
    for (int k = 0; k < 2; k++) {
        int head = net_find(&m.net, heads[k]);
        if (head >= 0)
            ends[nends++] = m.net.layer[head].in[0];
    }
    if (nends == 0)
        mien_cli_die(&cli, "'%s' has no heads", argv[operand]);
    bool train[NET_MAX_LAYERS];
    for (int i = 0; i < m.net.n; i++)
        train[i] = m.net.layer[i].nparam > 0;
    struct par *p = par_new(1, &e);
    struct trainer *t =
        trainer_new(&m.net, m.weights, train, (int[]){0}, 1, ends, nends, batch,
                    train_precision_of((enum train_precision)precision), p, NULL, &e);
    if (p == NULL || t == NULL)
        mien_cli_die(&cli, "%s", p == NULL ? "out of memory" : e.msg);
    struct rng r = {1};
    for (size_t i = 0; i < (size_t)batch * shape_count(m.net.layer[0].shape); i++)
        trainer_act(t, 0)[i] = (float)(2 * rng_uniform(&r) - 1);
    double best = step(t, p, batch, ends, nends);
    struct par kept = *p;
    for (int i = 0; i < ROUNDS;
         i++) { /* of several steps the fastest, which others disturbed least */
        double all = step(t, p, batch, ends, nends);
        if (i == 0 || all < best) {
            best = all;
            kept = *p;
        }
    }
    print(&m.net, &kept, best);
    trainer_free(t);
    par_free(p);
    model_free(&m);
    return MIEN_EXIT_OK;
}
