/*
 * Drawing into an image (img.h): rectangles, other images, text.
 *
 * What lies beyond the image's border is left out; of text, whole characters.
 */
#ifndef MIEN_IMAGE_DRAW_H
#define MIEN_IMAGE_DRAW_H

#include <stddef.h>

#include "img.h"

struct draw_color {
    unsigned char r, g, b;
};

void draw_fill(struct img *im, struct img_rect r, struct draw_color c);

/* A frame around r, outside of it, `thick` pixels thick. */
void draw_frame(struct img *im, struct img_rect r, int thick, struct draw_color c);

/* Copies src, another image, to where its upper left corner is x, y. */
void draw_image(struct img *im, int x, int y, const struct img *src);

/* Draws n bytes of text in one line (font.h), each of the font's pixels scale x scale; x, y is the
   upper left corner. The background stays. */
void draw_text(struct img *im, int x, int y, int scale, struct draw_color c, const char *s,
               size_t n);

#endif
