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
    float box[4];      /* all 0 without one */
    char number[12];   /* "2" of the id photo.jpg#2 */
    char label[24];    /* "28 F" */
    char age[12];      /* the predicted expectation, "31", */
    char interval[16]; /* its 80% interval, "(25-38)", */
    char gender[4];    /* the gender, "F", */
    char sure[8];      /* and its probability, "98%" */
    bool faceless;     /* no face was found */
    bool judged;       /* something predicted has a label */
    bool age_wrong, gender_wrong;
};
void caption_of(struct caption *c, const struct mien_rec *r, double tolerance);

/* The length of the photograph's part of an id: without the number of a face. */
size_t caption_photo_id(const char *id, size_t len);

bool caption_wrong(const struct caption *c);

/* Appends a caption's lines. Return 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int caption_say_id(struct sheet_text *t, const char *id, size_t len);
MIEN_CHECKED int caption_say(struct sheet_text *t, const struct caption *c, bool numbered);
/* Words apart, so that they wrap; the first may begin a line. */
MIEN_CHECKED int caption_say_words(struct sheet_text *t, enum sheet_ink ink, bool line,
                                   const char *s, size_t len);

/* What there is on a page that its legend explains. */
struct legend {
    bool boxes, labels, predictions, withheld, judged;
};
void legend_see(struct legend *l, const struct caption *c, bool on_photo);
MIEN_CHECKED int legend_say(struct sheet_text *t, const struct legend *l, double tolerance);

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

/* Draws the boxes of a photograph's faces with tags: their numbers when there are several, and what
   is predicted of them as far as there is room. The text's scale is the sheet's. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int picture_mark(struct picture *p, const struct caption *face, size_t n,
                              int text_scale, struct mien_err *e);

#endif
