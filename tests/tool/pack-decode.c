/* Decodes a pack of images as a trainer does and writes the records with their pixels. */
#include <string.h>
#include <unistd.h>

#include "mien/cli.h"
#include "fit/pack_decode.h"

struct options {
    struct mien_size size;
    const char *model;
};

/* Replaces the image by the pixels. Returns 0 or a negative code. */
static int decode(const struct pack_decode *d, const struct mien_pack *p, size_t i,
                  struct pack_decoder *w, struct mien_rec *r, struct mien_err *e)
{
    const uint32_t dim[3] = {(uint32_t)d->how.size.h, (uint32_t)d->how.size.w, 3};
    int rc = mien_pack_record(p, i, r, e);
    unsigned char *px = rc == 0 ? mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, dim) : NULL;
    if (px == NULL)
        return rc < 0 ? rc : MIEN_ERR_MEM;
    mien_rec_del(r, MIEN_TAG_IMAGE);
    mien_rec_del(r, MIEN_TAG_IMAGE_KIND);
    rc = pack_decode(d, p, i, w, px, e);
    return rc < 0 ? rc : mien_rec_set_str(r, MIEN_TAG_PREP, d->prep.text);
}

int main(int argc, char **argv)
{
    struct options o = {.model = ""};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('m', "model", "PREP", &o.model, "the model's preprocessing"),
        MIEN_OPT_FUNC('s', "size", "SIZE", &o.size, mien_size_parse, "of its pixels"),
    };
    struct mien_cli cli = {
        .name = "pack-decode",
        .synopsis = "--size SIZE [--model PREP] PACK > pixels.mien",
        .purpose = "",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct mien_err e;
    struct mien_pack p;
    struct mien_prep model = {""};
    struct pack_decode d;
    struct mien_rec r = {0};
    int status = MIEN_EXIT_OK;
    if (mien_cli_parse(&cli, argc, argv) != 1 || o.size.h == 0)
        mien_cli_die(&cli, "needs a size and a pack");
    if (mien_pack_open(&p, argv[1], &e) < 0 ||
        mien_prep_parse(&model, o.model, strlen(o.model), &e) < 0 ||
        pack_decode_plan(&d, &p, &model, o.size, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    struct pack_decoder *w = pack_decoder_new(&e);
    struct mien_writer *out = mien_writer_new(STDOUT_FILENO, &e);
    if (w == NULL || out == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    for (size_t i = 0; i < p.n; i++) {
        mien_pack_will_need(&p, (uint32_t[]){(uint32_t)i}, 1);
        int rc = decode(&d, &p, i, w, &r, &e);
        if (rc < 0) {
            mien_cli_warn(&cli, "record %zu: %s", i + 1, e.msg);
            status = MIEN_EXIT_BAD;
        } else if (mien_write(out, &r, &e) < 0) {
            mien_cli_die_output(&cli, &e);
        }
    }
    if (mien_writer_end(out, &e) < 0)
        mien_cli_die_output(&cli, &e);
    mien_writer_free(out);
    mien_rec_free(&r);
    pack_decoder_free(w);
    mien_pack_close(&p);
    return status;
}
