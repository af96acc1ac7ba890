#include "simd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define UNROLL _Pragma("GCC unroll 16")

/* --- Portable: vectors of four floats, of the compiler's ------------------------------------ */

typedef float vec4 __attribute__((vector_size(16), aligned(4)));
typedef int mask4 __attribute__((vector_size(16)));

#define FORM(name)      name##_portable
#define FORM_NAME       "portable"
#define TARGET
#define VEC             vec4
#define LANES           4
#define MR              6
#define NV              2
#define OTHER           NULL
#define LOAD(p)         (*(const vec4 *)(const void *)(p))
#define STORE(p, v)     (*(vec4 *)(void *)(p) = (v))
#define SET(x)          ((vec4){x, x, x, x})
#define FMA(a, b, c)    ((a) * (b) + (c))
#define CHOOSE(m, a, b) ((vec4)(((mask4)(m) & (mask4)(a)) | (~(mask4)(m) & (mask4)(b))))
#define MAX(a, b)       CHOOSE((a) > (b), a, b)
#define MIN(a, b)       CHOOSE((a) < (b), a, b)
#include "simd_body.h"

#ifdef __x86_64__
#include <immintrin.h>

#define FORM(name)   name##_avx2_wide
#define FORM_NAME    "avx2"
#define TARGET       __attribute__((target("avx2,fma")))
#define VEC          __m256
#define LANES        8
#define MR           4
#define NV           3
#define OTHER        NULL
#define LOAD(p)      _mm256_loadu_ps(p)
#define STORE(p, v)  _mm256_storeu_ps(p, v)
#define SET(x)       _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm256_max_ps(a, b)
#define MIN(a, b)    _mm256_min_ps(a, b)
#include "simd_body.h"

#define FORM(name)   name##_avx2
#define FORM_NAME    "avx2"
#define TARGET       __attribute__((target("avx2,fma")))
#define VEC          __m256
#define LANES        8
#define MR           6
#define NV           2
#define OTHER        &simd_avx2_wide
#define LOAD(p)      _mm256_loadu_ps(p)
#define STORE(p, v)  _mm256_storeu_ps(p, v)
#define SET(x)       _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm256_max_ps(a, b)
#define MIN(a, b)    _mm256_min_ps(a, b)
#include "simd_body.h"

#define FORM(name)   name##_avx512_narrow
#define FORM_NAME    "avx512"
#define TARGET       __attribute__((target("avx512f")))
#define VEC          __m512
#define LANES        16
#define MR           12
#define NV           2
#define OTHER        NULL
#define LOAD(p)      _mm512_loadu_ps(p)
#define STORE(p, v)  _mm512_storeu_ps(p, v)
#define SET(x)       _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm512_max_ps(a, b)
#define MIN(a, b)    _mm512_min_ps(a, b)
#include "simd_body.h"

#define FORM(name)   name##_avx512
#define FORM_NAME    "avx512"
#define TARGET       __attribute__((target("avx512f")))
#define VEC          __m512
#define LANES        16
#define MR           6
#define NV           4
#define OTHER        &simd_avx512_narrow
#define LOAD(p)      _mm512_loadu_ps(p)
#define STORE(p, v)  _mm512_storeu_ps(p, v)
#define SET(x)       _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAX(a, b)    _mm512_max_ps(a, b)
#define MIN(a, b)    _mm512_min_ps(a, b)
#include "simd_body.h"
#endif

static bool can_run(const struct simd *s)
{
#ifdef __x86_64__
    if (s == &simd_avx512)
        return __builtin_cpu_supports("avx512f");
    if (s == &simd_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return s == &simd_portable;
}

const struct simd *simd_choose(struct err *e)
{
    const struct simd *forms[] = {
#ifdef __x86_64__
        &simd_avx512, &simd_avx2,
#endif
        &simd_portable};
    const char *wanted = getenv("MIEN_SIMD");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (can_run(forms[i]) && (wanted == NULL || strcmp(forms[i]->name, wanted) == 0))
            return forms[i];
    }
    err_set(e, ERR_ARG, "MIEN_SIMD is '%s', which this processor doesn't run", wanted);
    return NULL;
}
