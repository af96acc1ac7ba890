#include "depthwise.h"

struct depthwise depthwise_make(const struct simd *simd, const struct layer *l, struct shape in,
                                const float *w, const struct tail *t)
{
    const float *slope = t->slope != NULL ? t->slope : t->bias;
    size_t taps = (size_t)l->kh * (size_t)l->kw;
    return (struct depthwise){simd, *l, in, {(size_t)in.c, taps, w, t->bias, slope, t->act}};
}

size_t depthwise_scratch(const struct depthwise *d)
{
    size_t fast = 3 * (2 * DW3_PIXELS + 1);
    return (d->dw.taps > fast ? d->dw.taps : fast) * sizeof(float *);
}

/* Where the pixels of a window of kh rows and `columns` columns lie, its corner at (x0, y0). */
static void window(const struct depthwise *d, const float *x, const float *zeros, int x0, int y0,
                   int columns, const float **pixel)
{
    size_t w = (size_t)d->in.w, c = (size_t)d->in.c;
    bool all = x0 >= 0 && x0 + columns <= d->in.w; /* none lies to the left or right */
    for (int y = y0; y < y0 + d->l.kh; y++) {
        bool inside = y >= 0 && y < d->in.h;
        const float *row = x + (size_t)y * w * c;
        for (int xx = x0; xx < x0 + columns; xx++) {
            bool there = inside && (all || (xx >= 0 && xx < d->in.w));
            *pixel++ = there ? row + (size_t)xx * c : zeros;
        }
    }
}

static void filter_image(const struct depthwise *d, const float *x, float *y, const float *zeros,
                         const float **pixel)
{
    const struct layer *l = &d->l;
    int ow = l->shape.w;
    bool fast = l->kh == 3 && l->kw == 3 && l->sw <= 2 && ow >= DW3_PIXELS;
    int step = fast ? DW3_PIXELS : 1;
    for (int oy = 0; oy < l->shape.h; oy++, y += (size_t)ow * d->dw.nc) {
        for (int at = 0; at < ow; at += step) {
            int ox = at + step > ow ? ow - step : at; /* the last ones overlap those before */
            window(d, x, zeros, ox * l->sw - l->pl, oy * l->sh - l->pt,
                   (step - 1) * l->sw + l->kw, pixel);
            if (fast)
                d->simd->dw3[l->sw - 1](&d->dw, pixel, y + (size_t)ox * d->dw.nc);
            else
                d->simd->dw(&d->dw, pixel, y + (size_t)ox * d->dw.nc);
        }
    }
}

void depthwise_run(const struct depthwise *d, const float *x, float *y, size_t n,
                   const float *zeros, void *scratch)
{
    const struct tail tail = {d->dw.bias, d->dw.act, d->dw.slope};
    if (d->in.c < d->simd->lanes) { /* too few channels for a vector, or for time to matter */
        k_dwconv(&d->l, d->in, d->dw.w, &tail, x, y, n, zeros);
        return;
    }
    for (size_t i = 0; i < n; i++, x += shape_count(d->in), y += shape_count(d->l.shape))
        filter_image(d, x, y, zeros, scratch);
}
