/* What the files of lib/montage share. */
#ifndef MIEN_MONTAGE_INTERNAL_H
#define MIEN_MONTAGE_INTERNAL_H

#include "image/photo.h"
#include "montage.h"
#include "mien/image.h"

/* --- caption.c: what a record tells about a face -------------------------------------------- */

enum { FACES_MAX = 1000 }; /* of one picture */

/* Texts are empty where the record lacks what they tell; a prediction that was withheld for lack
   of confidence is "?". */
struct caption {
    float box[4];    /* all 0 without one */
    char number[12]; /* "2" of the id photo.jpg#2 */
    char label[24];  /* "28 F" */
    char age[24];    /* the prediction's expectation and standard deviation, "31±6" */
    char gender[16]; /* its gender and that one's probability, "F 98%" */
    bool age_wrong, gender_wrong;
};
void caption_of(struct caption *c, const struct mien_rec *r, double tolerance);

/* The length of the photograph's part of an id: without the number of a face. */
size_t caption_photo_id(const char *id, size_t len);

/* Appends a caption's lines. Return 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int caption_say_id(struct sheet_text *t, const char *id, size_t len);
MIEN_CHECKED int caption_say(struct sheet_text *t, const struct caption *c, bool numbered);

/* --- picture.c: what is drawn of a record -------------------------------------------------- */

struct picture {
    struct img_decoder *decoder;
    struct mien_resizer *resizer;
    struct img_photo photo; /* before it is resampled */
    struct img im;          /* the picture, scaled into its square */
    double scale;           /* its pixels for a pixel of the photograph */
};
MIEN_CHECKED int picture_start(struct picture *p, struct mien_err *e);
void picture_free(struct picture *p);

/* Makes the picture of a record, size pixels on its longer side: of its photograph, or else of its
   pixels. Returns 0; MIEN_ERR_MEM; or another code when there is none. */
MIEN_CHECKED int picture_of(struct picture *p, const struct mien_rec *r, int size,
                            struct mien_err *e);

/* Draws the boxes of a photograph's faces, with their numbers when there are several. The text's
   scale is the sheet's. */
void picture_mark(struct picture *p, const struct caption *face, size_t n, int text_scale);

#endif
