/*
 * Images: cutting faces out of encoded ones, and resizing pixels.
 *
 *     struct mien_cutter *c = mien_cutter_new(&e);
 *     struct mien_crop how = {.margin = 0.4, .inner = 1, .target = {224, 224}, .size = {224, 224}};
 *     struct mien_cut cut = {.box = box};
 *     static unsigned char pixels[224 * 224 * 3];
 *     if (c == NULL || mien_cutter_plan(c, &how, image, bytes, &cut, 1, &e) < 0)
 *         ... e.msg ...
 *     cut.out = pixels; // how.size is given, so cut.size is that
 *     if (mien_cutter_run(c, &cut, 1, &e) == 0 && cut.rc == 0)
 *         ... pixels ...
 *     mien_cutter_free(c);
 *
 * Pixels are 8-bit RGB, rows from top to bottom and 3 * w bytes long without gaps, the layout of a
 * record's pixels field. A position is x to the right and y down from the upper left corner.
 *
 * Threads: a cutter or a resizer is one thread's at a time.
 */
#ifndef MIEN_IMAGE_H
#define MIEN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "mien/prep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Height and width in pixels; zeros mean none. */
struct mien_size {
    int h, w;
};

/* The longest side of an image that a program may be asked for. */
#define MIEN_MAX_SIDE 16384

/* Takes "N" (square) or "HxW", each 1 to MIEN_MAX_SIDE, into the struct mien_size at dst: made for
   MIEN_CLI_FUNC of cli.h. Returns 0 or MIEN_ERR_ARG. */
int mien_size_parse(void *dst, const char *s, struct mien_err *e);

/* --- Resampling ---------------------------------------------------------------------------- */

/*
 * Antialiased, separable. The filter is widened by the factor of reduction, so that every source
 * pixel counts; pixels are weighted by it about the output pixel's center, weights at the border
 * are normalized. First the rows are resampled, then the columns, with 8-bit pixels between, as
 * Pillow's Image.resize does it with BOX, BILINEAR and LANCZOS, and with its arithmetic: the
 * results are the same bytes.
 */

/* In the order of MIEN_RESAMPLINGS, the names in mien-resize's option and in prep.h's filter. */
enum mien_resampling { MIEN_BOX, MIEN_TRIANGLE, MIEN_LANCZOS3 };
#define MIEN_RESAMPLINGS "box|triangle|lanczos3"
const char *mien_resampling_name(enum mien_resampling f); /* "box", ... */

/* Notes size and filter in a stream's preprocessing. Returns 0, or MIEN_ERR_LIMIT when that grows
   too long. */
int mien_resize_describe(struct mien_size to, enum mien_resampling f, struct mien_prep *p);

/* Keeps the weights of the last sizes and the memory between the passes. */
struct mien_resizer;
struct mien_resizer *mien_resizer_new(struct mien_err *e); /* NULL on failure */
void mien_resizer_free(struct mien_resizer *z);            /* NULL is harmless */

/* Resamples src, h x w, into dst, to.h x to.w (all at least 1), which must not overlap. The result
   is the same on every machine. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int mien_resize(struct mien_resizer *z, const unsigned char *src, int h, int w,
                             unsigned char *dst, struct mien_size to, enum mien_resampling f,
                             struct mien_err *e);

/* --- Cutting ------------------------------------------------------------------------------- */

/*
 * A crop is a square about the center of a face's box, upright. Its side is the longer side of the
 * box after the margin was added; what reaches beyond the image repeats the image's border pixels.
 * An aligned crop is turned by the face's landmarks instead. Only what is needed is decoded, at the
 * scale that is needed.
 *
 * Crops of one image share its entropy decoding. What becomes of a crop depends on it alone: the
 * pixels are the same whatever is cut with it, and where the image is damaged those above the
 * damage are cut all the same.
 */

/* How crops are made: the same for all of a stream. */
struct mien_crop {
    bool whole;              /* the box is the whole image, without a margin */
    bool align;              /* turned by the eyes and the mouth */
    bool stored;             /* boxes are in pixels of the image as stored, not upright */
    double margin;           /* on every side, as a share of the box's width or height there */
    double inner;            /* the central share of the square that is kept, in (0, 1] */
    struct mien_size target; /* decode at the smallest scale not below this size; zeros: at full */
    size_t max_bytes;        /* bound of a crop's pixels before it is resized; 0 for none */
    uint64_t max_pixels;     /* bound of an image; 0: 64 million */
    bool tolerant;           /* keep what can be decoded of a damaged image */
    struct mien_size size;   /* that crops are brought to; zeros: as they are */
    enum mien_resampling resampling; /* by this */
};

/* Notes all that in a stream's preprocessing. Returns 0, or MIEN_ERR_LIMIT when that grows too
   long. */
int mien_crop_describe(const struct mien_crop *c, struct mien_prep *p);

/* A crop: what it is, and what becomes of it. */
struct mien_cut {
    const float *box;   /* x1 y1 x2 y2, 0-based and half-open; read unless whole or align */
    const float *point; /* npoint landmarks, x y in pixels of the upright image, in the order of
                           enum mien_face_point of record.h; read for align */
    size_t npoint;
    struct mien_size size; /* of the pixels */
    unsigned char *out;    /* the caller's, size.h * size.w * 3 bytes */
    bool damaged;          /* some of the pixels are not the image's: see tolerant */
    int rc;                /* 0, or MIEN_ERR_FORMAT or MIEN_ERR_LIMIT, */
    struct mien_err err;   /* and its message */
};

/* A thread's decoder and memory, reused from image to image. */
struct mien_cutter;
struct mien_cutter *mien_cutter_new(struct mien_err *e); /* NULL on failure */
void mien_cutter_free(struct mien_cutter *c);            /* NULL is harmless */

/* Plans n crops of one encoded image: sets size and rc = 0, or rc and err. how and the image's
   bytes must live, and nothing else be planned, until mien_cutter_run. Returns 0; MIEN_ERR_FORMAT
   or MIEN_ERR_LIMIT for an image that can't be used, which all crops share; or MIEN_ERR_MEM. */
MIEN_CHECKED int mien_cutter_plan(struct mien_cutter *c, const struct mien_crop *how,
                                  const void *image, size_t bytes, struct mien_cut *cut, size_t n,
                                  struct mien_err *e);

/* Does what was planned, for cuts whose rc is 0: fills out, sets damaged, or rc and err. Returns 0
   or MIEN_ERR_MEM. */
MIEN_CHECKED int mien_cutter_run(struct mien_cutter *c, struct mien_cut *cut, size_t n,
                                 struct mien_err *e);

#ifdef __cplusplus
}
#endif

#endif
