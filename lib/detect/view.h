/* Views of a photograph: parts of it that are drawn to the detector's input and looked at. */
#ifndef MIEN_DETECT_VIEW_H
#define MIEN_DETECT_VIEW_H

#include "eyes.h"
#include "face.h"
#include "image/img.h"
#include "mien/image.h"

#define VIEW_OVERLAP 0.25 /* of neighboring views, as a share of the detector's own input */

/* A part of the photograph, which may reach beyond its edges, and the input of h x w that it
   becomes. It isn't rounded to pixels, so that nearly the same photograph gives nearly the same
   view. */
struct view {
    struct img_area photo;
    int h, w;
    bool part; /* one of several, which overlap */
    bool mirrored;
};

/* A network that looks, and memory for what it looks at. */
struct viewer {
    struct eyes *eyes;
    int side; /* of the detector's own input, a square */
    struct mien_resizer *resizer;
    struct img cut, part, input;
};

/* Sets up a zeroed viewer, whose network may need max_memory bytes to run [1 GiB, with 0]; the model must live as
   long. On failure, too, viewer_free follows. */
MIEN_CHECKED int viewer_start(struct viewer *w, const struct model *m, size_t max_memory,
                              struct mien_err *e);
void viewer_free(struct viewer *w);

/* Appends the faces of a score of at least min_score that are seen in a view of photo, which has at
   least one of photo's pixels. Their places are in pixels of the photograph at full scale, of which
   photo's are zoom each way. Returns 0 or a negative code. */
MIEN_CHECKED int viewer_look(struct viewer *w, const struct img *photo, double zoom,
                             const struct view *v, double min_score, struct face_list *out,
                             struct mien_err *e);

#endif
