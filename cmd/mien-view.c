/* mien-view: shows records as text, counts them, checks them, passes some of them on, or writes
   their images as files. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/state.h"
#include "cli/streams.h"
#include "data/export.h"
#include "mien/filter.h"
#include "record/census.h"
#include "record/col.h"
#include "record/expr.h"
#include "record/text.h"
#include "util/clock.h"

enum { FLUSH = 64 * 1024 };
enum { TSV, JSON };
enum { PNG, JPEG };

struct options {
    const char *columns, *select;
    int format, head; /* head -1: all */
    bool full, no_header, count, records, check, index, history, resync;
    size_t limit;
    struct export_to to; /* of --images and --tar */
    int encode;          /* pixels */
};

struct view {
    struct mien_cli *cli;
    struct options o;
    struct expr *select; /* NULL: all records */
    struct text_table table;
    struct mien_buf out;
    struct cli_output records;
    struct census census;      /* of --check */
    struct exporter *exporter; /* of --images and --tar */
    struct columns_unseen columns, selects;
    uint64_t segments, bytes, seen, shown, errors, skipped, damages;
    uint64_t missed; /* records without an image, of --images and --tar */
    bool at_once;
    double began; /* when the first record was shown */
};

static void settle(struct view *v)
{
    if (text_table_settle(&v->table, &v->out) < 0)
        mien_cli_die(v->cli, "out of memory");
}

/* On a terminal the columns are those of the records that have come by now, if they come slowly. */
static bool waited(struct view *v)
{
    static const double patience = 0.3; /* seconds */
    if (!v->at_once)
        return false;
    if (v->shown == 0)
        v->began = clock_coarse();
    return clock_coarse() - v->began > patience;
}

static void show(struct view *v, const struct mien_rec *r)
{
    if (text_table_add(&v->table, r, &v->out) < 0)
        mien_cli_die(v->cli, "out of memory");
    if (waited(v))
        settle(v);
    if (v->at_once || v->out.len >= FLUSH)
        cli_print(v->cli, &v->out);
}

/* Passes a record on, with the chosen fields alone. */
static void pass_on(struct view *v, struct mien_rec *r)
{
    text_table_keep(&v->table, r);
    cli_output_put(&v->records, r);
}

/* A line of --index. */
static void show_segment(void *ctx, const struct mien_segment *s)
{
    struct view *v = ctx;
    if (mien_buf_printf(&v->out, "%llu\t%llu\t%llu\n", (unsigned long long)s->offset,
                        (unsigned long long)s->bytes, (unsigned long long)s->records) < 0)
        mien_cli_die(v->cli, "out of memory");
    if (v->at_once || v->out.len >= FLUSH)
        cli_print(v->cli, &v->out);
}

/* Writes the image, with the chosen fields. */
static void export(struct view *v, const struct mien_rec *r)
{
    struct mien_err e;
    int rc = export_put(v->exporter, r, &v->table, &e);
    if (rc < 0 && rc != MIEN_ERR_FORMAT)
        mien_cli_die_output(v->cli, &e);
    if (rc == MIEN_ERR_FORMAT)
        mien_filter_report(v->cli, v->shown + 1, r, e.msg);
    v->missed += rc <= 0;
}

static void check(struct view *v, const struct mien_rec *r)
{
    struct mien_err e;
    int rc = census_add(&v->census, r, &e);
    if (rc == MIEN_ERR_MEM)
        mien_cli_die(v->cli, "%s", e.msg);
    if (rc < 0)
        mien_filter_report(v->cli, v->census.records, r, e.msg);
}

static void take(struct view *v, struct mien_rec *r)
{
    v->seen++;
    columns_see(&v->columns, r);
    columns_see(&v->selects, r);
    if (v->select != NULL && !expr_match(v->select, r))
        return;
    if (v->o.check)
        check(v, r);
    else if (v->o.records)
        pass_on(v, r);
    else if (v->exporter != NULL)
        export(v, r);
    else if (!v->o.count && !v->o.index && !v->o.history)
        show(v, r);
    v->shown++;
    v->errors += mien_rec_has(r, MIEN_TAG_ERROR);
}

static bool enough(const struct view *v)
{
    return v->o.head >= 0 && v->shown >= (uint64_t)v->o.head;
}

/* Ends the program, after what was read before the input broke. */
static _Noreturn void fail(struct view *v, const struct mien_err *why)
{
    settle(v);
    cli_print(v->cli, &v->out);
    if (v->o.records)
        cli_output_die(&v->records, why->msg);
    mien_cli_die(v->cli, "%s", why->msg);
}

/* The next record, behind damage where --resync allows; what that was is said. */
static int next(struct view *v, struct cli_input *in, struct mien_rec *r, struct mien_err *e)
{
    int rc = cli_input_read(in, r, e);
    for (; v->o.resync && rc == MIEN_ERR_FORMAT; rc = cli_input_read(in, r, e)) {
        mien_cli_warn(v->cli, "%s", e->msg);
        v->damages++;
    }
    return rc;
}

static void read_file(struct view *v, const char *path, struct mien_rec *r)
{
    struct mien_err e;
    struct cli_input in;
    int rc = 0;
    if (cli_input_open(&in, v->cli, path, v->o.limit, &e) < 0)
        fail(v, &e);
    if (v->o.resync)
        mien_reader_resync(in.reader);
    if (v->o.index)
        mien_reader_on_segment(in.reader, show_segment, v);
    while (!enough(v) && (rc = next(v, &in, r, &e)) > 0)
        take(v, r);
    if (rc < 0)
        fail(v, &e);
    mien_filter_history(v->cli, in.reader, NULL);
    v->segments += mien_reader_segments(in.reader);
    v->bytes += mien_reader_bytes(in.reader);
    v->skipped += mien_reader_skipped(in.reader);
    cli_input_close(&in);
}

/* A name that no record had is most likely misspelled. */
static void check_names(struct view *v)
{
    const bool selects = v->selects.n > 0;
    struct mien_err e;
    if (columns_seen(selects ? &v->selects : &v->columns, &e) == 0 || v->seen == 0 || enough(v))
        return;
    cli_print(v->cli, &v->out);
    mien_cli_die(v->cli, "--%s: %s", selects ? "select" : "columns", e.msg);
}

/* Ends the output, and prints what was counted. */
static void finish(struct view *v)
{
    struct mien_buf unseen = {0};
    struct mien_err e;
    int rc = 0;
    settle(v);
    check_names(v);
    if (v->o.records)
        cli_output_end(&v->records);
    if (v->exporter != NULL && export_end(v->exporter, &e) < 0)
        mien_cli_die_output(v->cli, &e);
    if (v->exporter != NULL)
        mien_cli_note(v->cli, "images: %llu, records without one or with an error: %llu",
                      (unsigned long long)(v->shown - v->missed), (unsigned long long)v->missed);
    if (v->o.count)
        rc = mien_buf_printf(&v->out, "%llu\n", (unsigned long long)v->shown);
    if (v->o.check)
        rc = mien_buf_printf(&v->out,
                             "%llu segments, %llu records, %llu with an error, %llu bytes\n",
                             (unsigned long long)v->segments, (unsigned long long)v->census.records,
                             (unsigned long long)v->census.errors, (unsigned long long)v->bytes) |
             census_table(&v->census, &v->out);
    const char *history = v->cli->state->from.text;
    if (v->o.history && history[0] == '\0')
        mien_cli_note(v->cli, "the stream doesn't say how its records were made");
    if (v->o.history)
        rc = mien_buf_append(&v->out, history, strlen(history));
    if (rc < 0)
        mien_cli_die(v->cli, "out of memory");
    cli_print(v->cli, &v->out);
    if (v->damages > 0)
        mien_cli_note(v->cli, "damaged in %llu places; %llu of %llu bytes skipped",
                      (unsigned long long)v->damages, (unsigned long long)v->skipped,
                      (unsigned long long)v->bytes);
    if (text_table_unseen(&v->table, &unseen) < 0)
        mien_cli_die(v->cli, "out of memory");
    if (unseen.len > 0)
        mien_cli_note(v->cli, "only later records have these fields, which -c shows: %.*s",
                      (int)unseen.len, (const char *)unseen.data);
    mien_buf_free(&unseen);
    if (v->errors > 0 && v->table.begun && !text_table_has(&v->table, MIEN_TAG_ERROR))
        mien_cli_note(v->cli, "%llu of these records have an error; -c id,error shows it",
                      (unsigned long long)v->errors);
}

/* Checks the options of --images and --tar, and begins. */
static void prepare_export(struct view *v)
{
    struct export_to *to = &v->o.to;
    struct mien_err e;
    enum { QUALITY = 95 };
    to->quality = v->o.encode == JPEG ? QUALITY : 0;
    if (to->tar == NULL && to->dir == NULL)
        return;
    if (to->tar_size > 0 && strchr(to->tar, '%') == NULL)
        mien_cli_die(v->cli,
                     "--tar-size needs --tar with a number in its name, such as out-%%06d.tar");
    if (to->tar_size == 0)
        to->tar_size = (uint64_t)1 << 30;
    if (to->tar != NULL && strcmp(to->tar, "-") == 0)
        mien_cli_check_output(v->cli, STDOUT_FILENO);
    if ((v->exporter = export_new(to, &e)) == NULL)
        mien_cli_die(v->cli, "--tar: %s", e.msg);
}

/* Checks the options, and makes what they ask for. */
static void prepare(struct view *v)
{
    const struct options *o = &v->o;
    struct text_table *t = &v->table;
    struct mien_err e;
    if (o->columns != NULL && col_parse(o->columns, &t->col, &t->ncol, &e) < 0)
        mien_cli_die(v->cli, "--columns: %s", e.msg);
    if (o->select != NULL && (v->select = expr_parse(o->select, &e)) == NULL)
        mien_cli_die(v->cli, "--select: %s", e.msg);
    columns_expect(&v->columns, t->col, t->ncol);
    if (v->select != NULL)
        expr_expect(v->select, &v->selects);
    t->json = o->format == JSON;
    t->full = o->full;
    t->no_header = o->no_header;
    prepare_export(v);
    if (!o->records) {
        v->at_once = isatty(STDOUT_FILENO) == 1;
        return;
    }
    if (columns_are_fields(t->col, t->ncol, &e) < 0)
        mien_cli_die(v->cli, "--columns: %s", e.msg);
    if (o->select != NULL || o->head >= 0)
        mien_cli_history(v->cli, NULL);
    cli_output_open(&v->records, v->cli, false);
}

int main(int argc, char **argv)
{
    struct view v = {.o = {.head = -1, .encode = -1}};
    const struct mien_option opts[] = {
        MIEN_OPT_CHOICE('f', "format", "FORMAT", &v.o.format, "tsv|json",
                        "tsv, or json for an object on each line, arrays in full [tsv]"),
        MIEN_OPT_STR('c', "columns", "NAMES", &v.o.columns,
                     "show these columns, as in id,age,pred_age [those of the first records]"),
        MIEN_OPT_FLAG('H', "no-header", &v.o.no_header,
                      "don't print the line with the names of the columns"),
        MIEN_OPT_INT('n', "head", "N", &v.o.head, 0, INT_MAX, "stop after N records"),
        MIEN_OPT_STR(0, "select", "CONDITION", &v.o.select,
                     "take only records that meet a condition, as in 'age >= 18 && !error'"),
        MIEN_OPT_FLAG(0, "full", &v.o.full,
                      "with --format json, print images and pixels too, in base64"),
        MIEN_OPT_FLAG(0, "count", &v.o.count, "print the number of records"),
        MIEN_OPT_FLAG('r', "records", &v.o.records,
                      "write the records themselves; with --columns, only these fields"),
        MIEN_OPT_STR(0, "images", "FOLDER", &v.o.to.dir,
                     "write the images as files, named by their ids; pixels become PNGs"),
        MIEN_OPT_STR(0, "tar", "FILE", &v.o.to.tar,
                     "write the images and their fields as WebDataset: NAME.jpg, NAME.json; "
                     "out-%06d.tar for shards"),
        MIEN_OPT_SIZE(0, "tar-size", "SIZE", &v.o.to.tar_size, 1, 1e15,
                      "begin another shard before one exceeds this [1G]"),
        MIEN_OPT_CHOICE(0, "encode", "FORMAT", &v.o.encode, "png|jpeg",
                        "what pixels become in these files [png]"),
        MIEN_OPT_FLAG(0, "check", &v.o.check,
                      "verify the whole stream and print which fields it has"),
        MIEN_OPT_FLAG(0, "index", &v.o.index,
                      "print the offset, bytes and records of each segment"),
        MIEN_OPT_FLAG(0, "history", &v.o.history, "print how the records were made"),
        MIEN_OPT_FLAG(0, "resync", &v.o.resync,
                      "skip what is damaged, up to the next whole record"),
        MIEN_OPT_MAX_RECORD(&v.o.limit),
        MIEN_OPT_ALIAS('s', NULL, "select"),
        MIEN_OPT_ALIAS(0, "json", "format=json"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUSIVE("format=json count records check index history images tar"),
        MIEN_RULE_EXCLUDES("history index", "head select"),
        MIEN_RULE_EXCLUDES("index", "resync"),
        MIEN_RULE_EXCLUDES("check", "head"),
        MIEN_RULE_NEEDS("segment", "records"),
        MIEN_RULE_NEEDS("full", "format=json"),
        MIEN_RULE_NEEDS("tar-size", "tar"),
        MIEN_RULE_NEEDS("encode", "images tar"),
    };
    struct mien_cli cli = {
        .name = "mien-view",
        .synopsis = "[options] [file ...] < records.mien",
        .purpose = "Shows records as text, counts them, checks them, passes some of them on, or "
                   "writes their images as files.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-view faces.mien | less\n"
                    "mien-view -c id,age,pred_age --select 'age_error > 10' faces.mien\n"
                    "mien-view -r --select 'score >= 3' faces.mien > clear.mien\n"
                    "mien-view --images crops faces.mien",
    };
    struct mien_rec r = {0};
    char *standard_input[] = {NULL, "-"};

    int n = mien_cli_parse(&cli, argc, argv);
    v.cli = &cli;
    prepare(&v);
    if (n > 1 && v.o.index)
        mien_cli_die(&cli, "--index takes one file");
    if (n == 0) {
        n = 1;
        argv = standard_input;
    }
    for (int i = 1; i <= n && (i == 1 || !enough(&v)); i++)
        read_file(&v, argv[i], &r);
    finish(&v);

    int status = mien_cli_end(&cli, v.shown);
    mien_rec_free(&r);
    export_free(v.exporter);
    census_free(&v.census);
    expr_free(v.select);
    text_table_free(&v.table);
    mien_buf_free(&v.out);
    return v.damages > 0 ? MIEN_EXIT_BAD : status;
}
