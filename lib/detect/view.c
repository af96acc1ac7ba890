#include "view.h"

#include <math.h>
#include <string.h>

#define LARGEST 2.0 /* times the detector's own input: nothing larger is a face */

enum { GREY = 128 }; /* beyond the photograph's edge; the input's zero, as a convolution pads */

int viewer_start(struct viewer *w, const struct model *m, size_t max_memory, struct mien_err *e)
{
    w->side = m->net.layer[0].shape.w;
    w->eyes = eyes_new(m, max_memory, e);
    if (w->eyes == NULL)
        return MIEN_ERR_MEM;
    w->resizer = mien_resizer_new(e);
    return w->resizer == NULL ? MIEN_ERR_MEM : 0;
}

void viewer_free(struct viewer *w)
{
    eyes_free(w->eyes);
    mien_resizer_free(w->resizer);
    img_free(&w->cut);
    img_free(&w->part);
    img_free(&w->input);
}

/* How much of an axis of the input shows the photograph: size pixels from at on, which are those
   from start to start + len of its cut. The cut has the photograph's pixels lo to hi, and beyond
   its edges gray ones, for the input's pixels that an edge runs through. */
struct shown {
    int at, size, lo, hi;
    double start, len;
};

static struct shown show(double from, double n, int side, int input)
{
    double scale = n / input;
    struct shown s = {.at = (int)fmax(0, floor(-from / scale) - 1)};
    s.size = (int)fmin(input, ceil((side - from) / scale) + 1) - s.at;
    s.start = from + s.at * scale;
    s.len = s.size * scale;
    s.lo = (int)floor(s.start);
    s.hi = (int)ceil(s.start + s.len);
    s.start -= s.lo;
    return s;
}

/* Copies the cut of the photograph. */
static void cut(const struct img *photo, const struct shown *x, const struct shown *y,
                unsigned char *px)
{
    size_t row = (size_t)(x->hi - x->lo) * 3;
    int left = x->lo > 0 ? x->lo : 0, right = x->hi < photo->w ? x->hi : photo->w;
    memset(px, GREY, (size_t)(y->hi - y->lo) * row);
    for (int i = y->lo > 0 ? y->lo : 0; i < y->hi && i < photo->h; i++)
        memcpy(px + (size_t)(i - y->lo) * row + (size_t)(left - x->lo) * 3,
               photo->px + ((size_t)i * (size_t)photo->w + (size_t)left) * 3,
               (size_t)(right - left) * 3);
}

/* Draws a view into the input. */
static int draw(struct viewer *w, const struct img *photo, const struct view *v, struct mien_err *e)
{
    struct shown x = show(v->photo.x, v->photo.w, photo->w, v->w),
                 y = show(v->photo.y, v->photo.h, photo->h, v->h);
    if (img_alloc(&w->cut, y.hi - y.lo, x.hi - x.lo, e) < 0 ||
        img_alloc(&w->part, y.size, x.size, e) < 0 || img_alloc(&w->input, v->h, v->w, e) < 0)
        return MIEN_ERR_MEM;
    cut(photo, &x, &y, w->cut.px);
    struct img_area from = {x.start, y.start, x.len, y.len};
    if (img_resize_area(w->resizer, w->cut.px, w->cut.h, w->cut.w, from, w->part.px,
                        (struct mien_size){y.size, x.size}, MIEN_TRIANGLE, e) < 0)
        return MIEN_ERR_MEM;
    size_t part = (size_t)x.size * 3;
    memset(w->input.px, GREY, (size_t)v->h * (size_t)v->w * 3);
    for (int i = 0; i < y.size; i++)
        memcpy(w->input.px + ((size_t)(y.at + i) * (size_t)v->w + (size_t)x.at) * 3,
               w->part.px + (size_t)i * part, part);
    return 0;
}

static void mirror(struct img *im)
{
    for (int y = 0; y < im->h; y++) {
        unsigned char *a = im->px + (size_t)y * (size_t)im->w * 3, *b = a + ((size_t)im->w - 1) * 3;
        for (; a < b; a += 3, b -= 3) {
            unsigned char t[3];
            memcpy(t, a, 3);
            memcpy(a, b, 3);
            memcpy(b, t, 3);
        }
    }
}

static void swap_points(struct face *f, int a, int b)
{
    float x = f->point[a][0], y = f->point[a][1];
    memcpy(f->point[a], f->point[b], sizeof f->point[a]);
    f->point[b][0] = x;
    f->point[b][1] = y;
}

/* A face of the mirrored input in the input as it was; right becomes left. */
static void unmirror(struct face *f, float w)
{
    float x1 = f->box[0];
    f->box[0] = w - f->box[2];
    f->box[2] = w - x1;
    for (int i = 0; i < MIEN_FACE_POINTS; i++)
        f->point[i][0] = w - f->point[i][0];
    swap_points(f, MIEN_FACE_RIGHT_EYE, MIEN_FACE_LEFT_EYE);
    swap_points(f, MIEN_FACE_RIGHT_EAR, MIEN_FACE_LEFT_EAR);
}

/* From pixels of the input to those of the photograph at full scale. */
static void move_to_photo(struct face *f, const struct view *v, double zoom)
{
    const struct img_area *p = &v->photo;
    for (int i = 0; i < 4; i += 2) {
        f->box[i] = (float)((p->x + f->box[i] * p->w / v->w) * zoom);
        f->box[i + 1] = (float)((p->y + f->box[i + 1] * p->h / v->h) * zoom);
    }
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        f->point[i][0] = (float)((p->x + f->point[i][0] * p->w / v->w) * zoom);
        f->point[i][1] = (float)((p->y + f->point[i][1] * p->h / v->h) * zoom);
    }
}

/* Whether a face's center lies in the photograph, its size is in bounds, and it isn't one that the
   view's border cuts while another view shows it. */
static bool plausible(const struct face *f, const struct view *v, const struct img *photo, int side)
{
    double x = v->photo.x + (f->box[0] + f->box[2]) / 2 * v->photo.w / v->w,
           y = v->photo.y + (f->box[1] + f->box[3]) / 2 * v->photo.h / v->h;
    float w = face_width(f), h = f->box[3] - f->box[1], larger = w > h ? w : h;
    bool inside =
        f->box[0] >= 0 && f->box[1] >= 0 && f->box[2] <= (float)v->w && f->box[3] <= (float)v->h;
    return x >= 0 && x <= photo->w && y >= 0 && y <= photo->h && larger <= LARGEST * side &&
           (!v->part || inside || larger <= VIEW_OVERLAP * side);
}

int viewer_look(struct viewer *w, const struct img *photo, double zoom, const struct view *v,
                double min_score, struct face_list *out, struct mien_err *e)
{
    size_t keep = out->n;
    if (draw(w, photo, v, e) < 0)
        return MIEN_ERR_MEM;
    if (v->mirrored)
        mirror(&w->input);
    int rc = eyes_look(w->eyes, w->input.px, v->h, v->w, min_score, out, e);
    if (rc < 0)
        return rc;
    for (size_t i = keep; i < out->n; i++) {
        struct face f = out->face[i];
        if (v->mirrored)
            unmirror(&f, (float)v->w);
        if (!plausible(&f, v, photo, w->side))
            continue;
        move_to_photo(&f, v, zoom);
        out->face[keep++] = f;
    }
    out->n = keep;
    return 0;
}
