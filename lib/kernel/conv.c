/*
 * A convolution of x (n, in.h, in.w, in.c) to y (n, h, w, units) as a product of matrices:
 *
 *   y (n h w, units) = patches (n h w, taps x len) by weights (taps x len, units)
 *
 * A row of patches, a pixel of y, is `taps` pieces of x of `len` floats, read where they lie. They
 * are multiplied in tiles of mr pixels by nr units, whose sums stay in registers. The weights of
 * nr units, a panel, are stored together in the order in which a tile reads them:
 *
 *   w (groups, blocks of terms, panels, taps of the block, terms of a tap in it, nr)
 *
 * For example a 1x1 convolution of channels a, b, c to 10 units, of 8 pixels, with mr 6 and nr 8:
 *
 *    x       y  u0 ... u7 u8 u9                 w
 *   p0 abc     +---------+-----+                +-----------------------------------+
 *   p1 abc     |         |     |                | a0 ... a7   b0 ... b7   c0 ... c7 | panel 0
 *   p2 abc     |  tile 0 | t 2 |                +-----------------------------------+
 *   p3 abc     |         |     |                | a8 a9 0 ... b8 b9 0 ... c8 c9 0 ..| panel 1
 *   p4 abc     |         |     |                +-----------------------------------+
 *   p5 abc     |         |     |
 *              +---------+-----+                a7: the weight of channel a for unit 7
 *   p6 abc     |  tile 1 | t 3 |
 *   p7 abc     |         |     |                rows of tile 1: p6 p7 p7 p7 p7 p7
 *              +---------+-----+
 *
 * Tiles are computed in this order, so that a panel stays in the first-level cache while the pixels
 * go by, and the pixels of a block (block_rows) in the second-level cache from panel to panel. What
 * is summed at once is short enough for that too: a block of terms, block_taps whole taps or
 * block_len terms of one. Where there are several, each goes on with the sums of the one before,
 * which lie in y meanwhile; the first adds the bias, the last applies the activation.
 */
#include "conv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mien/err.h"

/* The most terms of a block, and the pixels of one: a multiple of every variant's mr. */
enum { BLOCK_TERMS = 512, BLOCK_ROWS = 96 };
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

/* A block of terms: of taps [t0, t0 + nt) the terms [k0, k0 + nk). */
struct terms {
    int t0, nt, k0, nk;
};

/* How many blocks a tap's terms, and a patch's taps, are cut into. */
static int blocks_of_tap(const struct conv *c)
{
    return (c->len + c->block_len - 1) / c->block_len;
}

static int blocks(const struct conv *c)
{
    return (c->taps + c->block_taps - 1) / c->block_taps * blocks_of_tap(c);
}

static struct terms block_terms(const struct conv *c, int i)
{
    int t0 = i / blocks_of_tap(c) * c->block_taps, k0 = i % blocks_of_tap(c) * c->block_len;
    return (struct terms){t0, min_int(c->block_taps, c->taps - t0), k0,
                          min_int(c->block_len, c->len - k0)};
}

/* w (taps x len, units of all groups), as net.h has it, in the order of panels. */
static void pack(struct conv *c, const float *w)
{
    float *to = c->w;
    int nr = c->simd->nr;
    size_t line = (size_t)c->l.units;
    for (int g = 0; g < c->l.groups; g++, w += c->units) {
        for (int i = 0; i < blocks(c); i++) {
            struct terms b = block_terms(c, i);
            for (int u = 0; u < c->units; u += nr) {
                size_t width = (size_t)min_int(nr, c->units - u) * sizeof *w;
                for (int t = b.t0; t < b.t0 + b.nt; t++) {
                    for (int k = b.k0; k < b.k0 + b.nk; k++, to += nr)
                        memcpy(to, w + (size_t)(t * c->len + k) * line + u, width);
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

int conv_make(struct conv *c, struct arena *arena, const struct simd *simd, const struct layer *l,
              struct shape in, const float *w, const struct tail *t)
{
    *c = (struct conv){.simd = simd, .l = *l, .in = in, .act = t->act};
    if (l->type == L_DENSE) /* all of its input is one tap */
        c->in = (struct shape){1, 1, (int)shape_count(in)};
    for (const struct simd *s = simd->other; s != NULL; s = s->other)
        c->simd = padded(l, s) < padded(l, c->simd) ? s : c->simd;
    size_t groups = (size_t)l->groups;
    c->span = l->groups == 1 && l->dw == 1 && l->kw * c->in.c <= SHORT_TAP ? l->kw : 1;
    c->taps = l->kh * l->kw / c->span;
    c->len = c->in.c / l->groups * c->span;
    c->units = l->units / l->groups;
    c->block_len = min_int(c->len, BLOCK_TERMS);
    c->block_taps = min_int(c->taps, BLOCK_TERMS / c->block_len);
    c->block_rows = c->taps <= 64 ? BLOCK_ROWS : c->simd->mr;
    c->padded = (size_t)padded(l, c->simd);
    assert(c->block_taps > 0 && c->block_rows % c->simd->mr == 0);
    assert(c->taps * c->span == l->kh * l->kw);
    c->w = arena_zeros(arena, packed(c), sizeof *c->w);
    c->bias = arena_zeros(arena, groups * c->padded, sizeof *c->bias);
    c->slope = arena_zeros(arena, groups * c->padded, sizeof *c->slope);
    if (c->w == NULL || c->bias == NULL || c->slope == NULL)
        return MIEN_ERR_MEM;
    conv_weights(c, w, t->bias);
    spread(c, t->slope, c->slope);
    return 0;
}

void conv_weights(struct conv *c, const float *w, const float *bias)
{
    pack(c, w);
    spread(c, bias, c->bias);
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

/* What a block of terms of the panel at w, of group g's units from u on, adds to m pixels of y
   (m, units). add (m, units) or NULL: see conv_run. */
static void panel_product(const struct conv *c, const float *const *rows, int m, int g, int u,
                          struct terms b, const float *w, const float *add, float *y)
{
    const struct simd *s = c->simd;
    const struct tail tail = {.act = c->act};
    const size_t at = (size_t)g * c->padded + (size_t)u;
    bool first = b.t0 == 0 && b.k0 == 0;
    bool last = b.t0 + b.nt == c->taps && b.k0 + b.nk == c->len;
    struct tile t = {
        .at = (size_t)(g * c->len + b.k0),
        .taps = (size_t)b.nt,
        .len = (size_t)b.nk,
        .b = w,
        .ldc = (size_t)c->l.units,
        .n = min_int(s->nr, c->units - u),
        .bias = first ? c->bias + at : NULL,
        .tail = last ? &tail : NULL,
        .slope = c->slope + at,
    };
    for (int i = 0; i < m; i += s->mr) {
        t.rows = rows + (size_t)i * (size_t)c->taps + (size_t)(b.t0 * s->mr);
        t.m = min_int(s->mr, m - i);
        size_t out = (size_t)i * t.ldc + (size_t)(g * c->units + u);
        t.c = y + out;
        t.add = !first ? t.c : add != NULL ? add + out : NULL;
        s->tile(&t);
    }
}

/* The product for m pixels, at most block_rows. rows: tile after tile, (taps, mr) pointers each. */
static void block_product(const struct conv *c, const float *const *rows, int m, const float *add,
                          float *y)
{
    const float *w = c->w;
    assert(m > 0 && m <= c->block_rows); /* there are pointers for so many */
    for (int g = 0; g < c->l.groups; g++) {
        for (int i = 0; i < blocks(c); i++) {
            struct terms b = block_terms(c, i);
            for (int u = 0; u < c->units; u += c->simd->nr, w += b.nt * b.nk * c->simd->nr)
                panel_product(c, rows, m, g, u, b, w, add, y);
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
    int across = c->l.kw / c->span;
    for (int k = 0, x = x0; k < across; k++, x += c->span * c->l.dw, rows += c->simd->mr) {
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
    size_t nc = (size_t)c->in.c, line = (size_t)c->in.w * nc, step = (size_t)(c->span * l->dw) * nc;
    int across = l->kw / c->span;
    bool within = x0 >= 0 && x0 + (l->kw - 1) * l->dw < c->in.w;
    for (int ky = 0, y = y0; ky < l->kh; ky++, y += l->dh, rows += across * mr) {
        if (y < 0 || y >= c->in.h) {
            for (int k = 0; k < across; k++)
                rows[k * mr] = zeros;
            continue;
        }
        const float *from = at->x + (size_t)y * line;
        if (!within) {
            find_edge_taps(c, from, x0, zeros, rows, copy + (size_t)ky * (size_t)c->len);
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

/* Where m output pixels' patches lie: (taps, mr) pointers for each tile, of which the last one's
   missing pixels repeat the one before. Here of pixels that are their own patches, from x on. */
static void point_in_place(const struct conv *c, const float *x, int m, const float **rows)
{
    int i = 0;
    for (; i < m; i++, x += c->in.c)
        rows[i] = x;
    for (; i % c->simd->mr != 0; i++)
        rows[i] = rows[i - 1];
}

/* Here of patches, from *at on, which moves. copy: (m, taps x len) floats where taps are joined. */
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
