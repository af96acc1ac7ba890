/* A model applied to records: with and without their mirror images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "infer/apply.h"
#include "util/hash.h"

enum { SIDE = 6, PIXELS = SIDE * SIDE * 3, N = 3, CLASSES = 5 };

static char pixels_path[] = "/tmp/mien-test-apply-XXXXXX";
static char features_path[] = "/tmp/mien-test-apply-XXXXXX";

static void save(const char *text, char *path)
{
    struct model m = {0};
    struct err e = {{0}};
    close(mkstemp(path));
    if (net_parse(&m.net, text, strlen(text), &e) != 0)
        fail_msg("%s", e.msg);
    m.weights = net_weights_new(&m.net, &e);
    assert_non_null(m.weights);
    net_init(&m.net, m.weights, 3);
    assert_int_equal(model_save(&m, path, &e), 0);
    model_free(&m);
}

static int set_up(void **state)
{
    (void)state;
    save("input 6x6x3\nflatten flatten\ndense dense 5\nout softmax\n", pixels_path);
    save("input 1x1x7\ndense dense 5\nout softmax\n", features_path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(pixels_path) | unlink(features_path);
}

/* A record of random pixels, or of their mirror image. */
static void make(struct rec *r, int number, bool mirrored)
{
    struct rng rng = {(uint64_t)number + 5};
    unsigned char *px = rec_alloc(r, TAG_PIXELS, REC_U8, 3, (uint32_t[]){SIDE, SIDE, 3});
    assert_non_null(px);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            for (int c = 0; c < 3; c++)
                px[(y * SIDE + (mirrored ? SIDE - 1 - x : x)) * 3 + c] =
                    (unsigned char)rng_below(&rng, 4);
        }
    }
}

/* Runs the model on N records, the second of which has no pixels when gap is set. */
static void run(bool mirror, bool mirrored, bool gap, float out[N * CLASSES])
{
    struct apply a = {.mirror = mirror};
    struct rec rec[N] = {{0}}, *list[N];
    struct err e = {{0}};
    size_t used[N];
    float *y[1];
    for (int i = 0; i < N; i++) {
        list[i] = &rec[i];
        if (!gap || i != 1)
            make(&rec[i], i, mirrored);
    }
    if (apply_load(&a, pixels_path, &e) < 0)
        fail_msg("%s", e.msg);
    int layer = net_find(&a.model.net, "out"), n = gap ? N - 1 : N;
    assert_int_equal(apply_start(&a, &layer, 1, 1, N, &e), 0);
    assert_int_equal(apply_run(&a, 0, list, N, used, y, &e), n);
    assert_int_equal(used[n - 1], N - 1);
    assert_int_equal(rec_has(&rec[1], TAG_ERROR), gap);
    memcpy(out, y[0], (size_t)(n * CLASSES) * sizeof *out);
    apply_free(&a);
    for (int i = 0; i < N; i++)
        rec_free(&rec[i]);
}

static void mirrors(void **state)
{
    (void)state;
    float plain[N * CLASSES], turned[N * CLASSES], mean[N * CLASSES], gap[N * CLASSES];
    run(false, false, false, plain);
    run(false, true, false, turned);
    run(true, false, false, mean);
    double differ = 0;
    for (int i = 0; i < N * CLASSES; i++) {
        differ = fmax(differ, fabs(plain[i] - turned[i]));
        assert_true(mean[i] == (plain[i] + turned[i]) / 2);
    }
    assert_true(differ > 0.01);
    run(true, false, true, gap);
    assert_memory_equal(gap, mean, CLASSES * sizeof *gap);
    assert_memory_equal(gap + CLASSES, mean + 2 * CLASSES, CLASSES * sizeof *gap);
}

static void features_have_no_mirror_image(void **state)
{
    (void)state;
    struct apply a = {.mirror = true};
    struct err e;
    int layer = 1;
    assert_int_equal(apply_load(&a, features_path, &e), 0);
    assert_int_equal(apply_start(&a, &layer, 1, 1, N, &e), ERR_ARG);
    assert_string_equal(e.msg, "the model reads features, which have no mirror image");
    apply_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrors),
        cmocka_unit_test(features_have_no_mirror_image),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
