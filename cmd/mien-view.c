/* mien-view: records as text, their number, or some of them. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/census.h"
#include "mien/cli.h"
#include "record/col.h"
#include "record/expr.h"
#include "util/file.h"
#include "mien/filter.h"
#include "record/text.h"

enum { FLUSH = 64 * 1024, MAX_COLUMNS = 64 };

struct options {
    const char *columns, *select;
    int head; /* -1: all */
    bool json, full, no_header, count, records, check;
    size_t limit;
};

struct view {
    struct mien_cli *cli;
    struct options o;
    struct expr *select;
    int *cols; /* NULL: not chosen, or not yet */
    size_t ncols;
    struct mien_buf out;
    struct mien_writer *writer;
    struct census census; /* of --check */
    uint64_t segments, bytes, shown, errors;
    bool bad, at_once;
};

static void flush_text(struct view *v)
{
    struct mien_err e;
    if (file_write(STDOUT_FILENO, v->out.data, v->out.len) < 0) {
        mien_err_sys(&e, "cannot write");
        mien_cli_die_output(v->cli, &e);
    }
    mien_buf_clear(&v->out);
}

static bool shows(const struct view *v, int col)
{
    for (size_t i = 0; i < v->ncols; i++) {
        if (v->cols[i] == col)
            return true;
    }
    return false;
}

/* The first record decides which columns are shown unless the user has. */
static int choose_columns(struct view *v, const struct mien_rec *first)
{
    if (v->cols == NULL && !v->o.json) {
        v->cols = malloc(MAX_COLUMNS * sizeof *v->cols);
        if (v->cols == NULL)
            return MIEN_ERR_MEM;
        v->ncols = col_defaults(first, v->cols, MAX_COLUMNS);
    }
    return 0;
}

static void show(struct view *v, const struct mien_rec *r)
{
    int rc = v->shown == 0 ? choose_columns(v, r) : 0;
    if (v->o.json) {
        rc |= text_json(&v->out, r, v->cols, v->ncols, v->o.full);
    } else {
        if (v->shown == 0 && !v->o.no_header)
            rc |= text_header(&v->out, v->cols, v->ncols);
        rc |= text_tsv(&v->out, r, v->cols, v->ncols);
    }
    if (rc < 0)
        mien_cli_die(v->cli, "out of memory");
    if (v->at_once || v->out.len >= FLUSH)
        flush_text(v);
}

/* Passes a record on, with the chosen fields alone when -c chooses. */
static void pass_on(struct view *v, struct mien_rec *r)
{
    struct mien_err e;
    for (size_t i = r->nfield; v->cols != NULL && i-- > 0;) {
        if (!shows(v, r->field[i].tag))
            mien_rec_del(r, r->field[i].tag);
    }
    if (mien_write(v->writer, r, &e) < 0)
        mien_cli_die_output(v->cli, &e);
}

static void check(struct view *v, const struct mien_rec *r)
{
    struct mien_err e;
    int rc = census_add(&v->census, r, &e);
    if (rc == MIEN_ERR_MEM)
        mien_cli_die(v->cli, "%s", e.msg);
    if (rc < 0)
        mien_filter_report(v->cli, v->census.records, r, e.msg);
    v->bad |= rc < 0;
}

static void take(struct view *v, struct mien_rec *r)
{
    if (v->select != NULL && !expr_match(v->select, r))
        return;
    if (v->o.check)
        check(v, r);
    else if (v->o.records)
        pass_on(v, r);
    else if (!v->o.count)
        show(v, r);
    v->shown++;
    v->errors += mien_rec_has(r, MIEN_TAG_ERROR);
}

static bool enough(const struct view *v)
{
    return v->o.head >= 0 && v->shown >= (uint64_t)v->o.head;
}

/* What was read before the input broke is delivered first. */
static void flush(struct view *v)
{
    struct mien_err e;
    flush_text(v);
    if (v->writer != NULL && mien_writer_flush(v->writer, &e) < 0)
        mien_cli_die_output(v->cli, &e);
}

static _Noreturn void broken_input(struct view *v, const char *path, const char *why)
{
    flush(v);
    if (path[0] == '-' && path[1] == '\0')
        mien_cli_die(v->cli, "%s", why);
    mien_cli_die(v->cli, "%s: %s", path, why);
}

static void read_stream(struct view *v, const char *path, struct mien_rec *r)
{
    struct mien_err e;
    int fd = file_open(path, &e), rc = 0;
    if (fd < 0) {
        flush(v);
        mien_cli_die(v->cli, "%s", e.msg);
    }
    mien_cli_check_input(v->cli, fd);
    struct mien_reader *rd = mien_reader_new(fd, v->o.limit, &e);
    if (rd == NULL)
        mien_cli_die(v->cli, "%s", e.msg);
    while (!enough(v) && (rc = mien_read(rd, r, &e)) > 0)
        take(v, r);
    if (rc < 0)
        broken_input(v, path, e.msg);
    v->segments += mien_reader_segments(rd);
    v->bytes += mien_reader_bytes(rd);
    mien_reader_free(rd);
    if (fd != STDIN_FILENO)
        close(fd);
}

static void finish(struct view *v)
{
    struct mien_err e;
    int rc = 0;
    if (v->writer != NULL && mien_writer_end(v->writer, &e) < 0)
        mien_cli_die_output(v->cli, &e);
    if (v->o.count)
        rc = mien_buf_printf(&v->out, "%llu\n", (unsigned long long)v->shown);
    if (v->o.check)
        rc = mien_buf_printf(&v->out,
                             "%llu segments, %llu records, %llu with an error, %llu bytes\n",
                             (unsigned long long)v->segments, (unsigned long long)v->census.records,
                             (unsigned long long)v->census.errors, (unsigned long long)v->bytes) |
             census_table(&v->census, &v->out);
    if (rc < 0)
        mien_cli_die(v->cli, "out of memory");
    flush_text(v);
    if (v->ncols > 0 && v->errors > 0 && !v->o.json && !v->o.records && !shows(v, MIEN_TAG_ERROR))
        mien_cli_note(v->cli, "%llu of these records have an error, which -c id,error shows",
                      (unsigned long long)v->errors);
}

static void prepare(struct view *v)
{
    struct options *o = &v->o;
    struct mien_err e;
    if (o->json + o->count + o->records + o->check > 1)
        mien_cli_die(v->cli, "--json, --count, --records and --check exclude each other");
    if (o->full && !o->json)
        mien_cli_die(v->cli, "--full goes with --json");
    if (o->check && o->head >= 0)
        mien_cli_die(v->cli, "--check reads the whole stream, without --head");
    if (o->columns != NULL && col_parse(o->columns, &v->cols, &v->ncols, &e) < 0)
        mien_cli_die(v->cli, "--columns: %s", e.msg);
    if (o->select != NULL && (v->select = expr_parse(o->select, &e)) == NULL)
        mien_cli_die(v->cli, "--select: %s", e.msg);
    if (!o->records) {
        v->at_once = isatty(STDOUT_FILENO) == 1;
        return;
    }
    for (size_t i = 0; i < v->ncols; i++) {
        char name[16];
        if (v->cols[i] >= COL_PRED_AGE)
            mien_cli_die(v->cli, "--columns: %s is derived and no field of a record",
                         col_name(v->cols[i], name));
    }
    mien_cli_check_output(v->cli, STDOUT_FILENO);
    if ((v->writer = mien_writer_new(STDOUT_FILENO, &e)) == NULL)
        mien_cli_die(v->cli, "%s", e.msg);
}

int main(int argc, char **argv)
{
    struct view v = {.o = {.head = -1}};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('c', "columns", "NAMES", &v.o.columns,
                     "show these, as in id,age,pred_age [those of the first record]"),
        MIEN_OPT_STR('s', "select", "EXPR", &v.o.select,
                     "only records that meet a condition, as in 'age >= 18 && !error'"),
        MIEN_OPT_INT('n', "head", "N", &v.o.head, 0, INT_MAX, "stop after N records"),
        MIEN_OPT_FLAG(0, "json", &v.o.json, "one JSON object a line, arrays in full"),
        MIEN_OPT_FLAG(0, "full", &v.o.full, "with --json: images and pixels too, in base64"),
        MIEN_OPT_FLAG('H', "no-header", &v.o.no_header, "no line with the columns' names"),
        MIEN_OPT_FLAG(0, "count", &v.o.count, "print how many records there are"),
        MIEN_OPT_FLAG('r', "records", &v.o.records,
                      "write the records themselves, of --columns only these fields"),
        MIEN_OPT_FLAG(0, "check", &v.o.check,
                      "read all, verify it and print which fields there are"),
        MIEN_OPT_SIZE(0, "max-record", "SIZE", &v.o.limit, 1, 4294967295.0,
                      "refuse larger records [64M]"),
    };
    struct mien_cli cli = {
        .name = "mien-view",
        .synopsis = "[options] [file ...] < records.mien",
        .purpose = "Shows records as text, counts them, or passes some of them on.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct mien_rec r = {0};
    char *standard_input[] = {NULL, "-"};

    int n = mien_cli_parse(&cli, argc, argv);
    v.cli = &cli;
    prepare(&v);
    if (n == 0) {
        n = 1;
        argv = standard_input;
    }
    for (int i = 1; i <= n && (i == 1 || !enough(&v)); i++)
        read_stream(&v, argv[i], &r);
    finish(&v);

    mien_rec_free(&r);
    mien_writer_free(v.writer);
    census_free(&v.census);
    expr_free(v.select);
    free(v.cols);
    mien_buf_free(&v.out);
    return v.bad ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}
