/* mien-resize: resizes the pixels of records. */
#include <stdlib.h>

#include "mien/filter.h"
#include "mien/image.h"
#include "mien/prep.h"

struct resize {
    struct mien_filter filter;
    struct mien_size to;
    int resampling;
    struct mien_resizer **worker; /* one a job */
};

/* Notes the size and the filter in the record's preprocessing. */
static int note(const struct resize *z, struct mien_rec *r, struct mien_err *e)
{
    struct mien_prep prep;
    int rc = mien_rec_get_prep(r, &prep, e);
    if (rc < 0)
        return rc;
    if (mien_resize_describe(z->to, (enum mien_resampling)z->resampling, &prep) < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the description of the preprocessing is too long");
    return mien_rec_set_prep(r, &prep);
}

static int resize_one(const struct resize *z, int worker, struct mien_rec *r, struct mien_err *e)
{
    int h, w;
    const unsigned char *src = mien_rec_pixels(r, &h, &w);
    if (src == NULL && mien_rec_has(r, MIEN_TAG_IMAGE))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "an encoded image but no pixels; mien-crop decodes it");
    if (src == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "no pixels in the record");
    int rc = note(z, r, e);
    if (rc < 0 || (h == z->to.h && w == z->to.w))
        return rc;
    unsigned char *dst = mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3,
                                        (uint32_t[]){(uint32_t)z->to.h, (uint32_t)z->to.w, 3});
    if (dst == NULL)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for %d x %d pixels", z->to.w, z->to.h);
    return mien_resize(z->worker[worker], src, h, w, dst, z->to,
                       (enum mien_resampling)z->resampling, e);
}

static int resize(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                  struct mien_err *e)
{
    (void)drop;
    for (size_t i = 0; i < n; i++) {
        int rc = mien_rec_faceless(rec[i]) ? 0 : resize_one(ctx, worker, rec[i], e);
        if (rc == MIEN_ERR_MEM)
            return rc;
        if (rc < 0)
            mien_rec_fail(rec[i], "%s", e->msg);
    }
    return 0;
}

static void start(struct resize *z, const char *size)
{
    const struct mien_cli *cli = z->filter.cli;
    struct mien_err e;
    if (mien_size_parse(&z->to, size, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    size_t limit = z->filter.limit != 0 ? z->filter.limit : MIEN_RECORD_LIMIT;
    if ((uint64_t)z->to.h * (uint64_t)z->to.w * 3 > limit)
        mien_cli_die(cli, "%s: more pixels than a record holds", size);
    mien_filter_prepare(&z->filter);
    z->worker = calloc((size_t)z->filter.jobs, sizeof(struct mien_resizer *));
    if (z->worker == NULL)
        mien_cli_die(cli, "out of memory");
    for (int i = 0; i < z->filter.jobs; i++) {
        if ((z->worker[i] = mien_resizer_new(&e)) == NULL)
            mien_cli_die(cli, "%s", e.msg);
    }
}

static void finish(struct resize *z)
{
    for (int i = 0; i < z->filter.jobs; i++)
        mien_resizer_free(z->worker[i]);
    free(z->worker);
}

int main(int argc, char **argv)
{
    struct resize z = {.filter.fn = resize, .resampling = MIEN_TRIANGLE};
    const struct mien_option opts[] = {
        MIEN_OPT_CHOICE(0, "filter", "NAME", &z.resampling, MIEN_RESAMPLINGS,
                        "box, triangle or lanczos3 [triangle]"),
        MIEN_FILTER_OPTIONS(z.filter),
        MIEN_OPT_ALIAS('f', NULL, "filter"),
    };
    struct mien_cli cli = {
        .name = "mien-resize",
        .synopsis = "[options] SIZE < pixels.mien > pixels.mien",
        .purpose = "Resizes pixels, antialiased, to SIZE: N for a square, or HEIGHTxWIDTH.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-crop --for 224 < images.mien | mien-resize 224 > faces.mien\n"
                    "mien-resize --filter box 112 < faces.mien > small.mien",
    };
    z.filter.cli = &cli;
    z.filter.ctx = &z;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_filter_operands(&cli, n, argv, 1, 1, "SIZE, such as 224");
    start(&z, argv[1]);
    int status = mien_filter_run(&z.filter);
    finish(&z);
    return status;
}
