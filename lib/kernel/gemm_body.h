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
 *   STORE_SOME(p, n, x) stores the first n words of x, where words are pairs
 *   SET_WORD(p)         all lanes the word at p, of any alignment, where words are pairs
 *   WIDENN(p, n)         as LOADN of bfloat16s, and ROW_BF16, PAIR_BF16(p, q, n): see gemm_pack.h
 *   MULADD(x, y, sum)   sum plus the words' products; without it
 *   TILE                is the tile, another variant's
 */

#include "layers/layers.h"
#include "vec.h"

enum { VARIANT(words_of_two) = PAIRS ? 1 : 2 };

#define PACKING(name) VARIANT(name)
#define ELEMENT       float
#ifndef SET_WORD
#define SET_WORD(p) SET(0) /* not asked for */
#endif
#if BF16 && !PAIRS
#define VECTOR(p, n) WORD(LOADN(p, n))
#else
#define VECTOR(p, n) LOADN(p, n)
#endif
#define PAIR_OF(p, q, n) PAIR(LOADN(p, n), (q) != NULL ? LOADN(q, n) : SET(0))
#define ROW_OF(p, n)     ROW(p, n)
#include "gemm_pack.h"

#if BF16
#define PACKING(name)    VARIANT(name##_bf16)
#define ELEMENT          bfloat
#define VECTOR(p, n)     WIDENN(p, n)
#define PAIR_OF(p, q, n) PAIR_BF16(p, q, n)
#define ROW_OF(p, n)     ROW_BF16(p, n)
#include "gemm_pack.h"
#endif

#ifdef MULADD
TARGET static inline __attribute__((always_inline)) void
VARIANT(tile_of)(size_t words, const void *a, const size_t step, const int m, const float *b,
                 float *c, size_t ldc, bool add, const struct finish *to)
{
    const float *panel = a;
    const char *row = a;
    VEC sum[MR][NV];
    UNROLL
    for (int i = 0; i < m; i++) {
        UNROLL
        for (int v = 0; v < NV; v++)
            sum[i][v] = SET(0);
        const bool floats = to == NULL || to->y == NULL;
        if (!floats)
            __builtin_prefetch(to->y + (size_t)i * to->ldy, 1);
        if (floats || add) {
            __builtin_prefetch(c + (size_t)i * ldc, 1);
            __builtin_prefetch(c + (size_t)i * ldc + NV * LANES - 1, 1);
        }
    }
    for (size_t k = 0; k < words; k++, panel += LANES, row += sizeof *panel, b += NV * LANES) {
        VEC y[NV];
        UNROLL
        for (int v = 0; v < NV; v++)
            y[v] = LOAD(b + v * LANES);
        UNROLL
        for (int i = 0; i < m; i++) {
            VEC x = step > 0 ? SET_WORD(row + (size_t)i * step) : SET(panel[i]);
            UNROLL
            for (int v = 0; v < NV; v++)
                sum[i][v] = MULADD(x, y[v], sum[i][v]);
        }
    }
    UNROLL
    for (int i = 0; i < m; i++) {
        UNROLL
        for (int v = 0; v < NV; v++) {
            float *at = c + (size_t)i * ldc + v * LANES;
            sum[i][v] += add ? LOAD(at) : SET(0);
            if (to == NULL)
                STORE(at, sum[i][v]);
        }
    }
    if (to == NULL)
        return;
    const VEC least = SET(to->least), most = SET(to->most);
    UNROLL
    for (int v = 0; v < NV; v++) {
        const VEC bias = to->bias != NULL ? LOAD(to->bias + v * LANES) : SET(0);
        UNROLL
        for (int i = 0; i < m; i++) {
            VEC y = MIN(most, MAX(least, sum[i][v] + bias));
            if (to->y == NULL)
                STORE(c + (size_t)i * ldc + v * LANES, y);
            else
                NARROW(to->y + (size_t)i * to->ldy + v * LANES, y);
        }
    }
}

/* For each number of rows the loop is another one. */
TARGET static inline __attribute__((always_inline)) void
VARIANT(tile_of_rows)(size_t words, const void *a, const size_t step, int m, const float *b,
                      float *c, size_t ldc, bool add, const struct finish *to)
{
#define ROWS(n)                                                                                    \
    case n:                                                                                        \
        VARIANT(tile_of)(words, a, step, n, b, c, ldc, add, to);                                   \
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

TARGET static void VARIANT(whole_tile)(size_t words, const void *a, size_t step, int m,
                                       const float *b, float *c, size_t ldc, bool add,
                                       const struct finish *to)
{
    assert(PAIRS || step == 0);
    if (PAIRS && step > 0)
        VARIANT(tile_of_rows)(words, a, step, m, b, c, ldc, add, to);
    else
        VARIANT(tile_of_rows)(words, a, 0, m, b, c, ldc, add, to);
}

TARGET static void VARIANT(tile)(size_t words, const void *a, size_t step, int m, const float *b,
                                 float *c, size_t ldc, int n, bool add, const struct finish *to)
{
    enum { NR = NV * LANES };
    if (n == NR) {
        VARIANT(whole_tile)(words, a, step, m, b, c, ldc, add, to);
        return;
    }
    float edge[MR * NR];
    VARIANT(whole_tile)(words, a, step, m, b, edge, NR, false, NULL);
    finish_some(edge, NR, m, n, add, c, ldc, to);
}
#define TILE VARIANT(tile)
#endif

#if BF16
#define PACKINGS(v)                                                                                \
    {                                                                                              \
        v(along), v(across), v(along_bf16), v(across_bf16)                                         \
    }
#else
#define PACKINGS(v)                                                                                \
    {                                                                                              \
        v(along), v(across), NULL, NULL                                                            \
    }
#endif

static const struct gemm VARIANT(gemm) = {
    .name = GEMM_NAME,
    .bf16 = BF16,
    .pairs = PAIRS,
    .mr = MR,
    .nr = NV * LANES,
    .lanes = LANES,
    .block = BLOCK,
    .words = 1,
    .left = PACKINGS(VARIANT),
    .right = PACKINGS(VARIANT),
    .tile = TILE,
};

#undef VARIANT
#undef PACKINGS
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
#undef WIDENN
#undef PAIR_BF16
#undef ROW_BF16
#undef SET_WORD
#undef STORE_SOME
#undef MULADD
#undef TILE
