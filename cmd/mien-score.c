/* mien-score: how well predictions agree with labels. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/state.h"
#include "cli/streams.h"
#include "mien/filter.h"
#include "score/pairs.h"
#include "score/suspects.h"
#include "util/file.h"

struct options {
    const char *bins, *by, *save;
    bool merge;
    int every, suspects;
    bool paired;
    size_t limit;
    struct score_report report;
};

struct scorer {
    struct mien_cli *cli;
    struct options o;
    struct score_rule rule;
    struct column keys[SCORE_MAX_KEYS];
    size_t nkeys;
    struct columns_unseen unseen;
    struct mien_buf out;
    uint64_t records;
    bool empty; /* one of the files is */
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
    columns_see(&s->unseen, r);
    int rc = score_run_add(run, r, &e);
    if (rc == MIEN_ERR_MEM)
        mien_cli_die(s->cli, "%s", e.msg);
    if (rc < 0)
        mien_filter_report(s->cli, run->records, r, e.msg);
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
    mien_cli_progress_input(&progress, in.fd);
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
    if (score_run_any(run))
        return;
    mien_cli_warn(s->cli, "no record of '%s' has both a label and a prediction", path);
    s->empty = true;
}

static void save(struct scorer *s, struct score_run *run)
{
    struct mien_err e;
    if (s->o.save != NULL && score_run_write(run, s->o.save, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
}

static void report(struct scorer *s, const struct score_run *runs, const char *const *names,
                   size_t n)
{
    if (n > 0 && score_report(&s->o.report, runs, names, n, &s->out) < 0)
        mien_cli_die(s->cli, "out of memory");
    cli_print(s->cli, &s->out);
}

/* Sums up saved scores and reports on the sum as on one stream. */
static void merge(struct scorer *s, char **paths, size_t n)
{
    static const char *const name = "-";
    struct mien_err e;
    struct score_saved saved = {.by = ""};
    struct score_run run = {0};
    for (size_t i = 0; i < n; i++) {
        if (score_run_merge(&run, &saved, paths[i], &e) < 0)
            mien_cli_die(s->cli, "%s", e.msg);
    }
    if (run.nslice == 1 && strcmp(run.slice[0].name, "(none)") == 0 && strcmp(saved.by, "bin") != 0)
        mien_cli_die(s->cli, "--by: no record has '%s'", saved.by);
    warn_if_empty(s, &run, name);
    score_run_sort(&run);
    save(s, &run);
    report(s, &run, &name, 1);
    score_run_free(&run);
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
        s->unseen.n = 0;
        columns_expect(&s->unseen, s->keys, s->nkeys);
        rc = score_file(s, run, paths[done], &e);
        done += rc == 0 || run->records > 0;
        bool part = s->o.save != NULL; /* of which there may be nothing to score */
        if (rc == 0 && run->records > 0 && columns_seen(&s->unseen, &e) < 0) {
            if (!part)
                mien_cli_die(s->cli, "--by: %s", e.msg);
            mien_cli_warn(s->cli, "--by: %s of '%s'", e.msg, paths[done - 1]);
        }
        if (rc == 0 && !part)
            warn_if_empty(s, run, paths[done - 1]);
        score_run_sort(run);
        if (rc == 0)
            save(s, run);
    }
    report(s, runs, (const char *const *)paths, done);
    if (rc < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    for (size_t i = 0; i < n; i++) {
        s->records += runs[i].records;
        score_run_free(&runs[i]);
    }
    free(runs);
}

/* Writes the records of all files whose labels are the least likely. */
static void write_suspects(struct scorer *s, char **paths, size_t n)
{
    struct suspects found = {.most = (size_t)s->o.suspects};
    struct cli_output out;
    struct mien_err e;
    uint64_t judged = 0;
    mien_cli_history(s->cli, "--suspects %d", s->o.suspects);
    cli_output_open(&out, s->cli, false);
    for (size_t i = 0; i < n; i++) {
        struct cli_input in;
        struct mien_rec r = {0};
        int rc = cli_input_open(&in, s->cli, paths[i], s->o.limit, &e);
        while (rc >= 0 && (rc = cli_input_read(&in, &r, &e)) > 0) {
            s->records++;
            rc = suspects_add(&found, &r, &e);
            judged += rc > 0;
        }
        if (rc < 0)
            mien_cli_die(s->cli, "%s", e.msg);
        mien_filter_history(s->cli, in.reader, out.writer);
        cli_input_close(&in);
        mien_rec_free(&r);
    }
    for (size_t i = 0; i < found.n; i++)
        cli_output_put(&out, &found.list[i].rec);
    cli_output_end(&out);
    suspects_free(&found);
    if (judged == 0) {
        mien_cli_warn(s->cli, "no record has both a label and a prediction");
        s->empty = true;
    }
}

/* Scores the same records of two files against each other. */
static void score_pairs(struct scorer *s, char **paths)
{
    struct pairs p = {.rule = &s->rule};
    struct cli_input in[2];
    struct mien_rec r[2] = {0};
    struct mien_err e;
    int got[2];
    for (int i = 0; i < 2; i++) {
        if (cli_input_open(&in[i], s->cli, paths[i], s->o.limit, &e) < 0)
            mien_cli_die(s->cli, "%s", e.msg);
    }
    for (;;) {
        for (int i = 0; i < 2; i++) {
            if ((got[i] = cli_input_read(&in[i], &r[i], &e)) < 0)
                mien_cli_die(s->cli, "%s", e.msg);
        }
        if (got[0] == 0 || got[1] == 0)
            break;
        int rc = pairs_add(&p, &r[0], &r[1], &e);
        if (rc == MIEN_ERR_ARG)
            mien_cli_die(s->cli,
                         "record %llu of '%s' and of '%s' are of different images: --paired takes "
                         "predictions of the same records in the same order",
                         (unsigned long long)p.records, paths[0], paths[1]);
        if (rc == MIEN_ERR_MEM)
            mien_cli_die(s->cli, "%s", e.msg);
        if (rc < 0)
            mien_filter_report(s->cli, p.records, &r[0], e.msg);
    }
    s->records = p.records;
    if (got[0] != got[1])
        mien_cli_die(s->cli, "'%s' ends after %llu records, '%s' doesn't", paths[got[0] > 0],
                     (unsigned long long)p.records, paths[got[0] == 0]);
    if (!pairs_any(&p)) {
        mien_cli_warn(s->cli, "no record has a label and both predictions");
        s->empty = true;
    }
    if (pairs_report(&s->o.report, &p, paths[0], paths[1], &s->out) < 0)
        mien_cli_die(s->cli, "out of memory");
    cli_print(s->cli, &s->out);
    for (int i = 0; i < 2; i++) {
        cli_input_close(&in[i]);
        mien_rec_free(&r[i]);
    }
    pairs_free(&p);
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
        MIEN_OPT_INT(0, "over", "AGE", &s.rule.over, 1, MIEN_AGE_MAX,
                     "judge age checks: only people of this age or over should pass"),
        MIEN_OPT_INT(0, "challenge", "AGE", &s.rule.challenge, 1, MIEN_AGE_MAX,
                     "people judged to be this age or over pass [the age of --over]"),
        MIEN_OPT_FLAG(0, "tables", &s.o.report.tables,
                      "also print how well confidences agree with what is right"),
        MIEN_OPT_FLAG(0, "paired", &s.o.paired,
                      "compare two files of predictions of the same records"),
        MIEN_OPT_INT(
            0, "suspects", "N", &s.o.suspects, 1, 1000000,
            "write the N records whose labels are the least likely according to their predictions"),
        MIEN_OPT_INT(0, "boot", "N", &s.o.report.boot, 0, 1000000,
                     "resamples for confidence intervals, 0 for none [1000]"),
        MIEN_OPT_SEED('s', "seed", "N", &s.o.report.seed, "seed of the resamples [0]"),
        MIEN_OPT_INT(0, "every", "N", &s.o.every, 1, INT_MAX,
                     "print a line after every N records, for streams that never end"),
        MIEN_OPT_STR(0, "save", "FILE", &s.o.save, "save the score to FILE, for --merge"),
        MIEN_OPT_FLAG(0, "merge", &s.o.merge, "the files are saved scores; report on their sum"),
        MIEN_OPT_SIZE(0, "max-record", "SIZE", &s.o.limit, 1, 4294967295.0,
                      "refuse larger records [64M]"),
        MIEN_OPT_ALIAS('b', NULL, "bins"),
        MIEN_OPT_ALIAS('B', NULL, "boot"),
        MIEN_OPT_ALIAS('e', NULL, "every"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUSIVE("merge paired suspects every"),
        MIEN_RULE_EXCLUDES("merge", "point bins over challenge by"),
        MIEN_RULE_EXCLUDES("paired suspects", "over by tables save"),
        MIEN_RULE_NEEDS("challenge", "over"),
    };
    struct mien_cli cli = {
        .name = "mien-score",
        .synopsis = "[options] [file ...] < predictions.mien\n"
                    "--merge [options] file ...\n"
                    "--suspects N [options] [file ...] > suspects.mien",
        .purpose = "Scores predictions of age and gender against labels; several files side by "
                   "side.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_OUTPUT | MIEN_CLI_RANGE | MIEN_CLI_MAX_BAD,
        .examples = "mien-predict agegender.model < test.mien | mien-score\n"
                    "mien-score --by group,gender predictions.mien\n"
                    "mien-score --merge shard-*.score\n"
                    "mien-score --suspects 60 predictions.mien | mien-montage -o suspects.jpg",
    };
    char *standard_input[] = {"-"};
    struct mien_err e;

    int n = mien_cli_parse(&cli, argc, argv);
    s.cli = &cli;
    if (score_bins(&s.rule, s.o.bins, &e) < 0)
        mien_cli_die(&cli, "--bins: %s", e.msg);
    if (s.o.by != NULL && score_keys(s.o.by, s.keys, &s.nkeys, &e) < 0)
        mien_cli_die(&cli, "--by: %s", e.msg);
    if (s.rule.challenge == 0)
        s.rule.challenge = s.rule.over;
    if (s.o.paired && n != 2)
        mien_cli_die(&cli, "--paired takes two files");
    if (s.o.save != NULL && !s.o.merge && n > 1)
        mien_cli_die(&cli, "--save takes one file");
    if (s.o.save != NULL && cli.state->output != NULL && file_same(s.o.save, cli.state->output))
        mien_cli_die(&cli, "--save and --output can't both go to '%s'", s.o.save);
    if (s.o.merge)
        merge(&s, argv + 1, (size_t)mien_cli_operands(&cli, n, argv, 1, INT_MAX, "FILE"));
    else if (s.o.paired)
        score_pairs(&s, argv + 1);
    else if (s.o.suspects > 0)
        write_suspects(&s, n > 0 ? argv + 1 : standard_input, n > 0 ? (size_t)n : 1);
    else
        score_files(&s, n > 0 ? argv + 1 : standard_input, n > 0 ? (size_t)n : 1);
    mien_buf_free(&s.out);
    int status = mien_cli_end(&cli, s.records);
    return s.empty ? MIEN_EXIT_BAD : status;
}
