/*
 * Cutting a face, or the whole image, out of a JPEG: upright, square, at the scale that is needed.
 *
 * The crop is a square about the centre of the box. Its side is the longer side of the box after
 * the margin was added; what reaches beyond the image repeats the image's border pixels.
 */
#ifndef MIEN_IMAGE_CROP_H
#define MIEN_IMAGE_CROP_H

#include <stdbool.h>
#include <stddef.h>

#include "img.h"
#include "jpeg.h"
#include "mien/prep.h"

struct img_crop {
    bool whole;           /* the box is the whole image, without a margin */
    bool align;           /* turned about the eyes, see align.h */
    bool stored;          /* the box is in pixels of the image as stored, not upright */
    double margin;        /* on every side, as a share of the box's width or height there */
    double inner;         /* the central share of the square that is kept, in (0, 1] */
    struct img_hw target; /* decode at the smallest scale not below this size; zeros: at full */
    size_t max_bytes;     /* bound of the crop's pixels; 0 for none */
};

/* Notes crop, margin and inner in a stream's preprocessing. Returns 0, or ERR_LIMIT when that grows
   too long. */
int img_crop_describe(const struct img_crop *c, struct prep *p);

/* The scale at which a crop of so many pixels at full scale is decoded, and its side there. Returns
   0, or ERR_LIMIT when it is over max_bytes. */
int img_crop_scale(const struct img_crop *c, double side, int *eighths, int *pixels, struct err *e);

/* Which pixels make a crop, in the image as stored. A caller may as well fill it in itself, such as
   with the whole image at some scale; only img_crop_plan's are square. */
struct img_cut {
    int eighths;          /* the scale, in eighths */
    struct img_rect rect; /* at that scale; may reach beyond the image */
};

/* Plans a crop of an opened image. box is x1 y1 x2 y2, 0-based and half-open; not read when
   whole. Returns 0; ERR_FORMAT when the box is empty, not a number or outside of the image;
   ERR_LIMIT when the crop is over max_bytes. */
int img_crop_plan(const struct img_crop *c, const struct img_jpeg_info *info, const float *box,
                  struct img_cut *cut, struct err *e);

/* The size of a cut's pixels when upright. */
struct img_hw img_cut_size(const struct img_cut *cut, const struct img_jpeg_info *info);

/* Reading a cut: what img_cut_start puts into *part is decoded (img_jpeg_read_parts), alone or with
   other cuts of the image, and img_cut_finish makes out of it, img_cut_size's h * w * 3 bytes,
   upright. It is decoded into out, or into scratch where it must be turned. Returns 0 or ERR_MEM. */
int img_cut_start(const struct img_cut *cut, const struct img_jpeg_info *info, struct img *scratch,
                  unsigned char *out, struct img_part *part, struct err *e);
void img_cut_finish(const struct img_cut *cut, const struct img_jpeg_info *info,
                    const struct img_part *part, const struct img *scratch, unsigned char *out);

#endif
