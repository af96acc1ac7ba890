/* Writes a photograph for tests of face detection: a JPEG with bright squares on dark ground. */
#include <stdio.h>
#include <stdlib.h>

#include "../squares.h"
#include "mien/cli.h"
#include "image/img.h"

int main(int argc, char **argv)
{
    struct mien_size size = {0};
    struct jpeg_how how = {.h_samp = 2, .v_samp = 2};
    static const J_COLOR_SPACE spaces[] = {JCS_YCbCr, JCS_GRAYSCALE, JCS_CMYK};
    int square[3 * 64], n = 0, space = 0;
    size_t len;
    const struct mien_option opts[] = {
        MIEN_OPT_INT('o', "orientation", "N", &how.orientation, 1, 8, "EXIF's [none]"),
        MIEN_OPT_CHOICE('c', "colors", "NAME", &space, "rgb|grey|cmyk", "rgb, grey or cmyk [rgb]"),
        MIEN_OPT_FLAG('p', "progressive", &how.progressive, "several scans"),
    };
    struct mien_cli cli = {
        .name = "mien-squares",
        .synopsis = "[options] HxW X,Y,SIDE...",
        .purpose = "Draws squares.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct mien_err e;
    int args = mien_cli_parse(&cli, argc, argv);
    if (args < 1 || args > 64 || mien_size_parse(&size, argv[1], &e) < 0)
        mien_cli_die(&cli, "needs a size and squares");
    for (; n < args - 1; n++) {
        int *s = square + 3 * n;
        if (sscanf(argv[n + 2], "%d,%d,%d", &s[0], &s[1], &s[2]) != 3 || s[0] < 0 || s[1] < 0)
            mien_cli_die(&cli, "'%s' is no square", argv[n + 2]);
    }
    how.space = spaces[space];
    unsigned char *jpeg = squares_jpeg(size.h, size.w, square, n, &how, &len);
    fwrite(jpeg, 1, len, stdout);
    mien_cli_close_stdout(&cli);
    free(jpeg);
    return 0;
}
