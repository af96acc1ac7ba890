/*
 * BlazeFace: a face detector, all of convolutions (Bazarevsky, Kartynnik, Vakunov, Raveendran,
 * Grundmann: BlazeFace, 2019).
 *
 * The network's outputs come in pairs, a head for each of its scales: scores, [rows, columns, A],
 * and boxes, [rows, columns, 16 A], for A anchors in each cell of the input. A score is a logit.
 * The 16 values of a box are in pixels of the input: its center x y relative to the cell's center,
 * width and height, and six landmarks x y relative to the cell's center.
 */
#ifndef MIEN_DETECT_BLAZE_H
#define MIEN_DETECT_BLAZE_H

#include "face.h"
#include "net/model.h"

enum { BLAZE_VALUES = 4 + 2 * MIEN_FACE_POINTS, BLAZE_MAX_HEADS = 8 };

struct blaze_head {
    int rows, columns, anchors;
    float stride;   /* pixels of a cell, which is square */
    int score, box; /* layers of the model */
};

/* The heads of a model: its layers that no other one reads, paired by their cells. Returns how many
   there are; MIEN_ERR_FORMAT when the model isn't a face detector of this kind. */
MIEN_CHECKED int blaze_heads(const struct model *m, struct blaze_head head[BLAZE_MAX_HEADS],
                             struct mien_err *e);

/* Appends the faces of one head's outputs with a score of at least min_score, in pixels of the
   input. Boxes that are empty or not numbers are left out. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int blaze_decode(const struct blaze_head *h, const float *score, const float *box,
                              double min_score, struct face_list *out, struct mien_err *e);

#endif
