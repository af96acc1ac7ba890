/* Encoding JPEGs. */
#ifndef MIEN_IMAGE_JPEG_H
#define MIEN_IMAGE_JPEG_H

#include "mien/buf.h"
#include "mien/err.h"

/* Appends the h x w image px as a baseline JPEG with halved chroma (4:2:0). quality is libjpeg's, 1
   to 100. Returns 0, MIEN_ERR_MEM, or MIEN_ERR_LIMIT for a side over 65500. */
MIEN_CHECKED int img_jpeg_encode(const unsigned char *px, int h, int w, int quality,
                                 struct mien_buf *out, struct mien_err *e);

#endif
