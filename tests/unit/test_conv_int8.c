/* Convolutions in eight bits: exact where numbers are whole, close where they are not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/conv_int8.h"
#include "util/hash.h"

struct shape_case {
    int h, w, c, units, k, stride, pad, n;
    enum act act;
    int add, whole; /* whole numbers */
    int apart;      /* dilation - 1 */
};

static struct layer layer_of(const struct shape_case *s)
{
    struct layer l = layer_make("c", L_CONV);
    l.kh = l.kw = s->k;
    l.sh = l.sw = s->stride;
    l.pt = l.pl = s->pad;
    l.units = s->units;
    l.dh = l.dw = 1 + s->apart;
    int reach = (s->k - 1) * l.dh + 1;
    l.shape = (struct shape){(s->h + 2 * s->pad - reach) / s->stride + 1,
                             (s->w + 2 * s->pad - reach) / s->stride + 1, s->units};
    return l;
}

/* Values whose range is exactly 255 steps, of which one is 1; otherwise of any kind. Every second
   image has negative ones. */
static void fill_values(const struct shape_case *s, float *x, size_t count, struct rng *r)
{
    for (int i = 0; i < s->n; i++, x += count) {
        float least = i % 2 == 0 ? 0 : -100;
        for (size_t k = 0; k < count; k++)
            x[k] = least + (s->whole ? (float)rng_below(r, 256) : (float)(255 * rng_uniform(r)));
        x[rng_below(r, (uint32_t)(count / 2))] = least;
        x[count / 2 + rng_below(r, (uint32_t)(count / 2))] = least + 255;
    }
}

/* Weights up to 127, which every unit has. */
static void fill_weights(const struct shape_case *s, float *w, size_t terms, struct rng *r)
{
    size_t units = (size_t)s->units;
    for (size_t k = 0; k < terms * units; k++)
        w[k] = s->whole ? (float)rng_below(r, 255) - 127 : (float)(127 - 254 * rng_uniform(r));
    for (size_t u = 0; u < units; u++)
        w[rng_below(r, (uint32_t)terms) * units + u] = u % 2 == 0 ? 127 : -127;
}

static double activated(enum act act, double v, double slope)
{
    switch (act) {
    case ACT_RELU:
        return fmax(v, 0);
    case ACT_RELU6:
        return fmin(fmax(v, 0), 6);
    case ACT_PRELU:
        return v < 0 ? slope * v : v;
    default:
        return v;
    }
}

static void naive(const struct shape_case *s, const struct layer *l, const float *x, const float *w,
                  const float *bias, const float *slope, const float *add, double *y)
{
    size_t units = (size_t)s->units, nc = (size_t)s->c;
    for (int i = 0; i < s->n; i++, x += (size_t)(s->h * s->w) * nc) {
        for (int p = 0; p < l->shape.h * l->shape.w; p++) {
            int y0 = p / l->shape.w * s->stride - s->pad, x0 = p % l->shape.w * s->stride - s->pad;
            for (size_t u = 0; u < units; u++, y++) {
                double sum = bias[u];
                for (int t = 0; t < s->k * s->k; t++) {
                    int yy = y0 + t / s->k * l->dh, xx = x0 + t % s->k * l->dw;
                    for (size_t c = 0; c < nc && yy >= 0 && yy < s->h && xx >= 0 && xx < s->w; c++)
                        sum += (double)x[(size_t)(yy * s->w + xx) * nc + c] *
                               (double)w[((size_t)t * nc + c) * units + u];
                }
                *y = activated(s->act, sum + (add != NULL ? (double)*add++ : 0), slope[u]);
            }
        }
    }
}

static void check(const struct int8_simd *variant, const struct shape_case *s)
{
    struct layer l = layer_of(s);
    struct shape in = {s->h, s->w, s->c};
    struct rng r = {3};
    size_t terms = (size_t)(s->k * s->k * s->c), units = (size_t)s->units;
    size_t outs = (size_t)s->n * shape_count(l.shape);
    float *x = calloc((size_t)s->n * shape_count(in), sizeof *x),
          *w = calloc(terms * units, sizeof *w);
    float *bias = calloc(units, sizeof *bias), *slope = calloc(units, sizeof *slope);
    float *add = calloc(outs, sizeof *add), *y = calloc(outs + 1, sizeof *y);
    float *zeros = calloc((size_t)s->c, sizeof *zeros);
    double *want = calloc(outs, sizeof *want), error = 0, size = 0;
    fill_values(s, x, shape_count(in), &r);
    fill_weights(s, w, terms, &r);
    for (size_t u = 0; u < units; u++) {
        bias[u] = (float)rng_below(&r, 1000);
        slope[u] = 0.5F;
    }
    for (size_t i = 0; i < outs; i++)
        add[i] = (float)rng_below(&r, 1000);
    y[outs] = 42;

    struct conv_int8 c;
    struct arena arena = {0};
    struct tail tail = {bias, s->act, slope};
    assert_true(conv_int8_fits(&l, in));
    assert_int_equal(conv_int8_make(&c, &arena, variant, &l, in, w, &tail), 0);
    assert_true(conv_int8_zeros(&c) == (size_t)s->c);
    void *scratch = malloc(conv_int8_scratch(&c, (size_t)s->n));
    conv_int8_run(&c, x, s->add ? add : NULL, y, (size_t)s->n, zeros, scratch);
    naive(s, &l, x, w, bias, slope, s->add ? add : NULL, want);
    for (size_t i = 0; i < outs; i++) {
        if (s->whole && (double)y[i] != want[i])
            fail_msg("%s, %dx%dx%d to %d: output %zu is %g, not %g", variant->name, s->h, s->w,
                     s->c, s->units, i, (double)y[i], want[i]);
        error += (y[i] - want[i]) * (y[i] - want[i]);
        size += want[i] * want[i];
    }
    if (sqrt(error / size) > 0.01)
        fail_msg("%s, %dx%dx%d to %d: error %g", variant->name, s->h, s->w, s->c, s->units,
                 sqrt(error / size));
    assert_true(y[outs] == 42);
    arena_free(&arena);
    free(scratch), free(x), free(w), free(bias), free(slope), free(add), free(y), free(zeros),
        free(want);
}

static void every_variant(const struct shape_case *s, size_t n)
{
    const struct int8_simd *variant;
    for (size_t k = 0; (variant = int8_variant(k)) != NULL; k++) {
        print_message("%s\n", variant->name);
        for (size_t i = 0; i < n; i++)
            check(variant, &s[i]);
    }
}

static void exact_on_whole_numbers(void **state)
{
    (void)state;
    const struct shape_case s[] = {
        {1, 1, 64, 1, 1, 1, 0, 1, ACT_NONE, 0, 1, 0},
        {7, 7, 64, 64, 1, 1, 0, 3, ACT_NONE, 0, 1, 0},
        {5, 9, 67, 33, 1, 1, 0, 2, ACT_RELU, 1, 1, 0},
        {6, 5, 70, 130, 3, 1, 1, 2, ACT_PRELU, 0, 1, 0},
        {9, 9, 65, 96, 3, 2, 1, 2, ACT_NONE, 1, 1, 0},
        {8, 8, 64, 20, 1, 2, 0, 3, ACT_RELU, 0, 1, 0},
        {4, 5, 66, 65, 3, 1, 0, 5, ACT_RELU6, 0, 1, 0},
        {12, 11, 100, 31, 5, 3, 2, 1, ACT_NONE, 0, 1, 0},
        {20, 20, 128, 70, 1, 1, 0, 2, ACT_RELU, 0, 1, 0},
    };
    every_variant(s, sizeof s / sizeof *s);
}

static void close_on_others(void **state)
{
    (void)state;
    const struct shape_case s[] = {
        {7, 7, 256, 64, 1, 1, 0, 2, ACT_NONE, 0, 0, 0},
        {9, 8, 68, 70, 3, 1, 1, 2, ACT_RELU, 1, 0, 0},
        {9, 8, 68, 70, 3, 2, 2, 2, ACT_RELU, 1, 0, 1},
    };
    every_variant(s, sizeof s / sizeof *s);
}

/* Values without a range, and weights that are all nothing. */
static void nothing(void **state)
{
    (void)state;
    enum { C = 64, UNITS = 3 };
    struct shape_case s = {1, 1, C, UNITS, 1, 1, 0, 1, ACT_NONE, 0, 0, 0};
    struct layer l = layer_of(&s);
    float x[C] = {0}, w[C * UNITS] = {0}, bias[UNITS] = {1, 2, 3}, y[UNITS], zeros[C] = {0};
    struct tail tail = {bias, ACT_NONE, NULL};
    for (size_t k = 0; int8_variant(k) != NULL; k++) {
        struct conv_int8 c;
        struct arena arena = {0};
        assert_int_equal(
            conv_int8_make(&c, &arena, int8_variant(k), &l, (struct shape){1, 1, C}, w, &tail), 0);
        void *scratch = malloc(conv_int8_scratch(&c, 1));
        for (int set = 0; set < 2; set++) {
            conv_int8_run(&c, x, NULL, y, 1, zeros, scratch);
            assert_memory_equal(y, bias, sizeof y);
            x[5] = -3;
        }
        x[5] = 0;
        free(scratch);
        arena_free(&arena);
    }
}

static void ranges(void **state)
{
    (void)state;
    struct int8_range r = int8_range(0, 6);
    assert_true(r.zero == 0 && fabs((double)r.scale * 255 - 6) < 1e-6);
    r = int8_range(-1, 1.55F);
    assert_true(r.zero == 100 && fabs((double)r.scale - 0.01) < 1e-8);
    assert_true(int8_range(0, 0).scale == 0);
    assert_true(isnan(int8_range(0, (float)INFINITY).scale));
    assert_true(isnan(int8_range(0, (float)NAN).scale));
}

/* What is no number stays so, wherever it is among values or weights. */
static void no_numbers(void **state)
{
    (void)state;
    enum { C = 67, UNITS = 2 };
    struct shape_case s = {1, 1, C, UNITS, 1, 1, 0, 1, ACT_RELU6, 0, 0, 0};
    struct layer l = layer_of(&s);
    float bias[UNITS] = {1, 2}, y[UNITS], zeros[C] = {0};
    struct tail tail = {bias, ACT_RELU6, NULL};
    const float bad[] = {(float)NAN, (float)INFINITY, -(float)INFINITY};
    for (size_t k = 0; int8_variant(k) != NULL; k++) {
        for (int at = 0; at < 2 * C; at++) {
            float x[C] = {1, 2}, w[C * UNITS] = {0.1F, 0.2F};
            struct conv_int8 c;
            struct arena arena = {0};
            *(at < C ? &x[at] : &w[(at - C) * UNITS]) = bad[at % 3];
            assert_int_equal(
                conv_int8_make(&c, &arena, int8_variant(k), &l, (struct shape){1, 1, C}, w, &tail),
                0);
            void *scratch = malloc(conv_int8_scratch(&c, 1));
            conv_int8_run(&c, x, NULL, y, 1, zeros, scratch);
            assert_true(isnan(y[0]));
            assert_true(isnan(y[1]) == (at < C)); /* the other unit's weights are good */
            free(scratch);
            arena_free(&arena);
        }
    }
}

/* Layers that are left to floats. */
static void fits(void **state)
{
    (void)state;
    struct layer l = layer_make("c", L_CONV);
    l.kh = l.kw = 1;
    assert_true(conv_int8_fits(&l, (struct shape){4, 4, 64}));
    assert_false(conv_int8_fits(&l, (struct shape){4, 4, 63}));
    struct layer wide = l; /* more terms than a sum of 32 bits holds */
    wide.kh = wide.kw = 7;
    assert_true(conv_int8_fits(&wide, (struct shape){9, 9, 1353}));
    assert_false(conv_int8_fits(&wide, (struct shape){9, 9, 1354}));
    l.groups = 2;
    assert_false(conv_int8_fits(&l, (struct shape){4, 4, 64}));
    l = layer_make("d", L_DENSE);
    assert_false(conv_int8_fits(&l, (struct shape){1, 1, 64}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_on_whole_numbers),
        cmocka_unit_test(close_on_others),
        cmocka_unit_test(nothing),
        cmocka_unit_test(ranges),
        cmocka_unit_test(no_numbers),
        cmocka_unit_test(fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
