/*
 * Decoding WebP files over libwebp: only the part that is needed becomes pixels. Of an animation the
 * first frame is shown, on white where it doesn't cover the canvas. Colors aren't dithered.
 */
#include "format.h"

#ifdef MIEN_WEBP

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "rows.h"
#include "util/bytes.h"

/* Pixels that are decoded beyond what is wanted: smooth upsampling of chroma looks at neighbors. */
#define EDGE 4

struct webp {
    /* The image, or an animation's first frame, and where it lies. */
    const unsigned char *bytes;
    size_t n;
    struct img_rect frame;
    int h, w; /* of the canvas */
    bool alpha, tolerant;
    const char *damage;
    struct img_rows rows;
    unsigned char *px; /* what was decoded */
    size_t cap;
    unsigned char *line; /* a row of the canvas */
    size_t line_cap;
};

static void *new_webp(struct mien_err *e)
{
    struct webp *j = calloc(1, sizeof *j);
    if (j == NULL)
        mien_err_mem(e, sizeof *j, "a WebP decoder");
    return j;
}

static void free_webp(void *state)
{
    struct webp *j = state;
    if (j == NULL)
        return;
    img_rows_free(&j->rows);
    free(j->px);
    free(j->line);
    free(j);
}

static const char *damage_of(const void *state)
{
    return ((const struct webp *)state)->damage;
}

static const char *describe(VP8StatusCode rc)
{
    return rc == VP8_STATUS_NOT_ENOUGH_DATA || rc == VP8_STATUS_SUSPENDED ? "cut short"
           : rc == VP8_STATUS_UNSUPPORTED_FEATURE                         ? "an unknown feature"
                                                                          : "bad data";
}

/* libwebp calls it an abort by the user where its output has no memory. */
static bool no_memory(VP8StatusCode rc)
{
    return rc == VP8_STATUS_OUT_OF_MEMORY || rc == VP8_STATUS_USER_ABORT;
}

static int failed(VP8StatusCode rc, struct mien_err *e)
{
    if (no_memory(rc))
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for a WebP image");
    return mien_err_set(e, MIEN_ERR_FORMAT, "damaged WebP: %s", describe(rc));
}

static uint32_t get_le24(const unsigned char *p)
{
    return get_le16(p) | (uint32_t)p[2] << 16;
}

/* The body of the first chunk of a name, *len bytes of it at most; NULL when there is none. */
static const unsigned char *find_chunk(const unsigned char *p, size_t n, const char *name,
                                       size_t *len)
{
    for (size_t at = 12; n >= 8 && at <= n - 8;) {
        size_t size = get_le32(p + at + 4), rest = n - at - 8;
        *len = size < rest ? size : rest;
        if (memcmp(p + at, name, 4) == 0)
            return p + at + 8;
        at += 8 + *len + (*len & 1);
    }
    return NULL;
}

/* Finds an animation's first frame: WebP's container specification, "ANMF". */
static int find_frame(struct webp *j, const unsigned char *p, size_t n)
{
    enum { HEADER = 16 };
    size_t len;
    const unsigned char *f = find_chunk(p, n, "ANMF", &len);
    WebPBitstreamFeatures features;
    if (f == NULL || len < HEADER)
        return VP8_STATUS_NOT_ENOUGH_DATA;
    j->frame = (struct img_rect){2 * (int)get_le24(f), 2 * (int)get_le24(f + 3),
                                 1 + (int)get_le24(f + 6), 1 + (int)get_le24(f + 9)};
    j->bytes = f + HEADER;
    j->n = len - HEADER;
    int rc = WebPGetFeatures(j->bytes, j->n, &features);
    if (rc != VP8_STATUS_OK)
        return rc;
    if (features.width != j->frame.w || features.height != j->frame.h ||
        j->frame.x > j->w - j->frame.w || j->frame.y > j->h - j->frame.h)
        return VP8_STATUS_BITSTREAM_ERROR;
    j->alpha = features.has_alpha;
    return VP8_STATUS_OK;
}

static int open_webp(void *state, const void *bytes, size_t n, bool tolerant, struct img_info *info,
                     struct mien_err *e)
{
    struct webp *j = state;
    WebPBitstreamFeatures features;
    j->tolerant = tolerant;
    j->damage = NULL;
    int rc = WebPGetFeatures(bytes, n, &features);
    if (rc != VP8_STATUS_OK)
        return failed(rc, e);
    j->bytes = bytes;
    j->n = n;
    j->h = features.height;
    j->w = features.width;
    j->frame = (struct img_rect){0, 0, j->w, j->h};
    j->alpha = features.has_alpha;
    if (features.has_animation && (rc = find_frame(j, bytes, n)) != VP8_STATUS_OK)
        return failed(rc, e);
    size_t len;
    const unsigned char *exif = find_chunk(bytes, n, "EXIF", &len);
    *info = (struct img_info){j->h, j->w, exif == NULL ? 1 : img_exif_orientation_in(exif, len)};
    return 0;
}

static int reserve(unsigned char **p, size_t *cap, size_t n, struct mien_err *e)
{
    if (n <= *cap)
        return 0;
    free(*p);
    *p = malloc(n);
    *cap = *p == NULL ? 0 : n;
    return *p == NULL ? mien_err_mem(e, n, "a WebP image") : 0;
}

/* What the parts need of the frame, in its own pixels and with an edge; false for nothing. */
static bool find_crop(const struct webp *j, struct img_rect *crop)
{
    const struct img_rect *r = &j->rows.need, *f = &j->frame;
    int x0 = r->x - f->x - EDGE, y0 = r->y - f->y - EDGE;
    int x1 = r->x - f->x + r->w + EDGE, y1 = r->y - f->y + r->h + EDGE;
    x0 = x0 < 0 ? 0 : x0 & ~1; /* where chroma begins */
    y0 = y0 < 0 ? 0 : y0 & ~1;
    x1 = x1 > f->w ? f->w : x1;
    y1 = y1 > f->h ? f->h : y1;
    bool any = x1 > x0 && y1 > y0;
    *crop = any ? (struct img_rect){x0, y0, x1 - x0, y1 - y0} : (struct img_rect){0};
    return any;
}

/* Decodes a damaged image as far as it goes. Returns how many rows of the crop there are. */
static int decode_some(const struct webp *j, WebPDecoderConfig *config)
{
    int rows = 0;
    WebPIDecoder *d = WebPIDecode(NULL, 0, config);
    if (d == NULL)
        return 0;
    WebPIAppend(d, j->bytes, j->n);
    if (WebPIDecGetRGB(d, &rows, NULL, NULL, NULL) == NULL)
        rows = 0;
    WebPIDelete(d);
    return rows;
}

/* Decodes a crop of the frame into px. Returns the number of its rows that there are. */
static int decode(struct webp *j, const struct img_rect *crop, bool partly, struct mien_err *e)
{
    WebPDecoderConfig config;
    int channels = j->alpha ? 4 : 3;
    size_t stride = (size_t)crop->w * (size_t)channels;
    if (!WebPInitDecoderConfig(&config))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "libwebp isn't the version that mien was built for");
    int rc = reserve(&j->px, &j->cap, stride * (size_t)crop->h, e);
    if (rc < 0)
        return rc;
    config.options.use_cropping = 1;
    config.options.crop_left = crop->x;
    config.options.crop_top = crop->y;
    config.options.crop_width = crop->w;
    config.options.crop_height = crop->h;
    config.output.colorspace = j->alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = j->px;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (size_t)crop->h;
    VP8StatusCode status = WebPDecode(j->bytes, j->n, &config);
    if (status == VP8_STATUS_OK)
        return crop->h;
    j->damage = describe(status);
    int rows = partly && !no_memory(status) ? decode_some(j, &config) : 0;
    return rows > 0 ? rows : failed(status, e);
}

/* Makes row y of the canvas, the columns that are needed, of what was decoded. */
static const unsigned char *row_of(struct webp *j, const struct img_rect *crop, int y)
{
    const struct img_rect *r = &j->rows.need, *f = &j->frame;
    int channels = j->alpha ? 4 : 3;
    int fy = y - f->y - crop->y, fx = r->x - f->x - crop->x; /* within the crop */
    int from = fx < 0 ? -fx : 0;
    int to = fx + r->w > crop->w ? crop->w - fx : r->w;
    bool there = fy >= 0 && fy < crop->h;
    if (from > 0 || to < r->w || !there)
        memset(j->line, 255, (size_t)r->w * 3);
    if (!there || from >= to)
        return j->line;
    const unsigned char *px =
        j->px + ((size_t)fy * (size_t)crop->w + (size_t)(fx + from)) * (size_t)channels;
    if (!j->alpha && from == 0 && to == r->w)
        return px;
    if (j->alpha)
        img_over_white(px, (size_t)(to - from), j->line + (size_t)from * 3);
    else
        memcpy(j->line + (size_t)from * 3, px, (size_t)(to - from) * 3);
    return j->line;
}

static int read_webp(void *state, int eighths, const struct img_part *part, size_t n,
                     struct mien_err *e)
{
    struct webp *j = state;
    struct img_rect crop = {0};
    int rc = img_rows_start(&j->rows, j->h, j->w, eighths, part, n, e);
    const struct img_rect *r = &j->rows.need;
    if (rc == 0)
        rc = reserve(&j->line, &j->line_cap, (size_t)r->w * 3, e);
    if (rc < 0)
        return rc;
    int rows = 0; /* of the crop */
    if (find_crop(j, &crop))
        rows = decode(j, &crop, j->tolerant && n == 1, e);
    if (rows < 0)
        return rows;
    bool all = rows == crop.h;
    int end = all ? r->y + r->h : j->frame.y + crop.y + rows;
    if (!all && end <= r->y)
        return failed(VP8_STATUS_NOT_ENOUGH_DATA, e);
    for (int y = r->y; y < end && y < r->y + r->h; y++) {
        if (img_rows_want(&j->rows, y))
            img_rows_put(&j->rows, y, row_of(j, &crop, y));
    }
    if (end < r->y + r->h)
        img_rows_gray(&j->rows, end);
    return 0;
}

const struct img_format img_webp = {"webp",    "WebP",    new_webp, free_webp,
                                    open_webp, read_webp, damage_of};

#endif
