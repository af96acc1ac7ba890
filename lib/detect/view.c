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

/* How a view's part within the photograph lies in the input. */
struct placed {
    struct img_rect photo, input;
};

/* The part of from .. from + n that lies within 0 .. side, and where in the input it goes. */
static void place(int from, int n, int side, int input, int *start, int *len, int *at, int *size)
{
    double scale = (double)input / n;
    int lo = from < 0 ? 0 : from, hi = from + n > side ? side : from + n;
    *start = lo;
    *len = hi - lo;
    *at = (int)lround((lo - from) * scale);
    *size = (int)lround((hi - from) * scale) - *at;
    if (*size < 1) { /* all that there is of it is narrower than a pixel of the input */
        *size = 1;
        *at = *at < input ? *at : input - 1;
    }
}

/* Draws a view into the input. */
static int draw(struct viewer *w, const struct img *photo, const struct view *v, struct placed *p,
                struct mien_err *e)
{
    struct img_rect *in = &p->photo, *at = &p->input;
    place(v->photo.x, v->photo.w, photo->w, v->w, &in->x, &in->w, &at->x, &at->w);
    place(v->photo.y, v->photo.h, photo->h, v->h, &in->y, &in->h, &at->y, &at->h);
    if (img_alloc(&w->cut, in->h, in->w, e) < 0 || img_alloc(&w->part, at->h, at->w, e) < 0 ||
        img_alloc(&w->input, v->h, v->w, e) < 0)
        return MIEN_ERR_MEM;
    size_t row = (size_t)in->w * 3, part = (size_t)at->w * 3;
    for (int y = 0; y < in->h; y++)
        memcpy(w->cut.px + (size_t)y * row,
               photo->px + ((size_t)(in->y + y) * (size_t)photo->w + (size_t)in->x) * 3, row);
    if (mien_resize(w->resizer, w->cut.px, in->h, in->w, w->part.px,
                    (struct mien_size){at->h, at->w}, MIEN_TRIANGLE, e) < 0)
        return MIEN_ERR_MEM;
    memset(w->input.px, GREY, (size_t)v->h * (size_t)v->w * 3);
    for (int y = 0; y < at->h; y++)
        memcpy(w->input.px + ((size_t)(at->y + y) * (size_t)v->w + (size_t)at->x) * 3,
               w->part.px + (size_t)y * part, part);
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
static float to_photo(float v, int at, int size, int start, int len, double zoom)
{
    return (float)((start + (v - at) * len / size) * zoom);
}

static void move_to_photo(struct face *f, const struct placed *p, double zoom)
{
    const struct img_rect *in = &p->photo, *at = &p->input;
    for (int i = 0; i < 4; i += 2) {
        f->box[i] = to_photo(f->box[i], at->x, at->w, in->x, in->w, zoom);
        f->box[i + 1] = to_photo(f->box[i + 1], at->y, at->h, in->y, in->h, zoom);
    }
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        f->point[i][0] = to_photo(f->point[i][0], at->x, at->w, in->x, in->w, zoom);
        f->point[i][1] = to_photo(f->point[i][1], at->y, at->h, in->y, in->h, zoom);
    }
}

/* Whether a face's centre lies in the photograph's part of the input, its size is in bounds, and it
   isn't one that the view's border cuts while another view shows it. */
static bool plausible(const struct face *f, const struct view *v, const struct img_rect *at,
                      int side)
{
    float x = (f->box[0] + f->box[2]) / 2, y = (f->box[1] + f->box[3]) / 2;
    float w = face_width(f), h = f->box[3] - f->box[1], larger = w > h ? w : h;
    bool inside =
        f->box[0] >= 0 && f->box[1] >= 0 && f->box[2] <= (float)v->w && f->box[3] <= (float)v->h;
    return x >= (float)at->x && x <= (float)(at->x + at->w) && y >= (float)at->y &&
           y <= (float)(at->y + at->h) && larger <= LARGEST * side &&
           (!v->part || inside || larger <= VIEW_OVERLAP * side);
}

int viewer_look(struct viewer *w, const struct img *photo, double zoom, const struct view *v,
                double min_score, struct face_list *out, struct mien_err *e)
{
    struct placed p;
    size_t keep = out->n;
    if (draw(w, photo, v, &p, e) < 0)
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
        if (!plausible(&f, v, &p.input, w->side))
            continue;
        move_to_photo(&f, &p, zoom);
        out->face[keep++] = f;
    }
    out->n = keep;
    return 0;
}
