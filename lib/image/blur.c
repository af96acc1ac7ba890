#include "blur.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A box: the mean of 2 r + 1 pixels and of a part, in 256ths, of the two beside them. Its variance
   is (2 (1 + 4 + ... + r^2) + 2 part (r + 1)^2) / (2 r + 1 + 2 part). */
struct box {
    int r;
    uint32_t part;
    uint64_t scale; /* 2^32 over the sum of weights */
};

static struct box box_of(double variance)
{
    int r = 0, squares = 0;
    for (; (r + 1) * (r + 2) <= 3 * variance; r++)
        squares += (r + 1) * (r + 1);
    double part = (variance * (2 * r + 1) - 2 * squares) / (2 * ((r + 1) * (r + 1) - variance));
    struct box b = {.r = r, .part = (uint32_t)lround(256 * part)};
    b.scale = ((uint64_t)1 << 32) / (256 * (2 * (uint32_t)r + 1) + 2 * b.part);
    return b;
}

/* Replaces the n pixels of a channel, `step` bytes apart, by their boxes' means. What is replaced
   is kept as long as a box still needs it. */
static void blur_line(const struct box *b, unsigned char *p, size_t step, int n)
{
    enum { KEPT = 16 }; /* a power of 2 above r + 1 */
    unsigned char old[KEPT];
    const unsigned char first = p[0], last = p[(size_t)(n - 1) * step];
    const int r = b->r;
    uint32_t sum = first * (uint32_t)(r + 1);
    assert(r + 1 < KEPT);
    for (int i = 1; i <= r; i++)
        sum += i < n ? p[(size_t)i * step] : last;
    for (int i = 0; i < n; i++) {
        uint32_t left = i > r ? old[(i - r - 1) % KEPT] : first;
        uint32_t right = i + r + 1 < n ? p[(size_t)(i + r + 1) * step] : last;
        unsigned char *at = p + (size_t)i * step;
        old[i % KEPT] = *at;
        *at = (unsigned char)((((uint64_t)256 * sum + b->part * (left + right)) * b->scale +
                               ((uint64_t)1 << 31)) >>
                              32);
        sum += right - (i >= r ? old[(i - r) % KEPT] : first);
    }
}

void blur_pixels(unsigned char *px, int h, int w, double sigma)
{
    assert(sigma >= 0 && sigma <= BLUR_MAX);
    struct box b = box_of(sigma * sigma / 2);
    size_t stride = (size_t)w * 3;
    for (int twice = 0; twice < 2; twice++) {
        for (int y = 0; y < h; y++) {
            for (int k = 0; k < 3; k++)
                blur_line(&b, px + (size_t)y * stride + k, 3, w);
        }
        for (size_t x = 0; x < stride; x++)
            blur_line(&b, px + x, stride, h);
    }
}
