#include "patches.h"

#include <assert.h>
#include <string.h>

size_t k_tile_rows(size_t k)
{
    size_t rows = 65536 / k;
    return rows < 64 ? 64 : rows > 1024 ? 1024 : rows;
}

size_t k_conv_scratch(const struct layer *l, struct shape in)
{
    size_t k = (size_t)(l->kh * l->kw) * (size_t)(in.c / l->groups);
    return k_is_pointwise(l) ? 0 : k_tile_rows(k) * k;
}

void k_im2col(const struct layer *l, struct shape in, const void *x, size_t size, int c0, int nc,
              size_t from, size_t count, void *col)
{
    const size_t pixel = (size_t)in.c * size, row = (size_t)nc * size;
    char *to = col;
    assert(c0 + nc <= in.c && from + count <= (size_t)l->shape.h * (size_t)l->shape.w);
    for (size_t i = from; i < from + count; i++) {
        int y0 = (int)(i / (size_t)l->shape.w) * l->sh - l->pt;
        int x0 = (int)(i % (size_t)l->shape.w) * l->sw - l->pl;
        for (int ky = 0; ky < l->kh; ky++) {
            int yy = y0 + ky * l->dh;
            const char *src = (const char *)x + (size_t)yy * (size_t)in.w * pixel;
            int inside = yy >= 0 && yy < in.h;
            if (inside && x0 >= 0 && x0 + l->kw <= in.w && l->dw == 1 && nc == in.c) {
                memcpy(to, src + (size_t)x0 * pixel, row * (size_t)l->kw);
                to += row * (size_t)l->kw;
                continue;
            }
            for (int kx = 0; kx < l->kw; kx++, to += row) {
                int xx = x0 + kx * l->dw;
                if (inside && xx >= 0 && xx < in.w)
                    memcpy(to, src + (size_t)xx * pixel + (size_t)c0 * size, row);
                else
                    memset(to, 0, row);
            }
        }
    }
}

void k_im2col_terms(const struct layer *l, struct shape in, const void *x, size_t size, size_t term,
                    size_t terms, size_t from, size_t count, void *col)
{
    size_t nc = (size_t)in.c, pixels = (size_t)l->shape.h * (size_t)l->shape.w;
    char *to = col;
    assert(term + terms <= (size_t)(l->kh * l->kw) * nc);
    for (size_t i = from; i < from + count; i++) {
        const char *image = (const char *)x + i / pixels * shape_count(in) * size;
        int y0 = (int)(i % pixels / (size_t)l->shape.w) * l->sh - l->pt;
        int x0 = (int)(i % (size_t)l->shape.w) * l->sw - l->pl;
        for (size_t k = term, some; k < term + terms; k += some, to += some * size) {
            int tap = (int)(k / nc), yy = y0 + tap / l->kw * l->dh, xx = x0 + tap % l->kw * l->dw;
            size_t c = k % nc, left = term + terms - k;
            some = nc - c < left ? nc - c : left;
            if (yy >= 0 && yy < in.h && xx >= 0 && xx < in.w)
                memcpy(to, image + (((size_t)yy * (size_t)in.w + (size_t)xx) * nc + c) * size,
                       some * size);
            else
                memset(to, 0, some * size);
        }
    }
}
