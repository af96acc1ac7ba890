/* Photographs for tests of face detection: bright squares on dark ground. */
#ifndef SQUARES_H
#define SQUARES_H

#include <string.h>

#include "mien/jpeg.h"

/* Appends a JPEG of h x w, dark but for n squares, given as x y side, with an EXIF orientation. */
static int squares_jpeg(struct buf *jpeg, int h, int w, const int *square, int n, int orientation,
                        struct err *e)
{
    static const unsigned char head[] = "\xff\xe1\0\042Exif\0\0MM\0\052\0\0\0\010\0\1\1\022\0\3\0\0\0\1\0";
    const unsigned char tail[7] = {(unsigned char)orientation};
    struct buf plain = {0};
    struct img im = {0};
    int rc = img_alloc(&im, h, w, e);
    if (rc == 0)
        memset(im.px, 20, (size_t)h * (size_t)w * 3);
    for (int i = 0; rc == 0 && i < n; i++) {
        const int *s = square + 3 * i;
        for (int y = s[1]; y < s[1] + s[2] && y < h; y++)
            for (int x = s[0]; x < s[0] + s[2] && x < w; x++)
                memset(im.px + ((size_t)y * (size_t)w + (size_t)x) * 3, 255, 3);
    }
    if (rc == 0)
        rc = img_jpeg_encode(im.px, h, w, 95, &plain, e);
    if (rc == 0) /* the start of the image, EXIF, and the rest */
        rc = buf_append(jpeg, plain.data, 2) | buf_append(jpeg, head, sizeof head - 1) |
             buf_append(jpeg, tail, sizeof tail) | buf_append(jpeg, plain.data + 2, plain.len - 2);
    buf_free(&plain);
    img_free(&im);
    return rc;
}

#endif
