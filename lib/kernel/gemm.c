/*
 * c (m, n) = a (m, k) b (k, n): blocks of terms, and of columns, for each of which
 *
 *                      n  <- at most COLUMNS              packed b   panels of nr columns, each
 *                 +----+----+----+                                   (words of the block, nr)
 *               k | b  |    |    |
 *                 +----+----+----+                        packed a   panels of at most mr rows, each
 *            k                                                       (words of the block, rows)
 *         +-----+ +----+----+----+
 *         |  a  | |tile|    |    |   A panel of b stays in the first-level cache while the panels of
 *         +-----+ +----+----+----+   a go by, which come from the second-level one. Rows are cut
 *       m |     | |    |    |    |   evenly, so that no tile has few.
 *         +-----+ +----+----+----+   <- at most ROWS of a are packed at once
 */
#include "gemm.h"

#include <assert.h>
#include <string.h>

#ifdef __x86_64__
#include "vec.h"

enum { BLOCK_FLOAT = 256, BLOCK_BF16 = 512 };

/* --- AVX2 ----------------------------------------------------------------------------------- */

#define AVX2 __attribute__((target("avx2,fma"))) static inline __attribute__((always_inline))

AVX2 __m256 load_some8(const float *p, int n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
}

AVX2 void transpose8(__m256 r[8])
{
    __m256 s[8], t[8];
    UNROLL
    for (int i = 0; i < 8; i += 2) {
        s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        t[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
        t[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
        t[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
        t[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
    }
}

/* To bfloat16 as the instruction rounds: NaNs stay such, what is no normal number becomes zero. */
AVX2 __m256 round8(__m256 x)
{
    const __m256i u = _mm256_castps_si256(x), one = _mm256_set1_epi32(1);
    const __m256i exponent = _mm256_and_si256(u, _mm256_set1_epi32(0x7f800000));
    __m256i r = _mm256_and_si256(_mm256_srli_epi32(u, 16), one);
    r = _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), r);
    __m256i sign = _mm256_and_si256(u, _mm256_set1_epi32((int)0x80000000));
    __m256i small = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    r = _mm256_blendv_epi8(r, sign, small);
    r = _mm256_blendv_epi8(r, _mm256_or_si256(u, _mm256_set1_epi32(0x400000)), nan);
    return _mm256_castsi256_ps(_mm256_and_si256(r, _mm256_set1_epi32((int)0xffff0000)));
}

/* Two rounded terms to a word each, the second first. */
AVX2 __m256 row8(const float *p, int n)
{
    return _mm256_permute_ps(round8(load_some8(p, n)), 0xb1);
}

#define VARIANT(name)     name##_avx2
#define VECTORS           VECTORS_AVX2
#define GEMM_NAME         "avx2"
#define BF16              0
#define PAIRS             0
#define BLOCK             BLOCK_FLOAT
#define MR                6
#define NV                2
#define LOADN(p, n)       load_some8(p, n)
#define TRANSPOSE(r)      transpose8(r)
#define ROW(p, n)         load_some8(p, n)
#define MULADD(x, y, sum) FMA(x, y, sum)
#include "gemm_body.h"

#define VARIANT(name) name##_avx2_rounded
#define VECTORS       VECTORS_AVX2
#define GEMM_NAME     "avx2, rounded to bf16"
#define BF16          1
#define PAIRS         0
#define BLOCK         BLOCK_BF16
#define MR            6
#define NV            2
#define LOADN(p, n)   load_some8(p, n)
#define TRANSPOSE(r)  transpose8(r)
#define WORD(x)       round8(x)
#define ROW(p, n)     row8(p, n)
#define TILE          tile_avx2
#include "gemm_body.h"

/* --- AVX-512 -------------------------------------------------------------------------------- */

#define AVX512 __attribute__((target("avx512f"))) static inline __attribute__((always_inline))

AVX512 __m512 load_some16(const float *p, int n)
{
    unsigned lanes = n >= 16 ? 0xffff : n > 0 ? (1u << n) - 1 : 0;
    return _mm512_maskz_loadu_ps((__mmask16)lanes, p);
}

AVX512 void transpose16(__m512 r[16])
{
    __m512 s[16], t[16];
    UNROLL
    for (int i = 0; i < 16; i += 2) {
        s[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        s[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        t[i] = _mm512_shuffle_ps(s[i], s[i + 2], 0x44);
        t[i + 1] = _mm512_shuffle_ps(s[i], s[i + 2], 0xee);
        t[i + 2] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0x44);
        t[i + 3] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        s[i] = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
        s[i + 4] = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
        s[i + 8] = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
        s[i + 12] = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
    }
    UNROLL
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_f32x4(s[i], s[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(s[i], s[i + 8], 0xdd);
    }
}

AVX512 __m512 round16(__m512 x)
{
    const __m512i u = _mm512_castps_si512(x), one = _mm512_set1_epi32(1);
    __m512i r = _mm512_and_si512(_mm512_srli_epi32(u, 16), one);
    r = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), r);
    __mmask16 small = _mm512_testn_epi32_mask(u, _mm512_set1_epi32(0x7f800000));
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    r = _mm512_mask_and_epi32(r, small, u, _mm512_set1_epi32((int)0x80000000));
    r = _mm512_mask_or_epi32(r, nan, u, _mm512_set1_epi32(0x400000));
    return _mm512_castsi512_ps(_mm512_and_si512(r, _mm512_set1_epi32((int)0xffff0000)));
}

AVX512 __m512 row16(const float *p, int n)
{
    return _mm512_permute_ps(round16(load_some16(p, n)), 0xb1);
}

#define VARIANT(name)     name##_avx512
#define VECTORS           VECTORS_AVX512
#define GEMM_NAME         "avx512"
#define BF16              0
#define PAIRS             0
#define BLOCK             BLOCK_FLOAT
#define MR                14
#define NV                2
#define LOADN(p, n)       load_some16(p, n)
#define TRANSPOSE(r)      transpose16(r)
#define ROW(p, n)         load_some16(p, n)
#define MULADD(x, y, sum) FMA(x, y, sum)
#include "gemm_body.h"

#define VARIANT(name) name##_avx512_rounded
#define VECTORS       VECTORS_AVX512
#define GEMM_NAME     "avx512, rounded to bf16"
#define BF16          1
#define PAIRS         0
#define BLOCK         BLOCK_BF16
#define MR            14
#define NV            2
#define LOADN(p, n)   load_some16(p, n)
#define TRANSPOSE(r)  transpose16(r)
#define WORD(x)       round16(x)
#define ROW(p, n)     row16(p, n)
#define TILE          tile_avx512
#include "gemm_body.h"

/* --- AVX-512 with products of bfloat16 ------------------------------------------------------ */

#define AVX512_BF16                                                                                \
    __attribute__((target("avx512f,avx512bw,avx512bf16"))) static inline                           \
        __attribute__((always_inline))

/* Words whose lower halves are x's lanes, and the upper ones y's. */
AVX512_BF16 __m512 pair16(__m512 x, __m512 y)
{
    __m512i lower = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x));
    __m512i upper = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(y));
    return _mm512_castsi512_ps(_mm512_or_si512(lower, _mm512_slli_epi32(upper, 16)));
}

AVX512_BF16 __m512 row32(const float *p, int n)
{
    return (__m512)_mm512_cvtne2ps_pbh(load_some16(p + 16, n - 16), load_some16(p, n));
}

#define VARIANT(name)     name##_avx512bf16
#define VECTORS           VECTORS_AVX512
#define MORE_TARGETS      ",avx512bw,avx512bf16"
#define GEMM_NAME         "avx512bf16"
#define BF16              1
#define PAIRS             1
#define BLOCK             BLOCK_BF16
#define MR                14
#define NV                2
#define LOADN(p, n)       load_some16(p, n)
#define TRANSPOSE(r)      transpose16(r)
#define PAIR(x, y)        pair16(x, y)
#define ROW(p, n)         row32(p, n)
#define MULADD(x, y, sum) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(y))
#include "gemm_body.h"

/* --- Choice --------------------------------------------------------------------------------- */

static bool can_run(const struct gemm *g)
{
    if (g->lanes < 16)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (g == &gemm_avx512bf16)
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512bf16");
    return __builtin_cpu_supports("avx512f");
}

/* The best of each precision first. */
static const struct gemm *const variants[] = {&gemm_avx512bf16, &gemm_avx512_rounded,
                                              &gemm_avx2_rounded, &gemm_avx512, &gemm_avx2};

const struct gemm *gemm_variant(size_t i)
{
    for (size_t k = 0; k < sizeof variants / sizeof *variants; k++) {
        if (can_run(variants[k]) && i-- == 0)
            return variants[k];
    }
    return NULL;
}
#else
const struct gemm *gemm_variant(size_t i)
{
    (void)i;
    return NULL;
}
#endif

const struct gemm *gemm_choose(const struct simd *simd, bool bf16)
{
    const struct gemm *g;
    for (size_t i = 0; (g = gemm_variant(i)) != NULL; i++) {
        if (g->bf16 == bf16 && g->lanes <= simd->lanes)
            break;
    }
    return g;
}

/* --- The product ---------------------------------------------------------------------------- */

enum { ROWS = 168, COLUMNS = 512 };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Words of a block of k terms: where a word holds one, terms come in twos for bfloat16 too. */
static size_t words_of(const struct gemm *g, int k)
{
    size_t even = ((size_t)k + 1) / 2 * 2;
    return g->pairs ? even / 2 : g->bf16 ? even : (size_t)k;
}

size_t gemm_scratch(const struct gemm *g)
{
    return words_of(g, g->block) * (ROWS + COLUMNS) + (size_t)(ROWS * g->lanes);
}

/* Rounded up to whole panels. */
static size_t padded(const struct gemm *g, int n)
{
    return (size_t)((n + g->nr - 1) / g->nr * g->nr);
}

/* A block of terms [k0, k0 + k) of a product. */
struct block {
    const struct gemm *g;
    int k0, k;
    size_t words;
};

/* Packs columns [from, from + count) of the right side. */
static void pack_columns(const struct block *t, const struct matrix *b, int from, int count,
                         float *to)
{
    const int nr = t->g->nr;
    const struct panels p = {to, t->words * (size_t)nr, count, nr, true};
    if (b->transposed)
        t->g->across(b->x + (size_t)from * b->ld + (size_t)t->k0, b->ld, t->k, &p);
    else
        t->g->along(b->x + (size_t)t->k0 * b->ld + (size_t)from, b->ld, t->k, &p);
}

/* Packs rows [from, from + count) of the left side in panels of like heights. */
static struct panels pack_rows(const struct block *t, const struct matrix *a, int from, int count,
                               float *to)
{
    const int n = (count + t->g->mr - 1) / t->g->mr, height = (count + n - 1) / n;
    const struct panels p = {to, t->words * (size_t)height + (size_t)t->g->lanes, count, height,
                             false};
    if (a->transposed)
        t->g->along(a->x + (size_t)t->k0 * a->ld + (size_t)from, a->ld, t->k, &p);
    else
        t->g->across(a->x + (size_t)from * a->ld + (size_t)t->k0, a->ld, t->k, &p);
    return p;
}

/* c (rows, columns) = or += packed rows by packed columns b. */
static void multiply(const struct block *t, const struct panels *rows, const float *b, int columns,
                     bool add, float *c, size_t ldc)
{
    const int nr = t->g->nr;
    for (int j = 0; j < columns; j += nr, b += t->words * (size_t)nr) {
        const float *a = rows->at;
        for (int i = 0; i < rows->count; i += rows->w, a += rows->step)
            t->g->tile(t->words, a, min_int(rows->w, rows->count - i), b,
                       c + (size_t)i * ldc + (size_t)j, ldc, min_int(nr, columns - j), add);
    }
}

size_t gemm_packed(const struct gemm *g, int k, int n)
{
    size_t words = 0;
    for (int k0 = 0; k0 < k; k0 += g->block)
        words += words_of(g, min_int(g->block, k - k0));
    return words * padded(g, n);
}

void gemm_pack(const struct gemm *g, int k, int n, struct matrix b, float *packed)
{
    for (int k0 = 0; k0 < k; k0 += g->block) {
        struct block t = {g, k0, min_int(g->block, k - k0), 0};
        t.words = words_of(g, t.k);
        pack_columns(&t, &b, 0, n, packed);
        packed += t.words * padded(g, n);
    }
}

/* packed: the right side, or NULL: it is packed as it is needed. */
static void run(const struct gemm *g, int m, int n, int k, struct matrix a, const struct matrix *b,
                const float *packed, bool add, float *c, size_t ldc, float *scratch)
{
    float *const columns_here = scratch;
    float *const rows_here = scratch + words_of(g, g->block) * COLUMNS;
    const int blocks = (m + ROWS - 1) / ROWS;
    assert(COLUMNS % g->nr == 0 && g->mr <= g->lanes);
    if (k == 0 && !add) {
        for (int i = 0; i < m; i++)
            memset(c + (size_t)i * ldc, 0, (size_t)n * sizeof *c);
    }
    for (int k0 = 0; k0 < k; k0 += g->block) {
        struct block t = {g, k0, min_int(g->block, k - k0), 0};
        t.words = words_of(g, t.k);
        for (int n0 = 0; n0 < n; n0 += COLUMNS) {
            const float *b_here = columns_here;
            int columns = min_int(COLUMNS, n - n0);
            if (packed == NULL)
                pack_columns(&t, b, n0, columns, columns_here);
            else
                b_here = packed + t.words * (size_t)n0;
            for (int i = 0; i < blocks; i++) {
                int from = (int)((long)m * i / blocks), to = (int)((long)m * (i + 1) / blocks);
                struct panels rows = pack_rows(&t, &a, from, to - from, rows_here);
                multiply(&t, &rows, b_here, columns, add || k0 > 0,
                         c + (size_t)from * ldc + (size_t)n0, ldc);
            }
        }
        if (packed != NULL)
            packed += t.words * padded(g, n);
    }
}

void gemm_run(const struct gemm *g, int m, int n, int k, struct matrix a, struct matrix b, bool add,
              float *c, size_t ldc, float *scratch)
{
    run(g, m, n, k, a, &b, NULL, add, c, ldc, scratch);
}

void gemm_run_packed(const struct gemm *g, int m, int n, int k, struct matrix a,
                     const float *packed, float *c, size_t ldc, float *scratch)
{
    run(g, m, n, k, a, NULL, packed, false, c, ldc, scratch);
}
