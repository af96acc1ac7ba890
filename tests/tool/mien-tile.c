/* Tiles records' pixels, all of one size, to sheets without gaps: N x N of them on each of
   PREFIX1.jpg, PREFIX2.jpg, ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mien/cli.h"
#include "image/decoder.h"
#include "image/jpeg.h"
#include "mien/record.h"

static void save(const struct mien_cli *c, const char *prefix, int number, const struct img *sheet)
{
    char path[4096];
    struct mien_buf jpeg = {0};
    struct mien_err e;
    snprintf(path, sizeof path, "%s%d.jpg", prefix, number);
    if (img_jpeg_encode(sheet->px, sheet->h, sheet->w, 92, &jpeg, &e) < 0)
        mien_cli_die(c, "%s", e.msg);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(jpeg.data, 1, jpeg.len, f) != jpeg.len || fclose(f) != 0)
        mien_cli_die(c, "cannot write '%s'", path);
    mien_buf_free(&jpeg);
}

int main(int argc, char **argv)
{
    int n = 5, sheets = 0, k = 0, h, w;
    const struct mien_option opts[] = {
        MIEN_OPT_INT('n', "columns", "N", &n, 1, 100, "columns and rows of a sheet [5]"),
    };
    struct mien_cli cli = {
        .name = "mien-tile",
        .synopsis = "[-n N] PREFIX < pixels.mien",
        .purpose = "Tiles pixels to sheets.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct img sheet = {0};
    struct mien_rec r = {0};
    struct mien_err e;
    if (mien_cli_parse(&cli, argc, argv) != 1)
        mien_cli_die(&cli, "needs a prefix");
    struct mien_reader *rd = mien_reader_new(0, MIEN_RECORD_LIMIT, &e);
    int rc = rd == NULL ? MIEN_ERR_MEM : 0;
    while (rc >= 0 && (rc = mien_read(rd, &r, &e)) > 0) {
        const unsigned char *px = mien_rec_pixels(&r, &h, &w);
        if (px == NULL || (k > 0 && (h * n != sheet.h || w * n != sheet.w)))
            mien_cli_die(&cli, "a record without pixels, or of another size");
        if (k == 0) {
            if (img_alloc(&sheet, h * n, w * n, &e) < 0)
                mien_cli_die(&cli, "%s", e.msg);
            memset(sheet.px, 0, (size_t)sheet.h * (size_t)sheet.w * 3);
        }
        for (int y = 0; y < h; y++)
            memcpy(sheet.px + ((size_t)(k / n * h + y) * (size_t)sheet.w + (size_t)(k % n * w)) * 3,
                   px + (size_t)y * (size_t)w * 3, (size_t)w * 3);
        if (++k == n * n) {
            save(&cli, argv[1], ++sheets, &sheet);
            k = 0;
        }
    }
    if (rc < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (k > 0)
        save(&cli, argv[1], ++sheets, &sheet);
    mien_reader_free(rd);
    mien_rec_free(&r);
    img_free(&sheet);
    return 0;
}
