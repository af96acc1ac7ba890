/*
 * Packing operands of products, for elements of one type; gemm_body.h includes this file for each.
 * Before that it defines ELEMENT and
 *
 *   PACKING(name)        the functions' names
 *   VECTOR(p, n)         a vector of the n elements at p, n possibly negative, then zeros; where words
 *                        hold two,
 *   PAIR_OF(p, q, n)     words of n elements each, first and second; q may be NULL
 *   ROW_OF(p, n)         a vector of words of the n terms at p, then zeros
 *   STORE_SOME(p, n, x)  stores the first n words of x, where words hold two
 */

/* Two terms of a panel, the second of which may be missing. */
TARGET static inline __attribute__((always_inline)) void
PACKING(along_panel)(const ELEMENT *x, const ELEMENT *next, int width, float *panel, int w)
{
    for (int v = 0; v < w; v += LANES) {
#if PAIRS
        STORE(panel + v, PAIR_OF(x + v, next != NULL ? next + v : NULL, width - v));
#else
        VEC first = VECTOR(x + v, width - v);
        VEC second = next != NULL ? VECTOR(next + v, width - v) : SET(0);
#if BF16
        STORE(panel + v, second);
        STORE(panel + w + v, first);
#else
        STORE(panel + v, first);
        if (next != NULL)
            STORE(panel + w + v, second);
#endif
#endif
    }
}

/* Term by term over all panels, since memory is read fastest in its order. */
TARGET static void PACKING(along)(const ELEMENT *x, size_t ld, int k, const struct panels *p)
{
    float *words = p->at;
    for (; k > 0; k -= 2, x += 2 * ld, words += VARIANT(words_of_two) * p->w) {
        const ELEMENT *next = k > 1 ? x + ld : NULL;
        float *panel = words;
        for (int i = 0; i < p->count; i += p->each, panel += p->step)
            PACKING(along_panel)
        (x + i, next != NULL ? next + i : NULL, p->count - i < p->each ? p->count - i : p->each,
         panel, p->w);
    }
}

/* A square of words at a time, whose rows are the panel's. */
TARGET static void PACKING(across_panel)(const ELEMENT *x, size_t ld, int k, int width,
                                         float *panel, int w)
{
    enum { TERMS = PAIRS ? 2 * LANES : LANES };
    for (; k > 0; k -= TERMS, x += TERMS, panel += LANES * w) {
        int words = PAIRS ? (k + 1) / 2 : BF16 ? (k + 1) / 2 * 2 : k;
        for (int v = 0; v < w; v += LANES) {
            VEC r[LANES];
            UNROLL
            for (int i = 0; i < LANES; i++)
                r[i] = v + i < width ? ROW_OF(x + (size_t)(v + i) * ld, k) : SET(0);
            TRANSPOSE(r);
            UNROLL
            for (int i = 0; i < LANES; i++) {
                if (i < words)
                    STORE(panel + i * w + v, r[i]);
            }
        }
    }
}

TARGET static void PACKING(across)(const ELEMENT *x, size_t ld, int k, const struct panels *p)
{
    float *panel = p->at;
    for (int i = 0; i < p->count; i += p->each, panel += p->step)
        PACKING(across_panel)
    (x + (size_t)i * ld, ld, k, p->count - i < p->each ? p->count - i : p->each, panel, p->w);
}

#if PAIRS
/* Row after row, of panels of a multiple of LANES rows: a square of words at a time. */
TARGET static void PACKING(along_rows)(const ELEMENT *x, size_t ld, int k, const struct panels *p)
{
    enum { TERMS = 2 * LANES };
    for (size_t word = 0; k > 0; k -= TERMS, x += TERMS * ld, word += LANES) {
        for (int i = 0; i < p->count; i += LANES) {
            float *row =
                p->at + (size_t)(i / p->each) * p->step + (size_t)(i % p->each) * (size_t)p->w;
            VEC r[LANES];
            UNROLL
            for (int t = 0; t < LANES; t++) {
                const ELEMENT *at = x + (2 * t < k ? (size_t)(2 * t) * ld + (size_t)i : 0);
                r[t] = PAIR_OF(at, 2 * t + 1 < k ? at + ld : NULL, 2 * t < k ? p->count - i : 0);
            }
            TRANSPOSE(r);
            UNROLL
            for (int j = 0; j < LANES; j++, row += p->w) {
                if (i + j < p->count)
                    STORE_SOME(row + word, (k + 1) / 2, r[j]);
            }
        }
    }
}

TARGET static void PACKING(across_rows)(const ELEMENT *x, size_t ld, int k, const struct panels *p)
{
    for (int i = 0; i < p->count; i++, x += ld) {
        float *row = p->at + (size_t)(i / p->each) * p->step + (size_t)(i % p->each) * (size_t)p->w;
        for (int j = 0; j < k; j += 2 * LANES, row += LANES)
            STORE_SOME(row, (k - j + 1) / 2, ROW_OF(x + j, k - j));
    }
}
#endif

#undef PACKING
#undef ELEMENT
#undef VECTOR
#undef PAIR_OF
#undef ROW_OF
