#include "depthwise.h"

#include <assert.h>

/* Of more channels the columns of a strip lie so far apart that fetching them takes longer than the
   sums. */
enum { STRIP_CHANNELS = 128 };
/* Rows that the tallest strip of any variant has: where a layer has fewer, no variant makes strips,
   as their sums have another order. */
enum { STRIP_ROWS = 4 };
/* Vectors of a pixel below which they share lines of the first-level cache: strips are then no
   wider than so many columns, so that they stay there for the next vector. */
enum { FEW_VECTORS = 4, STRIP_COLUMNS = 32 };

/* Channels, rounded up to vectors. */
static int padded(int channels, const struct simd *s)
{
    return (channels + s->lanes - 1) / s->lanes * s->lanes;
}

struct depthwise depthwise_make(const struct simd *simd, const struct layer *l, struct shape in,
                                const float *w, const struct tail *t, bool bf16)
{
    const float *slope = t->slope != NULL ? t->slope : t->bias;
    size_t taps = (size_t)l->kh * (size_t)l->kw;
    const struct simd *best = simd;
    for (const struct simd *s = simd->other; s != NULL; s = s->other)
        best = padded(in.c, s) < padded(in.c, best) ? s : best;
    const struct dw dw = {(size_t)in.c, taps, w, t->bias, slope, t->act};
    struct depthwise d = {best, *l, in, dw, bf16, bf16, 0};
    assert(!bf16 || in.c >= simd->lanes);
    if (l->kh == 3 && l->kw == 3 && l->sh == 1 && l->sw == 1 && l->dh == 1 && l->dw == 1 &&
        in.c <= STRIP_CHANNELS && in.c >= best->lanes && l->shape.h >= STRIP_ROWS)
        d.columns = in.c < best->lanes * FEW_VECTORS ? STRIP_COLUMNS : l->shape.w;
    return d;
}

size_t depthwise_scratch(const struct depthwise *d)
{
    size_t fast = 3 * (2 * DW3_PIXELS + 1);
    return (d->dw.taps > fast ? d->dw.taps : fast) * sizeof(float *);
}

static const struct depthwise_loops *loops(const struct depthwise *d)
{
    assert(d->to_bf16 || !d->from_bf16);
    return d->from_bf16 ? &d->simd->of_bf16 : d->to_bf16 ? &d->simd->to_bf16 : &d->simd->of_float;
}

/* Bytes of a pixel. */
static size_t pixel_size(const struct depthwise *d, bool bf16)
{
    return d->dw.nc * (bf16 ? sizeof(bfloat) : sizeof(float));
}

/* Where the pixels of a window of kh rows and `columns` columns lie, its corner at (x0, y0). */
static void window(const struct depthwise *d, const char *x, const void *zeros, int x0, int y0,
                   int columns, const void **pixel)
{
    size_t w = (size_t)d->in.w, size = pixel_size(d, d->from_bf16);
    int step = d->l.dw, last = x0 + (columns - 1) * step;
    bool all = x0 >= 0 && last < d->in.w; /* none lies to the left or right */
    for (int ky = 0, y = y0; ky < d->l.kh; ky++, y += d->l.dh) {
        bool inside = y >= 0 && y < d->in.h;
        const char *row = inside ? x + (size_t)y * w * size : zeros;
        for (int xx = x0; xx <= last; xx += step) {
            bool there = inside && (all || (xx >= 0 && xx < d->in.w));
            *pixel++ = there ? row + (size_t)xx * size : zeros;
        }
    }
}

/* One image, a few pixels at a time. */
static void filter_one_by_one(const struct depthwise *d, const char *x, char *y, const void *zeros,
                              const void **pixel)
{
    const struct layer *l = &d->l;
    int ow = l->shape.w;
    size_t size = pixel_size(d, d->to_bf16);
    bool fast =
        l->kh == 3 && l->kw == 3 && l->dh == 1 && l->dw == 1 && l->sw <= 2 && ow >= DW3_PIXELS;
    int step = fast ? DW3_PIXELS : 1;
    for (int oy = 0; oy < l->shape.h; oy++, y += (size_t)ow * size) {
        for (int at = 0; at < ow; at += step) {
            int ox = at + step > ow ? ow - step : at; /* the last ones overlap those before */
            window(d, x, zeros, ox * l->sw - l->pl, oy * l->sh - l->pt, (step - 1) * l->sw + l->kw,
                   pixel);
            if (fast)
                loops(d)->dw3[l->sw - 1](&d->dw, pixel, y + (size_t)ox * size);
            else
                loops(d)->dw(&d->dw, pixel, y + (size_t)ox * size);
        }
    }
}

/* The strip of output rows from `from` on. */
static void filter_strip(const struct depthwise *d, const char *x, char *y, int from,
                         const void **row)
{
    const struct layer *l = &d->l;
    size_t size = pixel_size(d, d->from_bf16), to = pixel_size(d, d->to_bf16);
    for (int r = 0; r < d->simd->strip + 2; r++) {
        int in = from - l->pt + r;
        row[r] = in >= 0 && in < d->in.h ? x + (size_t)in * (size_t)d->in.w * size : NULL;
    }
    for (int ox = 0; ox < l->shape.w; ox += d->columns) {
        int left = l->shape.w - ox;
        struct dw3_strip s = {row,
                              d->in.w,
                              ox - l->pl,
                              left < d->columns ? left : d->columns,
                              y + (size_t)ox * to,
                              (size_t)l->shape.w * d->dw.nc};
        loops(d)->dw3_strip(&d->dw, &s);
    }
}

/* One image, strip by strip. */
static void filter_strips(const struct depthwise *d, const char *x, char *y, const void **row)
{
    int h = d->l.shape.h, strip = d->simd->strip;
    assert(strip <= h && (size_t)(strip + 2) * sizeof *row <= depthwise_scratch(d));
    size_t line = (size_t)d->l.shape.w * pixel_size(d, d->to_bf16);
    for (int at = 0; at < h; at += strip) {
        int from = at + strip > h ? h - strip : at; /* the last ones overlap those before */
        filter_strip(d, x, y + (size_t)from * line, from, row);
    }
}

void depthwise_run(const struct depthwise *d, const void *x, void *y, size_t n, const void *zeros,
                   void *scratch)
{
    const char *from = x;
    char *to = y;
    const size_t step = pixel_size(d, d->from_bf16) * (size_t)(d->in.h * d->in.w);
    const size_t to_step = pixel_size(d, d->to_bf16) * (size_t)(d->l.shape.h * d->l.shape.w);
    const struct tail tail = {d->dw.bias, d->dw.act, d->dw.slope};
    if (d->in.c < d->simd->lanes) { /* too few channels for a vector, or for time to matter */
        k_dwconv(&d->l, d->in, d->dw.w, &tail, x, y, n, zeros);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (d->columns > 0)
            filter_strips(d, from, to, scratch);
        else
            filter_one_by_one(d, from, to, zeros, scratch);
        from += step;
        to += to_step;
    }
}
