/*
 * Depthwise filters; simd_body.h includes this file for each kind of inputs and outputs. Before that
 * it defines FILTER, for the functions' names; ELEMENT, of inputs, and RESULT, of outputs; READ and
 * WRITE, which load a vector of the one and store one of the other; and FORWARD_ALONE, if there are
 * no gradients, for which both are the same.
 */

#define AT(p, i) ((const ELEMENT *)(p) + (i))

/* COLS columns of 3 rows make N pixels of a 3x3 filter. Every load of a weight serves N pixels. */
#define DW3(name, N, STRIDE)                                                                       \
    TARGET static void FILTER(name)(const struct dw *d, const void *const *col, void *y)           \
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
                    VEC x = READ(AT(col[ky * COLS + j], c));                                       \
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
                WRITE((RESULT *)y + (size_t)i * d->nc + c,                                         \
                      VARIANT(activate)(acc[i], d->act, slope));                                   \
        }                                                                                          \
    }
DW3(dw3, DW3_PIXELS, 1)
DW3(dw3_stride2, DW3_PIXELS, 2)
#undef DW3

/* What a column of input adds to a strip's outputs: those of which it is the left one, the middle
   one and the right one. */
TARGET static inline __attribute__((always_inline)) void
FILTER(strip_column)(const void *const *row, size_t at, const VEC w[9], VEC left[STRIP],
                     VEC middle[STRIP], VEC right[STRIP])
{
    UNROLL
    for (int r = 0; r < STRIP + 2; r++) {
        if (row[r] == NULL)
            continue;
        VEC x = READ(AT(row[r], at));
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
TARGET static void FILTER(dw3_strip)(const struct dw *d, const struct dw3_strip *s)
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
                    FILTER(strip_column)(s->row, (size_t)x * d->nc + c, w, left, middle, right);
                UNROLL
                for (int i = 0; i < STRIP; i++) {
                    if (out >= 0)
                        WRITE((RESULT *)s->y + (size_t)i * s->line + (size_t)out * d->nc + c,
                              VARIANT(activate)(right[i], d->act, slope));
                    right[i] = bias;
                }
            }
        }
    }
}

/* One pixel of any depthwise filter. */
TARGET static void FILTER(dw)(const struct dw *d, const void *const *tap, void *y)
{
    for (size_t at = 0; at < d->nc; at += LANES) {
        size_t c = at + LANES > d->nc ? d->nc - LANES : at;
        VEC acc = LOAD(d->bias + c);
        for (size_t t = 0; t < d->taps; t++)
            acc = FMA(READ(AT(tap[t], c)), LOAD(d->w + t * d->nc + c), acc);
        WRITE((RESULT *)y + c, VARIANT(activate)(acc, d->act, LOAD(d->slope + c)));
    }
}

#ifndef FORWARD_ALONE
TARGET static void FILTER(dw3_back)(size_t nc, const float *w, const void *const dy[4],
                                    void *const dx[4])
{
    static const int of[9] = {0, 1, 2, 3, 1, 3, 2, 3, 3}, to[9] = {0, 0, 0, 0, 1, 1, 2, 2, 3};
    for (size_t at = 0; at < nc; at += LANES) {
        size_t c = at + LANES > nc ? nc - LANES : at;
        VEC d[4], sum[4];
        UNROLL
        for (int i = 0; i < 4; i++) {
            d[i] = READ(AT(dy[i], c));
            sum[i] = SET(0);
        }
        UNROLL
        for (int k = 0; k < 9; k++)
            sum[to[k]] = FMA(d[of[k]], LOAD(w + (size_t)k * nc + c), sum[to[k]]);
        UNROLL
        for (int i = 0; i < 4; i++) {
            if (dx[i] != NULL)
                WRITE((RESULT *)dx[i] + c, sum[i]);
        }
    }
}

/* What n vectors of channels, from c on, of a row of dy contribute to a 3x3 filter's gradient: for
   stride 1, where an input and a gradient are each loaded once for the three taps that they share,
   and for any stride. */
enum { FILTER(most) = LANES == 16 ? 2 : 1 }; /* two fill the registers, and a line of the cache */

TARGET static inline __attribute__((always_inline)) void
FILTER(dw3_weights_side_by_side)(const struct dw3_row *r, const ELEMENT *dy, size_t c, const int n,
                                 VEC acc[9][FILTER(most)])
{
    VEC d[3][FILTER(most)];
    UNROLL
    for (int i = 0; i < 3 * n; i++)
        d[i / n][i % n] = SET(0);
    for (int t = 0; t < r->columns + 2; t += 3) {
        UNROLL
        for (int k = 0; k < 3; k++) {
            int x = r->x0 + t + k;
            UNROLL
            for (int i = 0; i < n; i++)
                d[k][i] = t + k < r->columns
                              ? READ(dy + (size_t)(t + k) * r->nc + c + (size_t)i * LANES)
                              : SET(0);
            if (x < 0 || x >= r->width || t + k >= r->columns + 2)
                continue;
            UNROLL
            for (int ky = 0; ky < 3; ky++) {
                UNROLL
                for (int i = 0; i < n; i++) {
                    VEC v = READ(AT(r->row[ky], (size_t)x * r->nc + c + (size_t)i * LANES));
                    UNROLL
                    for (int kx = 0; kx < 3; kx++)
                        acc[3 * ky + kx][i] = FMA(d[(k + 3 - kx) % 3][i], v, acc[3 * ky + kx][i]);
                }
            }
        }
    }
}

TARGET static inline __attribute__((always_inline)) void
FILTER(dw3_weights_apart)(const struct dw3_row *r, const ELEMENT *dy, size_t c, const int n,
                          VEC acc[9][FILTER(most)])
{
    for (int ox = 0; ox < r->columns; ox++) {
        int x = r->x0 + ox * r->stride;
        UNROLL
        for (int i = 0; i < n; i++) {
            const size_t at = c + (size_t)i * LANES;
            VEC d = READ(dy + (size_t)ox * r->nc + at);
            UNROLL
            for (int kx = 0; kx < 3; kx++) {
                if (x + kx < 0 || x + kx >= r->width)
                    continue;
                UNROLL
                for (int ky = 0; ky < 3; ky++)
                    acc[3 * ky + kx][i] =
                        FMA(d, READ(AT(r->row[ky], (size_t)(x + kx) * r->nc + at)),
                            acc[3 * ky + kx][i]);
            }
        }
    }
}

/* Adds it to dw, of the first vector from lane `first` on. */
TARGET static inline __attribute__((always_inline)) void
FILTER(dw3_weights_of)(const struct dw3_row *r, const void *dy, size_t c, const int n, size_t first,
                       float *dw)
{
    VEC acc[9][FILTER(most)];
    UNROLL
    for (int k = 0; k < 9 * n; k++)
        acc[k / n][k % n] = SET(0);
    if (r->stride == 1)
        FILTER(dw3_weights_side_by_side)(r, dy, c, n, acc);
    else
        FILTER(dw3_weights_apart)(r, dy, c, n, acc);
    UNROLL
    for (int k = 0; k < 9 * n; k++)
        VARIANT(add_lanes)
    (dw + (size_t)(k / n) * r->nc + c + (size_t)(k % n) * LANES, acc[k / n][k % n], first);
}

/* The last vector overlaps the one before, whose channels aren't added again. */
TARGET static void FILTER(dw3_weights)(const struct dw3_row *r, const void *dy, float *dw)
{
    size_t at = 0;
    for (; at + FILTER(most) * LANES <= r->nc; at += FILTER(most) * LANES)
        FILTER(dw3_weights_of)(r, dy, at, FILTER(most), 0, dw);
    for (; at < r->nc; at += LANES) {
        size_t c = at + LANES > r->nc ? r->nc - LANES : at;
        FILTER(dw3_weights_of)(r, dy, c, 1, at - c, dw);
    }
}

#endif

#undef AT
#undef FILTER
#undef FORWARD_ALONE
#undef ELEMENT
#undef RESULT
#undef READ
#undef WRITE
