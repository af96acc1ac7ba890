/* PNG files; see cuts.h. */
#include "cuts.h"

#ifdef MIEN_PNG
#include <png.h>

struct file {
    unsigned char bytes[8192];
    size_t n;
};

static void write_bytes(png_structp p, png_bytep bytes, size_t n)
{
    struct file *f = png_get_io_ptr(p);
    FUZZ_CHECK(n <= sizeof f->bytes - f->n);
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

static void flush(png_structp p)
{
    (void)p;
}

/* A file of 21 x 26 pixels, of noise where it isn't zeros, in any of PNG's kinds. */
static void seed(const char *name, int color, int depth, int interlace, bool more)
{
    enum { H = 21, W = 26 };
    static const unsigned char exif[] = "MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0";
    png_color palette[4] = {{0, 0, 0}, {255, 0, 0}, {9, 200, 40}, {255, 255, 255}};
    unsigned char alpha[4] = {0, 100, 255, 9}, row[W * 8];
    png_color_16 key = {1, 2, 3, 4, 1};
    struct file f = {.n = 0};
    png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(p);
    FUZZ_CHECK(p != NULL && info != NULL);
    png_set_write_fn(p, &f, write_bytes, flush);
    png_set_IHDR(p, info, W, H, depth, color, interlace, 0, 0);
    if (color == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(p, info, palette, depth == 1 ? 2 : 4);
    if (more) {
        if (!(color & PNG_COLOR_MASK_ALPHA))
            png_set_tRNS(p, info, alpha, depth == 1 ? 2 : 4, &key);
        png_set_gAMA(p, info, 0.9);
        png_set_eXIf_1(p, info, sizeof exif - 1, (png_bytep)exif);
    }
    png_write_info(p, info);
    for (int pass = png_set_interlace_handling(p); pass > 0; pass--) {
        for (int y = 0; y < H; y++) {
            for (size_t i = 0; i < sizeof row; i++)
                row[i] = (unsigned char)(y < 8 ? 0 : (y * 31 + (int)i * (int)i * 7) & 3);
            png_write_row(p, row);
        }
    }
    png_write_end(p, info);
    png_destroy_write_struct(&p, &info);
    seed_file(name, f.bytes, f.n);
}

void fuzz_seeds(void)
{
    seed("rgb", PNG_COLOR_TYPE_RGB, 8, 0, false);
    seed("rgb-deep", PNG_COLOR_TYPE_RGB, 16, 1, true);
    seed("rgba", PNG_COLOR_TYPE_RGBA, 8, 1, false);
    seed("rgba-deep", PNG_COLOR_TYPE_RGBA, 16, 0, true);
    seed("grey", PNG_COLOR_TYPE_GRAY, 8, 0, true);
    seed("grey-deep", PNG_COLOR_TYPE_GRAY, 16, 1, false);
    seed("grey-two", PNG_COLOR_TYPE_GRAY, 1, 1, true);
    seed("grey-alpha", PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0, true);
    seed("palette", PNG_COLOR_TYPE_PALETTE, 2, 0, true);
    seed("palette-two", PNG_COLOR_TYPE_PALETTE, 1, 1, false);
}

#else
void fuzz_seeds(void)
{
    seed_file("none", "\x89PNG\r\n\x1a\n", 8); /* there is no more to try */
}
#endif
