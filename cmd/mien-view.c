/* mien-view: shows records as text, counts them, checks them, passes some of them on, or writes
   their images as files. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/state.h"
#include "cli/streams.h"
#include "cli/table.h"
#include "data/export.h"
#include "mien/filter.h"
#include "record/census.h"
#include "record/col.h"
#include "record/expr.h"

enum { TSV, JSON };

struct options {
    const char *columns, *select;
    int format, head; /* head -1: all */
    bool full, no_header, count, records, check, index, history, resync;
    size_t limit;
    struct export_to to; /* of --images and --tar */
};

struct view {
    struct mien_cli *cli;
    struct options o;
    struct expr *select;    /* NULL: all records */
    struct cli_table table; /* and all other text */
    struct cli_output records;
    struct census census;      /* of --check */
    struct exporter *exporter; /* of --images and --tar */
    struct columns_unseen columns, selects;
    uint64_t seen, shown;
    uint64_t missed; /* records without an image, of --images and --tar */
};

/* --- Records -------------------------------------------------------------------------------- */

/* Passes a record on, with the chosen fields alone. */
static void pass_on(struct view *v, struct mien_rec *r)
{
    text_table_keep(&v->table.text, r);
    cli_output_put(&v->records, r);
}

/* Writes the image, with the chosen fields. */
static void export(struct view *v, const struct mien_rec *r)
{
    struct mien_err e;
    int rc = export_put(v->exporter, r, &v->table.text, &e);
    if (rc < 0 && rc != MIEN_ERR_FORMAT)
        mien_cli_die_output(v->cli, &e);
    cli_check_record(v->cli, v->shown + 1, r, rc, &e);
    v->missed += rc <= 0;
}

static void check(struct view *v, const struct mien_rec *r)
{
    struct mien_err e;
    int rc = census_add(&v->census, r, &e);
    cli_check_record(v->cli, v->census.records, r, rc, &e);
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
        cli_table_add(&v->table, r);
    v->shown++;
}

/* --- Files ---------------------------------------------------------------------------------- */

static bool enough(const struct view *v)
{
    return v->o.head >= 0 && v->shown >= (uint64_t)v->o.head;
}

/* Ends the program, after what was read before the input broke. */
static _Noreturn void fail(struct view *v, const struct mien_err *why)
{
    cli_table_print(&v->table);
    if (v->o.records)
        cli_output_die(&v->records, why->msg);
    mien_cli_die(v->cli, "%s", why->msg);
}

/* A line of --index. */
static void show_segment(void *ctx, const struct mien_segment *s)
{
    struct cli_table *t = ctx;
    cli_table_appended(
        t, mien_buf_printf(&t->out, "%llu\t%llu\t%llu\n", (unsigned long long)s->offset,
                           (unsigned long long)s->bytes, (unsigned long long)s->records));
}

static void read_file(struct view *v, const char *path, struct mien_rec *r)
{
    struct mien_err e;
    struct cli_input in;
    int rc = 0;
    if (cli_input_open(&in, v->cli, path, v->o.limit, &e) < 0)
        fail(v, &e);
    if (v->o.resync)
        cli_input_resync(&in);
    if (v->o.index)
        mien_reader_on_segment(in.reader, show_segment, &v->table);
    while (!enough(v) && (rc = cli_input_read(&in, r, &e)) > 0)
        take(v, r);
    if (rc < 0)
        fail(v, &e);
    mien_filter_history(v->cli, in.reader, NULL);
    census_add_stream(&v->census, in.reader);
    cli_input_close(&in);
}

/* --- The end -------------------------------------------------------------------------------- */

/* A name that no record had is most likely misspelled. */
static void check_names(struct view *v)
{
    const bool selects = v->selects.n > 0;
    struct mien_err e;
    if (columns_seen(selects ? &v->selects : &v->columns, &e) < 0 && v->seen > 0 && !enough(v))
        mien_cli_die(v->cli, "--%s: %s", selects ? "select" : "columns", e.msg);
}

static void end_export(struct view *v)
{
    struct mien_err e;
    if (export_end(v->exporter, &e) < 0)
        mien_cli_die_output(v->cli, &e);
    mien_cli_note(v->cli, "images: %llu, records without one or with an error: %llu",
                  (unsigned long long)(v->shown - v->missed), (unsigned long long)v->missed);
}

/* Ends the output, and prints what was counted. */
static void finish(struct view *v)
{
    struct mien_buf *out = &v->table.out;
    cli_table_print(&v->table);
    check_names(v);
    if (v->o.records)
        cli_output_end(&v->records);
    if (v->exporter != NULL)
        end_export(v);
    if (v->o.count)
        cli_table_appended(&v->table, mien_buf_printf(out, "%llu\n", (unsigned long long)v->shown));
    if (v->o.check)
        cli_table_appended(&v->table, census_table(&v->census, out));
    if (v->o.history)
        cli_table_appended(&v->table, cli_history_text(v->cli, out));
    cli_table_end(&v->table);
}

/* --- Options -------------------------------------------------------------------------------- */

/* Makes what the options ask for. */
static void prepare(struct view *v)
{
    const struct options *o = &v->o;
    struct text_table *t = &v->table.text;
    struct mien_err e;
    cli_table_begin(&v->table, v->cli);
    t->json = o->format == JSON;
    t->full = o->full;
    t->no_header = o->no_header;
    if (o->columns != NULL && (col_parse(o->columns, &t->col, &t->ncol, &e) < 0 ||
                               (o->records && columns_are_fields(t->col, t->ncol, &e) < 0)))
        mien_cli_die(v->cli, "--columns: %s", e.msg);
    if (o->select != NULL && (v->select = expr_parse(o->select, &e)) == NULL)
        mien_cli_die(v->cli, "--select: %s", e.msg);
    columns_expect(&v->columns, t->col, t->ncol);
    if (v->select != NULL)
        expr_expect(v->select, &v->selects);
    if (o->to.tar != NULL && strcmp(o->to.tar, "-") == 0)
        mien_cli_check_output(v->cli, STDOUT_FILENO);
    if ((o->to.tar != NULL || o->to.dir != NULL) && (v->exporter = export_new(&o->to, &e)) == NULL)
        mien_cli_die(v->cli, "--tar: %s", e.msg);
    if (o->records && (o->select != NULL || o->head >= 0))
        mien_cli_history(v->cli, NULL);
    if (o->records)
        cli_output_open(&v->records, v->cli, false);
}

int main(int argc, char **argv)
{
    struct view v = {.o.head = -1};
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
        MIEN_OPT_CHOICE(0, "encode", "FORMAT", &v.o.to.encoding, "png|jpeg",
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

    int n = mien_cli_parse(&cli, argc, argv);
    const char *const *paths = cli_paths(&n, argv);
    v.cli = &cli;
    prepare(&v);
    if (n > 1 && v.o.index)
        mien_cli_die(&cli, "--index takes one file");
    for (int i = 0; i < n && (i == 0 || !enough(&v)); i++)
        read_file(&v, paths[i], &r);
    finish(&v);

    int status = mien_cli_end(&cli, v.shown);
    mien_rec_free(&r);
    export_free(v.exporter);
    census_free(&v.census);
    expr_free(v.select);
    return status;
}
