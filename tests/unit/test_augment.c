/* Augmentation: what each option does, measured on the pixels alone; ranges, shares, seeds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/augment.h"
#include "util/hash.h"

enum { H = 40, W = 56, N = H * W * 3 };

static unsigned char noisy[N], ramp[N], out[N];

static int set_up(void **state)
{
    struct rng r = {1};
    (void)state;
    for (int i = 0; i < N; i++)
        noisy[i] = (unsigned char)rng_next(&r);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            unsigned char *p = ramp + (y * W + x) * 3;
            p[0] = (unsigned char)(4 * x); /* the color says where a pixel is */
            p[1] = (unsigned char)(4 * y);
            p[2] = 128;
        }
    }
    return 0;
}

static const unsigned char *at(const unsigned char *px, int x, int y)
{
    x = x < 0 ? 0 : x >= W ? W - 1 : x;
    y = y < 0 ? 0 : y >= H ? H - 1 : y;
    return px + (y * W + x) * 3;
}

/* Whether out is noisy moved by dx, dy and before that mirrored. */
static bool is_moved(int dx, int dy, bool mirrored)
{
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            int from = x - dx < 0 ? 0 : x - dx >= W ? W - 1 : x - dx;
            const unsigned char *want = at(noisy, mirrored ? W - 1 - from : from, y - dy);
            if (memcmp(at(out, x, y), want, 3) != 0)
                return false;
        }
    }
    return true;
}

static void test_nothing(void **state)
{
    struct augment a = {0};
    (void)state;
    assert_false(augment_any(&a));
    for (uint64_t seed = 0; seed < 50; seed++) {
        augment_pixels(&a, noisy, H, W, out, seed);
        assert_memory_equal(out, noisy, N);
    }
}

static void test_seeds(void **state)
{
    const struct augment a = {true, 0.1, 0.1, 10, 0.2, 0.2, 0.2, 0.1, 0.5, 0.1, 0.1, 0.3};
    static unsigned char again[N];
    (void)state;
    assert_true(augment_any(&a));
    for (uint64_t seed = 0; seed < 50; seed++) {
        augment_pixels(&a, noisy, H, W, out, seed);
        augment_pixels(&a, noisy, H, W, again, seed);
        assert_memory_equal(out, again, N);
        augment_pixels(&a, noisy, H, W, again, seed + 1);
        assert_memory_not_equal(out, again, N);
    }
}

static void test_flip(void **state)
{
    struct augment a = {.flip = true};
    int flips = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        augment_pixels(&a, noisy, H, W, out, seed);
        bool flipped = is_moved(0, 0, true);
        assert_true(flipped || memcmp(out, noisy, N) == 0);
        flips += flipped;
    }
    assert_in_range(flips, 900, 1100);
}

static void test_shift(void **state)
{
    struct augment a = {.flip = true, .shift = 0.1};
    int count[2][13] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        bool found = false;
        augment_pixels(&a, noisy, H, W, out, seed);
        for (int dx = -6; dx <= 6 && !found; dx++) {
            for (int dy = -4; dy <= 4 && !found; dy++) {
                found = is_moved(dx, dy, false) || is_moved(dx, dy, true);
                count[0][dx + 6] += found;
                count[1][dy + 4] += found;
            }
        }
        assert_true(found);
    }
    for (int i = 0; i < 13; i++) /* 5.6 pixels, so that all 13 are met, those at the ends rarely */
        assert_in_range(count[0][i], 1, 80);
    for (int i = 0; i < 9; i++)
        assert_in_range(count[1][i], 10, 100);
}

/* Images of a pixel or a row have nowhere to go, but their borders. */
static void test_small(void **state)
{
    const struct augment a = {
        .flip = true, .shift = 0.5, .zoom = 1, .rotate = 180, .stretch = 1, .soft = 1};
    const struct augment shift = {.shift = 0.5}, erase = {.erase = 1};
    unsigned char px[3] = {1, 2, 3}, row[15], was[15], got[15];
    (void)state;
    for (int i = 0; i < 15; i++)
        row[i] = (unsigned char)(i / 3);
    for (uint64_t seed = 0; seed < 100; seed++) {
        augment_pixels(&a, px, 1, 1, got, seed);
        assert_memory_equal(got, px, 3);
        augment_pixels(&shift, px, 1, 1, got, seed);
        assert_memory_equal(got, px, 3);
        augment_pixels(&a, row, 1, 5, got, seed);
        augment_pixels(&a, row, 5, 1, was, seed);
        augment_pixels(&erase, row, 5, 1, was, seed);
    }
}

struct place {
    double zoom, angle, dx, dy;
    bool flipped;
};

/* Where the ramp's pixels came from: fits the similarity to out and checks every pixel of it. */
static struct place measure(void)
{
    /* A square about the center that no border reaches. */
    enum { R = 7 };
    double sum[6] = {0}, norm = 0;
    for (int y = H / 2 - R; y < H / 2 + R; y++) {
        for (int x = W / 2 - R; x < W / 2 + R; x++) {
            const unsigned char *p = at(out, x, y);
            double u = x + 0.5 - W / 2.0, v = y + 0.5 - H / 2.0;
            double sx = p[0] / 4.0 + 0.5 - W / 2.0, sy = p[1] / 4.0 + 0.5 - H / 2.0;
            norm += u * u;
            sum[0] += u * sx, sum[1] += v * sx, sum[2] += sx;
            sum[3] += u * sy, sum[4] += v * sy, sum[5] += sy;
        }
    }
    for (int i = 0; i < 6; i++)
        sum[i] /= i % 3 == 2 ? 4.0 * R * R : norm;
    double wrong = 0; /* levels */
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            const unsigned char *p = at(out, x, y);
            double u = x + 0.5 - W / 2.0, v = y + 0.5 - H / 2.0;
            double sx = sum[0] * u + sum[1] * v + sum[2] - 0.5 + W / 2.0;
            double sy = sum[3] * u + sum[4] * v + sum[5] - 0.5 + H / 2.0;
            wrong = fmax(wrong, fabs(p[0] - 4 * fmin(fmax(sx, 0), W - 1)));
            wrong = fmax(wrong, fabs(p[1] - 4 * fmin(fmax(sy, 0), H - 1)));
            assert_int_equal(p[2], 128);
        }
    }
    assert_true(wrong < 3); /* less than a pixel: what was fitted is of a few whole levels */
    struct place p = {.flipped = sum[0] < 0};
    double sign = p.flipped ? -1 : 1;
    assert_true(fabs(sum[0] * sign - sum[4]) < 0.03);
    assert_true(fabs(sum[1] * sign + sum[3]) < 0.03);
    p.zoom = 1 / hypot(sum[4], sum[3]);
    p.angle = atan2(-sum[3], sum[4]) * 180 / acos(-1);
    /* sum[2] and sum[5] are where the center came from. */
    p.dx = -(sum[4] * sum[2] * sign + sum[3] * sum[5]) * p.zoom * p.zoom;
    p.dy = -(sum[4] * sum[5] - sum[3] * sum[2] * sign) * p.zoom * p.zoom;
    return p;
}

struct range {
    double lo, hi;
};

static void widen(struct range *r, double v)
{
    r->lo = fmin(r->lo, v);
    r->hi = fmax(r->hi, v);
}

static void assert_fills(struct range r, double lo, double hi)
{
    double slack = 0.06 * (hi - lo);
    assert_true(fabs(r.lo - lo) < slack && fabs(r.hi - hi) < slack);
}

static void test_place(void **state)
{
    struct augment a = {.flip = true, .shift = 0.1, .zoom = 0.25, .rotate = 20};
    struct range zoom = {1, 1}, angle = {0, 0}, dx = {0, 0}, dy = {0, 0};
    int flips = 0, larger = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        augment_pixels(&a, ramp, H, W, out, seed);
        struct place p = measure();
        flips += p.flipped;
        larger += p.zoom > 1;
        widen(&zoom, p.zoom);
        widen(&angle, p.angle);
        widen(&dx, p.dx);
        widen(&dy, p.dy);
    }
    assert_in_range(flips, 420, 580);
    assert_in_range(larger, 420, 580); /* as often as smaller */
    assert_fills(zoom, 0.8, 1.25);
    assert_fills(angle, -20, 20);
    assert_fills(dx, -5.6, 5.6);
    assert_fills(dy, -4, 4);
}

/* Interpolating where next to nothing moves gives the image itself. */
static void test_interpolation(void **state)
{
    struct augment a = {.rotate = 1e-9};
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        augment_pixels(&a, noisy, H, W, out, seed);
        assert_memory_equal(out, noisy, N);
    }
}

static double mean_luma(const unsigned char *px)
{
    double sum = 0;
    for (int i = 0; i < N; i += 3)
        sum += 0.299 * px[i] + 0.587 * px[i + 1] + 0.114 * px[i + 2];
    return sum / (N / 3);
}

static void test_color(void **state)
{
    struct augment a[3] = {{.brightness = 0.4}, {.contrast = 0.4}, {.saturation = 0.4}};
    double mean = mean_luma(noisy);
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct range factor = {1, 1};
        for (uint64_t seed = 0; seed < 300; seed++) {
            augment_pixels(&a[k], noisy, H, W, out, seed);
            double top = 0, bottom = 0, wrong = 0;
            for (int pass = 0; pass < 2; pass++) { /* first the factor, then whether all have it */
                for (int i = 0; i < N; i++) {
                    const unsigned char *p = noisy + i / 3 * 3;
                    double gray = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
                    double from = k == 0 ? 0 : k == 1 ? mean : gray, v = noisy[i] - from;
                    if (pass == 0 && out[i] > 0 && out[i] < 255) {
                        top += v * (out[i] - from);
                        bottom += v * v;
                    } else if (pass == 1) {
                        double want = fmin(fmax(from + v * top / bottom, 0), 255);
                        wrong = fmax(wrong, fabs(out[i] - want));
                    }
                }
            }
            assert_true(wrong < 2);
            widen(&factor, top / bottom);
        }
        assert_fills(factor, 0.6, 1.4);
    }
}

static void test_gray(void **state)
{
    struct augment a = {.gray = 0.25};
    int grays = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        augment_pixels(&a, noisy, H, W, out, seed);
        if (memcmp(out, noisy, N) == 0)
            continue;
        grays++;
        for (int i = 0; i < N; i += 3) {
            double luma = 0.299 * noisy[i] + 0.587 * noisy[i + 1] + 0.114 * noisy[i + 2];
            assert_true(out[i] == out[i + 1] && out[i] == out[i + 2] && fabs(out[i] - luma) < 1);
        }
    }
    assert_in_range(grays, 200, 300);
}

static void test_erase(void **state)
{
    struct augment a = {.erase = 0.5};
    struct range area = {1, 0}, ratio = {1, 1};
    int erased = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        int x0 = W, x1 = 0, y0 = H, y1 = 0, changed = 0;
        augment_pixels(&a, noisy, H, W, out, seed);
        for (int y = 0; y < H; y++) {
            for (int x = 0; x < W; x++) {
                if (memcmp(at(out, x, y), at(noisy, x, y), 3) == 0)
                    continue;
                changed++;
                x0 = x < x0 ? x : x0, x1 = x >= x1 ? x + 1 : x1;
                y0 = y < y0 ? y : y0, y1 = y >= y1 ? y + 1 : y1;
            }
        }
        if (changed == 0)
            continue;
        erased++;
        /* A pixel of noise is what it was once in 16 million: it is a rectangle without holes. */
        assert_int_equal(changed, (x1 - x0) * (y1 - y0));
        widen(&area, (double)changed / (H * W));
        widen(&ratio, (double)(y1 - y0) / (x1 - x0));
    }
    assert_in_range(erased, 440, 560);
    assert_fills(area, 0.02, 0.4);
    assert_true(ratio.lo > 0.25 && ratio.lo < 0.4 && ratio.hi < 4 && ratio.hi > 2.5);
}

/* Widened by as much as lowered: a line through the center says how much. */
static void test_stretch(void **state)
{
    struct augment a = {.stretch = 0.3};
    struct range wide = {1, 1};
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        augment_pixels(&a, ramp, H, W, out, seed);
        const unsigned char *l = at(out, W / 2 - 15, H / 2), *r = at(out, W / 2 + 15, H / 2);
        const unsigned char *t = at(out, W / 2, H / 2 - 10), *b = at(out, W / 2, H / 2 + 10);
        double x = 120.0 / (r[0] - l[0]), y = 80.0 / (b[1] - t[1]);
        assert_true(fabs(x * y - 1) < 0.05);
        widen(&wide, x);
    }
    assert_fills(wide, 1 / 1.3, 1.3);
}

/* Each channel has a factor of its own. */
static void test_cast(void **state)
{
    struct augment a = {.cast = 0.2};
    struct range factor[3] = {{1, 1}, {1, 1}, {1, 1}};
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        augment_pixels(&a, noisy, H, W, out, seed);
        double top[3] = {0}, bottom[3] = {0};
        for (int i = 0; i < N; i++) {
            top[i % 3] += out[i] < 255 ? (double)noisy[i] * out[i] : 0;
            bottom[i % 3] += out[i] < 255 ? (double)noisy[i] * noisy[i] : 0;
        }
        for (int i = 0; i < N; i++)
            assert_true(fabs(out[i] - fmin(noisy[i] * top[i % 3] / bottom[i % 3], 255)) < 2);
        assert_true(fabs(top[0] / bottom[0] - top[1] / bottom[1]) +
                        fabs(top[1] / bottom[1] - top[2] / bottom[2]) >
                    0.001);
        for (int k = 0; k < 3; k++)
            widen(&factor[k], top[k] / bottom[k]);
    }
    for (int k = 0; k < 3; k++)
        assert_fills(factor[k], 0.8, 1.2);
}

/* A soft copy of a bright line: its sum stays, and its variance tells by how much. */
static void test_soft(void **state)
{
    struct augment a = {.soft = 0.3};
    static unsigned char dot[N];
    struct range factor = {2, 2};
    int blurred = 0;
    (void)state;
    memset(dot, 0, N);
    for (int y = -5; y <= 5; y++)
        memset(dot + ((H / 2 + y) * W + W / 2) * 3, 255, 3); /* a line, 11 high */
    for (uint64_t seed = 0; seed < 1000; seed++) {
        augment_pixels(&a, dot, H, W, out, seed);
        if (memcmp(out, dot, N) == 0)
            continue;
        double sum = 0, variance = 0;
        blurred++;
        for (int x = -8; x <= 8; x++) {
            const unsigned char *l = at(out, W / 2 - x, H / 2), *r = at(out, W / 2 + x, H / 2);
            assert_true(abs(l[0] - r[0]) <= 2 && l[0] == l[1] && l[1] == l[2]);
            sum += l[0];
            variance += l[0] * x * x;
        }
        assert_true(fabs(sum - 255) < 12);
        widen(&factor, sqrt(4 * variance / sum + 1));
    }
    assert_in_range(blurred, 250, 350);
    assert_fills(factor, 1.5, 4);
}

/* What one option draws is the same whatever the others are. */
static void test_options_apart(void **state)
{
    struct augment flip = {.flip = true}, more = {.flip = true, .gray = 1};
    static unsigned char a[N], b[N];
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        augment_pixels(&flip, noisy, H, W, a, seed);
        augment_pixels(&(struct augment){.gray = 1}, a, H, W, b, seed);
        augment_pixels(&more, noisy, H, W, out, seed);
        assert_memory_equal(out, b, N);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),       cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_flip),          cmocka_unit_test(test_shift),
        cmocka_unit_test(test_small),         cmocka_unit_test(test_place),
        cmocka_unit_test(test_interpolation), cmocka_unit_test(test_color),
        cmocka_unit_test(test_gray),          cmocka_unit_test(test_erase),
        cmocka_unit_test(test_stretch),       cmocka_unit_test(test_cast),
        cmocka_unit_test(test_soft),          cmocka_unit_test(test_options_apart),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
