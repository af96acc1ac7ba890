/* Resampling: Pillow's results, the vector form against the portable one, and what must stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/img.h"
#include "image/resize_avx2.h"
#include "mien/buf.h"
#include "util/bytes.h"
#include "util/file.h"
#include "util/hash.h"

/* Where the vectors are: tests run in the repository's root. */
#define VECTORS "tests/data/resize-pillow.bin"

/* The source pixels of the vectors, as scripts/vectors/resize.py makes them. */
static unsigned char *source(int h, int w)
{
    size_t n = (size_t)h * (size_t)w * 3;
    unsigned char *px = malloc(n);
    uint32_t state = (uint32_t)h * 65536 + (uint32_t)w;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        px[i] = (unsigned char)(i % 3 != 0 ? state >> 24 : 255 * (state >> 31));
    }
    return px;
}

static void test_pillow(void **state)
{
    (void)state;
    struct file_map map;
    struct mien_err e;
    struct mien_resizer *z = mien_resizer_new(&e);
    if (file_map(VECTORS, &map, &e) < 0)
        fail_msg("%s", e.msg);
    size_t at = 0, cases = 0;
    while (at + 10 <= map.len) {
        int v[5];
        for (int i = 0; i < 5; i++, at += 2)
            v[i] = get_le16(map.data + at);
        size_t n = (size_t)v[2] * (size_t)v[3] * 3;
        assert_true(at + n <= map.len);
        unsigned char *src = source(v[0], v[1]), *dst = malloc(n);
        assert_int_equal(
            mien_resize(z, src, v[0], v[1], dst, (struct mien_size){v[2], v[3]}, v[4], &e), 0);
        for (size_t i = 0; i < n; i++) {
            if (dst[i] != map.data[at + i])
                fail_msg("%dx%d to %dx%d by %s: byte %zu is %d, Pillow's %d", v[0], v[1], v[2],
                         v[3], mien_resampling_name(v[4]), i, dst[i], map.data[at + i]);
        }
        at += n;
        cases++;
        free(src);
        free(dst);
    }
    assert_int_equal(at, map.len);
    assert_int_equal(cases, 27);
    file_unmap(&map);
    mien_resizer_free(z);
}

/* The vector passes against the portable ones, in exactly sized memory, for sanitizers. */
static void test_vector_form(void **state)
{
    (void)state;
    if (!resize_have_avx2()) {
        fprintf(stderr, "# no AVX2: the vector passes are not tested\n");
        return; // cmocka prints skip() as a failure of TAP
    }
    struct rng rng = {1};
    struct axis a = {0};
    for (int round = 0; round < 300; round++) {
        int in = 1 + (int)rng_below(&rng, round % 2 ? 9 : 150);
        int out = 1 + (int)rng_below(&rng, round % 3 ? 9 : 150),
            lines = 1 + (int)rng_below(&rng, 40);
        assert_int_equal(resize_axis_set(&a, in, 0, in, out, (enum mien_resampling)(round % 3)), 0);
        unsigned char *src = source(lines, in);
        size_t n = (size_t)lines * (size_t)out * 3;
        unsigned char *want = malloc(n), *got = malloc(n);
        resize_rows(&a, src, lines, want);
        resize_rows_avx2(&a, src, lines, got);
        assert_memory_equal(got, want, n);
        /* The same bytes as `in` rows of `lines` pixels. */
        resize_columns(&a, src, (size_t)lines * 3, want);
        resize_columns_avx2(&a, src, (size_t)lines * 3, got);
        assert_memory_equal(got, want, n);
        free(src);
        free(want);
        free(got);
    }
    resize_axis_free(&a);
}

/* A slope stays a slope, wherever the part begins: an output pixel has the value at its center. */
static void test_part(void **state)
{
    (void)state;
    enum { H = 60, W = 100, TO_H = 17, TO_W = 23 };
    struct mien_err e;
    struct mien_resizer *z = mien_resizer_new(&e);
    unsigned char src[H * W * 3], dst[TO_H * TO_W * 3], again[TO_H * TO_W * 3];
    for (int i = 0; i < H * W; i++) {
        src[3 * i] = (unsigned char)(2 * (i % W));
        src[3 * i + 1] = (unsigned char)(4 * (i / W));
        src[3 * i + 2] = (unsigned char)(255 - i % W - i / W);
    }
    for (int k = 0; k < 40; k++) {
        struct img_area a = {10 + k / 8.0, 8 + k / 11.0, 60 - k / 3.0, 40 - k / 5.0};
        assert_int_equal(img_resize_area(z, src, H, W, a, dst, (struct mien_size){TO_H, TO_W},
                                         MIEN_TRIANGLE, &e),
                         0);
        for (int i = 0; i < TO_H * TO_W; i++) {
            double x = a.x + (i % TO_W + 0.5) * a.w / TO_W - 0.5,
                   y = a.y + ((double)(i / TO_W) + 0.5) * a.h / TO_H - 0.5;
            assert_float_equal(dst[3 * i], 2 * x, 1.01); /* two roundings */
            assert_float_equal(dst[3 * i + 1], 4 * y, 1.01);
            assert_float_equal(dst[3 * i + 2], 255 - x - y, 1.01);
        }
    }
    struct img_area all = {0, 0, W, H};
    assert_int_equal(
        img_resize_area(z, src, H, W, all, dst, (struct mien_size){TO_H, TO_W}, MIEN_LANCZOS3, &e),
        0);
    assert_int_equal(
        mien_resize(z, src, H, W, again, (struct mien_size){TO_H, TO_W}, MIEN_LANCZOS3, &e), 0);
    assert_memory_equal(dst, again, sizeof dst);
    mien_resizer_free(z);
}

static void test_flat_stays_flat(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_resizer *z = mien_resizer_new(&e);
    enum { MAX = 300 };
    unsigned char *src = malloc(MAX * MAX * 3), *dst = malloc(MAX * MAX * 3);
    struct rng rng = {2};
    for (int round = 0; round < 60; round++) {
        int h = 1 + (int)rng_below(&rng, MAX), w = 1 + (int)rng_below(&rng, MAX);
        struct mien_size to = {1 + (int)rng_below(&rng, MAX), 1 + (int)rng_below(&rng, MAX)};
        int level = round % 3 == 0 ? 255 : (int)rng_below(&rng, 256);
        memset(src, level, (size_t)h * (size_t)w * 3);
        assert_int_equal(mien_resize(z, src, h, w, dst, to, (enum mien_resampling)(round % 3), &e),
                         0);
        for (int i = 0; i < to.h * to.w * 3; i++)
            assert_int_equal(dst[i], level);
    }
    free(src);
    free(dst);
    mien_resizer_free(z);
}

static void test_same_size_is_a_copy(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_resizer *z = mien_resizer_new(&e);
    unsigned char *src = source(17, 23), dst[17 * 23 * 3];
    for (int f = MIEN_BOX; f <= MIEN_LANCZOS3; f++) {
        memset(dst, 0, sizeof dst);
        assert_int_equal(mien_resize(z, src, 17, 23, dst, (struct mien_size){17, 23}, f, &e), 0);
        assert_memory_equal(dst, src, sizeof dst);
    }
    free(src);
    mien_resizer_free(z);
}

/* A resizer that had other sizes and filters before gives what a new one gives. */
static void test_reuse(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_resizer *used = mien_resizer_new(&e);
    struct rng rng = {3};
    for (int round = 0; round < 40; round++) {
        int h = 1 + (int)rng_below(&rng, 60), w = 1 + (int)rng_below(&rng, 60);
        struct mien_size to = {1 + (int)rng_below(&rng, 60), 1 + (int)rng_below(&rng, 60)};
        enum mien_resampling f = (enum mien_resampling)rng_below(&rng, 3);
        size_t n = (size_t)to.h * (size_t)to.w * 3;
        unsigned char *src = source(h, w), *a = malloc(n), *b = malloc(n);
        struct mien_resizer *fresh = mien_resizer_new(&e);
        assert_int_equal(mien_resize(used, src, h, w, a, to, f, &e), 0);
        assert_int_equal(mien_resize(fresh, src, h, w, b, to, f, &e), 0);
        assert_memory_equal(a, b, n);
        mien_resizer_free(fresh);
        free(src);
        free(a);
        free(b);
    }
    mien_resizer_free(used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pillow),
        cmocka_unit_test(test_vector_form),
        cmocka_unit_test(test_part),
        cmocka_unit_test(test_flat_stays_flat),
        cmocka_unit_test(test_same_size_is_a_copy),
        cmocka_unit_test(test_reuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
