/*
 * How fast a network runs forward: images a second for a batch size and a number of threads, each
 * of which runs batches of its own, and where the time goes, against this machine's sgemm.
 */
#define _POSIX_C_SOURCE 200809L
#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mien/cli.h"
#include "util/file.h"
#include "util/hash.h"
#include "net/model.h"
#include "util/par.h"
#include "infer/plan.h"

struct bench {
    struct plan *plan;
    struct plan_work **work;
    const void **in;
    float **out;
    int batch;
};

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *need(const struct mien_cli *c, void *p)
{
    if (p == NULL)
        mien_cli_die(c, "out of memory");
    return p;
}

/* Multiply-adds a second of one thread's sgemm at its best. */
static double sgemm_peak(const struct mien_cli *c)
{
    const int n = 768;
    float *a = need(c, calloc((size_t)n * n, sizeof *a)),
          *b = need(c, calloc((size_t)n * n, sizeof *b));
    double best = 1e9;
    for (int i = 0; i < 20; i++) {
        double from = now(CLOCK_THREAD_CPUTIME_ID);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, a, n, 0, b, n);
        double took = now(CLOCK_THREAD_CPUTIME_ID) - from;
        best = took < best ? took : best;
    }
    free(a);
    free(b);
    return (double)n * n * n / best;
}

static void run_batch(void *ctx, int worker, size_t i)
{
    struct bench *b = ctx;
    (void)i;
    plan_run(b->plan, b->work[worker], b->in, b->batch, &b->out[worker]);
}

/* Random weights of a size that keeps activations in range; statistics as of a trained network. */
static void load(const struct mien_cli *c, const char *path, struct model *m)
{
    struct mien_buf text = {0};
    struct mien_err e;
    int fd = file_open(path, &e);
    if (fd < 0 || file_slurp(fd, &text, 1 << 20, path, &e) < 0 ||
        net_parse(&m->net, (const char *)text.data, text.len, &e) < 0 ||
        (m->weights = net_weights_new(&m->net, &e)) == NULL)
        mien_cli_die(c, "%s", e.msg);
    net_init(&m->net, m->weights, 1);
    struct shape s = m->net.layer[0].shape;
    char prep[40];
    int len = snprintf(prep, sizeof prep, "size=%dx%d scale=0.0078", s.h, s.w);
    if (mien_prep_parse(&m->prep, prep, (size_t)len, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    mien_buf_free(&text);
}

static void print_steps(const struct bench *b, const double *seconds, double images, double peak)
{
    double all = 0, madds;
    for (int i = 0; i < plan_steps(b->plan); i++)
        all += seconds[i];
    printf("layer\ttype\tshape\tms\tshare\tGFLOP/s\tof sgemm\n");
    for (int i = 0; i < plan_steps(b->plan); i++) {
        const struct layer *l = plan_step(b->plan, i, &madds);
        double t = seconds[i] / images;
        printf("%s\t%s\t%dx%dx%d\t%.3f\t%.1f%%\t%.1f\t%.0f%%\n", l->name, layer_type_name(l->type),
               l->shape.h, l->shape.w, l->shape.c, 1e3 * t, 100 * seconds[i] / all,
               2e-9 * madds / t, 100 * madds / t / peak);
    }
}

int main(int argc, char **argv)
{
    int batch = 32, jobs = 1, rounds = 20;
    bool layers = false, int8 = false;
    const struct mien_option opts[] = {
        MIEN_OPT_INT('b', "batch", "N", &batch, 1, 4096, "images a batch [32]"),
        MIEN_OPT_INT('j', "jobs", "N", &jobs, 1, 256, "threads, each with batches of its own [1]"),
        MIEN_OPT_INT('r', "rounds", "N", &rounds, 1, 1000,
                     "rounds, of a tenth of a second or more; the best counts [20]"),
        MIEN_OPT_FLAG('l', "layers", &layers, "time of every layer (one thread)"),
        MIEN_OPT_FLAG(0, "int8", &int8, "convolutions in eight bits"),
    };
    struct mien_cli cli = {.name = "mien-bench-net",
                           .synopsis = "[options] NETWORK.net",
                           .purpose = "Measures how fast a network runs forward.",
                           .opts = opts,
                           .nopts = MIEN_CLI_NOPTS(opts)};
    if (mien_cli_parse(&cli, argc, argv) != 1)
        mien_cli_die(&cli, "give a network's description");
    struct model m = {0};
    struct mien_err e;
    struct rng r = {1};
    load(&cli, argv[1], &m);
    if (layers)
        jobs = 1;
    int out = m.net.n - 1;
    enum precision precision = int8 ? PRECISION_INT8 : PRECISION_FLOAT;
    struct bench b = {.batch = batch, .plan = plan_new(&m, &out, 1, batch, precision, &e)};
    struct par *par = par_new(jobs, &e);
    if (b.plan == NULL || par == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    size_t pixels = shape_count(m.net.layer[0].shape), count = plan_out_count(b.plan, 0);
    b.work = need(&cli, calloc((size_t)jobs, sizeof *b.work));
    b.out = need(&cli, calloc((size_t)jobs, sizeof *b.out));
    b.in = need(&cli, calloc((size_t)batch, sizeof *b.in));
    unsigned char *image = need(&cli, malloc(pixels * (size_t)batch));
    for (size_t i = 0; i < pixels * (size_t)batch; i++)
        image[i] = (unsigned char)rng_below(&r, 256);
    for (int i = 0; i < batch; i++)
        b.in[i] = image + (size_t)i * pixels;
    for (int j = 0; j < jobs; j++) {
        b.out[j] = need(&cli, malloc((size_t)batch * count * sizeof **b.out));
        b.work[j] = plan_work_new(b.plan, &e);
        if (b.work[j] == NULL)
            mien_cli_die(&cli, "%s", e.msg);
    }
    double peak = sgemm_peak(&cli), madds = 0, best = 1e9, bestcpu = 1e9;
    for (int i = 0; i < m.net.n; i++)
        madds += layer_madds(&m.net, i);

    size_t runs = (size_t)jobs;
    double from = now(CLOCK_MONOTONIC);
    par_for(par, runs, run_batch, &b);
    double took = now(CLOCK_MONOTONIC) - from;
    if (took < 0.1)
        runs *= (size_t)(0.1 / took) + 1;
    size_t nstep = (size_t)plan_steps(b.plan);
    double *seconds = need(&cli, calloc(nstep, sizeof *seconds));
    double *least = need(&cli, calloc(nstep, sizeof *least));
    if (layers)
        plan_time(b.work[0], seconds);
    for (int k = 0; k < rounds; k++) {
        double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        from = now(CLOCK_MONOTONIC);
        par_for(par, runs, run_batch, &b);
        took = now(CLOCK_MONOTONIC) - from;
        cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        best = took < best ? took : best;
        bestcpu = cpu < bestcpu ? cpu : bestcpu;
        for (size_t i = 0; i < nstep; i++) {
            least[i] = k == 0 || seconds[i] < least[i] ? seconds[i] : least[i];
            seconds[i] = 0;
        }
    }
    double images = (double)runs * batch;
    if (layers)
        print_steps(&b, least, images, peak);
    printf("%s, %s, batch %d, %d threads: %.1f images/s, %.2f ms of processor an image, %.1f "
           "GFLOP/s a "
           "thread, %.0f%% of sgemm's %.1f (%s), work space %.1f MB\n",
           argv[1], plan_simd(b.plan), batch, jobs, images / best, 1e3 * bestcpu / images,
           2e-9 * madds * images / bestcpu, 100 * madds * images / bestcpu / peak, 2e-9 * peak,
           openblas_get_corename(), 1e-6 * (double)plan_work_bytes(b.plan));
    for (int j = 0; j < jobs; j++) {
        plan_work_free(b.work[j]);
        free(b.out[j]);
    }
    par_free(par);
    plan_free(b.plan);
    model_free(&m);
    free(seconds);
    free(least);
    free(image);
    free(b.work);
    free(b.out);
    free(b.in);
    return MIEN_EXIT_OK;
}
