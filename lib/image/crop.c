#include "crop.h"

#include <math.h>

#define MAX_BOX 1e6 /* pixels; keeps all arithmetic on positions within an int */

int img_crop_describe(const struct mien_crop *c, struct mien_prep *p)
{
    if (mien_prep_set(p, "crop", c->whole ? "whole" : c->align ? "align" : "box") < 0)
        return MIEN_ERR_LIMIT;
    if (!c->whole && mien_prep_set(p, "margin", "%g", c->margin) < 0)
        return MIEN_ERR_LIMIT;
    return c->inner < 1 ? mien_prep_set(p, "inner", "%g", c->inner) : 0;
}

/* A box in the image as stored, at full scale. */
struct area {
    double x1, y1, x2, y2;
};

static int area_of_box(const struct mien_crop *c, const struct img_info *info, const float *box,
                       struct area *a, struct mien_err *e)
{
    if (c->whole) {
        *a = (struct area){0, 0, info->w, info->h};
        return 0;
    }
    for (int i = 0; i < 4; i++) {
        if (!isfinite(box[i]))
            return mien_err_set(e, MIEN_ERR_FORMAT, "the face box is not a number");
    }
    if (!(box[2] > box[0]) || !(box[3] > box[1]))
        return mien_err_set(e, MIEN_ERR_FORMAT, "the face box %g,%g,%g,%g is empty", box[0], box[1],
                            box[2], box[3]);
    if (box[2] - box[0] > MAX_BOX || box[3] - box[1] > MAX_BOX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the face box %g,%g,%g,%g is too large", box[0],
                            box[1], box[2], box[3]);
    *a = (struct area){box[0], box[1], box[2], box[3]};
    if (!c->stored) {
        img_point_as_stored(info->orientation, info->h, info->w, &a->x1, &a->y1);
        img_point_as_stored(info->orientation, info->h, info->w, &a->x2, &a->y2);
        *a = (struct area){fmin(a->x1, a->x2), fmin(a->y1, a->y2), fmax(a->x1, a->x2),
                           fmax(a->y1, a->y2)};
    }
    if (a->x1 >= info->w || a->y1 >= info->h || a->x2 <= 0 || a->y2 <= 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the face box %g,%g,%g,%g lies outside the image of %d x %d pixels",
                            box[0], box[1], box[2], box[3], info->w, info->h);
    return 0;
}

int img_crop_scale(const struct mien_crop *c, double side, int *eighths, int *pixels,
                   struct mien_err *e)
{
    /* Halvings only: libjpeg-turbo has no fast code for the scales between. */
    int want = c->target.h > c->target.w ? c->target.h : c->target.w;
    *eighths = 8;
    while (want > 0 && *eighths > 1 && floor(side * *eighths / 16) >= want)
        *eighths /= 2;
    double n = fmax(1, round(side * *eighths / 8));
    if (n > 65535 || (c->max_bytes != 0 && n * n * 3 > (double)c->max_bytes))
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "the crop of %.0f x %.0f pixels is more than a record holds", n, n);
    *pixels = (int)n;
    return 0;
}

int img_crop_plan(const struct mien_crop *c, const struct img_info *info, const float *box,
                  struct img_window *cut, struct mien_err *e)
{
    struct area a;
    int rc = area_of_box(c, info, box, &a, e);
    if (rc < 0)
        return rc;
    double grown = c->whole ? 1 : 1 + 2 * c->margin;
    double side = fmax(1, fmax(a.x2 - a.x1, a.y2 - a.y1) * grown * c->inner);

    int pixels;
    rc = img_crop_scale(c, side, &cut->eighths, &pixels, e);
    if (rc < 0)
        return rc;
    double scale = cut->eighths / 8.0;
    cut->rect.w = cut->rect.h = pixels;
    cut->rect.x = (int)floor((a.x1 + a.x2) / 2 * scale - pixels / 2.0 + 0.5);
    cut->rect.y = (int)floor((a.y1 + a.y2) / 2 * scale - pixels / 2.0 + 0.5);
    return 0;
}

struct mien_size img_window_size(const struct img_window *cut, const struct img_info *info)
{
    bool turned = info->orientation >= 5;
    return (struct mien_size){turned ? cut->rect.w : cut->rect.h,
                              turned ? cut->rect.h : cut->rect.w};
}

/* The part of from .. from + n that lies within 0 .. side, at least the nearest pixel there. */
static void clamp(int from, int n, int side, int *start, int *len)
{
    int last = from + n - 1;
    int lo = from < 0 ? 0 : from < side ? from : side - 1;
    int hi = last < 0 ? 0 : last < side ? last : side - 1;
    *start = lo;
    *len = hi - lo + 1;
}

/* The cut as stored: where it lies that is out, or scratch until it is turned. */
static unsigned char *as_stored(const struct img_info *info, const struct img *scratch,
                                unsigned char *out)
{
    return info->orientation == 1 ? out : scratch->px;
}

/* Where in the cut the image's part of it lies; at its edge when all of the cut is outside. */
static struct img_rect place(const struct img_rect *cut, const struct img_rect *in)
{
    struct img_rect at = {in->x - cut->x, in->y - cut->y, in->w, in->h};
    at.x = at.x < 0 ? 0 : at.x > cut->w - 1 ? cut->w - 1 : at.x;
    at.y = at.y < 0 ? 0 : at.y > cut->h - 1 ? cut->h - 1 : at.y;
    return at;
}

int img_window_start(const struct img_window *cut, const struct img_info *info, struct img *scratch,
                     unsigned char *out, struct img_part *part, struct mien_err *e)
{
    struct img_rect r = cut->rect, in; /* in: what the image has of it */
    clamp(r.x, r.w, img_scaled(info->w, cut->eighths), &in.x, &in.w);
    clamp(r.y, r.h, img_scaled(info->h, cut->eighths), &in.y, &in.h);
    if (info->orientation != 1 && img_alloc(scratch, r.h, r.w, e) < 0)
        return MIEN_ERR_MEM;
    struct img_rect at = place(&r, &in);
    size_t stride = (size_t)r.w * 3;
    unsigned char *to = as_stored(info, scratch, out);
    *part = (struct img_part){in, to + (size_t)at.y * stride + (size_t)at.x * 3, stride};
    return 0;
}

void img_window_finish(const struct img_window *cut, const struct img_info *info,
                       const struct img_part *part, const struct img *scratch, unsigned char *out)
{
    struct img_rect r = cut->rect;
    unsigned char *stored = as_stored(info, scratch, out);
    img_repeat_border(stored, r.h, r.w, place(&r, &part->rect));
    if (stored != out)
        img_upright(stored, r.h, r.w, info->orientation, out);
}
