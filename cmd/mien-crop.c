/* mien-crop: cuts the face, or the whole image, out of each image record, as pixels, and brings it
   to one size where that is asked for. */
#include <stdlib.h>

#include "mien/align.h"
#include "mien/filter.h"
#include "mien/resize.h"

enum { BOX_FACE, BOX_WHOLE };

struct worker {
    struct img_jpeg *jpeg;
    struct img_resizer *resizer;
    struct img scratch, crop;
    uint64_t damaged; /* images of which a part was kept */
};

struct crop {
    struct img_crop how;
    struct img_jpeg_limits limits;
    struct img_hw size; /* that crops are brought to; zeros: as they are */
    int filter;
    bool keep;
    struct prep prep; /* what is noted in the records */
    struct worker *worker;
};

/* Cuts one image. Returns 0, ERR_MEM, or another code for a bad record. */
static int cut(const struct crop *c, struct worker *w, struct rec *r, struct err *e)
{
    const struct rec_field *image = rec_find(r, TAG_IMAGE), *box = rec_find(r, TAG_BOX);
    const struct rec_field *points = rec_find(r, TAG_LANDMARKS);
    struct img_jpeg_info info;
    struct img_cut plan;
    struct img_aligned aligned;
    if (image == NULL)
        return err_set(e, ERR_FORMAT, "no image in the record");
    if (c->how.align && points == NULL)
        return err_set(e, ERR_FORMAT, "no landmarks to align by; mien-detect finds them");
    if (!c->how.align && !c->how.whole && box == NULL)
        return err_set(e, ERR_FORMAT, "no face box; --box whole takes the whole image");
    int rc = img_jpeg_open(w->jpeg, image->data, image->len, &c->limits, &info, e);
    if (rc == 0 && c->how.align)
        rc = img_align_plan(&c->how, &info, points->data, points->dim[0], &aligned, e);
    else if (rc == 0)
        rc = img_crop_plan(&c->how, &info, c->how.whole ? NULL : box->data, &plan, e);
    if (rc < 0)
        return rc;
    struct img_hw size =
        c->how.align ? (struct img_hw){aligned.side, aligned.side} : img_cut_size(&plan, &info);
    bool resized = c->size.h > 0 && (size.h != c->size.h || size.w != c->size.w);
    struct img_hw to = resized ? c->size : size;
    unsigned char *out =
        rec_alloc(r, TAG_PIXELS, REC_U8, 3, (uint32_t[]){(uint32_t)to.h, (uint32_t)to.w, 3});
    if (out == NULL)
        return err_set(e, ERR_MEM, "out of memory for %d x %d pixels", to.w, to.h);
    if (resized && img_alloc(&w->crop, size.h, size.w, e) < 0)
        return ERR_MEM;
    unsigned char *crop = resized ? w->crop.px : out;
    rc = c->how.align ? img_align_read(w->jpeg, &info, &aligned, &w->scratch, crop, e)
                      : img_cut_read(w->jpeg, &info, &plan, &w->scratch, crop, e);
    if (rc == 0 && resized)
        rc = img_resize(w->resizer, crop, size.h, size.w, out, to, (enum img_filter)c->filter, e);
    if (rc < 0)
        return rc;
    w->damaged += img_jpeg_damage(w->jpeg) != NULL;
    if (!c->keep) {
        rec_del(r, TAG_IMAGE);
        rec_del(r, TAG_IMAGE_KIND);
    }
    return rec_set_str(r, TAG_PREP, c->prep.text);
}

static int crop(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    struct crop *c = ctx;
    (void)drop;
    for (size_t i = 0; i < n; i++) {
        int rc = cut(c, &c->worker[worker], rec[i], e);
        if (rc == ERR_MEM)
            return rc;
        if (rc < 0)
            rec_fail(rec[i], "%s", e->msg);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct crop c = {.how = {.margin = -1, .inner = 1}, .filter = IMG_TRIANGLE};
    struct filter f = {.fn = crop, .ctx = &c};
    int box = BOX_FACE;
    size_t max_pixels = 0;
    const struct cli_opt opts[] = {
        {'m', "margin", "F", "margin on every side, as a share of the box's [0.4; with -a 0.2]",
         CLI_REAL, &c.how.margin, 0, 10, NULL, NULL},
        {'b', "box", "BOX", "what to cut out: face or whole, the whole image [face]", CLI_CHOICE,
         &box, 0, 0, "face|whole", NULL},
        {'a', "align", NULL, "turn and scale faces by their eyes and mouth", CLI_FLAG, &c.how.align,
         0, 0, NULL, NULL},
        {0, "inner", "F", "keep the central share of the crop's side [1]", CLI_REAL, &c.how.inner,
         0.01, 1, NULL, NULL},
        {'f', "for", "SIZE", "decode no finer than it takes to resize to N or HxW [full scale]",
         CLI_FUNC, &c.how.target, 0, 0, NULL, img_hw_parse},
        {'s', "size", "SIZE", "bring the crops to N or HxW, as mien-resize does; implies --for",
         CLI_FUNC, &c.size, 0, 0, NULL, img_hw_parse},
        {0, "filter", "NAME", "how: box, triangle or lanczos3 [triangle]", CLI_CHOICE, &c.filter, 0,
         0, IMG_FILTERS, NULL},
        {'k', "keep", NULL, "keep the images in the records", CLI_FLAG, &c.keep, 0, 0, NULL, NULL},
        {0, "stored", NULL, "boxes refer to the image as stored, before it is turned upright",
         CLI_FLAG, &c.how.stored, 0, 0, NULL, NULL},
        {0, "tolerant", NULL, "keep what can be decoded of damaged images", CLI_FLAG,
         &c.limits.tolerant, 0, 0, NULL, NULL},
        {0, "max-pixels", "N", "refuse larger images [64M]", CLI_SIZE, &max_pixels, 0, 4294967295.0,
         NULL, NULL},
        FILTER_OPTIONS(f),
    };
    struct cli cli = {"mien-crop",
                      "[options] < images.mien > pixels.mien",
                      "Cuts faces out of images, upright and square.",
                      opts,
                      CLI_NOPTS(opts),
                      false};
    struct err e;
    f.cli = &cli;
    if (cli_parse(&cli, argc, argv) != 0)
        cli_die(&cli, "takes no arguments; see mien-crop --help");
    c.how.whole = box == BOX_WHOLE;
    if (c.how.whole && c.how.margin >= 0)
        cli_die(&cli, "--margin needs a face box, not --box whole");
    if (c.how.align && (c.how.whole || c.how.stored))
        cli_die(&cli, "--align takes landmarks of the upright image, not --%s",
                c.how.whole ? "box whole" : "stored");
    if (c.how.margin < 0)
        c.how.margin = c.how.align ? 0.2 : 0.4;
    if (c.size.h > 0 && c.how.target.h > 0)
        cli_die(&cli, "--size says what --for does");
    if (c.size.h > 0)
        c.how.target = c.size;
    c.limits.max_pixels = max_pixels;
    c.how.max_bytes = f.limit != 0 ? f.limit : REC_DEFAULT_LIMIT;
    if ((uint64_t)c.size.h * (uint64_t)c.size.w * 3 > c.how.max_bytes)
        cli_die(&cli, "%dx%d: more pixels than a record holds", c.size.h, c.size.w);
    filter_prepare(&f);
    c.worker = calloc((size_t)f.jobs, sizeof *c.worker);
    if (c.worker == NULL || img_crop_describe(&c.how, &c.prep) < 0 ||
        (c.size.h > 0 && img_resize_describe(c.size, (enum img_filter)c.filter, &c.prep) < 0))
        cli_die(&cli, "out of memory");
    for (int i = 0; i < f.jobs; i++) {
        if ((c.worker[i].jpeg = img_jpeg_new(&e)) == NULL ||
            (c.worker[i].resizer = img_resizer_new(&e)) == NULL)
            cli_die(&cli, "%s", e.msg);
    }

    int status = filter_run(&f);
    uint64_t damaged = 0;
    for (int i = 0; i < f.jobs; i++) {
        damaged += c.worker[i].damaged;
        img_jpeg_free(c.worker[i].jpeg);
        img_resizer_free(c.worker[i].resizer);
        img_free(&c.worker[i].scratch);
        img_free(&c.worker[i].crop);
    }
    free(c.worker);
    if (damaged > 0)
        cli_note(&cli, "kept what could be decoded of %llu damaged images",
                 (unsigned long long)damaged);
    return status;
}
