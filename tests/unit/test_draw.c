#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/draw.h"
#include "image/font.h"

static const struct draw_color black = {0, 0, 0}, red = {255, 0, 0};

/* An image of white, to be freed. */
static struct img blank(int h, int w)
{
    struct img im = {0};
    struct mien_err e;
    assert_int_equal(img_alloc(&im, h, w, &e), 0);
    memset(im.px, 255, (size_t)h * (size_t)w * 3);
    return im;
}

static bool is_set(const struct img *im, int x, int y)
{
    return im->px[(y * im->w + x) * 3 + 1] != 255;
}

static int count(const struct img *im)
{
    int n = 0;
    for (int y = 0; y < im->h; y++) {
        for (int x = 0; x < im->w; x++)
            n += is_set(im, x, y);
    }
    return n;
}

static void glyphs_never_touch(void **state)
{
    (void)state;
    for (int g = 0; g < FONT_GLYPHS; g++) {
        for (int y = 0; y < FONT_HEIGHT; y++)
            assert_false(font_pixel(g, FONT_WIDTH - 1, y));
    }
    assert_true(FONT_LINE > FONT_HEIGHT);
}

static void glyphs_differ(void **state)
{
    (void)state;
    uint64_t bits[FONT_GLYPHS] = {0};
    for (int g = 0; g < FONT_GLYPHS; g++) {
        for (int i = 0; i < FONT_HEIGHT * (FONT_WIDTH - 1); i++)
            bits[g] |= (uint64_t)font_pixel(g, i % (FONT_WIDTH - 1), i / (FONT_WIDTH - 1)) << i;
        for (int h = 0; h < g; h++)
            assert_true(bits[g] != bits[h]);
    }
    assert_true(bits[0] == 0); /* the space; so all others have pixels */
}

static void a_glyph_is_what_it_says(void **state)
{
    (void)state;
    static const char *const want[] = {"XXXXX", "X....", "X....", "XXXX.", "X....",
                                       "X....", "X....", "X....", ".....", "....."};
    size_t len;
    int g = font_glyph("F", 1, &len);
    for (int y = 0; y < FONT_HEIGHT; y++) {
        for (int x = 0; x < 5; x++)
            assert_int_equal(font_pixel(g, x, y), want[y][x] == 'X');
    }
}

static void characters_are_utf8(void **state)
{
    (void)state;
    size_t len;
    int box = font_glyph("\x80", 1, &len);
    assert_int_equal(len, 1);
    assert_int_equal(font_glyph("\t", 1, &len), box);
    assert_int_equal(font_glyph("\x7f", 1, &len), box);
    assert_int_equal(font_glyph("\u00e4", 2, &len), box);
    assert_int_equal(len, 2);
    assert_true(font_glyph("\u00b1", 2, &len) != box);
    assert_int_equal(font_glyph("\u2026", 2, &len), box); /* cut short */
    assert_int_equal(len, 1);
    assert_int_equal(font_chars("31\u00b16 \u2026\xff", 10), 7);
    assert_int_equal(font_chars("", 0), 0);
}

static void names_are_shortened_in_the_middle(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t chars;
        const char *out;
    } c[] = {{"abcdefgh", 8, "abcdefgh"},
             {"abcdefgh", 7, "abc\u2026fgh"},
             {"abcdefgh", 4, "ab\u2026h"},
             {"abcdefgh", 1, "\u2026"},
             {"\u00e4\u00f6\u00fc\u00df", 3, "\u00e4\u2026\u00df"},
             {"", 1, ""}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        struct mien_buf b = {0};
        assert_int_equal(font_shorten(&b, c[i].in, strlen(c[i].in), c[i].chars), 0);
        assert_int_equal(mien_buf_append(&b, "", 1), 0);
        assert_string_equal((const char *)b.data, c[i].out);
        mien_buf_free(&b);
    }
}

static void text_loses_whole_characters(void **state)
{
    (void)state;
    struct img im = blank(12, 25);
    draw_text(&im, 1, 1, 1, black, "HHHH", 4);
    int four = count(&im);
    assert_true(is_set(&im, 1, 1) && is_set(&im, 5, 8) && is_set(&im, 19, 1));
    draw_text(&im, 1, 1, 1, black, "HHHHHHHH", 8);
    assert_int_equal(count(&im), four);
    memset(im.px, 255, 12 * 25 * 3);
    draw_text(&im, 1, 3, 1, black, "HHHH", 4); /* its descenders' rows are beyond */
    draw_text(&im, -1, 1, 1, black, "H", 1);
    draw_text(&im, 1, 1, 2, black, "H", 1);
    assert_int_equal(count(&im), 0);
    draw_text(&im, -1, 1, 1, black, "HH", 2);
    assert_int_equal(count(&im), four / 4);
    img_free(&im);
}

static void text_is_scaled(void **state)
{
    (void)state;
    struct img one = blank(10, 12), three = blank(30, 36);
    draw_text(&one, 0, 0, 1, black, "g8", 2);
    draw_text(&three, 0, 0, 3, black, "g8", 2);
    for (int y = 0; y < 30; y++) {
        for (int x = 0; x < 36; x++)
            assert_int_equal(is_set(&three, x, y), is_set(&one, x / 3, y / 3));
    }
    img_free(&one);
    img_free(&three);
}

static void shapes_are_clipped(void **state)
{
    (void)state;
    struct img im = blank(6, 8), src = blank(3, 4);
    draw_fill(&im, (struct img_rect){-5, -5, 7, 6}, red);
    assert_int_equal(count(&im), 2);
    draw_fill(&im, (struct img_rect){6, 4, 100, 100}, red);
    assert_int_equal(count(&im), 6);
    draw_fill(&im, (struct img_rect){20, 20, 5, 5}, red);
    draw_fill(&im, (struct img_rect){3, 3, -2, 5}, red);
    assert_int_equal(count(&im), 6);
    memset(im.px, 255, 6 * 8 * 3);
    draw_frame(&im, (struct img_rect){2, 2, 3, 2}, 1, red); /* 5 x 4 without 3 x 2 */
    assert_int_equal(count(&im), 14);
    assert_false(is_set(&im, 2, 2) || is_set(&im, 4, 3));

    memset(im.px, 255, 6 * 8 * 3);
    memset(src.px, 7, 3 * 4 * 3);
    src.px[(2 * 4 + 3) * 3 + 1] = 255;
    draw_image(&im, -2, -1, &src);
    assert_int_equal(count(&im), 3); /* 2 x 2 are within, one of them white */
    draw_image(&im, 7, 5, &src);
    assert_int_equal(count(&im), 4);
    draw_image(&im, 8, 0, &src);
    draw_image(&im, -4, 0, &src);
    draw_image(&im, 0, -3, &src);
    assert_int_equal(count(&im), 4);
    img_free(&im);
    img_free(&src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glyphs_never_touch),
        cmocka_unit_test(glyphs_differ),
        cmocka_unit_test(a_glyph_is_what_it_says),
        cmocka_unit_test(characters_are_utf8),
        cmocka_unit_test(names_are_shortened_in_the_middle),
        cmocka_unit_test(text_loses_whole_characters),
        cmocka_unit_test(text_is_scaled),
        cmocka_unit_test(shapes_are_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
