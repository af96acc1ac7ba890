/*
 * Images in memory, and what can be told from an encoded image's bytes without decoding it.
 *
 * Pixels are 8-bit RGB, rows from top to bottom and 3 * w bytes long without gaps, the layout of a
 * record's pixels field. A size as text is HEIGHTxWIDTH, as in that field's shape; a position is
 * x to the right and y downwards from the upper left corner.
 */
#ifndef MIEN_IMAGE_IMG_H
#define MIEN_IMAGE_IMG_H

#include <stddef.h>

#include "mien/err.h"
#include "mien/image.h"

/* An image with memory of its own, reused from image to image. Zero-initialized it is empty. */
struct img {
    int h, w;
    unsigned char *px; /* h * w * 3 bytes */
    size_t cap;
};

/* Makes it h x w; the contents are undefined. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int img_alloc(struct img *im, int h, int w, struct mien_err *e);
void img_free(struct img *im);

struct img_rect {
    int x, y, w, h;
};

/* Fills an h x w image of which only the part inside is drawn (within the image, not empty): the
   part's border pixels are repeated outwards. */
void img_repeat_border(unsigned char *px, int h, int w, struct img_rect inside);

/* --- Resampling ---------------------------------------------------------------------------- */

/* A part of an image whose edges may lie within pixels. */
struct img_area {
    double x, y, w, h;
};

/* mien_resize of a part of src, not empty and within it. At the part's edges its neighbors count,
   too, where there are any. */
MIEN_CHECKED int img_resize_area(struct mien_resizer *z, const unsigned char *src, int h, int w,
                                 struct img_area from, unsigned char *dst, struct mien_size to,
                                 enum mien_resampling f, struct mien_err *e);

/* --- Encoded images ------------------------------------------------------------------------ */

/* The kind of an encoded image by its first bytes: jpeg, png, gif, webp, bmp, tiff, heic, avif,
   jp2, jxl, psd, pdf, svg or html (what a web server sends in an image's place); NULL when
   unknown. */
const char *img_kind(const void *bytes, size_t n);

/* The EXIF orientation of a JPEG (JEITA CP-3451, tag 0x0112), 1 to 8: how the stored image is
   to be turned to stand upright. 1, as stored, when there is none or the EXIF data are broken. */
int img_exif_orientation(const void *jpeg, size_t n);

/* The same of EXIF data alone, with or without the mark that they have in a JPEG. */
int img_exif_orientation_in(const void *exif, size_t n);

/* --- Orientation --------------------------------------------------------------------------- */

/* The orientation of a mirror image, left for right. */
enum { IMG_MIRRORED = 2 };

/* Turns the stored image src, h x w, upright into dst: h x w for orientations 1-4, w x h for 5-8.
   dst must not overlap src. */
void img_upright(const unsigned char *src, int h, int w, int orientation, unsigned char *dst);

/* Takes a point of the upright image to its place in the image as stored, h x w there. Pixel
   centers lie at halves. */
void img_point_as_stored(int orientation, int h, int w, double *x, double *y);

#endif
