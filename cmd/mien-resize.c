/* mien-resize: brings pixels to one size. */
#include <stdlib.h>

#include "mien/filter.h"
#include "mien/prep.h"
#include "image/resize.h"

struct resize {
    struct img_hw to;
    int filter;
    struct img_resizer **worker;
};

/* Notes the size and the filter in the record's preprocessing. */
static int note(const struct resize *z, struct rec *r, struct err *e)
{
    struct prep prep = {""};
    size_t len = 0;
    const char *text = rec_text(r, TAG_PREP, &len);
    int rc = text != NULL ? prep_parse(&prep, text, len, e) : 0;
    if (rc < 0)
        return rc;
    if (img_resize_describe(z->to, (enum img_filter)z->filter, &prep) < 0)
        return err_set(e, ERR_LIMIT, "the preprocessing's description grows too long");
    return rec_set_str(r, TAG_PREP, prep.text);
}

static int resize_one(const struct resize *z, int worker, struct rec *r, struct err *e)
{
    int h, w;
    const unsigned char *src = rec_pixels(r, &h, &w);
    if (src == NULL && rec_has(r, TAG_IMAGE))
        return err_set(e, ERR_FORMAT, "an encoded image but no pixels; mien-crop decodes it");
    if (src == NULL)
        return err_set(e, ERR_FORMAT, "no pixels in the record");
    int rc = note(z, r, e);
    if (rc < 0 || (h == z->to.h && w == z->to.w))
        return rc;
    unsigned char *dst =
        rec_alloc(r, TAG_PIXELS, REC_U8, 3, (uint32_t[]){(uint32_t)z->to.h, (uint32_t)z->to.w, 3});
    if (dst == NULL)
        return err_set(e, ERR_MEM, "out of memory for %d x %d pixels", z->to.w, z->to.h);
    return img_resize(z->worker[worker], src, h, w, dst, z->to, (enum img_filter)z->filter, e);
}

static int resize(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    (void)drop;
    for (size_t i = 0; i < n; i++) {
        int rc = resize_one(ctx, worker, rec[i], e);
        if (rc == ERR_MEM)
            return rc;
        if (rc < 0)
            rec_fail(rec[i], "%s", e->msg);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct resize z = {.filter = IMG_TRIANGLE};
    struct filter f = {.fn = resize, .ctx = &z};
    const struct cli_opt opts[] = {
        {'f', "filter", "NAME", "box, triangle or lanczos3 [triangle]", CLI_CHOICE, &z.filter, 0, 0,
         IMG_FILTERS, NULL},
        FILTER_OPTIONS(f),
    };
    struct cli cli = {"mien-resize",
                      "[options] SIZE < pixels.mien > pixels.mien",
                      "Brings pixels to one size, N or HEIGHTxWIDTH, antialiased.",
                      opts,
                      CLI_NOPTS(opts),
                      false};
    struct err e;
    f.cli = &cli;
    if (cli_parse(&cli, argc, argv) != 1)
        cli_die(&cli, "needs one size, such as 224; see mien-resize --help");
    if (img_hw_parse(&z.to, argv[1], &e) < 0)
        cli_die(&cli, "%s", e.msg);
    size_t limit = f.limit != 0 ? f.limit : REC_DEFAULT_LIMIT;
    if ((uint64_t)z.to.h * (uint64_t)z.to.w * 3 > limit)
        cli_die(&cli, "%s: more pixels than a record holds", argv[1]);
    filter_prepare(&f);
    z.worker = calloc((size_t)f.jobs, sizeof(struct img_resizer *));
    if (z.worker == NULL)
        cli_die(&cli, "out of memory");
    for (int i = 0; i < f.jobs; i++) {
        if ((z.worker[i] = img_resizer_new(&e)) == NULL)
            cli_die(&cli, "%s", e.msg);
    }

    int status = filter_run(&f);
    for (int i = 0; i < f.jobs; i++)
        img_resizer_free(z.worker[i]);
    free(z.worker);
    return status;
}
