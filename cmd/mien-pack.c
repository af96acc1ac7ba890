/* mien-pack: records to and from packs, the tensors that a trainer maps. */
#include <stdio.h>
#include <unistd.h>

#include "mien/filter.h"
#include "mien/pack.h"

struct options {
    const char *out;
    bool restore, list, strict;
    int kind; /* enum pack_kind */
    size_t limit;
};

/* Reads standard input and adds its records, over which it counts. Returns 0 or a negative code. */
static int add_records(const struct cli *c, const struct options *o, struct rec_reader *rd,
                       struct pack_writer *w, uint64_t *nbad, uint64_t *nerror, struct err *e)
{
    struct rec r = {0};
    struct cli_progress progress;
    int rc;
    cli_progress_start(&progress, c, "records");
    while ((rc = rec_read(rd, &r, e)) > 0) {
        if (rec_has(&r, TAG_ERROR)) {
            ++*nerror;
        } else if ((rc = pack_add(w, &r, e)) == ERR_FORMAT) {
            cli_progress_end(&progress);
            filter_report(c, rec_reader_count(rd), &r, e->msg);
            ++*nbad;
            if (o->strict) {
                rc = err_set(e, rc, "stopped at the first bad record, as --strict asks");
                break;
            }
        } else if (rc < 0) {
            break;
        }
        cli_progress(&progress, rec_reader_count(rd), 0, rec_reader_bytes(rd));
    }
    cli_progress_end(&progress);
    rec_free(&r);
    return rc;
}

static int make_pack(const struct cli *c, const struct options *o)
{
    struct err e;
    uint64_t nbad = 0, nerror = 0;
    cli_check_input(c, STDIN_FILENO);
    struct rec_reader *rd = rec_reader_new(STDIN_FILENO, o->limit, &e);
    struct pack_writer *w = rd ? pack_writer_new(o->out, (enum pack_kind)o->kind, &e) : NULL;
    bool ok = w && add_records(c, o, rd, w, &nbad, &nerror, &e) == 0 &&
              pack_writer_end(w, "mien-pack " MIEN_VERSION, &e) == 0;
    pack_writer_free(w);
    uint64_t n = ok ? rec_reader_count(rd) - nbad - nerror : 0;
    rec_reader_free(rd);
    if (!ok)
        cli_die(c, "%s", e.msg);
    cli_note(c, "%llu records packed, %llu with errors and %llu bad ones left out",
             (unsigned long long)n, (unsigned long long)nerror, (unsigned long long)nbad);
    return nbad ? EXIT_BAD_RECORDS : EXIT_OK;
}

static int restore_packs(const struct cli *c, char **path, int n)
{
    struct err e;
    struct pack p;
    struct rec r = {0};
    int status = EXIT_OK;
    cli_check_output(c, STDOUT_FILENO);
    struct rec_writer *w = rec_writer_new(STDOUT_FILENO, &e);
    if (!w)
        cli_die(c, "%s", e.msg);
    for (int k = 0; k < n; k++) {
        struct cli_progress progress;
        if (pack_open(&p, path[k], &e) < 0)
            cli_die(c, "%s", e.msg);
        cli_progress_start(&progress, c, "records");
        for (size_t i = 0; i < p.n; i++) {
            if (pack_record(&p, i, &r, &e) < 0) {
                cli_progress_end(&progress);
                cli_warn(c, "'%s', record %zu: %s", path[k], i + 1, e.msg);
                status = EXIT_BAD_RECORDS;
            } else if (rec_write(w, &r, &e) < 0) {
                cli_die_output(c, &e);
            }
            cli_progress(&progress, i + 1, p.n, 0);
        }
        cli_progress_end(&progress);
        pack_close(&p);
    }
    if (rec_writer_end(w, &e) < 0)
        cli_die_output(c, &e);
    rec_writer_free(w);
    rec_free(&r);
    return status;
}

static void list_pack(const struct pack *p, const char *path)
{
    size_t age = 0, band = 0, gender[2] = {0};
    int lo = PACK_UNKNOWN, hi = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->age[i] != PACK_UNKNOWN) {
            age++;
            lo = p->age[i] < lo ? p->age[i] : lo;
            hi = p->age[i] > hi ? p->age[i] : hi;
        }
        band += p->band && p->band[2 * i] != PACK_UNKNOWN;
        if (p->gender[i] != PACK_UNKNOWN)
            gender[p->gender[i]]++;
    }
    printf("%s\n  records   %zu\n  tensor    %s", path, p->n, pack_kind_name(p->kind));
    if (p->kind == PACK_PIXELS)
        printf(" %dx%d", p->height, p->width);
    else if (p->kind == PACK_FEATURES)
        printf(" %d", p->dim);
    printf("\n  prep      %s\n  age       %zu known", *p->prep.text ? p->prep.text : "-", age);
    if (age)
        printf(" (%d-%d)", lo, hi);
    printf(", %zu unknown\n  age band  %zu known\n", p->n - age, band);
    printf("  gender    %zu female, %zu male, %zu unknown\n", gender[0], gender[1],
           p->n - gender[0] - gender[1]);
}

static int list_packs(const struct cli *c, char **path, int n)
{
    struct err e;
    struct pack p;
    for (int k = 0; k < n; k++) {
        if (pack_open(&p, path[k], &e) < 0)
            cli_die(c, "%s", e.msg);
        list_pack(&p, path[k]);
        pack_close(&p);
    }
    cli_close_stdout(c);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    const struct cli_opt opts[] = {
        {'o', "output", "FILE", "pack standard input into FILE", CLI_STR, &o.out, 0, 0, NULL, NULL},
        {'k', "kind", "WORD", "auto, pixels, image or features: what to make the tensor of [auto]",
         CLI_CHOICE, &o.kind, 0, 0, "auto|pixels|image|features", NULL},
        {0, "strict", NULL, "stop at the first bad record", CLI_FLAG, &o.strict, 0, 0, NULL, NULL},
        {0, "max-record", "SIZE", "refuse larger records [64M]", CLI_SIZE, &o.limit, 1,
         4294967295.0, NULL, NULL},
        {'d', "restore", NULL, "write the records of packs", CLI_FLAG, &o.restore, 0, 0, NULL,
         NULL},
        {'l', "list", NULL, "say what packs hold", CLI_FLAG, &o.list, 0, 0, NULL, NULL},
    };
    struct cli c = {.name = "mien-pack",
                    .synopsis = "-o FILE [options] < records.mien\n"
                                "       mien-pack -d PACK... > records.mien\n"
                                "       mien-pack -l PACK...",
                    .purpose = "Packs records into the tensors that mien-train maps, and back.",
                    .opts = opts,
                    .nopts = CLI_NOPTS(opts)};
    int n = cli_parse(&c, argc, argv);
    if (!!o.out + o.restore + o.list != 1)
        cli_die(&c, "give one of -o FILE, -d and -l (see --help)");
    if (o.out ? n > 0 : n == 0)
        cli_die(&c, o.out ? "-o packs standard input and takes no arguments" : "name a pack");
    if (o.out)
        return make_pack(&c, &o);
    return o.restore ? restore_packs(&c, argv + 1, n) : list_packs(&c, argv + 1, n);
}
