/* mien-meta: labels from .mat files, tables and file names to records. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "data/imdb.h"
#include "data/mat.h"
#include "data/names.h"
#include "data/table.h"
#include "mien/cli.h"
#include "mien/filter.h"
#include "mien/record.h"
#include "util/file.h"

struct options {
    struct imdb_rule keep;
    bool all;
    struct table_rule table;
    const char *names;
    bool strict;
    size_t limit;
};

struct run {
    struct mien_cli *cli;
    struct options o;
    struct names *names; /* NULL without --names */
    struct mien_writer *out;
    struct mien_rec rec;
    uint64_t records, bad; /* read, and of those bad */
};

static int column_option(void *dst, const char *arg, struct mien_err *e)
{
    return table_column(dst, arg, e);
}

static void put(struct run *run)
{
    struct mien_err e;

    if (mien_write(run->out, &run->rec, &e) < 0)
        mien_cli_die_output(run->cli, &e);
}

/* Delivers what was good before the program ends. */
static void flush(struct run *run)
{
    struct mien_err e;

    if (mien_writer_flush(run->out, &e) < 0)
        mien_cli_die_output(run->cli, &e);
}

/* Counts a bad record, which was reported; ends the program with --strict. */
static void count_bad(struct run *run)
{
    run->bad++;
    if (!run->o.strict)
        return;
    flush(run);
    mien_cli_die(run->cli, "stopped at the first bad record, as --strict asks");
}

static void summarize(const struct run *run, const char *name, uint64_t left, const uint64_t *drop)
{
    static const char *const why[IMDB_DROPS] = {NULL, "face score too low", "a second face",
                                                "age not 0-100", "gender unknown"};

    mien_cli_note(run->cli, "%s: %llu entries", name, (unsigned long long)left);
    for (int i = IMDB_SCORE; i < IMDB_DROPS; i++) {
        left -= drop[i];
        mien_cli_note(run->cli, "  %-18s %8llu dropped %8llu left", why[i],
                      (unsigned long long)drop[i], (unsigned long long)left);
    }
}

static int from_mat(struct run *run, int fd, const char *name, const void *head, struct mien_err *e)
{
    uint64_t drop[IMDB_DROPS] = {0};
    struct imdb *im;
    struct labels l;
    int rc = imdb_read(fd, head, &im, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < imdb_count(im); i++) {
        enum imdb_drop why;

        imdb_labels(im, i, &l);
        why = imdb_judge(&run->o.keep, &l);
        drop[why]++;
        if (why != IMDB_KEEP)
            continue;
        mien_rec_clear(&run->rec);
        if (labels_to_rec(&l, &run->rec) < 0)
            mien_cli_die(run->cli, "out of memory");
        if (l.id.len > 0) {
            put(run);
        } else {
            char where[300];

            snprintf(where, sizeof where, "%s: entry %zu", name, i + 1);
            mien_cli_bad(run->cli, where, "no path");
            count_bad(run);
        }
    }
    run->records += imdb_count(im);
    summarize(run, name, imdb_count(im), drop);
    imdb_free(im);
    return 0;
}

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
        mien_cli_bad(run->cli, where, cause + 2);
    else
        mien_cli_bad(run->cli, name, msg);
}

static int from_table(struct run *run, int fd, const char *name, const void *head, size_t n,
                      struct mien_err *e)
{
    struct table *t = table_new(fd, head, n, &run->o.table, e);
    uint64_t rows = 0, bad = run->bad;
    int rc;

    if (!t)
        return MIEN_ERR_FORMAT;
    if (*table_ignored(t))
        mien_cli_note(run->cli, "%s: columns ignored: %s", name, table_ignored(t));
    while ((rc = table_next(t, &run->rec, e)) == 1 || rc == MIEN_ERR_FORMAT) {
        rows++;
        if (rc == MIEN_ERR_FORMAT) {
            report_row(run, name, e->msg);
            count_bad(run);
            mien_rec_fail(&run->rec, "%s", e->msg);
        }
        if (mien_rec_has(&run->rec, MIEN_TAG_ID))
            put(run);
    }
    run->records += rows;
    if (rc == 0)
        mien_cli_note(run->cli, "%s: %llu rows, %llu of them bad", name, (unsigned long long)rows,
                      (unsigned long long)(run->bad - bad));
    table_free(t);
    return rc;
}

/* Sets the labels of records from their ids. A name that doesn't match is not the image's fault:
   its record is passed on as it came. */
static int from_names(struct run *run, int fd, const char *name, struct mien_err *e)
{
    struct mien_reader *in = mien_filter_reader(run->cli, fd, run->o.limit, e);
    uint64_t outside = 0, bad = run->bad;
    struct mien_progress progress;
    int rc;

    if (!in)
        return MIEN_ERR_SYS;
    mien_cli_progress_start(&progress, run->cli, "records");
    while ((rc = mien_read(in, &run->rec, e)) == 1) {
        struct labels l;
        size_t len;
        const char *id = mien_rec_text(&run->rec, MIEN_TAG_ID, &len);

        mien_cli_progress(&progress, mien_reader_count(in), 0, mien_reader_bytes(in));
        labels_init(&l);
        if (mien_rec_has(&run->rec, MIEN_TAG_ERROR)) {
            /* passes untouched */
        } else if (names_match(run->names, id ? id : "", id ? len : 0, &l, e) < 0) {
            mien_cli_progress_end(&progress);
            mien_filter_report(run->cli, mien_reader_count(in), &run->rec, e->msg);
            count_bad(run);
        } else if (!run->o.keep.any_age && labels_age_outside(&l)) {
            outside++;
            continue;
        } else if (labels_to_rec(&l, &run->rec) < 0) {
            mien_cli_die(run->cli, "out of memory");
        }
        put(run);
    }
    mien_cli_progress_end(&progress);
    if (rc == 0)
        mien_cli_note(run->cli,
                      "%s: %llu records, %llu dropped with an age not 0-100, %llu with a name that "
                      "doesn't match",
                      name, (unsigned long long)mien_reader_count(in), (unsigned long long)outside,
                      (unsigned long long)(run->bad - bad));
    run->records += mien_reader_count(in);
    mien_reader_free(in);
    return rc;
}

/* Judges a file by its first bytes. Returns 1 for a MATLAB file, 0 for a table. */
static int sniff(const void *head, size_t n, struct mien_err *e)
{
    int rc = mat_sniff(head, n, e);

    if (rc != 0)
        return rc;
    if (n == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the input is empty");
    if (n >= 4 && !memcmp(head, "MIEN", 4))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "these are records; --names labels them by their names");
    if (memchr(head, 0, n))
        return mien_err_set(e, MIEN_ERR_FORMAT, "neither a MATLAB 5 file nor a text table");
    return 0;
}

static int from_file(struct run *run, int fd, const char *name, struct mien_err *e)
{
    unsigned char head[MAT_HEAD];
    ssize_t n;
    int rc;

    if (run->names)
        return from_names(run, fd, name, e);
    n = file_read(fd, head, sizeof head);
    if (n < 0)
        return mien_err_sys(e, "cannot read");
    rc = sniff(head, (size_t)n, e);
    if (rc < 0)
        return rc;
    return rc ? from_mat(run, fd, name, head, e) : from_table(run, fd, name, head, (size_t)n, e);
}

static void take(struct run *run, const char *path)
{
    const char *name = strcmp(path, "-") ? path : "standard input";
    struct mien_err e;
    int fd = file_open(path, &e);

    if (fd < 0) {
        flush(run);
        mien_cli_die(run->cli, "%s", e.msg);
    }
    mien_cli_check_input(run->cli, fd);
    if (from_file(run, fd, name, &e) < 0) {
        flush(run);
        mien_cli_die(run->cli, "%s: %s", name, e.msg);
    }
    if (fd != STDIN_FILENO)
        close(fd);
}

/* Checks the options, and makes the pattern of --names. */
static void prepare(struct run *run)
{
    struct options *o = &run->o;
    struct mien_err e;

    if (o->all)
        o->keep.any_score = o->keep.second_face = o->keep.any_age = o->keep.any_gender = true;
    o->table.any_age = o->keep.any_age;
    if (o->table.codes.female && o->table.codes.male &&
        !strcasecmp(o->table.codes.female, o->table.codes.male))
        mien_cli_die(run->cli, "--female and --male are the same, '%s'", o->table.codes.male);
    if (o->names && !(run->names = names_new(o->names, &o->table.codes, &e)))
        mien_cli_die(run->cli, "--names: %s", e.msg);
    mien_cli_check_output(run->cli, STDOUT_FILENO);
    if (!(run->out = mien_filter_writer(run->cli, STDOUT_FILENO, &e)))
        mien_cli_die(run->cli, "%s", e.msg);
}

static void finish(struct run *run)
{
    struct mien_err e;

    if (mien_writer_end(run->out, &e) < 0)
        mien_cli_die_output(run->cli, &e);
    mien_writer_free(run->out);
    mien_rec_free(&run->rec);
    names_free(run->names);
}

int main(int argc, char **argv)
{
    struct run run = {.o.keep.min_score = 1};
    struct options *o = &run.o;
    const struct mien_option opts[] = {
        MIEN_OPT_GROUP("IMDB-WIKI"),
        MIEN_OPT_REAL(0, "min-score", "S", &o->keep.min_score, -1e9, 1e9,
                      "keep faces with at least this score [1]"),
        MIEN_OPT_FLAG(0, "any-score", &o->keep.any_score, "keep faces with any score"),
        MIEN_OPT_FLAG(0, "second-face", &o->keep.second_face,
                      "keep images in which a second face was found"),
        MIEN_OPT_FLAG(0, "any-gender", &o->keep.any_gender, "keep faces of unknown gender"),
        MIEN_OPT_FLAG(0, "any-age", &o->keep.any_age,
                      "keep ages that are unknown or not 0-100, but leave them out (tables and "
                      "names, too)"),
        MIEN_OPT_FLAG(0, "all", &o->all, "keep everything: the four above"),
        MIEN_OPT_GROUP("Tables and names"),
        MIEN_OPT_FUNC('c', "column", "ROLE=HEADER", &o->table, column_option,
                      "take the column with this HEADER for the ROLE, such as path or age"),
        MIEN_OPT_STR(0, "names", "PATTERN", &o->names,
                     "label records by their names: utkface, or a pattern"),
        MIEN_OPT_STR(0, "female", "V", &o->table.codes.female, "how the source writes female"),
        MIEN_OPT_STR(0, "male", "V", &o->table.codes.male, "how the source writes male"),
        MIEN_OPT_GROUP("Other"),
        MIEN_OPT_FLAG(0, "strict", &o->strict, "stop at the first bad record"),
        MIEN_OPT_SIZE(0, "max-record", "SIZE", &o->limit, 1, 4294967295.0,
                      "with --names: refuse larger records [64M]"),
        MIEN_OPT_ALIAS('a', NULL, "all"),
        MIEN_OPT_ALIAS('n', NULL, "names"),
    };
    struct mien_cli cli = {
        .name = "mien-meta",
        .synopsis = "[options] [FILE ...] > records.mien",
        .purpose = "Reads labels from IMDB-WIKI's .mat files, from tables, or from the names of "
                   "images.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-meta imdb.mat | mien-images -m - imdb_crop.tar > images.mien\n"
                    "mien-meta --column path=img --female 1 --male 0 labels.csv > labels.mien\n"
                    "mien-images utkface.tar | mien-meta --names utkface > images.mien",
    };
    run.cli = &cli;
    int n = mien_cli_parse(&cli, argc, argv);
    prepare(&run);
    for (int i = 1; i <= n; i++)
        take(&run, argv[i]);
    if (n == 0)
        take(&run, "-");
    finish(&run);
    return mien_cli_end(&cli, run.records);
}
