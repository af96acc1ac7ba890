#include "mien/image.h"

#include <stdlib.h>

#include "align.h"
#include "mien/buf.h"
#include "util/array.h"

/* Bytes of pixels that are decoded together, unless one part alone has more; and those that a
   cutting other than the first keeps for the next image. */
#define TOGETHER ((size_t)64 << 20)
#define KEPT     ((size_t)4 << 20)

/* What is planned for a cutting, and memory for it. */
struct cut_job {
    int eighths;
    struct img_window cut;
    struct img_aligned aligned; /* or this */
    struct mien_size size;      /* before it is resized */
    struct img_part part;
    struct img scratch, crop;
};

struct mien_cutter {
    struct img_decoder *decoder;
    struct mien_resizer *resizer;
    const struct mien_crop *how;
    struct img_limits limits; /* how's */
    const void *image;
    size_t bytes;
    struct img_info info;
    bool opened;         /* the image, and nothing read of it yet */
    struct cut_job *job; /* one a cutting */
    size_t cap;
    struct img_part *part; /* those that are decoded together */
    size_t cpart;
};

int mien_crop_describe(const struct mien_crop *how, struct mien_prep *p)
{
    int rc = img_crop_describe(how, p);
    return rc < 0 || how->size.h == 0 ? rc : mien_resize_describe(how->size, how->resampling, p);
}

struct mien_cutter *mien_cutter_new(struct mien_err *e)
{
    struct mien_cutter *c = calloc(1, sizeof *c);
    if (c == NULL) {
        mien_err_mem(e, sizeof *c, "a cutter");
        return NULL;
    }
    if ((c->decoder = img_decoder_new(e)) != NULL && (c->resizer = mien_resizer_new(e)) != NULL)
        return c;
    mien_cutter_free(c);
    return NULL;
}

void mien_cutter_free(struct mien_cutter *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->cap; i++) {
        img_free(&c->job[i].scratch);
        img_free(&c->job[i].crop);
    }
    img_decoder_free(c->decoder);
    mien_resizer_free(c->resizer);
    free(c->job);
    free(c->part);
    free(c);
}

/* --- Planning ------------------------------------------------------------------------------- */

static bool resizes(const struct mien_cutter *c, const struct cut_job *job)
{
    struct mien_size to = c->how->size;
    return to.h > 0 && (job->size.h != to.h || job->size.w != to.w);
}

static int plan_one(struct mien_cutter *c, struct mien_cut *t, struct cut_job *job)
{
    const struct mien_crop *how = c->how;
    int rc;
    if (how->align) {
        rc = img_align_plan(how, &c->info, t->point, t->npoint, &job->aligned, &t->err);
        job->eighths = job->aligned.eighths;
        job->size = (struct mien_size){job->aligned.side, job->aligned.side};
    } else {
        rc = img_crop_plan(how, &c->info, t->box, &job->cut, &t->err);
        job->eighths = job->cut.eighths;
        job->size = img_window_size(&job->cut, &c->info);
    }
    t->size = rc == 0 && resizes(c, job) ? c->how->size : job->size;
    return rc;
}

/* Makes room for n cuttings. */
static int reserve(struct mien_cutter *c, size_t n, struct mien_err *e)
{
    while (c->cap < n) {
        struct cut_job *job = array_grow_zeroed(c->job, c->cap, &c->cap, sizeof *job);
        if (job == NULL)
            return mien_err_mem(e, n * sizeof *job, "crops");
        c->job = job;
    }
    while (c->cpart < n) {
        struct img_part *part = array_grow(c->part, c->cpart, &c->cpart, sizeof *part);
        if (part == NULL)
            return mien_err_mem(e, n * sizeof *part, "crops");
        c->part = part;
    }
    return 0;
}

int mien_cutter_plan(struct mien_cutter *c, const struct mien_crop *how, const void *image,
                     size_t bytes, struct mien_cut *cutting, size_t n, struct mien_err *e)
{
    c->how = how;
    c->limits = (struct img_limits){how->max_pixels, how->tolerant};
    c->image = image;
    c->bytes = bytes;
    c->opened = false;
    if (reserve(c, n, e) < 0)
        return MIEN_ERR_MEM;
    int rc = img_open(c->decoder, image, bytes, &c->limits, &c->info, e);
    if (rc < 0)
        return rc;
    c->opened = true;
    for (size_t i = 0; i < n; i++)
        cutting[i].rc = plan_one(c, &cutting[i], &c->job[i]);
    return 0;
}

/* --- Cutting -------------------------------------------------------------------------------- */

/* Where the crop's pixels go before they are resized. */
static unsigned char *crop_of(const struct mien_cutter *c, const struct mien_cut *t,
                              const struct cut_job *job)
{
    return resizes(c, job) ? job->crop.px : t->out;
}

static int start(const struct mien_cutter *c, const struct mien_cut *t, struct cut_job *job,
                 struct mien_err *e)
{
    if (resizes(c, job) && img_alloc(&job->crop, job->size.h, job->size.w, e) < 0)
        return MIEN_ERR_MEM;
    return c->how->align ? img_align_start(&job->aligned, &c->info, &job->scratch, &job->part, e)
                         : img_window_start(&job->cut, &c->info, &job->scratch, crop_of(c, t, job),
                                            &job->part, e);
}

static int finish(const struct mien_cutter *c, const struct mien_cut *t, struct cut_job *job,
                  struct mien_err *e)
{
    unsigned char *crop = crop_of(c, t, job);
    if (c->how->align)
        img_align_finish(&job->aligned, &job->part, &job->scratch, crop);
    else
        img_window_finish(&job->cut, &c->info, &job->part, &job->scratch, crop);
    return resizes(c, job) ? mien_resize(c->resizer, crop, job->size.h, job->size.w, t->out,
                                         c->how->size, c->how->resampling, e)
                           : 0;
}

/* Decodes n parts of the image, at one scale. */
static int decode(struct mien_cutter *c, int eighths, const struct img_part *part, size_t n,
                  struct mien_err *e)
{
    int rc = 0;
    if (!c->opened)
        rc = img_open(c->decoder, c->image, c->bytes, &c->limits, &c->info, e);
    c->opened = false;
    return rc < 0 ? rc : img_read_parts(c->decoder, eighths, part, n, e);
}

static void give_back(struct img *im)
{
    if (im->cap > KEPT)
        img_free(im);
}

/* Cuts the first of n that are decoded at one scale, as many as go together; *done of the n are
   dealt with. */
static int cut_some(struct mien_cutter *c, int eighths, struct mien_cut *cutting,
                    struct cut_job *job, size_t n, size_t *done, struct mien_err *e)
{
    size_t together = 0, bytes = 0, i;
    for (i = 0; i < n && bytes < TOGETHER; i++) {
        if (cutting[i].rc < 0 || job[i].eighths != eighths)
            continue;
        if (start(c, &cutting[i], &job[i], e) < 0)
            return MIEN_ERR_MEM;
        c->part[together++] = job[i].part;
        bytes += job[i].scratch.cap + job[i].crop.cap;
    }
    *done = i;
    /* Where something is damaged each is looked at by itself. */
    bool whole = together > 1 && decode(c, eighths, c->part, together, e) == 0 &&
                 img_damage(c->decoder) == NULL;
    for (i = 0; i < *done; i++) {
        struct mien_cut *t = &cutting[i];
        if (t->rc < 0 || job[i].eighths != eighths)
            continue;
        t->rc = whole ? 0 : decode(c, eighths, &job[i].part, 1, &t->err);
        if (t->rc == MIEN_ERR_MEM)
            return mien_err_set(e, MIEN_ERR_MEM, "%s", t->err.msg);
        if (t->rc < 0)
            continue;
        t->damaged = !whole && img_damage(c->decoder) != NULL;
        if (finish(c, t, &job[i], e) < 0)
            return MIEN_ERR_MEM;
    }
    for (i = job == c->job; i < *done; i++) {
        give_back(&job[i].scratch);
        give_back(&job[i].crop);
    }
    return 0;
}

int mien_cutter_run(struct mien_cutter *c, struct mien_cut *cutting, size_t n, struct mien_err *e)
{
    for (int eighths = 8; eighths > 0; eighths /= 2) {
        size_t done;
        for (size_t at = 0; at < n; at += done) {
            int rc = cut_some(c, eighths, cutting + at, c->job + at, n - at, &done, e);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}
