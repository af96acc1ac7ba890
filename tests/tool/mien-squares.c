/* Writes a photograph for tests of face detection: a JPEG with bright squares on dark ground. */
#include <stdio.h>
#include <stdlib.h>

#include "../squares.h"
#include "mien/cli.h"

int main(int argc, char **argv)
{
    struct img_hw size = {0};
    int orientation = 1, square[3 * 64], n = 0;
    const struct cli_opt opts[] = {
        {'o', "orientation", "N", "EXIF's [1]", CLI_INT, &orientation, 1, 8, NULL, NULL},
    };
    struct cli cli = {"mien-squares", "[-o N] HxW X,Y,SIDE...", "Draws squares.",
                      opts, CLI_NOPTS(opts), false};
    struct buf jpeg = {0};
    struct err e;
    int args = cli_parse(&cli, argc, argv);
    if (args < 1 || args > 64 || img_hw_parse(&size, argv[1], &e) < 0)
        cli_die(&cli, "needs a size and squares");
    for (; n < args - 1; n++) {
        int *s = square + 3 * n;
        if (sscanf(argv[n + 2], "%d,%d,%d", &s[0], &s[1], &s[2]) != 3 || s[0] < 0 || s[1] < 0)
            cli_die(&cli, "'%s' is no square", argv[n + 2]);
    }
    if (squares_jpeg(&jpeg, size.h, size.w, square, n, orientation, &e) < 0)
        cli_die(&cli, "%s", e.msg);
    fwrite(jpeg.data, 1, jpeg.len, stdout);
    cli_close_stdout(&cli);
    buf_free(&jpeg);
    return 0;
}
