/* Encoding PNGs. */
#ifndef MIEN_IMAGE_PNG_WRITE_H
#define MIEN_IMAGE_PNG_WRITE_H

#include "mien/buf.h"
#include "mien/err.h"

/* Appends the h x w image px as a PNG of 8 bits, RGB. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int img_png_encode(const unsigned char *px, int h, int w, struct mien_buf *out,
                                struct mien_err *e);

#endif
