#include <math.h>
#include <string.h>

#include "internal.h"
#include "image/font.h"

enum { FRAME = 2 };

static const struct draw_color box_color = {255, 214, 0}, dark = {0, 0, 0}, light = {255, 255, 255};

int picture_start(struct picture *p, struct mien_err *e)
{
    p->decoder = img_decoder_new(e);
    p->resizer = mien_resizer_new(e);
    return p->decoder == NULL || p->resizer == NULL ? MIEN_ERR_MEM : 0;
}

void picture_free(struct picture *p)
{
    img_decoder_free(p->decoder);
    mien_resizer_free(p->resizer);
    img_photo_free(&p->photo);
    img_free(&p->im);
}

/* A side at the scale that brings the longer one to size. */
static int fit(int side, int longer, int size)
{
    int n = (int)round((double)side * size / longer);
    return n < 1 ? 1 : n;
}

static int scale_into(struct picture *p, const unsigned char *px, int h, int w, int size,
                      struct mien_err *e)
{
    int longer = h > w ? h : w;
    struct mien_size to = {fit(h, longer, size), fit(w, longer, size)};
    int rc = img_alloc(&p->im, to.h, to.w, e);
    return rc < 0 ? rc : mien_resize(p->resizer, px, h, w, p->im.px, to, MIEN_TRIANGLE, e);
}

static int photograph(struct picture *p, const struct mien_field *f, int size, struct mien_err *e)
{
    const struct img *im = &p->photo.im;
    int rc =
        img_photo_read(&p->photo, p->decoder, f->data, f->len, &(struct img_limits){0}, size, e);
    if (rc < 0)
        return rc;
    p->scale = (double)size / p->photo.longer;
    return scale_into(p, im->px, im->h, im->w, size, e);
}

int picture_of(struct picture *p, const struct mien_rec *r, int size, struct mien_err *e)
{
    const struct mien_field *image = mien_rec_find(r, MIEN_TAG_IMAGE);
    int h, w;
    const unsigned char *px = mien_rec_pixels(r, &h, &w);
    if (image != NULL)
        return photograph(p, image, size, e);
    if (px == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "neither pixels nor an image in the record; mien-predict "
                            "keeps them with --keep");
    if (h < 1 || w < 1)
        return mien_err_set(e, MIEN_ERR_FORMAT, "its pixels are empty");
    return scale_into(p, px, h, w, size, e);
}

/* --- Boxes --------------------------------------------------------------------------------- */

/* A position in the picture; just outside of it for whatever lies far away, or isn't a number. */
static int place(float at, double scale, int side)
{
    return (int)fmin(fmax(round(at * scale), -8), side + 8);
}

static struct img_rect box_in(const struct picture *p, const float *box)
{
    int x1 = place(box[0], p->scale, p->im.w), y1 = place(box[1], p->scale, p->im.h);
    int x2 = place(box[2], p->scale, p->im.w), y2 = place(box[3], p->scale, p->im.h);
    return (struct img_rect){x1, y1, x2 - x1, y2 - y1};
}

static bool overlap(struct img_rect a, struct img_rect b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static bool is_free(const struct picture *p, struct img_rect r, const struct img_rect *taken,
                    size_t n)
{
    if (r.x < 0 || r.y < 0 || r.x + r.w > p->im.w || r.y + r.h > p->im.h)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (overlap(r, taken[i]))
            return false;
    }
    return true;
}

/* Finds room for a tag of tag's size at a corner of the box, outside of it if possible. Where there
   is none, in a crowd, the face goes without: numbers over each other could not be read. */
static bool find_room(const struct picture *p, struct img_rect box, int frame,
                      const struct img_rect *taken, size_t n, struct img_rect *tag)
{
    int left = box.x - frame, right = box.x + box.w + frame - tag->w;
    int above = box.y - frame - tag->h, below = box.y + box.h + frame;
    const int at[][2] = {{left, above},  {right, above},
                         {left, below},  {right, below},
                         {box.x, box.y}, {box.x + box.w - tag->w, box.y + box.h - tag->h}};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        tag->x = at[i][0];
        tag->y = at[i][1];
        if (is_free(p, *tag, taken, n))
            return true;
    }
    return false;
}

static bool is_wrong(const struct caption *c)
{
    return c->age_wrong || c->gender_wrong;
}

/* Draws the faces' numbers, at the corners of their boxes. */
static void number(struct picture *p, const struct caption *face, size_t n, int scale)
{
    struct img_rect taken[FACES_MAX];
    size_t ntaken = 0;
    for (size_t i = 0; i < n; i++) {
        struct img_rect box = box_in(p, face[i].box);
        size_t len = strlen(face[i].number);
        struct img_rect tag = {0, 0, (FONT_WIDTH * (int)len + 3) * scale, FONT_LINE * scale};
        if (box.w <= 0 || box.h <= 0 || !find_room(p, box, FRAME * scale, taken, ntaken, &tag))
            continue;
        taken[ntaken++] = tag;
        draw_fill(&p->im, tag, is_wrong(&face[i]) ? sheet_color(SHEET_WRONG) : box_color);
        draw_text(&p->im, tag.x + 2 * scale, tag.y + 3 * scale, scale,
                  is_wrong(&face[i]) ? light : dark, face[i].number, len);
    }
}

void picture_mark(struct picture *p, const struct caption *face, size_t n, int scale)
{
    for (size_t i = 0; i < n; i++) {
        struct img_rect box = box_in(p, face[i].box);
        if (box.w > 0 && box.h > 0)
            draw_frame(&p->im, box, FRAME * scale,
                       is_wrong(&face[i]) ? sheet_color(SHEET_WRONG) : box_color);
    }
    if (n > 1)
        number(p, face, n, scale);
}
