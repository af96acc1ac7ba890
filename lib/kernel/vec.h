/*
 * Vectors of floats. The sources of inner loops are compiled once for each kind of vectors: such a
 * source includes this file after defining VARIANT, for its functions' names, and VECTORS, one of
 *
 *   VECTORS_PORTABLE   four floats, the compiler's own vectors
 *   VECTORS_AVX2       eight
 *   VECTORS_AVX512VL   eight, in the registers of AVX-512, which are twice as many
 *   VECTORS_AVX512     sixteen; with MORE_TARGETS, such as ",avx512bw", if its loops need them
 *   VECTORS_BF16       sixteen, where the processor has instructions for bfloat16
 *
 * and gets
 *
 *   TARGET                the attribute of functions that use them
 *   VEC LANES             a vector's type, and its floats
 *   LOAD STORE            from and to any address
 *   WIDEN NARROW          from and to bfloat16 at any address, bf16.h's
 *   SET FMA MAX MIN       all lanes x; a b + c; MAX and MIN give b where a lane is no number
 *   BETWEEN(x, a, b, y)   lanes of y where a < x < b, elsewhere 0
 *   VARIANT(activate)     an activation, slope being for ACT_PRELU
 *
 * Included again it replaces them; without VECTORS it has only the types below.
 */
#ifndef MIEN_KERNEL_VEC_H
#define MIEN_KERNEL_VEC_H

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "bf16.h"

#define VECTORS_PORTABLE 1
#define VECTORS_AVX2     2
#define VECTORS_AVX512VL 3
#define VECTORS_AVX512   4
#define VECTORS_BF16     5

#define UNROLL _Pragma("GCC unroll 16")

typedef float vec4 __attribute__((vector_size(16), aligned(4)));
typedef int mask4 __attribute__((vector_size(16)));

static inline vec4 widen4(const bfloat *p)
{
    return (vec4){bf16_float(p[0]), bf16_float(p[1]), bf16_float(p[2]), bf16_float(p[3])};
}

static inline void narrow4(bfloat *p, vec4 x)
{
    for (int i = 0; i < 4; i++)
        p[i] = bf16_round(x[i]);
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,fma"))) static inline __attribute__((always_inline))

/* bf16_round's, as floats. */
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

AVX2 __m256 widen8(const bfloat *p)
{
    __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
}

AVX2 void narrow8(bfloat *p, __m256 x)
{
    __m256i words = _mm256_srli_epi32(_mm256_castps_si256(round8(x)), 16);
    __m128i upper = _mm256_extracti128_si256(words, 1);
    _mm_storeu_si128((__m128i *)(void *)p, _mm_packus_epi32(_mm256_castsi256_si128(words), upper));
}

#define AVX512 __attribute__((target("avx512f"))) static inline __attribute__((always_inline))

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

AVX512 __m512 widen16(const bfloat *p)
{
    __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
}

AVX512 void narrow16(bfloat *p, __m512 x)
{
    __m512i words = _mm512_srli_epi32(_mm512_castps_si512(round16(x)), 16);
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(words));
}

#define TARGET_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,fma")))
#define AVX512_BF16 TARGET_BF16 static inline __attribute__((always_inline))

static inline bool cpu_has_bf16(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx512bf16");
}

/* In one instruction: each goes to a word's upper half, above zeros. */
AVX512_BF16 __m512 widen16_bf16(const bfloat *p)
{
    const __m512i upper = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7,
                                           0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0, 0, 0);
    __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return _mm512_castsi512_ps(
        _mm512_maskz_permutexvar_epi16(0xaaaaaaaa, upper, _mm512_castsi256_si512(x)));
}

AVX512_BF16 void narrow16_bf16(bfloat *p, __m512 x)
{
    _mm256_storeu_si256((__m256i *)(void *)p, (__m256i)_mm512_cvtneps_pbh(x));
}
#endif

#endif

#ifdef VECTORS

#undef TARGET
#undef VEC
#undef LANES
#undef LOAD
#undef STORE
#undef WIDEN
#undef NARROW
#undef SET
#undef FMA
#undef MAX
#undef MIN
#undef CHOOSE
#undef BETWEEN

#ifndef MORE_TARGETS
#define MORE_TARGETS ""
#endif

#if VECTORS == VECTORS_PORTABLE
#define TARGET
#define VEC                 vec4
#define LANES               4
#define LOAD(p)             (*(const vec4 *)(const void *)(p))
#define STORE(p, v)         (*(vec4 *)(void *)(p) = (v))
#define WIDEN(p)            widen4(p)
#define NARROW(p, v)        narrow4(p, v)
#define SET(x)              ((vec4){x, x, x, x})
#define FMA(a, b, c)        ((a) * (b) + (c))
#define CHOOSE(m, a, b)     ((vec4)(((mask4)(m) & (mask4)(a)) | (~(mask4)(m) & (mask4)(b))))
#define MAX(a, b)           CHOOSE((a) > (b), a, b)
#define MIN(a, b)           CHOOSE((a) < (b), a, b)
#define BETWEEN(x, a, b, y) CHOOSE(((x) > (a)) & ((x) < (b)), y, SET(0))

#elif VECTORS == VECTORS_AVX2 || VECTORS == VECTORS_AVX512VL
#if VECTORS == VECTORS_AVX2
#define TARGET __attribute__((target("avx2,fma" MORE_TARGETS)))
#else
#define TARGET __attribute__((target("avx512f,avx512vl,fma" MORE_TARGETS)))
#endif
#define VEC          __m256
#define LANES        8
#define LOAD(p)      _mm256_loadu_ps(p)
#define STORE(p, v)  _mm256_storeu_ps(p, v)
#define WIDEN(p)     widen8(p)
#define NARROW(p, v) narrow8(p, v)
#define SET(x)       _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm256_max_ps(a, b)
#define MIN(a, b)    _mm256_min_ps(a, b)
#define BETWEEN(x, a, b, y)                                                                        \
    _mm256_and_ps(y,                                                                               \
                  _mm256_and_ps(_mm256_cmp_ps(x, a, _CMP_GT_OQ), _mm256_cmp_ps(x, b, _CMP_LT_OQ)))

#elif VECTORS == VECTORS_AVX512 || VECTORS == VECTORS_BF16
#if VECTORS == VECTORS_AVX512
#define TARGET       __attribute__((target("avx512f" MORE_TARGETS)))
#define WIDEN(p)     widen16(p)
#define NARROW(p, v) narrow16(p, v)
#else
#define TARGET       TARGET_BF16
#define WIDEN(p)     widen16_bf16(p)
#define NARROW(p, v) narrow16_bf16(p, v)
#endif
#define VEC          __m512
#define LANES        16
#define LOAD(p)      _mm512_loadu_ps(p)
#define STORE(p, v)  _mm512_storeu_ps(p, v)
#define SET(x)       _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm512_max_ps(a, b)
#define MIN(a, b)    _mm512_min_ps(a, b)
#define BETWEEN(x, a, b, y)                                                                        \
    _mm512_maskz_mov_ps(                                                                           \
        _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, a, _CMP_GT_OQ), x, b, _CMP_LT_OQ), y)
#endif

TARGET static inline __attribute__((always_inline)) VEC VARIANT(activate)(VEC v, enum act act,
                                                                          VEC slope)
{
    const VEC zero = SET(0), six = SET(6);
    switch (act) {
    case ACT_RELU:
        return MAX(zero, v);
    case ACT_RELU6:
        return MIN(six, MAX(zero, v));
    case ACT_PRELU:
        return FMA(slope, MIN(zero, v), MAX(zero, v));
    default:
        return v;
    }
}

#endif
