/* mien-images: image records from archives, folders and files, joined with metadata by path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/join.h"
#include "labels/sidecar.h"
#include "data/source.h"
#include "mien/cli.h"
#include "mien/filter.h"
#include "mien/record.h"
#include "util/file.h"

/* Bytes of a metadata record: they are all held in memory. */
#define META_LIMIT ((size_t)64 << 10)

/* An image and the labels beside it, in files of one name that follow each other. */
struct sample {
    struct mien_buf name, text[SIDECARS];
    size_t source;  /* that all of them are from */
    bool has_image; /* in images.rec */
};

struct images {
    struct mien_cli *cli;
    const char *meta; /* a file of metadata records; NULL for none */
    int match;        /* enum join_how */
    bool strict;
    size_t limit; /* bytes of an image */

    bool sidecar;
    int field[SIDECARS]; /* what files of a kind hold: a tag; 0 for what is not known */
    struct label_codes codes;
    struct sample sample;
    uint64_t nalone, nunread, nleft[SIDECARS]; /* label files */
    char alone[200];                           /* the first of those without an image */

    struct join *join; /* NULL without metadata */
    struct join_misses misses;
    uint64_t njoined; /* images */
    struct mien_writer *w;
    struct mien_rec rec;
    bool empty; /* a source without an image */
    uint64_t nbad, nunlabelled, nother;
    char unlabelled[200]; /* the first of them */
};

/* Without memory for a name libarchive prints so and ends the program itself, with status 1, which
   would mean bad records. Set while it may. */
static struct images *in_archive;

static void at_exit(void)
{
    static const char why[] = "mien-images: out of memory\n";
    if (in_archive == NULL)
        return;
    mien_writer_flush(in_archive->w, NULL);
    (void)!write(STDERR_FILENO, why, sizeof why - 1);
    _exit(MIEN_EXIT_FATAL);
}

static int next_file(struct images *im, struct source *s, struct source_file *f, struct mien_err *e)
{
    in_archive = im;
    int rc = source_next(s, f, e);
    in_archive = NULL;
    return rc;
}

static int load_file(struct images *im, struct source *s, const unsigned char **bytes, size_t *n,
                     struct mien_err *e)
{
    in_archive = im;
    int rc = source_load(s, bytes, n, e);
    in_archive = NULL;
    return rc;
}

static void put(struct images *im)
{
    struct mien_err e;
    if (mien_write(im->w, &im->rec, &e) < 0)
        mien_cli_die_output(im->cli, &e);
}

/* Reports the record, and passes it on with its error field. */
static void put_bad(struct images *im, uint64_t number, const char *cause)
{
    mien_filter_report(im->cli, number, &im->rec, cause);
    if (im->strict)
        mien_cli_die(im->cli, "stopped at the first bad record, as --strict asks");
    mien_rec_fail(&im->rec, "%s", cause);
    im->nbad++;
    put(im);
}

/* The archive or the metadata are broken: what was read before is delivered. */
static _Noreturn void fatal(struct images *im, const struct mien_err *cause)
{
    struct mien_err e;
    if (mien_writer_flush(im->w, &e) < 0)
        mien_cli_die_output(im->cli, &e);
    mien_cli_die(im->cli, "%s", cause->msg);
}

static void read_meta(struct images *im)
{
    struct mien_err e;
    int rc, fd = file_open(im->meta, &e);
    if (fd < 0)
        mien_cli_die(im->cli, "%s", e.msg);
    mien_cli_check_input(im->cli, fd);
    struct mien_reader *rd = mien_reader_new(fd, META_LIMIT, &e);
    im->join = join_new(im->match, &e);
    if (rd == NULL || im->join == NULL)
        mien_cli_die(im->cli, "%s", e.msg);
    while ((rc = mien_read(rd, &im->rec, &e)) > 0) {
        if (mien_rec_has(&im->rec, MIEN_TAG_ERROR))
            put(im);
        else if ((rc = join_add(im->join, &im->rec, &e)) == MIEN_ERR_MEM)
            break;
        else if (rc < 0)
            put_bad(im, mien_reader_count(rd), e.msg);
    }
    if (rc < 0) {
        struct mien_err why;
        mien_err_set(&why, rc, "metadata '%s': %s", im->meta, e.msg);
        fatal(im, &why);
    }
    mien_reader_free(rd);
    if (fd != STDIN_FILENO)
        close(fd);
    if (join_sort(im->join, &e) < 0)
        fatal(im, &e);
}

/* A record of the path alone. */
static int plain_record(struct mien_rec *r, const char *path, struct mien_err *e)
{
    mien_rec_clear(r);
    return mien_rec_set_str(r, MIEN_TAG_ID, path) < 0 ? mien_err_mem(e, strlen(path), "an id") : 0;
}

static int attach(struct mien_rec *r, const char *kind, const unsigned char *bytes, size_t n,
                  struct mien_err *e)
{
    const uint32_t dim = (uint32_t)n;
    unsigned char *p = mien_rec_alloc(r, MIEN_TAG_IMAGE, MIEN_U8, 1, &dim);
    if (p == NULL || mien_rec_set_str(r, MIEN_TAG_IMAGE_KIND, kind) < 0)
        return mien_err_mem(e, n, "an image");
    memcpy(p, bytes, n);
    return 0;
}

/* Writes the records of a file: those of its metadata, or the one of its path. cause tells what is
   wrong with the file, NULL when nothing is. */
static void put_file(struct images *im, struct source *s, const struct source_file *f,
                     const struct join_match *m, const char *cause)
{
    struct mien_err e, why;
    const unsigned char *bytes = NULL;
    size_t n = 0;
    int rc = cause == NULL ? load_file(im, s, &bytes, &n, &e) : 0;
    if (rc < 0)
        fatal(im, &e);
    if (rc == 0 && cause == NULL) {
        why = e;
        cause = why.msg;
    }
    for (size_t i = 0; i < (m != NULL ? m->n : 1); i++) {
        rc = m != NULL ? join_get(im->join, m->first + i, &im->rec, &e)
                       : plain_record(&im->rec, f->path, &e);
        if (rc == 0 && cause == NULL)
            rc = attach(&im->rec, f->kind, bytes, n, &e);
        if (rc < 0)
            fatal(im, &e);
        if (cause != NULL)
            put_bad(im, mien_writer_count(im->w) + 1, cause);
        else
            put(im);
    }
}

static void take_file(struct images *im, struct source *s, const struct source_file *f)
{
    struct mien_err e;
    struct join_match m;
    int found = im->join != NULL ? join_find(im->join, f->path, &m, &e) : 0;
    if (found > 0) {
        im->njoined++;
        if (f->error == NULL && !f->image)
            mien_err_set(&e, MIEN_ERR_FORMAT, "%s%snot an image", f->kind != NULL ? f->kind : "",
                         f->kind != NULL ? ", " : "");
        put_file(im, s, f, &m, f->error != NULL ? f->error : !f->image ? e.msg : NULL);
    } else if (!f->image && f->error == NULL) {
        im->nother++;
    } else if (im->join == NULL) {
        put_file(im, s, f, NULL, f->error);
    } else if (found < 0) {
        put_file(im, s, f, NULL, e.msg);
    } else {
        if (im->nunlabelled++ == 0)
            snprintf(im->unlabelled, sizeof im->unlabelled, "%s", f->path);
        if (im->njoined == 0)
            join_missed(&im->misses, f->path);
    }
}

static void put_label(struct images *im, enum sidecar kind)
{
    const struct mien_buf *b = &im->sample.text[kind];
    struct mien_err e;
    const char *text = (const char *)b->data;
    int rc = 0;
    if (b->len == 0)
        return;
    if (kind == SIDECAR_JSON)
        rc = sidecar_json(&im->rec, text, b->len, &im->codes, &e);
    else if (im->field[kind] != 0)
        rc = sidecar_text(&im->rec, im->field[kind], text, b->len, &im->codes, &e);
    else
        im->nleft[kind]++;
    if (rc == MIEN_ERR_MEM)
        fatal(im, &e);
    if (rc == 0)
        return;
    struct mien_err why;
    mien_err_set(&why, rc, "labels beside the image: %s", e.msg);
    mien_filter_report(im->cli, mien_writer_count(im->w) + 1, &im->rec, why.msg);
    if (im->strict)
        mien_cli_die(im->cli, "stopped at the first bad record, as --strict asks");
    im->nunread++;
}

/* Writes the image with the labels beside it, and begins anew. */
static void put_sample(struct images *im)
{
    struct sample *p = &im->sample;
    bool labels = false;
    for (int i = SIDECAR_JSON; i < SIDECARS; i++) {
        labels |= p->text[i].len > 0;
        if (p->has_image)
            put_label(im, (enum sidecar)i);
        mien_buf_clear(&p->text[i]);
    }
    if (p->has_image)
        put(im);
    else if (labels && im->nalone++ == 0)
        snprintf(im->alone, sizeof im->alone, "%.*s", (int)p->name.len, (char *)p->name.data);
    p->has_image = false;
}

/* Whether the sample's image has this very path: then another begins. */
static bool is_again(const struct images *im, const char *path)
{
    size_t len = 0;
    const char *id = im->sample.has_image ? mien_rec_text(&im->rec, MIEN_TAG_ID, &len) : NULL;
    return id != NULL && len == strlen(path) && memcmp(id, path, len) == 0;
}

/* Takes a file of a sample; --sidecar. */
static void take_part(struct images *im, struct source *s, const struct source_file *f)
{
    struct sample *p = &im->sample;
    struct mien_err e;
    const unsigned char *bytes;
    size_t n = sidecar_name(f->path), len;
    enum sidecar kind = f->image ? SIDECAR_NONE : sidecar_kind(f->path);
    size_t at = source_at(s);
    bool other = at != p->source || n != p->name.len || memcmp(f->path, p->name.data, n) != 0;
    if (other || (f->image && is_again(im, f->path)))
        put_sample(im);
    p->source = at;
    mien_buf_clear(&p->name);
    if (mien_buf_append(&p->name, f->path, n) < 0)
        mien_cli_die(im->cli, "out of memory");
    if (!f->image && kind == SIDECAR_NONE && f->error == NULL) {
        im->nother++;
        return;
    }
    if (p->has_image && kind == SIDECAR_NONE) { /* another image of the name, such as a mask */
        im->nother++;
        return;
    }
    int rc = f->error == NULL ? load_file(im, s, &bytes, &len, &e) : 0;
    if (rc < 0)
        fatal(im, &e);
    if (kind != SIDECAR_NONE && rc > 0) {
        if (mien_buf_append(&p->text[kind], bytes, len) < 0)
            mien_cli_die(im->cli, "out of memory");
        return;
    }
    if (rc == 0) { /* it can't be read */
        put_sample(im);
        put_file(im, s, f, NULL, f->error != NULL ? f->error : e.msg);
        return;
    }
    if (plain_record(&im->rec, f->path, &e) < 0 || attach(&im->rec, f->kind, bytes, len, &e) < 0)
        fatal(im, &e);
    p->has_image = true;
}

/* Names the sources without an image, and why that may be. */
static void report_empty(struct images *im, const struct source *s, char *const *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct source_count *c = source_count(s, i);
        const char *name = strcmp(path[i], "-") == 0 ? "standard input" : path[i];
        unsigned long long files = c->archives + c->others;
        if (c->images > 0)
            continue;
        im->empty = true;
        if (files == 0)
            mien_cli_warn(im->cli, "no image in '%s': it has no files", name);
        else if (c->archives > 0)
            mien_cli_warn(im->cli,
                          "no image in '%s': %llu of its files %s, and archives in an archive or "
                          "a folder aren't looked into",
                          name, (unsigned long long)c->archives,
                          c->archives == 1 ? "is an archive itself" : "are archives themselves");
        else
            mien_cli_warn(im->cli, "no image in '%s', but %llu other file%s", name, files,
                          files == 1 ? "" : "s");
    }
}

static void summarize(struct images *im, const struct source *s)
{
    const struct mien_cli *c = im->cli;
    unsigned long long other = im->nother + source_skipped(s);
    size_t i, n = im->join != NULL ? join_unmatched(im->join, &i) : 0;
    struct mien_err e;
    char id[200];
    if (n > 0 && join_get(im->join, i, &im->rec, &e) == 0)
        mien_cli_note(c, "metadata without an image: %zu, such as '%s'", n,
                      mien_rec_id(&im->rec, id, sizeof id));
    if (im->nunlabelled > 0)
        mien_cli_note(c, "images without metadata: %llu, such as '%s'",
                      (unsigned long long)im->nunlabelled, im->unlabelled);
    if (im->nleft[SIDECAR_CLS] + im->nleft[SIDECAR_TXT] > 0)
        mien_cli_note(c, "label files that --cls or --txt would read: %llu",
                      (unsigned long long)(im->nleft[SIDECAR_CLS] + im->nleft[SIDECAR_TXT]));
    if (im->nalone > 0)
        mien_cli_warn(c, "labels without an image right before or behind them: %llu, such as '%s'",
                      (unsigned long long)im->nalone, im->alone);
    if (other > 0)
        mien_cli_note(c, "other files skipped: %llu", other);
    mien_cli_note(c, "image records: %llu",
                  (unsigned long long)(mien_writer_count(im->w) - im->nbad));
}

/* Whether there are metadata and images, and none fit: then it is said what may be the cause. */
static bool nothing_joined(struct images *im)
{
    struct mien_buf advice = {0};
    struct mien_err e;
    if (im->join == NULL || im->njoined > 0 || im->nunlabelled == 0)
        return false;
    if (join_count(im->join) == 0 && mien_writer_count(im->w) > 0)
        return false; /* metadata with errors, which went on */
    if (join_count(im->join) == 0) {
        mien_cli_warn(im->cli, "nothing joined: the metadata have no records");
        return true;
    }
    if (join_advice(im->join, &im->misses, &advice, &e) < 0)
        mien_cli_die(im->cli, "%s", e.msg);
    mien_cli_warn(im->cli, "nothing joined: %zu metadata records and %llu images; %.*s",
                  join_count(im->join), (unsigned long long)im->nunlabelled, (int)advice.len,
                  (const char *)advice.data);
    mien_buf_free(&advice);
    return true;
}

/* Standard input serves one purpose, and isn't a terminal. */
static void check_input(const struct images *im, char *const *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(path[i], "-") != 0)
            continue;
        if (im->meta != NULL && strcmp(im->meta, "-") == 0)
            mien_cli_die(im->cli,
                         "standard input can't be both the metadata and the archive: name one");
        if (isatty(STDIN_FILENO))
            mien_cli_die(im->cli, "the archive is read from standard input, which is a terminal; "
                                  "see mien-images --help");
    }
}

/* Takes what the options say of label files. */
static void check_sidecar(struct images *im, const char *const *field)
{
    static const int tags[] = {MIEN_TAG_ID,    MIEN_TAG_SUBJECT, MIEN_TAG_AGE,  MIEN_TAG_GENDER,
                               MIEN_TAG_GROUP, MIEN_TAG_BIRTH,   MIEN_TAG_YEAR, MIEN_TAG_SPLIT};
    if (im->sidecar && im->meta != NULL)
        mien_cli_die(im->cli, "--sidecar and --meta exclude each other");
    for (int i = SIDECAR_CLS; i < SIDECARS; i++) {
        if (field[i] == NULL)
            continue;
        for (size_t k = 0; k < sizeof tags / sizeof tags[0]; k++) {
            if (mien_tag_of(field[i]) == tags[k])
                im->field[i] = tags[k];
        }
        if (im->field[i] == 0)
            mien_cli_die(im->cli,
                         "--%s: '%s' is not id, subject, age, gender, group, birth, year "
                         "or split",
                         i == SIDECAR_CLS ? "cls" : "txt", field[i]);
        im->sidecar = true;
    }
    if (!im->sidecar && (im->codes.female != NULL || im->codes.male != NULL))
        mien_cli_die(im->cli, "--female and --male need --sidecar");
}

static void take_files(struct images *im, struct source *s)
{
    struct mien_progress progress;
    struct source_file f;
    struct mien_err e;
    int rc;
    mien_cli_progress_start(&progress, im->cli, "records");
    while ((rc = next_file(im, s, &f, &e)) > 0) {
        if (im->sidecar)
            take_part(im, s, &f);
        else
            take_file(im, s, &f);
        mien_cli_progress(&progress, mien_writer_count(im->w), 0, 0);
    }
    put_sample(im);
    mien_cli_progress_end(&progress);
    if (rc < 0)
        fatal(im, &e);
    if (mien_writer_end(im->w, &e) < 0)
        mien_cli_die_output(im->cli, &e);
}

int main(int argc, char **argv)
{
    static char *const standard_input[] = {"-"};
    const char *field[SIDECARS] = {NULL};
    struct images im = {.limit = (size_t)63 << 20};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('m', "meta", "FILE", &im.meta,
                     "join the images with these metadata records; - is standard input"),
        MIEN_OPT_CHOICE(0, "match", "HOW", &im.match, JOIN_HOW_NAMES,
                        "join paths by their ends, exactly, by name, without case or extension: "
                        "suffix, exact, name, nocase, stem [suffix]"),
        MIEN_OPT_FLAG(0, "sidecar", &im.sidecar,
                      "take labels from the files beside an image: NAME.json, .cls, .txt"),
        MIEN_OPT_STR(0, "cls", "FIELD", &field[SIDECAR_CLS],
                     "what .cls files hold: age, gender, group, subject, ..."),
        MIEN_OPT_STR(0, "txt", "FIELD", &field[SIDECAR_TXT], "what .txt files hold"),
        MIEN_OPT_STR(0, "female", "CODE", &im.codes.female, "how these labels write female"),
        MIEN_OPT_STR(0, "male", "CODE", &im.codes.male, "how they write male"),
        MIEN_OPT_FLAG(0, "strict", &im.strict, "stop at the first bad record"),
        MIEN_OPT_SIZE(0, "max-image", "SIZE", &im.limit, 1, 4000 * 1048576.0,
                      "refuse larger image files [63M]"),
    };
    struct mien_cli cli = {
        .name = "mien-images",
        .synopsis = "[options] [SOURCE ...] > images.mien",
        .purpose = "Makes records of the images in archives, folders and files. Without a SOURCE, "
                   "or for -, reads an archive from standard input.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .uses = MIEN_CLI_OUTPUT | MIEN_CLI_SEGMENT | MIEN_CLI_MAX_BAD,
        .examples = "mien-images photos/ | mien-view\n"
                    "mien-meta imdb.mat | mien-images -m - imdb_crop.tar > images.mien",
    };
    im.cli = &cli;
    int n = mien_cli_parse(&cli, argc, argv);
    char *const *path = n > 0 ? argv + 1 : standard_input;
    size_t npath = n > 0 ? (size_t)n : 1;
    check_sidecar(&im, field);
    check_input(&im, path, npath);
    mien_cli_check_output(&cli, STDOUT_FILENO);

    struct mien_err e;
    /* libarchive makes local times of those in a zip file, which nobody reads: without a time zone
       the C library looks for /etc/localtime at each. */
    if (setenv("TZ", "UTC", 0) != 0 || atexit(at_exit) != 0)
        mien_cli_die(&cli, "out of memory");
    struct source *s = source_new(path, npath, im.limit, &e);
    if (s == NULL || (im.w = mien_filter_writer(&cli, STDOUT_FILENO, &e)) == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    if (im.meta != NULL)
        read_meta(&im);
    take_files(&im, s);
    report_empty(&im, s, path, npath);
    summarize(&im, s);
    bool nothing = nothing_joined(&im);
    join_free(im.join);
    join_misses_free(&im.misses);
    mien_buf_free(&im.sample.name);
    for (int i = 0; i < SIDECARS; i++)
        mien_buf_free(&im.sample.text[i]);
    mien_rec_free(&im.rec);
    uint64_t nrecords = mien_writer_count(im.w);
    mien_writer_free(im.w);
    source_free(s);
    int status = mien_cli_end(&cli, nrecords);
    return im.empty || im.nalone > 0 || im.nunread > 0 || nothing ? MIEN_EXIT_BAD : status;
}
