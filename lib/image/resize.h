/*
 * Antialiased separable resampling.
 *
 * The filter is widened by the factor of reduction, so that every source pixel counts; pixels are
 * weighted by it about the output pixel's centre, weights at the border are normalised. First the
 * rows are resampled, then the columns, with 8-bit pixels between, as Pillow's Image.resize does
 * it with BOX, BILINEAR and LANCZOS, and with its arithmetic: the results are the same bytes.
 */
#ifndef MIEN_IMAGE_RESIZE_H
#define MIEN_IMAGE_RESIZE_H

#include "img.h"
#include "mien/prep.h"

/* In the order of IMG_FILTERS, the names in mien-resize's option and in prep.h's filter. */
enum img_filter { IMG_BOX, IMG_TRIANGLE, IMG_LANCZOS3 };
#define IMG_FILTERS "box|triangle|lanczos3"
const char *img_filter_name(enum img_filter f);

/* Notes size and filter in a stream's preprocessing. Returns 0, or ERR_LIMIT when that grows too
   long. */
int img_resize_describe(struct img_hw to, enum img_filter f, struct prep *p);

/* Keeps the weights of the last sizes and the memory between the passes. One thread uses it at a
   time. Zero-initialise with img_resizer_new, free with img_resizer_free (NULL is harmless). */
struct img_resizer;
struct img_resizer *img_resizer_new(struct err *e);
void img_resizer_free(struct img_resizer *z);

/* Resamples src, h x w, into dst, to.h x to.w (all at least 1), which must not overlap. The result
   is the same on every machine. Returns 0 or ERR_MEM. */
int img_resize(struct img_resizer *z, const unsigned char *src, int h, int w, unsigned char *dst,
               struct img_hw to, enum img_filter f, struct err *e);

#endif
