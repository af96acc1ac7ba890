/*
 * Decoding PNGs over libpng, row by row. Its errors come back here by longjmp.
 *
 * Colors are as browsers show them: gAMA is followed unless sRGB or a profile (iCCP) speaks for the
 * file, and neither the profile itself nor cHRM is. Of an animated PNG the image is shown that
 * programs show which don't know animations, most often its first frame. Text, profiles and such
 * are not even unpacked.
 */
#include "format.h"

#ifdef MIEN_PNG

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

#include "rows.h"

#define SIGNATURE 8
#define GAMMA     2.2 /* of the screen */

struct png {
    png_structp p;
    png_infop info;
    jmp_buf escape;
    const unsigned char *bytes; /* n of them, read up to at */
    size_t n, at;
    bool no_memory; /* why it was left by that, instead of damage */
    bool tolerant;
    bool endless; /* without the end's chunk: cut short, or no more than that is missing */
    bool damaged;
    char why[96];
    struct img_rows rows;
    unsigned char *line; /* a row of the image; or all that are needed, where it is interlaced */
    size_t cap;
    int y; /* the next row */
};

static void note_damage(struct png *j, const char *why)
{
    if (!j->damaged)
        snprintf(j->why, sizeof j->why, "%s", why);
    j->damaged = true;
}

static void on_error(png_structp p, png_const_charp why)
{
    struct png *j = png_get_error_ptr(p);
    note_damage(j, why);
    longjmp(j->escape, 1);
}

/* A tolerant decoder is only warned of a wrong checksum. */
static void on_warning(png_structp p, png_const_charp why)
{
    if (strstr(why, "CRC error") != NULL)
        note_damage(png_get_error_ptr(p), why);
}

static png_voidp take(png_structp p, png_alloc_size_t n)
{
    struct png *j = png_get_mem_ptr(p);
    void *memory = malloc(n);
    j->no_memory |= memory == NULL;
    return memory;
}

static void give(png_structp p, png_voidp memory)
{
    (void)p;
    free(memory);
}

static void read_bytes(png_structp p, png_bytep out, size_t n)
{
    struct png *j = png_get_io_ptr(p);
    if (n > j->n - j->at)
        png_error(p, "cut short");
    memcpy(out, j->bytes + j->at, n);
    j->at += n;
}

static void *new_png(struct mien_err *e)
{
    struct png *j = calloc(1, sizeof *j);
    if (j == NULL)
        mien_err_mem(e, sizeof *j, "a PNG decoder");
    return j;
}

static void let_go(struct png *j)
{
    png_destroy_read_struct(&j->p, &j->info, NULL);
}

static void free_png(void *state)
{
    struct png *j = state;
    if (j == NULL)
        return;
    let_go(j);
    img_rows_free(&j->rows);
    free(j->line);
    free(j);
}

static const char *damage_of(const void *state)
{
    const struct png *j = state;
    return j->damaged ? j->why : NULL;
}

/* What the chunks tell without libpng, which would see those behind the image only at its end. */
struct chunks {
    bool profile, end;
    int orientation;
};

static struct chunks look_at_chunks(const unsigned char *p, size_t n)
{
    struct chunks c = {.orientation = 1};
    for (size_t at = SIGNATURE; !c.end && n >= 12 && at <= n - 12;) {
        const unsigned char *body = p + at + 8;
        size_t len = (size_t)png_get_uint_32(p + at);
        if (len > n - at - 12)
            break;
        c.profile |= memcmp(p + at + 4, "iCCP", 4) == 0;
        c.end |= memcmp(p + at + 4, "IEND", 4) == 0;
        if (memcmp(p + at + 4, "eXIf", 4) == 0)
            c.orientation = img_exif_orientation_in(body, len);
        at += 12 + len;
    }
    return c;
}

/* Nothing of these is used; libpng is not to unpack them. */
static const unsigned char unused[] = "iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0eXIf\0hIST\0pCAL\0sCAL\0tIME\0"
                                      "oFFs\0pHYs\0bKGD\0sBIT";

/* Reads what comes before the image; libpng's errors leave it by longjmp. */
static void read_header(struct png *j, const struct chunks *c)
{
    png_structp p = j->p;
    double gamma;
    png_set_read_fn(p, j, read_bytes);
    png_set_user_limits(p, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* the caller sees to that */
    png_set_keep_unknown_chunks(p, PNG_HANDLE_CHUNK_NEVER, unused, sizeof unused / 5);
    if (j->tolerant) {
        png_set_crc_action(p, PNG_CRC_WARN_USE, PNG_CRC_QUIET_USE);
        png_set_compression_buffer_size(p, 64); /* in such pieces a file is read up to its end */
    }
    png_read_info(p, j->info);
    png_set_expand(p);
    png_set_scale_16(p);
    png_set_gray_to_rgb(p);
    if (!c->profile && !png_get_valid(p, j->info, PNG_INFO_sRGB) &&
        png_get_gAMA(p, j->info, &gamma) != 0 && gamma > 0)
        png_set_gamma(p, GAMMA, gamma);
}

static int failed(struct png *j, struct mien_err *e)
{
    if (j->no_memory)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for a PNG");
    return mien_err_set(e, MIEN_ERR_FORMAT, "damaged PNG: %s", j->endless ? "cut short" : j->why);
}

static int open_png(void *state, const void *bytes, size_t n, bool tolerant, struct img_info *info,
                    struct mien_err *e)
{
    struct png *j = state;
    struct chunks c = look_at_chunks(bytes, n);
    let_go(j);
    j->bytes = bytes;
    j->n = n;
    j->at = 0;
    j->tolerant = tolerant;
    j->endless = !c.end;
    j->no_memory = j->damaged = false;
    if (setjmp(j->escape) != 0)
        return failed(j, e);
    j->p = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j, take, give);
    if (j->p == NULL || (j->info = png_create_info_struct(j->p)) == NULL)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for a PNG");
    read_header(j, &c);
    *info = (struct img_info){.h = (int)png_get_image_height(j->p, j->info),
                              .w = (int)png_get_image_width(j->p, j->info),
                              .orientation = c.orientation};
    return 0;
}

static int reserve(struct png *j, size_t n)
{
    if (n > j->cap) {
        free(j->line);
        j->line = malloc(n);
        j->cap = j->line == NULL ? 0 : n;
    }
    if (j->line != NULL)
        return 0;
    j->no_memory = true;
    return MIEN_ERR_MEM;
}

/* Hands out a row of the image. */
static void put(struct png *j, int y, unsigned char *row, int channels)
{
    const struct img_rect *r = &j->rows.need;
    unsigned char *px = row + (size_t)r->x * (size_t)channels;
    if (channels == 4)
        img_over_white(px, (size_t)r->w, px);
    img_rows_put(&j->rows, y, px);
}

static bool is_needed(const struct png *j, int y)
{
    const struct img_rect *r = &j->rows.need;
    return y >= r->y && y < r->y + r->h && img_rows_want(&j->rows, y);
}

static void decode_in_order(struct png *j, int rows, int channels)
{
    for (j->y = 0; j->y < rows; j->y++) {
        bool needed = is_needed(j, j->y);
        png_read_row(j->p, needed ? j->line : NULL, NULL);
        if (needed)
            put(j, j->y, j->line, channels);
    }
}

/* Of an interlaced image the rows that are needed are kept from pass to pass. */
static void decode_passes(struct png *j, int passes, int rows, size_t stride)
{
    const struct img_rect *r = &j->rows.need;
    int h = j->rows.h;
    memset(j->line, 128, stride * (size_t)r->h);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < (pass + 1 < passes ? h : rows); y++) {
            bool needed = y >= r->y && y < r->y + r->h;
            png_read_row(j->p, needed ? j->line + (size_t)(y - r->y) * stride : NULL, NULL);
        }
        j->y = r->y + r->h; /* a first impression of all rows is there */
    }
}

/* Decodes down to the last row that is needed, or to the end if that may be missing; libpng's
   errors leave it by longjmp. */
static int decode(struct png *j, int passes, int channels)
{
    const struct img_rect *r = &j->rows.need;
    size_t stride = png_get_rowbytes(j->p, j->info);
    int rows = j->endless ? j->rows.h : r->y + r->h;
    if (reserve(j, passes > 1 ? stride * (size_t)r->h : stride) < 0)
        return MIEN_ERR_MEM;
    if (passes > 1)
        decode_passes(j, passes, rows, stride);
    else
        decode_in_order(j, rows, channels);
    return 0;
}

static int try_decode(struct png *j, int *passes, int *channels)
{
    if (setjmp(j->escape) != 0)
        return j->no_memory ? MIEN_ERR_MEM : MIEN_ERR_FORMAT;
    *passes = png_set_interlace_handling(j->p);
    png_read_update_info(j->p, j->info);
    *channels = png_get_channels(j->p, j->info);
    return decode(j, *passes, *channels);
}

static int read_png(void *state, int eighths, const struct img_part *part, size_t n,
                    struct mien_err *e)
{
    struct png *j = state;
    int passes = 0, channels = 0;
    int h = (int)png_get_image_height(j->p, j->info), w = (int)png_get_image_width(j->p, j->info);
    int rc = img_rows_start(&j->rows, h, w, eighths, part, n, e);
    if (rc < 0)
        return rc;
    const struct img_rect *r = &j->rows.need;
    j->y = 0;
    rc = try_decode(j, &passes, &channels);
    bool some = rc == MIEN_ERR_FORMAT && j->tolerant && n == 1 && j->y > r->y;
    size_t stride = rc == 0 || some ? png_get_rowbytes(j->p, j->info) : 0;
    for (int y = r->y; passes > 1 && stride > 0 && y < r->y + r->h; y++) {
        if (img_rows_want(&j->rows, y))
            put(j, y, j->line + (size_t)(y - r->y) * stride, channels);
    }
    let_go(j);
    if (some && j->y < r->y + r->h)
        img_rows_gray(&j->rows, j->y);
    return rc == 0 || some ? 0 : failed(j, e);
}

const struct img_format img_png = {"png", "PNG", new_png, free_png, open_png, read_png, damage_of};

#endif
