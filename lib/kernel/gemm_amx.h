/*
 * Products of bfloat16s in AMX's tiles; gemm.c includes this file behind the variant whose packing
 * it takes. A product of up to 32 rows and 32 columns is made in four tiles:
 *
 *                       16     16 columns
 *                    +------+------+
 *                    |  6   |  7   |   16 words, of two terms, of a panel: as a tile has them
 *                    +------+------+
 *          16 words
 *          +------+  +------+------+
 *    16    |  4   |  |  0   |  1   |
 *   rows   +------+  +------+------+
 *    16    |  5   |  |  2   |  3   |
 *          +------+  +------+------+
 *
 * A tile is a register of up to 16 rows of 64 bytes. Source: Intel 64 and IA-32 Architectures
 * Software Developer's Manual, volume 1, chapter "Programming with Intel AMX".
 */

#define TARGET_AMX                                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,fma,amx-tile,amx-bf16")))

enum { AMX_SIDE = 16, AMX_MR = 2 * AMX_SIDE, AMX_NR = 2 * AMX_SIDE };

/* --- The tile -------------------------------------------------------------------------------- */

/* Tiles for m rows. */
TARGET_AMX static void amx_configure(int m)
{
    struct {
        uint8_t palette, start, unused[14];
        uint16_t bytes[16]; /* of each tile's rows */
        uint8_t rows[16];
    } c = {.palette = 1};
    int upper = m < AMX_SIDE ? m : AMX_SIDE, lower = m - upper;
    const int rows[] = {upper, upper, lower, lower, upper, lower, AMX_SIDE, AMX_SIDE};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        c.rows[i] = (uint8_t)rows[i];
        c.bytes[i] = rows[i] > 0 ? 4 * AMX_SIDE : 0;
    }
    atomic_signal_fence(memory_order_seq_cst); /* compilers don't see what tiles read and write */
    _tile_loadconfig(&c);
}

TARGET_AMX static void amx_begin(void)
{
    amx_configure(AMX_MR);
}

TARGET_AMX static void amx_end(void)
{
    _tile_release();
}

/* sums (m, n), ld apart, + or, with `add` unset, = a b; n is one or two tiles', as m is. */
TARGET_AMX static inline __attribute__((always_inline)) void
amx_sums(size_t words, const char *a, size_t step, const float *b, float *sums, size_t ld, bool add,
         const bool lower, const bool right)
{
    const size_t line = ld * sizeof *sums, b_line = AMX_NR * sizeof *b;
    float *const below = sums + AMX_SIDE * ld;
    _tile_zero(0);
    _tile_zero(1);
    if (lower) { /* without rows, a tile isn't there */
        _tile_zero(2);
        _tile_zero(3);
    }
    if (add) {
        _tile_loadd(0, sums, line);
        if (right)
            _tile_loadd(1, sums + AMX_SIDE, line);
        if (lower)
            _tile_loadd(2, below, line);
        if (lower && right)
            _tile_loadd(3, below + AMX_SIDE, line);
    }
    for (size_t k = 0; k < words; k += AMX_SIDE, a += AMX_SIDE * sizeof *b) {
        _tile_loadd(6, b + k * AMX_NR, b_line);
        _tile_loadd(4, a, step);
        _tile_dpbf16ps(0, 4, 6);
        if (right) {
            _tile_loadd(7, b + k * AMX_NR + AMX_SIDE, b_line);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (lower) {
            _tile_loadd(5, a + AMX_SIDE * step, step);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (lower && right)
            _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, line);
    if (right)
        _tile_stored(1, sums + AMX_SIDE, line);
    if (lower)
        _tile_stored(2, below, line);
    if (lower && right)
        _tile_stored(3, below + AMX_SIDE, line);
}

/* Whole rows of sums (m, AMX_NR). */
TARGET_AMX static void amx_finish(const float *sums, int m, float *c, size_t ldc,
                                  const struct finish *to)
{
    const __m512 least = _mm512_set1_ps(to->least), most = _mm512_set1_ps(to->most);
    __m512 bias[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int v = 0; v < 2 && to->bias != NULL; v++)
        bias[v] = _mm512_loadu_ps(to->bias + v * AMX_SIDE);
    for (int i = 0; i < m; i++, sums += AMX_NR) {
        __m512 y[2];
        UNROLL
        for (int v = 0; v < 2; v++) {
            y[v] = _mm512_add_ps(_mm512_load_ps(sums + v * AMX_SIDE), bias[v]);
            y[v] = _mm512_min_ps(most, _mm512_max_ps(least, y[v]));
        }
        if (to->y != NULL) {
            _mm512_storeu_si512(to->y + (size_t)i * to->ldy,
                                (__m512i)_mm512_cvtne2ps_pbh(y[1], y[0]));
            continue;
        }
        _mm512_storeu_ps(c + (size_t)i * ldc, y[0]);
        _mm512_storeu_ps(c + (size_t)i * ldc + AMX_SIDE, y[1]);
    }
}

/* The sums begin with what they are added to, wherever they lie: so each is the same in any tile. */
TARGET_AMX static void amx_tile(size_t words, const void *a, size_t step, int m, const float *b,
                                float *c, size_t ldc, int n, bool add, const struct finish *to)
{
    _Alignas(64) float room[AMX_MR * AMX_NR];
    const bool there = n == AMX_NR && to == NULL, lower = m > AMX_SIDE, right = n > AMX_SIDE;
    float *sums = there ? c : room;
    size_t ld = there ? ldc : AMX_NR;
    assert(words % AMX_SIDE == 0 && step > 0);
    for (int i = 0; add && !there && i < m; i++)
        memcpy(room + i * AMX_NR, c + (size_t)i * ldc, (size_t)n * sizeof *c);
    if (m < AMX_MR)
        amx_configure(m);
    atomic_signal_fence(memory_order_seq_cst);
    if (lower && right)
        amx_sums(words, a, step, b, sums, ld, add, true, true);
    else if (lower)
        amx_sums(words, a, step, b, sums, ld, add, true, false);
    else if (right)
        amx_sums(words, a, step, b, sums, ld, add, false, true);
    else
        amx_sums(words, a, step, b, sums, ld, add, false, false);
    atomic_signal_fence(memory_order_seq_cst);
    if (m < AMX_MR)
        amx_configure(AMX_MR);
    if (!there && n == AMX_NR)
        amx_finish(room, m, c, ldc, to);
    else if (!there)
        finish_some(room, AMX_NR, m, n, false, c, ldc, to);
}

static const struct gemm gemm_amx = {
    .name = "amx-bf16",
    .bf16 = true,
    .pairs = true,
    .by_row = true,
    .mr = AMX_MR,
    .nr = AMX_NR,
    .lanes = 16,
    .block = BLOCK_BF16,
    .words = AMX_SIDE,
    .left = {along_rows_avx512bf16, across_rows_avx512bf16, along_rows_bf16_avx512bf16,
             across_rows_bf16_avx512bf16},
    .right = {along_avx512bf16, across_avx512bf16, along_bf16_avx512bf16, across_bf16_avx512bf16},
    .begin = amx_begin,
    .end = amx_end,
    .tile = amx_tile,
};
