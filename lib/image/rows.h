/*
 * Rows of an image at full scale, from the top down, to parts of it at any scale: for formats that
 * are only decoded at full scale. A pixel at a smaller scale is the mean of those that it covers,
 * which is close to what JPEG's smaller scales are.
 */
#ifndef MIEN_IMAGE_ROWS_H
#define MIEN_IMAGE_ROWS_H

#include <stdint.h>

#include "format.h"

/* Zero-initialized it is empty; its memory is reused from image to image. */
struct img_rows {
    struct img_rect need; /* what the parts need of the image, at full scale */
    const struct img_part *part;
    size_t n;
    int shift; /* a pixel is the mean of up to 1 << shift each way */
    int h, w;  /* of the image */
    uint32_t *sum;
    unsigned char *line; /* a row at the parts' scale */
    size_t cap;          /* numbers in either */
};

/* Begins. Returns 0; MIEN_ERR_ARG when a part isn't within the image; or MIEN_ERR_MEM. */
MIEN_CHECKED int img_rows_start(struct img_rows *s, int h, int w, int eighths,
                                const struct img_part *part, size_t n, struct mien_err *e);

/* Whether a row, from need.y to need.y + need.h, is put to any use. */
static inline bool img_rows_want(const struct img_rows *s, int y)
{
    return img_parts_skip(s->part, s->n, y >> s->shift) == 0;
}

/* Takes row y, its need.w pixels from need.x on. Rows come in order, all that are wanted. */
void img_rows_put(struct img_rows *s, int y, const unsigned char *px);

/* Fills with gray from row y on, where the image is damaged. */
void img_rows_gray(struct img_rows *s, int y);

void img_rows_free(struct img_rows *s);

/* n pixels RGBA onto white, in place: out may be px. */
void img_over_white(const unsigned char *px, size_t n, unsigned char *out);

#endif
