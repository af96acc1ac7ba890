/* The weights of an axis, and the two passes in their portable form. */
#include "resize_axis.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A filter is zero beyond its support. */
static const double support[] = {[MIEN_BOX] = 0.5, [MIEN_TRIANGLE] = 1, [MIEN_LANCZOS3] = 3};

static double sinc(double x)
{
    x *= 3.14159265358979323846;
    return x == 0 ? 1 : sin(x) / x;
}

static double filter_at(enum mien_resampling f, double x)
{
    switch (f) {
    case MIEN_BOX:
        return x > -0.5 && x <= 0.5;
    case MIEN_TRIANGLE:
        return fmax(0, 1 - fabs(x));
    case MIEN_LANCZOS3:
        return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
    return 0;
}

/* The source pixels that output pixel i of an axis sees: lo up to, not including, hi. */
struct window {
    double center, stretch;
    int lo, hi;
};

static struct window window_at(const struct axis *a, int i)
{
    double scale = a->len / a->out;
    struct window v = {.center = a->start + (i + 0.5) * scale, .stretch = fmax(1, scale)};
    double reach = support[a->filter] * v.stretch;
    v.lo = (int)fmax(0, v.center - reach + 0.5);
    v.hi = (int)fmin(a->in, v.center + reach + 0.5);
    return v;
}

/* The weights of a window, normalized, into w. */
static void weigh(enum mien_resampling f, const struct window *v, double *w)
{
    double sum = 0, shrink = 1 / v->stretch;
    for (int k = 0; k < v->hi - v->lo; k++) {
        w[k] = filter_at(f, (v->lo + k - v->center + 0.5) * shrink);
        sum += w[k];
    }
    for (int k = 0; k < v->hi - v->lo; k++)
        w[k] /= sum;
}

void resize_axis_free(struct axis *a)
{
    free(a->first);
    free(a->real);
    free(a->weight);
    free(a->split);
    *a = (struct axis){0};
}

static int axis_room(struct axis *a, size_t nweight)
{
    if ((size_t)a->out <= a->cap_out && nweight <= a->cap_weight)
        return 0;
    struct axis old = *a;
    resize_axis_free(a);
    *a = (struct axis){.in = old.in, .out = old.out, .taps = old.taps, .filter = old.filter};
    a->start = old.start;
    a->len = old.len;
    a->cap_out = (size_t)a->out;
    a->cap_weight = nweight;
    assert(a->cap_out > 0 && nweight > 0);
    a->first = malloc(a->cap_out * sizeof *a->first);
    a->real = malloc(nweight * sizeof *a->real);
    a->weight = malloc(nweight * sizeof *a->weight);
    a->split = malloc(2 * nweight * sizeof *a->split);
    return a->first == NULL || a->real == NULL || a->weight == NULL || a->split == NULL
               ? MIEN_ERR_MEM
               : 0;
}

static void to_fixed(struct axis *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a->weight[i] = (int32_t)lround(a->real[i] * (1 << WEIGHT_BITS));
    for (size_t i = 0; i < n; i += 2) {
        for (size_t k = 0; k < 2; k++) {
            int32_t low = a->weight[i + k] & ((1 << LOW_BITS) - 1);
            a->split[2 * i + k] = (int16_t)((a->weight[i + k] - low) / (1 << LOW_BITS));
            a->split[2 * i + 2 + k] = (int16_t)low;
        }
    }
}

int resize_axis_set(struct axis *a, int in, double start, double len, int out,
                    enum mien_resampling f)
{
    if (a->in == in && a->start == start && a->len == len && a->out == out && a->filter == f)
        return 0;
    a->in = in;
    a->start = start;
    a->len = len;
    a->out = out;
    a->filter = f;
    a->taps = 0;
    for (int i = 0; i < out; i++) {
        struct window v = window_at(a, i);
        if (v.hi - v.lo > a->taps)
            a->taps = v.hi - v.lo;
    }
    a->taps += a->taps % 2;
    size_t n = (size_t)out * (size_t)a->taps;
    if (axis_room(a, n) < 0) {
        resize_axis_free(a);
        return MIEN_ERR_MEM;
    }
    memset(a->real, 0, n * sizeof *a->real);
    for (int i = 0; i < out; i++) {
        struct window v = window_at(a, i);
        int last = in > a->taps ? in - a->taps : 0; /* where all taps still lie within the source */
        a->first[i] = v.lo < last ? v.lo : last;
        weigh(f, &v, a->real + (size_t)i * (size_t)a->taps + (v.lo - a->first[i]));
    }
    to_fixed(a, n);
    return 0;
}

static unsigned char clip8(int32_t v)
{
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

void resize_rows(const struct axis *x, const unsigned char *src, int h, unsigned char *dst)
{
    size_t in = (size_t)x->in * 3;
    int n = axis_taps(x);
    for (int y = 0; y < h; y++, src += in) {
        const int32_t *w = x->weight;
        for (int i = 0; i < x->out; i++, w += x->taps, dst += 3) {
            const unsigned char *s = src + (size_t)x->first[i] * 3;
            int32_t r = 1 << (WEIGHT_BITS - 1), g = r, b = r;
            for (int k = 0; k < n; k++, s += 3) {
                r += w[k] * s[0];
                g += w[k] * s[1];
                b += w[k] * s[2];
            }
            dst[0] = clip8(r >> WEIGHT_BITS);
            dst[1] = clip8(g >> WEIGHT_BITS);
            dst[2] = clip8(b >> WEIGHT_BITS);
        }
    }
}

enum { BLOCK = 64 }; /* bytes of a row whose sums the compiler keeps in registers */

/* len bytes of an output row: the sum of taps rows, n bytes apart, times their weights. */
static inline void weigh_rows(const int32_t *w, int taps, const unsigned char *src, size_t n,
                              size_t len, unsigned char *dst)
{
    int32_t sum[BLOCK];
    for (size_t b = 0; b < len; b++)
        sum[b] = 1 << (WEIGHT_BITS - 1);
    for (int k = 0; k < taps; k++, src += n) {
        for (size_t b = 0; b < len; b++)
            sum[b] += w[k] * src[b];
    }
    for (size_t b = 0; b < len; b++)
        dst[b] = clip8(sum[b] >> WEIGHT_BITS);
}

void resize_column_part(const struct axis *y, int i, const unsigned char *src, size_t n,
                        size_t from, unsigned char *dst)
{
    const int32_t *w = y->weight + (size_t)i * (size_t)y->taps;
    int taps = axis_taps(y);
    src += (size_t)y->first[i] * n;
    for (; from + BLOCK <= n; from += BLOCK)
        weigh_rows(w, taps, src + from, n, BLOCK, dst + from);
    weigh_rows(w, taps, src + from, n, n - from, dst + from);
}

void resize_columns(const struct axis *y, const unsigned char *src, size_t n, unsigned char *dst)
{
    for (int i = 0; i < y->out; i++)
        resize_column_part(y, i, src, n, 0, dst + (size_t)i * n);
}
