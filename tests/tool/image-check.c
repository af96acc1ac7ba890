/*
 * Compares what the decoder makes of an image with what others make of it.
 *
 *     image-check [-w] FILE [REFERENCE [GAMMA]]
 *
 * The reference is a PPM or PAM file (with transparency, which is laid on white here), such as dwebp
 * writes; GAMMA is that of the FILE, the REFERENCE's samples being those that it stores. Without a
 * reference the FILE is a PNG, and libpng's simplified interface makes one. Then parts of the image
 * at all scales are compared with those of the whole, of which each pixel is to be the mean of what
 * it covers; not with -w, as for JPEGs, whose small scales are another thing. Prints what differs, and
 * ends with 1 then.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef MIEN_PNG
#include <png.h>
#endif

#include "image/decoder.h"
#include "util/hash.h"

struct picture {
    int h, w, channels;
    unsigned char *px;
};

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "image-check: %s\n", why);
    exit(2);
}

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        die("cannot open the file");
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *p = malloc(*n + 1);
    if (p == NULL || fread(p, 1, *n, f) != *n)
        die("cannot read the file");
    p[*n] = '\0';
    fclose(f);
    return p;
}

static struct picture read_pnm(const char *path)
{
    struct picture p = {.channels = 3};
    size_t n;
    unsigned char *file = slurp(path, &n);
    const char *s = (char *)file;
    int head = 0;
    if (strncmp(s, "P6", 2) == 0) {
        if (sscanf(s, "P6 %d %d 255%n", &p.w, &p.h, &head) != 2)
            die("not a PPM");
        head++;
    } else {
        const char *end = strstr(s, "ENDHDR\n");
        if (end == NULL ||
            sscanf(s, "P7 WIDTH %d HEIGHT %d DEPTH %d", &p.w, &p.h, &p.channels) != 3)
            die("not a PAM");
        head = (int)(end - s) + 7;
    }
    size_t bytes = (size_t)p.h * (size_t)p.w * (size_t)p.channels;
    if ((size_t)head + bytes != n || (p.px = malloc(bytes)) == NULL)
        die("a PNM of another length");
    memcpy(p.px, file + head, bytes);
    free(file);
    return p;
}

#ifdef MIEN_PNG
static struct picture read_simply(const void *bytes, size_t n)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, bytes, n))
        die(image.message);
    bool alpha = image.format & PNG_FORMAT_FLAG_ALPHA;
    image.format = alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* as those of 8 bits */
    struct picture p = {(int)image.height, (int)image.width, alpha ? 4 : 3,
                        malloc(PNG_IMAGE_SIZE(image))};
    if (p.px == NULL || !png_image_finish_read(&image, NULL, p.px, 0, NULL))
        die(image.message);
    return p;
}
#endif

/* Lays a reference on white, as exactly as can be. */
static void on_white(struct picture *p)
{
    size_t n = (size_t)p->h * (size_t)p->w;
    for (size_t i = 0; p->channels == 4 && i < n; i++) {
        double a = p->px[4 * i + 3] / 255.0;
        for (size_t c = 0; c < 3; c++)
            p->px[3 * i + c] = (unsigned char)(p->px[4 * i + c] * a + 255 * (1 - a) + 0.5);
    }
    p->channels = 3;
}

/* The stored samples as a screen of gamma 2.2 shows them. */
static void correct(struct picture *p, double gamma)
{
    size_t n = (size_t)p->h * (size_t)p->w * 3;
    for (size_t i = 0; i < n; i++)
        p->px[i] = (unsigned char)(255 * pow(p->px[i] / 255.0, 1 / (2.2 * gamma)) + 0.5);
}

static void decode(struct img_decoder *d, const void *bytes, size_t n, int eighths,
                   struct img_rect *r, struct picture *out)
{
    struct img_limits limits = {0};
    struct img_info info;
    struct mien_err e;
    if (img_open(d, bytes, n, &limits, &info, &e) < 0)
        die(e.msg);
    struct img_rect all = {0, 0, img_scaled(info.w, eighths), img_scaled(info.h, eighths)};
    if (r == NULL)
        r = &all;
    *out = (struct picture){r->h, r->w, 3, malloc((size_t)r->h * (size_t)r->w * 3)};
    if (out->px == NULL)
        die("out of memory");
    if (img_read(d, eighths, *r, out->px, (size_t)r->w * 3, &e) < 0)
        die(e.msg);
}

static void compare(const char *what, const struct picture *got, const struct picture *want,
                    int tolerance)
{
    if (got->h != want->h || got->w != want->w) {
        printf("%s: %dx%d, not %dx%d\n", what, got->h, got->w, want->h, want->w);
        exit(1);
    }
    size_t n = (size_t)got->h * (size_t)got->w * 3;
    for (size_t i = 0; i < n; i++) {
        if (abs(got->px[i] - want->px[i]) > tolerance) {
            printf("%s: at %zu, %zu: %d, not %d\n", what, i / 3 % (size_t)got->w,
                   i / 3 / (size_t)got->w, got->px[i], want->px[i]);
            exit(1);
        }
    }
}

/* A part of the whole, at a smaller scale: means of squares. */
static struct picture part_of(const struct picture *whole, int eighths, const struct img_rect *r)
{
    struct picture p = {r->h, r->w, 3, malloc((size_t)r->h * (size_t)r->w * 3)};
    int side = 8 / eighths;
    if (p.px == NULL)
        die("out of memory");
    for (int i = 0; i < p.h * p.w * 3; i++) {
        int c = i % 3, x0 = (r->x + i / 3 % p.w) * side, y0 = (r->y + i / 3 / p.w) * side;
        double sum = 0, n = 0;
        for (int y = y0; y < y0 + side && y < whole->h; y++) {
            for (int x = x0; x < x0 + side && x < whole->w; x++, n++)
                sum += whole->px[((size_t)y * (size_t)whole->w + (size_t)x) * 3 + (size_t)c];
        }
        p.px[i] = (unsigned char)(sum / n + 0.5);
    }
    return p;
}

static void check_parts(struct img_decoder *d, const void *bytes, size_t n,
                        const struct picture *whole)
{
    struct rng rng = {n};
    for (int round = 0; round < 60; round++) {
        int eighths = 1 << round % 4;
        int w = img_scaled(whole->w, eighths), h = img_scaled(whole->h, eighths);
        struct img_rect r = {(int)rng_below(&rng, (uint64_t)w), (int)rng_below(&rng, (uint64_t)h),
                             0, 0};
        r.w = 1 + (int)rng_below(&rng, (uint64_t)(w - r.x));
        r.h = 1 + (int)rng_below(&rng, (uint64_t)(h - r.y));
        char what[100];
        struct picture part, want = part_of(whole, eighths, &r);
        snprintf(what, sizeof what, "part %dx%d at %d, %d, scale %d/8", r.h, r.w, r.x, r.y,
                 eighths);
        decode(d, bytes, n, eighths, &r, &part);
        compare(what, &part, &want, 0);
        free(part.px);
        free(want.px);
    }
}

int main(int argc, char **argv)
{
    struct mien_err e;
    size_t n;
    struct picture whole, reference;
    bool parts = argc < 2 || strcmp(argv[1], "-w") != 0;
    argc -= !parts;
    argv += !parts;
    if (argc < 2)
        die("usage: image-check [-w] FILE [REFERENCE [GAMMA]]");
    unsigned char *bytes = slurp(argv[1], &n);
    struct img_decoder *d = img_decoder_new(&e);
    if (d == NULL)
        die(e.msg);
    if (argc > 2)
        reference = read_pnm(argv[2]);
    else
#ifdef MIEN_PNG
        reference = read_simply(bytes, n);
#else
        die("built without libpng");
#endif
    on_white(&reference);
    if (argc > 3)
        correct(&reference, atof(argv[3]));
    decode(d, bytes, n, 8, NULL, &whole);
    compare("the whole", &whole, &reference, argc > 3 ? 1 : 0);
    if (parts)
        check_parts(d, bytes, n, &whole);
    img_decoder_free(d);
    free(reference.px);
    free(whole.px);
    free(bytes);
    return 0;
}
