/*
 * Cutting crops out of JPEGs, and bringing them to one size: those of one image for the price of
 * one entropy decoding at each scale.
 *
 * What becomes of a crop depends on it alone: the pixels are the same whatever is cut out with it,
 * and where the image is damaged those above the damage are cut all the same.
 */
#ifndef MIEN_IMAGE_CUTTER_H
#define MIEN_IMAGE_CUTTER_H

#include "crop.h"
#include "resize.h"

struct cutter_how {
    struct img_crop crop;
    struct img_jpeg_limits limits;
    struct img_hw size;     /* that crops are brought to; zeros: as they are */
    enum img_filter filter; /* by this */
};

/* Notes all that in a stream's preprocessing. Returns 0, or ERR_LIMIT when that grows too long. */
int cutter_describe(const struct cutter_how *how, struct prep *p);

/* A crop: what it is, and what becomes of it. */
struct cutting {
    const float *box; /* x1 y1 x2 y2; not read where the whole image is cut or faces are aligned */
    const float *point; /* npoint landmarks, as img_align_plan takes them; read for aligning */
    size_t npoint;
    struct img_hw size; /* of the pixels */
    unsigned char *out; /* the caller's, size.h * size.w * 3 bytes */
    bool damaged;   /* some of the pixels are not the image's: a tolerant decoder kept the rest */
    int rc;         /* 0, or a code of img_crop_plan, img_align_plan or img_jpeg_read, */
    struct err err; /* and its message */
};

/* A thread's decoder and memory, reused from image to image. */
struct cutter;
struct cutter *cutter_new(struct err *e); /* NULL on failure */
void cutter_free(struct cutter *c);       /* NULL is harmless */

/* Plans n cuttings of one image: sets size, or rc and err. how and the image's bytes must live, and
   nothing else be planned, until cutter_cut. Returns 0; a code of img_jpeg_open, which all cuttings
   share; or ERR_MEM. */
int cutter_plan(struct cutter *c, const struct cutter_how *how, const void *image, size_t bytes,
                struct cutting *cutting, size_t n, struct err *e);

/* Does what was planned, for cuttings whose rc is 0: fills out, sets damaged, or rc and err.
   Returns 0 or ERR_MEM. */
int cutter_cut(struct cutter *c, struct cutting *cutting, size_t n, struct err *e);

#endif
