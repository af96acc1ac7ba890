/* WebP files; see cuts.h. */
#include "cuts.h"

#ifdef MIEN_WEBP
#include <webp/encode.h>

#include "util/bytes.h"

static void seed(const char *name, bool alpha, float quality)
{
    enum { H = 37, W = 42 };
    unsigned char *px = picture(H, W, 1), rgba[H * W * 4], *file = NULL;
    for (int i = 0; i < H * W; i++) {
        memcpy(rgba + 4 * i, px + 3 * i, 3);
        rgba[4 * i + 3] = (unsigned char)(alpha ? i : 255);
    }
    size_t n = quality > 0 ? WebPEncodeRGBA(rgba, W, H, W * 4, quality, &file)
                           : WebPEncodeLosslessRGBA(rgba, W, H, W * 4, &file);
    FUZZ_CHECK(n > 20);
    seed_file(name, file, n);
    /* The same as an animation's frame: container, canvas, animation, frame, and the chunk or two
       that the file has behind its own headers. */
    unsigned char head[12 + 18 + 14 + 8 + 16] = "RIFF\0\0\0\0WEBPVP8X\12\0\0\0\x12";
    size_t skip = memcmp(file + 12, "VP8X", 4) == 0 ? 30 : 12;
    unsigned char *all = malloc(sizeof head + n);
    FUZZ_CHECK(all != NULL);
    put_le32(head + 4, (uint32_t)(sizeof head - 8 + n - skip));
    head[24] = W + 5;
    head[27] = H + 3;
    memcpy(head + 30, "ANIM\6\0\0\0\xff\xff\xff\xff\0\0ANMF", 18);
    put_le32(head + 48, (uint32_t)(16 + n - skip));
    head[52] = 2;
    head[55] = 1;
    head[58] = W - 1;
    head[61] = H - 1;
    memcpy(all, head, sizeof head);
    memcpy(all + sizeof head, file + skip, n - skip);
    char frame[32];
    snprintf(frame, sizeof frame, "%s-frame", name);
    seed_file(frame, all, sizeof head + n - skip);
    free(all);
    WebPFree(file);
    free(px);
}

void fuzz_seeds(void)
{
    seed("lossy", false, 30);
    seed("lossy-alpha", true, 70);
    seed("lossless", false, 0);
    seed("lossless-alpha", true, 0);
}

#else
void fuzz_seeds(void)
{
    seed_file("none", "RIFF\x20\0\0\0WEBPVP8 ", 16); /* there is no more to try */
}
#endif
