#include "fast_conv.h"

#include <stdlib.h>
#include <string.h>

#include "util/aligned.h"

enum { MAX_TAPS = 64 };

/* The layer that turns dy into dx where l is a product of matrices: its weights are the transposed
   ones. */
static struct layer transposed(struct shape in)
{
    struct layer t = layer_make("", L_CONV);
    t.units = in.c;
    t.shape = in;
    return t;
}

static int make_conv(struct fast_conv *f, struct arena *arena, const struct simd *simd)
{
    const struct layer *l = &f->l;
    const struct tail tail = {NULL, f->act, NULL}, none = {NULL, ACT_NONE, NULL};
    float *w = aligned_zeros(l->param[0].count, sizeof *w); /* weights come with each step */
    f->flipped = w;
    f->has_back = f->has_back && k_is_pointwise(l);
    if (w == NULL || conv_make(&f->conv, arena, simd, l, f->in, w, &tail) < 0)
        return MIEN_ERR_MEM;
    size_t zeros = conv_zeros(&f->conv), more = 0;
    if (f->has_back) {
        struct layer back = transposed(f->in);
        struct shape from = {l->shape.h, l->shape.w, l->units};
        if (conv_make(&f->back, arena, simd, &back, from, w, &none) < 0)
            return MIEN_ERR_MEM;
        more = conv_zeros(&f->back);
    } else {
        free(w);
        f->flipped = NULL;
    }
    f->zeros = aligned_zeros(zeros > more ? zeros : more, sizeof *f->zeros);
    return f->zeros == NULL ? MIEN_ERR_MEM : 0;
}

int fast_conv_make(struct fast_conv *f, struct arena *arena, const struct simd *simd,
                   const struct layer *l, struct shape in, enum act act, bool back, bool bf16)
{
    *f = (struct fast_conv){.l = *l, .in = in, .act = act, .has_back = back, .bf16 = bf16};
    int rc = 0;
    if (l->type == L_CONV) {
        f->simd = simd;
        rc = make_conv(f, arena, simd);
    } else if (l->type == L_DWCONV && in.c >= simd->lanes && l->kh * l->kw <= MAX_TAPS &&
               l->dh == 1 && l->dw == 1) {
        f->simd = simd;
        f->flipped = aligned_zeros(l->param[0].count, sizeof *f->flipped);
        f->zeros = aligned_zeros((size_t)in.w * (size_t)in.c, sizeof *f->zeros);
        rc = f->flipped == NULL || f->zeros == NULL ? MIEN_ERR_MEM : 0;
    }
    if (rc < 0)
        fast_conv_free(f);
    return rc;
}

void fast_conv_free(struct fast_conv *f)
{
    free(f->flipped);
    free(f->zeros);
    *f = (struct fast_conv){0};
}

/* --- Weights ---------------------------------------------------------------------------------- */

/* to[columns, rows] = from[rows, columns], in blocks whose lines stay in the cache. */
static void transpose(const float *from, size_t rows, size_t columns, float *to)
{
    enum { BLOCK = 16 };
    for (size_t r0 = 0; r0 < rows; r0 += BLOCK) {
        size_t r1 = r0 + BLOCK < rows ? r0 + BLOCK : rows;
        for (size_t c = 0; c < columns; c++) {
            for (size_t r = r0; r < r1; r++)
                to[c * rows + r] = from[r * columns + c];
        }
    }
}

/* The input pixels whose row and column, counted from the padding's corner, leave the remainders ry
   and rx by the stride are all reached by the same taps of a depthwise filter. Lists them, last
   tap first. */
static int taps_of(const struct layer *l, int ry, int rx, int tap[MAX_TAPS][2])
{
    int n = 0;
    for (int ky = l->kh - 1; ky >= 0; ky--) {
        for (int kx = l->kw - 1; kx >= 0; kx--) {
            if (ky % l->sh == ry && kx % l->sw == rx) {
                tap[n][0] = ky;
                tap[n++][1] = kx;
            }
        }
    }
    return n;
}

/* A depthwise filter's weights, remainder after remainder. */
static void sort_taps(const struct fast_conv *f, const float *w)
{
    const struct layer *l = &f->l;
    size_t nc = (size_t)f->in.c;
    float *to = f->flipped;
    int tap[MAX_TAPS][2];
    for (int r = 0; r < l->sh * l->sw; r++) {
        int n = taps_of(l, r / l->sw, r % l->sw, tap);
        for (int t = 0; t < n; t++, to += nc)
            memcpy(to, w + (size_t)(tap[t][0] * l->kw + tap[t][1]) * nc, nc * sizeof *to);
    }
}

void fast_conv_weights(struct fast_conv *f, const float *w, const float *bias)
{
    const struct layer *l = &f->l;
    if (l->type == L_DWCONV) {
        sort_taps(f, w);
        return;
    }
    conv_weights(&f->conv, w, bias);
    if (f->has_back) {
        transpose(w, l->param[0].count / (size_t)l->units, (size_t)l->units, f->flipped);
        conv_weights(&f->back, f->flipped, NULL);
    }
}

/* --- Running ---------------------------------------------------------------------------------- */

size_t fast_conv_scratch(const struct fast_conv *f)
{
    if (f->simd == NULL)
        return 0;
    if (f->l.type != L_DWCONV) {
        size_t forth = conv_scratch(&f->conv), back = f->has_back ? conv_scratch(&f->back) : 0;
        return forth > back ? forth : back;
    }
    struct tail none = {NULL, ACT_NONE, NULL};
    struct depthwise d = depthwise_make(f->simd, &f->l, f->in, f->flipped, &none, f->bf16);
    return depthwise_scratch(&d);
}

void fast_conv_forward(const struct fast_conv *f, const float *w, const float *bias, const void *x,
                       void *y, size_t n, void *scratch)
{
    if (f->l.type != L_DWCONV) {
        conv_run(&f->conv, x, NULL, y, n, f->zeros, scratch);
        return;
    }
    struct tail tail = {bias != NULL ? bias : f->zeros, f->act, NULL};
    struct depthwise d = depthwise_make(f->simd, &f->l, f->in, w, &tail, f->bf16);
    depthwise_run(&d, x, y, n, f->zeros, scratch);
}

/* Bytes of a pixel of a depthwise layer. */
static size_t pixel_size(const struct fast_conv *f)
{
    return (size_t)f->in.c * (f->bf16 ? sizeof(bfloat) : sizeof(float));
}

/* One image's dx of a depthwise layer: for each pixel, the outputs that it took part in. */
static void back_image(const struct fast_conv *f, const char *dy, char *dx, const void **pixel)
{
    const struct layer *l = &f->l;
    const struct depthwise_loops *loops = f->bf16 ? &f->simd->of_bf16 : &f->simd->of_float;
    size_t nc = (size_t)f->in.c, size = pixel_size(f);
    const float *w = f->flipped;
    int tap[MAX_TAPS][2];
    for (int r = 0; r < l->sh * l->sw; r++) {
        int ry = r / l->sw, rx = r % l->sw, n = taps_of(l, ry, rx, tap);
        struct dw d = {nc, (size_t)n, w, f->zeros, f->zeros, ACT_NONE};
        w += (size_t)n * nc;
        for (int y = 0; y < f->in.h; y++) {
            for (int x = 0; x < f->in.w && (y + l->pt) % l->sh == ry; x++) {
                if ((x + l->pl) % l->sw != rx)
                    continue;
                for (int t = 0; t < n; t++) {
                    int oy = y + l->pt - tap[t][0], ox = x + l->pl - tap[t][1];
                    bool inside =
                        oy >= 0 && ox >= 0 && oy / l->sh < l->shape.h && ox / l->sw < l->shape.w;
                    size_t at = (size_t)(oy / l->sh * l->shape.w + ox / l->sw) * size;
                    pixel[t] = inside ? dy + at : (const void *)f->zeros;
                }
                loops->dw(&d, pixel, dx + (size_t)(y * f->in.w + x) * size);
            }
        }
    }
}

/* The pixel of an image (h, w), or `outside` where there is none. */
static void *pixel_at(const char *image, int h, int w, int y, int x, size_t size,
                      const void *outside)
{
    bool inside = y >= 0 && y < h && x >= 0 && x < w;
    return inside ? (char *)image + (size_t)(y * w + x) * size : (void *)outside;
}

/* The same of 3x3 filters of stride 2, four pixels at a time. */
static void back_squares(const struct fast_conv *f, const char *dy, char *dx)
{
    const struct layer *l = &f->l;
    const struct depthwise_loops *loops = f->bf16 ? &f->simd->of_bf16 : &f->simd->of_float;
    const int h = l->shape.h, w = l->shape.w;
    const size_t size = pixel_size(f);
    for (int oy = 0; 2 * oy - l->pt < f->in.h; oy++) {
        for (int ox = 0; 2 * ox - l->pl < f->in.w; ox++) {
            const void *from[4];
            void *to[4];
            for (int i = 0; i < 4; i++) {
                int down = i / 2, right = i % 2;
                from[i] = pixel_at(dy, h, w, oy - 1 + down, ox - 1 + right, size, f->zeros);
                to[i] = pixel_at(dx, f->in.h, f->in.w, 2 * oy - l->pt + down,
                                 2 * ox - l->pl + right, size, NULL);
            }
            loops->dw3_back((size_t)f->in.c, f->flipped, from, to);
        }
    }
}

void fast_conv_back(const struct fast_conv *f, const void *dy, void *dx, size_t n, void *scratch)
{
    const struct layer *l = &f->l;
    if (l->type != L_DWCONV) {
        conv_run(&f->back, dy, NULL, dx, n, f->zeros, scratch);
        return;
    }
    if (l->kh == 3 && l->kw == 3 && l->sh == 1 && l->sw == 1) { /* the filter turned round */
        struct layer turned = *l;
        struct tail none = {f->zeros, ACT_NONE, NULL};
        turned.pt = l->kh - 1 - l->pt;
        turned.pl = l->kw - 1 - l->pl;
        turned.shape = f->in;
        struct depthwise d = depthwise_make(f->simd, &turned, l->shape, f->flipped, &none, f->bf16);
        depthwise_run(&d, dy, dx, n, f->zeros, scratch);
        return;
    }
    size_t from = (size_t)l->shape.h * (size_t)l->shape.w * pixel_size(f);
    size_t to = (size_t)f->in.h * (size_t)f->in.w * pixel_size(f);
    bool squares = l->kh == 3 && l->kw == 3 && l->sh == 2 && l->sw == 2;
    for (size_t i = 0; i < n; i++) {
        const char *gradient = (const char *)dy + i * from;
        if (squares)
            back_squares(f, gradient, (char *)dx + i * to);
        else
            back_image(f, gradient, (char *)dx + i * to, scratch);
    }
}

void fast_conv_dw3_weights(const struct fast_conv *f, const void *x, const void *dy, float *dw,
                           size_t n)
{
    const struct layer *l = &f->l;
    const struct depthwise_loops *loops = f->bf16 ? &f->simd->of_bf16 : &f->simd->of_float;
    const size_t size = pixel_size(f), line = (size_t)f->in.w * size;
    struct dw3_row r = {{NULL}, (size_t)f->in.c, f->in.w, l->shape.w, -l->pl, l->sw};
    const char *image = x, *gradients = dy;
    for (size_t i = 0; i < n; i++, image += (size_t)f->in.h * line) {
        for (int oy = 0; oy < l->shape.h; oy++, gradients += (size_t)l->shape.w * size) {
            for (int ky = 0; ky < 3; ky++) {
                int y = oy * l->sh - l->pt + ky;
                bool inside = y >= 0 && y < f->in.h;
                r.row[ky] = inside ? image + (size_t)y * line : (const void *)f->zeros;
            }
            loops->dw3_weights(&r, gradients, dw);
        }
    }
}
