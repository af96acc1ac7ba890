#include "int8.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "vec.h"

/* --- Portable: pairs of values and weights in 16 bits --------------------------------------- */

typedef int32_t word4 __attribute__((vector_size(16), aligned(4), may_alias));

static inline word4 dot_portable(word4 acc, word4 x, word4 w)
{
    return acc + ((x << 16) >> 16) * ((w << 16) >> 16) + (x >> 16) * (w >> 16);
}

static inline word4 round_portable(vec4 v)
{
    return (word4){(int32_t)lrintf(v[0]), (int32_t)lrintf(v[1]), (int32_t)lrintf(v[2]),
                   (int32_t)lrintf(v[3])};
}

static inline void put_portable(int16_t *p, word4 v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (int16_t)(v[i] < 0 ? 0 : v[i] > INT8_MOST_VALUE ? INT8_MOST_VALUE : v[i]);
}

#define VARIANT(name) name##_portable
#define VARIANT_NAME  "portable"
#define VECTORS       VECTORS_PORTABLE
#define MR            4
#define NV            2
#define VALUE         int16_t
#define IVEC          word4
#define ILOAD(p)      (*(const word4 *)(const void *)(p))
#define ISET(x)       ((word4){x, x, x, x})
#define IADD(a, b)    ((a) + (b))
#define IMUL(a, b)    ((a) * (b))
#define IDOT(s, x, w) dot_portable(s, x, w)
#define TO_FLOAT(v)   ((vec4){(float)(v)[0], (float)(v)[1], (float)(v)[2], (float)(v)[3]})
#define ROUND(v)      round_portable(v)
#define PUT(p, v)     put_portable(p, v)
#include "int8_body.h"

#ifdef __x86_64__
#define VARIANT(name) name##_avx2
#define VARIANT_NAME  "avx2"
#define VECTORS       VECTORS_AVX2
#define MR            6
#define NV            2
#define VALUE         int16_t
#define IVEC          __m256i
#define ILOAD(p)      _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define ISET(x)       _mm256_set1_epi32(x)
#define IADD(a, b)    _mm256_add_epi32(a, b)
#define IMUL(a, b)    _mm256_mullo_epi32(a, b)
#define IDOT(s, x, w) _mm256_add_epi32(s, _mm256_madd_epi16(x, w))
#define TO_FLOAT(v)   _mm256_cvtepi32_ps(v)
#define ROUND(v)      _mm256_cvtps_epi32(v)
#define CONFINED(v)   _mm256_min_epi32(ISET(INT8_MOST_VALUE), _mm256_max_epi32(ISET(0), v))
#define HALF(v, k)    _mm256_extracti128_si256(CONFINED(v), k)
#define PUT(p, v)     _mm_storeu_si128((__m128i *)(void *)(p), _mm_packs_epi32(HALF(v, 0), HALF(v, 1)))
#include "int8_body.h"

/* The two variants of AVX-512 differ in what a word holds: two values, or four. */
#define CONFINED_512(v)                                                                            \
    _mm512_min_epi32(_mm512_set1_epi32(INT8_MOST_VALUE),                                           \
                     _mm512_max_epi32(_mm512_setzero_si512(), v))

#define VARIANT(name) name##_avx512bw
#define VARIANT_NAME  "avx512bw"
#define VECTORS       VECTORS_AVX512
#define MORE_TARGETS  ",avx512bw"
#define MR            6
#define NV            4
#define VALUE         int16_t
#define IVEC          __m512i
#define ILOAD(p)      _mm512_loadu_si512(p)
#define ISET(x)       _mm512_set1_epi32(x)
#define IADD(a, b)    _mm512_add_epi32(a, b)
#define IMUL(a, b)    _mm512_mullo_epi32(a, b)
#define IDOT(s, x, w) _mm512_add_epi32(s, _mm512_madd_epi16(x, w))
#define TO_FLOAT(v)   _mm512_cvtepi32_ps(v)
#define ROUND(v)      _mm512_cvtps_epi32(v)
#define PUT(p, v)                                                                                  \
    _mm256_storeu_si256((__m256i *)(void *)(p), _mm512_cvtepi32_epi16(CONFINED_512(v)))
#include "int8_body.h"

#define VARIANT(name) name##_avx512vnni
#define VARIANT_NAME  "avx512vnni"
#define VECTORS       VECTORS_AVX512
#define MORE_TARGETS  ",avx512bw,avx512vnni"
#define MR            6
#define NV            4
#define VALUE         uint8_t
#define IVEC          __m512i
#define ILOAD(p)      _mm512_loadu_si512(p)
#define ISET(x)       _mm512_set1_epi32(x)
#define IADD(a, b)    _mm512_add_epi32(a, b)
#define IMUL(a, b)    _mm512_mullo_epi32(a, b)
#define IDOT(s, x, w) _mm512_dpbusd_epi32(s, x, w)
#define TO_FLOAT(v)   _mm512_cvtepi32_ps(v)
#define ROUND(v)      _mm512_cvtps_epi32(v)
#define PUT(p, v)     _mm_storeu_si128((__m128i *)(void *)(p), _mm512_cvtepi32_epi8(CONFINED_512(v)))
#include "int8_body.h"
#endif

static bool can_run(const struct int8_simd *variant)
{
#ifdef __x86_64__
    if (variant == &int8_avx512vnni)
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
    if (variant == &int8_avx512bw)
        return __builtin_cpu_supports("avx512bw");
    if (variant == &int8_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return variant == &int8_portable;
}

const struct int8_simd *int8_variant(size_t better)
{
    const struct int8_simd *variants[] = {
#ifdef __x86_64__
        &int8_avx512vnni, &int8_avx512bw, &int8_avx2,
#endif
        &int8_portable};
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (can_run(variants[i]) && better-- == 0)
            return variants[i];
    }
    return NULL;
}

const struct int8_simd *int8_choose(const struct simd *simd)
{
    const struct int8_simd *v = int8_variant(0);
    for (size_t i = 1; v != NULL && v->lanes > simd->lanes; i++)
        v = int8_variant(i);
    return v;
}

struct int8_range int8_range(float lo, float hi)
{
    float scale = (hi - lo) / INT8_MOST_VALUE;
    if (!(scale >= FLT_MIN && scale <= FLT_MAX))
        return (struct int8_range){scale < FLT_MIN ? 0 : NAN, 0};
    return (struct int8_range){scale, (int32_t)lrintf(-lo / scale)};
}
