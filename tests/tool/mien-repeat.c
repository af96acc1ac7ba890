/*
 * Writes each record as often as its age modulo 4 says, numbered behind its id: the test of a
 * filter that makes several records of one, or none.
 */
#include <stdio.h>

#include "mien/filter.h"

static int repeat(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                  struct mien_err *e)
{
    for (size_t i = 0; i < n; i++) {
        int age = 0;
        mien_rec_int(rec[i], MIEN_TAG_AGE, &age);
        drop[i] = true;
        for (int k = 1; k <= age % 4; k++) {
            char id[256], numbered[300];
            snprintf(numbered, sizeof numbered, "%s#%d", mien_rec_id(rec[i], id, sizeof id), k);
            struct mien_rec *r = mien_filter_add(ctx, worker, i);
            if (r == NULL || mien_rec_share(r, rec[i]) < 0 ||
                mien_rec_set_str(r, MIEN_TAG_ID, numbered) < 0)
                return mien_err_mem(e, sizeof numbered, "a record");
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct mien_filter f = {.fn = repeat};
    int batch = 1;
    const struct mien_option opts[] = {
        MIEN_OPT_INT('b', "batch", "N", &batch, 1, 256, "records a call [1]"),
        MIEN_FILTER_OPTIONS(f),
    };
    struct mien_cli cli = {
        .name = "mien-repeat",
        .synopsis = "[options] < records.mien > records.mien",
        .purpose = "Writes records as often as their age modulo 4 says.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    f.cli = &cli;
    f.ctx = &f;
    if (mien_cli_parse(&cli, argc, argv) != 0)
        mien_cli_die(&cli, "takes no arguments");
    f.batch = (size_t)batch;
    return mien_filter_run(&f);
}
