/* mien-crop: cuts the face, or the whole image, out of each image record, as pixels, and brings it
   to one size where that is asked for. */
#include <stdlib.h>
#include <string.h>

#include "image/cutter.h"
#include "mien/filter.h"

enum { BOX_FACE, BOX_WHOLE };

struct worker {
    struct cutter *cutter;
    struct cutting *cutting; /* one a record of a batch */
    struct rec **rec;
    uint64_t damaged; /* images of which a part was kept */
};

struct crop {
    struct cutter_how how;
    bool keep;
    struct prep prep; /* what is noted in the records */
    struct worker *worker;
};

/* What is cut out of a record. Returns 0, or a negative code for a bad record. */
static int find_face(const struct crop *c, const struct rec *r, struct cutting *t, struct err *e)
{
    const struct rec_field *box = rec_find(r, TAG_BOX), *points = rec_find(r, TAG_LANDMARKS);
    if (!rec_has(r, TAG_IMAGE))
        return err_set(e, ERR_FORMAT, "no image in the record");
    if (c->how.crop.align && points == NULL)
        return err_set(e, ERR_FORMAT, "no landmarks to align by; mien-detect finds them");
    if (!c->how.crop.align && !c->how.crop.whole && box == NULL)
        return err_set(e, ERR_FORMAT, "no face box; --box whole takes the whole image");
    *t = (struct cutting){.box = box != NULL ? box->data : NULL,
                          .point = points != NULL ? points->data : NULL,
                          .npoint = points != NULL ? points->dim[0] : 0};
    return 0;
}

/* Ends the record whose crop was made. Returns 0, or ERR_MEM. */
static int store(const struct crop *c, struct worker *w, struct rec *r, const struct cutting *t,
                 struct err *e)
{
    if (t->rc < 0) {
        rec_fail(r, "%s", t->err.msg);
        return 0;
    }
    w->damaged += t->damaged;
    if (!c->keep) {
        rec_del(r, TAG_IMAGE);
        rec_del(r, TAG_IMAGE_KIND);
    }
    return rec_set_str(r, TAG_PREP, c->prep.text) < 0
               ? err_mem(e, strlen(c->prep.text), "the preprocessing")
               : 0;
}

/* Cuts n records of one image. Returns 0, or ERR_MEM. */
static int cut(const struct crop *c, struct worker *w, struct rec **rec, struct cutting *t,
               size_t n, struct err *e)
{
    const struct rec_field *image = rec_find(rec[0], TAG_IMAGE);
    int rc = cutter_plan(w->cutter, &c->how, image->data, image->len, t, n, e);
    if (rc < 0 && rc != ERR_MEM) {
        for (size_t i = 0; i < n; i++)
            rec_fail(rec[i], "%s", e->msg);
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint32_t shape[] = {(uint32_t)t[i].size.h, (uint32_t)t[i].size.w, 3};
        if (t[i].rc == 0 && (t[i].out = rec_alloc(rec[i], TAG_PIXELS, REC_U8, 3, shape)) == NULL)
            rc = err_set(e, ERR_MEM, "out of memory for %u x %u pixels", shape[1], shape[0]);
    }
    if (rc == 0)
        rc = cutter_cut(w->cutter, t, n, e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store(c, w, rec[i], &t[i], e);
    return rc;
}

static bool same_image(const struct rec *a, const struct rec *b)
{
    const struct rec_field *x = rec_find(a, TAG_IMAGE), *y = rec_find(b, TAG_IMAGE);
    return x->len == y->len && memcmp(x->data, y->data, x->len) == 0;
}

static int crop(void *ctx, int worker, struct rec **rec, size_t n, bool *drop, struct err *e)
{
    struct crop *c = ctx;
    struct worker *w = &c->worker[worker];
    size_t k = 0; /* records of one image that are cut next: w->rec */
    (void)drop;
    for (size_t i = 0; i < n; i++) {
        struct cutting t;
        if (find_face(c, rec[i], &t, e) < 0) {
            rec_fail(rec[i], "%s", e->msg);
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
static bool another_face(const struct rec *r)
{
    int faces;
    size_t len = 0;
    const char *id = rec_text(r, TAG_ID, &len);
    char last[16];
    return rec_int(r, TAG_FACES, &faces) && faces > 1 && id != NULL &&
           snprintf(last, sizeof last, "#%d", faces) > 0 &&
           (len < strlen(last) || memcmp(id + len - strlen(last), last, strlen(last)) != 0);
}

int main(int argc, char **argv)
{
    struct crop c = {.how = {.crop = {.margin = -1, .inner = 1}}};
    struct cutter_how *how = &c.how;
    struct filter f = {.fn = crop, .ctx = &c, .another = another_face};
    int box = BOX_FACE, resampling = -1;
    size_t max_pixels = 0;
    const struct cli_opt opts[] = {
        {'m', "margin", "F", "margin on every side, as a share of the box's [0.4; with -a 0.2]",
         CLI_REAL, &how->crop.margin, 0, 10, NULL, NULL},
        {'b', "box", "BOX", "what to cut out: face or whole, the whole image [face]", CLI_CHOICE,
         &box, 0, 0, "face|whole", NULL},
        {'a', "align", NULL, "turn and scale faces by their eyes and mouth", CLI_FLAG,
         &how->crop.align, 0, 0, NULL, NULL},
        {0, "inner", "F", "keep the central share of the crop's side [1]", CLI_REAL,
         &how->crop.inner, 0.01, 1, NULL, NULL},
        {'f', "for", "SIZE", "decode no finer than it takes to resize to N or HxW [full scale]",
         CLI_FUNC, &how->crop.target, 0, 0, NULL, img_hw_parse},
        {'s', "size", "SIZE", "bring the crops to N or HxW, as mien-resize does; implies --for",
         CLI_FUNC, &how->size, 0, 0, NULL, img_hw_parse},
        {0, "filter", "NAME", "how: box, triangle or lanczos3 [triangle]", CLI_CHOICE, &resampling,
         0, 0, IMG_FILTERS, NULL},
        {'k', "keep", NULL, "keep the images in the records", CLI_FLAG, &c.keep, 0, 0, NULL, NULL},
        {0, "stored", NULL, "boxes refer to the image as stored, before it is turned upright",
         CLI_FLAG, &how->crop.stored, 0, 0, NULL, NULL},
        {0, "tolerant", NULL, "keep what can be decoded of damaged images", CLI_FLAG,
         &how->limits.tolerant, 0, 0, NULL, NULL},
        {0, "max-pixels", "N", "refuse larger images [64M]", CLI_SIZE, &max_pixels, 1, 4294967295.0,
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
    how->crop.whole = box == BOX_WHOLE;
    if (how->crop.whole && how->crop.margin >= 0)
        cli_die(&cli, "--margin needs a face box, not --box whole");
    if (how->crop.align && (how->crop.whole || how->crop.stored))
        cli_die(&cli, "--align takes landmarks of the upright image, not --%s",
                how->crop.whole ? "box whole" : "stored");
    if (how->crop.margin < 0)
        how->crop.margin = how->crop.align ? 0.2 : 0.4;
    if (how->size.h > 0 && how->crop.target.h > 0)
        cli_die(&cli, "--size says what --for does");
    if (how->size.h == 0 && resampling >= 0)
        cli_die(&cli, "--filter says how --size resizes: give it too");
    if (how->size.h > 0)
        how->crop.target = how->size;
    how->limits.max_pixels = max_pixels;
    how->filter = resampling < 0 ? IMG_TRIANGLE : (enum img_filter)resampling;
    how->crop.max_bytes = f.limit != 0 ? f.limit : REC_DEFAULT_LIMIT;
    if ((uint64_t)how->size.h * (uint64_t)how->size.w * 3 > how->crop.max_bytes)
        cli_die(&cli, "%dx%d: more pixels than a record holds", how->size.h, how->size.w);
    filter_prepare(&f);
    c.worker = calloc((size_t)f.jobs, sizeof *c.worker);
    if (c.worker == NULL || cutter_describe(how, &c.prep) < 0)
        cli_die(&cli, "out of memory");
    for (int i = 0; i < f.jobs; i++) {
        struct worker *w = &c.worker[i];
        w->cutting = calloc(f.batch, sizeof *w->cutting);
        w->rec = calloc(f.batch, sizeof(struct rec *));
        if (w->cutting == NULL || w->rec == NULL)
            cli_die(&cli, "out of memory");
        if ((w->cutter = cutter_new(&e)) == NULL)
            cli_die(&cli, "%s", e.msg);
    }

    int status = filter_run(&f);
    uint64_t damaged = 0;
    for (int i = 0; i < f.jobs; i++) {
        damaged += c.worker[i].damaged;
        cutter_free(c.worker[i].cutter);
        free(c.worker[i].cutting);
        free(c.worker[i].rec);
    }
    free(c.worker);
    if (damaged > 0)
        cli_note(&cli, "kept what could be decoded of %llu damaged images",
                 (unsigned long long)damaged);
    return status;
}
