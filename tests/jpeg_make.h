/* Pictures and JPEG files of every kind for the tests of decoding and cropping. */
#ifndef JPEG_MAKE_H
#define JPEG_MAKE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

#include "util/hash.h"

/* A picture with smooth parts, edges and a little noise: h * w * 3 bytes. The caller frees it. */
static inline unsigned char *picture(int h, int w, uint64_t seed)
{
    unsigned char *px = malloc((size_t)h * (size_t)w * 3), *p = px;
    struct rng rng = {seed};
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++, p += 3) {
            int noise = (int)rng_below(&rng, 12), edge = (x / 23 + y / 17) % 3 * 60;
            p[0] = (unsigned char)(noise + edge + x % 100);
            p[1] = (unsigned char)(noise + 120 - edge / 2 + y % 100);
            p[2] = (unsigned char)(noise + 40 + edge / 2 + (x + y) % 100);
        }
    }
    return px;
}

struct jpeg_how {
    J_COLOR_SPACE space; /* JCS_YCbCr, JCS_GRAYSCALE, JCS_RGB, JCS_CMYK or JCS_YCCK */
    int h_samp, v_samp;  /* of the first component; 0 as 1 */
    bool progressive;
    bool many_scans; /* one for each coefficient of each component */
    bool dc_only;    /* progressive, but without the scans that follow the first one */
    bool plain_cmyk; /* without Adobe's marker, but inverted all the same */
    int restart;     /* MCUs between restart markers */
    int orientation; /* an EXIF segment with it; 0 for none */
};

/* Scans of a single coefficient each: as legal as they are costly. */
static inline void script_many_scans(struct jpeg_compress_struct *c, jpeg_scan_info *scan)
{
    int n = 0;
    scan[n++] = (jpeg_scan_info){3, {0, 1, 2}, 0, 0, 0, 0};
    for (int k = 1; k < 64; k++) {
        for (int i = 0; i < 3; i++)
            scan[n++] = (jpeg_scan_info){1, {i}, k, k, 0, 0};
    }
    c->scan_info = scan;
    c->num_scans = n;
}

static inline void script_dc_only(struct jpeg_compress_struct *c, jpeg_scan_info *scan)
{
    *scan = (jpeg_scan_info){3, {0, 1, 2}, 0, 0, 0, 0};
    c->scan_info = scan;
    c->num_scans = 1;
}

static inline void write_exif(struct jpeg_compress_struct *c, int orientation)
{
    unsigned char exif[] = "Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0?\0\0\0\0\0\0";
    exif[6 + 8 + 2 + 9] = (unsigned char)orientation;
    jpeg_write_marker(c, JPEG_APP0 + 1, exif, 6 + 8 + 2 + 12 + 4);
}

/* RGB to what the file's colour space is made of: inks as Adobe stores them, 255 for none. */
static inline void to_input(const unsigned char *rgb, int w, const struct jpeg_how *how,
                            unsigned char *out)
{
    for (int x = 0; x < w; x++, rgb += 3) {
        int m = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
        int most = m > rgb[2] ? m : rgb[2];
        if (how->space == JCS_GRAYSCALE) {
            *out++ = rgb[1];
        } else if (how->space == JCS_CMYK || how->space == JCS_YCCK) {
            for (int i = 0; i < 4; i++)
                *out++ = (unsigned char)(i == 3 ? most : most > 0 ? rgb[i] * 255 / most : 255);
        } else {
            memcpy(out, rgb, 3);
            out += 3;
        }
    }
}

/* Encodes a picture; *n is the file's length. The caller frees it. */
static inline unsigned char *jpeg_make(const unsigned char *px, int h, int w,
                                       const struct jpeg_how *how, int quality, size_t *n)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    jpeg_scan_info scans[1 + 63 * 3];
    unsigned char *file = NULL;
    unsigned long len = 0;
    unsigned char *row = malloc((size_t)w * 4);
    bool inks = how->space == JCS_CMYK || how->space == JCS_YCCK;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &file, &len);
    c.image_height = (JDIMENSION)h;
    c.image_width = (JDIMENSION)w;
    c.input_components = inks ? 4 : how->space == JCS_GRAYSCALE ? 1 : 3;
    c.in_color_space = inks ? JCS_CMYK : how->space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_colorspace(&c, how->space);
    if (how->plain_cmyk)
        c.write_Adobe_marker = FALSE;
    c.comp_info[0].h_samp_factor = how->h_samp > 0 ? how->h_samp : 1;
    c.comp_info[0].v_samp_factor = how->v_samp > 0 ? how->v_samp : 1;
    if (how->space == JCS_YCCK) { /* black as finely as luminance */
        c.comp_info[3].h_samp_factor = c.comp_info[0].h_samp_factor;
        c.comp_info[3].v_samp_factor = c.comp_info[0].v_samp_factor;
    }
    c.restart_interval = (unsigned)how->restart;
    jpeg_set_quality(&c, quality, TRUE);
    if (how->many_scans)
        script_many_scans(&c, scans);
    else if (how->dc_only)
        script_dc_only(&c, scans);
    else if (how->progressive)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    if (how->orientation > 0)
        write_exif(&c, how->orientation);
    for (int y = 0; y < h; y++) {
        JSAMPROW r = row;
        to_input(px + (size_t)y * (size_t)w * 3, w, how, row);
        jpeg_write_scanlines(&c, &r, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    free(row);
    /* In memory of exactly its size, so that a sanitizer sees a read beyond it. */
    unsigned char *exact = malloc(len);
    memcpy(exact, file, len);
    free(file);
    *n = len;
    return exact;
}

#endif
