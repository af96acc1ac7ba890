/*
 * The inner loops of products for one kind of vectors and one kind of words; gemm.c includes this
 * file once for each variant. Before that it defines VARIANT and VECTORS, see vec.h, and
 *
 *   GEMM_NAME           the variant's name
 *   BF16 PAIRS          whether terms are rounded to bfloat16, and whether a word holds two
 *   BLOCK               terms that are summed at once
 *   MR NV               a tile: rows, at most a vector's lanes, and vectors across
 *   LOADN(p, n)         a vector of the n floats at p, n possibly negative, then zeros
 *   TRANSPOSE(r)        of a square of vectors
 *   WORD(x)             a word a float, where words are single
 *   PAIR(x, y)          words of x's lanes, first, and y's
 *   ROW(p, n)           a vector of words of the n terms at p, then zeros
 *   MULADD(x, y, sum)   sum plus the words' products; without it
 *   TILE                is the tile, another variant's
 */

#include "vec.h"

enum { VARIANT(words_of_two) = PAIRS ? 1 : 2 };

/* Two terms of a panel, the second of which may be missing. */
TARGET static inline __attribute__((always_inline)) void
VARIANT(along_panel)(const float *x, const float *next, int width, float *panel, int w)
{
    for (int v = 0; v < w; v += LANES) {
        VEC first = LOADN(x + v, width - v);
        VEC second = next != NULL ? LOADN(next + v, width - v) : SET(0);
#if PAIRS
        STORE(panel + v, PAIR(first, second));
#elif BF16
        STORE(panel + v, WORD(second));
        STORE(panel + w + v, WORD(first));
#else
        STORE(panel + v, first);
        if (next != NULL)
            STORE(panel + w + v, second);
#endif
    }
}

/* Term by term over all panels, since memory is read fastest in its order. */
TARGET static void VARIANT(along)(const float *x, size_t ld, int k, const struct panels *p)
{
    float *words = p->at;
    for (; k > 0; k -= 2, x += 2 * ld, words += VARIANT(words_of_two) * p->w) {
        const float *next = k > 1 ? x + ld : NULL;
        float *panel = words;
        for (int i = 0; i < p->count; i += p->each, panel += p->step)
            VARIANT(along_panel)
        (x + i, next != NULL ? next + i : NULL, p->count - i < p->each ? p->count - i : p->each,
         panel, p->w);
    }
}

/* A square of words at a time, whose rows are the panel's. */
TARGET static void VARIANT(across_panel)(const float *x, size_t ld, int k, int width, float *panel,
                                         int w)
{
    enum { TERMS = PAIRS ? 2 * LANES : LANES };
    for (; k > 0; k -= TERMS, x += TERMS, panel += LANES * w) {
        int words = PAIRS ? (k + 1) / 2 : BF16 ? (k + 1) / 2 * 2 : k;
        for (int v = 0; v < w; v += LANES) {
            VEC r[LANES];
            UNROLL
            for (int i = 0; i < LANES; i++)
                r[i] = v + i < width ? ROW(x + (size_t)(v + i) * ld, k) : SET(0);
            TRANSPOSE(r);
            UNROLL
            for (int i = 0; i < LANES; i++) {
                if (i < words)
                    STORE(panel + i * w + v, r[i]);
            }
        }
    }
}

TARGET static void VARIANT(across)(const float *x, size_t ld, int k, const struct panels *p)
{
    float *panel = p->at;
    for (int i = 0; i < p->count; i += p->each, panel += p->step)
        VARIANT(across_panel)
    (x + (size_t)i * ld, ld, k, p->count - i < p->each ? p->count - i : p->each, panel, p->w);
}

#ifdef MULADD
TARGET static inline __attribute__((always_inline)) void
VARIANT(tile_of)(size_t words, const float *a, const int m, const float *b, float *c, size_t ldc,
                 bool add)
{
    VEC sum[MR][NV];
    UNROLL
    for (int i = 0; i < m; i++) {
        UNROLL
        for (int v = 0; v < NV; v++)
            sum[i][v] = SET(0);
        __builtin_prefetch(c + (size_t)i * ldc, 1);
        __builtin_prefetch(c + (size_t)i * ldc + NV * LANES - 1, 1);
    }
    for (size_t k = 0; k < words; k++, a += LANES, b += NV * LANES) {
        VEC y[NV];
        UNROLL
        for (int v = 0; v < NV; v++)
            y[v] = LOAD(b + v * LANES);
        UNROLL
        for (int i = 0; i < m; i++) {
            VEC x = SET(a[i]);
            UNROLL
            for (int v = 0; v < NV; v++)
                sum[i][v] = MULADD(x, y[v], sum[i][v]);
        }
    }
    UNROLL
    for (int i = 0; i < m; i++, c += ldc) {
        UNROLL
        for (int v = 0; v < NV; v++) {
            VEC so_far = add ? LOAD(c + v * LANES) : SET(0);
            STORE(c + v * LANES, so_far + sum[i][v]);
        }
    }
}

/* For each number of rows the loop is another one. */
TARGET static void VARIANT(whole_tile)(size_t words, const float *a, int m, const float *b,
                                       float *c, size_t ldc, bool add)
{
#define ROWS(n)                                                                                    \
    case n:                                                                                        \
        VARIANT(tile_of)(words, a, n, b, c, ldc, add);                                             \
        break;
    switch (m) {
        ROWS(1)
        ROWS(2)
        ROWS(3)
        ROWS(4)
        ROWS(5)
        ROWS(6)
#if MR > 6
        ROWS(7)
        ROWS(8)
        ROWS(9)
        ROWS(10)
        ROWS(11)
        ROWS(12)
        ROWS(13)
        ROWS(14)
#endif
    }
#undef ROWS
}

TARGET static void VARIANT(tile)(size_t words, const float *a, int m, const float *b, float *c,
                                 size_t ldc, int n, bool add)
{
    enum { NR = NV * LANES };
    if (n == NR) {
        VARIANT(whole_tile)(words, a, m, b, c, ldc, add);
        return;
    }
    float edge[MR * NR];
    VARIANT(whole_tile)(words, a, m, b, edge, NR, false);
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++)
            c[(size_t)i * ldc + (size_t)j] =
                (add ? c[(size_t)i * ldc + (size_t)j] : 0) + edge[i * NR + j];
    }
}
#define TILE VARIANT(tile)
#endif

static const struct gemm VARIANT(gemm) = {
    .name = GEMM_NAME,
    .bf16 = BF16,
    .pairs = PAIRS,
    .mr = MR,
    .nr = NV * LANES,
    .lanes = LANES,
    .block = BLOCK,
    .along = VARIANT(along),
    .across = VARIANT(across),
    .tile = TILE,
};

#undef VARIANT
#undef VECTORS
#undef MORE_TARGETS
#undef GEMM_NAME
#undef BF16
#undef PAIRS
#undef BLOCK
#undef MR
#undef NV
#undef LOADN
#undef TRANSPOSE
#undef WORD
#undef PAIR
#undef ROW
#undef MULADD
#undef TILE
