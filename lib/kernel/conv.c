#include "conv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mien/err.h"
#include "util/aligned.h"

/* Terms summed up at once: a panel of weights and a tile's rows of this length stay in the
   first-level cache. */
enum { BLOCK_TERMS = 512 };
/* Output pixels worked off together, so that these terms of theirs are still in the second-level
   cache for the next panel: a multiple of every variant's rows of a tile. */
enum { BLOCK_ROWS = 96 };
/* Shorter taps are joined. */
enum { SHORT_TAP = 64 };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* --- Packing -------------------------------------------------------------------------------- */

/* Floats of packed weights. */
static size_t packed(const struct conv *c)
{
    return (size_t)c->l.groups * (size_t)c->taps * (size_t)c->len * c->padded;
}

/* The weights in the order in which conv_run goes through them. */
static void pack(struct conv *c, const float *w)
{
    float *to = c->w;
    int nr = c->simd->nr;
    size_t line = (size_t)c->l.units;
    for (int g = 0; g < c->l.groups; g++, w += c->units) {
        for (int t0 = 0; t0 < c->taps; t0 += c->block_taps) {
            int t1 = min_int(t0 + c->block_taps, c->taps);
            for (int k0 = 0; k0 < c->len; k0 += c->block_len) {
                int k1 = min_int(k0 + c->block_len, c->len);
                for (int u = 0; u < c->units; u += nr) {
                    size_t width = (size_t)min_int(nr, c->units - u) * sizeof *w;
                    for (int t = t0; t < t1; t++) {
                        for (int k = k0; k < k1; k++, to += nr)
                            memcpy(to, w + (size_t)(t * c->len + k) * line + u, width);
                    }
                }
            }
        }
    }
    assert(to == c->w + packed(c));
}

/* One value a unit, each group padded. */
static void spread(const struct conv *c, const float *from, float *to)
{
    for (int g = 0; from != NULL && g < c->l.groups; g++)
        memcpy(to + (size_t)g * c->padded, from + g * c->units, (size_t)c->units * sizeof *to);
}

/* Units of a group, rounded up to a variant's panels. */
static int padded(const struct layer *l, const struct simd *simd)
{
    return (l->units / l->groups + simd->nr - 1) / simd->nr * simd->nr;
}

int conv_make(struct conv *c, const struct simd *simd, const struct layer *l, struct shape in,
              const float *w, const struct tail *t)
{
    *c = (struct conv){.simd = simd, .l = *l, .in = in, .act = t->act};
    if (l->type == L_DENSE) /* all of its input is one tap */
        c->in = (struct shape){1, 1, (int)shape_count(in)};
    for (const struct simd *s = simd->other; s != NULL; s = s->other)
        c->simd = padded(l, s) < padded(l, c->simd) ? s : c->simd;
    size_t groups = (size_t)l->groups;
    c->span = l->groups == 1 && l->kw * c->in.c <= SHORT_TAP ? l->kw : 1;
    c->taps = l->kh * l->kw / c->span;
    c->len = c->in.c / l->groups * c->span;
    c->units = l->units / l->groups;
    c->block_len = min_int(c->len, BLOCK_TERMS);
    c->block_taps = min_int(c->taps, BLOCK_TERMS / c->block_len);
    c->block_rows = c->taps <= 64 ? BLOCK_ROWS : c->simd->mr;
    c->padded = (size_t)padded(l, c->simd);
    assert(c->block_taps > 0 && c->block_rows % c->simd->mr == 0);
    assert(c->taps * c->span == l->kh * l->kw);
    c->w = aligned_zeros(packed(c), sizeof *c->w);
    c->bias = aligned_zeros(groups * c->padded, sizeof *c->bias);
    c->slope = aligned_zeros(groups * c->padded, sizeof *c->slope);
    if (c->w == NULL || c->bias == NULL || c->slope == NULL) {
        conv_free(c);
        return MIEN_ERR_MEM;
    }
    conv_weights(c, w, t->bias);
    spread(c, t->slope, c->slope);
    return 0;
}

void conv_weights(struct conv *c, const float *w, const float *bias)
{
    pack(c, w);
    spread(c, bias, c->bias);
}

void conv_free(struct conv *c)
{
    free(c->w);
    free(c->bias);
    free(c->slope);
    c->w = c->bias = c->slope = NULL;
}

/* --- Running -------------------------------------------------------------------------------- */

/* The scratch begins with pointers to the terms of a block, followed, where taps are joined, by
   room for terms that need zeros between them. */
static size_t pointers(const struct conv *c)
{
    return (size_t)c->block_rows * (size_t)c->taps;
}

size_t conv_scratch(const struct conv *c)
{
    size_t copies = c->span > 1 ? (size_t)c->len * sizeof(float) : 0;
    return pointers(c) * (sizeof(float *) + copies);
}

size_t conv_zeros(const struct conv *c)
{
    return (size_t)c->len * (size_t)c->l.groups;
}

/* The product for one block of at most block_rows rows; rows as in struct tile, tile after tile. */
static void block_product(const struct conv *c, const float *const *rows, int m, const float *add,
                          float *y)
{
    const struct simd *s = c->simd;
    const struct tail tail = {.act = c->act};
    const float *w = c->w;
    assert(m > 0 && m <= c->block_rows); /* there are pointers for so many */
    for (int g = 0; g < c->l.groups; g++) {
        for (int t0 = 0; t0 < c->taps; t0 += c->block_taps) {
            int nt = min_int(c->block_taps, c->taps - t0);
            for (int k0 = 0; k0 < c->len; k0 += c->block_len) {
                int nk = min_int(c->block_len, c->len - k0);
                int first = t0 == 0 && k0 == 0, last = t0 + nt == c->taps && k0 + nk == c->len;
                for (int u = 0; u < c->units; u += s->nr, w += nt * nk * s->nr) {
                    size_t at = (size_t)g * c->padded + (size_t)u;
                    struct tile t = {
                        .at = (size_t)(g * c->len + k0),
                        .taps = (size_t)nt,
                        .len = (size_t)nk,
                        .b = w,
                        .ldc = (size_t)c->l.units,
                        .n = min_int(s->nr, c->units - u),
                        .bias = first ? c->bias + at : NULL,
                        .tail = last ? &tail : NULL,
                        .slope = c->slope + at,
                    };
                    for (int i = 0; i < m; i += s->mr) {
                        t.rows = rows + (size_t)i * (size_t)c->taps + (size_t)(t0 * s->mr);
                        t.m = min_int(s->mr, m - i);
                        size_t out = (size_t)i * t.ldc + (size_t)(g * c->units + u);
                        t.c = y + out;
                        t.add = !first ? t.c : add != NULL ? add + out : NULL;
                        s->tile(&t);
                    }
                }
            }
        }
    }
    assert(w == c->w + packed(c));
}

/* An output pixel: its image's input, row and column. */
struct place {
    const float *x;
    int y, left;
};

static void next_place(const struct conv *c, struct place *at)
{
    if (++at->left < c->l.shape.w)
        return;
    at->left = 0;
    if (++at->y < c->l.shape.h)
        return;
    at->y = 0;
    at->x += shape_count(c->in);
}

/* Where the taps of a row of a patch lie that reaches beyond the input's left or right edge. copy
   has room for the row's terms, with the zeros that joined taps need between them. */
static void find_edge_taps(const struct conv *c, const float *line, int x0, const float *zeros,
                           const float **rows, float *copy)
{
    size_t nc = (size_t)c->in.c;
    for (int x = x0; x < x0 + c->l.kw; x += c->span, rows += c->simd->mr) {
        int from = x < 0 ? 0 : x, to = x + c->span < c->in.w ? x + c->span : c->in.w;
        *rows = from < to ? line + (size_t)from * nc : zeros;
        if (from < to && to - from < c->span) {
            memset(copy, 0, (size_t)c->len * sizeof *copy);
            memcpy(copy + (size_t)(from - x) * nc, *rows, (size_t)(to - from) * nc * sizeof *copy);
            *rows = copy;
        }
    }
}

/* Where a pixel's taps lie: mr apart in rows. copy has room for all of its terms. */
static void find_taps(const struct conv *c, const struct place *at, const float *zeros,
                      const float **rows, float *copy)
{
    const struct layer *l = &c->l;
    int y0 = at->y * l->sh - l->pt, x0 = at->left * l->sw - l->pl, mr = c->simd->mr;
    size_t nc = (size_t)c->in.c, line = (size_t)c->in.w * nc, step = (size_t)c->span * nc;
    int across = l->kw / c->span;
    bool within = x0 >= 0 && x0 + l->kw <= c->in.w;
    for (int y = y0; y < y0 + l->kh; y++, rows += across * mr) {
        if (y < 0 || y >= c->in.h) {
            for (int k = 0; k < across; k++)
                rows[k * mr] = zeros;
            continue;
        }
        const float *from = at->x + (size_t)y * line;
        if (!within) {
            find_edge_taps(c, from, x0, zeros, rows, copy + (size_t)(y - y0) * (size_t)c->len);
            continue;
        }
        for (int k = 0; k < across; k++)
            rows[k * mr] = from + (size_t)x0 * nc + (size_t)k * step;
    }
}

/* Whether an output pixel reads the one input pixel of its place. */
static bool in_place(const struct conv *c)
{
    const struct layer *l = &c->l;
    return c->taps == 1 && c->span == 1 && c->in.h == l->shape.h && c->in.w == l->shape.w &&
           l->pt == 0 && l->pl == 0;
}

/* Rows of a block of m output pixels; a last tile's missing ones repeat the one before. */
static void point_in_place(const struct conv *c, const float *x, int m, const float **rows)
{
    int i = 0;
    for (; i < m; i++, x += c->in.c)
        rows[i] = x;
    for (; i % c->simd->mr != 0; i++)
        rows[i] = rows[i - 1];
}

static void point_to_taps(const struct conv *c, struct place *at, int m, const float *zeros,
                          const float **rows, float *copy)
{
    int mr = c->simd->mr;
    size_t patch = c->span > 1 ? (size_t)(c->taps * c->len) : 0;
    for (int first = 0; first < m; first += mr, rows += (size_t)mr * (size_t)c->taps) {
        for (int i = 0; i < mr; i++) {
            if (first + i < m) {
                find_taps(c, at, zeros, rows + i, copy + (size_t)(first + i) * patch);
                next_place(c, at);
                continue;
            }
            for (int t = 0; t < c->taps; t++)
                rows[t * mr + i] = rows[t * mr + i - 1];
        }
    }
}

void conv_run(const struct conv *c, const float *x, const float *add, float *y, size_t n,
              const float *zeros, void *scratch)
{
    const float **rows = scratch;
    float *copy = (float *)(rows + pointers(c));
    size_t left = (size_t)c->l.shape.h * (size_t)c->l.shape.w * n;
    bool direct = in_place(c);
    struct place at = {x, 0, 0};
    while (left > 0) {
        int m = left < (size_t)c->block_rows ? (int)left : c->block_rows;
        if (direct)
            point_in_place(c, x, m, rows);
        else
            point_to_taps(c, &at, m, zeros, rows, copy);
        block_product(c, rows, m, add, y);
        size_t done = (size_t)m * (size_t)c->l.units;
        x += direct ? (size_t)m * (size_t)c->in.c : 0;
        add = add != NULL ? add + done : NULL;
        y += done;
        left -= (size_t)m;
    }
}
