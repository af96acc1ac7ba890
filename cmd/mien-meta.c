/* mien-meta: labels from .mat files, tables and file names to records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/streams.h"
#include "labels/meta.h"
#include "labels/set.h"
#include "mien/cli.h"
#include "mien/filter.h"
#include "mien/record.h"
#include "util/file.h"

struct run {
    struct mien_cli *cli;
    struct meta_rule o; /* what the options say, over what the set says */
    const char *set_name;
    struct set set;
    bool all, list, strict;
    int fraction;
    struct cli_output out;
    struct mien_rec rec;
    uint64_t records, bad, empty; /* read, and of those bad; tables without rows */
};

/* Reports a bad row; msg begins with where it is, as in "line 3 (a.jpg): no such gender". */
static void report_row(struct run *run, const char *name, const char *msg)
{
    char where[600];
    const char *cause = strstr(msg, "): ");

    if (cause)
        cause++;
    else
        cause = strstr(msg, ": ");
    snprintf(where, sizeof where, "%s: %.*s", name, cause ? (int)(cause - msg) : 0, msg);
    if (cause)
        cli_output_bad(&run->out, where, cause + 2);
    else
        cli_output_bad(&run->out, name, msg);
}

/* Reports what is bad in a record. */
static void report(struct run *run, const struct meta *m, const char *name, const char *why)
{
    run->bad++;
    if (meta_is_stream(m))
        cli_output_report(&run->out, meta_count(m), &run->rec, why);
    else
        report_row(run, name, why);
}

static int read_labels(struct run *run, int fd, const char *name, struct mien_err *e)
{
    struct meta *m = meta_open(fd, name, &run->o, e);
    struct mien_progress progress;
    struct mien_buf summary = {0};
    uint64_t bad = run->bad;
    int rc;

    if (m == NULL)
        return MIEN_ERR_FORMAT;
    if (*meta_ignored(m))
        mien_cli_note(run->cli, "%s: columns ignored: %s", name, meta_ignored(m));
    mien_cli_progress_start(&progress, run->cli, "records");
    while ((rc = meta_next(m, &run->rec, e)) == 1 || rc == MIEN_ERR_FORMAT) {
        if (meta_is_stream(m))
            mien_cli_progress(&progress, meta_count(m), 0, meta_bytes(m));
        if (rc < 0) {
            mien_cli_progress_end(&progress);
            report(run, m, name, e->msg);
        }
        if (meta_is_stream(m) || mien_rec_has(&run->rec, MIEN_TAG_ID))
            cli_output_put(&run->out, &run->rec);
    }
    mien_cli_progress_end(&progress);
    run->records += meta_count(m);
    if (rc == 0 && meta_summary(m, run->bad - bad, &summary) < 0)
        rc = mien_err_mem(e, 1, "a summary");
    cli_note_lines(run->cli, &summary);
    if (rc == 0 && meta_count(m) == 0 && !meta_is_stream(m)) {
        mien_cli_warn(run->cli, "%s: no rows, only a header", name);
        run->empty++;
    }
    mien_filter_history(run->cli, meta_stream(m), NULL);
    meta_close(m);
    return rc;
}

static void take(struct run *run, const char *path)
{
    const char *name = strcmp(path, "-") ? path : "standard input";
    struct mien_err e;
    int fd = file_open(path, &e);

    if (fd < 0)
        cli_output_die(&run->out, e.msg);
    mien_cli_check_input(run->cli, fd);
    if (read_labels(run, fd, name, &e) < 0) {
        struct mien_err why;
        mien_err_set(&why, MIEN_ERR_FORMAT, "%s: %s", name, e.msg);
        cli_output_die(&run->out, why.msg);
    }
    if (fd != STDIN_FILENO)
        close(fd);
}

static struct mien_reader *new_reader(void *cli, int fd, size_t limit, struct mien_err *e)
{
    return mien_filter_reader(cli, fd, limit, e);
}

/* Prints the sets that are known, and ends the program. */
static _Noreturn void list_sets(struct run *run)
{
    struct mien_buf out = {0};
    struct mien_err e;

    if (mien_buf_printf(&out, "name\ttitle\tlicense\tsource\n") < 0 || set_list(&out, &e) < 0)
        mien_cli_die(run->cli, "out of memory");
    cli_print(run->cli, &out);
    mien_buf_free(&out);
    exit(MIEN_EXIT_OK);
}

/* Puts the options over what the set says. A name of names is that of a set. */
static void prepare_rule(struct run *run)
{
    struct rule *r = &run->o.rule;
    struct mien_err e;

    r->ages.round = run->fraction == 1;
    if (r->names != NULL && strpbrk(r->names, "{*") == NULL && run->set_name == NULL) {
        run->set_name = r->names;
        r->names = NULL;
    }
    if (run->set_name != NULL) {
        if (set_read(run->set_name, &run->set, &e) < 0)
            mien_cli_die(run->cli, "--set: %s", e.msg);
        rule_override(&run->set.rule, r);
        *r = run->set.rule;
        mien_cli_note(run->cli, "%s: %s%s%s", run->set.title, run->set.license,
                      *run->set.crop ? "; crop with mien-crop " : "", run->set.crop);
    }
    if (r->codes.female && r->codes.male && !strcasecmp(r->codes.female, r->codes.male))
        mien_cli_die(run->cli, "--female and --male are the same, '%s'", r->codes.male);
    if (meta_compile(&run->o, &e) < 0)
        mien_cli_die(run->cli, "--names: %s", e.msg);
}

static void prepare(struct run *run)
{
    struct imdb_rule *keep = &run->o.keep;

    if (run->list)
        list_sets(run);
    if (run->all)
        keep->any_score = keep->second_face = keep->any_age = keep->any_gender = true;
    run->o.new_reader = new_reader;
    run->o.ctx = run->cli;
    prepare_rule(run);
    if (run->set_name != NULL)
        mien_cli_history(run->cli, "%s, license: %s", run->set.title, run->set.license);
    else
        mien_cli_history(run->cli, NULL);
    cli_output_open(&run->out, run->cli, run->strict);
}

static void finish(struct run *run)
{
    cli_output_end(&run->out);
    mien_rec_free(&run->rec);
    meta_rule_free(&run->o);
    set_free(&run->set);
}

int main(int argc, char **argv)
{
    struct run run = {.o.keep.min_score = 1};
    struct imdb_rule *keep = &run.o.keep;
    struct rule *rule = &run.o.rule;
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("Sets"),
        MIEN_OPT_STR(0, "set", "NAME", &run.set_name,
                     "read labels as the public data set of this name writes them"),
        MIEN_OPT_FLAG(0, "sets", &run.list, "list the sets that are known"),
        MIEN_OPT_GROUP("Tables"),
        MIEN_OPT_FUNC('c', "column", "ROLE=HEADER", rule, rule_column,
                      "take the column with this HEADER, or number, for the ROLE, such as path"),
        MIEN_OPT_STR(0, "path", "TEMPLATE", &rule->path,
                     "make the path of columns, as in {user}/{image}"),
        MIEN_OPT_FUNC(0, "fields", "HEADER,...", rule, rule_fields,
                      "keep these columns, too, as fields of their own names"),
        MIEN_OPT_FLAG(0, "no-header", &rule->no_header, "the first line is a row"),
        MIEN_OPT_FUNC(0, "separator", "CHAR", rule, rule_separator,
                      "what separates columns: a character, tab or blank [found]"),
        MIEN_OPT_GROUP("Values"),
        MIEN_OPT_STR(0, "female", "V", &rule->codes.female, "how the source writes female"),
        MIEN_OPT_STR(0, "male", "V", &rule->codes.male, "how the source writes male"),
        MIEN_OPT_FUNC(0, "age-classes", "BAND,...", rule, rule_classes,
                      "ages are numbers of these bands, from 0 on"),
        MIEN_OPT_INT(0, "age-offset", "N", &rule->ages.offset, -1000, 1000,
                     "add N to ages and to numbers of bands"),
        MIEN_OPT_CHOICE(0, "age-fraction", "HOW", &run.fraction, "cut|round",
                        "cut or round fractions of a year [cut]"),
        MIEN_OPT_CHOICE(0, "date", "ORDER", &rule->date, "auto|ymd|dmy|mdy|datenum|excel",
                        "the order of dates, or day numbers of MATLAB or Excel [auto]"),
        MIEN_OPT_FLAG(0, "any-age", &keep->any_age,
                      "keep ages that are unknown or not 0-100, but leave them out"),
        MIEN_OPT_GROUP("Names"),
        MIEN_OPT_STR(0, "names", "PATTERN", &rule->names,
                     "label by names of images, as in {age}_{gender}_*; or a set's name"),
        MIEN_OPT_GROUP("IMDB-WIKI"),
        MIEN_OPT_REAL(0, "min-score", "S", &keep->min_score, -1e9, 1e9,
                      "keep faces with at least this score [1]"),
        MIEN_OPT_FLAG(0, "any-score", &keep->any_score, "keep faces with any score"),
        MIEN_OPT_FLAG(0, "second-face", &keep->second_face,
                      "keep images in which a second face was found"),
        MIEN_OPT_FLAG(0, "any-gender", &keep->any_gender, "keep faces of unknown gender"),
        MIEN_OPT_FLAG(0, "all", &run.all,
                      "keep everything: any score, age and gender, and second faces"),
        MIEN_OPT_GROUP("Other"),
        MIEN_OPT_FLAG(0, "strict", &run.strict, "stop at the first bad record"),
        MIEN_OPT_SIZE(0, "max-record", "SIZE", &run.o.limit, 1, 4294967295.0,
                      "with --names: refuse larger records [64M]"),
        MIEN_OPT_ALIAS('a', NULL, "all"),
        MIEN_OPT_ALIAS('n', NULL, "names"),
    };
    struct mien_cli cli = {
        .name = "mien-meta",
        .synopsis = "[options] [FILE ...] > records.mien",
        .purpose = "Reads labels from tables, from the names of images, or from IMDB-WIKI's .mat "
                   "files.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-meta imdb.mat | mien-images -m - imdb_crop.tar > images.mien\n"
                    "mien-meta --column path=img --female 1 --male 0 labels.csv > labels.mien\n"
                    "mien-images utkface.tar | mien-meta --set utkface > images.mien",
    };
    run.cli = &cli;
    int n = mien_cli_parse(&cli, argc, argv);
    const char *const *paths = cli_paths(&n, argv);
    prepare(&run);
    for (int i = 0; i < n; i++)
        take(&run, paths[i]);
    finish(&run);
    int status = mien_cli_end(&cli, run.records);
    return run.empty > 0 ? MIEN_EXIT_BAD : status;
}
