/*
 * The limit of everything that begins with JPEGs: libjpeg-turbo's own decoding of the images of
 * an archive or folder, already in memory, and nothing else. With --part, only the columns and rows
 * of the crop around the face box, at the scale n/8. Prints the best of three rounds, in seconds.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

#include "mien/buf.h"
#include "mien/cli.h"
#include "util/cores.h"
#include "util/par.h"
#include "data/source.h"
#include "util/array.h"
#include "util/clock.h"

struct decode {
    const struct mien_cli *cli;
    struct image {
        unsigned char *data;
        size_t len;
    } * image;
    size_t n, cap;
    int eighths, x, y, side; /* the part, at that scale; side 0 for all */
};

static void decode(void *ctx, int worker, size_t i)
{
    struct decode *d = ctx;
    struct jpeg_decompress_struct j;
    struct jpeg_error_mgr errors;
    (void)worker;
    j.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&j);
    jpeg_mem_src(&j, d->image[i].data, d->image[i].len);
    jpeg_read_header(&j, TRUE);
    j.scale_num = (unsigned)d->eighths;
    j.scale_denom = 8;
    jpeg_start_decompress(&j);
    JDIMENSION end = j.output_height;
    unsigned char *row = malloc((size_t)j.output_width * 3);
    if (row == NULL)
        mien_cli_die(d->cli, "out of memory");
    if (d->side > 0) {
        JDIMENSION x = (JDIMENSION)d->x, w = (JDIMENSION)d->side;
        jpeg_crop_scanline(&j, &x, &w);
        jpeg_skip_scanlines(&j, (JDIMENSION)d->y);
        end = (JDIMENSION)(d->y + d->side);
    }
    while (j.output_scanline < end)
        jpeg_read_scanlines(&j, &row, 1);
    free(row);
    jpeg_destroy_decompress(&j);
}

static void load(struct decode *d, char *const *path)
{
    struct mien_err e;
    struct source *s = source_new(path, 1, (size_t)64 << 20, &e);
    struct source_file f;
    int rc = s == NULL ? MIEN_ERR_MEM : 1;
    while (rc > 0 && (rc = source_next(s, &f, &e)) > 0) {
        const unsigned char *bytes;
        size_t len;
        if (f.kind == NULL || strcmp(f.kind, "jpeg") != 0 || source_load(s, &bytes, &len, &e) <= 0)
            continue;
        struct image *p = array_grow(d->image, d->n, &d->cap, sizeof *p);
        if (p == NULL || (p[d->n].data = malloc(len)) == NULL)
            mien_cli_die(d->cli, "out of memory");
        d->image = p;
        memcpy(p[d->n].data, bytes, len);
        p[d->n++].len = len;
    }
    if (rc < 0)
        mien_cli_die(d->cli, "%s", e.msg);
    source_free(s);
}

static int parse_part(void *dst, const char *arg, struct mien_err *e)
{
    struct decode *d = dst;
    char trail;
    if (sscanf(arg, "%d,%d,%d,%d%c", &d->eighths, &d->x, &d->y, &d->side, &trail) != 4)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not EIGHTHS,X,Y,SIDE", arg);
    return 0;
}

int main(int argc, char **argv)
{
    struct decode d = {.eighths = 8};
    int jobs = cores_usable();
    const struct mien_option opts[] = {
        MIEN_OPT_FUNC(0, "part", "EIGHTHS,X,Y,SIDE", &d, parse_part, "only this part"),
        MIEN_OPT_INT('j', "jobs", "N", &jobs, 1, 256, "threads [all cores]"),
    };
    struct mien_cli cli = {
        .name = "decode",
        .synopsis = "[options] SOURCE",
        .purpose = "Times libjpeg-turbo's decoding.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
    };
    struct mien_err e;
    if (mien_cli_parse(&cli, argc, argv) != 1)
        mien_cli_die(&cli, "give an archive or a folder");
    d.cli = &cli;
    load(&d, argv + 1);
    struct par *par = par_new(jobs, &e);
    if (par == NULL)
        mien_cli_die(&cli, "%s", e.msg);
    double best = INFINITY;
    for (int k = 0; k < 3; k++) {
        double from = clock_seconds();
        par_for(par, d.n, decode, &d);
        best = fmin(best, clock_seconds() - from);
    }
    printf("%.6f\n", best);
    par_free(par);
    for (size_t i = 0; i < d.n; i++)
        free(d.image[i].data);
    free(d.image);
    return MIEN_EXIT_OK;
}
