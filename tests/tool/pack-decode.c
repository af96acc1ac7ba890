/* Decodes a pack of images as a trainer does and writes the records with their pixels. */
#include <string.h>
#include <unistd.h>

#include "mien/cli.h"
#include "fit/pack_decode.h"

struct options {
    struct img_hw size;
    const char *model;
};

/* Replaces the image by the pixels. Returns 0 or a negative code. */
static int decode(const struct pack_decode *d, const struct pack *p, size_t i,
                  struct pack_decoder *w, struct rec *r, struct err *e)
{
    const uint32_t dim[3] = {(uint32_t)d->how.size.h, (uint32_t)d->how.size.w, 3};
    int rc = pack_record(p, i, r, e);
    unsigned char *px = rc == 0 ? rec_alloc(r, TAG_PIXELS, REC_U8, 3, dim) : NULL;
    if (px == NULL)
        return rc < 0 ? rc : ERR_MEM;
    rec_del(r, TAG_IMAGE);
    rec_del(r, TAG_IMAGE_KIND);
    rc = pack_decode(d, p, i, w, px, e);
    return rc < 0 ? rc : rec_set_str(r, TAG_PREP, d->prep.text);
}

int main(int argc, char **argv)
{
    struct options o = {.model = ""};
    const struct cli_opt opts[] = {
        {'m', "model", "PREP", "the model's preprocessing", CLI_STR, &o.model, 0, 0, NULL, NULL},
        {'s', "size", "SIZE", "of its pixels", CLI_FUNC, &o.size, 0, 0, NULL, img_hw_parse},
    };
    struct cli cli = {
        "pack-decode", "--size SIZE [--model PREP] PACK > pixels.mien", "", opts, CLI_NOPTS(opts),
        false};
    struct err e;
    struct pack p;
    struct prep model = {""};
    struct pack_decode d;
    struct rec r = {0};
    int status = EXIT_OK;
    if (cli_parse(&cli, argc, argv) != 1 || o.size.h == 0)
        cli_die(&cli, "needs a size and a pack");
    if (pack_open(&p, argv[1], &e) < 0 || prep_parse(&model, o.model, strlen(o.model), &e) < 0 ||
        pack_decode_plan(&d, &p, &model, o.size, &e) < 0)
        cli_die(&cli, "%s", e.msg);
    struct pack_decoder *w = pack_decoder_new(&e);
    struct rec_writer *out = rec_writer_new(STDOUT_FILENO, &e);
    if (w == NULL || out == NULL)
        cli_die(&cli, "%s", e.msg);
    for (size_t i = 0; i < p.n; i++) {
        pack_will_need(&p, (uint32_t[]){(uint32_t)i}, 1);
        int rc = decode(&d, &p, i, w, &r, &e);
        if (rc < 0) {
            cli_warn(&cli, "record %zu: %s", i + 1, e.msg);
            status = EXIT_BAD_RECORDS;
        } else if (rec_write(out, &r, &e) < 0) {
            cli_die_output(&cli, &e);
        }
    }
    if (rec_writer_end(out, &e) < 0)
        cli_die_output(&cli, &e);
    rec_writer_free(out);
    rec_free(&r);
    pack_decoder_free(w);
    pack_close(&p);
    return status;
}
