/* JPEG files; see cuts.h. */
#include "cuts.h"

static void seed(const char *name, int h, int w, const struct jpeg_how *how)
{
    unsigned char *px = picture(h, w, 1);
    size_t n;
    unsigned char *file = jpeg_make(px, h, w, how, 60, &n);
    seed_file(name, file, n);
    free(file);
    free(px);
}

void fuzz_seeds(void)
{
    seed("plain", 40, 56, &(struct jpeg_how){.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2});
    seed("turned", 32, 48, &(struct jpeg_how){.space = JCS_YCbCr, .orientation = 6});
    seed("grey", 33, 31, &(struct jpeg_how){.space = JCS_GRAYSCALE, .restart = 2});
    seed("rgb", 16, 24, &(struct jpeg_how){.space = JCS_RGB, .orientation = 3});
    seed("cmyk", 24, 24, &(struct jpeg_how){.space = JCS_CMYK, .plain_cmyk = true});
    seed("ycck", 24, 17, &(struct jpeg_how){.space = JCS_YCCK, .h_samp = 2, .v_samp = 1});
    seed("scans", 40, 40, &(struct jpeg_how){.space = JCS_YCbCr, .progressive = true});
    seed("rough", 40, 40,
         &(struct jpeg_how){.space = JCS_YCbCr, .progressive = true, .dc_only = true});
}
