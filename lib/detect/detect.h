/*
 * Finding faces in photographs of any size with a detector made for small squares.
 *
 * A detector sees faces that are neither too small nor too large for it. But being all convolutions
 * it looks at inputs of any size, so a photograph is looked at on several levels: as a whole,
 * shrunk to the detector's own input along its longer side, then to 1.75, 3.25 and 6.25 times as
 * much, where it has that many pixels and min_size lets faces count that the level before misses.
 * Of these the first two are looked at in any case, another one when the one before showed faces so
 * small that there may be smaller ones; the last one only where it showed them. The larger levels
 * are cut into windows, which bound the memory, and which overlap: what the border of one cuts is
 * left to the next.
 *
 * What is found, also with a low score, is merged (face_merge in face.h) and looked at again, in a
 * window three and a half times as wide as the face, where the detector is surest; and where that
 * leaves doubt, in its mirror image too. A face is what was seen again; its score, box and
 * landmarks are those of this look, or the mean of the two. What a level shows as surely, and about
 * as large as it would be in that window, is a face as it is.
 */
#ifndef MIEN_DETECT_DETECT_H
#define MIEN_DETECT_DETECT_H

#include "blaze.h"
#include "image/img.h"
#include "image/decoder.h"

struct detect_options {
    double min_score;  /* of a face, 0 to 1 */
    double min_size;   /* least width of a face's box in pixels; finer levels are left out */
    int max_faces;     /* the largest ones; 0 for all */
    size_t max_memory; /* bound of the bytes that a thread needs to run the network; 0: 1 GiB */
};

/* A detector, read-only and shared by threads. The model must live as long. NULL with a
   message on failure. */
struct detector;
struct detector *detector_new(const struct model *m, const struct detect_options *o,
                              struct mien_err *e);
void detector_free(struct detector *d); /* NULL is harmless */

/* What a thread needs to run it; NULL with a message on failure. */
struct detect_work;
struct detect_work *detect_work_new(const struct detector *d, struct mien_err *e);
void detect_work_free(struct detect_work *w); /* NULL is harmless */

/* Finds the faces of a photograph, an encoded image of n bytes: out receives them in pixels of the upright
   image at full scale, from left to right. The photograph is decoded no finer than the levels need.
   Returns 0; a code of img_open or img_read; MIEN_ERR_MEM; or
   MIEN_ERR_FORMAT or MIEN_ERR_ARG where the detector can't look at such a photograph. */
MIEN_CHECKED int detect_photo(const struct detector *d, struct detect_work *w, const void *image,
                              size_t n, const struct img_limits *limits, struct face_list *out,
                              struct mien_err *e);

/* The first damage in the photograph that was looked at, as text; NULL when there was none. */
const char *detect_damage(const struct detect_work *w);

#endif
