#include "winograd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Patches transformed at once: enough for the products to be efficient. With more channels than
   these they would fall out of every cache. */
enum { BLOCK_PATCHES = 96, MOST_CHANNELS = 2048 };

bool winograd_fits(const struct simd *simd, const struct layer *l, struct shape in)
{
    return l->type == L_CONV && l->kh == 3 && l->kw == 3 && l->sh == 1 && l->sw == 1 &&
           l->dh == 1 && l->dw == 1 && l->groups == 1 && l->shape.h > 2 && l->shape.w > 2 &&
           in.c >= 2 * simd->lanes && in.c <= MOST_CHANNELS && l->units >= 2 * simd->lanes &&
           l->units <= MOST_CHANNELS;
}

/* The filter's transform G g G', G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1], for one of its 16
   places, of all pairs of channels. */
static void transform_filter(const float *w, size_t pairs, int place, float *u)
{
    static const float g[4][3] = {{1, 0, 0}, {.5F, .5F, .5F}, {.5F, -.5F, .5F}, {0, 0, 1}};
    memset(u, 0, pairs * sizeof *u);
    for (int t = 0; t < 9; t++, w += pairs) {
        float f = g[place / 4][t / 3] * g[place % 4][t % 3];
        for (size_t i = 0; f != 0 && i < pairs; i++)
            u[i] += f * w[i];
    }
}

int winograd_make(struct winograd *wg, struct arena *arena, const struct simd *simd,
                  const struct layer *l, struct shape in, const float *w, const struct tail *t)
{
    const struct tail none = {.act = ACT_NONE};
    size_t pairs = (size_t)in.c * (size_t)l->units;
    struct layer point = layer_make(l->name, L_CONV);
    assert(winograd_fits(simd, l, in));
    *wg = (struct winograd){.l = *l, .in = in, .act = t->act, .bias = t->bias};
    wg->slope = t->slope != NULL ? t->slope : t->bias;
    point.units = l->units;
    point.shape = (struct shape){1, 1, l->units};
    float *u = malloc(pairs * sizeof *u);
    if (u == NULL)
        return MIEN_ERR_MEM;
    for (int k = 0; k < 16; k++) {
        transform_filter(w, pairs, k, u);
        if (conv_make(&wg->product[k], arena, simd, &point, (struct shape){1, 1, in.c}, u, &none) <
            0) {
            free(u);
            return MIEN_ERR_MEM;
        }
    }
    free(u);
    return 0;
}

size_t winograd_scratch(const struct winograd *wg)
{
    size_t floats = 16 * (size_t)BLOCK_PATCHES * (size_t)(wg->in.c + wg->l.units);
    return floats * sizeof(float) + conv_scratch(&wg->product[0]);
}

size_t winograd_zeros(const struct winograd *wg)
{
    return (size_t)wg->in.c;
}

/* The 4x4 pixels under outputs (y, x) to (y + 1, x + 1). */
static void patch(const struct winograd *wg, const float *x, int oy, int ox, const float *zeros,
                  const float **pixel)
{
    size_t nc = (size_t)wg->in.c;
    for (int y = oy - wg->l.pt; y < oy - wg->l.pt + 4; y++) {
        for (int xx = ox - wg->l.pl; xx < ox - wg->l.pl + 4; xx++) {
            bool inside = y >= 0 && y < wg->in.h && xx >= 0 && xx < wg->in.w;
            *pixel++ = inside ? x + ((size_t)y * (size_t)wg->in.w + (size_t)xx) * nc : zeros;
        }
    }
}

void winograd_run(const struct winograd *wg, const float *x, float *y, size_t n, const float *zeros,
                  void *scratch)
{
    const struct simd *simd = wg->product[0].simd;
    struct shape s = wg->l.shape;
    size_t nc = (size_t)wg->in.c, units = (size_t)wg->l.units, across = ((size_t)s.w + 1) / 2;
    size_t patches = ((size_t)s.h + 1) / 2 * across, all = patches * n;
    float *v = scratch, *m = v + 16 * BLOCK_PATCHES * nc, *rest = m + 16 * BLOCK_PATCHES * units;
    assert((char *)rest + conv_scratch(&wg->product[0]) == (char *)scratch + winograd_scratch(wg));
    for (size_t from = 0; from < all; from += BLOCK_PATCHES) {
        size_t count = all - from < BLOCK_PATCHES ? all - from : BLOCK_PATCHES;
        for (size_t i = 0; i < count; i++) {
            size_t image = (from + i) / patches, k = (from + i) % patches;
            const float *pixel[16];
            patch(wg, x + image * shape_count(wg->in), (int)(k / across) * 2, (int)(k % across) * 2,
                  zeros, pixel);
            simd->winograd_in(pixel, v + i * nc, BLOCK_PATCHES * nc, nc);
        }
        for (int k = 0; k < 16; k++)
            conv_run(&wg->product[k], v + (size_t)k * BLOCK_PATCHES * nc, NULL,
                     m + (size_t)k * BLOCK_PATCHES * units, count, zeros, rest);
        for (size_t i = 0; i < count; i++) {
            size_t image = (from + i) / patches, k = (from + i) % patches;
            size_t oy = k / across * 2, ox = k % across * 2;
            float *to = y + image * shape_count(s) + (oy * (size_t)s.w + ox) * units;
            /* Outputs outside of the image go where a pixel inside overwrites them. */
            size_t right = ox + 1 < (size_t)s.w ? units : 0;
            size_t down = oy + 1 < (size_t)s.h ? (size_t)s.w * units : 0;
            float *out[4] = {to + down + right, to + down, to + right, to};
            simd->winograd_out(m + i * units, BLOCK_PATCHES * units, units, wg->bias, wg->slope,
                               wg->act, out);
        }
    }
}
