/* PNG (W3C, second edition), over libdeflate, which every program has. */
#include "png_write.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <libdeflate.h>

enum { LEVEL = 6, NONE = 0, SUB = 1, UP = 2, PAETH = 4 };

static void put_be32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static int paeth(int left, int up, int corner)
{
    int l = abs(up - corner), u = abs(left - corner), c = abs(left + up - 2 * corner);
    return l <= u && l <= c ? left : u <= c ? up : corner;
}

/* Filters a row into out behind the filter's number. Returns the sum of the differences, by which
   the filter is chosen (section 12.8). up is NULL above the first row. */
static long filter_row(int filter, const unsigned char *row, const unsigned char *up, size_t n,
                       unsigned char *out)
{
    long sum = 0;
    out[0] = (unsigned char)filter;
    for (size_t i = 0; i < n; i++) {
        int a = i >= 3 ? row[i - 3] : 0, b = up != NULL ? up[i] : 0;
        int c = i >= 3 && up != NULL ? up[i - 3] : 0;
        int guess = filter == NONE ? 0 : filter == SUB ? a : filter == UP ? b : paeth(a, b, c);
        out[1 + i] = (unsigned char)(row[i] - guess);
        sum += abs((signed char)out[1 + i]);
    }
    return sum;
}

/* Filters all rows: h of 1 + 3 w bytes. trial has room for one. */
static void filter_all(const unsigned char *px, int h, int w, unsigned char *out,
                       unsigned char *trial)
{
    static const int filters[] = {SUB, UP, PAETH};
    size_t n = (size_t)w * 3;
    for (int y = 0; y < h; y++, out += 1 + n) {
        const unsigned char *row = px + (size_t)y * n, *up = y > 0 ? row - n : NULL;
        long best = filter_row(NONE, row, up, n, out);
        for (size_t k = 0; k < sizeof filters / sizeof filters[0]; k++) {
            long sum = filter_row(filters[k], row, up, n, trial);
            if (sum < best) {
                best = sum;
                memcpy(out, trial, 1 + n);
            }
        }
    }
}

/* Ends the chunk that has n bytes of data at p, behind its length and name. */
static void end_chunk(unsigned char *p, const char *name, size_t n)
{
    put_be32(p - 8, (uint32_t)n);
    memcpy(p - 4, name, 4);
    put_be32(p + n, libdeflate_crc32(0, p - 4, n + 4));
}

int img_png_encode(const unsigned char *px, int h, int w, struct mien_buf *out, struct mien_err *e)
{
    enum { HEADER = 8 + 25, AROUND = 12 };
    size_t line = 1 + (size_t)w * 3, n = line * (size_t)h;
    struct libdeflate_compressor *z = libdeflate_alloc_compressor(LEVEL);
    size_t most = z != NULL ? libdeflate_zlib_compress_bound(z, n) : 0;
    unsigned char *filtered = malloc(n + line);
    int rc =
        z == NULL || filtered == NULL || mien_buf_reserve(out, HEADER + AROUND + most + AROUND) < 0
            ? mien_err_mem(e, n, "a PNG")
            : 0;
    if (rc == 0) {
        unsigned char *p = out->data + out->len, *data = p + HEADER + 8;
        memcpy(p, "\x89PNG\r\n\x1a\n", 8);
        put_be32(p + 16, (uint32_t)w);
        put_be32(p + 20, (uint32_t)h);
        memcpy(p + 24, "\x08\x02\0\0\0", 5);
        end_chunk(p + 16, "IHDR", 13);
        filter_all(px, h, w, filtered, filtered + n);
        size_t len = libdeflate_zlib_compress(z, filtered, n, data, most);
        end_chunk(data, "IDAT", len);
        end_chunk(data + len + AROUND, "IEND", 0);
        out->len += HEADER + AROUND + len + AROUND;
    }
    libdeflate_free_compressor(z);
    free(filtered);
    return rc;
}
