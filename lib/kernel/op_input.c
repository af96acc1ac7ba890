#include "kernels.h"

SIMD void k_pixels(const unsigned char *restrict rgb, real *restrict y, size_t npixel, int bgr,
                   const float mean[3], float scale)
{
    /* Sixteen pixels at once, so that it vectorises. */
    enum { BLOCK = 48 };
    real m[BLOCK], f = scale;
    size_t n = 3 * npixel, at = 0;
    for (int k = 0; k < BLOCK; k++)
        m[k] = mean[k % 3];
    for (; !bgr && at + BLOCK <= n; at += BLOCK) {
        for (int k = 0; k < BLOCK; k++)
            y[at + (size_t)k] = (rgb[at + (size_t)k] - m[k]) * f;
    }
    for (; at < n; at += 3) {
        y[at] = (rgb[at + (bgr ? 2 : 0)] - m[0]) * f;
        y[at + 1] = (rgb[at + 1] - m[1]) * f;
        y[at + 2] = (rgb[at + (bgr ? 0 : 2)] - m[2]) * f;
    }
}
