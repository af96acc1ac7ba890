/*
 * c (m, n) = a (m, k) b (k, n): blocks of terms, and of columns, for each of which
 *
 *                      n  <- at most COLUMNS              packed b   panels of nr columns, each
 *                 +----+----+----+                                   (words of the block, nr)
 *               k | b  |    |    |
 *                 +----+----+----+                        packed a   panels of up to mr rows, each
 *            k                                                       (words of the block, rows)
 *         +-----+ +----+----+----+
 *         |  a  | |tile|    |    |   A panel of b stays in the first-level cache while panels of
 *         +-----+ +----+----+----+   a go by, which come from the second-level one. Rows are cut
 *       m |     | |    |    |    |   evenly, so that no tile has few.
 *         +-----+ +----+----+----+   <- at most ROWS of a are packed at once
 */
#include "gemm.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#ifdef __x86_64__
#include "vec.h"

enum { BLOCK_FLOAT = 256, BLOCK_BF16 = 512 };

/* Sums of a part of a tile, ld apart, that weren't added to c or finished. */
static void finish_some(const float *sums, size_t ld, int m, int n, bool add, float *c, size_t ldc,
                        const struct finish *to)
{
    for (int i = 0; i < m; i++, sums += ld) {
        for (int j = 0; j < n; j++) {
            float *at = c + (size_t)i * ldc + (size_t)j;
            float v = (add ? *at : 0) + sums[j];
            if (to != NULL) {
                v += to->bias != NULL ? to->bias[j] : 0;
                v = v < to->least ? to->least : v > to->most ? to->most : v;
            }
            if (to != NULL && to->y != NULL)
                to->y[(size_t)i * to->ldy + (size_t)j] = bf16_round(v);
            else
                *at = v;
        }
    }
}

/* --- AVX2 ----------------------------------------------------------------------------------- */

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

AVX2 __m256 widen_some8(const bfloat *p, int n)
{
    bfloat some[8] = {0};
    if (n < 8) { /* two of them can't be loaded under a mask */
        memcpy(some, p, n > 0 ? (size_t)n * sizeof *some : 0);
        p = some;
    }
    return widen8(p);
}

/* Two terms to a word each, the second first. */
AVX2 __m256 swap8(__m256 x)
{
    return _mm256_permute_ps(x, 0xb1);
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

#define VARIANT(name)  name##_avx2_rounded
#define VECTORS        VECTORS_AVX2
#define GEMM_NAME      "avx2-as-bf16"
#define BF16           1
#define PAIRS          0
#define BLOCK          BLOCK_BF16
#define MR             6
#define NV             2
#define LOADN(p, n)    load_some8(p, n)
#define TRANSPOSE(r)   transpose8(r)
#define WORD(x)        round8(x)
#define ROW(p, n)      swap8(round8(load_some8(p, n)))
#define WIDENN(p, n)   widen_some8(p, n)
#define ROW_BF16(p, n) swap8(widen_some8(p, n))
#define TILE           tile_avx2
#include "gemm_body.h"

/* --- AVX-512 -------------------------------------------------------------------------------- */

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

AVX512 __m512 widen_some16(const bfloat *p, int n)
{
    bfloat some[16] = {0};
    if (n < 16) {
        memcpy(some, p, n > 0 ? (size_t)n * sizeof *some : 0);
        p = some;
    }
    return widen16(p);
}

AVX512 __m512 swap16(__m512 x)
{
    return _mm512_permute_ps(x, 0xb1);
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

#define VARIANT(name)  name##_avx512_rounded
#define VECTORS        VECTORS_AVX512
#define GEMM_NAME      "avx512-as-bf16"
#define BF16           1
#define PAIRS          0
#define BLOCK          BLOCK_BF16
#define MR             14
#define NV             2
#define LOADN(p, n)    load_some16(p, n)
#define TRANSPOSE(r)   transpose16(r)
#define WORD(x)        round16(x)
#define ROW(p, n)      swap16(round16(load_some16(p, n)))
#define WIDENN(p, n)   widen_some16(p, n)
#define ROW_BF16(p, n) swap16(widen_some16(p, n))
#define TILE           tile_avx512
#include "gemm_body.h"

/* --- AVX-512 with products of bfloat16 ------------------------------------------------------ */

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

AVX512_BF16 __m512 row32_bf16(const bfloat *p, int n)
{
    unsigned lanes = n >= 32 ? 0xffffffff : n > 0 ? (1u << n) - 1 : 0;
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(lanes, p));
}

/* n bfloat16s as words' lower halves. */
AVX512_BF16 __m512i words16(const bfloat *p, int n)
{
    unsigned lanes = n >= 16 ? 0xffff : n > 0 ? (1u << n) - 1 : 0;
    return _mm512_cvtepu16_epi32(_mm512_castsi512_si256(_mm512_maskz_loadu_epi16(lanes, p)));
}

AVX512_BF16 __m512 pair16_bf16(const bfloat *p, const bfloat *next, int n)
{
    __m512i upper = next != NULL ? words16(next, n) : _mm512_setzero_si512();
    return _mm512_castsi512_ps(_mm512_or_si512(words16(p, n), _mm512_slli_epi32(upper, 16)));
}

AVX512_BF16 void store_some16(float *p, int n, __m512 x)
{
    _mm512_mask_storeu_ps(p, n >= 16 ? 0xffff : (__mmask16)((1u << n) - 1), x);
}

AVX512_BF16 __m512 word_of_two(const void *p)
{
    int word;
    memcpy(&word, p, sizeof word);
    return _mm512_castsi512_ps(_mm512_set1_epi32(word));
}

#define VARIANT(name)         name##_avx512bf16
#define VECTORS               VECTORS_BF16
#define GEMM_NAME             "avx512bf16"
#define BF16                  1
#define PAIRS                 1
#define BLOCK                 BLOCK_BF16
#define MR                    14
#define NV                    2
#define LOADN(p, n)           load_some16(p, n)
#define TRANSPOSE(r)          transpose16(r)
#define PAIR(x, y)            pair16(x, y)
#define ROW(p, n)             row32(p, n)
#define PAIR_BF16(p, next, n) pair16_bf16(p, next, n)
#define ROW_BF16(p, n)        row32_bf16(p, n)
#define STORE_SOME(p, n, x)   store_some16(p, n, x)
#define SET_WORD(p)           word_of_two(p)
#define MULADD(x, y, sum)     _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(y))
#include "gemm_body.h"

#include "gemm_amx.h"

/* --- Choice --------------------------------------------------------------------------------- */

static bool can_run(const struct gemm *g)
{
    if (g->lanes < 16)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (g == &gemm_amx)
        return cpu_has_bf16() && amx_allowed();
    if (g == &gemm_avx512bf16)
        return cpu_has_bf16();
    return __builtin_cpu_supports("avx512f");
}

/* The best of each precision first. */
static const struct gemm *const variants[] = {
    &gemm_amx,          &gemm_avx512bf16, &gemm_avx512_rounded,
    &gemm_avx2_rounded, &gemm_avx512,     &gemm_avx2};

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
        if (g->bf16 == bf16 && g->lanes <= simd->lanes && (simd->amx || !g->by_row))
            break;
    }
    return g;
}

/* --- The product ---------------------------------------------------------------------------- */

enum { ROWS = GEMM_ROWS, COLUMNS = 512 };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Words of k terms, which come in twos for bfloat16 where a word holds one, too. */
static size_t words_of(const struct gemm *g, int k)
{
    size_t even = ((size_t)k + 1) / 2 * 2;
    return g->pairs ? even / 2 : g->bf16 ? even : (size_t)k;
}

/* Words of a block of k terms: those behind them are zeros. */
static size_t block_words(const struct gemm *g, int k)
{
    size_t whole = (size_t)g->words;
    return (words_of(g, k) + whole - 1) / whole * whole;
}

/* Panels of operands: rows go in evenly, where they needn't fill tiles. */
static int each_of(const struct gemm *g, bool left, int many)
{
    int panels = (many + g->mr - 1) / g->mr;
    if (left && g->by_row)
        return g->mr;
    return !left ? g->nr : panels > 0 ? (many + panels - 1) / panels : 1;
}

static int width_of(const struct gemm *g, bool left)
{
    return !left ? g->nr : g->by_row ? g->mr : g->lanes;
}

size_t gemm_scratch(const struct gemm *g)
{
    size_t most_rows = (size_t)((ROWS + g->mr - 1) / g->mr * width_of(g, true));
    return block_words(g, g->block) * (most_rows + COLUMNS);
}

/* Panels at `at` of a block of so many words, from the word `from` on. */
static struct panels panels_at(const struct gemm *g, float *at, bool left, int many, size_t words,
                               size_t from)
{
    const bool by_row = left && g->by_row;
    const size_t w = (size_t)width_of(g, left);
    return (struct panels){at + (by_row ? from : from * w), words * w, many, each_of(g, left, many),
                           by_row ? (int)words : (int)w};
}

/* Words [from, to) of panels become zeros. */
static void clear_words(const struct gemm *g, const struct panels *p, bool left, size_t from,
                        size_t to)
{
    if (from == to)
        return;
    for (int i = 0; i < p->count; i += p->each) {
        float *panel = p->at + (size_t)(i / p->each) * p->step;
        if (!left || !g->by_row) {
            memset(panel + from * (size_t)p->w, 0, (to - from) * (size_t)p->w * sizeof *panel);
            continue;
        }
        for (int r = 0; r < min_int(p->each, p->count - i); r++)
            memset(panel + (size_t)r * (size_t)p->w + from, 0, (to - from) * sizeof *panel);
    }
}

/* Packs terms [k0, k0 + k) of rows or columns [from, from + count). to: of the first term there, with
   room for so many words. */
static void pack(const struct gemm *g, const struct matrix *x, bool left, int from, int k0, int k,
                 const struct panels *to, size_t words)
{
    /* In memory, a row's terms lie side by side, or a term's rows. */
    bool across = left != x->transposed;
    size_t at = across ? (size_t)from * x->ld + (size_t)k0 : (size_t)k0 * x->ld + (size_t)from;
    const struct packing *p = left ? &g->left : &g->right;
    if (x->x != NULL)
        (across ? p->across : p->along)(x->x + at, x->ld, k, to);
    else
        (across ? p->across_bf16 : p->along_bf16)(x->half + at, x->ld, k, to);
    clear_words(g, to, left, words_of(g, k), words);
}

static struct finish finish_from(const struct finish *f, int row, int column)
{
    struct finish from = *f;
    from.bias = f->bias != NULL ? f->bias + column : NULL;
    from.y = f->y != NULL ? f->y + (size_t)row * f->ldy + (size_t)column : NULL;
    return from;
}

/* A block of a left side: packed in panels of `each` rows; or, with step > 0, rows where they lie,
   so many bytes apart, of which each tile takes as many. */
struct left {
    const char *at;
    size_t step;
    int rows, each;
};

/* Whether rows can be multiplied where they lie: their terms are words already. */
static bool in_place(const struct gemm *g, const struct matrix *a, int k)
{
    return g->pairs && a->x == NULL && !a->transposed && k % (2 * g->words) == 0;
}

/* c (a.rows, columns) = or += a by packed b; then they are whole sums if `to` isn't NULL. */
static void multiply(const struct gemm *g, size_t words, struct left a, const float *b, int columns,
                     bool add, float *c, size_t ldc, const struct finish *to)
{
    const size_t b_step = words * (size_t)g->nr;
    const size_t a_step =
        a.step > 0 ? (size_t)a.each * a.step : words * (size_t)g->lanes * sizeof(float);
    if (g->begin != NULL)
        g->begin();
    for (int j = 0; j < columns; j += g->nr, b += b_step) {
        const char *panel = a.at;
        int n = min_int(g->nr, columns - j);
        for (int i = 0; i < a.rows; i += a.each, panel += a_step) {
            int m = min_int(a.each, a.rows - i);
            struct finish f;
            if (to != NULL)
                f = finish_from(to, i, j);
            g->tile(words, panel, a.step, m, b, c + (size_t)i * ldc + (size_t)j, ldc, n, add,
                    to != NULL ? &f : NULL);
        }
    }
    if (g->end != NULL)
        g->end();
}

/* Where the i-th of m rows' blocks begins. */
static int first_row(const struct gemm *g, int m, int i, int blocks)
{
    return g->by_row ? min_int(i * ROWS, m) : (int)((long)m * i / blocks);
}

static struct left packed_left(const struct gemm *g, const float *at, size_t words, int rows,
                               int each)
{
    return (struct left){(const char *)at, g->by_row ? words * sizeof *at : 0, rows, each};
}

/* b: the right side, or NULL: it is packed. With `finish` c has room for sums. */
static void run(const struct gemm *g, int m, int n, int k, const struct matrix *a,
                const struct matrix *b, const float *packed, bool add, float *c, size_t ldc,
                const struct finish *finish, float *scratch)
{
    float *const columns_here = scratch;
    float *const rows_here = scratch + block_words(g, g->block) * COLUMNS;
    const int blocks = (m + ROWS - 1) / ROWS;
    const size_t panels = (size_t)((n + g->nr - 1) / g->nr * g->nr);
    assert(COLUMNS % g->nr == 0 && g->mr <= width_of(g, true));
    if (k == 0 && !add) {
        for (int i = 0; i < m; i++)
            memset(c + (size_t)i * ldc, 0, (size_t)n * sizeof *c);
    }
    for (int k0 = 0; k0 < k; k0 += g->block) {
        const int terms = min_int(g->block, k - k0);
        const size_t words = block_words(g, terms);
        for (int n0 = 0; n0 < n; n0 += COLUMNS) {
            const int columns = min_int(COLUMNS, n - n0);
            const float *b_here = columns_here;
            if (b != NULL) {
                struct panels p = panels_at(g, columns_here, false, columns, words, 0);
                pack(g, b, false, n0, k0, terms, &p, words);
            } else {
                b_here = packed + words * (size_t)n0;
            }
            for (int i = 0; i < blocks; i++) {
                int from = first_row(g, m, i, blocks), rows = first_row(g, m, i + 1, blocks) - from;
                struct panels p = panels_at(g, rows_here, true, rows, words, 0);
                struct left left = packed_left(g, rows_here, words, rows, p.each);
                if (in_place(g, a, k)) {
                    left.at = (const char *)(a->half + (size_t)from * a->ld + (size_t)k0);
                    left.step = a->ld * sizeof *a->half;
                } else {
                    pack(g, a, true, from, k0, terms, &p, words);
                }
                struct finish to;
                if (finish != NULL)
                    to = finish_from(finish, from, n0);
                multiply(g, words, left, b_here, columns, add || k0 > 0,
                         c + (size_t)from * ldc + (size_t)n0, ldc,
                         finish != NULL && k0 + terms == k ? &to : NULL);
            }
        }
        if (b == NULL)
            packed += words * panels;
    }
}

void gemm_run(const struct gemm *g, int m, int n, int k, struct matrix a, struct matrix b, bool add,
              float *c, size_t ldc, float *scratch)
{
    run(g, m, n, k, &a, &b, NULL, add, c, ldc, NULL, scratch);
}

/* --- Packed operands: for each block of terms its panels ------------------------------------- */

int gemm_step(const struct gemm *g, const struct packed *p)
{
    return each_of(g, p->left, p->many);
}

/* Floats that hold a word of all panels. */
static size_t across_panels(const struct gemm *g, const struct packed *p)
{
    int each = gemm_step(g, p);
    return (size_t)((p->many + each - 1) / each * width_of(g, p->left));
}

size_t packed_floats(const struct gemm *g, const struct packed *p)
{
    int rest = p->terms % g->block;
    size_t words = block_words(g, g->block) * (size_t)(p->terms / g->block) + block_words(g, rest);
    return words * across_panels(g, p);
}

/* Where the block of terms from k0 on begins: all before it are whole. */
static float *block_at(const struct gemm *g, const struct packed *p, int k0)
{
    return p->at + block_words(g, g->block) * (size_t)(k0 / g->block) * across_panels(g, p);
}

void gemm_pack(const struct gemm *g, const struct packed *p, struct matrix x, int from, int count)
{
    assert(from % 2 == 0 && from + count <= p->terms);
    for (int k0 = from, k; k0 < from + count; k0 += k) {
        const int in_block = k0 % g->block, begin = k0 - in_block;
        const int terms = min_int(g->block, p->terms - begin);
        const size_t words = block_words(g, terms), first = words_of(g, in_block);
        k = min_int(g->block - in_block, from + count - k0);
        const struct panels panels =
            panels_at(g, block_at(g, p, begin), p->left, p->many, words, first);
        pack(g, &x, p->left, 0, k0, k, &panels,
             in_block + k == terms ? words - first : words_of(g, k));
    }
}

static struct finish finish_of(const struct tail *t, bfloat *y, size_t ldy)
{
    assert(t->act != ACT_PRELU); /* which has slopes */
    return (struct finish){.bias = t->bias,
                           .least = t->act == ACT_NONE ? -INFINITY : 0,
                           .most = t->act == ACT_RELU6 ? 6 : INFINITY,
                           .y = y,
                           .ldy = ldy};
}

void gemm_run_packed(const struct gemm *g, int m, struct matrix a, const struct packed *b,
                     const struct tail *t, float *c, size_t ldc, float *scratch)
{
    struct finish to;
    assert(t == NULL || b->terms > 0);
    if (t != NULL)
        to = finish_of(t, NULL, 0);
    run(g, m, b->many, b->terms, &a, NULL, b->at, false, c, ldc, t != NULL ? &to : NULL, scratch);
}

void gemm_run_bf16(const struct gemm *g, int m, struct matrix a, const struct packed *b,
                   const struct tail *t, bfloat *y, float *room, float *scratch)
{
    const struct finish to = finish_of(t, y, (size_t)b->many);
    assert(g->bf16 && b->terms > 0);
    run(g, m, b->many, b->terms, &a, NULL, b->at, false, room, (size_t)b->many, &to, scratch);
}

void gemm_run_block(const struct gemm *g, const struct packed *a, const struct packed *b, int i,
                    int j, int m, int n, float *c, size_t ldc)
{
    const int each = gemm_step(g, a);
    assert(i % each == 0 && j % g->nr == 0 && a->terms == b->terms);
    assert(i + m <= a->many && j + n <= b->many);
    for (int k0 = 0; k0 < a->terms; k0 += g->block) {
        const size_t words = block_words(g, min_int(g->block, a->terms - k0));
        const float *rows = block_at(g, a, k0) + words * (size_t)(i / each * width_of(g, true));
        multiply(g, words, packed_left(g, rows, words, m, each),
                 block_at(g, b, k0) + words * (size_t)j, n, k0 > 0, c, ldc, NULL);
    }
}
