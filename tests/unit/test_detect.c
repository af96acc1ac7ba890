/* Face detection: anchors and decoding of hand-made outputs, merging, and the levels of a
 * photograph. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../squares.h"
#include "detect/detect.h"

static struct face face_at(float x, float y, float side, float score)
{
    struct face f = {{x, y, x + side, y + side}, score, {{0}}};
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        f.point[i][0] = x + (float)i;
        f.point[i][1] = y + 2 * (float)i;
    }
    return f;
}

static struct face_list list_of(const struct face *f, size_t n)
{
    struct face_list l = {0};
    struct mien_err e;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(face_add(&l, &f[i], &e), 0);
    return l;
}

static void overlaps(void **state)
{
    (void)state;
    const float a[] = {0, 0, 10, 10}, b[] = {5, 0, 15, 10}, in[] = {2, 2, 4, 6},
                off[] = {10, 0, 12, 2};
    assert_float_equal(face_iou(a, b), 50.0 / 150, 1e-6);
    assert_float_equal(face_iou(a, a), 1, 1e-6);
    assert_float_equal(face_iou(a, in), 0.08, 1e-6);
    assert_float_equal(face_inside(a, in), 1, 1e-6);
    assert_float_equal(face_inside(in, a), 1, 1e-6);
    assert_float_equal(face_inside(a, b), 0.5, 1e-6);
    assert_float_equal(face_iou(a, off), 0, 0); /* they touch */
    assert_float_equal(face_inside(a, off), 0, 0);
}

static void merging(void **state)
{
    (void)state;
    /* Two of one face, one elsewhere, one within the first, in an order that isn't the scores'. */
    const struct face f[] = {face_at(200, 0, 50, 0.7f), face_at(10, 0, 100, 0.3f),
                             face_at(20, 20, 30, 0.8f), face_at(0, 0, 100, 0.9f)};
    struct face_list l = list_of(f, 4);
    face_merge(&l, 0.3f, 0.6f, 0);
    assert_int_equal(l.n, 2);
    assert_float_equal(l.face[0].score, 0.9, 1e-6);
    assert_float_equal(l.face[0].box[0], 10 * 0.3 / 1.2, 1e-4); /* weighted by the scores */
    assert_float_equal(l.face[0].box[2], 100 + 10 * 0.3 / 1.2, 1e-4);
    assert_float_equal(l.face[0].box[3], 100, 1e-4);
    assert_float_equal(l.face[0].point[3][0], 3 + 10 * 0.3 / 1.2, 1e-4);
    assert_float_equal(l.face[0].point[3][1], 6, 1e-4);
    assert_memory_equal(l.face[1].box, f[0].box, sizeof f[0].box);
    face_list_free(&l);

    /* What lies within a better face only partly stays. */
    const struct face g[] = {face_at(0, 0, 100, 0.9f), face_at(85, 85, 30, 0.8f)};
    l = list_of(g, 2);
    face_merge(&l, 0.3f, 0.6f, 0);
    assert_int_equal(l.n, 2);
    face_merge(&l, -1, 1, 0); /* anything overlaps by more than that */
    assert_int_equal(l.n, 1);
    face_list_free(&l);

    l = (struct face_list){0};
    face_merge(&l, 0.3f, 0.6f, 0);
    assert_int_equal(l.n, 0);

    /* The order of equals doesn't matter. */
    const struct face p[] = {face_at(0, 0, 10, 0.5f), face_at(3, 0, 10, 0.5f),
                             face_at(6, 0, 10, 0.5f)};
    const struct face q[] = {p[2], p[0], p[1]};
    struct face_list lp = list_of(p, 3), lq = list_of(q, 3);
    face_merge(&lp, 0.3f, 0.6f, 0);
    face_merge(&lq, 0.3f, 0.6f, 0);
    assert_int_equal(lp.n, lq.n);
    assert_memory_equal(lp.face, lq.face, lp.n * sizeof *lp.face);
    face_list_free(&lp);
    face_list_free(&lq);
}

/* The logit of a score. */
static float logit(double p)
{
    return (float)log(p / (1 - p));
}

static void decoding(void **state)
{
    (void)state;
    enum { ROWS = 3, COLUMNS = 4, ANCHORS = 2, N = ROWS * COLUMNS * ANCHORS };
    const struct blaze_head h = {ROWS, COLUMNS, ANCHORS, 16, 0, 0};
    float score[N], box[N * BLAZE_VALUES] = {0};
    struct face_list l = {0};
    struct mien_err e;
    for (int i = 0; i < N; i++)
        score[i] = -20;
    /* The second anchor of row 2, column 3: its center is (56, 40). */
    int at = (2 * COLUMNS + 3) * ANCHORS + 1;
    float *v = box + at * BLAZE_VALUES;
    score[at] = logit(0.75);
    v[0] = 4, v[1] = -2, v[2] = 20, v[3] = 30;
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        v[4 + 2 * i] = (float)i;
        v[5 + 2 * i] = (float)-i;
    }
    assert_int_equal(blaze_decode(&h, score, box, 0.7, &l, &e), 0);
    assert_int_equal(l.n, 1);
    assert_float_equal(l.face[0].score, 0.75, 1e-6);
    const float want[] = {50, 23, 70, 53};
    for (int i = 0; i < 4; i++)
        assert_float_equal(l.face[0].box[i], want[i], 1e-5);
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        assert_float_equal(l.face[0].point[i][0], 56 + i, 1e-5);
        assert_float_equal(l.face[0].point[i][1], 40 - i, 1e-5);
    }

    l.n = 0;
    assert_int_equal(blaze_decode(&h, score, box, 0.76, &l, &e), 0);
    assert_int_equal(l.n, 0);
    const float bad[] = {0, -1, NAN, INFINITY}; /* of a width */
    for (size_t i = 0; i < 4; i++) {
        v[2] = bad[i];
        assert_int_equal(blaze_decode(&h, score, box, 0.5, &l, &e), 0);
        assert_int_equal(l.n, 0);
    }
    v[2] = 20;
    score[at] = NAN;
    assert_int_equal(blaze_decode(&h, score, box, 0, &l, &e), 0);
    for (size_t i = 0; i < l.n; i++)
        assert_false(l.face[i].box[2] > 60);
    face_list_free(&l);
}

/* A model with this description and no weights but zeros. */
static struct model model_of(const char *text)
{
    struct model m = {0};
    struct mien_err e;
    assert_int_equal(net_parse(&m.net, text, strlen(text), &e), 0);
    m.weights = net_weights_new(&m.net, &e);
    assert_non_null(m.weights);
    return m;
}

static void heads(void **state)
{
    (void)state;
    struct blaze_head h[BLAZE_MAX_HEADS];
    struct mien_err e;
    struct model m = model_of("input 32x32x3\na conv 8 3x3 stride=4 pad=same\ns1 conv 2 1x1\n"
                              "b1 conv 32 1x1 from=a\nc conv 8 3x3 stride=2 pad=same from=a\n"
                              "b2 conv 96 1x1\ns2 conv 6 1x1 from=c\n");
    assert_int_equal(blaze_heads(&m, h, &e), 2);
    assert_int_equal(h[0].rows, 8);
    assert_int_equal(h[0].columns, 8);
    assert_int_equal(h[0].anchors, 2);
    assert_float_equal(h[0].stride, 4, 0);
    assert_int_equal(h[0].score, net_find(&m.net, "s1"));
    assert_int_equal(h[0].box, net_find(&m.net, "b1"));
    assert_int_equal(h[1].rows, 4);
    assert_int_equal(h[1].columns, 4);
    assert_int_equal(h[1].anchors, 6);
    assert_float_equal(h[1].stride, 8, 0);
    assert_int_equal(h[1].score, net_find(&m.net, "s2"));
    model_free(&m);
    m = model_of("input 32x16x3\ns conv 2 1x1 stride=4\nb conv 32 1x1 stride=4 from=input\n");
    assert_int_equal(blaze_heads(&m, h, &e), 1);
    assert_int_equal(h[0].rows, 8);
    assert_int_equal(h[0].columns, 4);
    assert_null(detector_new(&m, &(struct detect_options){0}, &e)); /* the levels are for squares */
    assert_non_null(strstr(e.msg, "not for square images"));
    model_free(&m);

    const char *const none[] = {
        "input 32x32x3\ngap gap\ngender dense 2\n",
        "input 32x32x3\ns conv 2 1x1\nb conv 30 1x1 from=input\n",
        "input 32x32x3\ns conv 2 1x1\nb conv 32 1x1 stride=2 from=input\n",
        "input 32x32x3\ns conv 2 1x1 stride=2x1\nb conv 32 1x1 stride=2x1 from=input\n",
        "input 32x32x1\ns conv 2 1x1\nb conv 32 1x1 from=input\n",
        "input 32x32x3\nx gap\ns conv 2 1x1 from=input\nb conv 32 1x1 from=input\n"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        m = model_of(none[i]);
        assert_true(blaze_heads(&m, h, &e) < 0);
        assert_non_null(strstr(e.msg, "not a face detector"));
        model_free(&m);
    }
}

/*
 * A detector of bright squares of 16 x 16 pixels on an input of 64 x 64: the mean of a cell of 8 x
 * 8 pixels is its score, the box is 14 pixels wide about the cell, and the left eye lies 4 pixels
 * to the right of its center, the right eye 2 pixels to the left.
 */
static struct model square_detector(void)
{
    struct model m = model_of("input 64x64x3\nmean avgpool 8x8 stride=8\nscore conv 1 1x1\n"
                              "box conv 16 1x1 from=mean\n");
    const struct layer *score = &m.net.layer[net_find(&m.net, "score")];
    const struct layer *box = &m.net.layer[net_find(&m.net, "box")];
    for (int c = 0; c < 3; c++)
        m.weights[score->param[0].at + (size_t)c] = 0.0084f;
    /* Over 0.5 for brighter cells; at most 0.8, so that all of them are looked at again. */
    m.weights[score->param[1].at] = -0.0084f * 3 * 200;
    float *b = m.weights + box->param[1].at;
    b[2] = b[3] = 14;
    b[4 + 2 * MIEN_FACE_RIGHT_EYE] = -2;
    b[4 + 2 * MIEN_FACE_LEFT_EYE] = 4;
    return m;
}

/* A photograph with a bright square of 16 x 16 at x, y. The caller frees it. */
static unsigned char *draw(int h, int w, int x, int y, int orientation, size_t *n)
{
    const struct jpeg_how how = {.space = JCS_YCbCr, .orientation = orientation};
    return squares_jpeg(h, w, (const int[]){x, y, 16}, 1, &how, n);
}

static void photographs(void **state)
{
    (void)state;
    /* Stored size, the square's place in it, orientation, its place in the upright photograph. */
    static const struct {
        int h, w, x, y, orientation;
        float ux, uy;
        size_t found;
    } at[] = {
        {64, 64, 24, 16, 1, 24, 16, 1},   {64, 64, 0, 40, 1, 0, 40, 1},
        {112, 112, 88, 92, 1, 88, 92, 1}, /* too small for the first level */
        {112, 90, 40, 8, 1, 40, 8, 1},    {32, 64, 40, 8, 1, 40, 8, 1},
        {64, 112, 8, 40, 6, 8, 8, 1},     {64, 112, 8, 40, 3, 88, 8, 1},
        {112, 64, 8, 40, 2, 40, 40, 1},   {448, 448, 40, 60, 1, 0, 0, 0}, /* no level shows it */
    };
    const struct detect_options o = {.min_score = 0.6};
    const struct img_limits limits = {0};
    struct model m = square_detector();
    struct mien_err e;
    struct detector *d = detector_new(&m, &o, &e);
    assert_non_null(d);
    struct detect_work *w = detect_work_new(d, &e);
    assert_non_null(w);
    struct face_list l = {0};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        size_t n;
        unsigned char *jpeg = draw(at[i].h, at[i].w, at[i].x, at[i].y, at[i].orientation, &n);
        assert_int_equal(detect_photo(d, w, jpeg, n, &limits, &l, &e), 0);
        assert_int_equal(l.n, at[i].found);
        for (size_t k = 0; k < l.n; k++) {
            const struct face *f = &l.face[k];
            const float square[] = {at[i].ux, at[i].uy, at[i].ux + 16, at[i].uy + 16};
            float middle = (f->box[0] + f->box[2]) / 2, width = f->box[2] - f->box[0];
            assert_true(face_iou(f->box, square) > 0.5f);
            /* The mean of what is seen straight and mirrored. */
            assert_float_equal(f->point[MIEN_FACE_LEFT_EYE][0], middle + 3, 2);
            assert_float_equal(f->point[MIEN_FACE_RIGHT_EYE][0], middle - 3, 2);
            assert_float_equal(width, 16, 2);
        }
        free(jpeg);
    }
    assert_int_equal(detect_photo(d, w, "rubbish", 7, &limits, &l, &e), MIEN_ERR_FORMAT);
    face_list_free(&l);
    detect_work_free(w);
    detector_free(d);
    model_free(&m);
}

/* A dense layer has weights for one size of input: a photograph at another size is refused. */
static void dense_layers(void **state)
{
    (void)state;
    const struct detect_options o = {.min_score = 0.6};
    const struct img_limits limits = {0};
    struct model m = model_of("input 64x64x3\nall dense 2\nmap pad 3,4,3,4\n"
                              "score conv 1 1x1\nbox conv 16 1x1 from=map\n");
    struct mien_err e = {{0}};
    struct face_list l = {0};
    size_t n;
    unsigned char *jpeg = draw(112, 112, 24, 16, 1, &n);
    struct detector *d = detector_new(&m, &o, &e);
    struct detect_work *w = d != NULL ? detect_work_new(d, &e) : NULL;
    assert_non_null(w);
    assert_int_equal(detect_photo(d, w, jpeg, n, &limits, &l, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "layer 'all' has no weights for an input of 112x112");
    face_list_free(&l);
    detect_work_free(w);
    detector_free(d);
    free(jpeg);
    model_free(&m);
}

/* Which faces are kept. */
static void bounds(void **state)
{
    (void)state;
    const struct img_limits limits = {0};
    static const struct {
        struct detect_options o;
        size_t found;
    } at[] = {{{.min_score = 0.6}, 1},
              {{.min_score = 1}, 0},
              {{.min_score = 0}, 1},
              {{.min_score = 0.6, .min_size = 12}, 1},
              {{.min_score = 0.6, .min_size = 20}, 0},
              {{.min_score = 0.6, .max_faces = 1}, 1}};
    struct model m = square_detector();
    size_t n;
    unsigned char *jpeg = draw(64, 64, 24, 16, 1, &n);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        struct mien_err e;
        struct face_list l = {0};
        struct detector *d = detector_new(&m, &at[i].o, &e);
        struct detect_work *w = d != NULL ? detect_work_new(d, &e) : NULL;
        assert_non_null(w);
        assert_int_equal(detect_photo(d, w, jpeg, n, &limits, &l, &e), 0);
        assert_int_equal(l.n, at[i].found);
        face_list_free(&l);
        detect_work_free(w);
        detector_free(d);
    }
    free(jpeg);
    model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps), cmocka_unit_test(merging),     cmocka_unit_test(decoding),
        cmocka_unit_test(heads),    cmocka_unit_test(photographs), cmocka_unit_test(dense_layers),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
