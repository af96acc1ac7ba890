/* mien-montage: faces or photographs, with what is labelled and predicted, as contact sheets. */
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "image/jpeg.h"
#include "image/png_write.h"
#include "mien/filter.h"
#include "montage/montage.h"
#include "util/file.h"

struct output {
    const struct mien_cli *cli;
    const char *path; /* "-": standard output */
    int quality;
    int pages;
    struct mien_buf image, name;
};

/* The name of a page: the path alone if there is one page, else with a number, sheet-001.jpg. */
static const char *page_name(struct output *o, bool only)
{
    const char *slash = strrchr(o->path, '/'), *dot = strrchr(o->path, '.');
    size_t stem = dot != NULL && (slash == NULL || dot > slash + 1) ? (size_t)(dot - o->path)
                                                                    : strlen(o->path);
    if (only)
        return o->path;
    mien_buf_clear(&o->name);
    if (mien_buf_printf(&o->name, "%.*s-%03d%s", (int)stem, o->path, o->pages, o->path + stem) <
            0 ||
        mien_buf_append(&o->name, "", 1) < 0)
        mien_cli_die(o->cli, "out of memory");
    return (const char *)o->name.data;
}

/* Whether the path's name says so. */
static bool is_png(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcasecmp(dot, ".png") == 0;
}

static void write_file(struct output *o, const char *path)
{
    struct file_out out;
    struct mien_err e;
    if (file_create(&out, path, &e) < 0)
        mien_cli_die(o->cli, "%s", e.msg);
    if (file_write(out.fd, o->image.data, o->image.len) < 0) {
        mien_err_sys(&e, "cannot write '%s'", path);
        file_abort(&out);
        mien_cli_die_output(o->cli, &e);
    }
    if (file_commit(&out, &e) < 0)
        mien_cli_die(o->cli, "%s", e.msg);
}

static int write_page(void *ctx, const unsigned char *px, struct mien_size size, bool last,
                      struct mien_err *e)
{
    struct output *o = ctx;
    mien_buf_clear(&o->image);
    int rc = is_png(o->path) ? img_png_encode(px, size.h, size.w, &o->image, e)
                             : img_jpeg_encode(px, size.h, size.w, o->quality, &o->image, e);
    if (rc < 0)
        return rc;
    o->pages++;
    bool only = o->pages == 1 && last, standard = strcmp(o->path, "-") == 0;
    if (standard && !only)
        mien_cli_die(o->cli,
                     "more than one page; name files with --output, or see --down and --head");
    if (!standard) {
        write_file(o, page_name(o, only));
    } else if (file_write(STDOUT_FILENO, o->image.data, o->image.len) < 0) {
        mien_err_sys(e, "cannot write");
        mien_cli_die_output(o->cli, e);
    }
    return 0;
}

/* Draws the records of standard input. Returns how many there were. */
static uint64_t draw(const struct mien_cli *cli, struct montage *m, int head, size_t limit)
{
    struct mien_progress progress;
    struct mien_rec r = {0};
    struct mien_err e;
    bool bad;
    int rc = 0;
    struct mien_reader *rd = mien_filter_reader(cli, STDIN_FILENO, limit, &e);
    if (rd == NULL)
        mien_cli_die(cli, "%s", e.msg);
    mien_cli_progress_start(&progress, cli, "records");
    mien_cli_progress_input(&progress, STDIN_FILENO);
    while (mien_reader_count(rd) < (uint64_t)head && (rc = mien_read(rd, &r, &e)) > 0) {
        if (montage_add(m, &r, &bad, &e) < 0)
            mien_cli_die(cli, "%s", e.msg);
        if (bad)
            mien_filter_report(cli, mien_reader_count(rd), &r, e.msg);
        mien_cli_progress(&progress, mien_reader_count(rd), 0, mien_reader_bytes(rd));
    }
    mien_cli_progress_end(&progress);
    if (rc < 0 || montage_end(m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    uint64_t n = mien_reader_count(rd);
    mien_reader_free(rd);
    mien_rec_free(&r);
    return n;
}

/* Prints what was drawn. Returns whether there was anything. */
static bool summary(const struct mien_cli *cli, const struct montage_counts *n)
{
    if (n->cells == 0)
        mien_cli_warn(cli, "no records, so no sheet was written");
    else if (n->judged == 0) /* nothing to tell wrong from right by */
        mien_cli_note(cli, "%llu records in %llu cells; pages: %llu", (unsigned long long)n->faces,
                      (unsigned long long)n->cells, (unsigned long long)n->pages);
    else
        mien_cli_note(cli, "%llu records in %llu cells, %llu with a wrong prediction; pages: %llu",
                      (unsigned long long)n->faces, (unsigned long long)n->cells,
                      (unsigned long long)n->wrong, (unsigned long long)n->pages);
    return n->cells > 0;
}

int main(int argc, char **argv)
{
    struct output out = {.path = "-", .quality = 90};
    struct montage_options o = {
        .columns = 8, .size = 224, .tolerance = 10, .page = write_page, .ctx = &out};
    int head = INT_MAX;
    size_t limit = 0;
    const struct mien_option opts[] = {
        MIEN_OPT_STR('o', "output", "FILE", &out.path,
                     "write to FILE, a PNG if its name ends in .png, else a JPEG; or to FILE-001, "
                     "FILE-002, ... if it takes several pages [standard output]"),
        MIEN_OPT_INT(0, "across", "N", &o.columns, 1, SHEET_MAX_CELLS, "pictures in a row [8]"),
        MIEN_OPT_INT(0, "down", "N", &o.rows, 1, SHEET_MAX_CELLS,
                     "rows on a page [a page about half as high again as wide]"),
        MIEN_OPT_INT(0, "size", "N", &o.size, SHEET_MIN_SIZE, SHEET_MAX_SIZE,
                     "longer side of a picture in pixels [224]"),
        MIEN_OPT_INT('n', "head", "N", &head, 1, INT_MAX, "stop after N records"),
        MIEN_OPT_REAL(0, "age-tolerance", "YEARS", &o.tolerance, 0, 255,
                      "a predicted age further off than this is wrong [10]"),
        MIEN_OPT_INT(0, "quality", "N", &out.quality, 1, 100, "quality of the JPEG, 1 to 100 [90]"),
        MIEN_OPT_MAX_RECORD(&limit),
        MIEN_OPT_ALIAS('c', "columns", "across"),
        MIEN_OPT_ALIAS('r', "rows", "down"),
        MIEN_OPT_ALIAS('s', NULL, "size"),
        MIEN_OPT_ALIAS(0, "limit", "head"),
        MIEN_OPT_ALIAS('t', NULL, "age-tolerance"),
    };
    struct mien_cli cli = {
        .name = "mien-montage",
        .synopsis = "[options] -o sheet.jpg < records.mien",
        .purpose = "Draws contact sheets of faces or photographs, with labels and predictions.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .uses = MIEN_CLI_RANGE | MIEN_CLI_MAX_BAD,
        .examples = "mien-predict --keep face.model < faces.mien | mien-montage -o sheet.jpg\n"
                    "mien-images photos/ | mien-montage --across 5 --size 320 -o photos.jpg",
    };
    struct mien_err e;
    out.cli = &cli;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_filter_operands(&cli, n, argv, 0, 0, NULL);
    if (strcmp(out.path, "-") == 0 && isatty(STDOUT_FILENO))
        mien_cli_die(&cli, "won't write an image to a terminal; name a file with --output");
    mien_cli_check_input(&cli, STDIN_FILENO);
    struct montage *m = montage_new(&o, &e);
    if (m == NULL)
        mien_cli_die(&cli, "%s", e.msg);

    int status = mien_cli_end(&cli, draw(&cli, m, head, limit));
    if (!summary(&cli, montage_counts(m)))
        status = MIEN_EXIT_BAD;
    montage_free(m);
    mien_buf_free(&out.image);
    mien_buf_free(&out.name);
    return status;
}
