/*
 * Preprocessing, as text: what a stream's pixels went through and what a model expects.
 *
 *     struct mien_prep prep;
 *     if (mien_rec_get_prep(r, &prep, &e) == 0 && mien_prep_set(&prep, "gray", "luma") == 0)
 *         mien_rec_set_prep(r, &prep);
 *
 * One line of key=value words separated by single spaces, in the order they were set:
 *
 *   crop=box margin=0.4 size=224x224 filter=triangle     (a stream's, in its prep field)
 *   size=224x224 margin=0.4 color=bgr mean=103.939,116.779,123.68 scale=1 age0=1   (a model's)
 *
 * crop      box (cut out by a face box), whole (the image as it was) or align (turned by the eyes)
 * margin    the margin around the box, as a share of its side
 * inner     the central share that was kept
 * size      height x width of the pixels
 * filter    box, triangle or lanczos3
 * features  the layer and the weights that features come from, as mien_session_output_name tells
 * forced    what of this mien-predict --force overlooked, as it isn't what the model expects
 * color, mean, scale, age0, ages, embed, temp_gender, temp_age, shift_age   a model's only, see mien-pack(5)
 *
 * Other keys are kept. Threads: a struct mien_prep may be read by several at once.
 */
#ifndef MIEN_PREP_H
#define MIEN_PREP_H

#include <stddef.h>

#include "mien/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mien_rec; /* of record.h */

/* The most bytes of a line, its terminating zero included. */
#define MIEN_PREP_MAX 512

/* A line; "" when nothing is known. */
struct mien_prep {
    char text[MIEN_PREP_MAX]; /* zero-terminated */
};

/* Takes len bytes of text. Returns 0, or MIEN_ERR_FORMAT when they aren't key=value words. */
int mien_prep_parse(struct mien_prep *p, const char *s, size_t len, struct mien_err *e);

/* The value of key in buf (n bytes; zero-terminated, cut to fit), or NULL when absent. */
const char *mien_prep_get(const struct mien_prep *p, const char *key, char *buf, size_t n);

/* Sets or replaces a key. Returns 0, or MIEN_ERR_LIMIT when the line grows too long. */
int mien_prep_set(struct mien_prep *p, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Drops a key; harmless when absent. */
void mien_prep_del(struct mien_prep *p, const char *key);

/* The preprocessing of a record's pixels or features, "" when it doesn't tell. Returns 0 or
   MIEN_ERR_FORMAT. */
int mien_rec_get_prep(const struct mien_rec *r, struct mien_prep *p, struct mien_err *e);

/* Notes it in a record. Returns 0 or MIEN_ERR_MEM. */
int mien_rec_set_prep(struct mien_rec *r, const struct mien_prep *p);

/* The first key in which a stream differs from what a model expects, or NULL: as mien_prep_check, which
   has the values. */
const char *mien_prep_differs(const struct mien_prep *stream, const struct mien_prep *model);

/* Compares what a stream has with what a model expects: size, margin, inner, filter and features,
   each only where both name it; for crops of faces no inner means 1. Pixels of whole images go with
   any margin, since they were framed elsewhere. Returns 0, or MIEN_ERR_FORMAT with the first
   difference ("made with size=112x112, the model expects size=224x224"). */
int mien_prep_check(const struct mien_prep *stream, const struct mien_prep *model,
                    struct mien_err *e);

#ifdef __cplusplus
}
#endif

#endif
