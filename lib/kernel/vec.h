/*
 * Vectors of floats. The sources of inner loops are compiled once for each kind of vectors: such a
 * source includes this file after defining VARIANT, for its functions' names, and VECTORS, one of
 *
 *   VECTORS_PORTABLE   four floats, the compiler's own vectors
 *   VECTORS_AVX2       eight
 *   VECTORS_AVX512VL   eight, in the registers of AVX-512, which are twice as many
 *   VECTORS_AVX512     sixteen; with MORE_TARGETS, such as ",avx512bw", if its loops need them
 *
 * and gets
 *
 *   TARGET                the attribute of functions that use them
 *   VEC LANES             a vector's type, and its floats
 *   LOAD STORE            from and to any address
 *   SET FMA MAX MIN       all lanes x; a b + c; MAX and MIN give b where a lane is no number
 *   VARIANT(activate)     an activation, slope being for ACT_PRELU
 *
 * Included again it replaces them; without VECTORS it has only the types below.
 */
#ifndef MIEN_KERNEL_VEC_H
#define MIEN_KERNEL_VEC_H

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define VECTORS_PORTABLE 1
#define VECTORS_AVX2     2
#define VECTORS_AVX512VL 3
#define VECTORS_AVX512   4

#define UNROLL _Pragma("GCC unroll 16")

typedef float vec4 __attribute__((vector_size(16), aligned(4)));
typedef int mask4 __attribute__((vector_size(16)));

#endif

#ifdef VECTORS

#undef TARGET
#undef VEC
#undef LANES
#undef LOAD
#undef STORE
#undef SET
#undef FMA
#undef MAX
#undef MIN
#undef CHOOSE

#ifndef MORE_TARGETS
#define MORE_TARGETS ""
#endif

#if VECTORS == VECTORS_PORTABLE
#define TARGET
#define VEC             vec4
#define LANES           4
#define LOAD(p)         (*(const vec4 *)(const void *)(p))
#define STORE(p, v)     (*(vec4 *)(void *)(p) = (v))
#define SET(x)          ((vec4){x, x, x, x})
#define FMA(a, b, c)    ((a) * (b) + (c))
#define CHOOSE(m, a, b) ((vec4)(((mask4)(m) & (mask4)(a)) | (~(mask4)(m) & (mask4)(b))))
#define MAX(a, b)       CHOOSE((a) > (b), a, b)
#define MIN(a, b)       CHOOSE((a) < (b), a, b)

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
#define SET(x)       _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm256_max_ps(a, b)
#define MIN(a, b)    _mm256_min_ps(a, b)

#elif VECTORS == VECTORS_AVX512
#define TARGET       __attribute__((target("avx512f" MORE_TARGETS)))
#define VEC          __m512
#define LANES        16
#define LOAD(p)      _mm512_loadu_ps(p)
#define STORE(p, v)  _mm512_storeu_ps(p, v)
#define SET(x)       _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm512_max_ps(a, b)
#define MIN(a, b)    _mm512_min_ps(a, b)
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
