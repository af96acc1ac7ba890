/*
 * Decoding over libjpeg-turbo. Its errors come back here by longjmp; a warning that means that some
 * of the picture is lost ends decoding too unless the decoder is tolerant.
 */
#include "format.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

/* A hostile progressive file may hold thousands of tiny scans, each as costly as the whole image;
   real ones have about ten. */
#define MAX_SCANS 100

/* Columns that are decoded beyond what is wanted: smooth upsampling of chroma looks at a neighbor,
   and libjpeg-turbo gives it up in a part that is only a few columns wide. */
#define EDGE 8

struct jpeg {
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    int rc; /* why it was left by that */
    bool tolerant, reading;
    bool endless; /* without the end-of-image marker: cut short, or no more than that is missing */
    bool damaged;
    char why[JMSG_LENGTH_MAX]; /* the fatal error, or the first damage */
    unsigned char *row;        /* one row of the columns that are decoded */
    size_t row_cap;
    int y; /* the next row */
};

static struct jpeg *owner(j_common_ptr d)
{
    return (struct jpeg *)d->client_data;
}

static _Noreturn void escape(struct jpeg *j, int rc)
{
    j->rc = rc;
    longjmp(j->escape, 1);
}

/* Keeps the first damage as text. */
static void note_damage(struct jpeg *j)
{
    if (j->damaged)
        return;
    if (j->endless)
        snprintf(j->why, sizeof j->why, "cut short");
    else
        j->errors.format_message((j_common_ptr)&j->d, j->why);
    j->damaged = true;
}

static void on_error(j_common_ptr d)
{
    struct jpeg *j = owner(d);
    if (d->err->msg_code == JERR_OUT_OF_MEMORY) {
        snprintf(j->why, sizeof j->why, "out of memory");
        escape(j, MIEN_ERR_MEM);
    }
    if (j->reading && j->endless)
        note_damage(j);
    else if (!j->damaged)
        d->err->format_message(d, j->why);
    escape(j, MIEN_ERR_FORMAT);
}

/* Whether a warning means that some of the picture is lost. The others are about headers that are
   odd, bytes too many between two markers, and a missing end, which decode looks into itself. */
static bool means_loss(const struct jpeg_decompress_struct *d)
{
    switch (d->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        return true;
    case JWRN_JPEG_EOF: /* arithmetic decoding reads on in silence */
        return d->arith_code;
    case JWRN_BOGUS_PROGRESSION: /* a scan that refines one that never came, or only an odd order */
        return d->Ah != 0;
    default:
        return false;
    }
}

static void on_message(j_common_ptr d, int level)
{
    struct jpeg *j = owner(d);
    if (level >= 0 || !j->reading || !means_loss(&j->d))
        return;
    note_damage(j);
    if (!j->tolerant)
        escape(j, MIEN_ERR_FORMAT);
}

static void on_progress(j_common_ptr d)
{
    struct jpeg *j = owner(d);
    if (j->d.input_scan_number > MAX_SCANS) {
        snprintf(j->why, sizeof j->why, "more than %d scans", MAX_SCANS);
        escape(j, MIEN_ERR_FORMAT);
    }
}

static int create(struct jpeg *j)
{
    j->d.err = jpeg_std_error(&j->errors);
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    j->d.client_data = j;
    if (setjmp(j->escape) != 0)
        return MIEN_ERR_MEM;
    jpeg_create_decompress(&j->d);
    j->progress.progress_monitor = on_progress;
    j->d.progress = &j->progress;
    return 0;
}

static void *new_jpeg(struct mien_err *e)
{
    struct jpeg *j = calloc(1, sizeof *j);
    if (j == NULL) {
        mien_err_mem(e, sizeof *j, "a JPEG decoder");
        return NULL;
    }
    if (create(j) < 0) {
        mien_err_set(e, MIEN_ERR_MEM, "cannot make a JPEG decoder: %s", j->why);
        free(j);
        return NULL;
    }
    return j;
}

static void free_jpeg(void *state)
{
    struct jpeg *j = state;
    if (j == NULL)
        return;
    jpeg_destroy_decompress(&j->d);
    free(j->row);
    free(j);
}

static const char *damage_of(const void *state)
{
    const struct jpeg *j = state;
    return j->damaged ? j->why : NULL;
}

/* Whether the end-of-image marker is there, in what the decoder has not read yet. Entropy-coded
   data can't hold it; looked for from the end, it is found at once in a whole file. */
static bool has_end(const struct jpeg_source_mgr *src)
{
    const unsigned char *p = src->next_input_byte;
    for (size_t i = src->bytes_in_buffer; i >= 2; i--) {
        if (p[i - 2] == 0xff && p[i - 1] == 0xd9)
            return true;
    }
    return false;
}

static int open_jpeg(void *state, const void *bytes, size_t n, bool tolerant, struct img_info *info,
                     struct mien_err *e)
{
    struct jpeg *j = state;
    /* libjpeg keeps an image's tables for the next one, should that have none of its own; but what
       becomes of an image must not depend on what came before. */
    jpeg_destroy_decompress(&j->d);
    if (create(j) < 0)
        return mien_err_set(e, MIEN_ERR_MEM, "cannot make a JPEG decoder: %s", j->why);
    j->reading = j->damaged = j->endless = false;
    j->tolerant = tolerant;
    if (setjmp(j->escape) != 0)
        return mien_err_set(e, j->rc, "cannot decode JPEG: %s", j->why);
    jpeg_mem_src(&j->d, bytes, n);
    jpeg_read_header(&j->d, TRUE);

    j->endless = !has_end(j->d.src);
    *info = (struct img_info){.h = (int)j->d.image_height,
                              .w = (int)j->d.image_width,
                              .orientation = img_exif_orientation(bytes, n)};
    return 0;
}

/* Four inks to RGB. Adobe's files store 255 minus the ink; djpeg, Pillow and OpenCV take those
   without Adobe's marker so, too. */
static void rgb_of_cmyk(const unsigned char *src, int w, unsigned char *dst)
{
    for (int x = 0; x < w; x++, src += 4, dst += 3) {
        for (int c = 0; c < 3; c++)
            dst[c] = (unsigned char)((src[c] * src[3] + 127) / 255);
    }
}

/* Makes room for one row of the decoder's output. */
static int row_room(struct jpeg *j)
{
    size_t need = (size_t)j->d.output_width * (size_t)j->d.output_components;
    if (need <= j->row_cap)
        return 0;
    free(j->row);
    j->row = malloc(need);
    j->row_cap = j->row == NULL ? 0 : need;
    if (j->row != NULL)
        return 0;
    snprintf(j->why, sizeof j->why, "out of memory for a row");
    return MIEN_ERR_MEM;
}

/* Delivers a decoded row, whose first column is x0. */
static void deliver(struct jpeg *j, bool inks, int x0, const struct img_part *part, size_t n)
{
    const struct jpeg_decompress_struct *d = &j->d;
    for (size_t i = 0; i < n; i++) {
        const struct img_rect *r = &part[i].rect;
        if (!img_part_has(&part[i], j->y))
            continue;
        unsigned char *out = part[i].out + (size_t)(j->y - r->y) * part[i].stride;
        const unsigned char *from = j->row + (size_t)(r->x - x0) * (size_t)d->output_components;
        if (inks)
            rgb_of_cmyk(from, r->w, out);
        else
            memcpy(out, from, (size_t)r->w * 3);
    }
}

/* Whether all scans of an image without an end have come, as far as can be told. */
static bool has_all_scans(const struct jpeg_decompress_struct *d)
{
    for (int i = 0; i < d->num_components; i++) {
        if (d->comp_info[i].quant_table == NULL) /* set by the component's first scan */
            return false;
        for (int k = 0; d->progressive_mode && k < DCTSIZE2; k++) {
            if (d->coef_bits[i][k] != 0)
                return false;
        }
    }
    return true;
}

/* Reads an image without an end to where it stops: if that is its last row, nothing is lost. */
static int read_out(struct jpeg *j)
{
    struct jpeg_decompress_struct *d = &j->d;
    if (d->output_scanline < d->output_height)
        jpeg_skip_scanlines(d, d->output_height - d->output_scanline);
    if (has_all_scans(d))
        return 0;
    note_damage(j);
    return j->tolerant ? 0 : MIEN_ERR_FORMAT;
}

/* Decodes the rows from the first part's to the last one's; libjpeg's errors leave it by
   longjmp. */
static int decode(struct jpeg *j, int eighths, const struct img_part *part, size_t n)
{
    struct jpeg_decompress_struct *d = &j->d;
    bool inks = d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK;
    d->scale_num = (unsigned)eighths;
    d->scale_denom = 8;
    d->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    /* Of a progressive file that lacks scans it would make pixels depend on where a part begins. */
    d->do_block_smoothing = FALSE;
    jpeg_start_decompress(d);
    if (!img_parts_fit(part, n, (int)d->output_height, (int)d->output_width)) {
        snprintf(j->why, sizeof j->why, "a part outside of the image was asked for");
        return MIEN_ERR_ARG;
    }
    struct img_rect all = img_parts_hull(part, n);
    JDIMENSION x0 = all.x > EDGE ? (JDIMENSION)(all.x - EDGE) : 0;
    JDIMENSION x1 = (JDIMENSION)(all.x + all.w) + EDGE;
    JDIMENSION width = (x1 < d->output_width ? x1 : d->output_width) - x0;
    if (width < d->output_width)
        jpeg_crop_scanline(d, &x0, &width); /* x0 moves left, to where a block begins */
    bool direct = n == 1 && !inks && (int)width == all.w;
    if (!direct && row_room(j) < 0)
        return MIEN_ERR_MEM;
    int whole = d->max_v_samp_factor * eighths; /* rows that are decoded together */
    while (j->y < all.y + all.h) {
        int unused = img_parts_skip(part, n, j->y);
        /* From elsewhere libjpeg-turbo repeats rows (its issue 915). */
        if (unused > 0 && j->y % whole == 0) {
            jpeg_skip_scanlines(d, (JDIMENSION)unused);
            j->y += unused;
        }
        JSAMPROW row = direct ? part->out + (size_t)(j->y - all.y) * part->stride : j->row;
        jpeg_read_scanlines(d, &row, 1);
        if (!direct)
            deliver(j, inks, (int)x0, part, n);
        j->y++;
    }
    return j->endless ? read_out(j) : 0;
}

static int try_decode(struct jpeg *j, int eighths, const struct img_part *part, size_t n)
{
    if (setjmp(j->escape) != 0)
        return j->rc;
    return decode(j, eighths, part, n);
}

static int read_jpeg(void *state, int eighths, const struct img_part *part, size_t n,
                     struct mien_err *e)
{
    struct jpeg *j = state;
    j->y = 0;
    j->reading = true;
    int rc = try_decode(j, eighths, part, n);
    jpeg_abort_decompress(&j->d);
    if (rc == MIEN_ERR_FORMAT && j->tolerant && n == 1 && j->y > part->rect.y) {
        for (int y = j->y; img_part_has(part, y); y++)
            memset(part->out + (size_t)(y - part->rect.y) * part->stride, 128,
                   (size_t)part->rect.w * 3);
        j->damaged = true;
        rc = 0;
    }
    if (rc < 0)
        return mien_err_set(
            e, rc, "%s: %s",
            j->damaged && rc == MIEN_ERR_FORMAT ? "damaged JPEG" : "cannot decode JPEG", j->why);
    return 0;
}

const struct img_format img_jpeg = {"jpeg",    "JPEG",    new_jpeg, free_jpeg,
                                    open_jpeg, read_jpeg, damage_of};
