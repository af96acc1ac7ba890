/* Photographs for tests of face detection: bright squares on dark ground. */
#ifndef SQUARES_H
#define SQUARES_H

#include "jpeg_make.h"

/* A JPEG of h x w, dark but for n squares, given as x y side. The caller frees it. */
static inline unsigned char *squares_jpeg(int h, int w, const int *square, int n,
                                          const struct jpeg_how *how, size_t *len)
{
    unsigned char *px = malloc((size_t)h * (size_t)w * 3);
    memset(px, 20, (size_t)h * (size_t)w * 3);
    for (int i = 0; i < n; i++) {
        const int *s = square + 3 * i;
        for (int y = s[1]; y < s[1] + s[2] && y < h; y++)
            for (int x = s[0]; x < s[0] + s[2] && x < w; x++)
                memset(px + ((size_t)y * (size_t)w + (size_t)x) * 3, 255, 3);
    }
    unsigned char *file = jpeg_make(px, h, w, how, 95, len);
    free(px);
    return file;
}

#endif
