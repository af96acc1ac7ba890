#include "detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/photo.h"
#include "view.h"

/* Chosen on photographs with known faces, on sheets of such photographs at many sizes, and on
   scenes with one small face. Shares are of the detector's own input, a square. */
#define SURE        0.08  /* faces of this size are found, smaller ones often */
#define SMALL       0.125 /* where faces of this size are, */
#define SMALL_SCORE 0.5f  /* sure to this degree, a finer level may show more about them */
#define CANDIDATE   0.3   /* the score of what is looked at again, */
#define WEIGHTLESS  0.29f /* that of what would have no weight in a merged face */
#define AGAIN       0.75  /* in a view of this share */
#define FRAME       3.5   /* and as many times as wide as the face, */
#define CERTAIN     0.85f /* and in its mirror image unless it scores this much there, */
#define DOUBT       0.1f  /* which counts in full where it scores so much less; */
#define CLEAR       0.16  /* but not at all where a level shows it as surely and about as large, */
#define CLEAREST    0.32  /* between these sizes */
#define SAME        0.3f  /* IoU of two findings of one face */
#define INSIDE      0.6f  /* the share of one that lies in another, and so is a part of it */

/* The photograph's longer side on each level, in inputs. */
static const double level_length[] = {1, 1.75, 3.25, 6.25};

enum {
    LEVELS = sizeof level_length / sizeof *level_length,
    ALWAYS = 2,  /* levels that are looked at in any case */
    WHOLE = 3,   /* levels that are looked at as a whole; finer ones where small faces are */
    USUAL = 2,   /* the finest level for which a photograph is decoded at once */
    LARGEST = 10 /* quarters of the input along a side of the largest view */
};

struct detector {
    struct detect_options o;
    const struct model *model;
    int side; /* of the square input */
};

struct detect_work {
    struct viewer viewer;
    struct img_decoder *decoder;
    struct img_photo photo;
    struct face_list level, small, clear, candidates, seen;
};

struct detector *detector_new(const struct model *m, const struct detect_options *o,
                              struct mien_err *e)
{
    struct shape in = m->net.layer[0].shape;
    struct blaze_head head[BLAZE_MAX_HEADS];
    struct detector *d = calloc(1, sizeof *d);
    if (d == NULL) {
        mien_err_mem(e, sizeof *d, "a detector");
        return NULL;
    }
    *d = (struct detector){*o, m, in.w};
    int n = blaze_heads(m, head, e);
    if (n > 0 && in.h != in.w)
        n = mien_err_set(e, MIEN_ERR_FORMAT, "a face detector, but not for square images");
    for (int i = 0; i < n; i++) {
        if (head[i].stride < 1 || head[i].stride > AGAIN * in.w)
            n = mien_err_set(e, MIEN_ERR_FORMAT,
                             "a face detector with cells of %g pixels, which isn't supported",
                             head[i].stride);
    }
    if (n < 0) {
        free(d);
        return NULL;
    }
    return d;
}

void detector_free(struct detector *d)
{
    free(d);
}

struct detect_work *detect_work_new(const struct detector *d, struct mien_err *e)
{
    struct detect_work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        mien_err_mem(e, sizeof *w, "a detector's work");
        return NULL;
    }
    if (viewer_start(&w->viewer, d->model, d->o.max_memory, e) == 0 &&
        (w->decoder = img_decoder_new(e)) != NULL)
        return w;
    detect_work_free(w);
    return NULL;
}

void detect_work_free(struct detect_work *w)
{
    if (w == NULL)
        return;
    viewer_free(&w->viewer);
    img_decoder_free(w->decoder);
    img_photo_free(&w->photo);
    face_list_free(&w->level);
    face_list_free(&w->small);
    face_list_free(&w->clear);
    face_list_free(&w->candidates);
    face_list_free(&w->seen);
    free(w);
}

/* Pixels of the photograph at full scale in one of those that were decoded. */
static double zoom_of(const struct detect_work *w)
{
    return 8.0 / w->photo.eighths;
}

static int look(struct detect_work *w, const struct view *v, struct face_list *out,
                struct mien_err *e)
{
    return viewer_look(&w->viewer, &w->photo.im, zoom_of(w), v, CANDIDATE, out, e);
}

/* How a level is divided in one direction: into n views, each with its length in pixels of the
   detector's input and of the photograph. */
struct division {
    int n, input;
    double photo;
};

/* The fewest views over this many pixels of the photograph, which is shrunk by scale. */
static struct division divide(const struct detector *d, int pixels, double scale, int step)
{
    int overlap = (int)(VIEW_OVERLAP * d->side), most = d->side * LARGEST / 4 - overlap;
    int all = (int)fmax(1, lround(pixels / scale)), n = 1 + (all - overlap - 1) / most;
    int one = n > 1 ? (all - overlap + n - 1) / n + overlap : all;
    int input = (one + step - 1) / step * step;
    return (struct division){n > 1 ? n : 1, input, input * scale};
}

/* Where view i of a row begins. */
static double start_of(const struct division *r, int i, int pixels)
{
    return r->n == 1 ? (pixels - r->photo) / 2 : i * (pixels - r->photo) / (r->n - 1);
}

/* Whether the level before showed a small face in a part of the photograph. */
static bool has_small(const struct detect_work *w, const struct img_area *r)
{
    for (size_t i = 0; i < w->small.n; i++) {
        const float *b = w->small.face[i].box;
        double x = (b[0] + b[2]) / 2 / zoom_of(w) - r->x, y = (b[1] + b[3]) / 2 / zoom_of(w) - r->y;
        if (x >= 0 && y >= 0 && x <= r->w && y <= r->h)
            return true;
    }
    return false;
}

/* Looks at one level, as a whole or in views: all of them, or those that have small faces. */
static int scan(const struct detector *d, struct detect_work *w, double length, bool all,
                struct mien_err *e)
{
    int pw = w->photo.im.w, ph = w->photo.im.h, step = eyes_step(w->viewer.eyes);
    double scale = (pw > ph ? pw : ph) / (length * d->side);
    struct division across = divide(d, pw, scale, step), down = divide(d, ph, scale, step);
    for (int i = 0; i < across.n * down.n; i++) {
        struct view v = {.h = down.input, .w = across.input, .part = across.n * down.n > 1};
        v.photo = (struct img_area){start_of(&across, i % across.n, pw),
                                    start_of(&down, i / across.n, ph), across.photo, down.photo};
        int rc = all || has_small(w, &v.photo) ? look(w, &v, &w->level, e) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* How much the mirror image counts, for a face's place, beside a look of this score: nothing where
   that is almost certain enough to leave it out, so that nothing hangs on which side it falls. */
static float weight_of_mirror(float score)
{
    return fminf(1, (CERTAIN - score) / DOUBT);
}

/* Looks at a candidate again. *f becomes what is seen of it; its score is 0 when nothing is. */
static int look_again(const struct detector *d, struct detect_work *w, struct face *f,
                      struct mien_err *e)
{
    double x = (f->box[0] + f->box[2]) / 2 / zoom_of(w),
           y = (f->box[1] + f->box[3]) / 2 / zoom_of(w);
    double side = face_width(f) * FRAME / zoom_of(w);
    int step = eyes_step(w->viewer.eyes);
    struct view v = {.w = (int)(AGAIN * d->side) / step * step};
    v.h = v.w;
    v.photo = (struct img_area){fmin(fmax(x - side / 2, 1 - side), w->photo.im.w - 1),
                                fmin(fmax(y - side / 2, 1 - side), w->photo.im.h - 1), side, side};
    struct face found = {.score = 0};
    for (int turn = 0; turn < 2; turn++) {
        v.mirrored = turn == 1;
        w->seen.n = 0;
        int rc = look(w, &v, &w->seen, e);
        if (rc < 0)
            return rc;
        face_merge(&w->seen, SAME, INSIDE, WEIGHTLESS);
        size_t i = 0;
        while (i < w->seen.n && face_iou(w->seen.face[i].box, f->box) <= SAME)
            i++;
        struct face now = {.score = 0};
        if (i < w->seen.n)
            now = w->seen.face[i];
        if (turn == 0) {
            found = now;
            if (found.score >= CERTAIN || (found.score + 1) / 2 < d->o.min_score)
                break; /* whatever the mirror image would show */
        } else {
            float weight = weight_of_mirror(found.score) * now.score;
            if (weight > 0)
                face_mix(&found, &now, weight / (found.score + weight));
            found.score = (found.score + now.score) / 2;
        }
    }
    *f = found;
    return 0;
}

static double longer_side(const struct detect_work *w)
{
    return w->photo.im.h > w->photo.im.w ? w->photo.im.h : w->photo.im.w;
}

/* Adds what a level shows to the candidates, and what it shows clearly to the clear ones; those
   that are small there become the small ones. inputs: the photograph's pixels at full scale that
   are a whole side of the input. */
static int keep(const struct detector *d, struct detect_work *w, double inputs, struct mien_err *e)
{
    w->small.n = 0;
    for (size_t i = 0; i < w->level.n; i++) {
        const struct face *f = &w->level.face[i];
        if (face_add(&w->candidates, f, e) < 0)
            return MIEN_ERR_MEM;
        if (f->score >= SMALL_SCORE && face_width(f) < SMALL * inputs &&
            face_add(&w->small, f, e) < 0)
            return MIEN_ERR_MEM;
    }
    face_merge(&w->level, SAME, INSIDE, WEIGHTLESS);
    for (size_t i = 0; i < w->level.n; i++) {
        const struct face *f = &w->level.face[i];
        if (f->score >= CERTAIN && f->score >= d->o.min_score && face_width(f) >= CLEAR * inputs &&
            face_width(f) <= CLEAREST * inputs && face_add(&w->clear, f, e) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}

static bool is_clear(const struct detect_work *w, const struct face *f)
{
    for (size_t i = 0; i < w->clear.n; i++) {
        if (face_iou(w->clear.face[i].box, f->box) > SAME ||
            face_inside(w->clear.face[i].box, f->box) > INSIDE)
            return true;
    }
    return false;
}

/* Fills the candidates. */
static int scan_levels(const struct detector *d, struct detect_work *w, const void *image, size_t n,
                       const struct img_limits *limits, struct mien_err *e)
{
    int rc =
        img_photo_read(&w->photo, w->decoder, image, n, limits, d->side * level_length[USUAL], e);
    if (rc < 0)
        return rc;
    w->candidates.n = w->clear.n = 0;
    for (int i = 0; i < LEVELS; i++) {
        double shown = d->side * level_length[i], full = longer_side(w) * zoom_of(w);
        if (i > 0 && full < shown)
            break;
        if (longer_side(w) < shown && zoom_of(w) > 1) {
            rc = img_photo_read(&w->photo, w->decoder, image, n, limits, shown, e);
            if (rc < 0)
                return rc;
        }
        w->level.n = 0;
        rc = scan(d, w, level_length[i], i < WHOLE, e);
        if (rc < 0)
            return rc;
        rc = keep(d, w, full / level_length[i], e);
        if (rc < 0)
            return rc;
        if ((i + 1 >= ALWAYS && w->small.n == 0) || d->o.min_size * shown >= SURE * d->side * full)
            break;
    }
    return 0;
}

/* The largest first; then by place, so that the order is the same every time. */
static int by_size(const void *pa, const void *pb)
{
    const struct face *a = pa, *b = pb;
    if (face_width(a) != face_width(b))
        return face_width(a) > face_width(b) ? -1 : 1;
    return (a->box[0] > b->box[0]) - (a->box[0] < b->box[0]);
}

static int by_place(const void *pa, const void *pb)
{
    const struct face *a = pa, *b = pb;
    float at = a->box[0] + a->box[2], bt = b->box[0] + b->box[2];
    return at != bt ? (at > bt) - (at < bt) : (a->box[1] > b->box[1]) - (a->box[1] < b->box[1]);
}

int detect_photo(const struct detector *d, struct detect_work *w, const void *image, size_t n,
                 const struct img_limits *limits, struct face_list *out, struct mien_err *e)
{
    out->n = 0;
    int rc = scan_levels(d, w, image, n, limits, e);
    if (rc < 0)
        return rc;
    face_merge(&w->candidates, SAME, INSIDE, WEIGHTLESS);
    for (size_t i = 0; i < w->candidates.n; i++) {
        struct face f = w->candidates.face[i];
        if (is_clear(w, &f))
            continue;
        if ((rc = look_again(d, w, &f, e)) < 0)
            return rc;
        if (f.score >= d->o.min_score && f.score > 0 && face_add(out, &f, e) < 0)
            return MIEN_ERR_MEM;
    }
    for (size_t i = 0; i < w->clear.n; i++) {
        if (face_add(out, &w->clear.face[i], e) < 0)
            return MIEN_ERR_MEM;
    }
    face_merge(out, SAME, INSIDE, WEIGHTLESS);
    if (out->n > 1)
        qsort(out->face, out->n, sizeof *out->face, by_size);
    while (out->n > 0 && face_width(&out->face[out->n - 1]) < d->o.min_size)
        out->n--;
    if (d->o.max_faces > 0 && out->n > (size_t)d->o.max_faces)
        out->n = (size_t)d->o.max_faces;
    if (out->n > 1)
        qsort(out->face, out->n, sizeof *out->face, by_place);
    return 0;
}

const char *detect_damage(const struct detect_work *w)
{
    return img_damage(w->decoder);
}
