/* Moving values, and the images that a network reads. */
#include <assert.h>
#include <string.h>

#include "layers.h"

SIMD void k_pixels(const unsigned char *restrict rgb, real *restrict y, size_t npixel, int bgr,
                   const float mean[3], float scale)
{
    /* Sixteen pixels at once, so that it vectorises. */
    enum { BLOCK = 48 };
    real m[BLOCK], f = scale;
    size_t n = 3 * npixel, at = 0;
    for (int k = 0; k < BLOCK; k++)
        m[k] = mean[k % 3];
    for (; !bgr && at + BLOCK <= n; at += BLOCK) {
        for (int k = 0; k < BLOCK; k++)
            y[at + (size_t)k] = (rgb[at + (size_t)k] - m[k]) * f;
    }
    for (; at < n; at += 3) {
        y[at] = (rgb[at + (bgr ? 2 : 0)] - m[0]) * f;
        y[at + 1] = (rgb[at + 1] - m[1]) * f;
        y[at + 2] = (rgb[at + (bgr ? 0 : 2)] - m[2]) * f;
    }
}

void k_place(const real *x, int c, real *y, int at, int width, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * (size_t)width + at, x + r * (size_t)c, (size_t)c * sizeof *x);
}

void k_concat_rows(const struct layer *l, struct shape in, size_t n, int *block, size_t *rows)
{
    *rows = n * (l->axis > 0 ? (size_t)in.h : 1) * (l->axis > 1 ? (size_t)in.w : 1);
    *block = (int)(n * shape_count(in) / *rows);
}

/* Where place i of an axis lies in the input, which begins at `before` and is `extent` long; -1: it
   is the padding's value. */
static int source(int kind, int i, int before, int extent)
{
    i -= before;
    if (i >= 0 && i < extent)
        return i;
    switch (kind) {
    case PAD_EDGE:
        return i < 0 ? 0 : extent - 1;
    case PAD_REFLECT:
        return i < 0 ? -i : 2 * (extent - 1) - i;
    case PAD_WRAP:
        return i < 0 ? i + extent : i - extent;
    default:
        return -1;
    }
}

static void pad_value(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    struct shape out = l->shape;
    size_t count = n * shape_count(out);
    for (size_t i = 0; i < count; i++)
        y[i] = (real)l->a;
    for (size_t i = 0; i < n; i++, y += shape_count(out)) {
        for (int r = 0; r < in.h; r++, x += (size_t)in.w * (size_t)in.c) {
            real *line = y + ((size_t)(r + l->pt) * (size_t)out.w + (size_t)l->pl) * (size_t)out.c;
            k_place(x, in.c, line, l->cb, out.c, (size_t)in.w);
        }
    }
}

void k_pad_pixel(const struct layer *l, struct shape in, int pixel, real *y, real *x, bool back)
{
    int r = source(l->kind, pixel / l->shape.w, l->pt, in.h);
    int w = source(l->kind, pixel % l->shape.w, l->pl, in.w);
    x += ((size_t)r * (size_t)in.w + (size_t)w) * (size_t)in.c;
    for (int c = 0; c < l->shape.c; c++) {
        real *from = x + source(l->kind, c, l->cb, in.c);
        if (back)
            *from += y[c];
        else
            y[c] = *from;
    }
}

void k_pad(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    if (l->kind == PAD_VALUE) {
        pad_value(l, in, x, y, n);
        return;
    }
    for (size_t i = 0; i < n; i++, x += shape_count(in)) {
        for (int p = 0; p < l->shape.h * l->shape.w; p++, y += l->shape.c)
            k_pad_pixel(l, in, p, y, (real *)x, false);
    }
}

/* Goes through an output's elements in order, a row along its last axis at once. */
void k_permute(const struct layer *l, const real *x, real *y, size_t n, bool back)
{
    size_t stride[NET_MAX_VIEW] = {0}, count = shape_count(l->shape);
    size_t step[NET_MAX_VIEW] = {0}, extent[NET_MAX_VIEW] = {0};
    int dims = 0;
    while (dims < NET_MAX_VIEW && l->view[dims] > 0)
        dims++;
    for (int k = dims - 1; k >= 0; k--)
        stride[k] = k == dims - 1 ? 1 : stride[k + 1] * (size_t)l->view[k + 1];
    for (int k = 0; k < dims; k++) {
        step[k] = stride[l->order[k]];
        extent[k] = (size_t)l->view[l->order[k]];
    }
    assert(dims > 0);
    size_t row = extent[dims - 1], apart = step[dims - 1];
    for (size_t i = 0; i < n; i++, x += count, y += count) {
        size_t place[NET_MAX_VIEW] = {0}, at = 0;
        for (size_t to = 0; to < count; to += row) {
            for (size_t k = 0; k < row; k++) {
                if (back)
                    y[at + k * apart] = x[to + k];
                else
                    y[to + k] = x[at + k * apart];
            }
            for (int k = dims - 2; k >= 0; k--) {
                at += step[k];
                if (++place[k] < extent[k])
                    break;
                at -= extent[k] * step[k];
                place[k] = 0;
            }
        }
    }
}

void k_slice(const struct layer *l, struct shape in, const real *x, real *y, size_t n, bool back)
{
    size_t ic = (size_t)in.c, iw = (size_t)in.w;
    for (size_t i = 0; i < n; i++) {
        for (int h = 0; h < l->shape.h; h++) {
            for (int w = 0; w < l->shape.w; w++) {
                size_t r = (size_t)(l->at[0] + h * l->step[0]);
                size_t p = (size_t)(l->at[1] + w * l->step[1]);
                ptrdiff_t at = (ptrdiff_t)(((i * (size_t)in.h + r) * iw + p) * ic) + l->at[2];
                for (int c = 0; c < l->shape.c; c++, at += l->step[2]) {
                    if (back)
                        y[at] = *x++;
                    else
                        *y++ = x[at];
                }
            }
        }
    }
}
