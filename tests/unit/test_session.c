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

#include "mien/session.h"
#include "net/model.h"
#include "util/hash.h"

enum { SIDE = 6, PIXELS = SIDE * SIDE * 3, N = 3, CLASSES = 5 };

static char pixels_path[] = "/tmp/mien-test-session-XXXXXX";
static char features_path[] = "/tmp/mien-test-session-XXXXXX";

static void save(const char *text, char *path)
{
    struct model m = {0};
    struct mien_err e = {{0}};
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
static void make(struct mien_rec *r, int number, bool mirrored)
{
    struct rng rng = {(uint64_t)number + 5};
    unsigned char *px = mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, (uint32_t[]){SIDE, SIDE, 3});
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
    struct mien_rec rec[N] = {{0}}, *list[N];
    struct mien_err e = {{0}};
    size_t used[N];
    const void *in[N];
    const float *y;
    int n = gap ? N - 1 : N;
    for (int i = 0; i < N; i++) {
        list[i] = &rec[i];
        if (!gap || i != 1)
            make(&rec[i], i, mirrored);
    }
    struct mien_session *s = mien_session_open(pixels_path, &e);
    if (s == NULL)
        fail_msg("%s", e.msg);
    struct mien_session_options o = {.jobs = 1, .batch = N, .mirror = mirror};
    assert_int_equal(mien_session_start(s, "out", &o, &e), 0);
    assert_int_equal(mien_session_outputs(s), CLASSES);
    assert_int_equal(mien_session_records(s, list, N, used, in, &e), n);
    assert_int_equal(mien_session_embed(s, 0, in, n, &y, &e), 0);
    assert_int_equal(used[n - 1], N - 1);
    assert_int_equal(mien_rec_has(&rec[1], MIEN_TAG_ERROR), gap);
    memcpy(out, y, (size_t)(n * CLASSES) * sizeof *out);
    assert_int_equal(mien_session_predict(s, 0, in, n, NULL, &e), MIEN_ERR_ARG);
    mien_session_close(s);
    for (int i = 0; i < N; i++)
        mien_rec_free(&rec[i]);
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
    struct mien_err e;
    struct mien_session *s = mien_session_open(features_path, &e);
    struct mien_session_options o = {.jobs = 1, .batch = N, .mirror = true};
    assert_non_null(s);
    assert_int_equal(mien_session_start(s, "dense", &o, &e), MIEN_ERR_ARG);
    assert_string_equal(e.msg, "the model reads features, which have no mirror image");
    mien_session_close(s);
}

/* Heads must mean a gender or an age, as they must to be trained; a layer may be anything. */
static void heads(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"gender dense 3\ngender_of softmax\n",
         "the model's head gender is neither a softmax nor a sigmoid"},
        {"l dense 3\ngender softmax\n", "the model's head gender has 3 outputs, not 2"},
        {"l dense 2\ngender sigmoid\n", "the model's head gender has 2 outputs, not 1"},
        {"l dense 300\nage softmax\n", "the layer age has 300 outputs, more than 256"},
        {"l dense 3\nout softmax\n", "the model has neither a head named gender nor one named age"},
    };
    const struct mien_session_options o = {.jobs = 1, .batch = N};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char path[] = "/tmp/mien-test-session-XXXXXX", text[200];
        struct mien_err e = {{0}};
        snprintf(text, sizeof text, "input 1x1x7\n%s", bad[i].text);
        save(text, path);
        struct mien_session *s = mien_session_open(path, &e);
        assert_non_null(s);
        assert_true(mien_session_start(s, NULL, &o, &e) < 0);
        assert_string_equal(e.msg, bad[i].why);
        mien_session_close(s);
        s = mien_session_open(path, &e);
        assert_non_null(s);
        assert_int_equal(mien_session_start(s, "input", &o, &e), 0);
        mien_session_close(s);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrors),
        cmocka_unit_test(features_have_no_mirror_image),
        cmocka_unit_test(heads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
