/*
 * Writes each record as often as its age modulo 4 says, numbered behind its id: the test of a
 * filter that makes several records of one, or none.
 */
#include <stdio.h>

#include "mien/filter.h"

static int repeat(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        int age = 0;
        rec_int(rec[i], TAG_AGE, &age);
        drop[i] = true;
        for (int k = 1; k <= age % 4; k++) {
            char id[256], numbered[300];
            snprintf(numbered, sizeof numbered, "%s#%d", rec_id(rec[i], id, sizeof id), k);
            struct rec *r = filter_add(ctx, worker, i);
            if (r == NULL || rec_share(r, rec[i]) < 0 || rec_set_str(r, TAG_ID, numbered) < 0)
                return err_mem(e, sizeof numbered, "a record");
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct filter f = {.fn = repeat};
    int batch = 1;
    const struct cli_opt opts[] = {
        {'b', "batch", "N", "records a call [1]", CLI_INT, &batch, 1, 256, NULL, NULL},
        FILTER_OPTIONS(f),
    };
    struct cli cli = {"mien-repeat", "[options] < records.mien > records.mien",
                      "Writes records as often as their age modulo 4 says.", opts, CLI_NOPTS(opts),
                      false};
    f.cli = &cli;
    f.ctx = &f;
    if (cli_parse(&cli, argc, argv) != 0)
        cli_die(&cli, "takes no arguments");
    f.batch = (size_t)batch;
    return filter_run(&f);
}
