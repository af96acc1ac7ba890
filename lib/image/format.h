/*
 * What each format of encoded images has to say, a file each, and what they share. decoder.c knows
 * them by this; nothing else does.
 */
#ifndef MIEN_IMAGE_FORMAT_H
#define MIEN_IMAGE_FORMAT_H

#include "decoder.h"

/* A format's functions, as those of decoder.h. The state is a decoder's, made when it meets the
   first image of the format. */
struct img_format {
    const char *kind;                    /* as img_kind has it */
    const char *name;                    /* as people write it */
    void *(*create)(struct mien_err *e); /* NULL on failure */
    void (*destroy)(void *state);        /* NULL is harmless */
    /* Takes no memory that grows with the image's size: the limit is seen to after it. */
    int (*open)(void *state, const void *bytes, size_t n, bool tolerant, struct img_info *info,
                struct mien_err *e);
    int (*read)(void *state, int eighths, const struct img_part *part, size_t n,
                struct mien_err *e);
    const char *(*damage)(const void *state); /* NULL: a damaged image isn't decoded */
};

extern const struct img_format img_jpeg, img_png, img_webp, img_heic, img_avif;

/* --- Parts ---------------------------------------------------------------------------------- */

/* Whether the parts lie within an image that is h x w at their scale. */
bool img_parts_fit(const struct img_part *part, size_t n, int h, int w);

/* What holds all parts. */
struct img_rect img_parts_hull(const struct img_part *part, size_t n);

static inline bool img_part_has(const struct img_part *p, int y)
{
    return y >= p->rect.y && y < p->rect.y + p->rect.h;
}

/* Rows from y on that no part has, where there is one below. */
int img_parts_skip(const struct img_part *part, size_t n, int y);

#endif
