#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/sheet.h"

enum { SIZE = 64, GAP = 16, STEP = SIZE + GAP, CAPTION = 6, LINE = 13 };

static const unsigned char *px;
static struct mien_size size;

static struct sheet start(int columns, int rows, int side)
{
    struct sheet s = {.columns = columns, .rows = rows, .size = side};
    struct mien_err e;
    assert_int_equal(sheet_start(&s, &e), 0);
    return s;
}

static void add(struct sheet *s, const struct img *im, const struct sheet_text *t, bool wrong)
{
    struct mien_err e;
    assert_false(sheet_full(s));
    assert_int_equal(sheet_add(s, im, t, wrong, &e), 0);
}

static void page(struct sheet *s)
{
    struct mien_err e;
    static const struct sheet_text none = {0};
    assert_int_equal(sheet_page(s, &none, &px, &size, &e), 0);
}

static void say(struct sheet_text *t, bool line, const char *s)
{
    assert_int_equal(sheet_say(t, SHEET_PLAIN, line, s, strlen(s)), 0);
}

static const unsigned char *at(int x, int y)
{
    return px + (y * size.w + x) * 3;
}

/* The pixels in a rectangle of the page that are not white. */
static int ink(int x, int y, int w, int h)
{
    int n = 0;
    for (int v = y; v < y + h; v++) {
        for (int u = x; u < x + w; u++)
            n += memcmp(at(u, v), "\xff\xff\xff", 3) != 0;
    }
    return n;
}

static void cells_lie_on_a_grid(void **state)
{
    (void)state;
    struct sheet s = start(3, 2, SIZE);
    struct sheet_text none = {0};
    struct img im = {0};
    struct mien_err e;
    assert_int_equal(img_alloc(&im, SIZE / 2, SIZE, &e), 0);
    memset(im.px, 9, SIZE / 2 * SIZE * 3);
    for (int i = 0; i < 6; i++)
        add(&s, i == 4 ? &im : NULL, &none, i == 5);
    assert_true(sheet_full(&s));
    page(&s);
    assert_int_equal(size.w, GAP + 3 * STEP);
    assert_int_equal(size.h, GAP + 2 * (STEP + CAPTION));
    for (int i = 0; i < 6; i++) {
        int x = GAP + i % 3 * STEP, y = GAP + i / 3 * (STEP + CAPTION);
        int frame = i == 5 ? 3 : 1, h = i == 4 ? SIZE / 2 : SIZE;
        assert_int_equal(ink(x - frame, y - frame, SIZE + 2 * frame, h + 2 * frame),
                         (SIZE + 2 * frame) * (h + 2 * frame));
        assert_int_equal(ink(x - GAP / 2, y - GAP / 2, STEP, STEP), /* nothing around a picture */
                         (SIZE + 2 * frame) * (h + 2 * frame));
        assert_int_equal(at(x - 1, y)[0] > at(x - 1, y)[1], i == 5); /* a red frame */
        assert_int_equal(at(x, y)[0] == 9, i == 4);
        assert_int_equal(at(x + SIZE - 1, y + h - 1)[0] == 9, i == 4);
    }
    img_free(&im);
    sheet_free(&s);
}

static void a_page_is_no_wider_than_its_cells(void **state)
{
    (void)state;
    struct sheet s = start(4, 4, SIZE);
    struct sheet_text t = {0};
    say(&t, true, "28 F");
    for (int n = 1; n <= 5; n++) {
        for (int i = 0; i < n; i++)
            add(&s, NULL, &t, false);
        page(&s);
        int cells = n < 4 ? n : 4;
        assert_int_equal(size.w, GAP + cells * STEP);
        assert_int_equal(size.h, GAP + (n + 3) / 4 * (STEP + CAPTION + LINE));
        assert_int_equal(ink(0, 0, size.w, GAP - 1), 0);
        for (int i = 0; i < cells; i++) { /* each column's first cell is whole */
            assert_int_equal(ink(GAP + i * STEP, GAP, SIZE, SIZE), SIZE * SIZE);
            assert_int_equal(ink(i * STEP, 0, GAP - 1, GAP + SIZE + CAPTION + LINE),
                             i > 0 ? SIZE + 2 : 0);
        }
        sheet_next(&s);
    }
    sheet_text_free(&t);
    sheet_free(&s);
}

/* What is written stays below its own picture: not in the gaps, and not below the row's end. */
static void captions_stay_in_their_cells(void **state)
{
    (void)state;
    static const char *const words[] = {"nm0000100_rm12818_1955-1-6_2003",
                                        "28",
                                        "F",
                                        "WWWWWWWWWWW",
                                        "31\u00b16",
                                        "F",
                                        "98%",
                                        "WWWWWWWWWW"};
    struct sheet s = start(2, 1, SIZE);
    struct sheet_text t = {0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        say(&t, i == 1, words[i]);
    add(&s, NULL, &t, false);
    add(&s, NULL, &t, false);
    page(&s);
    /* The id; 28 F; W; 31+-6 F, whose 98% fits; W. Ten characters take the whole width. */
    int lines = 5, top = GAP + SIZE + CAPTION;
    assert_int_equal(size.h, top + lines * LINE + GAP);
    for (int i = 0; i < lines; i++)
        assert_true(ink(GAP, top + i * LINE, SIZE, 10) > 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ink(i * STEP, top, GAP, size.h - top), 0);
    assert_int_equal(ink(0, top + lines * LINE - 3, size.w, GAP + 3), 0);
    sheet_text_free(&t);
    sheet_free(&s);
}

static void endless_captions_end(void **state)
{
    (void)state;
    struct sheet s = start(1, 1, SIZE);
    struct sheet_text t = {0};
    for (int i = 0; i < 200; i++)
        say(&t, true, "face");
    add(&s, NULL, &t, false);
    page(&s);
    int last = GAP + SIZE + CAPTION + (SHEET_MAX_LINES - 1) * LINE;
    assert_int_equal(size.h, last + LINE + GAP);
    assert_int_equal(ink(0, last, size.w, size.h - last), 3); /* the ellipsis */
    sheet_text_free(&t);
    sheet_free(&s);
}

static void pages_are_bounded(void **state)
{
    (void)state;
    struct sheet s = start(1, SHEET_MAX_CELLS, SIZE), wide = {.columns = 300, .size = SIZE};
    struct sheet_text t = {0};
    struct mien_err e;
    int n = 0;
    for (; !sheet_full(&s); n++)
        add(&s, NULL, &t, false);
    page(&s);
    assert_int_equal(size.h, n * (STEP + CAPTION) + GAP);
    assert_in_range(size.h, MIEN_MAX_SIDE - 1500, MIEN_MAX_SIDE);
    sheet_free(&s);
    s = start(1, 0, SHEET_MAX_SIZE); /* even the largest cell has room */
    add(&s, NULL, &t, false);
    page(&s);
    sheet_free(&s);
    assert_int_equal(sheet_start(&wide, &e), MIEN_ERR_LIMIT);
    sheet_free(&wide);
}

static void large_pictures_have_large_text(void **state)
{
    (void)state;
    static const int side[] = {223, 224, 575, 640, 2048}, scale[] = {1, 2, 2, 3, 10};
    struct sheet_text t = {0};
    say(&t, true, "-");
    for (int i = 0; i < 5; i++) {
        struct sheet s = start(1, 1, side[i]);
        int k = scale[i];
        add(&s, NULL, &t, false);
        page(&s);
        assert_int_equal(size.w, side[i] + 2 * k * GAP);
        assert_int_equal(ink(0, side[i] + k * (GAP + CAPTION), size.w, k * LINE), 3 * k * k);
        sheet_free(&s);
    }
    sheet_text_free(&t);
}

/* Rows until the page is half as high again as it is wide, or 2048 pixels high. */
static void pages_have_sensible_heights(void **state)
{
    (void)state;
    static const int columns[] = {1, 40};
    struct sheet_text none = {0};
    struct img wide = {0};
    struct mien_err e;
    assert_int_equal(img_alloc(&wide, SIZE / 4, SIZE, &e), 0);
    for (int i = 0; i < 2; i++) {
        struct sheet s = start(columns[i], 0, SIZE);
        while (!sheet_full(&s))
            add(&s, &wide, &none, false);
        page(&s);
        assert_int_equal(s.cells % columns[i], 0);
        int high = i == 0 ? 2048 : size.w * 1414 / 1000;
        assert_in_range(size.h, high - SIZE, high + GAP);
        sheet_free(&s);
    }
    img_free(&wide);
}

/* It is as wide as the page, below the cells. */
static void a_legend_ends_the_page(void **state)
{
    (void)state;
    struct sheet s = start(2, 2, SIZE);
    struct sheet_text none = {0}, legend = {0};
    struct mien_err e;
    for (int i = 0; i < 15; i++)
        say(&legend, false, "mmmmm"); /* 24 characters a line: four words */
    for (int cells = 1; cells <= 2; cells++) {
        for (int i = 0; i < cells; i++)
            add(&s, NULL, &none, false);
        assert_int_equal(sheet_page(&s, &legend, &px, &size, &e), 0);
        int top = GAP + SIZE + CAPTION + GAP, lines = cells == 1 ? 15 : 4;
        assert_int_equal(size.w, GAP + cells * STEP);
        assert_int_equal(size.h, top + lines * LINE + GAP);
        for (int i = 0; i < lines; i++)
            assert_true(ink(GAP, top + i * LINE, 5 * 6, 10) > 0);
        assert_int_equal(ink(size.w - GAP + 1, top, GAP - 1, size.h - top), 0);
        sheet_next(&s);
    }
    for (int i = 0; i < 300; i++)
        say(&legend, false, "mmmmm");
    add(&s, NULL, &none, false);
    assert_int_equal(sheet_page(&s, &legend, &px, &size, &e), 0);
    assert_int_equal(size.h, GAP + SIZE + CAPTION + GAP + SHEET_MAX_LEGEND * LINE + GAP);
    sheet_text_free(&legend);
    sheet_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_lie_on_a_grid),
        cmocka_unit_test(a_page_is_no_wider_than_its_cells),
        cmocka_unit_test(captions_stay_in_their_cells),
        cmocka_unit_test(endless_captions_end),
        cmocka_unit_test(pages_are_bounded),
        cmocka_unit_test(large_pictures_have_large_text),
        cmocka_unit_test(pages_have_sensible_heights),
        cmocka_unit_test(a_legend_ends_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
