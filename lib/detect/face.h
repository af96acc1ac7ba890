/*
 * Faces found in an image, and how many findings of one face become one.
 *
 * Positions are in pixels, x to the right and y downwards from the upper left corner.
 */
#ifndef MIEN_DETECT_FACE_H
#define MIEN_DETECT_FACE_H

#include <stddef.h>

#include "mien/err.h"
#include "mien/record.h"

struct face {
    float box[4]; /* x1 y1 x2 y2 */
    float score;  /* 0 to 1 */
    float point[MIEN_FACE_POINTS][2];
};

/* A list that its owner frees; zero-initialized it is empty. */
struct face_list {
    struct face *face;
    size_t n, cap;
};

/* Appends a face. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int face_add(struct face_list *l, const struct face *f, struct mien_err *e);
void face_list_free(struct face_list *l);

static inline float face_width(const struct face *f)
{
    return f->box[2] - f->box[0];
}

/* The shared area of two boxes: as a share of their union, and of the smaller one. */
float face_iou(const float a[4], const float b[4]);
float face_inside(const float a[4], const float b[4]);

/* Weighted non-maximum suppression (Bazarevsky et al. 2019, BlazeFace): from the best score down,
   a face and all that overlap it by more than iou become one, with the best's score, and box and
   landmarks averaged with the scores as weights, less `least`, which is below all of them. What
   lies within a better face by more than the share `inside` of the smaller box is dropped without a
   weight: an eye or a mouth that was taken for a face. The list is left sorted by score. */
void face_merge(struct face_list *l, float iou, float inside, float least);

/* Moves box and landmarks by this share, 0 to 1, of the way to another face's. */
void face_mix(struct face *f, const struct face *to, float share);

#endif
