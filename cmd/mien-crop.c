/* mien-crop: cuts the face, or the whole image, out of each image record, as pixels, and resizes it
   on request. */
#include <stdlib.h>
#include <string.h>

#include "mien/image.h"
#include "mien/filter.h"

enum { BOX_FACE, BOX_WHOLE };

struct worker {
    struct mien_cutter *cutter;
    struct mien_cut *cutting; /* one a record of a batch */
    struct mien_rec **rec;
    uint64_t cropped, damaged; /* records; those among them that lack a part of the image */
    uint64_t faceless;         /* photographs in which no face was found */
};

struct crop {
    struct mien_filter filter;
    struct mien_crop how;
    int box;
    int resampling; /* -1: not given */
    size_t max_pixels;
    bool keep;
    struct mien_prep prep; /* what is noted in the records */
    struct worker *worker;
};

/* What is cut out of a record. Returns 0, or a negative code for a bad record. */
static int find_face(const struct crop *c, const struct mien_rec *r, struct mien_cut *t,
                     struct mien_err *e)
{
    const struct mien_field *box = mien_rec_find(r, MIEN_TAG_BOX),
                            *points = mien_rec_find(r, MIEN_TAG_LANDMARKS);
    if (!mien_rec_has(r, MIEN_TAG_IMAGE))
        return mien_err_set(e, MIEN_ERR_FORMAT, "no image in the record");
    if (c->how.align && points == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "no landmarks to align by; mien-detect finds them");
    if (!c->how.align && !c->how.whole && box == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "no face box; --box whole takes the whole image");
    *t = (struct mien_cut){.box = box != NULL ? box->data : NULL,
                           .point = points != NULL ? points->data : NULL,
                           .npoint = points != NULL ? points->dim[0] : 0};
    return 0;
}

static void drop_image(const struct crop *c, struct mien_rec *r)
{
    if (!c->keep) {
        mien_rec_del(r, MIEN_TAG_IMAGE);
        mien_rec_del(r, MIEN_TAG_IMAGE_KIND);
    }
}

/* Ends the record whose crop was made. Returns 0, or MIEN_ERR_MEM. */
static int store(const struct crop *c, struct worker *w, struct mien_rec *r,
                 const struct mien_cut *t, struct mien_err *e)
{
    if (t->rc < 0) {
        mien_rec_fail(r, "%s", t->err.msg);
        return 0;
    }
    w->cropped++;
    w->damaged += t->damaged;
    drop_image(c, r);
    return mien_rec_set_str(r, MIEN_TAG_PREP, c->prep.text) < 0
               ? mien_err_mem(e, strlen(c->prep.text), "the preprocessing")
               : 0;
}

/* Cuts n records of one image. Returns 0, or MIEN_ERR_MEM. */
static int cut(const struct crop *c, struct worker *w, struct mien_rec **rec, struct mien_cut *t,
               size_t n, struct mien_err *e)
{
    const struct mien_field *image = mien_rec_find(rec[0], MIEN_TAG_IMAGE);
    int rc = mien_cutter_plan(w->cutter, &c->how, image->data, image->len, t, n, e);
    if (rc < 0 && rc != MIEN_ERR_MEM) {
        for (size_t i = 0; i < n; i++)
            mien_rec_fail(rec[i], "%s", e->msg);
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint32_t shape[] = {(uint32_t)t[i].size.h, (uint32_t)t[i].size.w, 3};
        if (t[i].rc == 0 &&
            (t[i].out = mien_rec_alloc(rec[i], MIEN_TAG_PIXELS, MIEN_U8, 3, shape)) == NULL)
            rc = mien_err_set(e, MIEN_ERR_MEM, "out of memory for %u x %u pixels", shape[1],
                              shape[0]);
    }
    if (rc == 0)
        rc = mien_cutter_run(w->cutter, t, n, e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store(c, w, rec[i], &t[i], e);
    return rc;
}

static bool same_image(const struct mien_rec *a, const struct mien_rec *b)
{
    const struct mien_field *x = mien_rec_find(a, MIEN_TAG_IMAGE),
                            *y = mien_rec_find(b, MIEN_TAG_IMAGE);
    return x->len == y->len && memcmp(x->data, y->data, x->len) == 0;
}

static int crop(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                struct mien_err *e)
{
    struct crop *c = ctx;
    struct worker *w = &c->worker[worker];
    size_t k = 0; /* records of one image that are cut next: w->rec */
    (void)drop;
    for (size_t i = 0; i < n; i++) {
        struct mien_cut t;
        if (!c->how.whole && mien_rec_faceless(rec[i])) {
            w->faceless++;
            drop_image(c, rec[i]);
            continue;
        }
        if (find_face(c, rec[i], &t, e) < 0) {
            mien_rec_fail(rec[i], "%s", e->msg);
            continue;
        }
        if (k > 0 && !same_image(w->rec[0], rec[i])) {
            int rc = cut(c, w, w->rec, w->cutting, k, e);
            if (rc < 0)
                return rc;
            k = 0;
        }
        w->cutting[k] = t;
        w->rec[k++] = rec[i];
    }
    return k > 0 ? cut(c, w, w->rec, w->cutting, k, e) : 0;
}

/* Whether the record shows a face of a photograph of which another one follows. */
static bool another_face(const struct mien_rec *r)
{
    int faces;
    size_t len = 0;
    const char *id = mien_rec_text(r, MIEN_TAG_ID, &len);
    char last[16];
    return mien_rec_int(r, MIEN_TAG_FACES, &faces) && faces > 1 && id != NULL &&
           snprintf(last, sizeof last, "#%d", faces) > 0 &&
           (len < strlen(last) || memcmp(id + len - strlen(last), last, strlen(last)) != 0);
}

/* Checks the options, and completes how by what they leave to defaults. */
static void check_options(struct crop *c)
{
    const struct mien_cli *cli = c->filter.cli;
    struct mien_crop *how = &c->how;
    how->whole = c->box == BOX_WHOLE;
    if (how->margin < 0)
        how->margin = how->align ? 0.2 : 0.4;
    if (how->size.h > 0)
        how->target = how->size;
    how->resampling = c->resampling < 0 ? MIEN_TRIANGLE : (enum mien_resampling)c->resampling;
    how->max_pixels = c->max_pixels;
    how->max_bytes = c->filter.limit != 0 ? c->filter.limit : MIEN_RECORD_LIMIT;
    if ((uint64_t)how->size.h * (uint64_t)how->size.w * 3 > how->max_bytes)
        mien_cli_die(cli, "%dx%d: more pixels than a record holds", how->size.h, how->size.w);
}

static void start(struct crop *c)
{
    const struct mien_cli *cli = c->filter.cli;
    struct mien_err e;
    mien_filter_prepare(&c->filter);
    c->worker = calloc((size_t)c->filter.jobs, sizeof *c->worker);
    if (c->worker == NULL || mien_crop_describe(&c->how, &c->prep) < 0)
        mien_cli_die(cli, "out of memory");
    for (int i = 0; i < c->filter.jobs; i++) {
        struct worker *w = &c->worker[i];
        w->cutting = calloc(c->filter.batch, sizeof *w->cutting);
        w->rec = calloc(c->filter.batch, sizeof(struct mien_rec *));
        if (w->cutting == NULL || w->rec == NULL)
            mien_cli_die(cli, "out of memory");
        if ((w->cutter = mien_cutter_new(&e)) == NULL)
            mien_cli_die(cli, "%s", e.msg);
    }
}

/* Frees what start made, and prints the summary. */
static void finish(struct crop *c)
{
    const struct mien_cli *cli = c->filter.cli;
    unsigned long long cropped = 0, damaged = 0, faceless = 0;
    for (int i = 0; i < c->filter.jobs; i++) {
        struct worker *w = &c->worker[i];
        cropped += w->cropped;
        damaged += w->damaged;
        faceless += w->faceless;
        mien_cutter_free(w->cutter);
        free(w->cutting);
        free(w->rec);
    }
    free(c->worker);
    mien_cli_note(cli, "records: %llu, cropped: %llu, bad: %llu", (unsigned long long)c->filter.nin,
                  cropped, (unsigned long long)c->filter.nbad);
    if (faceless > 0)
        mien_cli_note(cli, "photographs without a face: %llu", faceless);
    if (damaged > 0)
        mien_cli_note(cli, "used what could be decoded of %llu damaged images", damaged);
}

int main(int argc, char **argv)
{
    struct crop c = {.how = {.margin = -1, .inner = 1}, .box = BOX_FACE, .resampling = -1};
    struct mien_crop *how = &c.how;
    const struct mien_option opts[] = {
        MIEN_OPT_CHOICE(0, "box", "BOX", &c.box, "face|whole",
                        "what to cut out: the face, or whole for the whole image [face]"),
        MIEN_OPT_FLAG('a', "align", &how->align, "rotate and scale faces by their eyes and mouth"),
        MIEN_OPT_REAL(0, "margin", "F", &how->margin, 0, 10,
                      "extend the box on every side by this share of its size [0.4; with "
                      "--align 0.2]"),
        MIEN_OPT_REAL(0, "inner", "F", &how->inner, 0.01, 1,
                      "keep only this central share of the crop's side [1]"),
        MIEN_OPT_FUNC(0, "for", "SIZE", &how->target, mien_size_parse,
                      "decode no finer than resizing to N or HxW needs [full scale]"),
        MIEN_OPT_FUNC(0, "size", "SIZE", &how->size, mien_size_parse,
                      "resize the crops to N or HxW, as mien-resize does; implies --for"),
        MIEN_OPT_CHOICE(0, "filter", "NAME", &c.resampling, MIEN_RESAMPLINGS,
                        "with --size: box, triangle or lanczos3 [triangle]"),
        MIEN_OPT_FLAG('k', "keep", &c.keep, "keep the images in the records"),
        MIEN_OPT_FLAG(0, "stored", &how->stored,
                      "boxes refer to the image as stored, before it is turned upright"),
        MIEN_OPT_FLAG(0, "tolerant", &how->tolerant, "use what can be decoded of damaged images"),
        MIEN_OPT_SIZE(0, "max-pixels", "N", &c.max_pixels, 1, 4294967295.0,
                      "refuse larger images [64M]"),
        MIEN_FILTER_OPTIONS(c.filter),
        MIEN_OPT_ALIAS('b', NULL, "box"),
        MIEN_OPT_ALIAS('m', NULL, "margin"),
        MIEN_OPT_ALIAS('f', NULL, "for"),
        MIEN_OPT_ALIAS('s', NULL, "size"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_EXCLUDES("box=whole", "margin align"),
        MIEN_RULE_EXCLUDES("align", "stored"),
        MIEN_RULE_EXCLUDES("size", "for"),
        MIEN_RULE_NEEDS("filter", "size"),
    };
    struct mien_cli cli = {
        .name = "mien-crop",
        .synopsis = "[options] < images.mien > pixels.mien",
        .purpose = "Cuts faces out of images, upright and square.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
        .uses = MIEN_CLI_FILTER,
        .examples =
            "mien-images photos/ | mien-detect | mien-crop --align --size 224 > faces.mien\n"
            "mien-images faces.tar | mien-crop --box whole --size 224 > faces.mien",
    };
    c.filter.cli = &cli;
    c.filter.fn = crop;
    c.filter.ctx = &c;
    c.filter.another = another_face;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_filter_operands(&cli, n, argv, 0, 0, NULL);
    check_options(&c);
    start(&c);
    int status = mien_filter_run(&c.filter);
    finish(&c);
    return status;
}
