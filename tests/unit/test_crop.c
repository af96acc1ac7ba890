/* Cropping: against an independent cut out of the whole image; orientation, borders, scales. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../jpeg_make.h"
#include "image/crop.h"
#include "mien/image.h"

static struct img_decoder *jpeg;
static struct img scratch;
static struct mien_err e;

static int set_up(void **state)
{
    (void)state;
    jpeg = img_decoder_new(&e);
    return jpeg == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    img_decoder_free(jpeg);
    img_free(&scratch);
    return 0;
}

/* An upright image at full scale. */
struct upright {
    int h, w;
    unsigned char *px;
};

/* The pixel of an image stored with an orientation that upright (x, y) is, by the table of
   EXIF: where the stored image's row 0 and column 0 are when it is upright. */
static const unsigned char *stored_pixel(const unsigned char *px, int h, int w, int o, int x, int y)
{
    int sx = 0, sy = 0;
    switch (o) {
    case 1: /* row 0 top, column 0 left */
        sx = x, sy = y;
        break;
    case 2: /* top, right */
        sx = w - 1 - x, sy = y;
        break;
    case 3: /* bottom, right */
        sx = w - 1 - x, sy = h - 1 - y;
        break;
    case 4: /* bottom, left */
        sx = x, sy = h - 1 - y;
        break;
    case 5: /* left, top */
        sx = y, sy = x;
        break;
    case 6: /* right, top */
        sx = y, sy = h - 1 - x;
        break;
    case 7: /* right, bottom */
        sx = w - 1 - y, sy = h - 1 - x;
        break;
    case 8: /* left, bottom */
        sx = w - 1 - y, sy = x;
        break;
    }
    return px + ((size_t)sy * (size_t)w + (size_t)sx) * 3;
}

static struct upright decode_upright(const unsigned char *file, size_t n)
{
    struct img_limits limits = {0};
    struct img_info info;
    assert_int_equal(img_open(jpeg, file, n, &limits, &info, &e), 0);
    unsigned char *px = malloc((size_t)info.h * (size_t)info.w * 3);
    struct img_rect all = {0, 0, info.w, info.h};
    assert_int_equal(img_read(jpeg, 8, all, px, (size_t)info.w * 3, &e), 0);
    struct upright u = {.h = info.orientation < 5 ? info.h : info.w,
                        .w = info.orientation < 5 ? info.w : info.h,
                        .px = malloc((size_t)info.h * (size_t)info.w * 3)};
    unsigned char *p = u.px;
    for (int y = 0; y < u.h; y++) {
        for (int x = 0; x < u.w; x++, p += 3)
            memcpy(p, stored_pixel(px, info.h, info.w, info.orientation, x, y), 3);
    }
    free(px);
    return u;
}

/* The cut of the image that was opened. */
static void read_cut(const struct img_info *info, const struct img_window *cut, unsigned char *out)
{
    struct img_part part;
    assert_int_equal(img_window_start(cut, info, &scratch, out, &part, &e), 0);
    assert_int_equal(img_read_parts(jpeg, cut->eighths, &part, 1, &e), 0);
    img_window_finish(cut, info, &part, &scratch, out);
}

/* A crop of a file; its side in *side, its scale in *eighths. NULL with the reason in e. */
static unsigned char *crop(const unsigned char *file, size_t n, const struct mien_crop *how,
                           const float *box, int *side, int *eighths)
{
    struct img_limits limits = {0};
    struct img_info info;
    struct img_window cut;
    if (img_open(jpeg, file, n, &limits, &info, &e) < 0 ||
        img_crop_plan(how, &info, box, &cut, &e) < 0)
        return NULL;
    struct mien_size size = img_window_size(&cut, &info);
    assert_int_equal(size.h, size.w);
    *side = size.h;
    if (eighths != NULL)
        *eighths = cut.eighths;
    unsigned char *out = malloc((size_t)size.h * (size_t)size.w * 3);
    read_cut(&info, &cut, out);
    return out;
}

/* Whether out is the square of u whose upper left corner is (x0, y0), border pixels repeated. */
static bool is_square_at(const unsigned char *out, int side, const struct upright *u, int x0,
                         int y0)
{
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++, out += 3) {
            int ux = x0 + x < 0 ? 0 : x0 + x >= u->w ? u->w - 1 : x0 + x;
            int uy = y0 + y < 0 ? 0 : y0 + y >= u->h ? u->h - 1 : y0 + y;
            if (memcmp(out, u->px + ((size_t)uy * (size_t)u->w + (size_t)ux) * 3, 3) != 0)
                return false;
        }
    }
    return true;
}

/* The box with its margin, squared, at full scale, for every orientation and boxes anywhere. */
static void test_against_whole(void **state)
{
    (void)state;
    struct rng rng = {1};
    for (int round = 0; round < 320; round++) {
        int h = 20 + (int)rng_below(&rng, 90), w = 20 + (int)rng_below(&rng, 90), o = round % 9;
        unsigned char *px = picture(h, w, (uint64_t)round);
        struct jpeg_how how = {.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2, .orientation = o};
        size_t n;
        unsigned char *file = jpeg_make(px, h, w, &how, 85, &n);
        struct upright u = decode_upright(file, n);
        /* Whole and half pixels: the square's corner is never exactly between two. */
        float box[4] = {(float)rng_below(&rng, (uint64_t)(2 * u.w)) / 2 - (float)(u.w / 3),
                        (float)rng_below(&rng, (uint64_t)(2 * u.h)) / 2 - (float)(u.h / 3), 0, 0};
        box[2] = fmaxf(box[0], 0) + 1 + (float)rng_below(&rng, (uint64_t)u.w);
        box[3] = fmaxf(box[1], 0) + 1 + (float)rng_below(&rng, (uint64_t)u.h);
        struct mien_crop c = {.margin = round % 2 * 0.4, .inner = round % 4 < 2 ? 1 : 0.63};
        double longer = fmax(box[2] - box[0], box[3] - box[1]);
        int want = (int)floor(longer * (1 + 2 * c.margin) * c.inner + 0.5), side;
        unsigned char *got = crop(file, n, &c, box, &side, NULL);
        assert_non_null(got);
        assert_int_equal(side, want > 1 ? want : 1);
        /* Rounded to whole pixels in the image as stored, so ties may go to either side. */
        double x0 = ((double)box[0] + box[2] - side) / 2, y0 = ((double)box[1] + box[3] - side) / 2;
        bool found = false;
        for (int k = 0; k < 4 && !found; k++)
            found = is_square_at(got, side, &u, (int)(k & 1 ? ceil(x0 - 0.5) : floor(x0 + 0.5)),
                                 (int)(k & 2 ? ceil(y0 - 0.5) : floor(y0 + 0.5)));
        if (!found)
            fail_msg("round %d: orientation %d, %dx%d, box %g,%g,%g,%g", round, o, h, w, box[0],
                     box[1], box[2], box[3]);
        free(got);
        free(u.px);
        free(file);
        free(px);
    }
}

/* One box, given for the upright image and for the stored one, makes the same crop. */
static void test_stored_box(void **state)
{
    (void)state;
    unsigned char *px = picture(50, 70, 3);
    for (int o = 1; o <= 8; o++) {
        struct jpeg_how how = {.space = JCS_YCbCr, .orientation = o};
        size_t n;
        int side, other;
        unsigned char *file = jpeg_make(px, 50, 70, &how, 85, &n);
        const float stored[4] = {10, 20, 40, 44};
        float box[4] = {1e9f, 1e9f, -1e9f, -1e9f}; /* the upright pixels that lie in it */
        for (int y = 0; y < (o < 5 ? 50 : 70); y++) {
            for (int x = 0; x < (o < 5 ? 70 : 50); x++) {
                size_t at = (size_t)(stored_pixel(px, 50, 70, o, x, y) - px) / 3;
                if (at % 70 >= 10 && at % 70 < 40 && at / 70 >= 20 && at / 70 < 44) {
                    box[0] = fminf(box[0], (float)x);
                    box[1] = fminf(box[1], (float)y);
                    box[2] = fmaxf(box[2], (float)x + 1);
                    box[3] = fmaxf(box[3], (float)y + 1);
                }
            }
        }
        struct mien_crop c = {.margin = 0.4, .inner = 1};
        unsigned char *a = crop(file, n, &c, box, &side, NULL);
        c.stored = true;
        unsigned char *b = crop(file, n, &c, stored, &other, NULL);
        assert_int_equal(side, 54);
        assert_int_equal(other, 54);
        assert_memory_equal(a, b, 54 * 54 * 3);
        free(a);
        free(b);
        free(file);
    }
    free(px);
}

static void test_whole(void **state)
{
    (void)state;
    unsigned char *px = picture(40, 64, 4);
    size_t n;
    int side;
    unsigned char *file = jpeg_make(px, 40, 64, &(struct jpeg_how){.space = JCS_YCbCr}, 85, &n);
    struct upright u = decode_upright(file, n);
    struct mien_crop c = {.whole = true, .margin = 0.4, .inner = 1};
    unsigned char *got = crop(file, n, &c, NULL, &side, NULL);
    assert_int_equal(side, 64); /* no margin; the shorter side extended on both ends */
    assert_true(is_square_at(got, 64, &u, 0, -12));
    free(got);
    c.inner = 0.5;
    got = crop(file, n, &c, NULL, &side, NULL);
    assert_int_equal(side, 32);
    assert_true(is_square_at(got, 32, &u, 16, 4));
    free(got);
    free(u.px);
    free(file);
    free(px);
}

static unsigned char *resized(const unsigned char *px, int side, int to)
{
    struct mien_resizer *z = mien_resizer_new(&e);
    unsigned char *out = malloc((size_t)to * (size_t)to * 3);
    assert_int_equal(
        mien_resize(z, px, side, side, out, (struct mien_size){to, to}, MIEN_TRIANGLE, &e), 0);
    mien_resizer_free(z);
    return out;
}

/* A smooth picture: what is left of a difference comes from place and scale alone. */
static unsigned char *waves(int h, int w)
{
    unsigned char *px = malloc((size_t)h * (size_t)w * 3), *p = px;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++, p += 3) {
            p[0] = (unsigned char)(128 + 100 * sin(x / 40.0));
            p[1] = (unsigned char)(128 + 100 * sin(y / 40.0));
            p[2] = (unsigned char)(128 + 100 * sin((x + y) / 60.0));
        }
    }
    return px;
}

/* The scale is the smallest that leaves enough pixels, and once resized its crop is that of the
   full scale but for the rounding of its place to a pixel of the reduced image. */
static void test_scale(void **state)
{
    (void)state;
    enum { H = 700, W = 900 };
    unsigned char *px = waves(H, W);
    size_t n;
    unsigned char *file = jpeg_make(
        px, H, W, &(struct jpeg_how){.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2}, 95, &n);
    static const struct {
        float box[4];
        int to, eighths;
    } cases[] = {
        {{100, 96, 500, 496}, 224, 8},  {{96, 96, 544, 544}, 224, 4},
        {{100, 96, 548, 544}, 112, 2},  {{99, 101, 555, 551}, 112, 2},
        {{99, 101, 555, 551}, 56, 1},   {{99, 101, 555, 551}, 8, 1},
        {{-300, 77, 555, 603}, 112, 2}, {{513, 401, 1101, 999}, 112, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mien_crop c = {.inner = 1};
        int side, reduced, eighths, to = cases[i].to;
        unsigned char *full = crop(file, n, &c, cases[i].box, &side, &eighths);
        assert_int_equal(eighths, 8);
        c.target = (struct mien_size){to, to / 2};
        unsigned char *small = crop(file, n, &c, cases[i].box, &reduced, &eighths);
        assert_int_equal(eighths, cases[i].eighths);
        assert_true(reduced >= to);
        assert_true(fabs(reduced - side * eighths / 8.0) <= 0.5);
        unsigned char *a = resized(full, side, to), *b = resized(small, reduced, to);
        /* A wave rises at most 2.5 levels a pixel; half a reduced pixel, 8 / eighths / 2, at each
           end of the crop, and some levels for coding. */
        double bound = 2.5 * 8 / eighths / 2 + 4;
        for (int k = 0; k < to * to * 3; k++) {
            if (abs(a[k] - b[k]) > bound)
                fail_msg("case %zu: %d and %d at byte %d, more than %g apart", i, a[k], b[k], k,
                         bound);
        }
        free(full);
        free(small);
        free(a);
        free(b);
    }
    free(file);
    free(px);
}

static void refused(const unsigned char *file, size_t n, const struct mien_crop *c, float x1,
                    float y1, float x2, float y2, const char *why)
{
    int side;
    const float box[4] = {x1, y1, x2, y2};
    assert_null(crop(file, n, c, box, &side, NULL));
    assert_string_equal(e.msg, why);
}

static void test_bad_boxes(void **state)
{
    (void)state;
    unsigned char *px = picture(30, 40, 5);
    size_t n;
    unsigned char *file = jpeg_make(px, 30, 40, &(struct jpeg_how){.space = JCS_YCbCr}, 85, &n);
    struct mien_crop c = {.margin = 0.4, .inner = 1, .max_bytes = 3 * 1000 * 1000};
    refused(file, n, &c, NAN, 0, 5, 5, "the face box is not a number");
    refused(file, n, &c, 0, 0, INFINITY, 5, "the face box is not a number");
    refused(file, n, &c, 5, 5, 5, 9, "the face box 5,5,5,9 is empty");
    refused(file, n, &c, 9, 9, 5, 5, "the face box 9,9,5,5 is empty");
    refused(file, n, &c, 40, 0, 50, 10,
            "the face box 40,0,50,10 lies outside the image of 40 x 30 pixels");
    refused(file, n, &c, -9, -9, 0, 10,
            "the face box -9,-9,0,10 lies outside the image of 40 x 30 pixels");
    refused(file, n, &c, 0, 0, 3e38f, 10, "the face box 0,0,3e+38,10 is too large");
    refused(file, n, &c, -3e38f, 0, 3e38f, 10, "the face box -3e+38,0,3e+38,10 is too large");
    refused(file, n, &c, -500, -500, 500, 500,
            "the crop of 1800 x 1800 pixels is more than a record holds");
    free(file);
    free(px);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_whole), cmocka_unit_test(test_stored_box),
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_scale),
        cmocka_unit_test(test_bad_boxes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
