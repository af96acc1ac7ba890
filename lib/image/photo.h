/* Whole photographs: decoded upright, at the scale that is needed. */
#ifndef MIEN_IMAGE_PHOTO_H
#define MIEN_IMAGE_PHOTO_H

#include "img.h"
#include "decoder.h"

/* A photograph and memory for it, reused from one to the next. Zero-initialized it is empty. */
struct img_photo {
    struct img im;      /* upright */
    int eighths;        /* its scale */
    int longer;         /* the longer side at full scale, in pixels */
    struct img scratch; /* as stored, where that isn't upright */
};
void img_photo_free(struct img_photo *p);

/* Decodes all of an encoded image, its n bytes, at the smallest scale (1, 2, 4 or 8 eighths) at which the
   longer side has at least `longer` pixels; at full scale when it hasn't that many. Errors as
   img_open and img_read. */
MIEN_CHECKED int img_photo_read(struct img_photo *p, struct img_decoder *d, const void *image,
                                size_t n, const struct img_limits *limits, double longer,
                                struct mien_err *e);

#endif
