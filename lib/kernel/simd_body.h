/*
 * The inner loops for one kind of vectors; simd.c includes this file once for each variant. Before
 * that it defines VARIANT and VECTORS, see vec.h, and
 *   VARIANT_NAME   what MIEN_SIMD calls it
 *   AMX_NAME       the same with products of bfloat16s in tiles (gemm_amx.h); optional
 *   MR, NV         a tile: rows, and vectors across
 *   STRIP          rows of outputs that a depthwise filter makes at once
 *   OTHER          the variant's other tiles, or NULL
 */

#include "vec.h"

/* The activation is asked for once. */
TARGET static inline __attribute__((always_inline)) void
VARIANT(activate_all)(VEC acc[MR][NV], enum act act, const float *slope)
{
#define ACTIVATE(act)                                                                              \
    UNROLL                                                                                         \
    for (int v = 0; v < NV; v++) {                                                                 \
        UNROLL                                                                                     \
        for (int i = 0; i < MR; i++)                                                               \
            acc[i][v] = VARIANT(activate)(acc[i][v], act, LOAD(slope + v * LANES));                \
    }
    switch (act) {
    case ACT_RELU:
        ACTIVATE(ACT_RELU)
        break;
    case ACT_RELU6:
        ACTIVATE(ACT_RELU6)
        break;
    case ACT_PRELU:
        ACTIVATE(ACT_PRELU)
        break;
    case ACT_NONE:
        break;
    }
#undef ACTIVATE
}

TARGET static void VARIANT(tile)(const struct tile *t)
{
    enum { NR = NV * LANES };
    VEC acc[MR][NV];
    const float *a[MR], *b = t->b;
    const float *add = t->add;
    float edge[MR * NR], *c = t->c;
    size_t ldc = t->ldc, len = t->len;
    if (t->n < NR) { /* the columns that don't exist are computed and left out */
        for (int i = 0; add != NULL && i < t->m; i++)
            memcpy(edge + i * NR, add + (size_t)i * ldc, (size_t)t->n * sizeof *edge);
        add = add != NULL ? edge : NULL;
        c = edge;
        ldc = NR;
    }
    UNROLL
    for (int v = 0; v < NV; v++) {
        VEC bias = t->bias != NULL ? LOAD(t->bias + v * LANES) : SET(0);
        UNROLL
        for (int i = 0; i < MR; i++)
            acc[i][v] = bias;
    }
    UNROLL
    for (int i = 0; i < MR; i++) {
        if (add == NULL || i >= t->m)
            break;
        UNROLL
        for (int v = 0; v < NV; v++)
            acc[i][v] += LOAD(add + (size_t)i * ldc + v * LANES);
    }
    for (size_t tap = 0; tap < t->taps; tap++) {
        UNROLL
        for (int i = 0; i < MR; i++)
            a[i] = t->rows[tap * MR + (size_t)i] + t->at;
        for (size_t k = 0; k < len; k++, b += NR) {
            VEC w[NV];
            UNROLL
            for (int v = 0; v < NV; v++)
                w[v] = LOAD(b + v * LANES);
            UNROLL
            for (int i = 0; i < MR; i++) {
                VEC x = SET(a[i][k]);
                UNROLL
                for (int v = 0; v < NV; v++)
                    acc[i][v] = FMA(x, w[v], acc[i][v]);
            }
        }
    }
    if (t->tail != NULL)
        VARIANT(activate_all)(acc, t->tail->act, t->slope);
    UNROLL
    for (int i = 0; i < MR; i++) {
        if (i >= t->m)
            break;
        UNROLL
        for (int v = 0; v < NV; v++)
            STORE(c + (size_t)i * ldc + v * LANES, acc[i][v]);
    }
    for (int i = 0; c == edge && i < t->m; i++)
        memcpy(t->c + (size_t)i * t->ldc, edge + i * NR, (size_t)t->n * sizeof *edge);
}

/* Adds lanes of v, from one on, to sums: a vector may overlap the one before. */
TARGET static inline void VARIANT(add_lanes)(float *sum, VEC v, size_t first)
{
    if (first == 0) {
        STORE(sum, LOAD(sum) + v);
        return;
    }
    float some[LANES];
    STORE(some, v);
    for (size_t i = first; i < LANES; i++)
        sum[i] += some[i];
}

#define FILTER(name) VARIANT(name)
#define ELEMENT      float
#define RESULT       float
#define READ(p)      LOAD(p)
#define WRITE(p, v)  STORE(p, v)
#include "depthwise_body.h"

#define FILTER(name) VARIANT(name##_bf16)
#define ELEMENT      bfloat
#define RESULT       bfloat
#define READ(p)      WIDEN(p)
#define WRITE(p, v)  NARROW(p, v)
#include "depthwise_body.h"

#define FILTER(name) VARIANT(name##_to_bf16)
#define FORWARD_ALONE
#define ELEMENT     float
#define RESULT      bfloat
#define READ(p)     LOAD(p)
#define WRITE(p, v) NARROW(p, v)
#include "depthwise_body.h"

#include "bf16_body.h"

/* B' d B, where B' = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]. */
TARGET static void VARIANT(winograd_in)(const float *const pixel[16], float *v, size_t stride,
                                        size_t nc)
{
    for (size_t at = 0; at < nc; at += LANES) {
        size_t c = at + LANES > nc ? nc - LANES : at;
        VEC t[16];
        UNROLL
        for (int x = 0; x < 4; x++) {
            VEC d0 = LOAD(pixel[x] + c), d1 = LOAD(pixel[4 + x] + c);
            VEC d2 = LOAD(pixel[8 + x] + c), d3 = LOAD(pixel[12 + x] + c);
            t[x] = d0 - d2;
            t[4 + x] = d1 + d2;
            t[8 + x] = d2 - d1;
            t[12 + x] = d1 - d3;
        }
        UNROLL
        for (int y = 0; y < 16; y += 4) {
            float *to = v + (size_t)y * stride + c;
            STORE(to, t[y] - t[y + 2]);
            STORE(to + stride, t[y + 1] + t[y + 2]);
            STORE(to + 2 * stride, t[y + 2] - t[y + 1]);
            STORE(to + 3 * stride, t[y + 1] - t[y + 3]);
        }
    }
}

/* A' m A, where A' = [1 1 1 0; 0 1 -1 -1]. */
TARGET static void VARIANT(winograd_out)(const float *m, size_t stride, size_t nc,
                                         const float *bias, const float *slope, enum act act,
                                         float *const out[4])
{
    for (size_t at = 0; at < nc; at += LANES) {
        size_t c = at + LANES > nc ? nc - LANES : at;
        VEC t[8], b = LOAD(bias + c), s = LOAD(slope + c);
        UNROLL
        for (int x = 0; x < 4; x++) {
            const float *p = m + (size_t)x * stride + c;
            VEC m1 = LOAD(p + 4 * stride), m2 = LOAD(p + 8 * stride);
            t[x] = LOAD(p) + m1 + m2;
            t[4 + x] = m1 - m2 - LOAD(p + 12 * stride);
        }
        UNROLL
        for (int y = 4; y >= 0; y -= 4) {
            VEC right = t[y + 1] - t[y + 2] - t[y + 3] + b, left = t[y] + t[y + 1] + t[y + 2] + b;
            float *const *to = y == 4 ? out : out + 2;
            STORE(to[0] + c, VARIANT(activate)(right, act, s));
            STORE(to[1] + c, VARIANT(activate)(left, act, s));
        }
    }
}

#define LOOPS(has_name, has_amx)                                                                   \
    {                                                                                              \
        .name = has_name, .amx = has_amx, .lanes = LANES, .mr = MR, .nr = NV * LANES,              \
        .strip = STRIP, .other = OTHER, .tile = VARIANT(tile),                                     \
        .of_float = {VARIANT(dw),                                                                  \
                     {VARIANT(dw3), VARIANT(dw3_stride2)},                                         \
                     VARIANT(dw3_strip),                                                           \
                     VARIANT(dw3_back),                                                            \
                     VARIANT(dw3_weights)},                                                        \
        .of_bf16 = {VARIANT(dw_bf16),                                                              \
                    {VARIANT(dw3_bf16), VARIANT(dw3_stride2_bf16)},                                \
                    VARIANT(dw3_strip_bf16),                                                       \
                    VARIANT(dw3_back_bf16),                                                        \
                    VARIANT(dw3_weights_bf16)},                                                    \
        .to_bf16 = {VARIANT(dw_to_bf16),                                                           \
                    {VARIANT(dw3_to_bf16), VARIANT(dw3_stride2_to_bf16)},                          \
                    VARIANT(dw3_strip_to_bf16),                                                    \
                    NULL,                                                                          \
                    NULL},                                                                         \
        .rows = {VARIANT(add_rows), VARIANT(bn_sums), VARIANT(bn_scale), VARIANT(bn_grad_sums),    \
                 VARIANT(bn_grad)},                                                                \
        .winograd_in = VARIANT(winograd_in), .winograd_out = VARIANT(winograd_out),                \
    }

static const struct simd VARIANT(simd) = LOOPS(VARIANT_NAME, false);
#ifdef AMX_NAME
static const struct simd VARIANT(simd_amx) = LOOPS(AMX_NAME, true);
#endif

#undef LOOPS
#undef AMX_NAME
#undef VARIANT
#undef VARIANT_NAME
#undef VECTORS
#undef MORE_TARGETS
#undef MR
#undef NV
#undef STRIP
#undef OTHER
