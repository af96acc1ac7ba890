/* mien-split: assigns records to parts, such as train, val and test. */
#include <unistd.h>

#include "cli/state.h"
#include "cli/streams.h"
#include "data/parts.h"
#include "data/shards.h"
#include "data/split.h"
#include "data/strata.h"
#include "mien/filter.h"

struct options {
    const char *names;
    uint64_t seed;
    int by;
    struct strata_by stratify;
    bool strict;
    size_t limit;
    int shards, shard_by; /* shards 0: split */
};

/* What --shard-by names, of enum split_by; the last: nothing. */
enum { ID, SUBJECT, CONTENT, NOTHING };

struct splitter {
    struct mien_cli *cli;
    struct options o;
    struct split parts;
    struct strata *strata; /* NULL unless asked for */
    char **path;           /* of a file for each part; NULL: all go to standard output */
    struct parts *files;
    struct cli_output out;
    struct split_counts counts;
    uint64_t nread;
    struct mien_rec rec;
};

/* Ends the program: no file is left, standard output has what was good. */
static _Noreturn void fail(struct splitter *s, const char *why)
{
    if (s->path == NULL)
        cli_output_die(&s->out, why);
    parts_free(s->files);
    mien_cli_die(s->cli, "%s", why);
}

static void open_output(struct splitter *s)
{
    struct mien_err e;
    if (s->path == NULL)
        cli_output_open(&s->out, s->cli, s->o.strict);
    else if ((s->files = parts_new(s->path, s->parts.n, s->cli->state->segment, &e)) == NULL)
        mien_cli_die(s->cli, "%s", e.msg);
    else
        parts_history(s->files, "", s->cli->state->step.text);
}

static void put(struct splitter *s, int part)
{
    struct mien_err e;
    if (s->path == NULL)
        cli_output_put(&s->out, &s->rec);
    else if (parts_put(s->files, part, &s->rec, &e) < 0)
        fail(s, e.msg);
}

static void close_output(struct splitter *s)
{
    struct mien_err e;
    if (s->path == NULL) {
        cli_output_end(&s->out);
        return;
    }
    parts_history(s->files, s->cli->state->from.text, s->cli->state->step.text);
    if (parts_end(s->files, &e) < 0)
        fail(s, e.msg);
    parts_free(s->files);
}

/* The first of two passes. Returns the descriptor for the second. */
static int survey(struct splitter *s)
{
    struct mien_err e;
    int fd = -1;
    s->strata = strata_new(s->o.stratify, &e);
    if (s->strata != NULL)
        fd = strata_survey(s->strata, s->o.by, s->o.seed, STDIN_FILENO, s->o.limit, &e);
    if (fd < 0 || strata_assign(s->strata, &s->parts, &e) < 0)
        fail(s, e.msg);
    return fd;
}

/* A record that belongs to no part: reported, unless it came with its error; on standard output
   passed on. */
static void leave_out(struct splitter *s, uint64_t number, const char *why)
{
    s->counts.left++;
    if (!mien_rec_has(&s->rec, MIEN_TAG_ERROR)) {
        mien_filter_report(s->cli, number, &s->rec, why);
        if (s->o.strict)
            fail(s, "stopped at the first bad record, as --strict asks");
        mien_rec_fail(&s->rec, "%s", why);
    }
    if (s->path == NULL)
        cli_output_put(&s->out, &s->rec);
}

static void deliver(struct splitter *s, int fd)
{
    struct mien_err e, why;
    struct mien_progress progress;
    struct mien_reader *rd = mien_filter_reader(s->cli, fd, s->o.limit, &e);
    uint64_t key, nth = 0;
    int rc = rd == NULL ? MIEN_ERR_MEM : 1;
    mien_cli_progress_start(&progress, s->cli, "records");
    mien_cli_progress_input(&progress, fd);
    while (rc > 0 && (rc = mien_read(rd, &s->rec, &e)) > 0) {
        int by = split_key(&s->rec, s->o.by, s->o.seed, &key, &why), part = -1;
        if (by >= 0)
            part = s->strata != NULL ? strata_part(s->strata, nth++) : split_part(&s->parts, key);
        if (part < 0) {
            leave_out(s, mien_reader_count(rd), by < 0 ? why.msg : "the input has changed");
            continue;
        }
        s->counts.keyed[by]++;
        split_tally_add(&s->counts.part[part], &s->rec);
        if (mien_rec_set_str(&s->rec, MIEN_TAG_SPLIT, s->parts.name[part]) < 0) {
            rc = mien_err_mem(&e, SPLIT_NAME, "a record");
            break;
        }
        put(s, part);
        mien_cli_progress(&progress, mien_reader_count(rd), 0, mien_reader_bytes(rd));
    }
    mien_cli_progress_end(&progress);
    s->nread = rd != NULL ? mien_reader_count(rd) : 0;
    if (rd != NULL)
        mien_filter_history(s->cli, rd, NULL);
    mien_reader_free(rd);
    if (rc < 0)
        fail(s, e.msg);
}

/* --shards: all records go on as they are. */
static void make_shards(struct splitter *s, const char *path)
{
    static const enum split_by by[] = {SPLIT_BY_ID, SPLIT_BY_SUBJECT, SPLIT_BY_CONTENT};
    struct mien_err e;
    struct mien_progress progress;
    struct mien_reader *rd = mien_filter_reader(s->cli, STDIN_FILENO, s->o.limit, &e);
    struct shards *to = shards_new(path, s->o.shards, s->cli->state->segment, &e);
    int rc = rd != NULL && to != NULL ? 1 : MIEN_ERR_MEM;
    mien_cli_progress_start(&progress, s->cli, "records");
    mien_cli_progress_input(&progress, STDIN_FILENO);
    while (rc > 0 && (rc = mien_read(rd, &s->rec, &e)) > 0) {
        uint64_t key;
        bool keyed = s->o.shard_by != NOTHING &&
                     split_key(&s->rec, by[s->o.shard_by], s->o.seed, &key, NULL) >= 0;
        rc = shards_add(to, reader_raw(rd), keyed ? &key : NULL, &e);
        rc = rc < 0 ? rc : 1;
        mien_cli_progress(&progress, mien_reader_count(rd), 0, mien_reader_bytes(rd));
    }
    mien_cli_progress_end(&progress);
    if (rc == 0)
        rc = shards_end(to, rd, &e);
    struct shards_range g = {{0}, {0}};
    if (rc == 0)
        g = shards_range(to);
    shards_free(to);
    mien_reader_free(rd);
    if (rc < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    mien_cli_note(s->cli, "%d shards of %llu to %llu records, %llu to %llu bytes", s->o.shards,
                  (unsigned long long)g.records[0], (unsigned long long)g.records[1],
                  (unsigned long long)g.bytes[0], (unsigned long long)g.bytes[1]);
}

static void summarize(struct splitter *s)
{
    struct mien_buf lines = {0};
    struct mien_err e;
    if (s->cli->quiet)
        return;
    if (split_summary(&s->parts, &s->counts, s->o.by, &lines, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    cli_note_lines(s->cli, &lines);
}

static bool stratified(const struct splitter *s)
{
    return s->o.stratify.age || s->o.stratify.gender || s->o.stratify.ngroup > 0;
}

/* Reads the operands: shares, and a file for each of them or none. */
static void parse_operands(struct splitter *s, int n, char **argv)
{
    struct mien_err e;
    if (s->o.shards > 0) {
        mien_cli_operands(s->cli, n, argv, 1, 1, "FILE, after which the shards are named");
        return;
    }
    mien_cli_operands(s->cli, n, argv, 1, 1 + SPLIT_MAX, "SHARES, such as 80/10/10");
    if (split_parse(&s->parts, argv[1], s->o.names, &e) < 0)
        mien_cli_die(s->cli, "%s", e.msg);
    s->path = n > 1 ? argv + 2 : NULL;
    if (s->path != NULL && s->cli->state->output != NULL)
        mien_cli_die(s->cli, "--output is for one stream, not for a file for each part");
    if (s->path != NULL && n - 1 != s->parts.n)
        mien_cli_die(s->cli, "%d parts need %d files, not %d", s->parts.n, s->parts.n, n - 1);
}

int main(int argc, char **argv)
{
    struct splitter s = {.o = {.by = SPLIT_BY_DEFAULT, .shard_by = NOTHING}};
    const struct mien_option opts[] = {
        MIEN_OPT_SEED('s', "seed", "N", &s.o.seed, "each seed gives a different split [0]"),
        MIEN_OPT_CHOICE(0, "by", "KEY", &s.o.by, "subject|content|id",
                        "keep records together by subject, content or id [subject, or else "
                        "content]"),
        MIEN_OPT_FUNC(0, "stratify", "LABELS", &s.o.stratify, strata_by_parse,
                      "balance the parts by these labels, such as age,gender,group"),
        MIEN_OPT_STR(0, "names", "A,B,...", &s.o.names, "names of the parts [train,val,test]"),
        MIEN_OPT_INT(0, "shards", "N", &s.o.shards, 1, SHARDS_MAX,
                     "don't split but divide evenly into N files, FILE-1, FILE-2, ..."),
        MIEN_OPT_CHOICE(0, "shard-by", "KEY", &s.o.shard_by, "id|subject|content",
                        "keep records of the same id, subject or content in one shard"),
        MIEN_OPT_FLAG(0, "strict", &s.o.strict, "stop at the first bad record"),
        MIEN_OPT_MAX_RECORD(&s.o.limit),
        MIEN_OPT_ALIAS('b', NULL, "by"),
        MIEN_OPT_ALIAS('n', NULL, "names"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUDES("shards", "by names stratify output"),
        MIEN_RULE_EXCLUDES("stratify", "range"),
        MIEN_RULE_NEEDS("shard-by", "shards"),
    };
    struct mien_cli cli = {
        .name = "mien-split",
        .synopsis = "[options] SHARES [file ...] < records.mien\n"
                    "--shards N [options] FILE < records.mien",
        .purpose = "Splits records into parts by a hash of a key: into a file for each part, or "
                   "into one stream, marked by a field.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_FILTER,
        .examples =
            "mien-split 80/10/10 train.mien val.mien test.mien < faces.mien\n"
            "mien-split --shards 100 faces.mien < all.mien\n"
            "mien-split --by subject --stratify age,gender 90/10 a.mien b.mien < faces.mien",
    };
    s.cli = &cli;
    parse_operands(&s, mien_cli_parse(&cli, argc, argv), argv);
    mien_cli_check_input(&cli, STDIN_FILENO);
    if (s.o.shards > 0) {
        make_shards(&s, argv[1]);
        mien_rec_free(&s.rec);
        return mien_cli_end(&cli, 0);
    }
    mien_cli_history(&cli, "%s, seed %llu", argv[1], (unsigned long long)s.o.seed);
    open_output(&s);
    int fd = stratified(&s) ? survey(&s) : STDIN_FILENO;
    deliver(&s, fd);
    close_output(&s);
    int status = mien_cli_end(&cli, s.nread);
    summarize(&s);
    if (fd != STDIN_FILENO)
        close(fd);
    strata_free(s.strata);
    mien_rec_free(&s.rec);
    return status;
}
