/*
 * Products in eight bits for one kind of vectors; int8.c includes this file once for each variant.
 * Before that it defines VARIANT and VECTORS, see vec.h, and
 *   VARIANT_NAME     its name
 *   MR, NV           a tile: rows, and vectors across
 *   VALUE            the type of a value, and of a weight but for its sign
 *   IVEC             a vector of LANES 32-bit words
 *   ILOAD ISET IADD IMUL
 *   IDOT(acc, x, w)  adds, word by word, the products of the words' values and weights
 *   TO_FLOAT ROUND   between words and floats, ROUND to the nearest, halves to the even
 *   PUT(p, v)        stores a vector's words as values, confined to 0 to INT8_MOST_VALUE
 */

#include "vec.h"

TARGET static void VARIANT(tile)(const struct int8_tile *t)
{
    enum { NR = NV * LANES };
    IVEC acc[MR][NV];
    const char *a[MR], *b = t->b;
    float edge[MR * NR];
    UNROLL
    for (int i = 0; i < MR; i++) {
        UNROLL
        for (int v = 0; v < NV; v++)
            acc[i][v] = ISET(0);
    }
    for (size_t tap = 0; tap < t->taps; tap++) {
        UNROLL
        for (int i = 0; i < MR; i++)
            a[i] = t->rows[tap * MR + (size_t)i];
        for (size_t k = 0; k < 4 * t->steps; k += 4, b += 4 * NR) {
            IVEC w[NV];
            UNROLL
            for (int v = 0; v < NV; v++)
                w[v] = ILOAD(b + 4 * v * LANES);
            UNROLL
            for (int i = 0; i < MR; i++) {
                int32_t word;
                memcpy(&word, a[i] + k, sizeof word);
                IVEC x = ISET(word);
                UNROLL
                for (int v = 0; v < NV; v++)
                    acc[i][v] = IDOT(acc[i][v], x, w[v]);
            }
        }
    }
    float *c = t->n < NR ? edge : t->c;
    size_t ldc = t->n < NR ? NR : t->ldc;
    const float *add = t->add;
    for (int i = 0; add != NULL && c == edge && i < t->m; i++)
        memcpy(edge + i * NR, add + (size_t)i * t->ldc, (size_t)t->n * sizeof *edge);
    add = add != NULL && c == edge ? edge : add;
    UNROLL
    for (int i = 0; i < MR; i++) {
        const struct int8_range *range = &t->range[i];
        UNROLL
        for (int v = 0; v < NV; v++) {
            IVEC sum = acc[i][v];
            if (range->zero != 0)
                sum = IADD(sum, IMUL(ISET(-range->zero), ILOAD(t->sum + v * LANES)));
            VEC r = FMA(TO_FLOAT(sum), SET(range->scale) * LOAD(t->scale + v * LANES),
                        LOAD(t->bias + v * LANES));
            if (i >= t->m)
                continue;
            if (add != NULL)
                r += LOAD(add + (size_t)i * ldc + v * LANES);
            STORE(c + (size_t)i * ldc + v * LANES,
                  VARIANT(activate)(r, t->act, LOAD(t->slope + v * LANES)));
        }
    }
    for (int i = 0; c == edge && i < t->m; i++)
        memcpy(t->c + (size_t)i * t->ldc, edge + i * NR, (size_t)t->n * sizeof *edge);
}

TARGET static void VARIANT(extent)(const float *x, size_t n, float *lo, float *hi)
{
    VEC least = SET(*lo), most = SET(*hi), broken = SET(0);
    float a[LANES], b[LANES], c[LANES], sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        VEC v = LOAD(x + i);
        least = MIN(v, least);
        most = MAX(v, most);
        broken = FMA(v, SET(0), broken);
    }
    STORE(a, least);
    STORE(b, most);
    STORE(c, broken);
    for (int k = 0; k < LANES; k++) {
        *lo = a[k] < *lo ? a[k] : *lo;
        *hi = b[k] > *hi ? b[k] : *hi;
        sum += c[k];
    }
    for (; i < n; i++) {
        *lo = x[i] < *lo ? x[i] : *lo;
        *hi = x[i] > *hi ? x[i] : *hi;
        sum += 0 * x[i];
    }
    *hi += sum; /* 0, or NaN */
}

TARGET static void VARIANT(quantize)(const float *x, size_t pixels, size_t nc,
                                     const struct int8_range *r, void *to, size_t words)
{
    float inverse = r->scale > 0 ? 1 / r->scale : 0;
    if (nc % LANES == 0 && nc * sizeof(VALUE) == 4 * words) { /* pixels without gaps */
        nc *= pixels;
        pixels = 1;
    }
    for (size_t p = 0; p < pixels; p++, x += nc) {
        VALUE *q = (VALUE *)((char *)to + 4 * words * p);
        size_t i = 0;
        for (; i + LANES <= nc; i += LANES)
            PUT(q + i, IADD(ROUND(LOAD(x + i) * SET(inverse)), ISET(r->zero)));
        if (i < nc) {
            float rest[LANES] = {0};
            VALUE values[LANES];
            memcpy(rest, x + i, (nc - i) * sizeof *x);
            PUT(values, IADD(ROUND(LOAD(rest) * SET(inverse)), ISET(r->zero)));
            memcpy(q + i, values, (nc - i) * sizeof *q);
            memset(q + nc, 0, 4 * words - nc * sizeof *q);
        }
    }
}

static const struct int8_simd VARIANT(int8) = {
    VARIANT_NAME,     LANES, MR, NV *LANES, sizeof(VALUE), VARIANT(tile), VARIANT(extent),
    VARIANT(quantize)};

#undef VARIANT
#undef VARIANT_NAME
#undef VECTORS
#undef MORE_TARGETS
#undef MR
#undef NV
#undef VALUE
#undef IVEC
#undef ILOAD
#undef ISET
#undef IADD
#undef IMUL
#undef IDOT
#undef TO_FLOAT
#undef ROUND
#undef PUT
