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
    struct score_run *run; /* under way */
    const char *path;      /* that it is of */
    struct mien_buf out;
    uint64_t records;
    bool empty; /* one of the files is */
};

static _Noreturn void die(const struct scorer *s, const struct mien_err *e)
{
    mien_cli_die(s->cli, "%s", e->msg);
}

/* Prints what is in s->out, which the last call has appended to. */
static void print(struct scorer *s, int rc)
{
    if (rc < 0)
        mien_cli_die(s->cli, "out of memory");
    cli_print(s->cli, &s->out);
}

static void warn_of_empty(struct scorer *s, const char *why)
{
    mien_cli_warn(s->cli, "%s", why);
    s->empty = true;
}

/* --- Files of predictions ------------------------------------------------------------------- */

static int add(void *ctx, const struct mien_rec *r, struct mien_err *e)
{
    struct scorer *s = ctx;
    struct score_run *run = s->run;
    int rc = score_run_add(run, r, e);
    cli_check_record(s->cli, run->records, r, rc, e);
    if (s->o.every > 0 && run->records % (uint64_t)s->o.every == 0)
        print(s, score_report_running(&s->o.report, run, s->path, &s->out));
    return 0;
}

/* Predictions and labels that never meet would make an empty report. */
static void warn_if_empty(struct scorer *s, const struct score_run *run, const char *path)
{
    if (score_run_any(run))
        return;
    mien_cli_warn(s->cli, "no record of '%s' has both a label and a prediction", path);
    s->empty = true;
}

/* Checks what has been read to its end, and saves it. */
static void finish_file(struct scorer *s)
{
    struct mien_err e;
    bool part = s->o.save != NULL; /* of which there may be nothing to score */
    bool keyed = score_run_check_keys(s->run, &e) == 0;
    if (!keyed && !part)
        mien_cli_die(s->cli, "--by: %s", e.msg);
    if (!keyed)
        mien_cli_warn(s->cli, "--by: %s of '%s'", e.msg, s->path);
    if (!part)
        warn_if_empty(s, s->run, s->path);
    if (part && score_run_write(s->run, s->o.save, &e) < 0)
        die(s, &e);
}

/* Scores the files and reports on them; a broken one ends the program after the report. */
static void score_files(struct scorer *s, const char *const *paths, size_t n)
{
    struct mien_err e;
    struct score_run *runs = calloc(n, sizeof *runs);
    int rc = 0;
    size_t done = 0;
    if (runs == NULL)
        mien_cli_die(s->cli, "out of memory");
    for (size_t i = 0; i < n && rc == 0; i++) {
        s->run = &runs[i];
        s->path = paths[i];
        *s->run = (struct score_run){.rule = &s->rule, .keys = s->keys, .nkeys = s->nkeys};
        rc = cli_input_each(s->cli, paths[i], s->o.limit, add, s, &e);
        score_run_sort(s->run);
        if (rc == 0)
            finish_file(s);
        done += rc == 0 || s->run->records > 0;
        s->records += s->run->records;
    }
    print(s, done > 0 ? score_report(&s->o.report, runs, paths, done, &s->out) : 0);
    if (rc < 0)
        die(s, &e);
    for (size_t i = 0; i < n; i++)
        score_run_free(&runs[i]);
    free(runs);
}

/* --- Other ways ----------------------------------------------------------------------------- */

/* Sums up saved scores and reports on the sum as on one stream. */
static void merge(struct scorer *s, const char *const *paths, size_t n)
{
    static const char *const name = "-";
    struct mien_err e;
    struct score_saved saved = {.by = ""};
    struct score_run run = {0};
    if (score_run_merge(&run, &saved, paths, n, &e) < 0)
        die(s, &e);
    warn_if_empty(s, &run, name);
    if (s->o.save != NULL && score_run_write(&run, s->o.save, &e) < 0)
        die(s, &e);
    print(s, score_report(&s->o.report, &run, &name, 1, &s->out));
    score_run_free(&run);
}

/* Writes the records of all files whose labels are the least likely. */
static void write_suspects(struct scorer *s, const char *const *paths, size_t n)
{
    struct suspects found = {.most = (size_t)s->o.suspects};
    struct cli_output out;
    struct mien_err e;
    mien_cli_history(s->cli, "--suspects %d", s->o.suspects);
    cli_output_open(&out, s->cli, false);
    for (size_t i = 0; i < n; i++) {
        if (cli_input_each(s->cli, paths[i], s->o.limit, suspects_add, &found, &e) < 0)
            die(s, &e);
    }
    for (size_t i = 0; i < found.n; i++)
        cli_output_put(&out, &found.list[i].rec);
    cli_output_end(&out);
    if (found.judged == 0)
        warn_of_empty(s, "no record has both a label and a prediction");
    s->records = found.records;
    suspects_free(&found);
}

/* Scores the same records of two files against each other. */
static void score_pairs(struct scorer *s, const char *const *paths)
{
    struct pairs p = {.rule = &s->rule};
    struct pairs_input both = {.name = {paths[0], paths[1]}};
    struct cli_input in[2];
    struct mien_err e;
    int rc;
    for (int i = 0; i < 2; i++) {
        if (cli_input_open(&in[i], s->cli, paths[i], s->o.limit, &e) < 0)
            die(s, &e);
        both.reader[i] = in[i].reader;
    }
    while ((rc = pairs_read(&p, &both, &e)) > 0) {
        rc = pairs_add(&p, &both.rec[0], &both.rec[1], &e);
        cli_check_record(s->cli, p.records, &both.rec[0], rc, &e);
    }
    if (rc < 0)
        die(s, &e);
    if (!pairs_any(&p))
        warn_of_empty(s, "no record has a label and both predictions");
    print(s, pairs_report(&s->o.report, &p, paths[0], paths[1], &s->out));
    s->records = p.records;
    for (int i = 0; i < 2; i++) {
        cli_input_close(&in[i]);
        mien_rec_free(&both.rec[i]);
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
        MIEN_OPT_MAX_RECORD(&s.o.limit),
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
        mien_cli_operands(&cli, n, argv, 1, INT_MAX, "FILE");
    const char *const *paths = cli_paths(&n, argv);
    if (s.o.merge)
        merge(&s, paths, (size_t)n);
    else if (s.o.paired)
        score_pairs(&s, paths);
    else if (s.o.suspects > 0)
        write_suspects(&s, paths, (size_t)n);
    else
        score_files(&s, paths, (size_t)n);
    mien_buf_free(&s.out);
    int status = mien_cli_end(&cli, s.records);
    return s.empty ? MIEN_EXIT_BAD : status;
}
