/*
 * Cutting a face out of an encoded image by its landmarks: turned upright and brought to one size
 * and place.
 *
 * The crop is a square whose upper side is parallel to the line of the eyes and whose size and
 * center follow from the eyes and the mouth. With r and l the eyes, m the point between them, d
 * from m to the mouth, and e = l - r:
 *
 *   the direction to the right is that of e plus d turned by a quarter, which is e's for a face
 *   seen from the front and still well-defined from the side (Karras, Laine, Aila 2019, FFHQ);
 *   the face's side is ALIGN_SIDE times the larger of |e| and |d|: turning the head to the side
 *   shortens one, nodding the other;
 *   the center lies ALIGN_BELOW of that side below m.
 *
 * The two constants are those with which this square is, for faces seen from the front, the box of
 * the face detector (medians of 121 faces), so that a margin means the same with and without
 * alignment. The margin is added on every side; what reaches beyond the image repeats its border
 * pixels. Pixels are interpolated linearly.
 */
#ifndef MIEN_IMAGE_ALIGN_H
#define MIEN_IMAGE_ALIGN_H

#include "crop.h"

#define ALIGN_SIDE  2.25
#define ALIGN_BELOW 0.21

/* Which pixels make an aligned crop, in the image as stored. */
struct img_aligned {
    int eighths;              /* the scale, in eighths */
    int side;                 /* of the result */
    double x, y;              /* the result's upper left corner at that scale, */
    double right[2], down[2]; /* and its steps from column to column, from row to row */
};

/* Plans an aligned crop of an opened image, with c's margin, inner share, target size and bound.
   point is npoint landmarks, x y in pixels of the upright image, in the order of enum
   mien_face_point. Returns 0; MIEN_ERR_FORMAT when the mouth and what comes before it aren't there,
   aren't numbers,
   lie on one point or outside of the image; MIEN_ERR_LIMIT when the crop is over c->max_bytes. */
MIEN_CHECKED int img_align_plan(const struct mien_crop *c, const struct img_info *info,
                                const float *point, size_t npoint, struct img_aligned *a,
                                struct mien_err *e);

/* Reading an aligned crop, as img_window_start and img_window_finish in crop.h do it for others;
   always by way of scratch. out has side * side * 3 bytes, upright. */
MIEN_CHECKED int img_align_start(const struct img_aligned *a, const struct img_info *info,
                                 struct img *scratch, struct img_part *part, struct mien_err *e);
void img_align_finish(const struct img_aligned *a, const struct img_part *part,
                      const struct img *scratch, unsigned char *out);

#endif
