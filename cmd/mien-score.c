/* mien-score: how well predictions agree with labels. */
#include <limits.h>
#include <stdlib.h>

#include "cli/streams.h"
#include "mien/filter.h"
#include "score/run.h"

struct options {
    const char *bins, *by;
    int every;
    size_t limit;
    struct score_report report;
};

struct scorer {
    const struct mien_cli *cli;
    struct options o;
    struct score_rule rule;
    int keys[SCORE_MAX_KEYS];
    size_t nkeys;
    struct mien_buf out;
    bool bad;
};

static void print_running(struct scorer *s, const struct score_run *run, const char *name)
{
    if (score_report_running(&s->o.report, run, name, !s->o.report.resumed, &s->out) < 0)
        mien_cli_die(s->cli, "out of memory");
    s->o.report.resumed = true;
    cli_print(s->cli, &s->out);
}

static void add(struct scorer *s, struct score_run *run, const struct mien_rec *r, const char *name)
{
    struct mien_err e;
    int rc = score_run_add(run, r, &e);
    if (rc == MIEN_ERR_MEM)
        mien_cli_die(s->cli, "%s", e.msg);
    if (rc < 0)
        mien_filter_report(s->cli, run->records, r, e.msg);
    s->bad |= rc < 0;
    if (s->o.every > 0 && run->records % (uint64_t)s->o.every == 0)
        print_running(s, run, name);
}

/* Scores a file. Returns 0, or a negative code when it can't be read or the stream is broken. */
static int score_file(struct scorer *s, struct score_run *run, const char *path, struct mien_err *e)
{
    struct mien_progress progress;
    struct cli_input in;
    struct mien_rec r = {0};
    int rc = cli_input_open(&in, s->cli, path, s->o.limit, e);
    if (rc < 0)
        return rc;
    mien_cli_progress_start(&progress, s->cli, "records");
    while ((rc = cli_input_read(&in, &r, e)) > 0) {
        add(s, run, &r, path);
        mien_cli_progress(&progress, mien_reader_count(in.reader), 0, mien_reader_bytes(in.reader));
    }
    mien_cli_progress_end(&progress);
    cli_input_close(&in);
    mien_rec_free(&r);
    return rc;
}

/* Predictions and labels that never meet would make an empty report. */
static void warn_if_empty(struct scorer *s, const struct score_run *run, const char *path)
{
    if (run->total.count[COUNT_GENDER].total + run->total.count[COUNT_POINT].total +
            run->total.count[COUNT_BAND].total >
        0)
        return;
    mien_cli_warn(s->cli, "no record of '%s' has both a label and a prediction", path);
    s->bad = true;
}

/* Scores the files and reports on them; a broken one ends the program after the report. */
static void score_files(struct scorer *s, char **paths, size_t n)
{
    struct mien_err e;
    struct score_run *runs = calloc(n, sizeof *runs);
    int rc = 0;
    size_t done = 0;
    if (runs == NULL)
        mien_cli_die(s->cli, "out of memory");
    while (done < n && rc == 0) {
        struct score_run *run = &runs[done];
        *run = (struct score_run){.rule = &s->rule, .keys = s->keys, .nkeys = s->nkeys};
        rc = score_file(s, run, paths[done], &e);
        done += rc == 0 || run->records > 0;
        if (rc == 0)
            warn_if_empty(s, run, paths[done - 1]);
        score_run_sort(run);
    }
    if (done > 0 && score_report(&s->o.report, runs, (const char *const *)paths, done, &s->out) < 0)
        mien_cli_die(s->cli, "out of memory");
    cli_print(s->cli, &s->out);
    if (rc < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    for (size_t i = 0; i < n; i++)
        score_run_free(&runs[i]);
    free(runs);
}

int main(int argc, char **argv)
{
    struct scorer s = {.o.report.boot = 1000};
    const struct mien_option opts[] = {
        MIEN_OPT_CHOICE('f', "format", "FORMAT", &s.o.report.format, "text|tsv|json",
                        "text, tsv or json [text]"),
        MIEN_OPT_CHOICE('p', "point", "POINT", &s.rule.point, "expectation|median|mode",
                        "age for CS, bins and bands: expectation, median or mode [expectation]"),
        MIEN_OPT_STR(0, "bins", "BINS", &s.o.bins,
                     "age bins: decades, fairface, adience, or their lowest ages, as in 0,18,65 "
                     "[decades]"),
        MIEN_OPT_STR(0, "by", "KEYS", &s.o.by,
                     "also score slices, such as group, gender, bin, subject or group,gender"),
        MIEN_OPT_INT(0, "boot", "N", &s.o.report.boot, 0, 1000000,
                     "resamples for confidence intervals, 0 for none [1000]"),
        MIEN_OPT_SEED('s', "seed", "N", &s.o.report.seed, "seed of the resamples [0]"),
        MIEN_OPT_INT(0, "every", "N", &s.o.every, 1, INT_MAX,
                     "print a line after every N records, for streams that never end"),
        MIEN_OPT_SIZE(0, "max-record", "SIZE", &s.o.limit, 1, 4294967295.0,
                      "refuse larger records [64M]"),
        MIEN_OPT_ALIAS('b', NULL, "bins"),
        MIEN_OPT_ALIAS('B', NULL, "boot"),
        MIEN_OPT_ALIAS('e', NULL, "every"),
    };
    struct mien_cli cli = {
        .name = "mien-score",
        .synopsis = "[options] [file ...] < predictions.mien",
        .purpose = "Scores predictions of age and gender against labels; several files side by "
                   "side.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .examples = "mien-predict agegender.model < test.mien | mien-score\n"
                    "mien-score --by group,gender predictions.mien",
    };
    char *standard_input[] = {"-"};
    struct mien_err e;

    int n = mien_cli_parse(&cli, argc, argv);
    s.cli = &cli;
    if (score_bins(&s.rule, s.o.bins, &e) < 0)
        mien_cli_die(&cli, "--bins: %s", e.msg);
    if (s.o.by != NULL && score_keys(s.o.by, s.keys, &s.nkeys, &e) < 0)
        mien_cli_die(&cli, "--by: %s", e.msg);
    score_files(&s, n > 0 ? argv + 1 : standard_input, n > 0 ? (size_t)n : 1);
    mien_buf_free(&s.out);
    return s.bad ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}
