#include "format.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Those that this program was built with. */
static const struct img_format *const formats[] = {
    &img_jpeg,
#ifdef MIEN_PNG
    &img_png,
#endif
#ifdef MIEN_WEBP
    &img_webp,
#endif
#ifdef MIEN_HEIF
    &img_heic, &img_avif,
#endif
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

struct img_decoder {
    void *state[FORMATS]; /* NULL until an image of the format is met */
    int now;              /* the format of the image that was opened; -1 for none */
};

struct img_decoder *img_decoder_new(struct mien_err *e)
{
    struct img_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        mien_err_mem(e, sizeof *d, "a decoder");
    else
        d->now = -1;
    return d;
}

void img_decoder_free(struct img_decoder *d)
{
    for (int i = 0; d != NULL && i < FORMATS; i++)
        formats[i]->destroy(d->state[i]);
    free(d);
}

/* Images of other kinds, and what converts them. Those of the first four are decoded, but not by
   every build. */
static const struct {
    const char *kind, *command;
} others[] = {
    {"png", "convert FILE FILE.jpg"},
    {"webp", "dwebp FILE -o FILE.png"},
    {"heic", "heif-convert FILE FILE.png"},
    {"avif", "heif-convert FILE FILE.png"},
    {"gif", "convert 'FILE[0]' FILE.png"},
    {"tiff", "convert 'FILE[0]' FILE.png"},
    {"bmp", "convert FILE FILE.png"},
    {"psd", "convert 'FILE[0]' FILE.png"},
    {"jp2", "opj_decompress -i FILE -o FILE.png"},
    {"jxl", "djxl FILE FILE.png"},
};
enum { OPTIONAL = 4, OTHERS = sizeof others / sizeof others[0] };

static int unsupported(const char *kind, struct mien_err *e)
{
    char name[8]; /* in capitals */
    size_t n = 0;
    for (; n < sizeof name - 1 && kind[n] != '\0'; n++)
        name[n] = (char)toupper((unsigned char)kind[n]);
    name[n] = '\0';
    for (size_t i = 0; i < OTHERS; i++) {
        if (strcmp(others[i].kind, kind) == 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "%s isn't decoded%s; convert it first: %s",
                                name, i < OPTIONAL ? " by this build" : "", others[i].command);
    }
    return mien_err_set(e, MIEN_ERR_FORMAT, "%s, not an image", name);
}

/* The image's format; -1 when there is none, with the reason in e. */
static int find_format(const void *bytes, size_t n, struct mien_err *e)
{
    const char *kind = img_kind(bytes, n);
    if (n == 0 || kind == NULL) {
        mien_err_set(e, MIEN_ERR_FORMAT, n == 0 ? "the image is empty" : "not an image");
        return -1;
    }
    for (int i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i]->kind, kind) == 0)
            return i;
    }
    unsupported(kind, e);
    return -1;
}

int img_open(struct img_decoder *d, const void *bytes, size_t n, const struct img_limits *limits,
             struct img_info *info, struct mien_err *e)
{
    d->now = -1;
    int i = find_format(bytes, n, e);
    if (i < 0)
        return MIEN_ERR_FORMAT;
    if (d->state[i] == NULL && (d->state[i] = formats[i]->create(e)) == NULL)
        return MIEN_ERR_MEM;
    int rc = formats[i]->open(d->state[i], bytes, n, limits->tolerant, info, e);
    if (rc < 0)
        return rc;
    uint64_t most = limits->max_pixels != 0 ? limits->max_pixels : IMG_MAX_PIXELS;
    if ((uint64_t)info->w * (uint64_t)info->h > most)
        return mien_err_set(e, MIEN_ERR_LIMIT, "%s of %d x %d pixels, more than the limit of %llu",
                            formats[i]->name, info->w, info->h, (unsigned long long)most);
    d->now = i;
    return 0;
}

int img_read_parts(struct img_decoder *d, int eighths, const struct img_part *part, size_t n,
                   struct mien_err *e)
{
    assert(d->now >= 0);
    return formats[d->now]->read(d->state[d->now], eighths, part, n, e);
}

int img_read(struct img_decoder *d, int eighths, struct img_rect r, unsigned char *out,
             size_t stride, struct mien_err *e)
{
    return img_read_parts(d, eighths, &(struct img_part){r, out, stride}, 1, e);
}

const char *img_damage(const struct img_decoder *d)
{
    const struct img_format *f = d->now < 0 ? NULL : formats[d->now];
    return f == NULL || f->damage == NULL ? NULL : f->damage(d->state[d->now]);
}

/* --- Parts ---------------------------------------------------------------------------------- */

bool img_parts_fit(const struct img_part *part, size_t n, int h, int w)
{
    for (size_t i = 0; i < n; i++) {
        const struct img_rect *r = &part[i].rect;
        if (r->x < 0 || r->y < 0 || r->w < 1 || r->h < 1 || r->x > w - r->w || r->y > h - r->h)
            return false;
    }
    return true;
}

struct img_rect img_parts_hull(const struct img_part *part, size_t n)
{
    struct img_rect h = part[0].rect;
    for (size_t i = 1; i < n; i++) {
        const struct img_rect *r = &part[i].rect;
        int right = r->x + r->w > h.x + h.w ? r->x + r->w : h.x + h.w;
        int bottom = r->y + r->h > h.y + h.h ? r->y + r->h : h.y + h.h;
        h.x = r->x < h.x ? r->x : h.x;
        h.y = r->y < h.y ? r->y : h.y;
        h.w = right - h.x;
        h.h = bottom - h.y;
    }
    return h;
}

int img_parts_skip(const struct img_part *part, size_t n, int y)
{
    int next = INT_MAX;
    for (size_t i = 0; i < n; i++) {
        if (img_part_has(&part[i], y))
            return 0;
        if (part[i].rect.y > y && part[i].rect.y < next)
            next = part[i].rect.y;
    }
    return next - y;
}
