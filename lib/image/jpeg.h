/*
 * JPEG: decoding the part of an image that is needed, at the scale that is needed; and encoding.
 *
 * Decoded are baseline, extended and progressive images, grey, YCbCr, RGB, CMYK and YCCK; the
 * result is RGB. Sizes and rectangles here are those of the image as stored; what its EXIF
 * orientation does is in img.h and crop.h.
 */
#ifndef MIEN_IMAGE_JPEG_H
#define MIEN_IMAGE_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "img.h"

/* A decoder, reused from image to image; one thread uses it at a time. */
struct img_jpeg;
struct img_jpeg *img_jpeg_new(struct mien_err *e); /* NULL on failure */
void img_jpeg_free(struct img_jpeg *j);            /* NULL is harmless */

#define IMG_JPEG_MAX_PIXELS ((uint64_t)64 << 20)

struct img_jpeg_limits {
    uint64_t max_pixels; /* 0: IMG_JPEG_MAX_PIXELS */
    bool tolerant;       /* decode what can be decoded of a damaged file */
};

struct img_jpeg_info {
    int h, w;        /* as stored, at full scale */
    int orientation; /* EXIF's, 1 to 8 */
};

/* Reads the header of an image, whose n bytes stay the caller's and must live until it is read.
   Returns 0; MIEN_ERR_FORMAT when it isn't a JPEG (the message names what it is), is of a kind that
   isn't decoded, or is, unless tolerant, cut short; MIEN_ERR_LIMIT when it has too many pixels; or
   MIEN_ERR_MEM. */
MIEN_CHECKED int img_jpeg_open(struct img_jpeg *j, const void *bytes, size_t n,
                               const struct img_jpeg_limits *limits, struct img_jpeg_info *info,
                               struct mien_err *e);

/* A side's length at scale n/8. A pixel at scale n/8 covers 8/n pixels of the full image each way,
   the last one perhaps less. */
static inline int img_jpeg_scaled(int side, int eighths)
{
    return (int)(((int64_t)side * eighths + 7) / 8);
}

/* Decodes the rectangle r, in pixels at scale eighths/8 (1, 2, 4 or 8) and within the image, into
   the rows out, out + stride, ... Each open allows one read. Of what lies above r only the entropy
   coding is decoded, of what lies below nothing; the result is the same as cutting r out of the
   whole image decoded at that scale. Returns 0; MIEN_ERR_MEM; or MIEN_ERR_FORMAT when the data are
   damaged: a tolerant decoder returns 0 when any row could be decoded, with grey where nothing
   could. */
MIEN_CHECKED int img_jpeg_read(struct img_jpeg *j, int eighths, struct img_rect r,
                               unsigned char *out, size_t stride, struct mien_err *e);

/* A rectangle, and where its rows go. */
struct img_part {
    struct img_rect rect;
    unsigned char *out;
    size_t stride;
};

/* The same for n >= 1 parts of one image at one scale, for one entropy decoding. A tolerant
   decoder, too, fails here where rows are missing, unless there is but one part. */
MIEN_CHECKED int img_jpeg_read_parts(struct img_jpeg *j, int eighths, const struct img_part *part,
                                     size_t n, struct mien_err *e);

/* The first damage met in the image that was read, as text; NULL when there was none. */
const char *img_jpeg_damage(const struct img_jpeg *j);

/* Appends the h x w image px as a baseline JPEG with halved chroma (4:2:0). quality is libjpeg's, 1
   to 100. Returns 0, MIEN_ERR_MEM, or MIEN_ERR_LIMIT for a side over 65500. */
MIEN_CHECKED int img_jpeg_encode(const unsigned char *px, int h, int w, int quality,
                                 struct mien_buf *out, struct mien_err *e);

#endif
