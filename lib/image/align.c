#include "align.h"

#include <math.h>
#include <stdint.h>

#include "mien/record.h"

#define MAX_POSITION 1e6 /* pixels; keeps all arithmetic on positions within an int */

struct point {
    double x, y;
};

static struct point landmark(const float *point, int k)
{
    return (struct point){point[2 * k], point[2 * k + 1]};
}

int img_align_plan(const struct mien_crop *c, const struct img_info *info, const float *point,
                   size_t npoint, struct img_aligned *a, struct mien_err *e)
{
    if (npoint <= MIEN_FACE_MOUTH)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%zu landmarks, aligning needs %d", npoint,
                            MIEN_FACE_MOUTH + 1);
    for (int i = 0; i < 2 * (MIEN_FACE_MOUTH + 1); i++) {
        if (!(fabsf(point[i]) <= MAX_POSITION))
            return mien_err_set(e, MIEN_ERR_FORMAT, "a landmark isn't a position in the image");
    }
    struct point r = landmark(point, MIEN_FACE_RIGHT_EYE), l = landmark(point, MIEN_FACE_LEFT_EYE);
    struct point mouth = landmark(point, MIEN_FACE_MOUTH), m = {(r.x + l.x) / 2, (r.y + l.y) / 2};
    struct point eyes = {l.x - r.x, l.y - r.y}, down = {mouth.x - m.x, mouth.y - m.y};
    struct point right = {eyes.x + down.y, eyes.y - down.x};
    double length = hypot(right.x, right.y);
    double face = ALIGN_SIDE * fmax(hypot(eyes.x, eyes.y), hypot(down.x, down.y));
    if (!(length > 0.1 * face)) /* such as a mouth above the eyes */
        return mien_err_set(e, MIEN_ERR_FORMAT, "the landmarks are not those of a face");
    right.x /= length;
    right.y /= length;

    struct point center = {m.x - right.y * ALIGN_BELOW * face, m.y + right.x * ALIGN_BELOW * face};
    bool turned = info->orientation >= 5;
    int w = turned ? info->h : info->w, h = turned ? info->w : info->h;
    if (!(center.x >= 0 && center.y >= 0 && center.x <= w && center.y <= h))
        return mien_err_set(e, MIEN_ERR_FORMAT, "the face lies outside the image of %d x %d pixels",
                            w, h);

    double side = fmax(1, face * (1 + 2 * c->margin) * c->inner);
    int rc = img_crop_scale(c, side, &a->eighths, &a->side, e);
    if (rc < 0)
        return rc;

    /* The corners upper left, upper right and lower left, from the upright image to the stored. */
    struct point corner[3];
    for (int i = 0; i < 3; i++) {
        double x = (i == 1 ? 0.5 : -0.5) * side, y = (i == 2 ? 0.5 : -0.5) * side;
        corner[i].x = center.x + x * right.x - y * right.y;
        corner[i].y = center.y + x * right.y + y * right.x;
        img_point_as_stored(info->orientation, info->h, info->w, &corner[i].x, &corner[i].y);
        corner[i].x *= a->eighths / 8.0;
        corner[i].y *= a->eighths / 8.0;
    }
    a->x = corner[0].x;
    a->y = corner[0].y;
    a->right[0] = (corner[1].x - corner[0].x) / a->side;
    a->right[1] = (corner[1].y - corner[0].y) / a->side;
    a->down[0] = (corner[2].x - corner[0].x) / a->side;
    a->down[1] = (corner[2].y - corner[0].y) / a->side;
    return 0;
}

static double within(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* What is needed of a side of this many pixels to interpolate from corner to corner. */
static void needed(double corner, double right, double down, int side, int *from, int *n)
{
    double lo = corner + fmin(0, right) + fmin(0, down),
           hi = corner + fmax(0, right) + fmax(0, down);
    *from = (int)within(floor(lo - 0.5), 0, side - 1);
    *n = (int)within(floor(hi + 0.5), 0, side - 1) - *from + 1;
}

/* Interpolation is in fixed point: a place in 2^32nds of a pixel, weights in 256ths. */
typedef int64_t fixed;
#define FIXED(x) ((fixed)llround((x)*4294967296.0))

static int clamped(int v, int last)
{
    return v < 0 ? 0 : v > last ? last : v;
}

/* The three channels in 16 bits each. */
static uint64_t spread(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 32;
}

/* The pixel at x, y of an image, counted from the first one's center. */
static void interpolate(const struct img *im, fixed x, fixed y, unsigned char *out)
{
    int left = (int)(x >> 32), top = (int)(y >> 32);
    unsigned fx = (unsigned)(x >> 24 & 255), fy = (unsigned)(y >> 24 & 255);
    const unsigned char *above = im->px + (size_t)clamped(top, im->h - 1) * (size_t)im->w * 3;
    const unsigned char *below = im->px + (size_t)clamped(top + 1, im->h - 1) * (size_t)im->w * 3;
    size_t a = (size_t)clamped(left, im->w - 1) * 3, b = (size_t)clamped(left + 1, im->w - 1) * 3;
    unsigned both = (fx * fy + 128) >> 8; /* the weights' sum is 256 */
    uint64_t sum = spread(above + a) * (256 - fx - fy + both) + spread(above + b) * (fx - both) +
                   spread(below + a) * (fy - both) + spread(below + b) * both + 0x8000800080;
    out[0] = (unsigned char)(sum >> 8);
    out[1] = (unsigned char)(sum >> 24);
    out[2] = (unsigned char)(sum >> 40);
}

int img_align_start(const struct img_aligned *a, const struct img_info *info, struct img *scratch,
                    struct img_part *part, struct mien_err *e)
{
    struct img_rect in;
    needed(a->x, a->right[0] * a->side, a->down[0] * a->side, img_scaled(info->w, a->eighths),
           &in.x, &in.w);
    needed(a->y, a->right[1] * a->side, a->down[1] * a->side, img_scaled(info->h, a->eighths),
           &in.y, &in.h);
    if (img_alloc(scratch, in.h, in.w, e) < 0)
        return MIEN_ERR_MEM;
    *part = (struct img_part){in, scratch->px, (size_t)in.w * 3};
    return 0;
}

void img_align_finish(const struct img_aligned *a, const struct img_part *part,
                      const struct img *scratch, unsigned char *out)
{
    const fixed right[2] = {FIXED(a->right[0]), FIXED(a->right[1])};
    double left = a->x - part->rect.x + 0.5 * a->right[0] - 0.5;
    double top = a->y - part->rect.y + 0.5 * a->right[1] - 0.5;
    for (int row = 0; row < a->side; row++) {
        fixed x = FIXED(left + (row + 0.5) * a->down[0]);
        fixed y = FIXED(top + (row + 0.5) * a->down[1]);
        for (int col = 0; col < a->side; col++, out += 3, x += right[0], y += right[1])
            interpolate(scratch, x, y, out);
    }
}
