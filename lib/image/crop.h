/*
 * Cutting a face, or the whole image, out of an encoded image: upright, square, at the scale that is needed.
 *
 * The crop is a square about the center of the box. Its side is the longer side of the box after
 * the margin was added; what reaches beyond the image repeats the image's border pixels.
 */
#ifndef MIEN_IMAGE_CROP_H
#define MIEN_IMAGE_CROP_H

#include <stdbool.h>
#include <stddef.h>

#include "img.h"
#include "decoder.h"
#include "mien/image.h"
#include "mien/prep.h"

/* Notes crop, margin and inner in a stream's preprocessing. Returns 0, or MIEN_ERR_LIMIT when that
   grows too long. */
MIEN_CHECKED int img_crop_describe(const struct mien_crop *c, struct mien_prep *p);

/* The scale at which a crop of this many pixels at full scale is decoded, and its side there.
   Returns 0, or MIEN_ERR_LIMIT when it is over max_bytes. */
MIEN_CHECKED int img_crop_scale(const struct mien_crop *c, double side, int *eighths, int *pixels,
                                struct mien_err *e);

/* Which pixels make a crop, in the image as stored. A caller may as well fill it in itself, such as
   with the whole image at some scale; only img_crop_plan's are square. */
struct img_window {
    int eighths;          /* the scale, in eighths */
    struct img_rect rect; /* at that scale; may reach beyond the image */
};

/* Plans a crop of an opened image. box is x1 y1 x2 y2, 0-based and half-open; not read when
   whole. Returns 0; MIEN_ERR_FORMAT when the box is empty, not a number or outside of the image;
   MIEN_ERR_LIMIT when the crop is over max_bytes. */
MIEN_CHECKED int img_crop_plan(const struct mien_crop *c, const struct img_info *info,
                               const float *box, struct img_window *cut, struct mien_err *e);

/* The size of a cut's pixels when upright. */
struct mien_size img_window_size(const struct img_window *cut, const struct img_info *info);

/* Reading a cut: what img_window_start puts into *part is decoded (img_read_parts), alone or
   with other cuts of the image, and img_window_finish makes out of it, img_window_size's h * w * 3
   bytes, upright. It is decoded into out, or into scratch where it must be turned. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int img_window_start(const struct img_window *cut, const struct img_info *info,
                                  struct img *scratch, unsigned char *out, struct img_part *part,
                                  struct mien_err *e);
void img_window_finish(const struct img_window *cut, const struct img_info *info,
                       const struct img_part *part, const struct img *scratch, unsigned char *out);

#endif
