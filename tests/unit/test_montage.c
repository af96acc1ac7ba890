#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "montage/internal.h"
#include "image/jpeg.h"
#include "montage/montage.h"

enum { SIZE = 64, GAP = 16 };

/* The pages that came, and the pixels of the last one. */
static struct {
    int n, last;
    struct mien_size size;
    unsigned char *px;
} got;

static int take_page(void *ctx, const unsigned char *px, struct mien_size size, bool last,
                     struct mien_err *e)
{
    size_t n = (size_t)size.h * (size_t)size.w * 3;
    (void)ctx;
    (void)e;
    got.n++;
    got.last += last;
    got.size = size;
    free(got.px);
    got.px = malloc(n);
    assert_non_null(got.px);
    memcpy(got.px, px, n);
    return 0;
}

static struct montage *start(int columns, int rows)
{
    struct montage_options o = {
        .columns = columns, .rows = rows, .size = SIZE, .tolerance = 10, .page = take_page};
    struct mien_err e;
    free(got.px);
    memset(&got, 0, sizeof got);
    struct montage *m = montage_new(&o, &e);
    assert_non_null(m);
    return m;
}

static struct montage_counts end(struct montage *m)
{
    struct mien_err e;
    assert_int_equal(montage_end(m, &e), 0);
    struct montage_counts c = *montage_counts(m);
    montage_free(m);
    assert_int_equal(c.pages, got.n);
    assert_int_equal(got.last, got.n > 0);
    return c;
}

static bool add(struct montage *m, const struct mien_rec *r, struct mien_err *e)
{
    bool bad;
    assert_int_equal(montage_add(m, r, &bad, e), 0);
    return bad;
}

/* A record of white pixels. */
static void pixels(struct mien_rec *r, const char *id, uint32_t h, uint32_t w)
{
    mien_rec_clear(r);
    mien_rec_set_str(r, MIEN_TAG_ID, id);
    unsigned char *p = mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, (uint32_t[]){h, w, 3});
    assert_non_null(p);
    memset(p, 255, (size_t)h * w * 3);
}

/* A record of a white photograph, 100 x 200, with a box. */
static void photo(struct mien_rec *r, const char *id, float x1, float y1, float x2, float y2)
{
    static unsigned char white[100 * 200 * 3];
    struct mien_buf jpeg = {0};
    struct mien_err e;
    memset(white, 255, sizeof white);
    assert_int_equal(img_jpeg_encode(white, 100, 200, 90, &jpeg, &e), 0);
    mien_rec_clear(r);
    mien_rec_set_str(r, MIEN_TAG_ID, id);
    mien_rec_set_f32v(r, MIEN_TAG_BOX, (float[]){x1, y1, x2, y2}, 4);
    uint32_t n = (uint32_t)jpeg.len;
    memcpy(mien_rec_alloc(r, MIEN_TAG_IMAGE, MIEN_U8, 1, &n), jpeg.data, n);
    mien_buf_free(&jpeg);
}

static void predict(struct mien_rec *r, int age, int sure_of_male)
{
    float p[101] = {0}, g[2] = {1 - sure_of_male / 100.0F, sure_of_male / 100.0F};
    p[age] = 1;
    mien_rec_set_f32v(r, MIEN_TAG_P_AGE, p, 101);
    mien_rec_set_f32v(r, MIEN_TAG_P_GENDER, g, 2);
}

enum color { OTHER, WHITE, RED, YELLOW, GREY };

static enum color color(int x, int y)
{
    const unsigned char *p = got.px + (y * got.size.w + x) * 3;
    if (memcmp(p, "\xff\xff\xff", 3) == 0)
        return WHITE;
    if (p[0] > 190 && p[1] < 20 && p[2] < 20)
        return RED;
    if (p[0] > 240 && p[1] > 200 && p[2] < 20)
        return YELLOW;
    return p[0] == p[1] && p[1] == p[2] && p[0] > 200 ? GREY : OTHER;
}

/* Whether the n-th cell of a row without captions above it has the red frame. */
static bool framed(int n)
{
    return color(GAP + n * (SIZE + GAP) - 1, GAP) == RED;
}

static void wrong_predictions_are_marked(void **state)
{
    (void)state;
    static const struct {
        int age, from, to, gender, pred, male;
        bool wrong;
    } c[] = {
        {30, -1, -1, 1, 40, 80, false}, /* just within the tolerance */
        {30, -1, -1, 1, 41, 80, true},  {30, -1, -1, 1, 19, 80, true},
        {30, -1, -1, 1, 30, 49, true},  {30, -1, -1, 0, 30, 49, false},
        {-1, 20, 29, 0, 39, 10, false}, {-1, 20, 29, 0, 40, 10, true},
        {-1, 20, 29, 0, 9, 10, true},   {-1, -1, -1, -1, 90, 99, false},
        {-1, -1, -1, 7, 90, 99, false},
    };
    struct montage *m = start(10, 1);
    struct mien_rec r = {0};
    struct mien_err e;
    int wrong = 0;
    for (size_t i = 0; i < 10; i++) {
        pixels(&r, "x", 8, 8);
        if (c[i].age >= 0)
            mien_rec_set_u8(&r, MIEN_TAG_AGE, c[i].age);
        if (c[i].from >= 0)
            memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}),
                   (uint8_t[]){(uint8_t)c[i].from, (uint8_t)c[i].to}, 2);
        if (c[i].gender >= 0)
            mien_rec_set_u8(&r, MIEN_TAG_GENDER, c[i].gender);
        predict(&r, c[i].pred, c[i].male);
        assert_false(add(m, &r, &e));
        wrong += c[i].wrong;
    }
    struct montage_counts n = end(m);
    assert_int_equal(n.faces, 10);
    assert_int_equal(n.cells, 10);
    assert_int_equal(n.wrong, wrong);
    for (int i = 0; i < 10; i++)
        assert_int_equal(framed(i), c[i].wrong);
    mien_rec_free(&r);
}

static void captions_tell_predictions(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct caption c;
    caption_of(&c, &r, 10);
    assert_string_equal(c.age, "");
    assert_string_equal(c.gender, "");
    predict(&r, 31, 98);
    caption_of(&c, &r, 10);
    assert_string_equal(c.age, "31");
    assert_string_equal(c.interval, "(31-31)");
    assert_string_equal(c.gender, "M");
    assert_string_equal(c.sure, "98%");
    assert_false(c.judged);
    mien_rec_set_f32(&r, MIEN_TAG_CONF_AGE, 0.3F);
    mien_rec_set_f32(&r, MIEN_TAG_CONF_GENDER, 0.98F);
    caption_of(&c, &r, 10);
    assert_string_equal(c.age, "31");
    mien_rec_del(&r, MIEN_TAG_P_AGE); /* left unsaid */
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 90);
    caption_of(&c, &r, 10);
    assert_string_equal(c.age, "?");
    assert_string_equal(c.interval, "");
    assert_string_equal(c.sure, "98%");
    assert_false(c.age_wrong);
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 1);
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.9951F, 0.0049F}, 2);
    caption_of(&c, &r, 10);
    assert_string_equal(c.sure, ">99%"); /* no guess is certain */
    assert_true(c.judged && c.gender_wrong);
    mien_rec_del(&r, MIEN_TAG_P_GENDER);
    caption_of(&c, &r, 10);
    assert_string_equal(c.gender, "?");
    assert_string_equal(c.sure, "");
    assert_false(c.judged); /* the label has nothing to be compared with */
    assert_false(c.faceless);
    mien_rec_set_i32(&r, MIEN_TAG_FACES, 0);
    caption_of(&c, &r, 10);
    assert_true(c.faceless);
    mien_rec_set_f32v(&r, MIEN_TAG_BOX, (float[]){0, 0, 9, 9}, 4);
    caption_of(&c, &r, 10);
    assert_false(c.faceless);
    mien_rec_free(&r);
}

static void pictures_keep_their_shape(void **state)
{
    (void)state;
    struct montage *m = start(3, 1);
    struct mien_rec r = {0};
    struct mien_err e;
    pixels(&r, "", 10, 40);
    add(m, &r, &e);
    pixels(&r, "", 300, 75);
    add(m, &r, &e);
    pixels(&r, "", 1, 5000);
    add(m, &r, &e);
    end(m);
    /* A quarter as high as wide, a quarter as wide as high, with an outline; no bars around. */
    for (int i = 0; i < SIZE; i++) {
        assert_int_equal(color(GAP + i, GAP + SIZE / 4), GREY);
        assert_int_equal(color(GAP + i, GAP + SIZE / 4 + 1), WHITE);
        assert_int_equal(color(2 * GAP + SIZE + SIZE / 4, GAP + i), GREY);
        assert_int_equal(color(2 * GAP + SIZE + SIZE / 4 + 1, GAP + i), WHITE);
    }
    assert_int_equal(color(GAP + 1, GAP + 1), WHITE);
    mien_rec_free(&r);
}

static void faces_of_a_photograph_share_a_cell(void **state)
{
    (void)state;
    static const char *const id[] = {"a/x.jpg#1", "a/x.jpg#2", "a/x.jpg#10", "b/x.jpg#1",
                                     "b/x.jpg",   "b/x.jpg",   "b/x.jpg#x",  "b/x.jpg#1",
                                     "b/x.jpg#",  "#1",        "#2",         "1"};
    static const int cells[] = {1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9};
    struct montage *m = start(20, 1);
    struct mien_rec r = {0};
    struct mien_err e;
    for (size_t i = 0; i < sizeof id / sizeof *id; i++) {
        photo(&r, id[i], 50, 30, 100, 80);
        assert_false(add(m, &r, &e));
        /* The last one is still open. */
        assert_int_equal(montage_counts(m)->cells, cells[i] - 1);
    }
    pixels(&r, "a#1", 4, 4);
    add(m, &r, &e);
    pixels(&r, "a#2", 4, 4);
    add(m, &r, &e);
    struct montage_counts n = end(m);
    assert_int_equal(n.cells, 11);
    assert_int_equal(n.faces, 14);
    mien_rec_free(&r);
}

/* The photograph is drawn 64 x 32, so a pixel there is 3.125 of the photograph. */
static void boxes_are_drawn_in_place(void **state)
{
    (void)state;
    struct montage *m = start(3, 1);
    struct mien_rec r = {0};
    struct mien_err e;
    photo(&r, "one.jpg#1", 50, 25, 100, 75);
    add(m, &r, &e);
    photo(&r, "two.jpg#1", 50, 50, 100, 75);
    add(m, &r, &e);
    photo(&r, "two.jpg#2", 125, 50, 175, 75);
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 0);
    predict(&r, 30, 60);
    add(m, &r, &e);
    assert_int_equal(end(m).wrong, 1);

    int x = GAP, y = GAP;
    assert_int_equal(color(x + 15, y + 16), YELLOW);
    assert_int_equal(color(x + 14, y + 16), YELLOW);
    assert_int_equal(color(x + 16, y + 16), WHITE);
    assert_int_equal(color(x + 31, y + 16), WHITE);
    assert_int_equal(color(x + 32, y + 16), YELLOW);
    assert_int_equal(color(x + 20, y + 7), YELLOW);
    assert_int_equal(color(x + 20, y + 8), WHITE);
    assert_int_equal(color(x + 15, y + 1), WHITE); /* no number */
    assert_false(framed(0));

    x += SIZE + GAP;
    assert_true(framed(1));
    assert_int_equal(color(x + 15, y + 20), YELLOW);
    assert_int_equal(color(x + 15, y + 3), YELLOW); /* the number's tag, above the box */
    assert_int_equal(color(x + 39, y + 20), RED);
    assert_int_equal(color(x + 39, y + 3), RED);
    mien_rec_free(&r);
}

/* The pixels of a rectangle that aren't white. */
static int inked(const struct img *im, int x, int y, int w, int h)
{
    int n = 0;
    for (int v = y; v < y + h; v++)
        for (int u = x; u < x + w; u++)
            n += memcmp(im->px + (v * im->w + u) * 3, "\xff\xff\xff", 3) != 0;
    return n;
}

static void answers_stand_beside_boxes(void **state)
{
    (void)state;
    enum { W = 300, H = 120, FACE = 30, FRAME = 2, LETTER = 6, PAD = 3 };
    struct picture p = {.scale = 1};
    struct mien_err e;
    struct caption c[4];
    for (int i = 0; i < 4; i++) {
        c[i] = (struct caption){
            .age = "31", .interval = "(25-38)", .gender = "F", .sure = "98%", .number = "1"};
        memcpy(c[i].box, (float[]){20.0F + 70 * i, 50, 20 + FACE + 70.0F * i, 50 + FACE},
               sizeof c[i].box);
    }
    int framed = (FACE + 2 * FRAME) * (FACE + 2 * FRAME) - FACE * FACE;
    int two_lines = (LETTER * 10 + PAD) * 27, numbered = (LETTER * 13 + PAD) * 27;
    int with_gender = (LETTER * 7 + PAD) * 14, number = (LETTER + PAD - FRAME) * (14 - FRAME);
    for (int n = 1; n <= 4; n++) {
        assert_int_equal(img_alloc(&p.im, H, W, &e), 0);
        memset(p.im.px, 255, W * H * 3);
        assert_int_equal(picture_mark(&p, c, (size_t)n, 1, &e), 0);
        /* Two rows of them, above and below the faces, and no face is covered. */
        assert_int_equal(inked(&p.im, 0, 0, W, H),
                         n * framed + (n == 1 ? two_lines : n * numbered));
        for (int i = 0; i < n; i++)
            assert_int_equal(inked(&p.im, 20 + 70 * i, 50, FACE, FACE), 0);
    }
    /* In a crowd intervals are left out, then all but the number, in the face's corner; only the last one
       has room at its side. */
    for (int i = 0; i < 2; i++) {
        int high = i == 0 ? FACE + 40 : FACE + 4;
        assert_int_equal(img_alloc(&p.im, high, W, &e), 0);
        memset(p.im.px, 255, (size_t)(high * W * 3));
        for (int k = 0; k < 4; k++) {
            c[k].box[0] = (float)(2 + (FACE + 5) * k);
            c[k].box[2] = c[k].box[0] + FACE;
            c[k].box[1] = i == 0 ? 20 : 2;
            c[k].box[3] = c[k].box[1] + FACE;
        }
        assert_int_equal(picture_mark(&p, c, 4, 1, &e), 0);
        assert_int_equal(inked(&p.im, 0, 0, W, high) - 4 * framed,
                         (i == 0 ? 3 * with_gender : 3 * number) + numbered);
    }
    img_free(&p.im);
}

/* Boxes and predictions as no sane program makes them. */
static void impossible_values_are_harmless(void **state)
{
    (void)state;
    static const float x[] = {0, -1e30F, 1e30F, 3e38F, -0.0F, 1e-40F, 64, 2e9F, -2e9F, 199};
    struct montage *m = start(2, 40);
    struct mien_rec r = {0};
    struct mien_err e;
    char id[32];
    for (int i = 0; i < 2200; i++) {
        int k = i % 10, l = i / 10 % 10;
        snprintf(id, sizeof id, "x.jpg#%d", i + 1);
        photo(&r, id, x[k], x[l], i % 3 ? x[l] : x[k] / 0.0F, i % 7 ? x[k] : x[0] / 0.0F);
        mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){x[k], x[l]}, 2);
        mien_rec_set_u8(&r, MIEN_TAG_AGE, 255);
        add(m, &r, &e);
    }
    assert_int_equal(end(m).cells, 3); /* a cell takes a thousand faces */
    mien_rec_free(&r);
}

static void cells_without_a_picture_say_why(void **state)
{
    (void)state;
    struct montage *m = start(4, 1);
    struct mien_rec r = {0};
    struct mien_err e;
    pixels(&r, "x", 4, 4);
    mien_rec_fail(&r, "GIF isn't decoded");
    assert_false(add(m, &r, &e)); /* reported when it went wrong */
    mien_rec_clear(&r);
    assert_true(add(m, &r, &e));
    assert_non_null(strstr(e.msg, "neither pixels nor an image"));
    photo(&r, "y#1", 0, 0, 1, 1);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_IMAGE, MIEN_U8, 1, (uint32_t[]){3}), "GIF", 3);
    assert_true(add(m, &r, &e));
    photo(&r, "y#2", 0, 0, 1, 1); /* doesn't go on there */
    assert_false(add(m, &r, &e));
    struct montage_counts n = end(m);
    assert_int_equal(n.cells, 4);
    assert_int_equal(n.wrong, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(framed(i), i < 3);
    mien_rec_free(&r);
}

static void pages_come_when_they_are_full(void **state)
{
    (void)state;
    for (int cells = 0; cells <= 9; cells++) {
        struct montage *m = start(2, 2);
        struct mien_rec r = {0};
        struct mien_err e;
        pixels(&r, "x", 4, 4);
        for (int i = 0; i < cells; i++)
            add(m, &r, &e);
        assert_int_equal(end(m).cells, cells);
        assert_int_equal(got.n, (cells + 3) / 4);
        mien_rec_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_predictions_are_marked),
        cmocka_unit_test(captions_tell_predictions),
        cmocka_unit_test(pictures_keep_their_shape),
        cmocka_unit_test(faces_of_a_photograph_share_a_cell),
        cmocka_unit_test(boxes_are_drawn_in_place),
        cmocka_unit_test(answers_stand_beside_boxes),
        cmocka_unit_test(impossible_values_are_harmless),
        cmocka_unit_test(cells_without_a_picture_say_why),
        cmocka_unit_test(pages_come_when_they_are_full),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(got.px);
    return failed;
}
