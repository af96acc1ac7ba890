#include "mien/align.h"

#include <math.h>

#include "mien/rec.h"

#define MAX_POSITION 1e6 /* pixels; keeps all arithmetic on positions within an int */

struct point {
    double x, y;
};

static struct point landmark(const float *point, int k)
{
    return (struct point){point[2 * k], point[2 * k + 1]};
}

int img_align_plan(const struct img_crop *c, const struct img_jpeg_info *info, const float *point,
                   size_t npoint, struct img_aligned *a, struct err *e)
{
    if (npoint <= FACE_MOUTH)
        return err_set(e, ERR_FORMAT, "%zu landmarks, aligning needs %d", npoint, FACE_MOUTH + 1);
    for (int i = 0; i < 2 * (FACE_MOUTH + 1); i++) {
        if (!(fabsf(point[i]) <= MAX_POSITION))
            return err_set(e, ERR_FORMAT, "a landmark is no place in the image");
    }
    struct point r = landmark(point, FACE_RIGHT_EYE), l = landmark(point, FACE_LEFT_EYE);
    struct point mouth = landmark(point, FACE_MOUTH), m = {(r.x + l.x) / 2, (r.y + l.y) / 2};
    struct point eyes = {l.x - r.x, l.y - r.y}, down = {mouth.x - m.x, mouth.y - m.y};
    struct point right = {eyes.x + down.y, eyes.y - down.x};
    double length = hypot(right.x, right.y);
    double face = ALIGN_SIDE * fmax(hypot(eyes.x, eyes.y), hypot(down.x, down.y));
    if (!(length > 0.1 * face)) /* such as a mouth above the eyes */
        return err_set(e, ERR_FORMAT, "the landmarks are not those of a face");
    right.x /= length;
    right.y /= length;

    struct point centre = {m.x - right.y * ALIGN_BELOW * face, m.y + right.x * ALIGN_BELOW * face};
    bool turned = info->orientation >= 5;
    int w = turned ? info->h : info->w, h = turned ? info->w : info->h;
    if (!(centre.x >= 0 && centre.y >= 0 && centre.x <= w && centre.y <= h))
        return err_set(e, ERR_FORMAT, "the face lies outside of the image of %d x %d pixels", w, h);

    double side = fmax(1, face * (1 + 2 * c->margin) * c->inner);
    int rc = img_crop_scale(c, side, &a->eighths, &a->side, e);
    if (rc < 0)
        return rc;

    /* The corners upper left, upper right and lower left, from the upright image to the stored. */
    struct point corner[3];
    for (int i = 0; i < 3; i++) {
        double x = (i == 1 ? 0.5 : -0.5) * side, y = (i == 2 ? 0.5 : -0.5) * side;
        corner[i].x = centre.x + x * right.x - y * right.y;
        corner[i].y = centre.y + x * right.y + y * right.x;
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

/* What is needed of a side of so many pixels to interpolate from corner to corner. */
static void needed(double corner, double right, double down, int side, int *from, int *n)
{
    double lo = corner + fmin(0, right) + fmin(0, down),
           hi = corner + fmax(0, right) + fmax(0, down);
    *from = (int)within(floor(lo - 0.5), 0, side - 1);
    *n = (int)within(floor(hi + 0.5), 0, side - 1) - *from + 1;
}

/* The pixel at x, y of an image, whose pixels' centres lie at halves. */
static void interpolate(const struct img *im, double x, double y, unsigned char *out)
{
    x = within(x - 0.5, 0, im->w - 1);
    y = within(y - 0.5, 0, im->h - 1);
    int left = (int)x, top = (int)y;
    double fx = x - left, fy = y - top;
    const unsigned char *a = im->px + ((size_t)top * (size_t)im->w + (size_t)left) * 3;
    const unsigned char *b = left + 1 < im->w ? a + 3 : a;
    size_t row = top + 1 < im->h ? (size_t)im->w * 3 : 0;
    for (int c = 0; c < 3; c++) {
        double above = a[c] + fx * (b[c] - a[c]);
        double below = a[row + (size_t)c] + fx * (b[row + (size_t)c] - a[row + (size_t)c]);
        out[c] = (unsigned char)(above + fy * (below - above) + 0.5);
    }
}

int img_align_start(const struct img_aligned *a, const struct img_jpeg_info *info,
                    struct img *scratch, struct img_part *part, struct err *e)
{
    struct img_rect in;
    needed(a->x, a->right[0] * a->side, a->down[0] * a->side, img_jpeg_scaled(info->w, a->eighths),
           &in.x, &in.w);
    needed(a->y, a->right[1] * a->side, a->down[1] * a->side, img_jpeg_scaled(info->h, a->eighths),
           &in.y, &in.h);
    if (img_alloc(scratch, in.h, in.w, e) < 0)
        return ERR_MEM;
    *part = (struct img_part){in, scratch->px, (size_t)in.w * 3};
    return 0;
}

void img_align_finish(const struct img_aligned *a, const struct img_part *part,
                      const struct img *scratch, unsigned char *out)
{
    double left = a->x - part->rect.x, top = a->y - part->rect.y;
    for (int row = 0; row < a->side; row++) {
        for (int col = 0; col < a->side; col++, out += 3)
            interpolate(scratch, left + (col + 0.5) * a->right[0] + (row + 0.5) * a->down[0],
                        top + (col + 0.5) * a->right[1] + (row + 0.5) * a->down[1], out);
    }
}
