#include "img.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"

int img_alloc(struct img *im, int h, int w, struct mien_err *e)
{
    size_t n = (size_t)h * (size_t)w * 3;
    if (n > im->cap) {
        free(im->px); /* the old contents are not kept */
        im->px = malloc(n);
        im->cap = im->px == NULL ? 0 : n;
        if (im->px == NULL)
            return mien_err_mem(e, n, "pixels");
    }
    im->h = h;
    im->w = w;
    return 0;
}

void img_free(struct img *im)
{
    free(im->px);
    *im = (struct img){0};
}

int mien_size_parse(void *dst, const char *s, struct mien_err *e)
{
    struct mien_size *hw = dst;
    char text[32];
    snprintf(text, sizeof text, "%s", s);
    char *x = strchr(text, 'x');
    if (x != NULL)
        *x = '\0';
    long long h, w;
    if (num_int(text, 1, MIEN_MAX_SIDE, &h, NULL) < 0 ||
        num_int(x != NULL ? x + 1 : text, 1, MIEN_MAX_SIDE, &w, NULL) < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a size: N or HEIGHTxWIDTH, each 1 to %d",
                            s, MIEN_MAX_SIDE);
    *hw = (struct mien_size){(int)h, (int)w};
    return 0;
}

void img_repeat_border(unsigned char *px, int h, int w, struct img_rect in)
{
    size_t row = (size_t)w * 3;
    int right = in.x + in.w, bottom = in.y + in.h;
    for (int y = in.y; y < bottom; y++) {
        unsigned char *p = px + (size_t)y * row;
        for (int x = 0; x < in.x; x++)
            memcpy(p + 3 * (size_t)x, p + 3 * (size_t)in.x, 3);
        for (int x = right; x < w; x++)
            memcpy(p + 3 * (size_t)x, p + 3 * (size_t)(right - 1), 3);
    }
    for (int y = 0; y < in.y; y++)
        memcpy(px + (size_t)y * row, px + (size_t)in.y * row, row);
    for (int y = bottom; y < h; y++)
        memcpy(px + (size_t)y * row, px + (size_t)(bottom - 1) * row, row);
}

/*
 * An orientation is an optional swap of the axes, followed by optional mirrorings of the stored
 * image's axes: upright pixel (x, y) is stored pixel (x, y), or (y, x) when swapped, counted from
 * the other end of an axis that is mirrored.
 */
static int swapped(int o)
{
    return o >= 5;
}
static int mirrored_x(int o)
{
    return o == 2 || o == 3 || o == 7 || o == 8;
}
static int mirrored_y(int o)
{
    return o == 3 || o == 4 || o == 6 || o == 7;
}

void img_upright(const unsigned char *src, int h, int w, int orientation, unsigned char *dst)
{
    /* Steps in src for a step to the right and downwards in dst. */
    ptrdiff_t sx = mirrored_x(orientation) ? -3 : 3;
    ptrdiff_t sy = (mirrored_y(orientation) ? -3 : 3) * (ptrdiff_t)w;
    const unsigned char *first =
        src + (sx < 0 ? ((size_t)w - 1) * 3 : 0) + (sy < 0 ? ((size_t)h - 1) * (size_t)w * 3 : 0);
    ptrdiff_t right = swapped(orientation) ? sy : sx;
    ptrdiff_t down = swapped(orientation) ? sx : sy;
    int oh = swapped(orientation) ? w : h, ow = swapped(orientation) ? h : w;
    enum { TILE = 32 }; /* source and destination of a tile stay in the cache */
    for (int y0 = 0; y0 < oh; y0 += TILE) {
        int y1 = y0 + TILE < oh ? y0 + TILE : oh;
        for (int x0 = 0; x0 < ow; x0 += TILE) {
            int x1 = x0 + TILE < ow ? x0 + TILE : ow;
            for (int y = y0; y < y1; y++) {
                const unsigned char *s = first + y * down + x0 * right;
                unsigned char *d = dst + ((size_t)y * (size_t)ow + (size_t)x0) * 3;
                for (int x = x0; x < x1; x++, s += right, d += 3) {
                    d[0] = s[0];
                    d[1] = s[1];
                    d[2] = s[2];
                }
            }
        }
    }
}

void img_point_as_stored(int orientation, int h, int w, double *x, double *y)
{
    double sx = swapped(orientation) ? *y : *x;
    double sy = swapped(orientation) ? *x : *y;
    *x = mirrored_x(orientation) ? w - sx : sx;
    *y = mirrored_y(orientation) ? h - sy : sy;
}
