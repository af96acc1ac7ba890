#include "augment.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "util/hash.h"
#include "blur.h"
#include "img.h"

/* What happens to one image. */
struct change {
    bool flip, erase;
    double dx, dy;                           /* pixels */
    double zoom, angle, stretch;             /* stretch: width by this, height by one over it */
    double brightness, contrast, saturation; /* factors; saturation 0 is gray */
    double cast[3];                          /* factors of red, green and blue */
    double soft;                             /* deviation of the blur in pixels, 0: none */
    struct img_rect hole;
    struct rng noise;
};

bool augment_any(const struct augment *a)
{
    return a->flip || a->shift > 0 || a->zoom > 0 || a->rotate > 0 || a->brightness > 0 ||
           a->contrast > 0 || a->saturation > 0 || a->gray > 0 || a->erase > 0 || a->stretch > 0 ||
           a->cast > 0 || a->soft > 0;
}

static double between(struct rng *r, double lo, double hi)
{
    return lo + (hi - lo) * rng_uniform(r);
}

static int within(double v, int lo, int hi)
{
    return v <= lo ? lo : v >= hi ? hi : (int)lround(v);
}

/* The rectangle of random erasing. Where the paper draws again, one that is longer than the image
   is cut to it. */
static struct img_rect draw_hole(struct rng *r, int h, int w)
{
    double area = between(r, 0.02, 0.4) * h * w, ratio = pow(0.3, between(r, -1, 1));
    struct img_rect hole = {.w = within(sqrt(area * ratio), 1, w),
                            .h = within(sqrt(area / ratio), 1, h)};
    hole.x = (int)rng_below(r, (uint64_t)(w - hole.w) + 1);
    hole.y = (int)rng_below(r, (uint64_t)(h - hole.h) + 1);
    return hole;
}

static struct change draw(const struct augment *a, int h, int w, uint64_t seed)
{
    struct rng r = {hash_mix(seed)};
    struct change c;
    bool heads = rng_uniform(&r) < 0.5;
    c.flip = a->flip && heads;
    c.dx = between(&r, -1, 1) * a->shift * w;
    c.dy = between(&r, -1, 1) * a->shift * h;
    c.zoom = pow(1 + a->zoom, between(&r, -1, 1));
    c.angle = between(&r, -1, 1) * a->rotate * (acos(-1) / 180);
    c.brightness = 1 + between(&r, -1, 1) * a->brightness;
    c.contrast = 1 + between(&r, -1, 1) * a->contrast;
    c.saturation = 1 + between(&r, -1, 1) * a->saturation;
    if (rng_uniform(&r) < a->gray)
        c.saturation = 0;
    c.erase = rng_uniform(&r) < a->erase;
    c.hole = draw_hole(&r, h, w);
    c.noise = r;
    /* A stream of their own for what came later: seeds mean what they meant before. */
    struct rng later = {hash_mix(~seed)};
    c.stretch = pow(1 + a->stretch, between(&later, -1, 1));
    for (int k = 0; k < 3; k++)
        c.cast[k] = 1 + between(&later, -1, 1) * a->cast;
    bool soft = rng_uniform(&later) < a->soft;
    /* A box of f pixels and interpolation between their means have variances of (f^2 - 1) / 12 and
       twice that. */
    double f = 1.5 * pow(4 / 1.5, rng_uniform(&later));
    c.soft = soft ? sqrt(f * f - 1) / 2 : 0;
    return c;
}

/* --- Place ---------------------------------------------------------------------------------- */

static void mirror_row(const unsigned char *src, int n, unsigned char *dst)
{
    for (src += (size_t)n * 3; n > 0; n--, dst += 3) {
        src -= 3;
        dst[0] = src[0];
        dst[1] = src[1];
        dst[2] = src[2];
    }
}

/* Mirrors, then moves by whole pixels. */
static void shift_pixels(const struct change *c, const unsigned char *src, int h, int w,
                         unsigned char *dst)
{
    int dx = within(c->dx, 1 - w, w - 1), dy = within(c->dy, 1 - h, h - 1);
    struct img_rect in = {dx > 0 ? dx : 0, dy > 0 ? dy : 0, w - (dx < 0 ? -dx : dx),
                          h - (dy < 0 ? -dy : dy)};
    int from = (c->flip ? dx > 0 : dx < 0) ? w - in.w : 0; /* what moves out is left out */
    for (int y = in.y; y < in.y + in.h; y++) {
        const unsigned char *s = src + ((size_t)(y - dy) * (size_t)w + (size_t)from) * 3;
        unsigned char *d = dst + ((size_t)y * (size_t)w + (size_t)in.x) * 3;
        if (c->flip)
            mirror_row(s, in.w, d);
        else
            memcpy(d, s, (size_t)in.w * 3);
    }
    img_repeat_border(dst, h, w, in);
}

/* Positions in the source in fixed point: 32 bits behind the point. */
#define ONE ((int64_t)1 << 32)

static int64_t fixed(double v)
{
    return llrint(v * (double)ONE);
}

/* A position as the pixel before it, the step to the one behind it and that one's weight in 256ths.
   Beyond the border it is on the border. */
struct tap {
    size_t at, step;
    uint32_t weight;
};

static inline struct tap tap(int64_t pos, int side)
{
    if (pos < 0)
        return (struct tap){0, 0, 0};
    if (pos >= (side - 1) * ONE)
        return (struct tap){(size_t)side - 1, 0, 0};
    return (struct tap){(size_t)(pos >> 32), 1, (uint32_t)pos >> 24};
}

/* Mirrors, enlarges, stretches and turns about the center, then moves: every pixel is looked up
   where it came from. */
static void warp_pixels(const struct change *c, const unsigned char *src, int h, int w,
                        unsigned char *dst)
{
    double wide = c->zoom * c->stretch, high = c->zoom / c->stretch;
    double cosine = cos(c->angle), sine = sin(c->angle), sign = c->flip ? -1 : 1;
    double x0 = 0.5 - 0.5 * w - c->dx, y0 = 0.5 - 0.5 * h - c->dy; /* the first pixel's center */
    int64_t right_x = fixed(sign * cosine / wide), right_y = fixed(-sine / high);
    int64_t down_x = fixed(sign * sine / wide), down_y = fixed(cosine / high);
    int64_t half = ONE / 512; /* of a 256th: what lies behind 256ths is cut off */
    int64_t row_x = fixed(sign * (cosine * x0 + sine * y0) / wide + 0.5 * w - 0.5) + half;
    int64_t row_y = fixed((cosine * y0 - sine * x0) / high + 0.5 * h - 0.5) + half;
    size_t stride = (size_t)w * 3;
    for (int y = 0; y < h; y++, row_x += down_x, row_y += down_y) {
        int64_t px = row_x, py = row_y;
        for (int x = 0; x < w; x++, px += right_x, py += right_y, dst += 3) {
            struct tap tx = tap(px, w), ty = tap(py, h);
            const unsigned char *s = src + ty.at * stride + tx.at * 3;
            const unsigned char *t = s + ty.step * stride;
            size_t next = tx.step * 3;
            uint32_t corner = tx.weight * ty.weight, right = 256 * tx.weight - corner;
            uint32_t down = 256 * ty.weight - corner, here = 65536 - corner - right - down;
            for (int k = 0; k < 3; k++)
                dst[k] = (unsigned char)((s[k] * here + s[next + k] * right + t[k] * down +
                                          t[next + k] * corner + 32768) >>
                                         16);
        }
    }
}

/* --- Color --------------------------------------------------------------------------------- */

/* The luma of colors, or of their sums, in 256ths. */
static inline uint64_t luma(uint64_t r, uint64_t g, uint64_t b)
{
    return 77 * r + 150 * g + 29 * b;
}

static double mean_luma(const unsigned char *px, size_t n)
{
    uint64_t r = 0, g = 0, b = 0;
    for (size_t i = 0; i < n; i++, px += 3) {
        r += px[0];
        g += px[1];
        b += px[2];
    }
    return (double)luma(r, g, b) / 256 / (double)n;
}

/* What a channel of a pixel becomes: so much of its value, of the pixel's luma and of 1, in fixed
   point with 16 bits behind the point. */
struct linear {
    int color, gray, offset;
};

/* Each change is linear, and so is what they come to: a pixel's color, its luma and the image's
   mean luma are weighed. */
static void change_color(const struct change *c, unsigned char *px, size_t n)
{
    double mean = c->contrast != 1 ? mean_luma(px, n) : 0;
    double both = c->brightness * c->contrast;
    struct linear by[3];
    for (int k = 0; k < 3; k++) {
        by[k].color = (int)lround(65536 * both * c->saturation * c->cast[k]);
        by[k].gray = (int)lround(65536 * both * (1 - c->saturation) * c->cast[k]);
        by[k].offset =
            (int)lround(65536 * (c->brightness * (1 - c->contrast) * mean * c->cast[k] + 0.5));
    }
    for (; n > 0; n--, px += 3) {
        int64_t gray = (int64_t)luma(px[0], px[1], px[2]);
        for (int k = 0; k < 3; k++) {
            int v = by[k].offset + (int)(by[k].gray * gray / 256) + by[k].color * px[k];
            px[k] = (unsigned char)(v < 0 ? 0 : v >= 256 << 16 ? 255 : v >> 16);
        }
    }
}

/* --- Noise ---------------------------------------------------------------------------------- */

static void erase(const struct change *c, unsigned char *px, int w)
{
    struct rng r = c->noise;
    size_t n = (size_t)c->hole.w * 3;
    for (int y = c->hole.y; y < c->hole.y + c->hole.h; y++) {
        unsigned char *row = px + ((size_t)y * (size_t)w + (size_t)c->hole.x) * 3;
        for (size_t i = 0; i < n; i += 8) {
            uint64_t bits = rng_next(&r);
            for (size_t k = i; k < n && k < i + 8; k++, bits >>= 8)
                row[k] = (unsigned char)bits;
        }
    }
}

void augment_pixels(const struct augment *a, const unsigned char *src, int h, int w,
                    unsigned char *dst, uint64_t seed)
{
    struct change c = draw(a, h, w, seed);
    size_t n = (size_t)h * (size_t)w;
    if (c.zoom != 1 || c.angle != 0 || c.stretch != 1)
        warp_pixels(&c, src, h, w, dst);
    else
        shift_pixels(&c, src, h, w, dst);
    if (c.brightness != 1 || c.contrast != 1 || c.saturation != 1 || a->cast > 0)
        change_color(&c, dst, n);
    if (c.soft > 0)
        blur_pixels(dst, h, w, c.soft);
    if (c.erase)
        erase(&c, dst, w);
}
