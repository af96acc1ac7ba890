/*
 * Decoding the part of an encoded image that is needed, at the scale that is needed.
 *
 * What is decoded: JPEG; PNG, WebP, HEIC and AVIF where the program was built with their libraries
 * (a file each; format.h is their interface). The result is RGB: what is transparent lies on white.
 * Of an animation it is the first frame. Colors are those of the file, taken for sRGB: profiles
 * are left alone; a PNG's gamma is followed, as browsers follow it.
 *
 * Sizes and rectangles here are those of the image as stored; what its EXIF orientation does is in
 * img.h and crop.h.
 */
#ifndef MIEN_IMAGE_DECODER_H
#define MIEN_IMAGE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "img.h"

/* A decoder, reused from image to image, of whatever format; one thread uses it at a time. */
struct img_decoder;
struct img_decoder *img_decoder_new(struct mien_err *e); /* NULL on failure */
void img_decoder_free(struct img_decoder *d);            /* NULL is harmless */

#define IMG_MAX_PIXELS ((uint64_t)64 << 20)

struct img_limits {
    uint64_t max_pixels; /* 0: IMG_MAX_PIXELS */
    bool tolerant;       /* decode what can be decoded of a damaged file */
};

struct img_info {
    int h, w;        /* as stored, at full scale */
    int orientation; /* EXIF's, 1 to 8 */
};

/* Reads the header of an image, whose n bytes stay the caller's and must live until it is read.
   Returns 0; MIEN_ERR_FORMAT when it isn't an image or is of a kind that isn't decoded (the message
   names it, and what converts it); MIEN_ERR_LIMIT when it has too many pixels; or MIEN_ERR_MEM. */
MIEN_CHECKED int img_open(struct img_decoder *d, const void *bytes, size_t n,
                          const struct img_limits *limits, struct img_info *info,
                          struct mien_err *e);

/* A side's length at scale n/8. A pixel at scale n/8 covers 8/n pixels of the full image each way,
   the last one perhaps less. */
static inline int img_scaled(int side, int eighths)
{
    return (int)(((int64_t)side * eighths + 7) / 8);
}

/* Decodes the rectangle r, in pixels at scale eighths/8 (1, 2, 4 or 8) and within the image, into
   the rows out, out + stride, ... Each open allows one read. No more is decoded than the format
   makes necessary; the result is the same as cutting r out of the whole image decoded at that
   scale. Returns 0; MIEN_ERR_MEM; or MIEN_ERR_FORMAT when the data are damaged: a tolerant decoder
   returns 0 when any row could be decoded, with gray where nothing could. */
MIEN_CHECKED int img_read(struct img_decoder *d, int eighths, struct img_rect r, unsigned char *out,
                          size_t stride, struct mien_err *e);

/* A rectangle, and where its rows go. */
struct img_part {
    struct img_rect rect;
    unsigned char *out;
    size_t stride;
};

/* The same for n >= 1 parts of one image at one scale, decoded once. A tolerant decoder, too, fails
   here where rows are missing, unless there is but one part. */
MIEN_CHECKED int img_read_parts(struct img_decoder *d, int eighths, const struct img_part *part,
                                size_t n, struct mien_err *e);

/* The first damage met in the image that was read, as text; NULL when there was none. */
const char *img_damage(const struct img_decoder *d);

#endif
