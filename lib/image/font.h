/*
 * A bitmap font: printable ASCII, the plus-minus sign, the ellipsis and the black square, drawn for
 * this project.
 *
 * Every character takes a cell of FONT_WIDTH x FONT_HEIGHT pixels, whose last column is empty so
 * that neighbors never touch. Capitals and digits are 8 pixels high, small letters 6; the last two
 * rows hold descenders. Text is UTF-8; a character without a glyph, or a byte that isn't UTF-8,
 * shows as an empty box.
 */
#ifndef MIEN_IMAGE_FONT_H
#define MIEN_IMAGE_FONT_H

#include <stdbool.h>
#include <stddef.h>

#include "mien/buf.h"
#include "mien/err.h"

enum {
    FONT_WIDTH = 6,
    FONT_HEIGHT = 10,
    FONT_LINE = 13, /* from line to line */
    FONT_GLYPHS = 99
};

/* The glyph, 0 to FONT_GLYPHS - 1, of the character that the n bytes at s (at least 1) begin with.
 *len becomes the bytes that the character has. */
int font_glyph(const char *s, size_t n, size_t *len);

/* Whether a glyph's pixel is set, 0 <= x < FONT_WIDTH and 0 <= y < FONT_HEIGHT. */
bool font_pixel(int glyph, int x, int y);

/* The number of characters in n bytes of text. */
size_t font_chars(const char *s, size_t n);

/* Appends the text, cut to at most this many characters (at least 1): an ellipsis replaces what
   was taken out of its middle, since names often differ at their ends. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int font_shorten(struct mien_buf *out, const char *s, size_t n, size_t chars);

#endif
