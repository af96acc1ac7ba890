/*
 * Loops over rows of channels in bfloat16; simd_body.h includes this file. Parameters and sums of a
 * channel are loaded once for a few rows. The last vector of a row overlaps the one before.
 */

enum { VARIANT(few) = 4 };

/* Elements: of two arrays that aren't in the cache, the processor doesn't fetch enough by itself. */
enum { VARIANT(ahead) = 1024 };

/* For `some` rows from x on and each vector of channels, from c on. */
#define FEW_ROWS(r, some)                                                                          \
    for (size_t r = 0, some;                                                                       \
         r < rows && (some = rows - r < VARIANT(few) ? rows - r : VARIANT(few)); r += some)
#define VECTORS_OF(nc, at, c)                                                                      \
    for (size_t at = 0, c; at < (nc) && (c = at + LANES > (nc) ? (nc)-LANES : at, true);           \
         at += LANES)

TARGET static void VARIANT(add_rows)(const bfloat *x, size_t ld, size_t rows, size_t nc, float *sum)
{
    FEW_ROWS(r, some)
    {
        VECTORS_OF(nc, at, c)
        {
            VEC s = SET(0);
            for (size_t i = r; i < r + some; i++)
                s = s + WIDEN(x + i * ld + c);
            VARIANT(add_lanes)(sum + c, s, at - c);
        }
    }
}

TARGET static void VARIANT(bn_sums)(const struct bn *b, const bfloat *x, size_t rows, float *sum)
{
    const size_t nc = b->nc;
    FEW_ROWS(r, some)
    {
        VECTORS_OF(nc, at, c)
        {
            const VEC mean = LOAD(b->mean + c);
            VEC s = SET(0), square = SET(0);
            for (size_t i = r; i < r + some; i++) {
                VEC d = WIDEN(x + i * nc + c) - mean;
                s = s + d;
                square = FMA(d, d, square);
            }
            VARIANT(add_lanes)(sum + c, s, at - c);
            VARIANT(add_lanes)(sum + nc + c, square, at - c);
        }
    }
}

TARGET static void VARIANT(bn_scale)(const struct bn *b, const bfloat *x, bfloat *y, size_t rows)
{
    const size_t nc = b->nc;
    const VEC least = SET(b->least), most = SET(b->most);
    FEW_ROWS(r, some)
    {
        VECTORS_OF(nc, at, c)
        {
            const VEC scale = LOAD(b->scale + c), shift = LOAD(b->shift + c);
            for (size_t i = r; i < r + some; i++) {
                VEC v = FMA(WIDEN(x + i * nc + c), scale, shift);
                NARROW(y + i * nc + c, MIN(most, MAX(least, v)));
            }
        }
    }
}

TARGET static void VARIANT(bn_grad_sums)(const struct bn *b, const bfloat *x, const bfloat *dy,
                                         size_t rows, float *sum)
{
    const size_t nc = b->nc;
    const VEC least = SET(b->least), most = SET(b->most);
    FEW_ROWS(r, some)
    {
        VECTORS_OF(nc, at, c)
        {
            const VEC mean = LOAD(b->mean + c), inv = LOAD(b->inv + c);
            const VEC scale = LOAD(b->scale + c), shift = LOAD(b->shift + c);
            VEC s = SET(0), dot = SET(0);
            for (size_t i = r; i < r + some; i++) {
                __builtin_prefetch(x + i * nc + c + VARIANT(ahead));
                __builtin_prefetch(dy + i * nc + c + VARIANT(ahead));
                VEC v = WIDEN(x + i * nc + c), d = WIDEN(dy + i * nc + c);
                d = BETWEEN(FMA(v, scale, shift), least, most, d);
                s = s + d;
                dot = FMA(d, v - mean, dot);
            }
            VARIANT(add_lanes)(sum + c, s, at - c);
            VARIANT(add_lanes)(sum + nc + c, dot * inv, at - c);
        }
    }
}

TARGET static void VARIANT(bn_grad)(const struct bn *b, const bfloat *x, const bfloat *dy,
                                    bfloat *dx, size_t rows)
{
    const size_t nc = b->nc;
    const VEC least = SET(b->least), most = SET(b->most);
    FEW_ROWS(r, some)
    {
        VECTORS_OF(nc, at, c)
        {
            const VEC mean = LOAD(b->mean + c), scale = LOAD(b->scale + c),
                      shift = LOAD(b->shift + c), by = LOAD(b->by + c), sum = LOAD(b->by + nc + c),
                      dot = LOAD(b->by + 2 * nc + c);
            for (size_t i = r; i < r + some; i++) {
                __builtin_prefetch(x + i * nc + c + VARIANT(ahead));
                __builtin_prefetch(dy + i * nc + c + VARIANT(ahead));
                VEC v = WIDEN(x + i * nc + c), d = WIDEN(dy + i * nc + c);
                d = BETWEEN(FMA(v, scale, shift), least, most, d);
                NARROW(dx + i * nc + c, FMA(d, by, FMA(mean - v, dot, SET(0) - sum)));
            }
        }
    }
}

#undef FEW_ROWS
#undef VECTORS_OF
