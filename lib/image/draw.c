#include "draw.h"

#include <string.h>

#include "font.h"

static int min(int a, int b)
{
    return a < b ? a : b;
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

static unsigned char *pixel(struct img *im, int x, int y)
{
    return im->px + ((size_t)y * (size_t)im->w + (size_t)x) * 3;
}

void draw_fill(struct img *im, struct img_rect r, struct draw_color c)
{
    int right = min(r.x + r.w, im->w), bottom = min(r.y + r.h, im->h);
    for (int y = max(r.y, 0); y < bottom; y++) {
        for (int x = max(r.x, 0); x < right; x++)
            memcpy(pixel(im, x, y), (unsigned char[]){c.r, c.g, c.b}, 3);
    }
}

void draw_frame(struct img *im, struct img_rect r, int thick, struct draw_color c)
{
    int w = r.w + 2 * thick;
    draw_fill(im, (struct img_rect){r.x - thick, r.y - thick, w, thick}, c);
    draw_fill(im, (struct img_rect){r.x - thick, r.y + r.h, w, thick}, c);
    draw_fill(im, (struct img_rect){r.x - thick, r.y, thick, r.h}, c);
    draw_fill(im, (struct img_rect){r.x + r.w, r.y, thick, r.h}, c);
}

void draw_image(struct img *im, int x, int y, const struct img *src)
{
    int left = max(x, 0), right = min(x + src->w, im->w);
    int bottom = min(y + src->h, im->h);
    for (int row = max(y, 0); row < bottom && left < right; row++) {
        const unsigned char *from =
            src->px + ((size_t)(row - y) * (size_t)src->w + (size_t)(left - x)) * 3;
        memcpy(pixel(im, left, row), from, (size_t)(right - left) * 3);
    }
}

static void draw_glyph(struct img *im, int x, int y, int scale, struct draw_color c, int glyph)
{
    for (int v = 0; v < FONT_HEIGHT; v++) {
        for (int u = 0; u < FONT_WIDTH; u++) {
            if (font_pixel(glyph, u, v))
                draw_fill(im, (struct img_rect){x + u * scale, y + v * scale, scale, scale}, c);
        }
    }
}

void draw_text(struct img *im, int x, int y, int scale, struct draw_color c, const char *s,
               size_t n)
{
    size_t len;
    for (; n > 0 && x < im->w; s += len, n -= len, x += FONT_WIDTH * scale) {
        int glyph = font_glyph(s, n, &len);
        if (x >= 0 && y >= 0 && x + (FONT_WIDTH - 1) * scale <= im->w &&
            y + FONT_HEIGHT * scale <= im->h)
            draw_glyph(im, x, y, scale, c, glyph);
    }
}
