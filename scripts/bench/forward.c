/*
 * A network's forward pass alone, for make bench: batches of pixels from a file, each divided over
 * the threads, which take a quarter of their share at once, or one image where a batch has one. For
 * every line of standard input it runs ROUNDS batches and answers with the seconds. The outputs of
 * the first BATCH images go to a file, for comparison with a peer's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mien/cli.h"
#include "util/file.h"
#include "net/model.h"
#include "util/num.h"
#include "util/par.h"
#include "infer/plan.h"
#include "util/clock.h"

struct forward {
    struct plan *plan;
    struct plan_work **work; /* one a thread */
    const void **in;         /* batch of them */
    float *out;
    size_t count; /* floats of an image's output */
    int part;     /* images that a thread takes at once */
    int batch;
};

static void *need(const struct mien_cli *c, void *p)
{
    if (p == NULL)
        mien_cli_die(c, "out of memory");
    return p;
}

static void run_part(void *ctx, int worker, size_t i)
{
    struct forward *f = ctx;
    int from = (int)i * f->part % f->batch;
    int n = f->batch - from < f->part ? f->batch - from : f->part;
    float *out = f->out + (size_t)from * f->count;
    plan_run(f->plan, f->work[worker], f->in + from, n, &out);
}

static int whole(const struct mien_cli *c, const char *arg)
{
    struct mien_err e;
    long long v;
    if (num_int(arg, 1, 4096, &v, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    return (int)v;
}

int main(int argc, char **argv)
{
    bool int8 = false, bf16 = false;
    const struct mien_option opts[] = {
        MIEN_OPT_FLAG(0, "int8", &int8, "convolutions in eight bits"),
        MIEN_OPT_FLAG(0, "bf16", &bf16, "convolutions in bfloat16"),
    };
    struct mien_cli cli = {.name = "forward",
                           .opts = opts,
                           .nopts = MIEN_CLI_NOPTS(opts),
                           .synopsis = "[--int8|--bf16] MODEL BATCH THREADS ROUNDS PIXELS OUTPUTS",
                           .purpose = "Times the forward pass whenever a line comes in."};
    struct forward f = {0};
    struct model m = {0};
    struct mien_buf pixels = {0};
    struct mien_err e;
    if (mien_cli_parse(&cli, argc, argv) != 6)
        mien_cli_die(&cli, "see --help");
    int threads = whole(&cli, argv[3]), rounds = whole(&cli, argv[4]);
    f.batch = whole(&cli, argv[2]);
    f.part = threads == 1 ? f.batch : (f.batch + 4 * threads - 1) / (4 * threads);
    if (model_load(&m, argv[1], &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    int last = m.net.n - 1;
    enum precision precision = int8 ? PRECISION_INT8 : bf16 ? PRECISION_BF16 : PRECISION_FLOAT;
    struct par *par = par_new(threads, &e);
    if (par == NULL || (f.plan = plan_new(&m, &last, 1, f.part, precision, &e)) == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    f.count = plan_out_count(f.plan, 0);
    f.work = need(&cli, calloc((size_t)threads, sizeof *f.work));
    f.in = need(&cli, calloc((size_t)f.batch, sizeof *f.in));
    f.out = need(&cli, calloc((size_t)f.batch * f.count, sizeof *f.out));
    for (int i = 0; i < threads; i++) {
        if ((f.work[i] = plan_work_new(f.plan, &e)) == NULL)
            mien_cli_die(&cli, "%s", e.msg);
    }
    size_t size = shape_count(m.net.layer[0].shape);
    int fd = file_open(argv[5], &e);
    if (fd < 0 || file_slurp(fd, &pixels, (size_t)1 << 30, argv[5], &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (pixels.len < size * (size_t)f.batch)
        mien_cli_die(&cli, "'%s' has too few pixels", argv[5]);
    for (int i = 0; i < f.batch; i++)
        f.in[i] = pixels.data + (size_t)i * size;

    size_t parts = (size_t)((f.batch + f.part - 1) / f.part);
    par_for(par, parts, run_part, &f);
    FILE *to = fopen(argv[6], "wb");
    if (to == NULL ||
        fwrite(f.out, sizeof *f.out * f.count, (size_t)f.batch, to) != (size_t)f.batch ||
        fclose(to) != 0)
        mien_cli_die(&cli, "cannot write '%s'", argv[6]);
    printf("ready %s\n", plan_simd(f.plan));
    fflush(stdout);
    for (int ch; (ch = getchar()) != EOF;) {
        if (ch != '\n')
            continue;
        double from = clock_seconds();
        if (f.batch == 1)
            par_for(par, (size_t)rounds, run_part, &f);
        for (int i = 0; f.batch > 1 && i < rounds; i++)
            par_for(par, parts, run_part, &f);
        printf("%.6f\n", clock_seconds() - from);
        fflush(stdout);
    }
    for (int i = 0; i < threads; i++)
        plan_work_free(f.work[i]);
    par_free(par);
    plan_free(f.plan);
    model_free(&m);
    mien_buf_free(&pixels);
    free(f.work);
    free(f.in);
    free(f.out);
    return MIEN_EXIT_OK;
}
