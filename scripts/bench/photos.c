/* Makes photographs for make bench: N of them of 3000 x 4000 pixels, soft shapes of every size with
   grain, as photo1.jpg, photo2.jpg, ... in a folder. A camera's of that size and quality have as
   many bytes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mien/cli.h"
#include "util/hash.h"
#include "image/decoder.h"
#include "image/jpeg.h"
#include "util/num.h"

enum { W = 3000, H = 4000, FINEST = 4, COARSEST = 1024, QUALITY = 90 };

/* Adds noise with a value every step pixels, linearly between, to the planes of v. */
static void add_noise(float *v, int step, float strength, struct rng *r)
{
    int gw = W / step + 2, gh = H / step + 2;
    float *grid = malloc((size_t)gw * (size_t)gh * 3 * sizeof *grid);
    if (grid == NULL)
        abort();
    for (int i = 0; i < gw * gh * 3; i++)
        grid[i] = strength * (float)(rng_uniform(r) - 0.5);
    for (int y = 0; y < H; y++) {
        float fy = (float)(y % step) / (float)step;
        const float *above = grid + (size_t)(y / step) * (size_t)gw * 3, *below = above + gw * 3;
        for (int x = 0; x < W; x++, v += 3) {
            float fx = (float)(x % step) / (float)step;
            int at = x / step * 3;
            for (int c = 0; c < 3; c++) {
                float a = above[at + c] + fx * (above[at + c + 3] - above[at + c]);
                float b = below[at + c] + fx * (below[at + c + 3] - below[at + c]);
                v[c] += a + fy * (b - a);
            }
        }
    }
    free(grid);
}

int main(int argc, char **argv)
{
    struct mien_cli cli = {
        .name = "photos", .synopsis = "N FOLDER", .purpose = "Makes photographs."};
    struct mien_err e;
    struct mien_buf jpeg = {0};
    long long n;
    size_t values = (size_t)W * H * 3;
    float *v = malloc(values * sizeof *v);
    unsigned char *px = malloc(values);
    if (mien_cli_parse(&cli, argc, argv) != 2 || num_int(argv[1], 1, 1000, &n, &e) < 0)
        mien_cli_die(&cli, "give a number and a folder");
    if (v == NULL || px == NULL)
        mien_cli_die(&cli, "out of memory");
    for (int k = 1; k <= (int)n; k++) {
        struct rng r = {hash_mix((uint64_t)k)};
        char path[4096];
        for (size_t i = 0; i < values; i++)
            v[i] = 128;
        for (int step = COARSEST; step >= FINEST; step /= 2)
            add_noise(v, step, 14 + 0.1F * (float)step, &r);
        for (size_t i = 0; i < values; i++) {
            float grain = 24 * (float)(rng_uniform(&r) - 0.5);
            px[i] = (unsigned char)fminf(255, fmaxf(0, v[i] + grain));
        }
        mien_buf_clear(&jpeg);
        if (img_jpeg_encode(px, H, W, QUALITY, &jpeg, &e) < 0)
            mien_cli_die(&cli, "%s", e.msg);
        snprintf(path, sizeof path, "%s/photo%d.jpg", argv[2], k);
        FILE *f = fopen(path, "wb");
        if (f == NULL || fwrite(jpeg.data, 1, jpeg.len, f) != jpeg.len || fclose(f) != 0)
            mien_cli_die(&cli, "cannot write '%s'", path);
    }
    mien_buf_free(&jpeg);
    free(px);
    free(v);
    return MIEN_EXIT_OK;
}
