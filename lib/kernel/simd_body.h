/*
 * The inner loops for one kind of vectors; simd.c includes this file once for each variant. Before
 * that it defines VARIANT and VECTORS, see vec.h, and
 *   VARIANT_NAME   what MIEN_SIMD calls it
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

/* COLS columns of 3 rows make N pixels of a 3x3 filter. Every load of a weight serves N pixels. */
#define DW3(name, N, STRIDE)                                                                       \
    TARGET static void VARIANT(name)(const struct dw *d, const float *const *col, float *y)        \
    {                                                                                              \
        enum { COLS = (N - 1) * STRIDE + 3 };                                                      \
        for (size_t at = 0; at < d->nc; at += LANES) {                                             \
            size_t c = at + LANES > d->nc ? d->nc - LANES : at;                                    \
            VEC acc[N];                                                                            \
            UNROLL                                                                                 \
            for (int i = 0; i < N; i++)                                                            \
                acc[i] = LOAD(d->bias + c);                                                        \
            UNROLL                                                                                 \
            for (int ky = 0; ky < 3; ky++) {                                                       \
                VEC w[3];                                                                          \
                UNROLL                                                                             \
                for (int kx = 0; kx < 3; kx++)                                                     \
                    w[kx] = LOAD(d->w + (size_t)(3 * ky + kx) * d->nc + c);                        \
                UNROLL                                                                             \
                for (int j = 0; j < COLS; j++) {                                                   \
                    VEC x = LOAD(col[ky * COLS + j] + c);                                          \
                    UNROLL                                                                         \
                    for (int i = 0; i < N; i++) {                                                  \
                        if (j >= i * STRIDE && j < i * STRIDE + 3)                                 \
                            acc[i] = FMA(x, w[j - i * STRIDE], acc[i]);                            \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
            VEC slope = LOAD(d->slope + c);                                                        \
            UNROLL                                                                                 \
            for (int i = 0; i < N; i++)                                                            \
                STORE(y + (size_t)i * d->nc + c, VARIANT(activate)(acc[i], d->act, slope));        \
        }                                                                                          \
    }
DW3(dw3, DW3_PIXELS, 1)
DW3(dw3_stride2, DW3_PIXELS, 2)
#undef DW3

/* What a column of input adds to a strip's outputs: those of which it is the left one, the middle
   one and the right one. */
TARGET static inline __attribute__((always_inline)) void
VARIANT(strip_column)(const float *const *row, size_t at, const VEC w[9], VEC left[STRIP],
                      VEC middle[STRIP], VEC right[STRIP])
{
    UNROLL
    for (int r = 0; r < STRIP + 2; r++) {
        if (row[r] == NULL)
            continue;
        VEC x = LOAD(row[r] + at);
        UNROLL
        for (int i = 0; i < STRIP; i++) {
            int ky = r - i;
            if (ky < 0 || ky > 2)
                continue;
            left[i] = FMA(x, w[3 * ky], left[i]);
            middle[i] = FMA(x, w[3 * ky + 1], middle[i]);
            right[i] = FMA(x, w[3 * ky + 2], right[i]);
        }
    }
}

/* The weights and the sums under way stay in registers while the columns go by; each input is
   loaded once for the nine outputs it is a part of. */
TARGET static void VARIANT(dw3_strip)(const struct dw *d, const struct dw3_strip *s)
{
    for (size_t at = 0; at < d->nc; at += LANES) {
        size_t c = at + LANES > d->nc ? d->nc - LANES : at;
        const VEC bias = LOAD(d->bias + c), slope = LOAD(d->slope + c);
        VEC w[9], sum[3][STRIP];
        UNROLL
        for (int k = 0; k < 9; k++)
            w[k] = LOAD(d->w + (size_t)k * d->nc + c);
        UNROLL
        for (int i = 0; i < STRIP; i++)
            sum[0][i] = sum[1][i] = sum[2][i] = bias;
        for (int t = 0; t < s->columns + 2; t += 3) {
            UNROLL
            for (int k = 0; k < 3; k++) {
                VEC *left = sum[k], *middle = sum[(k + 2) % 3], *right = sum[(k + 1) % 3];
                int x = s->x0 + t + k, out = t + k - 2;
                if (out >= s->columns)
                    break;
                if (x >= 0 && x < s->width)
                    VARIANT(strip_column)(s->row, (size_t)x * d->nc + c, w, left, middle, right);
                UNROLL
                for (int i = 0; i < STRIP; i++) {
                    if (out >= 0)
                        STORE(s->y + (size_t)i * s->line + (size_t)out * d->nc + c,
                              VARIANT(activate)(right[i], d->act, slope));
                    right[i] = bias;
                }
            }
        }
    }
}

/* One pixel of any depthwise filter. */
TARGET static void VARIANT(dw)(const struct dw *d, const float *const *tap, float *y)
{
    for (size_t at = 0; at < d->nc; at += LANES) {
        size_t c = at + LANES > d->nc ? d->nc - LANES : at;
        VEC acc = LOAD(d->bias + c);
        for (size_t t = 0; t < d->taps; t++)
            acc = FMA(LOAD(tap[t] + c), LOAD(d->w + t * d->nc + c), acc);
        STORE(y + c, VARIANT(activate)(acc, d->act, LOAD(d->slope + c)));
    }
}

/* Adds to dw[9, nc] what a row of dy contributes to a 3x3 filter's gradient. row: the three rows of
   input under it; x0: the column under the first tap of the first pixel. */
TARGET static void VARIANT(dw3_weights)(const struct dw3_row *r, const float *dy, float *dw)
{
    size_t nc = r->nc, whole = nc - nc % LANES;
    for (size_t c = 0; c < whole; c += LANES) {
        VEC acc[9];
        UNROLL
        for (int k = 0; k < 9; k++)
            acc[k] = LOAD(dw + (size_t)k * nc + c);
        for (int ox = 0; ox < r->columns; ox++) {
            int x = r->x0 + ox * r->stride;
            VEC d = LOAD(dy + (size_t)ox * nc + c);
            if (x >= 0 && x + 3 <= r->width) {
                size_t at = (size_t)x * nc + c;
                UNROLL
                for (int ky = 0; ky < 3; ky++) {
                    UNROLL
                    for (int kx = 0; kx < 3; kx++)
                        acc[3 * ky + kx] =
                            FMA(d, LOAD(r->row[ky] + at + (size_t)kx * nc), acc[3 * ky + kx]);
                }
                continue;
            }
            UNROLL
            for (int kx = 0; kx < 3; kx++) {
                if (x + kx < 0 || x + kx >= r->width)
                    continue;
                UNROLL
                for (int ky = 0; ky < 3; ky++)
                    acc[3 * ky + kx] =
                        FMA(d, LOAD(r->row[ky] + (size_t)(x + kx) * nc + c), acc[3 * ky + kx]);
            }
        }
        UNROLL
        for (int k = 0; k < 9; k++)
            STORE(dw + (size_t)k * nc + c, acc[k]);
    }
    for (size_t c = whole; c < nc; c++) {
        for (int k = 0; k < 9; k++) {
            for (int ox = 0; ox < r->columns; ox++) {
                int x = r->x0 + ox * r->stride + k % 3;
                if (x >= 0 && x < r->width)
                    dw[(size_t)k * nc + c] +=
                        dy[(size_t)ox * nc + c] * r->row[k / 3][(size_t)x * nc + c];
            }
        }
    }
}

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

static const struct simd VARIANT(simd) = {VARIANT_NAME,
                                          LANES,
                                          MR,
                                          NV *LANES,
                                          STRIP,
                                          OTHER,
                                          VARIANT(tile),
                                          VARIANT(dw),
                                          {VARIANT(dw3), VARIANT(dw3_stride2)},
                                          VARIANT(dw3_strip),
                                          VARIANT(dw3_weights),
                                          VARIANT(winograd_in),
                                          VARIANT(winograd_out)};

#undef VARIANT
#undef VARIANT_NAME
#undef VECTORS
#undef MORE_TARGETS
#undef MR
#undef NV
#undef STRIP
#undef OTHER
