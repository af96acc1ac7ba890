/* A detector's network at several sizes of input, for one thread. */
#ifndef MIEN_DETECT_EYES_H
#define MIEN_DETECT_EYES_H

#include "face.h"
#include "net/model.h"

struct eyes;

/* max_memory bounds the bytes that running the network takes; 0: PLAN_MAX_BYTES. The model must live
   as long. NULL with a message on failure. */
struct eyes *eyes_new(const struct model *m, size_t max_memory, struct mien_err *e);
void eyes_free(struct eyes *s); /* NULL is harmless */

/* Appends what the network sees with a score of at least min_score in h x w pixels, RGB, in these
   pixels. h and w are multiples of eyes_step. Returns 0; MIEN_ERR_MEM; or
   MIEN_ERR_FORMAT, MIEN_ERR_ARG or MIEN_ERR_LIMIT where the network can't have that size. */
MIEN_CHECKED int eyes_look(struct eyes *s, const unsigned char *px, int h, int w, double min_score,
                           struct face_list *out, struct mien_err *e);

/* Pixels of the coarsest cell. */
int eyes_step(const struct eyes *s);

#endif
