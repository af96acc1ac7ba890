/* Resizing by interpolation, with the coordinates that ONNX's Resize knows. */
#include <math.h>
#include <string.h>

#include "layers.h"

/* The input places that one output place is made of, and their weights. */
struct taps {
    int n, at[4];
    real w[4];
};

/* Where output place o lies among the input's. */
static double coordinate(const struct layer *l, int o, int in, int out, double scale)
{
    double size = scale == 0 ? out : scale * in; /* a scale may lead between two sizes */
    if (scale == 0)
        scale = (double)out / in;
    switch (l->coords) {
    case COORDS_ASYMMETRIC:
        return o / scale;
    case COORDS_CORNERS:
        return out == 1 || size <= 1 ? 0 : o * (in - 1) / (size - 1);
    case COORDS_PYTORCH:
        return out == 1 ? 0 : (o + 0.5) / scale - 0.5;
    default:
        return (o + 0.5) / scale - 0.5;
    }
}

static int within(double x, int in)
{
    return x < 0 ? 0 : x > in - 1 ? in - 1 : (int)x;
}

static double rounded(const struct layer *l, double x)
{
    switch (l->rounding) {
    case ROUND_FLOOR:
        return floor(x);
    case ROUND_CEIL:
        return ceil(x);
    case ROUND_PREFER_CEIL:
        return floor(x + 0.5);
    default:
        return ceil(x - 0.5);
    }
}

/* Keys' cubic convolution (1981) with a = -0.75. */
static double cubic(double d)
{
    const double a = -0.75;
    d = fabs(d);
    return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

static struct taps taps_of(const struct layer *l, int o, int in, int out, double scale)
{
    double x = coordinate(l, o, in, out, scale), low = floor(x);
    if (l->kind == INTERPOLATE_NEAREST)
        return (struct taps){1, {within(rounded(l, x), in)}, {1}};
    if (l->kind == INTERPOLATE_LINEAR) {
        real f = (real)(x - low);
        return (struct taps){2, {within(low, in), within(low + 1, in)}, {1 - f, f}};
    }
    struct taps t = {.n = 4};
    for (int k = 0; k < 4; k++) {
        t.at[k] = within(low + k - 1, in);
        t.w[k] = (real)cubic(x - (low + k - 1));
    }
    return t;
}

/* y += w x, or x += w y where back. */
SIMD static void add_tap(real *restrict y, const real *restrict x, real w, size_t c)
{
    for (size_t i = 0; i < c; i++)
        y[i] += w * x[i];
}

void k_resize(const struct layer *l, struct shape in, const real *x, real *y, size_t n, bool back)
{
    struct shape out = l->shape;
    size_t c = (size_t)in.c;
    memset(y, 0, n * shape_count(back ? in : out) * sizeof *y);
    for (size_t i = 0; i < n; i++) {
        for (int oy = 0; oy < out.h; oy++) {
            struct taps v = taps_of(l, oy, in.h, out.h, (double)l->a);
            for (int ox = 0; ox < out.w; ox++) {
                struct taps u = taps_of(l, ox, in.w, out.w, (double)l->b);
                for (int k = 0; k < v.n * u.n; k++) {
                    int a = v.at[k / u.n], b = u.at[k % u.n];
                    size_t from = ((i * (size_t)in.h + (size_t)a) * (size_t)in.w + (size_t)b) * c;
                    size_t to = ((i * (size_t)out.h + (size_t)oy) * (size_t)out.w + (size_t)ox) * c;
                    real w = v.w[k / u.n] * u.w[k % u.n];
                    add_tap(y + (back ? from : to), x + (back ? to : from), w, c);
                }
            }
        }
    }
}
