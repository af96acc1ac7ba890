/*
 * Pixels out of packs of encoded images: what a network reads, decoded when it is needed, so that a
 * set trains that would not fit into memory as pixels.
 *
 * The pixels are those, byte for byte, that mien-crop --for SIZE and mien-resize SIZE make of the
 * same records.
 */
#ifndef MIEN_FIT_PACK_DECODE_H
#define MIEN_FIT_PACK_DECODE_H

#include "mien/image.h"
#include "mien/pack.h"

/* How images become pixels: the same for all records, and for all parts of a set. */
struct pack_decode {
    struct mien_crop how;
    struct mien_prep prep; /* all that as text, as a stream of these pixels has it */
};

/* Plans what a model wants that reads pixels of this size: the margin, inner and filter of its
   preprocessing; what it doesn't name is as the programs have it, a margin of 0.4, the whole crop,
   and the triangle filter. Faces are cut out by their boxes, but the image is taken whole when
   the model wants that (crop=whole) or none of the pack's records has a box. Returns 0;
   MIEN_ERR_FORMAT for values that make no sense or faces turned by their eyes (crop=align); or
   MIEN_ERR_MEM. */
MIEN_CHECKED int pack_decode_plan(struct pack_decode *d, const struct mien_pack *p,
                                  const struct mien_prep *model, struct mien_size size,
                                  struct mien_err *e);

/* A thread's decoder and memory, reused from image to image. */
struct pack_decoder;
struct pack_decoder *pack_decoder_new(struct mien_err *e); /* NULL on failure */
void pack_decoder_free(struct pack_decoder *w);            /* NULL is harmless */

/* Decodes record i of a pack of images into dst, how.size.h x how.size.w x 3 bytes. Returns 0;
   MIEN_ERR_MEM; or another code when the record's image, or its box, is of no use. */
MIEN_CHECKED int pack_decode(const struct pack_decode *d, const struct mien_pack *p, size_t i,
                             struct pack_decoder *w, unsigned char *dst, struct mien_err *e);

#endif
