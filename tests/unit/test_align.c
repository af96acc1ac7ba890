/* Aligned crops: against plain crops where they are the same, and against the transformation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../jpeg_make.h"
#include "image/align.h"
#include "mien/record.h"

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

/* The landmarks of a face whose eyes are `eyes` apart about (x, y) and whose mouth is `mouth`
   below, turned by an angle, clockwise on the screen. */
static void landmarks(float point[2 * MIEN_FACE_POINTS], double x, double y, double eyes,
                      double mouth, double angle)
{
    double c = cos(angle), s = sin(angle);
    memset(point, 0, 2 * MIEN_FACE_POINTS * sizeof *point);
    point[2 * MIEN_FACE_RIGHT_EYE] = (float)(x - c * eyes / 2);
    point[2 * MIEN_FACE_RIGHT_EYE + 1] = (float)(y - s * eyes / 2);
    point[2 * MIEN_FACE_LEFT_EYE] = (float)(x + c * eyes / 2);
    point[2 * MIEN_FACE_LEFT_EYE + 1] = (float)(y + s * eyes / 2);
    point[2 * MIEN_FACE_MOUTH] = (float)(x - s * mouth);
    point[2 * MIEN_FACE_MOUTH + 1] = (float)(y + c * mouth);
}

/* An aligned crop; NULL with the reason in e. The caller frees it. */
static unsigned char *align(const unsigned char *file, size_t n, const struct mien_crop *how,
                            const float *point, size_t npoint, struct img_aligned *a)
{
    struct img_limits limits = {0};
    struct img_info info;
    assert_int_equal(img_open(jpeg, file, n, &limits, &info, &e), 0);
    if (img_align_plan(how, &info, point, npoint, a, &e) < 0)
        return NULL;
    unsigned char *out = malloc((size_t)a->side * (size_t)a->side * 3);
    struct img_part part;
    assert_int_equal(img_align_start(a, &info, &scratch, &part, &e), 0);
    assert_int_equal(img_read_parts(jpeg, a->eighths, &part, 1, &e), 0);
    img_align_finish(a, &part, &scratch, out);
    return out;
}

/* The cut of the image that was opened. */
static void read_cut(const struct img_info *info, const struct img_window *cut, unsigned char *out)
{
    struct img_part part;
    assert_int_equal(img_window_start(cut, info, &scratch, out, &part, &e), 0);
    assert_int_equal(img_read_parts(jpeg, cut->eighths, &part, 1, &e), 0);
    img_window_finish(cut, info, &part, &scratch, out);
}

/* A face that is not turned, its square at whole pixels, is cut out as a box is, for every
   orientation, scale, and beyond the edges. */
static void test_as_a_box(void **state)
{
    (void)state;
    for (int round = 0; round < 27; round++) {
        const struct jpeg_how how = {.space = JCS_YCbCr, .orientation = round % 9};
        struct mien_crop c = {.margin = 0.5 * (round % 2), .inner = 1};
        int h = 480, w = 500;
        if (round / 9 == 1)
            c.target = (struct mien_size){100, 100};
        /* With an eye and mouth distance of 200 the side is 450, the center 94.5 below the eyes. */
        double x = round / 9 == 2 ? 30 : 250, y = round / 9 == 2 ? 350.5 : 145.5;
        float point[2 * MIEN_FACE_POINTS], box[4];
        landmarks(point, x, y, 200, 200, 0);
        for (int i = 0; i < 4; i++)
            box[i] = (float)((i % 2 ? y + 94.5 : x) + (i < 2 ? -225 : 225));
        unsigned char *px = picture(h, w, (uint64_t)round);
        size_t n;
        unsigned char *file = jpeg_make(px, h, w, &how, 90, &n);

        struct img_aligned a;
        unsigned char *out = align(file, n, &c, point, MIEN_FACE_POINTS, &a);
        assert_non_null(out);
        struct img_limits limits = {0};
        struct img_info info;
        struct img_window cut;
        assert_int_equal(img_open(jpeg, file, n, &limits, &info, &e), 0);
        assert_int_equal(img_crop_plan(&c, &info, box, &cut, &e), 0);
        assert_int_equal(cut.eighths, a.eighths);
        assert_int_equal(cut.rect.w, a.side);
        unsigned char *plain = malloc((size_t)a.side * (size_t)a.side * 3);
        read_cut(&info, &cut, plain);
        if (a.eighths == 8)
            assert_memory_equal(out, plain, (size_t)a.side * (size_t)a.side * 3);
        else
            assert_int_equal(a.side, 113); /* an eighth of 900, a quarter of 450 */
        free(plain);
        free(out);
        free(file);
        free(px);
    }
}

/* A picture whose red is x and whose green is y, so that a crop shows where it comes from. */
static unsigned char *map_of(int h, int w)
{
    unsigned char *px = malloc((size_t)h * (size_t)w * 3), *p = px;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++, p += 3) {
            p[0] = (unsigned char)x;
            p[1] = (unsigned char)y;
            p[2] = 128;
        }
    }
    return px;
}

/* Faces turned by any angle: each pixel comes from where it should. */
static void test_turned(void **state)
{
    (void)state;
    enum { H = 240, W = 250 };
    unsigned char *px = map_of(H, W);
    const struct jpeg_how how = {.space = JCS_RGB};
    size_t n;
    unsigned char *file = jpeg_make(px, H, W, &how, 100, &n);
    for (int round = 0; round < 24; round++) {
        struct mien_crop c = {.margin = 0.1 * (round % 3), .inner = round % 2 ? 1 : 0.8};
        struct img_aligned a;
        double angle = round * 0.2617993878, eyes = round % 4 ? 30 : 10; /* 15 degrees; a profile */
        float point[2 * MIEN_FACE_POINTS];
        landmarks(point, 120, 110, eyes, 30, angle);
        unsigned char *out = align(file, n, &c, point, MIEN_FACE_POINTS, &a);
        assert_non_null(out);
        double face = 2.25 * 30, side = face * (1 + 2 * c.margin) * c.inner;
        assert_float_equal(a.side, side, 0.501);
        for (int row = 0; row < a.side; row++) {
            for (int col = 0; col < a.side; col++) {
                double u = ((col + 0.5) / a.side - 0.5) * side;
                double v = ((row + 0.5) / a.side - 0.5) * side + 0.21 * face;
                double x = 120 + u * cos(angle) - v * sin(angle) - 0.5;
                double y = 110 + u * sin(angle) + v * cos(angle) - 0.5;
                const unsigned char *p = out + ((size_t)row * (size_t)a.side + (size_t)col) * 3;
                assert_float_equal(p[0], fmin(fmax(x, 0), W - 1), 2);
                assert_float_equal(p[1], fmin(fmax(y, 0), H - 1), 2);
            }
        }
        free(out);
    }
    free(file);
    free(px);
}

static void refused(const unsigned char *file, size_t n, const struct mien_crop *c,
                    const float *point, size_t npoint, const char *why)
{
    struct img_aligned a;
    assert_null(align(file, n, c, point, npoint, &a));
    assert_non_null(strstr(e.msg, why));
}

static void test_refused(void **state)
{
    (void)state;
    unsigned char *px = picture(60, 80, 1);
    const struct jpeg_how how = {.space = JCS_YCbCr, .orientation = 6};
    size_t n;
    unsigned char *file = jpeg_make(px, 60, 80, &how, 90, &n);
    struct mien_crop c = {.inner = 1, .max_bytes = 30000};
    float point[2 * MIEN_FACE_POINTS];
    landmarks(point, 30, 30, 20, 20, 0);
    refused(file, n, &c, point, 3, "3 landmarks");
    landmarks(point, 30, 30, 0, 0, 0);
    refused(file, n, &c, point, 6, "not those of a face");
    landmarks(point, 30, 30, 20, -20, 0);
    refused(file, n, &c, point, 6, "not those of a face");
    landmarks(point, 61, 30, 20, 20, 0); /* upright, the image is 60 wide */
    refused(file, n, &c, point, 6, "lies outside the image of 60 x 80 pixels");
    landmarks(point, 30, 30, 60, 60, 0);
    refused(file, n, &c, point, 6, "more than a record holds");
    const float bad[] = {NAN, INFINITY, -1e7f};
    for (size_t i = 0; i < 3; i++) {
        landmarks(point, 30, 30, 20, 20, 0);
        point[2 * MIEN_FACE_MOUTH] = bad[i];
        refused(file, n, &c, point, 6, "isn't a position in the image");
    }
    free(file);
    free(px);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_a_box),
        cmocka_unit_test(test_turned),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
