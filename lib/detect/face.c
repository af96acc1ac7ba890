#include "face.h"

#include <stdlib.h>

#include "mien/buf.h"
#include "util/array.h"

int face_add(struct face_list *l, const struct face *f, struct mien_err *e)
{
    struct face *p = array_grow(l->face, l->n, &l->cap, sizeof *p);
    if (p == NULL)
        return mien_err_mem(e, (l->n + 1) * sizeof *p, "faces");
    l->face = p;
    l->face[l->n++] = *f;
    return 0;
}

void face_list_free(struct face_list *l)
{
    free(l->face);
    *l = (struct face_list){0};
}

static float area(const float b[4])
{
    return (b[2] - b[0]) * (b[3] - b[1]);
}

static float shared(const float a[4], const float b[4])
{
    float w = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]);
    float h = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]);
    return w > 0 && h > 0 ? w * h : 0;
}

float face_iou(const float a[4], const float b[4])
{
    float both = shared(a, b);
    return both > 0 ? both / (area(a) + area(b) - both) : 0;
}

float face_inside(const float a[4], const float b[4])
{
    float both = shared(a, b), sa = area(a), sb = area(b);
    return both > 0 ? both / (sa < sb ? sa : sb) : 0;
}

void face_mix(struct face *f, const struct face *to, float share)
{
    for (int i = 0; i < 4; i++)
        f->box[i] += share * (to->box[i] - f->box[i]);
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        f->point[i][0] += share * (to->point[i][0] - f->point[i][0]);
        f->point[i][1] += share * (to->point[i][1] - f->point[i][1]);
    }
}

/* By score, the best first; then by place, so that the order is the same every time. */
static int by_score(const void *pa, const void *pb)
{
    const struct face *a = pa, *b = pb;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    for (int i = 0; i < 4; i++) {
        if (a->box[i] != b->box[i])
            return a->box[i] < b->box[i] ? -1 : 1;
    }
    return 0;
}

static void add_weighted(struct face *sum, const struct face *f, float weight)
{
    for (int i = 0; i < 4; i++)
        sum->box[i] += weight * f->box[i];
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        sum->point[i][0] += weight * f->point[i][0];
        sum->point[i][1] += weight * f->point[i][1];
    }
    sum->score += weight;
}

static struct face mean_of(const struct face *sum, float score)
{
    struct face m = {.score = score};
    for (int i = 0; i < 4; i++)
        m.box[i] = sum->box[i] / sum->score;
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        m.point[i][0] = sum->point[i][0] / sum->score;
        m.point[i][1] = sum->point[i][1] / sum->score;
    }
    return m;
}

void face_merge(struct face_list *l, float iou, float inside, float least)
{
    size_t n = 0; /* merged faces, at the front */
    if (l->n > 1)
        qsort(l->face, l->n, sizeof *l->face, by_score);
    for (size_t left = l->n; left > n;) {
        const struct face best = l->face[n];
        struct face sum = {.score = 0};
        size_t keep = n + 1;
        for (size_t i = n; i < left; i++) {
            const struct face f = l->face[i];
            if (i == n || face_iou(best.box, f.box) > iou)
                add_weighted(&sum, &f, f.score - least);
            else if (face_inside(best.box, f.box) <= inside)
                l->face[keep++] = f;
        }
        l->face[n++] = mean_of(&sum, best.score);
        left = keep;
        l->n = left;
    }
}
