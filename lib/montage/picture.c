#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "image/font.h"

enum { FRAME = 2 };

static const struct draw_color dark = {0, 0, 0}, light = {255, 255, 255};

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

/* --- Tags ---------------------------------------------------------------------------------- */

enum { PADDING = 2 };

/* How much a tag tells: "2", "2: 31 F", or "2: 31 (25-38)" and "F 98%" below. */
enum detail { NUMBER, SHORT, FULL };

struct tag {
    char line[2][48];
    int n;
    struct img_rect r;
};

static void write_tag(struct tag *t, const struct caption *c, bool numbered, enum detail detail,
                      int scale)
{
    const char *number = numbered ? c->number : "", *colon = number[0] != '\0' ? ": " : "";
    bool age = c->age[0] != '\0', gender = c->gender[0] != '\0';
    *t = (struct tag){0};
    if (!age && !gender)
        detail = NUMBER;
    if (detail == FULL && age && gender) {
        snprintf(t->line[0], sizeof t->line[0], "%s%s%s %s", number, colon, c->age, c->interval);
        snprintf(t->line[1], sizeof t->line[1], "%s %s", c->gender, c->sure);
    } else if (detail == FULL) {
        snprintf(t->line[0], sizeof t->line[0], "%s%s%s %s", number, colon,
                 age ? c->age : c->gender, age ? c->interval : c->sure);
    } else if (detail == SHORT) {
        snprintf(t->line[0], sizeof t->line[0], "%s%s%s%s%s", number, colon, c->age,
                 age && gender ? " " : "", c->gender);
    } else {
        snprintf(t->line[0], sizeof t->line[0], "%s", number);
    }
    for (; t->n < 2 && t->line[t->n][0] != '\0'; t->n++) {
        int w = (FONT_WIDTH * (int)strlen(t->line[t->n]) + 2 * PADDING - 1) * scale;
        t->r.w = w > t->r.w ? w : t->r.w;
    }
    t->r.h = (FONT_LINE * t->n + 1) * scale;
}

/* What tags may not cover: the boxes, and behind these the tags that are drawn. */
struct taken {
    struct img_rect r[2 * FACES_MAX];
    size_t boxes, n;
};

static bool is_free(const struct picture *p, struct img_rect r, const struct taken *t, size_t from)
{
    if (r.x < 0 || r.y < 0 || r.x + r.w > p->im.w || r.y + r.h > p->im.h)
        return false;
    for (size_t i = from; i < t->n; i++) {
        if (overlap(r, t->r[i]))
            return false;
    }
    return true;
}

/* Finds room for a tag at a face's box: above, below or next to it. A number may lie on boxes, its
   own first, but not on another tag. */
static bool place_tag(const struct picture *p, const struct taken *t, struct img_rect box,
                      bool on_boxes, struct img_rect *tag)
{
    int left = box.x, right = box.x + box.w - tag->w, middle = (left + right) / 2;
    int top = box.y, bottom = box.y + box.h - tag->h;
    int above = top - tag->h, below = bottom + tag->h, before = left - tag->w,
        after = box.x + box.w;
    const int at[][2] = {{left, above},   {middle, above},  {right, above}, {left, below},
                         {middle, below}, {right, below},   {after, top},   {before, top},
                         {after, bottom}, {before, bottom}, /* the inner corners */
                         {left, top},     {right, top},     {left, bottom}, {right, bottom}};
    enum { INNER = 10, ALL = sizeof at / sizeof *at };
    for (int i = 0; i < (on_boxes ? ALL : INNER); i++) {
        tag->x = at[i][0];
        tag->y = at[i][1];
        if (is_free(p, *tag, t, i < INNER ? 0 : t->boxes))
            return true;
    }
    return false;
}

static void draw_tag(struct picture *p, const struct tag *t, bool wrong, int scale)
{
    draw_fill(&p->im, t->r, sheet_color(wrong ? SHEET_WRONG : SHEET_BOX));
    for (int i = 0; i < t->n; i++)
        draw_text(&p->im, t->r.x + PADDING * scale, t->r.y + (PADDING + FONT_LINE * i) * scale,
                  scale, wrong ? light : dark, t->line[i], strlen(t->line[i]));
}

/* Draws a face's tag as fully as there is room. In a crowd a face may go without: tags over each
   other could not be read. */
static void add_tag(struct picture *p, const struct caption *c, struct img_rect box, bool numbered,
                    int scale, struct taken *taken)
{
    for (int detail = FULL; detail >= NUMBER; detail--) {
        struct tag t;
        write_tag(&t, c, numbered, detail, scale);
        if (t.n > 0 && place_tag(p, taken, box, detail == NUMBER, &t.r)) {
            taken->r[taken->n++] = t.r;
            draw_tag(p, &t, caption_wrong(c), scale);
            return;
        }
    }
}

int picture_mark(struct picture *p, const struct caption *face, size_t n, int scale,
                 struct mien_err *e)
{
    struct taken *taken = calloc(1, sizeof *taken);
    if (taken == NULL)
        return mien_err_mem(e, sizeof *taken, "a picture's tags");
    int frame = FRAME * scale;
    for (size_t i = 0; i < n; i++) {
        struct img_rect box = box_in(p, face[i].box);
        if (box.w <= 0 || box.h <= 0)
            continue;
        draw_frame(&p->im, box, frame,
                   sheet_color(caption_wrong(&face[i]) ? SHEET_WRONG : SHEET_BOX));
        taken->r[taken->n++] =
            (struct img_rect){box.x - frame, box.y - frame, box.w + 2 * frame, box.h + 2 * frame};
    }
    taken->boxes = taken->n;
    for (size_t i = 0, k = 0; i < n; i++) {
        struct img_rect box = box_in(p, face[i].box);
        if (box.w > 0 && box.h > 0)
            add_tag(p, &face[i], taken->r[k++], n > 1, scale > 1 ? scale - 1 : 1, taken);
    }
    free(taken);
    return 0;
}
