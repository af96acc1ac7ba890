/* JPEG: all kinds of files, parts and scales of them, damage, limits; kinds of images; EXIF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../jpeg_make.h"
#include "image/decoder.h"
#include "image/jpeg.h"

static struct img_decoder *jpeg;
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
    return 0;
}

static int open_with(const void *file, size_t n, bool tolerant, struct img_info *info)
{
    struct img_limits limits = {.tolerant = tolerant};
    return img_open(jpeg, file, n, &limits, info, &e);
}

/* The whole image at a scale, or NULL with the reason in e. The caller frees it. */
static unsigned char *decode(const void *file, size_t n, int eighths, bool tolerant, int *h, int *w)
{
    struct img_info info;
    if (open_with(file, n, tolerant, &info) < 0)
        return NULL;
    *h = img_scaled(info.h, eighths);
    *w = img_scaled(info.w, eighths);
    unsigned char *px = malloc((size_t)*h * (size_t)*w * 3);
    struct img_rect all = {0, 0, *w, *h};
    if (img_read(jpeg, eighths, all, px, (size_t)*w * 3, &e) == 0)
        return px;
    free(px);
    return NULL;
}

static double mean_difference(const unsigned char *a, const unsigned char *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += abs(a[i] - b[i]);
    return sum / (double)n;
}

static const struct jpeg_how kinds[] = {
    {.space = JCS_YCbCr},
    {.space = JCS_YCbCr, .h_samp = 2},
    {.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2},
    {.space = JCS_YCbCr, .v_samp = 2},
    {.space = JCS_YCbCr, .h_samp = 4},
    {.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2, .restart = 3},
    {.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2, .progressive = true},
    {.space = JCS_YCbCr, .progressive = true},
    {.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2, .dc_only = true},
    {.space = JCS_RGB},
    {.space = JCS_GRAYSCALE},
    {.space = JCS_GRAYSCALE, .progressive = true},
    {.space = JCS_CMYK},
    {.space = JCS_CMYK, .plain_cmyk = true},
    {.space = JCS_YCCK, .h_samp = 2, .v_samp = 2},
    {.space = JCS_YCCK, .progressive = true},
};
#define NKINDS (sizeof kinds / sizeof kinds[0])

/* Every kind decodes to about the picture that was encoded. */
static void test_kinds_of_jpeg(void **state)
{
    (void)state;
    enum { H = 61, W = 83 };
    unsigned char *px = picture(H, W, 1);
    for (size_t i = 0; i < H * W * 3; i++) /* no fine color, which halved chroma would lose */
        px[i] = (unsigned char)(i % 3 == 0 ? px[i] / 4 * 4 : px[i - i % 3] * (i % 3) / 3 + 40);
    for (size_t k = 0; k < NKINDS; k++) {
        size_t n;
        int h, w;
        unsigned char *file = jpeg_make(px, H, W, &kinds[k], 95, &n);
        unsigned char *got = decode(file, n, 8, false, &h, &w);
        if (got == NULL)
            fail_msg("kind %zu: %s", k, e.msg);
        assert_int_equal(h, H);
        assert_int_equal(w, W);
        assert_null(img_damage(jpeg));
        if (kinds[k].space == JCS_GRAYSCALE) {
            for (size_t i = 0; i < H * W * 3; i++)
                assert_true(abs(got[i] - px[i - i % 3 + 1]) < 40);
        } else {
            double d = mean_difference(got, px, H * W * 3);
            if (d > (kinds[k].dc_only ? 30 : 4))
                fail_msg("kind %zu: off by %g levels on average", k, d);
        }
        free(file);
        free(got);
    }
    free(px);
}

/* A part is what the whole has there, at every scale and for every kind. */
static void test_parts(void **state)
{
    (void)state;
    enum { H = 121, W = 146 }; /* the last blocks have two columns and nine rows */
    unsigned char *px = picture(H, W, 2);
    struct rng rng = {3};
    for (size_t k = 0; k < NKINDS * 4; k++) {
        const struct jpeg_how *how = &kinds[k / 4];
        int eighths = 1 << k % 4, h, w;
        size_t n;
        unsigned char *file = jpeg_make(px, H, W, how, 85, &n);
        unsigned char *whole = decode(file, n, eighths, false, &h, &w);
        assert_non_null(whole);
        for (int round = 0; round < 25; round++) {
            struct img_rect r = {(int)rng_below(&rng, (uint64_t)w),
                                 (int)rng_below(&rng, (uint64_t)h), 0, 0};
            if (round % 3 == 0) /* at the right end, narrow */
                r.x = w - 1 - round / 3 % 4;
            if (round % 3 == 1) /* at the left end */
                r.x = 0;
            r.w = 1 + (int)rng_below(&rng, (uint64_t)(round % 3 == 1 ? 6 : w - r.x));
            r.h = 1 + (int)rng_below(&rng, (uint64_t)(h - r.y));
            size_t row = (size_t)r.w * 3;
            unsigned char *part = malloc(row * (size_t)r.h);
            struct img_info info;
            assert_int_equal(open_with(file, n, false, &info), 0);
            assert_int_equal(img_read(jpeg, eighths, r, part, row, &e), 0);
            for (int y = 0; y < r.h; y++) {
                const unsigned char *want =
                    whole + ((size_t)(r.y + y) * (size_t)w + (size_t)r.x) * 3;
                if (memcmp(part + (size_t)y * row, want, row) != 0)
                    fail_msg("kind %zu at %d/8: %dx%d at %d,%d differs in row %d", k / 4, eighths,
                             r.w, r.h, r.x, r.y, y);
            }
            free(part);
        }
        free(file);
        free(whole);
    }
    free(px);
}

/* Several parts at once are those that are read one by one: rows between them are left out, and
   those that several have go to each. */
static void test_parts_together(void **state)
{
    (void)state;
    enum { H = 321, W = 146, PARTS = 4 };
    unsigned char *px = picture(H, W, 11);
    struct rng rng = {12};
    for (size_t k = 0; k < NKINDS * 4; k++) {
        int eighths = 1 << k % 4, h, w;
        size_t n;
        unsigned char *file = jpeg_make(px, H, W, &kinds[k / 4], 85, &n);
        unsigned char *whole = decode(file, n, eighths, false, &h, &w);
        assert_non_null(whole);
        for (int round = 0; round < 50; round++) {
            struct img_part part[PARTS];
            struct img_info info;
            for (int i = 0; i < PARTS; i++) {
                struct img_rect r = {(int)rng_below(&rng, (uint64_t)w),
                                     (int)rng_below(&rng, (uint64_t)h), 0, 0};
                r.w = 1 + (int)rng_below(&rng, (uint64_t)(w - r.x));
                r.h =
                    1 + (int)rng_below(&rng, (uint64_t)(round % 2 ? h - r.y : (h - r.y + 9) / 10));
                part[i] =
                    (struct img_part){r, malloc((size_t)r.w * (size_t)r.h * 3), (size_t)r.w * 3};
            }
            assert_int_equal(open_with(file, n, false, &info), 0);
            assert_int_equal(img_read_parts(jpeg, eighths, part, PARTS, &e), 0);
            for (int i = 0; i < PARTS; i++) {
                struct img_rect r = part[i].rect;
                for (int y = 0; y < r.h; y++) {
                    const unsigned char *want =
                        whole + ((size_t)(r.y + y) * (size_t)w + (size_t)r.x) * 3;
                    if (memcmp(part[i].out + (size_t)y * part[i].stride, want, part[i].stride) != 0)
                        fail_msg("kind %zu at %d/8, round %d: %dx%d at %d,%d differs in row %d",
                                 k / 4, eighths, round, r.w, r.h, r.x, r.y, y);
                }
                free(part[i].out);
            }
        }
        free(file);
        free(whole);
    }
    free(px);
}

static void test_part_outside(void **state)
{
    (void)state;
    unsigned char *px = picture(20, 20, 4), out[20 * 20 * 3];
    struct img_info info;
    size_t n;
    unsigned char *file = jpeg_make(px, 20, 20, &kinds[0], 85, &n);
    const struct img_rect bad[] = {
        {-1, 0, 5, 5}, {0, 0, 21, 5}, {16, 0, 5, 5}, {0, 20, 1, 1}, {0, 0, 0, 5}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(open_with(file, n, false, &info), 0);
        assert_int_equal(img_read(jpeg, 8, bad[i], out, 60, &e), MIEN_ERR_ARG);
    }
    free(px);
    free(file);
}

static void test_encode(void **state)
{
    (void)state;
    struct mien_buf out = {0};
    int h, w;
    unsigned char *px = picture(200, 333, 5);
    assert_int_equal(mien_buf_append(&out, "before", 6), 0);
    assert_int_equal(img_jpeg_encode(px, 200, 333, 95, &out, &e), 0);
    assert_memory_equal(out.data, "before", 6);
    unsigned char *got = decode(out.data + 6, out.len - 6, 8, false, &h, &w);
    assert_non_null(got);
    assert_int_equal(h, 200);
    assert_int_equal(w, 333);
    assert_true(mean_difference(got, px, 200 * 333 * 3) < 12); /* the edges' colors are halved */
    free(got);
    free(px);
    size_t len = out.len;
    px = calloc(70000, 3);
    assert_int_equal(img_jpeg_encode(px, 1, 70000, 95, &out, &e), MIEN_ERR_LIMIT);
    assert_int_equal(out.len, len);
    free(px);
    mien_buf_free(&out);
}

/* Cut anywhere: refused; tolerated: the rows before the cut are right. */
static void test_cut_short(void **state)
{
    (void)state;
    enum { H = 96, W = 80 };
    unsigned char *px = picture(H, W, 6);
    for (int progressive = 0; progressive < 2; progressive++) {
        size_t n;
        int h, w, kept = 0;
        unsigned char *file = jpeg_make(px, H, W, &kinds[progressive ? 7 : 0], 85, &n);
        unsigned char *whole = decode(file, n, 8, false, &h, &w);
        for (size_t len = 0; len < n; len += 37) {
            unsigned char *cut = malloc(len > 0 ? len : 1);
            memcpy(cut, file, len);
            assert_null(decode(cut, len, 8, false, &h, &w));
            unsigned char *part = decode(cut, len, 8, true, &h, &w);
            if (part != NULL) {
                kept++;
                assert_non_null(img_damage(jpeg));
            }
            if (part != NULL && !progressive && len > n * 3 / 4)
                assert_memory_equal(part, whole, W * 3 * H / 2);
            free(part);
            free(cut);
        }
        assert_true(kept > 10);
        free(whole);
        free(file);
    }
    free(px);
}

/* The message tells cut short from damaged, and a tolerant decoder says what it met. */
static void test_messages(void **state)
{
    (void)state;
    unsigned char *px = picture(64, 64, 7);
    size_t n;
    int h, w;
    unsigned char *file = jpeg_make(px, 64, 64, &kinds[2], 85, &n);
    assert_null(decode(file, n - 30, 8, false, &h, &w));
    assert_string_equal(e.msg, "damaged JPEG: cut short");
    memset(file + n / 2, 0xff, 40);
    file[n / 2 + 40] = 0; /* else 0xff bytes would be a marker's padding */
    assert_null(decode(file, n, 8, false, &h, &w));
    assert_memory_equal(e.msg, "damaged JPEG: ", 14);
    unsigned char *part = decode(file, n, 8, true, &h, &w);
    assert_non_null(part);
    assert_non_null(img_damage(jpeg));
    free(part);
    assert_null(decode("", 0, 8, false, &h, &w));
    assert_string_equal(e.msg, "the image is empty");
    assert_null(decode("GIF89a......", 12, 8, false, &h, &w));
    assert_string_equal(e.msg, "GIF isn't decoded; convert it first: convert 'FILE[0]' FILE.png");
    assert_null(decode("<html>......", 12, 8, false, &h, &w));
    assert_string_equal(e.msg, "HTML, not an image");
    assert_null(decode("what is this", 12, 8, false, &h, &w));
    assert_string_equal(e.msg, "not an image");
    free(file);
    free(px);
}

/* Bytes changed at random: an error or an image, never more; and the decoder works afterwards. */
static void test_noise(void **state)
{
    (void)state;
    enum { H = 48, W = 56 };
    unsigned char *px = picture(H, W, 8);
    struct rng rng = {9};
    int good = 0, bad = 0, h, w;
    for (int round = 0; round < 3000; round++) {
        size_t n;
        unsigned char *file = jpeg_make(px, H, W, &kinds[(size_t)round % NKINDS], 60, &n);
        for (uint64_t k = 1 + rng_below(&rng, 4); k > 0; k--)
            file[rng_below(&rng, n)] = (unsigned char)rng_next(&rng);
        struct img_limits limits = {.tolerant = round % 2, .max_pixels = 100 * H * W};
        struct img_info info;
        unsigned char *got = NULL;
        if (img_open(jpeg, file, n, &limits, &info, &e) == 0 && info.w <= 4096 && info.h <= 4096)
            got = decode(file, n, 1 << round % 4, limits.tolerant, &h, &w);
        good += got != NULL;
        bad += got == NULL;
        free(got);
        free(file);
    }
    assert_true(good > 100);
    assert_true(bad > 100);
    free(px);
}

/* The marker 0xff m, from byte `from` on; n when there is none. */
static size_t find_marker(const unsigned char *file, size_t n, size_t from, int m)
{
    while (from + 1 < n && !(file[from] == 0xff && file[from + 1] == m))
        from++;
    return from + 1 < n ? from : n;
}

/* A copy without `cut` bytes at `at`, and with `ins` bytes of rubbish there. The caller frees it. */
static unsigned char *altered(const unsigned char *file, size_t *n, size_t at, size_t cut,
                              size_t ins)
{
    unsigned char *copy = malloc(*n - cut + ins);
    memcpy(copy, file, at);
    memset(copy + at, 0x35, ins);
    memcpy(copy + at + ins, file + at + cut, *n - at - cut);
    *n += ins - cut;
    return copy;
}

/* An odd file's pixels, whole or of its upper rows, are those of the file as it should be. */
static void same_pixels(const char *what, unsigned char *odd, size_t n, const unsigned char *want)
{
    enum { H = 96, W = 80, UPPER = 24 };
    int h, w;
    struct img_info info;
    unsigned char *got = decode(odd, n, 8, false, &h, &w), upper[W * UPPER * 3];
    if (got == NULL)
        fail_msg("%s: %s", what, e.msg);
    assert_null(img_damage(jpeg));
    assert_memory_equal(got, want, H * W * 3);
    assert_int_equal(open_with(odd, n, false, &info), 0);
    assert_int_equal(img_read(jpeg, 8, (struct img_rect){0, 0, W, UPPER}, upper, W * 3, &e), 0);
    assert_memory_equal(upper, want, sizeof upper);
    free(got);
    free(odd);
}

/* What is odd about a file, but costs none of the picture. */
static void test_oddities(void **state)
{
    (void)state;
    enum { H = 96, W = 80, SOS = 0xda, DHT = 0xc4, EOI = 0xd9 };
    unsigned char *px = picture(H, W, 6), *odd;
    for (int progressive = 0; progressive < 2; progressive++) {
        size_t n, m;
        int h, w;
        unsigned char *file = jpeg_make(px, H, W, &kinds[progressive ? 7 : 0], 85, &n);
        unsigned char *want = decode(file, n, 8, false, &h, &w);
        odd = altered(file, (m = n, &m), n - 2, 0, 7);
        same_pixels("bytes before the end marker", odd, m, want);
        odd = altered(file, (m = n, &m), n - 2, 2, 0);
        same_pixels("no end marker", odd, m, want);
        size_t first = find_marker(file, n, 0, SOS);
        if (progressive) {
            odd = altered(file, (m = n, &m), find_marker(file, n, first, DHT), 0, 9);
            same_pixels("bytes before a table", odd, m, want);
            odd = altered(file, (m = n, &m), find_marker(file, n, first + 2, SOS), 0, 9);
            same_pixels("bytes before a scan", odd, m, want);
        } else {
            odd = altered(file, (m = n, &m), 0, 0, 0);
            odd[first + 4 + 1 + 2 * 3 + 1] = 0; /* the last coefficient, as Samsung writes it */
            same_pixels("an odd scan header", odd, m, want);
        }
        free(want);
        free(file);
    }
    free(px);
}

/* A scan is gone: what the next ones refine has never come. And without an end marker, the last. */
static void test_lost_scan(void **state)
{
    (void)state;
    enum { H = 96, W = 80, SOS = 0xda, DHT = 0xc4, EOI = 0xd9 };
    unsigned char *px = picture(H, W, 6);
    size_t n;
    int h, w, refining = 0;
    unsigned char *file = jpeg_make(px, H, W, &kinds[7], 85, &n);
    size_t last = 0;
    for (size_t at = 0; (at = find_marker(file, n, at, SOS)) < n; at += 2) {
        size_t end = at + 2;
        while (!(file[end] == 0xff &&
                 (file[end + 1] == SOS || file[end + 1] == DHT || file[end + 1] == EOI)))
            end++;
        last = at;
        if (file[at + 4 + 1 + 2 * file[at + 4] + 2] != 0x21)
            continue;
        size_t m = n;
        unsigned char *lost = altered(file, &m, at, end - at, 0);
        assert_null(decode(lost, m, 8, false, &h, &w));
        assert_memory_equal(e.msg, "damaged JPEG: Inconsistent progression", 38);
        free(lost);
        refining++;
    }
    assert_int_equal(refining, 1);
    assert_null(decode(file, last, 8, false, &h, &w));
    assert_string_equal(e.msg, "damaged JPEG: cut short");
    free(file);
    free(px);
}

static size_t find_sof(const unsigned char *file, size_t n)
{
    for (size_t i = 0; i + 9 < n; i++) {
        if (file[i] == 0xff && file[i + 1] == 0xc0)
            return i;
    }
    return 0;
}

/* Leaves out the segments of a kind; returns how many bytes are left. */
static size_t strip(unsigned char *file, size_t n, int marker)
{
    for (size_t at = 2; at + 4 <= n && file[at] == 0xff && file[at + 1] != 0xda;) {
        size_t len = 2 + (size_t)(file[at + 2] << 8 | file[at + 3]);
        if (file[at + 1] == marker) {
            memmove(file + at, file + at + len, n - at - len);
            n -= len;
        } else {
            at += len;
        }
    }
    return n;
}

/* An image without tables of its own isn't decoded with those of the image before. */
static void test_tables(void **state)
{
    (void)state;
    enum { SIDE = 32, QUANTISATION = 0xdb, HUFFMAN = 0xc4 };
    struct jpeg_how how = {.space = JCS_YCbCr};
    unsigned char *px = picture(SIDE, SIDE, 5);
    size_t n, m;
    unsigned char *file = jpeg_make(px, SIDE, SIDE, &how, 90, &n);
    unsigned char *other = jpeg_make(px, SIDE, SIDE, &how, 10, &m);
    int h, w;
    unsigned char *want = decode(file, n, 8, false, &h, &w);
    assert_non_null(want);
    m = strip(other, m, QUANTISATION);
    assert_null(decode(other, m, 8, false, &h, &w));
    assert_non_null(strstr(e.msg, "Quantization table"));
    /* Huffman tables, which MJPEG lacks, are the standard's then. */
    n = strip(file, n, HUFFMAN);
    how.progressive = true;
    unsigned char *others = jpeg_make(px, SIDE, SIDE, &how, 90, &m);
    free(decode(others, m, 8, false, &h, &w));
    unsigned char *got = decode(file, n, 8, false, &h, &w);
    assert_non_null(got);
    assert_memory_equal(got, want, SIDE * SIDE * 3);
    free(got);
    free(want);
    free(others);
    free(other);
    free(file);
    free(px);
}

static void test_limits(void **state)
{
    (void)state;
    unsigned char *px = picture(16, 16, 10);
    struct img_info info;
    size_t n;
    unsigned char *file = jpeg_make(px, 16, 16, &kinds[0], 85, &n);
    size_t sof = find_sof(file, n);
    memset(file + sof + 5, 0xfa, 4);
    assert_int_equal(open_with(file, n, true, &info), MIEN_ERR_LIMIT);
    assert_string_equal(e.msg, "JPEG of 64250 x 64250 pixels, more than the limit of 67108864");
    free(file);

    struct img_limits limits = {.max_pixels = 255};
    file = jpeg_make(px, 16, 16, &kinds[0], 85, &n);
    assert_int_equal(img_open(jpeg, file, n, &limits, &info, &e), MIEN_ERR_LIMIT);
    limits.max_pixels = 256;
    assert_int_equal(img_open(jpeg, file, n, &limits, &info, &e), 0);
    free(file);

    int h, w;
    file =
        jpeg_make(px, 16, 16, &(struct jpeg_how){.space = JCS_YCbCr, .many_scans = true}, 85, &n);
    assert_null(decode(file, n, 8, false, &h, &w));
    assert_string_equal(e.msg, "cannot decode JPEG: more than 100 scans");
    assert_null(decode(file, n, 8, true, &h, &w));
    free(file);
    free(px);
}

static void test_kinds_of_image(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *bytes;
        size_t n;
    } all[] = {
        {"jpeg", "\xff\xd8\xff\xe0", 4},
        {"png", "\x89PNG\r\n\x1a\n", 8},
        {"gif", "GIF89a", 6},
        {"webp", "RIFF\x10\0\0\0WEBPVP8 ", 16},
        {"bmp", "BM\x10\0", 4},
        {"tiff", "II*\0\x08\0\0\0", 8},
        {"tiff", "MM\0*\0\0\0\x08", 8},
        {"heic",
         "\0\0\0\x18"
         "ftypheic",
         12},
        {"avif",
         "\0\0\0\x1c"
         "ftypavif",
         12},
        {"jxl", "\xff\x0a", 2},
        {"html", "\n <!DOCTYPE html>", 17},
        {"svg", "<svg xmlns=", 11},
        {"pdf", "%PDF-1.4", 8},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_string_equal(img_kind(all[i].bytes, all[i].n), all[i].kind);
        assert_null(img_kind(all[i].bytes, 1));
    }
    assert_null(img_kind("", 0));
    assert_null(img_kind("RIFF\x10\0\0\0WAVEfmt ", 16));
}

static void test_exif(void **state)
{
    (void)state;
    unsigned char *px = picture(8, 8, 11);
    for (int o = 0; o <= 9; o++) {
        size_t n;
        unsigned char *file =
            jpeg_make(px, 8, 8, &(struct jpeg_how){.space = JCS_YCbCr, .orientation = o}, 85, &n);
        assert_int_equal(img_exif_orientation(file, n), o == 0 || o == 9 ? 1 : o);
        /* Cut or changed anywhere, it gives some orientation and reads nothing beyond. */
        for (size_t len = 0; len < n && len < 120; len++) {
            unsigned char *cut = malloc(len > 0 ? len : 1);
            memcpy(cut, file, len);
            int got = img_exif_orientation(cut, len);
            assert_true(got >= 1 && got <= 8);
            free(cut);
        }
        struct rng rng = {(uint64_t)o};
        for (int round = 0; round < 2000; round++) {
            size_t at = rng_below(&rng, 80);
            unsigned char was = file[at];
            file[at] = (unsigned char)rng_next(&rng);
            int got = img_exif_orientation(file, n);
            assert_true(got >= 1 && got <= 8);
            file[at] = was;
        }
        free(file);
    }
    free(px);
    /* Little-endian, behind another segment and fill bytes. */
    static const unsigned char little[] =
        "\xff\xd8\xff\xe0\0\4ab\xff\xff\xe1\0\x22"
        "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0";
    assert_int_equal(img_exif_orientation(little, sizeof little - 1), 6);
    /* As a long, which some programs write, and as text, which is none. */
    unsigned char other[sizeof little];
    memcpy(other, little, sizeof little);
    other[31] = 4;
    assert_int_equal(img_exif_orientation(other, sizeof other - 1), 6);
    other[31] = 2;
    assert_int_equal(img_exif_orientation(other, sizeof other - 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_of_jpeg),  cmocka_unit_test(test_parts),
        cmocka_unit_test(test_parts_together), cmocka_unit_test(test_part_outside),
        cmocka_unit_test(test_encode),         cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_messages),       cmocka_unit_test(test_noise),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_kinds_of_image),
        cmocka_unit_test(test_exif),           cmocka_unit_test(test_tables),
        cmocka_unit_test(test_oddities),       cmocka_unit_test(test_lost_scan),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
