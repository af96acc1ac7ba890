/* What the processor can do: multiply-adds a second of OpenBLAS's sgemm, of one thread and of as
   many at once as there are cores, each with matrices of its own. Prints "CORE ONE ALL". */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "mien/cli.h"
#include "util/cores.h"
#include "util/par.h"
#include "util/clock.h"

enum { N = 768, TIMES = 12, ROUNDS = 9 };

struct peak {
    float *a[256]; /* a worker's two matrices */
};

static void multiply(void *ctx, int worker, size_t i)
{
    struct peak *p = ctx;
    float *a = p->a[worker];
    (void)i;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a, N, 0, a + N * N, N);
}

/* The best of several rounds: what is possible, not what is usual. */
static double rate(struct peak *p, int threads, const struct mien_cli *c)
{
    struct mien_err e;
    struct par *par = par_new(threads, &e);
    double best = 0;
    if (par == NULL)
        mien_cli_die(c, "%s", e.msg);
    for (int r = 0; r < ROUNDS; r++) {
        size_t n = (size_t)TIMES * (size_t)threads;
        double from = clock_seconds();
        par_for(par, n, multiply, p);
        double got = (double)n * N * N * N / (clock_seconds() - from);
        best = got > best ? got : best;
    }
    par_free(par);
    return best;
}

int main(int argc, char **argv)
{
    struct mien_cli cli = {.name = "sgemm", .synopsis = "", .purpose = "Measures sgemm."};
    struct peak p;
    int cores = cores_usable();
    if (mien_cli_parse(&cli, argc, argv) != 0)
        mien_cli_die(&cli, "takes no arguments");
    for (int i = 0; i < cores; i++) {
        if ((p.a[i] = calloc((size_t)2 * N * N, sizeof(float))) == NULL)
            mien_cli_die(&cli, "out of memory");
    }
    openblas_set_num_threads(1);
    double one = rate(&p, 1, &cli), all = rate(&p, cores, &cli);
    printf("%s %.4g %.4g\n", openblas_get_corename(), one, all);
    for (int i = 0; i < cores; i++)
        free(p.a[i]);
    return MIEN_EXIT_OK;
}
