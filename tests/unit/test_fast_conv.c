/* The trainer's fast convolutions against the plain kernels and gradients. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/hash.h"
#include "train/grad.h"
#include "train/needs.h"
#include "train/fast_conv.h"
#include "train/memory.h"

enum { IMAGES = 3 };

static float *noise(size_t n, uint64_t seed)
{
    struct rng rng = {seed};
    float *p = malloc((n + 1) * sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)rng_normal(&rng);
    return p;
}

static void compare(const char *what, const char *text, const float *got, const float *want,
                    size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fabsf(got[i] - want[i]) > 2e-5f * (1 + fabsf(want[i])) * 8)
            fail_msg("%s: %s: element %zu is %g, not %g", text, what, i, (double)got[i],
                     (double)want[i]);
    }
}

/* The last layer of a description; a relu6 behind it is its tail. */
static void check(const char *text)
{
    struct mien_err e;
    struct net net = {0};
    struct fast_conv f;
    struct arena arena = {0};
    assert_int_equal(net_parse(&net, text, strlen(text), &e), 0);
    bool relu = net.layer[net.n - 1].type == L_RELU6;
    const struct layer *l = &net.layer[net.n - 1 - relu];
    struct shape in = net.layer[l->in[0]].shape;
    size_t nx = IMAGES * shape_count(in), ny = IMAGES * shape_count(l->shape);
    const struct simd *simd = simd_choose(&e);
    assert_int_equal(
        fast_conv_make(&f, &arena, simd, l, in, relu ? ACT_RELU6 : ACT_NONE, true, false), 0);
    assert_non_null(f.simd);
    float *w = noise(net.nweights, 1), *x = noise(nx, 2), *dy = noise(ny, 3);
    const float *weight = w + l->param[0].at, *bias = l->nparam > 1 ? w + l->param[1].at : NULL;
    size_t nw = l->param[0].count;
    float *y = noise(ny, 4), *y2 = noise(ny, 5), *dx = noise(nx, 6), *dx2 = noise(nx, 7);
    float *dw = noise(nw, 8), *dw2 = noise(nw, 8), *zeros = calloc(nx + 1, sizeof *zeros);
    float *col = malloc((2 * k_conv_scratch(l, in) + 1) * sizeof *col);
    void *scratch = malloc(fast_conv_scratch(&f) + 1);
    struct tail tail = {bias, f.act, NULL};
    const struct products blas = {0};
    fast_conv_weights(&f, weight, bias);
    fast_conv_weights(&f, weight, bias); /* again, as every step does */
    fast_conv_forward(&f, weight, bias, x, y, IMAGES, scratch);
    if (f.has_back)
        fast_conv_back(&f, dy, dx, IMAGES, scratch);
    if (l->type == L_DWCONV) {
        k_dwconv(l, in, weight, &tail, x, y2, IMAGES, zeros);
        g_dwconv(l, in, weight, x, dy, dx2, dw2, IMAGES);
        if (l->kh == 3 && l->kw == 3) {
            fast_conv_dw3_weights(&f, x, dy, dw, IMAGES);
            compare("dw", text, dw, dw2, nw);
        }
    } else {
        k_conv(&blas, l, in, weight, &tail, reals_floats(x), reals_floats(y2), IMAGES, col);
        g_conv(&blas, NULL, l, in, weight, reals_floats(x), reals_floats(dy), reals_floats(dx2),
               NULL, NULL, IMAGES, col);
    }
    compare("y", text, y, y2, ny);
    if (f.has_back)
        compare("dx", text, dx, dx2, nx);
    fast_conv_free(&f);
    arena_free(&arena);
    net_free(&net);
    float *all[] = {w, x, dy, y, y2, dx, dx2, dw, dw2, zeros, col};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(scratch);
}

/* n floats of noise as bfloat16s hold them, and these. */
static bfloat *narrow_noise(size_t n, uint64_t seed, float **widened)
{
    bfloat *half = malloc((n + 1) * sizeof *half);
    assert_non_null(half);
    *widened = noise(n, seed);
    bf16_narrow(*widened, half, n);
    bf16_widen(half, *widened, n);
    return half;
}

/* y and dx are rounded sums of the floats that bfloat16s hold. */
static void compare_narrow(const char *what, const char *text, const bfloat *got, const float *want,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (got[i] != bf16_round(want[i]))
            fail_msg("%s: %s: element %zu is %g, not %g", text, what, i, (double)bf16_float(got[i]),
                     (double)want[i]);
    }
}

/* A depthwise layer of bfloat16s: what floats give, rounded, and the same gradient of its weights. */
static void check_narrow(const char *text)
{
    struct mien_err e;
    struct net net = {0};
    struct fast_conv f, narrow;
    struct arena arena = {0};
    assert_int_equal(net_parse(&net, text, strlen(text), &e), 0);
    bool relu = net.layer[net.n - 1].type == L_RELU6;
    const struct layer *l = &net.layer[net.n - 1 - relu];
    struct shape in = net.layer[l->in[0]].shape;
    enum act act = relu ? ACT_RELU6 : ACT_NONE;
    size_t nx = IMAGES * shape_count(in), ny = IMAGES * shape_count(l->shape);
    size_t nw = l->param[0].count;
    const struct simd *simd = simd_choose(&e);
    assert_true(train_takes_bfloats(l));
    assert_int_equal(fast_conv_make(&f, &arena, simd, l, in, act, true, false), 0);
    assert_int_equal(fast_conv_make(&narrow, &arena, simd, l, in, act, true, true), 0);
    float *w = noise(net.nweights, 1), *x, *dy, *y = noise(ny, 4), *dx = noise(nx, 5);
    bfloat *xh = narrow_noise(nx, 2, &x), *dyh = narrow_noise(ny, 3, &dy);
    bfloat *yh = malloc((ny + 1) * sizeof *yh), *dxh = malloc((nx + 1) * sizeof *dxh);
    float *dw = noise(nw, 8), *dw2 = noise(nw, 8);
    void *scratch = malloc(fast_conv_scratch(&f) + 1);
    const float *weight = w + l->param[0].at, *bias = l->nparam > 1 ? w + l->param[1].at : NULL;
    fast_conv_weights(&f, weight, bias);
    fast_conv_weights(&narrow, weight, bias);
    fast_conv_forward(&f, weight, bias, x, y, IMAGES, scratch);
    fast_conv_forward(&narrow, weight, bias, xh, yh, IMAGES, scratch);
    compare_narrow("y", text, yh, y, ny);
    fast_conv_back(&f, dy, dx, IMAGES, scratch);
    fast_conv_back(&narrow, dyh, dxh, IMAGES, scratch);
    compare_narrow("dx", text, dxh, dx, nx);
    fast_conv_dw3_weights(&f, x, dy, dw, IMAGES);
    fast_conv_dw3_weights(&narrow, xh, dyh, dw2, IMAGES);
    assert_memory_equal(dw, dw2, nw * sizeof *dw);
    fast_conv_free(&f);
    fast_conv_free(&narrow);
    arena_free(&arena);
    net_free(&net);
    void *all[] = {w, x, dy, y, dx, xh, dyh, yh, dxh, dw, dw2, scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void depthwise_bf16(void **state)
{
    (void)state;
    const char *const options[] = {"pad=same", "stride=2 pad=same", "stride=1x2 pad=valid",
                                   "stride=3 pad=same", "pad=2,0,1,2"};
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        for (int c = 16; c < 45; c += 7) {
            char text[160];
            snprintf(text, sizeof text, "input 9x8x%d\na dwconv 3x3 %s%s\n%s", c, options[o],
                     c % 2 ? " bias=no" : "", c % 3 ? "r relu6\n" : "");
            check_narrow(text);
        }
    }
}

static void depthwise(void **state)
{
    (void)state;
    const char *const options[] = {
        "3x3 pad=same",           "3x3 stride=2 pad=same",
        "3x3 stride=2 pad=1",     "3x3 stride=1x2 pad=valid",
        "3x3 stride=3 pad=same",  "3x3 pad=2,0,1,2",
        "5x4 stride=2 pad=same",  "1x1 stride=2",
        "2x2 stride=4 pad=valid",
    };
    const int channels[] = {16, 19, 32, 40};
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
            for (int tail = 0; tail < 2; tail++) {
                char text[160];
                snprintf(text, sizeof text, "input 9x8x%d\na dwconv %s%s\n%s", channels[c],
                         options[o], c == 1 ? " bias=no" : "", tail ? "r relu6\n" : "");
                check(text);
            }
        }
    }
    check("input 1x1x16\na dwconv 3x3 pad=same\n");
    check("input 2x3x16\na dwconv 3x3 stride=2 pad=same\n");
}

static void products(void **state)
{
    (void)state;
    check("input 7x5x13\na conv 21 1x1\n");
    check("input 7x5x13\na conv 21 1x1 bias=no\nr relu6\n");
    check("input 14x14x64\na conv 40 1x1\nr relu6\n");
    check("input 3x3x700\na conv 33 1x1\n");
    check("input 7x5x3\na conv 21 3x3 stride=2 pad=same\nr relu6\n");
    check("input 6x6x8\na conv 12 3x3 pad=same groups=4\n");
    check("input 5x4x3\na conv 9 2x3 stride=2\n");
}

/* Blocks of a weight gradient and all of it at once, by OpenBLAS and by our own products. */
static void check_blocks(const char *text)
{
    struct mien_err e;
    struct net net = {0};
    assert_int_equal(net_parse(&net, text, strlen(text), &e), 0);
    const struct layer *l = &net.layer[1];
    struct shape in = net.layer[0].shape;
    const struct weight_blocks b = train_weight_blocks(l);
    const struct gemm *own = gemm_choose(simd_choose(&e), false);
    size_t nw = l->param[0].count, nx = IMAGES * shape_count(in);
    float *x = noise(nx, 1), *dy = noise(IMAGES * shape_count(l->shape), 2);
    float *dw = calloc(nw, sizeof *dw), *dw2 = noise(nw, 3), *db2 = noise((size_t)l->units, 4);
    float *col = malloc((2 * k_conv_scratch(l, in) + 1) * sizeof *col);
    float *db = calloc((size_t)l->units, sizeof *db);
    struct products p = {0};
    p.scratch = malloc((own != NULL ? gemm_scratch(own) : 1) * sizeof *p.scratch);
    assert_true(b.down * b.across > 1);
    g_conv(&p, NULL, l, in, NULL, reals_floats(x), reals_floats(dy), reals_floats(NULL), dw, db,
           IMAGES, col);
    for (int k = 0; k < 1 + (own != NULL); k++) {
        for (size_t i = 0; i < b.down * b.across; i++) {
            struct block one = g_block(l, &b, i);
            g_weight_block(&p, l, in, reals_floats(x), reals_floats(dy), IMAGES, &one,
                           dw2 + one.row * (size_t)l->units + one.column, (size_t)l->units, col);
        }
        compare("dw", text, dw2, dw, nw);
        p.own = own;
    }
    for (size_t i = 0; i < b.across; i++) {
        struct block one = g_block(l, &b, i);
        g_bias_block(NULL, reals_floats(dy), IMAGES * shape_count(l->shape) / (size_t)l->units,
                     l->units, &one, db2 + one.column);
    }
    compare("db", text, db2, db, (size_t)l->units);
    float *all[] = {x, dy, dw, dw2, col, db, db2, p.scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    net_free(&net);
}

static void blocks(void **state)
{
    (void)state;
    check_blocks("input 5x4x70\na conv 300 1x1\n");
    check_blocks("input 7x6x40\na conv 200 3x3 pad=same\n");
    check_blocks("input 11x9x30\na conv 90 3x3 stride=2 pad=1,2,0,1\n");
    check_blocks("input 9x8x33\na conv 100 3x2 dilation=2x3 pad=2,2,1,2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(depthwise),
                                       cmocka_unit_test(depthwise_bf16), cmocka_unit_test(products),
                                       cmocka_unit_test(blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
