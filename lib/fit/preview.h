/* What a training sees: images as augmentation changes them. */
#ifndef MIEN_FIT_PREVIEW_H
#define MIEN_FIT_PREVIEW_H

#include "fit.h"
#include "mien/record.h"

/* Writes the first n records of a shuffled epoch, with the pixels that m would be trained on in
   epoch 1 instead of their images. c tells seed and augmentation. Images that can't be used are
   told to c->on_bad and left out. Returns 0; MIEN_ERR_ARG for a pack of features; mien_write's
   errors; or another negative code. */
MIEN_CHECKED int fit_preview(const struct model *m, const struct mien_pack *train,
                             const struct fit_config *c, size_t n, struct mien_writer *to,
                             struct mien_err *e);

#endif
