/*
 * What the sources of inner loops share: types of vectors. A source includes vec_portable.h,
 * vec_avx2.h or vec_avx512.h and then its loops, once for each kind of vectors.
 */
#ifndef MIEN_KERNEL_VEC_H
#define MIEN_KERNEL_VEC_H

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define UNROLL _Pragma("GCC unroll 16")

typedef float vec4 __attribute__((vector_size(16), aligned(4)));
typedef int mask4 __attribute__((vector_size(16)));

#endif
