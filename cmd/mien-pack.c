/* mien-pack: packs records into tensors, which a trainer maps, and unpacks them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/state.h"
#include "mien/filter.h"
#include "mien/pack.h"
#include "tensor/pack_origin.h"
#include "tensor/pack_writer.h"

struct options {
    const char *out;
    bool restore, list, strict;
    int kind; /* enum mien_pack_kind */
    size_t limit;
};

/* Reads standard input and adds its records, over which it counts. Returns 0 or a negative code. */
static int add_records(const struct mien_cli *c, const struct options *o, struct mien_reader *rd,
                       struct pack_writer *w, uint64_t *nbad, uint64_t *nerror, struct mien_err *e)
{
    struct mien_rec r = {0};
    struct mien_progress progress;
    int rc;
    mien_cli_progress_start(&progress, c, "records");
    mien_cli_progress_input(&progress, STDIN_FILENO);
    while ((rc = mien_read(rd, &r, e)) > 0) {
        if (mien_rec_has(&r, MIEN_TAG_ERROR)) {
            ++*nerror;
        } else if ((rc = pack_add(w, &r, e)) == MIEN_ERR_FORMAT) {
            mien_cli_progress_end(&progress);
            mien_filter_report(c, mien_reader_count(rd), &r, e->msg);
            ++*nbad;
            if (o->strict) {
                rc = mien_err_set(e, rc, "stopped at the first bad record, as --strict asks");
                break;
            }
        } else if (rc < 0) {
            break;
        }
        mien_cli_progress(&progress, mien_reader_count(rd), 0, mien_reader_bytes(rd));
    }
    mien_cli_progress_end(&progress);
    mien_rec_free(&r);
    return rc;
}

static int make_pack(struct mien_cli *c, const struct options *o)
{
    struct mien_err e;
    uint64_t nbad = 0, nerror = 0;
    mien_cli_check_input(c, STDIN_FILENO);
    struct mien_reader *rd = mien_filter_reader(c, STDIN_FILENO, o->limit, &e);
    struct pack_writer *w = rd ? pack_writer_new(o->out, (enum mien_pack_kind)o->kind, &e) : NULL;
    bool ok = w && add_records(c, o, rd, w, &nbad, &nerror, &e) == 0 &&
              pack_writer_end(w, "mien-pack " MIEN_VERSION, mien_reader_history(rd), &e) == 0;
    pack_writer_free(w);
    uint64_t nread = ok ? mien_reader_count(rd) : 0;
    mien_reader_free(rd);
    if (!ok)
        mien_cli_die(c, "%s", e.msg);
    int status = mien_cli_end(c, nread);
    mien_cli_note(c, "%llu records packed, %llu with errors and %llu bad ones left out",
                  (unsigned long long)(nread - nbad - nerror), (unsigned long long)nerror,
                  (unsigned long long)nbad);
    return status;
}

static int restore_packs(struct mien_cli *c, char **path, int n)
{
    struct mien_err e;
    struct mien_pack p;
    struct mien_rec r = {0};
    uint64_t total = 0;
    mien_cli_check_output(c, STDOUT_FILENO);
    struct mien_writer *w = mien_filter_writer(c, STDOUT_FILENO, &e);
    if (!w)
        mien_cli_die(c, "%s", e.msg);
    for (int k = 0; k < n; k++) {
        struct mien_progress progress;
        if (mien_pack_open(&p, path[k], &e) < 0)
            mien_cli_die(c, "%s", e.msg);
        mien_cli_progress_start(&progress, c, "records");
        for (size_t i = 0; i < p.n; i++) {
            int rc = mien_pack_record(&p, i, &r, &e);
            if (rc == MIEN_ERR_MEM)
                mien_cli_die(c, "%s", e.msg);
            if (rc < 0) {
                mien_cli_progress_end(&progress);
                char where[300];
                snprintf(where, sizeof where, "'%s', record %zu", path[k], i + 1);
                mien_cli_bad(c, where, e.msg);
            } else if (mien_write(w, &r, &e) < 0) {
                mien_cli_die_output(c, &e);
            }
            mien_cli_progress(&progress, i + 1, p.n, 0);
        }
        mien_cli_progress_end(&progress);
        history_merge(&c->state->from, pack_history(&p), strlen(pack_history(&p)));
        total += p.n;
        mien_pack_close(&p);
    }
    mien_filter_history(c, NULL, w);
    if (mien_writer_end(w, &e) < 0)
        mien_cli_die_output(c, &e);
    mien_writer_free(w);
    mien_rec_free(&r);
    return mien_cli_end(c, total);
}

static void list_pack(const struct mien_pack *p, const char *path)
{
    size_t age = 0, band = 0, gender[2] = {0};
    int lo = MIEN_PACK_UNKNOWN, hi = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->age[i] != MIEN_PACK_UNKNOWN) {
            age++;
            lo = p->age[i] < lo ? p->age[i] : lo;
            hi = p->age[i] > hi ? p->age[i] : hi;
        }
        band += p->band && p->band[2 * i] != MIEN_PACK_UNKNOWN;
        if (p->gender[i] != MIEN_PACK_UNKNOWN)
            gender[p->gender[i]]++;
    }
    printf("%s\n  records   %zu\n  tensor    %s", path, p->n, mien_pack_kind_name(p->kind));
    if (p->kind == MIEN_PACK_PIXELS)
        printf(" %dx%d", p->height, p->width);
    else if (p->kind == MIEN_PACK_FEATURES)
        printf(" %d", p->dim);
    printf("\n  prep      %s\n  age       %zu known", *p->prep.text ? p->prep.text : "-", age);
    if (age)
        printf(" (%d-%d)", lo, hi);
    printf(", %zu unknown\n  age band  %zu known\n", p->n - age, band);
    printf("  gender    %zu female, %zu male, %zu unknown\n", gender[0], gender[1],
           p->n - gender[0] - gender[1]);
}

static int list_packs(struct mien_cli *c, char **path, int n)
{
    struct mien_err e;
    struct mien_pack p;
    for (int k = 0; k < n; k++) {
        if (mien_pack_open(&p, path[k], &e) < 0)
            mien_cli_die(c, "%s", e.msg);
        list_pack(&p, path[k]);
        mien_pack_close(&p);
    }
    mien_cli_close_stdout(c);
    return mien_cli_end(c, 0);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('o', "output", "FILE", &o.out,
                     "pack standard input into FILE; with -d or -l, write to FILE"),
        MIEN_OPT_CHOICE(0, "kind", "KIND", &o.kind, "auto|pixels|image|features",
                        "what to make the tensor from: auto, pixels, image or features [auto]"),
        MIEN_OPT_FLAG(0, "strict", &o.strict, "stop at the first bad record"),
        MIEN_OPT_MAX_RECORD(&o.limit),
        MIEN_OPT_FLAG('d', "restore", &o.restore, "write the records of packs"),
        MIEN_OPT_FLAG('l', "list", &o.list, "show what packs contain"),
        MIEN_OPT_ALIAS('k', NULL, "kind"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUSIVE("restore list"),
        MIEN_RULE_REQUIRES("output restore list"),
    };
    struct mien_cli cli = {
        .name = "mien-pack",
        .synopsis = "-o FILE [options] < records.mien\n"
                    "-d PACK... > records.mien\n"
                    "-l PACK...",
        .purpose = "Packs records into tensors, which mien-train maps, and unpacks them.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_SEGMENT | MIEN_CLI_RANGE | MIEN_CLI_MAX_BAD,
        .examples = "mien-pack -o train.pack < train.mien\n"
                    "mien-pack -d train.pack val.pack | mien-split 90/10 a.mien b.mien",
    };
    int n = mien_cli_parse(&cli, argc, argv);
    if (!o.restore && !o.list) {
        mien_cli_filter_operands(&cli, n, argv, 0, 0, NULL);
        return make_pack(&cli, &o);
    }
    mien_cli_operands(&cli, n, argv, 1, INT_MAX, "PACK");
    if (o.out != NULL)
        cli_output_to(&cli, o.out);
    return o.restore ? restore_packs(&cli, argv + 1, n) : list_packs(&cli, argv + 1, n);
}
