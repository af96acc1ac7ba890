/* mien-images: image records from archives, folders and files, joined with metadata by path. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/streams.h"
#include "data/images.h"
#include "mien/cli.h"
#include "mien/filter.h"
#include "util/file.h"

/* Bytes of a metadata record: they are all held in memory. */
#define META_LIMIT ((size_t)64 << 10)

struct run {
    struct mien_cli *cli;
    const char *meta; /* a file of metadata records; NULL for none */
    int match;        /* enum join_how */
    bool strict;
    size_t limit; /* bytes of an image */
    struct images_rule rule;

    struct cli_output out;
    uint64_t nbad, nunread; /* records, and files of labels */
    bool nothing;           /* was found in a source, or joined */
};

/* Without memory for a name libarchive prints so and ends the program itself, with status 1, which
   would mean bad records. Set while it may. */
static struct run *in_archive;

static void at_exit(void)
{
    static const char why[] = "mien-images: out of memory\n";
    if (in_archive == NULL)
        return;
    mien_writer_flush(in_archive->out.writer, NULL);
    (void)!write(STDERR_FILENO, why, sizeof why - 1);
    _exit(MIEN_EXIT_FATAL);
}

static int next(struct run *run, struct images *im, struct images_record *r, struct mien_err *e)
{
    in_archive = run;
    int rc = images_next(im, r, e);
    in_archive = NULL;
    return rc;
}

/* Reports the record, and passes it on with its error field. */
static void put_bad(struct run *run, uint64_t number, struct mien_rec *r, const char *cause)
{
    cli_output_report(&run->out, number, r, cause);
    mien_rec_fail(r, "%s", cause);
    run->nbad++;
    cli_output_put(&run->out, r);
}

/* Reads the metadata into the join. */
static void read_meta(struct run *run)
{
    struct mien_rec r = {0};
    struct mien_err e;
    int rc, fd = file_open(run->meta, &e);
    if (fd < 0)
        mien_cli_die(run->cli, "%s", e.msg);
    mien_cli_check_input(run->cli, fd);
    struct mien_reader *rd = mien_reader_new(fd, META_LIMIT, &e);
    struct join *join = run->rule.join = join_new(run->match, &e);
    if (rd == NULL || join == NULL)
        mien_cli_die(run->cli, "%s", e.msg);
    while ((rc = mien_read(rd, &r, &e)) > 0) {
        if (mien_rec_has(&r, MIEN_TAG_ERROR))
            cli_output_put(&run->out, &r);
        else if ((rc = join_add(join, &r, &e)) == MIEN_ERR_MEM)
            break;
        else if (rc < 0)
            put_bad(run, mien_reader_count(rd), &r, e.msg);
    }
    if (rc < 0) {
        struct mien_err why;
        mien_err_set(&why, rc, "metadata '%s': %s", run->meta, e.msg);
        cli_output_die(&run->out, why.msg);
    }
    mien_rec_free(&r);
    mien_filter_history(run->cli, rd, NULL);
    mien_reader_free(rd);
    if (fd != STDIN_FILENO)
        close(fd);
    if (join_sort(join, &e) < 0)
        cli_output_die(&run->out, e.msg);
}

static void put(struct run *run, const struct images_record *r)
{
    uint64_t number = run->out.count + 1;
    for (int i = 0; i < r->nunread; i++) {
        struct mien_err why;
        mien_err_set(&why, MIEN_ERR_FORMAT, "labels next to the image: %s", r->unread[i].msg);
        cli_output_report(&run->out, number, r->rec, why.msg);
        run->nunread++;
    }
    if (r->bad != NULL)
        put_bad(run, number, r->rec, r->bad);
    else
        cli_output_put(&run->out, r->rec);
}

static void summarize(struct run *run, const struct images *im)
{
    const struct mien_cli *c = run->cli;
    const struct sample *s = images_samples(im);
    struct mien_buf lines = {0};
    struct mien_err e;
    if (run->rule.join != NULL && join_summary(run->rule.join, &lines, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    cli_note_lines(c, &lines);
    if (s->nleft > 0)
        mien_cli_note(c, "label files that --cls or --txt would read: %llu",
                      (unsigned long long)s->nleft);
    if (s->nalone > 0)
        mien_cli_warn(c, "labels without an image right before or after them: %llu, such as '%s'",
                      (unsigned long long)s->nalone, s->alone);
    if (images_skipped(im) > 0)
        mien_cli_note(c, "other files skipped: %llu", (unsigned long long)images_skipped(im));
    mien_cli_note(c, "image records: %llu", (unsigned long long)(run->out.count - run->nbad));
}

/* Warns of what the text says, if rc is 1; ends the program if it is negative. */
static void warn(struct run *run, int rc, struct mien_buf *text, const struct mien_err *e)
{
    if (rc < 0)
        mien_cli_die(run->cli, "%s", e->msg);
    if (rc > 0)
        mien_cli_warn(run->cli, "%.*s", (int)text->len, (const char *)text->data);
    run->nothing |= rc > 0;
    mien_buf_free(text);
}

/* Standard input serves one purpose, and isn't a terminal. */
static void check_input(const struct run *run, const char *const *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(path[i], "-") != 0)
            continue;
        if (run->meta != NULL && strcmp(run->meta, "-") == 0)
            mien_cli_die(run->cli,
                         "standard input can't be both the metadata and the archive: name one");
        if (isatty(STDIN_FILENO))
            mien_cli_die(run->cli, "the archive is read from standard input, which is a terminal; "
                                   "see mien-images --help");
    }
}

/* Makes the records of all files. */
static void take_files(struct run *run, struct images *im)
{
    struct mien_progress progress;
    struct images_record r;
    struct mien_err e;
    int rc;
    mien_cli_progress_start(&progress, run->cli, "records");
    while ((rc = next(run, im, &r, &e)) > 0) {
        put(run, &r);
        mien_cli_progress(&progress, run->out.count, 0, 0);
    }
    mien_cli_progress_end(&progress);
    if (rc < 0)
        cli_output_die(&run->out, e.msg);
    cli_output_end(&run->out);
}

int main(int argc, char **argv)
{
    struct run run = {.limit = (size_t)63 << 20};
    struct sample_rule *labels = &run.rule.labels;
    const struct mien_option opts[] = {
        MIEN_OPT_STR('m', "meta", "FILE", &run.meta,
                     "join the images with these metadata records; - is standard input"),
        MIEN_OPT_CHOICE(0, "match", "HOW", &run.match, JOIN_HOW_NAMES,
                        "join paths by their ends, exactly, by name, without case or extension: "
                        "suffix, exact, name, nocase, stem [suffix]"),
        MIEN_OPT_FLAG(0, "sidecar", &run.rule.sidecar,
                      "take labels from the files next to an image: NAME.json, .cls, .txt"),
        MIEN_OPT_FUNC(0, "cls", "FIELD", &labels->field[SIDECAR_CLS], sidecar_field,
                      "what .cls files hold: age, gender, group, subject, ..."),
        MIEN_OPT_FUNC(0, "txt", "FIELD", &labels->field[SIDECAR_TXT], sidecar_field,
                      "what .txt files hold"),
        MIEN_OPT_STR(0, "female", "CODE", &labels->codes.female, "how these labels write female"),
        MIEN_OPT_STR(0, "male", "CODE", &labels->codes.male, "how they write male"),
        MIEN_OPT_FLAG(0, "strict", &run.strict, "stop at the first bad record"),
        MIEN_OPT_SIZE(0, "max-image", "SIZE", &run.limit, 1, 4000 * 1048576.0,
                      "refuse larger image files [63M]"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUDES("meta", "sidecar cls txt"),
        MIEN_RULE_NEEDS("female male", "sidecar cls txt"),
    };
    struct mien_cli cli = {
        .name = "mien-images",
        .synopsis = "[options] [SOURCE ...] > images.mien",
        .purpose =
            "Makes records from the images in archives, folders and files. Without a SOURCE, "
            "or for -, reads an archive from standard input.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_OUTPUT | MIEN_CLI_SEGMENT | MIEN_CLI_MAX_BAD,
        .examples = "mien-images photos/ | mien-view\n"
                    "mien-meta imdb.mat | mien-images -m - imdb_crop.tar > images.mien",
    };
    run.cli = &cli;
    int n = mien_cli_parse(&cli, argc, argv);
    const char *const *path = cli_paths(&n, argv);
    const size_t npath = (size_t)n;
    run.rule.sidecar |= labels->field[SIDECAR_CLS] != 0 || labels->field[SIDECAR_TXT] != 0;
    check_input(&run, path, npath);
    cli_output_open(&run.out, &cli, run.strict);

    struct mien_err e;
    struct mien_buf text = {0};
    /* libarchive makes local times of those in a zip file, which nobody reads: without a time zone
       the C library looks for /etc/localtime at each. */
    if (setenv("TZ", "UTC", 0) != 0 || atexit(at_exit) != 0)
        mien_cli_die(&cli, "out of memory");
    struct source *source = source_new(path, npath, run.limit, &e);
    struct images *im = source != NULL ? images_new(source, &run.rule, &e) : NULL;
    if (im == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    if (run.meta != NULL)
        read_meta(&run);
    take_files(&run, im);
    for (size_t i = 0; i < npath; i++)
        warn(&run, source_empty(source, i, &text, &e), &text, &e);
    summarize(&run, im);
    if (run.rule.join != NULL && (join_count(run.rule.join) > 0 || run.out.count == 0))
        warn(&run, join_failed(run.rule.join, &text, &e), &text, &e);
    bool alone = images_samples(im)->nalone > 0;
    join_free(run.rule.join);
    images_free(im);
    source_free(source);
    int status = mien_cli_end(&cli, run.out.count);
    return run.nothing || alone || run.nunread > 0 ? MIEN_EXIT_BAD : status;
}
