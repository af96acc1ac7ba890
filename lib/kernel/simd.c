#define _DEFAULT_SOURCE /* syscall */
#include "simd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VARIANT(name) name##_portable
#define VARIANT_NAME  "portable"
#define VECTORS       VECTORS_PORTABLE
#define MR            6
#define NV            2
#define STRIP         2
#define OTHER         NULL
#include "simd_body.h"

#ifdef __x86_64__
#define VARIANT(name) name##_avx2_wide
#define VARIANT_NAME  "avx2"
#define VECTORS       VECTORS_AVX2
#define MR            4
#define NV            3
#define STRIP         2
#define OTHER         NULL
#include "simd_body.h"

#define VARIANT(name) name##_avx2
#define VARIANT_NAME  "avx2"
#define VECTORS       VECTORS_AVX2
#define MR            6
#define NV            2
#define STRIP         2
#define OTHER         &simd_avx2_wide
#include "simd_body.h"

/* Half vectors, in all 32 registers. */
#define VARIANT(name) name##_avx512_half
#define VARIANT_NAME  "avx512"
#define VECTORS       VECTORS_AVX512VL
#define MR            8
#define NV            3
#define STRIP         4
#define OTHER         NULL
#include "simd_body.h"

#define VARIANT(name) name##_avx512_narrow
#define VARIANT_NAME  "avx512"
#define VECTORS       VECTORS_AVX512
#define MR            12
#define NV            2
#define STRIP         4
#define OTHER         &simd_avx512_half
#include "simd_body.h"

/* Four vectors across: each element of a row that is spread over a vector serves four products. */
#define VARIANT(name) name##_avx512
#define VARIANT_NAME  "avx512"
#define VECTORS       VECTORS_AVX512
#define MR            6
#define NV            4
#define STRIP         4
#define OTHER         &simd_avx512_narrow
#include "simd_body.h"

/* The same where an instruction rounds to bfloat16. */
#define VARIANT(name) name##_avx512bf16
#define VARIANT_NAME  "avx512"
#define AMX_NAME      "amx"
#define VECTORS       VECTORS_BF16
#define MR            6
#define NV            4
#define STRIP         4
#define OTHER         &simd_avx512_narrow
#include "simd_body.h"
#endif

#if defined __x86_64__ && defined __linux__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_amx(void)
{
    enum { BF16 = 1 << 22, TILES = 1 << 24 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & BF16) && (d & TILES);
}

bool amx_allowed(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return has_amx() && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#else
bool amx_allowed(void)
{
    return false;
}
#endif

static bool can_run(const struct simd *s)
{
#ifdef __x86_64__
    if (s == &simd_amx_avx512bf16)
        return cpu_has_bf16() && amx_allowed();
    if (s == &simd_avx512bf16)
        return cpu_has_bf16();
    if (s == &simd_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
    if (s == &simd_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return s == &simd_portable;
}

const struct simd *simd_choose(struct mien_err *e)
{
    const struct simd *variants[] = {
#ifdef __x86_64__
        &simd_amx_avx512bf16, &simd_avx512bf16, &simd_avx512, &simd_avx2,
#endif
        &simd_portable};
    const char *wanted = getenv("MIEN_SIMD");
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (can_run(variants[i]) && (wanted == NULL || strcmp(variants[i]->name, wanted) == 0))
            return variants[i];
    }
    mien_err_set(e, MIEN_ERR_ARG, "MIEN_SIMD is '%s', which this processor doesn't run", wanted);
    return NULL;
}
