#include "conv_int8.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mien/err.h"

/* Output pixels worked off together, while their values are in the second-level cache: a multiple
   of every variant's rows of a tile. */
enum { BLOCK_ROWS = 96, FEWEST_CHANNELS = 64 };

bool conv_int8_fits(const struct layer *l, struct shape in)
{
    /* Sums of products of 255 steps by 127 are 32-bit whole numbers. */
    return l->type == L_CONV && l->groups == 1 && in.c >= FEWEST_CHANNELS &&
           (int64_t)l->kh * l->kw * in.c <= INT32_MAX / (255 * 127);
}

static size_t taps_of(const struct conv_int8 *c)
{
    return (size_t)c->l.kh * (size_t)c->l.kw;
}

/* --- Packing -------------------------------------------------------------------------------- */

/* Units whose weights are gathered at once: a cache line's. */
enum { GATHERED = 16, BINS = 256 };

/* The whole number below v, and the bin of the fraction above that. */
static int floor_of(float v)
{
    int whole = (int)v;
    return whole - ((float)whole > v);
}

static int bin_of(float fraction)
{
    int bin = (int)(fraction * BINS);
    return bin < BINS ? bin : BINS - 1; /* a fraction may round to 1 */
}

/* Makes whole numbers of a unit's n weights, which are lost: their sum differs from that of the
   weights by half a step at most. What an input's values have in common would make of the errors'
   sum a shift of the unit's outputs. So those with the largest fractions are rounded up, as many as
   that takes. Returns the size of a step, NaN where there are weights that are no numbers. */
static float round_weights(float *w, size_t n, int8_t *q)
{
    size_t count[BINS] = {0};
    float most = 0, broken = 0; /* NaN where a weight is no number */
    for (size_t i = 0; i < n; i++) {
        float size = w[i] < 0 ? -w[i] : w[i];
        most = size > most ? size : most;
        broken += 0 * w[i];
    }
    float step = most / INT8_MOST_WEIGHT + broken, inverse = INT8_MOST_WEIGHT / most;
    if (!(step >= FLT_MIN)) {
        memset(q, 0, n * sizeof *q);
        return isnan(step) ? step : 0;
    }
    double fractions = 0;
    for (size_t i = 0; i < n; i++) {
        float v = w[i] * inverse, fraction;
        v = v < -INT8_MOST_WEIGHT ? -INT8_MOST_WEIGHT : v; /* where the product was rounded */
        q[i] = (int8_t)floor_of(v);
        w[i] = fraction = v - q[i];
        fractions += (double)fraction;
        count[bin_of(fraction)]++;
    }
    long up = lrint(fractions);
    int bin = BINS;
    while (up > 0 && (long)count[bin - 1] <= up)
        up -= (long)count[--bin];
    for (size_t i = 0; i < n; i++) {
        int at = bin_of(w[i]);
        bool more = at >= bin || (at == bin - 1 && up-- > 0);
        q[i] = (int8_t)(q[i] + (more && q[i] < INT8_MOST_WEIGHT));
    }
    return step;
}

/* Puts one unit's weights into its column of its panel: word after word, nr apart. */
static void pack_unit(struct conv_int8 *c, const int8_t *q, size_t u)
{
    size_t taps = taps_of(c), nc = (size_t)c->in.c, nr = (size_t)c->variant->nr;
    size_t each = 4 / (size_t)c->variant->size;
    uint32_t *column = (uint32_t *)c->w + u / nr * nr * taps * c->words + u % nr;
    for (size_t t = 0; t < taps; t++) {
        for (size_t k = 0; k < nc; k += each, column += nr) {
            int8_t bytes[4] = {0};
            int16_t pairs[2] = {0};
            for (size_t i = 0; i < each && k + i < nc; i++, q++) {
                bytes[i] = *q;
                pairs[i % 2] = *q;
                c->sum[u] += *q;
            }
            memcpy(column, each == 4 ? (void *)bytes : pairs, sizeof *column);
        }
    }
}

/* Rounds the weights w[terms, units] and packs them. */
static int pack(struct conv_int8 *c, const float *w)
{
    size_t terms = taps_of(c) * (size_t)c->in.c, units = (size_t)c->l.units;
    float *unit = malloc(GATHERED * terms * sizeof *unit);
    int8_t *q = malloc(terms);
    for (size_t u = 0; unit != NULL && q != NULL && u < units; u += GATHERED) {
        size_t n = units - u < GATHERED ? units - u : GATHERED;
        for (size_t t = 0; t < terms; t++) {
            for (size_t i = 0; i < n; i++)
                unit[i * terms + t] = w[t * units + u + i];
        }
        for (size_t i = 0; i < n; i++) {
            c->scale[u + i] = round_weights(unit + i * terms, terms, q);
            pack_unit(c, q, u + i);
        }
    }
    free(unit);
    free(q);
    return unit == NULL || q == NULL ? MIEN_ERR_MEM : 0;
}

int conv_int8_make(struct conv_int8 *c, struct arena *arena, const struct int8_simd *variant,
                   const struct layer *l, struct shape in, const float *w, const struct tail *t)
{
    assert(conv_int8_fits(l, in) && BLOCK_ROWS % variant->mr == 0);
    *c = (struct conv_int8){.variant = variant, .l = *l, .in = in, .act = t->act};
    size_t units = (size_t)l->units, nr = (size_t)variant->nr;
    c->words = ((size_t)in.c * (size_t)variant->size + 3) / 4;
    c->padded = (units + nr - 1) / nr * nr;
    c->w = arena_zeros(arena, taps_of(c) * c->words * c->padded, 4);
    c->sum = arena_zeros(arena, c->padded, sizeof *c->sum);
    c->scale = arena_zeros(arena, c->padded, sizeof *c->scale);
    c->bias = arena_zeros(arena, c->padded, sizeof *c->bias);
    c->slope = arena_zeros(arena, c->padded, sizeof *c->slope);
    if (c->w == NULL || c->sum == NULL || c->scale == NULL || c->bias == NULL || c->slope == NULL ||
        pack(c, w) < 0)
        return MIEN_ERR_MEM;
    if (t->bias != NULL)
        memcpy(c->bias, t->bias, units * sizeof *c->bias);
    if (t->slope != NULL)
        memcpy(c->slope, t->slope, units * sizeof *c->slope);
    return 0;
}

/* --- Running -------------------------------------------------------------------------------- */

/* The scratch: images' values, each followed by a pixel of zeros; their ranges; those of a block's
   rows, and pointers to the values under their taps. */
struct work {
    char *values;
    struct int8_range *image, *row;
    const void **taps;
};

size_t conv_int8_zeros(const struct conv_int8 *c)
{
    return (size_t)c->in.c;
}

static size_t image_bytes(const struct conv_int8 *c)
{
    return 4 * c->words * ((size_t)c->in.h * (size_t)c->in.w + 1);
}

size_t conv_int8_scratch(const struct conv_int8 *c, size_t n)
{
    return (n + BLOCK_ROWS) * sizeof(struct int8_range) + BLOCK_ROWS * taps_of(c) * sizeof(void *) +
           n * image_bytes(c);
}

static struct work layout(const struct conv_int8 *c, size_t n, void *scratch)
{
    struct work w;
    w.taps = scratch;
    w.image = (struct int8_range *)(w.taps + BLOCK_ROWS * taps_of(c));
    w.row = w.image + n;
    w.values = (char *)(w.row + BLOCK_ROWS);
    assert(w.values + n * image_bytes(c) == (char *)scratch + conv_int8_scratch(c, n));
    return w;
}

/* An image's values, between its own least and largest; behind them a pixel of zeros. */
static void quantize_image(const struct conv_int8 *c, const float *x, const float *zeros,
                           struct int8_range *range, char *to)
{
    size_t pixels = (size_t)c->in.h * (size_t)c->in.w, nc = (size_t)c->in.c;
    float lo = 0, hi = 0;
    c->variant->extent(x, pixels * nc, &lo, &hi);
    *range = int8_range(lo, hi);
    c->variant->quantize(x, pixels, nc, range, to, c->words);
    c->variant->quantize(zeros, 1, nc, range, to + 4 * c->words * pixels, c->words);
}

/* Where the values under output pixel (oy, ox) of an image lie: mr apart in taps. */
static void find_taps(const struct conv_int8 *c, const char *image, int oy, int ox,
                      const void **taps)
{
    const struct layer *l = &c->l;
    size_t pixel = 4 * c->words;
    const char *zeros = image + image_bytes(c) - pixel;
    int y0 = oy * l->sh - l->pt, x0 = ox * l->sw - l->pl;
    for (int ky = 0, y = y0; ky < l->kh; ky++, y += l->dh) {
        for (int kx = 0, x = x0; kx < l->kw; kx++, x += l->dw, taps += c->variant->mr) {
            bool inside = y >= 0 && y < c->in.h && x >= 0 && x < c->in.w;
            *taps = inside ? image + ((size_t)y * (size_t)c->in.w + (size_t)x) * pixel : zeros;
        }
    }
}

/* The product for a block of m rows. */
static void block_product(const struct conv_int8 *c, const struct work *w, size_t m,
                          const float *add, float *y)
{
    size_t mr = (size_t)c->variant->mr, nr = (size_t)c->variant->nr, units = (size_t)c->l.units;
    for (size_t u = 0; u < units; u += nr) {
        struct int8_tile t = {
            .taps = taps_of(c),
            .steps = c->words,
            .b = (const char *)c->w + 4 * u * taps_of(c) * c->words,
            .sum = c->sum + u,
            .scale = c->scale + u,
            .bias = c->bias + u,
            .slope = c->slope + u,
            .act = c->act,
            .ldc = units,
            .n = (int)(nr < units - u ? nr : units - u),
        };
        for (size_t i = 0; i < m; i += mr) {
            t.rows = w->taps + i * t.taps;
            t.range = w->row + i;
            t.m = (int)(mr < m - i ? mr : m - i);
            t.c = y + i * units + u;
            t.add = add != NULL ? add + i * units + u : NULL;
            c->variant->tile(&t);
        }
    }
}

void conv_int8_run(const struct conv_int8 *c, const float *x, const float *add, float *y, size_t n,
                   const float *zeros, void *scratch)
{
    struct work w = layout(c, n, scratch);
    size_t columns = (size_t)c->l.shape.w, pixels = (size_t)c->l.shape.h * columns;
    size_t units = (size_t)c->l.units, mr = (size_t)c->variant->mr, taps = taps_of(c);
    for (size_t i = 0; i < n; i++)
        quantize_image(c, x + i * shape_count(c->in), zeros, &w.image[i],
                       w.values + i * image_bytes(c));
    for (size_t from = 0; from < n * pixels; from += BLOCK_ROWS) {
        size_t m = n * pixels - from < BLOCK_ROWS ? n * pixels - from : BLOCK_ROWS;
        for (size_t i = 0; i < m || i % mr != 0; i++) {
            size_t at = from + (i < m ? i : m - 1); /* a tile's missing rows repeat the last one */
            size_t image = at / pixels, pixel = at % pixels;
            w.row[i] = w.image[image];
            find_taps(c, w.values + image * image_bytes(c), (int)(pixel / columns),
                      (int)(pixel % columns), w.taps + i / mr * mr * taps + i % mr);
        }
        block_product(c, &w, m, add != NULL ? add + from * units : NULL, y + from * units);
    }
}
